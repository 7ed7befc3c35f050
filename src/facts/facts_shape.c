/*
 * facts_shape.c: see facts_shape.h.
 */
#include <config.h>

#include "facts/facts_shape.h"

#include <string.h>

#include <glib.h>

bool shape_is_noreply(const char *local)
{
	/* Letters alone, so that "no-reply", "no.reply" and "noreply" are one. */
	static const char *const words[] = {"noreply", "noreplies", "noresponse", "donotreply",
	    "donotrespond", "donotanswer", "dontreply", "notreply", "noanswer", "nepasrepondre",
	    "nepasreponse", "noresponder", "noresponda", "norespond", "nonrispondere",
	    "nonrisponda", "nichtantworten", "keineantwort", "nietbeantwoorden", "nietantwoorden",
	    "geenantwoord", "naoresponder", "naoresponda", "nieodpowiadaj", "nieodpowiadac",
	    "brakodpowiedzi", "svarainte", "svarej", "svarikke", "ikkesvar", "eivastaa",
	    "alavastaa", "neodpovidat", "neodpovidejte", "neodpovedat", "nevalaszolj", "nuraspunde",
	    "yanitlama", "cevaplama", "neotvechat", "neotvechaite", "jangandibalas", "khongtraloi"};
	char letters[80];
	size_t n = 0;
	for (; *local != '\0' && n + 1 < sizeof(letters); local++)
		if (g_ascii_isalpha(*local))
			letters[n++] = g_ascii_tolower(*local);
	letters[n] = '\0';
	if (n < strlen("svarej")) /* the shortest */
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (strstr(letters, words[i]) != NULL)
			return true;
	return false;
}

/* Addresses rewritten on the way, which say nothing of the sender: Sender Rewriting Scheme, BATV.
 */
static bool is_rewritten(const char *local)
{
	static const char *const prefixes[] = {"srs0", "srs1", "prvs=", "btv1="};
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_ascii_strncasecmp(local, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

bool shape_is_verp(const char *local)
{
	const char *equals = strrchr(local, '='), *dot = strrchr(local, '.');
	if (equals == NULL || equals == local || dot == NULL || dot < equals + 2 ||
	    is_rewritten(local))
		return false;
	size_t domain = strspn(equals + 1, "abcdefghijklmnopqrstuvwxyz0123456789-.");
	size_t tld = strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz");
	/* A serial number may follow the domain. */
	return equals + 1 + domain > dot && tld >= 2 && strchr("-+_=", dot[1 + tld]) != NULL;
}

bool shape_is_bounce(const char *local)
{
	static const char *const prefixes[] = {
	    "bounce", "return", "bnc", "msprvs", "owner-", "errors-", "errors+", "verp", "rp-"};
	static const char *const whole[] = {"errors", "bnce", "bncs", "bouncer", "envelope"};
	static const char *const suffixes[] = {"-bounces", "-bounce", "_bounces", "_bounce",
	    ".bounces", ".bounce", "-owner", "-errors", "-return", "-admin", "+bounces"};
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(local, prefixes[i]))
			return true;
	for (size_t i = 0; i < G_N_ELEMENTS(whole); i++)
		if (strcmp(local, whole[i]) == 0)
			return true;
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(local, suffixes[i]))
			return true;
	return strstr(local, "-bounces+") != NULL || strstr(local, "-return-") != NULL;
}

bool shape_has_token(const char *local)
{
	size_t run = 0, digits = 0, in_run = 0, changes = 0;
	if (is_rewritten(local))
		return false;
	for (const char *s = local;; s++) {
		bool digit = g_ascii_isdigit(*s);
		if (!g_ascii_isalnum(*s)) {
			run = in_run = digits = changes = 0;
			if (*s == '\0')
				return false;
			continue;
		}
		if (run > 0 && digit != (bool)g_ascii_isdigit(s[-1]))
			changes++;
		run++;
		in_run += digit;
		digits = digit ? digits + 1 : 0;
		if (digits >= 6 || (run >= 12 && in_run >= 3 && changes >= 3))
			return true;
	}
}

/* Where the registrable part of the domain starts. */
static const char *site(const char *domain)
{
	static const char *const second[] = {
	    "co", "com", "org", "net", "ac", "gov", "edu", "ne", "or", "go", "gob", "nom", "ltd"};
	const char *end = domain + strlen(domain), *labels[3] = {domain, domain, domain};
	size_t n = 0;
	for (const char *s = end; s > domain && n < 3; s--)
		if (s[-1] == '.')
			labels[n++] = s;
	if (n < 2)
		return domain;
	if (end - labels[0] == 2)
		for (size_t i = 0; i < G_N_ELEMENTS(second); i++)
			if (strlen(second[i]) == (size_t)(labels[0] - labels[1] - 1) &&
			    strncmp(labels[1], second[i], strlen(second[i])) == 0)
				return n < 3 ? domain : labels[2];
	return labels[1];
}

bool shape_same_site(const char *a, const char *b)
{
	return g_ascii_strcasecmp(site(a), site(b)) == 0;
}

enum { PERSON_WORDS = 6, PERSON_WORD = 24 };

/* Words of s in lower case, letters and digits. */
static size_t words_of(const char *s, char words[PERSON_WORDS][PERSON_WORD])
{
	size_t n = 0;
	while (*s != '\0' && n < PERSON_WORDS) {
		size_t len = 0;
		for (; g_ascii_isalnum(*s); s++)
			if (len + 1 < PERSON_WORD)
				words[n][len++] = g_ascii_tolower(*s);
		words[n][len] = '\0';
		n += len > 0;
		if (*s != '\0')
			s++;
	}
	return n;
}

/* "ann", "a", "alee", "annl", "annlee" of the words "ann", "lee". */
static bool is_of_name(const char *token, char words[PERSON_WORDS][PERSON_WORD], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		bool whole = strncmp(token, words[i], len) == 0;
		if ((whole && token[len] == '\0') || (token[0] == words[i][0] && token[1] == '\0'))
			return true;
		for (size_t k = 0; k < n; k++) {
			if (k == i)
				continue;
			if (whole &&
			    (strcmp(token + len, words[k]) == 0 ||
				(token[len] == words[k][0] && token[len + 1] == '\0')))
				return true;
			if (token[0] == words[i][0] && strcmp(token + 1, words[k]) == 0)
				return true;
		}
	}
	return false;
}

bool shape_is_person(const char *name, const char *local, const char *domain)
{
	char words[PERSON_WORDS][PERSON_WORD], tokens[PERSON_WORDS][PERSON_WORD];
	size_t n = words_of(name, words), n_tokens = words_of(local, tokens), longest = 0;
	const char *own = site(domain);
	size_t label = strcspn(own, ".");
	if (n == 0 || n_tokens == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) >= 3 && g_strstr_len(own, (gssize)label, words[i]) != NULL)
			return false;
	for (size_t i = 0; i < n_tokens; i++) {
		if (!is_of_name(tokens[i], words, n))
			return false;
		longest = MAX(longest, strlen(tokens[i]));
	}
	return longest >= 3;
}

bool shape_is_itip(const char *method)
{
	static const char *const methods[] = {
	    "publish", "request", "reply", "add", "cancel", "refresh", "counter", "declinecounter"};
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
		if (strcmp(method, methods[i]) == 0)
			return true;
	return false;
}

bool shape_is_submission(const char *received)
{
	/* RFC 3848: the A of ESMTPA and ESMTPSA is authentication. The others are what Exchange and
	 * some webmail write; "HTTP" is not among them, for platforms write it as well. */
	static const char *const protocols[] = {
	    "esmtpa", "esmtpsa", "utf8smtpa", "utf8smtpsa", "asmtp", "mapi", "webmail"};
	const char *with = received;
	while ((with = strstr(with, " with ")) != NULL) {
		with += 6;
		size_t len =
		    strspn(with, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
		for (size_t i = 0; i < G_N_ELEMENTS(protocols); i++)
			if (strlen(protocols[i]) == len &&
			    g_ascii_strncasecmp(with, protocols[i], len) == 0)
				return true;
	}
	return false;
}

bool shape_is_web_account(const char *received)
{
	static const char *const names[] = {
	    "nobody", "apache", "www", "www-data", "wwwrun", "httpd", "php"};
	/* Exim: "from www-data by host with local"; sendmail: "(from apache@localhost)"; Postfix:
	 * "(Postfix, from userid 33)". Distributions give web servers fixed numbers below 100;
	 * people begin at 500 or 1000, and root is somebody. */
	const char *from = strstr(received, "from userid ");
	if (from != NULL) {
		size_t digits = strspn(from + 12, "0123456789");
		return (digits == 1 || digits == 2) && from[12] != '0' && from[12 + digits] == ')';
	}
	if (strncmp(received, "from ", 5) == 0 && strstr(received, " with local") != NULL)
		from = received + 5;
	else if (strncmp(received, "(from ", 6) == 0)
		from = received + 6;
	else
		return false;
	size_t len = strcspn(from, " @");
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strlen(names[i]) == len && strncmp(from, names[i], len) == 0)
			return true;
	return false;
}

bool shape_dkim_domain(const char *signature, char *out, size_t size)
{
	size_t n = 0;
	for (const char *s = signature; *s != '\0'; s += strcspn(s, ";"), s += *s == ';') {
		while (*s == ' ')
			s++;
		if (*s != 'd')
			continue;
		const char *p = s + 1;
		while (*p == ' ')
			p++;
		if (*p != '=')
			continue;
		for (p++; *p != '\0' && *p != ';'; p++)
			if (*p > ' ' && n + 1 < size)
				out[n++] = g_ascii_tolower(*p);
		out[n] = '\0';
		return n > 0;
	}
	return false;
}

void shape_hosts(const char *body, char *out, size_t size)
{
	size_t n = 0;
	for (const char *s = body; *s != '\0'; s++) {
		size_t skip = g_ascii_strncasecmp(s, "://", 3) == 0 ? 3 : *s == '@' ? 1 : 0;
		if (skip == 0)
			continue;
		s += skip;
		size_t len =
		    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");
		if (len > 0 && n + len + 2 < size) {
			if (n > 0)
				out[n++] = ' ';
			for (size_t i = 0; i < len; i++)
				out[n++] = g_ascii_tolower(s[i]);
		}
		s += len;
		if (*s == '\0')
			break;
	}
	out[n] = '\0';
}

static bool prefix_any(const char *word, size_t len, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && strncmp(word, list[i], len) == 0)
			return true;
	return false;
}

/* "Re:", "AW :", "Re[2]:", "RE(3):", "回复：" at s: what follows it, or NULL. */
static const char *subject_prefix(const char *s, bool *reply, bool *forward)
{
	/* One row a language: as the common mail programs write them. */
	static const char *const replies[] = {"re", "aw", "antw", "antwort", "sv", "vs", "rif", "r",
	    "odp", "res", "resp", "ref", "ynt", "vá", "回复", "答复", "回覆", "返信", "re-"};
	static const char *const forwards[] = {"fw", "fwd", "wg", "tr", "i", "rv", "enc", "pd",
	    "doorst", "doorgestuurd", "vb", "vl", "ilt", "转发", "轉寄", "転送", "fs"};
	char word[24];
	size_t n = 0;
	while (*s != '\0' && strchr(" :[(^", *s) == NULL && strncmp(s, "：", 3) != 0) {
		if (n + 1 >= sizeof(word))
			return NULL;
		word[n++] = g_ascii_tolower(*s++);
	}
	if (*s == '[' || *s == '(' || *s == '^') {
		s++;
		s += strspn(s, "0123456789");
		if (*s == ']' || *s == ')')
			s++;
	}
	while (*s == ' ')
		s++;
	if (*s != ':' && strncmp(s, "：", 3) != 0)
		return NULL;
	if (prefix_any(word, n, replies, G_N_ELEMENTS(replies)))
		*reply = true;
	else if (prefix_any(word, n, forwards, G_N_ELEMENTS(forwards)))
		*forward = true;
	else
		return NULL;
	s += *s == ':' ? 1 : 3;
	while (*s == ' ')
		s++;
	return s;
}

/* "[dev] ...": what follows it, or NULL. */
static const char *subject_tag(const char *s)
{
	size_t len = strcspn(s, "]");
	if (*s != '[' || s[len] != ']' || len < 2 || len > 60)
		return NULL;
	for (s += len + 1; *s == ' '; s++)
		;
	return s;
}

static bool is_pictograph(gunichar c)
{
	return (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x2600 && c <= 0x27bf) ||
	    (c >= 0x1f1e6 && c <= 0x1f1ff) || c == 0x2b50 || c == 0x2b55 ||
	    (c >= 0x231a && c <= 0x231b) || (c >= 0x23e9 && c <= 0x23fa);
}

struct subject_shape shape_subject(const char *subject)
{
	struct subject_shape shape = {.empty = subject[0] == '\0'};
	const char *s = subject, *next;
	size_t upper = 0, lower = 0, digits = 0;
	for (int i = 0; i < 8; i++) { /* "[dev] Re: AW: ..." */
		if ((next = subject_tag(s)) != NULL)
			shape.tag = true;
		else if ((next = subject_prefix(s, &shape.reply, &shape.forward)) == NULL)
			break;
		s = next;
	}
	for (; *s != '\0'; s = g_utf8_next_char(s)) {
		gunichar c = g_utf8_get_char(s);
		bool digit = c < 0x80 ? g_ascii_isdigit(*s) : g_unichar_isdigit(c);
		digits = digit ? digits + 1 : 0;
		shape.digit = shape.digit || digit;
		shape.number = shape.number || digits >= 3;
		if (is_pictograph(c))
			shape.emoji = true;
		upper += (size_t)(c < 0x80 ? g_ascii_isupper(*s) : g_unichar_isupper(c));
		lower += (size_t)(c < 0x80 ? g_ascii_islower(*s) : g_unichar_islower(c));
	}
	shape.capitals = upper >= 10 && lower == 0;
	return shape;
}
