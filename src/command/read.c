/*
 * read.c: see read.h. Whoever says nothing that is understood in full has said no command: a
 * reader's "Hold on, I will look" must not move mail.
 */
#include <config.h>

#include "command/read.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/addr.h"
#include "base/str.h"
#include "command/form.h"
#include "command/text.h"
#include "command/words.h"
#include "conf/dates.h"
#include "conf/times.h"

enum { LINE_SHOWN = 100 }; /* bytes of a line in an error text */

/* A line of plain words, cut at blanks and commas, without quotes and punctuation around them. */
struct said {
	const char *line; /* foreign */
	char **raw;       /* own; as typed */
	char **folded;    /* own; for comparing; as many */
	size_t n;
	size_t at;               /* the first word behind the verb */
	struct text_lines below; /* foreign; the lines under it */
	const char *const *keys; /* foreign; of settings */
	int32_t today;
	struct command *command; /* foreign; what is understood */
};

/* ---- tokens ---- */

static const char token_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static enum rc take_token(const char *start, size_t len, struct command *command, struct err *err)
{
	if (len >= sizeof(command->token))
		return err_set(
		    err, RC_PERM, "the word behind 'pullyu' is too long to be of one of our links");
	memcpy(command->token, start, len);
	command->token[len] = '\0';
	return RC_OK;
}

/* The last "[pullyu TOKEN]": what stands before it are words for the eye, perhaps a sender's. */
static enum rc token_in_subject(const char *subject, struct command *command, struct err *err)
{
	static const char mark[] = "[pullyu";
	enum rc rc = RC_NOTFOUND;
	for (const char *p = strchr(subject, '['); p != NULL; p = strchr(p + 1, '[')) {
		if (g_ascii_strncasecmp(p, mark, sizeof(mark) - 1) != 0)
			continue;
		const char *start = p + sizeof(mark) - 1;
		size_t before = strspn(start, " \n");
		size_t len = strspn(start + before, token_chars);
		size_t behind = strspn(start + before + len, " \n");
		if (before > 0 && len > 0 && start[before + len + behind] == ']')
			rc = take_token(start + before, len, command, err);
	}
	return rc;
}

static enum rc token_in_text(
    const struct text_lines *lines, struct command *command, struct err *err)
{
	static const char mark[] = "pullyu ";
	for (size_t i = 0; i < lines->n; i++) {
		const char *line = lines->rows[i].text;
		bool bracket = line[0] == '[';
		line += bracket ? 1 : 0;
		if (lines->rows[i].quoted || g_ascii_strncasecmp(line, mark, sizeof(mark) - 1) != 0)
			continue;
		line += sizeof(mark) - 1;
		line += strspn(line, " ");
		size_t len = strspn(line, token_chars);
		/* "Pullyu rocks" is talk; the shortest token has 62 characters. */
		if (len >= 40 && strcmp(line + len, bracket ? "]" : "") == 0)
			return take_token(line, len, command, err);
	}
	return RC_NOTFOUND;
}

/* ---- links ---- */

/* A pause that would be right, for error texts. */
static void pause_example(int32_t today, char out[DATES_TEXT_MAX])
{
	date_format(today + 14, out);
}

static enum rc set_until(const char *text, int32_t today, struct command *command, struct err *err)
{
	int32_t day;
	char now[DATES_TEXT_MAX], example[DATES_TEXT_MAX];
	date_format(today, now);
	pause_example(today, example);
	enum rc rc = date_parse(text, &day, err);
	if (rc == RC_OK && day <= today)
		rc = err_set(err, RC_PERM,
		    "a pause until %.12s would be over, today is %s; right would be: pause until "
		    "%s",
		    text, now, example);
	if (rc == RC_OK)
		command->until = day;
	return rc;
}

/* "until" and "pass" are no settings: they become what plain words would. */
static enum rc pause_form(int32_t today, struct command *command, struct err *err)
{
	const struct command_form *until = form_find(command, "until");
	const struct command_form *pass = form_find(command, "pass");
	enum rc rc = RC_OK;
	if (until != NULL && until->value[0] != '\0')
		rc = set_until(until->value, today, command, err);
	if (rc == RC_OK && pass != NULL && pass->value[0] != '\0' &&
	    !str_bool(pass->value, &command->pass))
		rc = err_set(err, RC_PERM,
		    "pass: '%.*s' is neither yes nor no; right would be: pass = yes",
		    (int)str_cut(pass->value, 40), pass->value);
	memset(command->form, 0, sizeof(command->form));
	command->n_form = 0;
	return rc;
}

static enum rc read_by_token(const struct text_lines *lines, const char *const *keys, int32_t today,
    struct command *command, struct err *err)
{
	static const char *const pause_keys[] = {"until", "pass", NULL};
	command->verb = command_token_claims(command->token);
	if (command->verb != COMMAND_TIMES && command->verb != COMMAND_PAUSE)
		return RC_OK;
	bool pause = command->verb == COMMAND_PAUSE;
	enum rc rc = form_read(lines, pause ? pause_keys : keys, command, err);
	return rc == RC_OK && pause ? pause_form(today, command, err) : rc;
}

/* ---- plain words ---- */

/* Takes what may stand around a word off it, in place. */
static char *strip_word(char *word)
{
	word += strspn(word, "\"'(<");
	size_t len = strlen(word);
	while (len > 0 && strchr("\"')>.!?;:", word[len - 1]) != NULL)
		word[--len] = '\0';
	return word;
}

static void said_init(struct said *said, const char *line, int32_t today, struct command *command)
{
	char **words = g_strsplit_set(line, " ,", -1);
	size_t n = g_strv_length(words);
	said->line = line;
	said->today = today;
	said->command = command;
	said->raw = g_new0(char *, n + 1);
	said->folded = g_new0(char *, n + 2);
	for (size_t i = 0; i < n; i++) {
		const char *word = strip_word(words[i]);
		if (word[0] == '\0')
			continue;
		said->raw[said->n] = g_strdup(word);
		said->folded[said->n++] = text_fold(word);
	}
	g_strfreev(words);
}

static void said_clear(struct said *said)
{
	g_strfreev(said->raw);
	g_strfreev(said->folded);
}

/* Whether the word at that place has the meaning; then *at is behind it. */
static bool skip_word(const struct said *said, size_t *at, unsigned meaning)
{
	unsigned meanings;
	size_t n = words_find(said->folded + *at, &meanings);
	if ((meanings & meaning) == 0)
		return false;
	*at += n;
	return true;
}

/* What is not understood is wrong where it looks like an attempt, else it is talk. */
static enum rc not_understood(const struct said *said, struct err *err, const char *example)
{
	bool attempt = said->at == said->n;
	for (size_t i = said->at; i < said->n; i++)
		attempt |= strpbrk(said->folded[i], "0123456789@") != NULL ||
		    g_str_has_prefix(said->folded[i], "list:");
	/* "allow shop.example" */
	attempt |= said->n - said->at == 1 && strchr(said->folded[said->at], '.') != NULL;
	return err_set(err, attempt ? RC_PERM : RC_NOTFOUND,
	    "'%.*s' is not understood; right would be: %s", (int)str_cut(said->line, LINE_SHOWN),
	    said->line, example);
}

static bool parse_number(const char *text, size_t len, unsigned *number_out)
{
	char *digits = g_strndup(text, len);
	int64_t number;
	bool good = str_number(digits, 1, COMMAND_NUMBER_LARGEST, &number);
	if (good)
		*number_out = (unsigned)number;
	g_free(digits);
	return good;
}

/* "3", "#3" or "3-5". */
static bool parse_range(const char *word, unsigned *first_out, unsigned *last_out)
{
	word += word[0] == '#' ? 1 : 0;
	size_t len = strcspn(word, "-");
	if (!parse_number(word, len, first_out))
		return false;
	*last_out = *first_out;
	return word[len] == '\0' ||
	    (parse_number(word + len + 1, strlen(word + len + 1), last_out) &&
		*first_out <= *last_out);
}

static bool add_number(struct command *command, unsigned number)
{
	for (size_t i = 0; i < command->n_numbers; i++)
		if (command->numbers[i] == number)
			return true;
	if (command->n_numbers == COMMAND_NUMBERS_MAX)
		return false;
	command->numbers[command->n_numbers++] = number;
	return true;
}

/* Reads numbers from there up to the end of the line. RC_NOTFOUND: something else is there. */
static enum rc read_numbers(const struct said *said, struct err *err)
{
	for (size_t at = said->at; at < said->n;) {
		unsigned first, last;
		if (said->command->n_numbers > 0 && skip_word(said, &at, WORD_AND))
			continue;
		if (!parse_range(said->folded[at], &first, &last))
			return RC_NOTFOUND;
		for (; first <= last; first++)
			if (!add_number(said->command, first))
				return err_set(err, RC_PERM,
				    "more than %d numbers; right would be: release 3 5, or: "
				    "release all",
				    COMMAND_NUMBERS_MAX);
		at++;
	}
	return said->command->n_numbers > 0 ? RC_OK : RC_NOTFOUND;
}

static enum rc read_send(const struct said *said, struct err *err)
{
	size_t at = said->at;
	if (skip_word(said, &at, WORD_ALL) && at == said->n) {
		said->command->verb = COMMAND_ALL;
		return RC_OK;
	}
	enum rc rc = read_numbers(said, err);
	return rc == RC_NOTFOUND ? not_understood(said, err, "release 3 5, or: release all") : rc;
}

/* ADDRESS, @DOMAIN, @.DOMAIN or list:ID, as policy/list.h will read it again. */
static bool is_entry(const char *entry)
{
	char address[ADDR_MAX];
	const char *at = strchr(entry, '@');
	for (const char *p = entry; *p != '\0'; p++)
		if (g_ascii_iscntrl(*p))
			return false;
	if (g_str_has_prefix(entry, "list:"))
		return entry[5] != '\0' && strpbrk(entry, "<>") == NULL;
	if (at == entry)
		return addr_domain_normalise(entry + (entry[1] == '.' ? 2 : 1), address,
			   sizeof(address), NULL) == RC_OK;
	return at != NULL && addr_normalise(entry, NULL, address, NULL) == RC_OK;
}

static enum rc read_entry(const struct said *said, struct err *err)
{
	static const char example[] = "allow 2, allow news@shop.example, allow @shop.example, or: "
				      "allow list:news.shop.example";
	struct command *command = said->command;
	enum rc rc = read_numbers(said, err);
	if (rc != RC_NOTFOUND)
		return rc;
	command->n_numbers = 0;
	const char *word = said->raw[said->at];
	size_t n = said->n - said->at;
	if (n != 1 && !(n == 2 && text_is_link_to(said->raw[said->at + 1], word)))
		return not_understood(said, err, example);
	if (g_ascii_strncasecmp(word, "mailto:", 7) == 0)
		word += 7;
	bool list = g_ascii_strncasecmp(word, "list:", 5) == 0;
	word += list ? 5 : 0;
	word += strspn(word, "<");
	size_t len = strcspn(word, "<");
	len = word[len] == '<' && text_is_link_to(word + len, word) ? len : strlen(word);
	char *entry = g_strdup_printf("%s%.*s", list ? "list:" : "", (int)len, word);
	rc = is_entry(entry) && str_copy(command->entry, sizeof(command->entry), entry)
	    ? RC_OK
	    : not_understood(said, err, example);
	g_free(entry);
	return rc;
}

static enum rc pause_not_understood(const struct said *said, struct err *err)
{
	char day[DATES_TEXT_MAX], example[120];
	pause_example(said->today, day);
	snprintf(example, sizeof(example), "pause until %s, or: pause until %s, deliver everything",
	    day, day);
	return not_understood(said, err, example);
}

static enum rc read_pause(const struct said *said, struct err *err)
{
	size_t at = said->at;
	int32_t day;
	skip_word(said, &at, WORD_UNTIL);
	if (at == said->n || date_parse(said->raw[at], &day, err) != RC_OK)
		return pause_not_understood(said, err);
	const char *date = said->raw[at++];
	skip_word(said, &at, WORD_ALL);
	bool pass = skip_word(said, &at, WORD_PASS);
	if (!pass)
		skip_word(said, &at, WORD_HOLD);
	skip_word(said, &at, WORD_ALL);
	if (at != said->n)
		return pause_not_understood(said, err);
	said->command->pass = pass;
	return set_until(date, said->today, said->command, err);
}

/* The rest of the line behind so many words. */
static const char *behind(const char *line, size_t words)
{
	line += strspn(line, " ,");
	for (; words > 0; words--) {
		line += strcspn(line, " ,");
		line += strspn(line, " ,");
	}
	return line + strspn(line, "=: ");
}

/* Times as conf/times.h wants them: weekdays in English, "and" dropped; g_free. */
static char *times_in_english(const char *text)
{
	GString *out = g_string_new(NULL);
	while (*text != '\0') {
		size_t len = strcspn(text, " ,-");
		char *word = g_strndup(text, len), *folded = text_fold(word);
		const char *weekday = words_weekday(folded);
		unsigned meanings;
		words_find((char *[]){folded, NULL}, &meanings);
		if ((meanings & WORD_NONE) != 0)
			weekday = "none";
		if ((meanings & WORD_AND) == 0)
			g_string_append(out, weekday == NULL ? word : weekday);
		text += len;
		if (*text != '\0')
			g_string_append_c(out, *text++);
		g_free(word);
		g_free(folded);
	}
	while (out->len > 0 && strchr(" .!;", out->str[out->len - 1]) != NULL)
		g_string_truncate(out, out->len - 1);
	return g_string_free(out, FALSE);
}

static enum rc read_times(const struct said *said, struct err *err)
{
	struct times times;
	struct err why;
	struct command *command = said->command;
	/* What is quoted there is the digest's, which shows the times as they are. */
	if (said->at == said->n)
		return form_read_unquoted(&said->below, said->keys, command, err);
	char *text = times_in_english(behind(said->line, said->at));
	enum rc rc = times_parse(text, &times, &why);
	if (rc == RC_OK)
		rc = form_set(&command->form[0], "times", text, err);
	else if (strpbrk(text, "0123456789") != NULL)
		rc = err_set(
		    err, RC_PERM, "%s; right would be: times Mon-Fri 08:00 17:30", why.text);
	else
		rc = not_understood(said, err, "times Mon-Fri 08:00 17:30");
	command->n_form = rc == RC_OK ? 1 : 0;
	g_free(text);
	return rc;
}

static enum rc read_alone(const struct said *said, struct err *err)
{
	return said->at == said->n ? RC_OK
				   : not_understood(said, err, "that word alone, as in: resume");
}

static const struct verb_row {
	unsigned meaning;
	enum command_verb verb;
	enum rc (*read)(const struct said *said, struct err *err);
} verbs[] = {
    {WORD_SEND, COMMAND_SEND, read_send},
    {WORD_ALLOW, COMMAND_ALLOW, read_entry},
    {WORD_HOLD, COMMAND_HOLD, read_entry},
    {WORD_FORGET, COMMAND_FORGET, read_entry},
    {WORD_PAUSE, COMMAND_PAUSE, read_pause},
    {WORD_RESUME, COMMAND_RESUME, read_alone},
    {WORD_TIMES, COMMAND_TIMES, read_times},
    {WORD_LISTS, COMMAND_LISTS, read_alone},
    {WORD_HELP, COMMAND_HELP, read_alone},
};

static enum rc read_words(const struct text_lines *lines, const struct text_line *line,
    const char *const *keys, int32_t today, struct command *command, struct err *err)
{
	size_t below = (size_t)(line - lines->rows) + 1;
	struct said said = {
	    .below = {.n = lines->n - below, .rows = lines->rows + below},
	    .keys = keys,
	};
	unsigned meanings;
	enum rc rc = RC_NOTFOUND;
	memset(command, 0, sizeof(*command));
	said_init(&said, line->text, today, command);
	said.at = words_find(said.folded, &meanings);
	/* The last word only, and never the verb. */
	if (said.n > said.at) {
		size_t last = said.n - 1;
		if (skip_word(&said, &last, WORD_PLEASE))
			g_clear_pointer(&said.folded[--said.n], g_free);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if ((meanings & verbs[i].meaning) == 0)
			continue;
		command->verb = verbs[i].verb;
		rc = verbs[i].read(&said, err);
		break;
	}
	said_clear(&said);
	return rc;
}

static enum rc read_plain(const struct text_lines *lines, const char *const *keys, int32_t today,
    struct command *command, struct err *err)
{
	size_t at = 0;
	bool doubtful;
	const struct text_line *line;
	while ((line = text_next(lines, &at, &doubtful)) != NULL) {
		enum rc rc = read_words(lines, line, keys, today, command, err);
		if (rc == RC_OK || !doubtful)
			return rc;
	}
	return RC_NOTFOUND;
}

enum rc command_read(const char *subject, const char *text, const char *const *keys, int32_t today,
    struct command *command_out, struct err *err)
{
	struct command *command = g_new0(struct command, 1);
	struct text_lines lines;
	char *plain_subject = text_plain(subject), *plain = text_plain(text);
	text_lines_split(plain, &lines);
	enum rc rc = token_in_subject(plain_subject, command, err);
	if (rc == RC_NOTFOUND)
		rc = token_in_text(&lines, command, err);
	if (rc == RC_OK) {
		rc = read_by_token(&lines, keys, today, command, err);
	} else if (rc == RC_NOTFOUND) {
		rc = read_plain(&lines, keys, today, command, err);
		if (rc == RC_NOTFOUND)
			err_set(err, rc, "no command is said");
	}
	if (rc == RC_OK)
		*command_out = *command;
	text_lines_clear(&lines);
	g_free(plain_subject);
	g_free(plain);
	g_free(command);
	return rc;
}
