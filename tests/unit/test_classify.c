/*
 * test_classify.c: phrases, rules with and without mistakes, and the decision.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>

#include <glib.h>

#include "classify/classify.h"
#include "classify/fold.h"
#include "classify/phrases.h"

static void test_fold(void **state)
{
	static const struct {
		const char *label, *in, *want;
	} rows[] = {
	    {"case", "Your CODE", "your code"},
	    {"blanks", "  a \t  b  ", "a b"},
	    {"accents",
		"C\xc3\xb3"
		"digo \xc3\x89t\xc3\xa9",
		"codigo ete"},
	    {"apostrophe", "Don\xe2\x80\x99t", "don't"},
	    {"no-break space",
		"a\xc2\xa0"
		"b",
		"a b"},
	    {"full width", "\xef\xbc\xa3\xef\xbc\xaf\xef\xbc\xa4\xef\xbc\xa5", "code"},
	    {"zero width",
		"c\xe2\x80\x8bo\xc2\xad"
		"de",
		"code"},
	    {"sharp s",
		"Stra\xc3\x9f"
		"e",
		"strasse"},
	    {"kana keep their marks", "\xe3\x81\x8c", "\xe3\x81\x8b\xe3\x82\x99"},
	    {"strokes", "Has\xc5\x82o \xc3\x98l \xc5\x93uvre", "haslo ol oeuvre"},
	    {"empty", "", ""},
	    {"only dropped", "\xe2\x80\x8b", ""},
	};
	int failed = 0;
	char out[FOLD_MAX + 1];
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		size_t len = fold(rows[i].in, out);
		failed += unit_str(rows[i].label, out, rows[i].want);
		failed += unit_num(rows[i].label, (long long)len, (long long)strlen(rows[i].want));
	}
	/* Bounds: long text, and a character across the bound, and one that grows 18 times. */
	GString *longer = g_string_new(NULL);
	for (int i = 0; i < FOLD_MAX; i++)
		g_string_append(longer, i % 2 ? "\xc3\xa9" : "x");
	assert_true(fold(longer->str, out) <= FOLD_MAX);
	assert_true(g_utf8_validate(out, -1, NULL));
	g_string_assign(longer, "");
	for (int i = 0; i < FOLD_MAX; i++)
		g_string_append(longer, "\xef\xb7\xba");
	assert_true(fold(longer->str, out) <= FOLD_MAX);
	assert_true(g_utf8_validate(out, -1, NULL));
	g_string_free(longer, TRUE);
	assert_int_equal(failed, 0);
}

static void phrase_found(void *ctx, size_t id, size_t at, size_t len)
{
	(void)at;
	(void)len;
	*(unsigned *)ctx |= 1U << id;
}

static void test_phrases(void **state)
{
	static const struct {
		const char *phrase;
		enum phrase_kind kind;
	} all[] = {
	    {"your code", PHRASE_WORDS},                /* 1 */
	    {"code", PHRASE_WORDS},                     /* 2 */
	    {"bestell*", PHRASE_WORDS},                 /* 4 */
	    {"*news*", PHRASE_WORDS},                   /* 8 */
	    {"\xe8\xaa\x8d\xe8\xa8\xbc", PHRASE_WORDS}, /* 16: two kanji */
	    {"noreply", PHRASE_WHOLE},                  /* 32 */
	    {"mail.example.org", PHRASE_DOMAIN},        /* 64 */
	    {"% off", PHRASE_WORDS},                    /* 128 */
	    {"he", PHRASE_WORDS},                       /* 256 */
	    {"she", PHRASE_WORDS},                      /* 512 */
	    {"hers", PHRASE_WORDS},                     /* 1024 */
	};
	static const struct {
		const char *text;
		unsigned want;
	} rows[] = {
	    {"Here is YOUR Code.", 3},
	    {"your codes", 0},
	    {"barcode", 0},
	    {"code", 2},
	    {"Bestellung", 4},
	    {"Vorbestellung", 0},
	    {"goodnewspaper", 8},
	    {"xx\xe8\xaa\x8d\xe8\xa8\xbcyy", 16},
	    {"code\xe8\xaa\x8d\xe8\xa8\xbc", 2 + 16},
	    {"noreply", 32},
	    {"noreply2", 0},
	    {"a noreply", 0},
	    {"mail.example.org", 64},
	    {"a@x.mail.example.org", 64},
	    {"a@mail.example.org", 64},
	    {"badmail.example.org", 0},
	    {"mail.example.org.evil.example", 0},
	    {"x mail.example.org y", 64},
	    {"20% off all", 128},
	    {"she", 512},
	    {"he said hers", 256 + 1024},
	    {"ushers", 0},
	    {"", 0},
	};
	int failed = 0;
	struct phrases *phrases = phrases_new();
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		assert_true(phrases_add(phrases, all[i].phrase, all[i].kind, i));
	assert_false(phrases_add(phrases, "*", PHRASE_WORDS, 1));
	assert_false(phrases_add(phrases, "**", PHRASE_WORDS, 1));
	assert_false(phrases_add(phrases, "\xe2\x80\x8b", PHRASE_WORDS, 1));
	char *longer = g_strnfill(PHRASE_BYTES_MAX + 1, 'x');
	assert_false(phrases_add(phrases, longer, PHRASE_WORDS, 1));
	g_free(longer);
	phrases_compile(phrases);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char text[FOLD_MAX + 1];
		unsigned got = 0;
		size_t len = fold(rows[i].text, text);
		phrases_scan(phrases, text, len, phrase_found, &got);
		failed += unit_num(rows[i].text, got, rows[i].want);
	}
	phrases_free(&phrases);
	assert_null(phrases);
	assert_int_equal(failed, 0);
}

/* Phrases and texts at random from few letters, against the plainest search there is. */
static bool naive_is_word(char c)
{
	return g_ascii_isalnum(c);
}

static bool naive_find(const char *phrase, enum phrase_kind kind, const char *text)
{
	size_t n = strlen(phrase), len = strlen(text);
	bool left = phrase[0] == '*', right = phrase[n - 1] == '*';
	char core[32];
	if (kind == PHRASE_WHOLE)
		return strcmp(phrase, text) == 0;
	if (kind == PHRASE_DOMAIN)
		left = right = false;
	snprintf(core, sizeof(core), "%.*s", (int)(n - left - right), phrase + left);
	n = strlen(core);
	for (size_t at = 0; at + n <= len; at++) {
		if (strncmp(text + at, core, n) != 0)
			continue;
		char before = at == 0 ? '\0' : text[at - 1], after = text[at + n];
		if (kind == PHRASE_DOMAIN) {
			if ((at == 0 || strchr(".@ ", before)) && (after == '\0' || after == ' '))
				return true;
			continue;
		}
		if ((left || !naive_is_word(core[0]) || !naive_is_word(before)) &&
		    (right || !naive_is_word(core[n - 1]) || !naive_is_word(after)))
			return true;
	}
	return false;
}

static void random_text(GRand *rand, char *out, int len, const char *letters)
{
	for (int i = 0; i < len; i++)
		out[i] = letters[g_rand_int_range(rand, 0, (gint32)strlen(letters))];
	out[len] = '\0';
}

static void test_phrases_at_random(void **state)
{
	GRand *rand = g_rand_new_with_seed(4711);
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct phrases *phrases = phrases_new();
		char list[20][32], text[64], folded[FOLD_MAX + 1];
		enum phrase_kind kinds[20];
		for (size_t i = 0; i < 20; i++) {
			kinds[i] = (enum phrase_kind)g_rand_int_range(rand, 0, 3);
			do {
				random_text(rand, list[i], g_rand_int_range(rand, 1, 6),
				    kinds[i] == PHRASE_WORDS ? "ab.*" : "ab.");
			} while (strchr(list[i], '*') != NULL &&
			    (strchr(list[i] + 1, '*') != NULL || list[i][1] == '\0'));
			assert_true(phrases_add(phrases, list[i], kinds[i], i));
		}
		phrases_compile(phrases);
		for (int k = 0; k < 50; k++) {
			unsigned got = 0, want = 0;
			random_text(rand, text, g_rand_int_range(rand, 0, 30), "ab.@- ");
			size_t len = fold(text, folded);
			phrases_scan(phrases, folded, len, phrase_found, &got);
			for (size_t i = 0; i < 20; i++)
				want |= (unsigned)naive_find(list[i], kinds[i], folded) << i;
			if (got != want)
				print_message("round %d, \"%s\": got %x, want %x\n", round, folded,
				    got, want);
			assert_int_equal(got, want);
		}
		phrases_free(&phrases);
	}
	g_rand_free(rand);
}

/* ---- rules from text: "[section]" and "key = value" lines, one string a file ---- */

struct source {
	GArray *entries; /* struct ini_entry */
	GPtrArray *own;
};

static struct source source_of(const char *const *files)
{
	struct source s = {g_array_new(FALSE, FALSE, sizeof(struct ini_entry)),
	    g_ptr_array_new_with_free_func(g_free)};
	static const char *const names[] = {"a.ini", "b.ini"};
	for (size_t f = 0; files[f] != NULL; f++) {
		char **lines = g_strsplit(files[f], "\n", -1);
		const char *section = "";
		for (int i = 0; lines[i] != NULL; i++) {
			char *line = g_strdup(lines[i]), *equals = strstr(line, " = ");
			g_ptr_array_add(s.own, line);
			if (line[0] == '[') {
				line[strlen(line) - 1] = '\0';
				section = line + 1;
			} else if (equals != NULL) {
				*equals = '\0';
				struct ini_entry e = {names[f], section, line, equals + 3, i + 1};
				g_array_append_val(s.entries, e);
			}
		}
		g_strfreev(lines);
	}
	return s;
}

static void source_free(struct source *s)
{
	g_array_free(s->entries, TRUE);
	g_ptr_array_free(s->own, TRUE);
}

static void problem_keep(void *ctx, const char *file, int line, const char *text)
{
	g_string_append_printf(ctx, "%s:%d: %s\n", file, line, text);
}

static struct rules *rules_of(const char *const *files, GString *problems)
{
	struct source s = source_of(files);
	struct rules *rules = NULL;
	struct err err = {""};
	enum rc rc = rules_build((struct ini_entry *)(void *)s.entries->data, s.entries->len,
	    problem_keep, problems, &rules, &err);
	assert_int_equal(rc, problems->len > 0 ? RC_PERM : RC_OK);
	assert_true((rules != NULL) == (rc == RC_OK));
	if (rc != RC_OK) /* the first problem */
		assert_true(g_str_has_prefix(problems->str, err.text));
	source_free(&s);
	return rules;
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} rows[] = {
	    {"unknown key", "[r]\nfield = subject\ncolour = red",
		"a.ini:3: [r] colour: no such key\n"},
	    {"tag on a key that takes none", "[r]\nfact = reply\nwhy.nl = x",
		"a.ini:3: [r] why.nl: no such key\n"},
	    {"unknown class", "[r]\nfact = reply\nclass = spam\nweight = 1",
		"a.ini:3: [r] class: no such class: spam\n"},
	    {"no number", "[r]\nfact = reply\nclass = bounce\nweight = heavy",
		"a.ini:4: [r] weight: want a number such as 2.5, not: heavy\n"},
	    {"hexadecimal", "[r]\nfact = reply\nclass = bounce\nweight = 0x10",
		"a.ini:4: [r] weight: want a number such as 2.5, not: 0x10\n"},
	    {"huge", "[r]\nfact = reply\nclass = bounce\nweight = 10000",
		"a.ini:4: [r] weight: want a number such as 2.5, not: 10000\n"},
	    {"unknown fact", "[r]\nfact = reply, lucky",
		"a.ini:2: [r] fact: no such fact: lucky\n"},
	    {"unknown rule", "[r]\nfact = @other", "a.ini:2: [r] fact: no such rule: other\n"},
	    {"empty fact", "[r]\nfact = reply,,sender",
		"a.ini:2: [r] fact: nothing stands at place 2 between \",\"\n"},
	    {"negated any", "[r]\nany = reply, !sender",
		"a.ini:2: [r] any: \"any\" takes nothing negated: !sender\n"},
	    {"bad expression", "[r]\nfield = subject\nmatch = (a",
		"a.ini:3: [r] match: bad regular expression at character 3: missing closing "
		"parenthesis\n"},
	    {"match without field", "[r]\nfact = reply\nmatch = a",
		"a.ini:2: [r] fact: the rule says what to match but not in which field\n"},
	    {"near without match", "[r]\nfield = subject\nnear = code",
		"a.ini:2: [r] field: \"near\" says where to try \"match\", and there is none\n"},
	    {"no condition", "[r]\nclass = bounce\nweight = 1",
		"a.ini:2: [r] class: the rule has no \"field\", \"fact\" or \"any\" (is its name "
		"that of a rule of another file?)\n"},
	    {"class without weight", "[r]\nfact = reply\nclass = bounce",
		"a.ini:2: [r] fact: \"class\" and \"weight\" come together\n"},
	    {"bad switch", "[r]\nfact = reply\nenabled = perhaps",
		"a.ini:3: [r] enabled: want yes or no, not: perhaps\n"},
	    {"bad field", "[r]\nfield = sub ject", "a.ini:2: [r] field: no field name: sub ject\n"},
	    {"bad part", "[r]\nfield = subject:first",
		"a.ini:2: [r] field: no such part of a field: subject:first\n"},
	    {"empty phrase", "[r]\nfield = subject\nwords = a | | b",
		"a.ini:3: [r] words: nothing stands at place 2 between \"|\"\n"},
	    {"phrase of nothing", "[r]\nfield = subject\nwords = *",
		"a.ini:3: [r] words: no usable phrase (empty, or over 300 bytes): *\n"},
	    {"bad veto", "[r]\nfact = reply\nveto = newsletter, spam",
		"a.ini:3: [r] veto: no such class: spam\n"},
	    {"bad rule name", "[r r]\nfact = reply",
		"a.ini:2: [r r] fact: a rule's name has letters, digits, \"-\" and \"_\" alone, at "
		"most 64\n"},
	    {"unknown class section", "[class.spam]\norder = 1",
		"a.ini:2: [class.spam] order: no such class: spam\n"},
	    {"unknown class key", "[class.bounce]\ncolour = red",
		"a.ini:2: [class.bounce] colour: no such key\n"},
	    {"bad threshold", "[class.bounce]\nthreshold = 0",
		"a.ini:2: [class.bounce] threshold: want a number above 0, not: 0\n"},
	    {"bad order", "[class.bounce]\norder = first",
		"a.ini:2: [class.bounce] order: want a number from 1 to 100, not: first\n"},
	    {"all are reported", "[r]\nfact = a\n[s]\nfact = b",
		"a.ini:2: [r] fact: no such fact: a\na.ini:4: [s] fact: no such fact: b\n"},
	    {"loop", "[r]\nfact = @s\n[s]\nfact = @t\n[t]\nany = @r",
		"a.ini:6: [t] any: the rule leads back to itself by \"fact = @...\"\n"},
	    {"loop to itself", "[r]\nfact = @r",
		"a.ini:2: [r] fact: the rule leads back to itself by \"fact = @...\"\n"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *files[] = {rows[i].text, NULL};
		GString *problems = g_string_new(NULL);
		struct rules *rules = rules_of(files, problems);
		failed += unit_str(rows[i].label, problems->str, rows[i].want);
		rules_unref(&rules);
		g_string_free(problems, TRUE);
	}
	/* Without somebody to tell, the error text still says the first. */
	struct ini_entry e = {"f.ini", "r", "colour", "red", 7};
	struct err err;
	struct rules *rules = NULL;
	assert_int_equal(rules_build(&e, 1, NULL, NULL, &rules, &err), RC_PERM);
	failed += unit_str("error text", err.text, "f.ini:7: [r] colour: no such key");
	assert_int_equal(failed, 0);
}

static void test_too_many(void **state)
{
	GString *text = g_string_new(NULL), *problems = g_string_new(NULL);
	(void)state;
	for (int i = 0; i < 4200; i++)
		g_string_append_printf(text, "[r%d]\nfact = reply\n", i);
	const char *files[] = {text->str, NULL};
	assert_null(rules_of(files, problems));
	assert_non_null(strstr(problems->str, "more than 4096 rules"));
	g_string_assign(problems, "");
	g_string_assign(text, "[r]\nfact = reply");
	for (int i = 0; i < 80; i++)
		g_string_append(text, ", reply");
	files[0] = text->str;
	assert_null(rules_of(files, problems));
	assert_non_null(strstr(problems->str, "[r] fact: more than 64 facts"));
	g_string_free(text, TRUE);
	g_string_free(problems, TRUE);
}

/* ---- verdicts ---- */

static struct facts *facts_of(const char *header)
{
	struct facts *facts = facts_new();
	char **lines = g_strsplit(header, "\n", -1);
	for (size_t i = 0; lines[i] != NULL; i++) {
		char *colon = strchr(lines[i], ':');
		if (colon != NULL) {
			*colon = '\0';
			facts_header(facts, lines[i], colon + 1);
		}
	}
	g_strfreev(lines);
	facts_end(facts);
	return facts;
}

/* The header field's body of the verdict, as logs have it. */
static void verdict_of(
    const struct rules *rules, const char *header, struct verdict *v, char out[VERDICT_TEXT_MAX])
{
	struct facts *facts = facts_of(header);
	assert_int_equal(classify(rules, facts, v, NULL), RC_OK);
	verdict_format(v, out);
	facts_free(&facts);
}

static void test_decision(void **state)
{
	/* clang-format off */
	static const char *const files[] = {
	    "[class.newsletter]\nthreshold = 5\nminimum = 2\n"
	    "[class.transactional]\nthreshold = 4\nyields = newsletter\n"
	    "[offer]\nclass = newsletter\nweight = 3\ngroup = words\nfield = subject\nwords = sale | bargain\n"
	    "[shout]\nclass = newsletter\nweight = 4\ngroup = words\nfield = subject\nmatch = !!!\n"
	    "[bulk]\nclass = newsletter\nweight = 3\nfact = precedence-bulk\nwhy = it says so\n"
	    "[unsub]\nclass = newsletter\nweight = 6\nfield = list-unsubscribe\n"
	    "[order]\nclass = transactional\nweight = 5\nfield = subject\nwords.en = your order\nwords.nl = je bestelling\n"
	    "[list]\nclass = discussion\nweight = 5\nfact = list-id, !precedence-bulk\n"
	    "[human]\nfield = user-agent, x-mailer\nwords = mutt*\n"
	    "[human-veto]\nfact = @human, !@machine\nveto = newsletter\nwhy = a person wrote it\n"
	    "[machine]\nany = auto-generated, auto-replied\n"
	    "[code]\nclass = security\nweight = 5\nonce = yes\nfield = subject\nmatch = ^\\d{6}\\b\nmatch.2 = code: \\d+\n"
	    "[alarm]\nclass = security\nweight = 5\nfield = subject\nwords = alarm\n"
	    "[off]\nclass = bounce\nweight = 50\nfield = subject\nenabled = no\n"
	    "[domain]\nclass = notification\nweight = 5\nfield = from:domain\nwithin = forge.example | social.example\n"
	    "[whole]\nclass = notification\nweight = 7\nfield = from:local\nis = noreply\n"
	    "[near]\nclass = bounce\nweight = 5\nfield = subject, comments\nnear = failed | bounced\nmatch = \\bto \\S+@\\S+\nmatch.2 = ^x$\n"
	    "[against]\nclass = notification\nweight = -4\nfact = reply\n", NULL};
	static const struct {
		const char *label, *header, *want;
	} rows[] = {
	    {"nothing", "Subject: hello", "personal; score=0.0; reasons="},
	    {"one mark is not enough", "List-Unsubscribe: <x>", "personal; score=0.0; reasons=unsub"},
	    {"two marks", "List-Unsubscribe: <x>\nPrecedence: bulk",
		"newsletter; score=9.0; reasons=unsub,bulk"},
	    {"one group is one mark", "Subject: SALE!!!",
		"personal; score=0.0; reasons=shout"},
	    {"the heaviest of a group counts", "Subject: SALE!!!\nPrecedence: bulk",
		"newsletter; score=7.0; reasons=shout,bulk"},
	    {"a word within a word", "Subject: wholesale!!!x\nPrecedence: bulk",
		"newsletter; score=7.0; reasons=shout,bulk"},
	    {"below the threshold", "Subject: your bargain\nList-Id: <a.b>", "discussion; score=5.0; reasons=list,offer"},
	    {"order", "Subject: Your Order", "transactional; score=5.0; reasons=order"},
	    {"order in another language", "Subject: Je  bestelling", "transactional; score=5.0; reasons=order"},
	    {"yields to a stronger one", "Subject: your order!!!\nPrecedence: bulk",
		"newsletter; score=7.0; reasons=shout,bulk,order"},
	    {"does not yield to a weaker one", "Subject: your order on sale\nPrecedence: bulk",
		"transactional; score=5.0; reasons=order,offer,bulk"},
	    {"veto", "User-Agent: Mutt/2\nSubject: sale\nPrecedence: bulk",
		"personal; score=0.0; reasons=human-veto,offer,bulk"},
	    {"veto through the other field", "X-Mailer: mutt\nSubject: sale\nPrecedence: bulk",
		"personal; score=0.0; reasons=human-veto,offer,bulk"},
	    {"no veto by a machine", "User-Agent: Mutt/2\nSubject: sale\nPrecedence: bulk\nAuto-Submitted: auto-generated",
		"newsletter; score=6.0; reasons=offer,bulk"},
	    {"negated fact", "List-Id: <a.b>\nPrecedence: bulk", "personal; score=0.0; reasons=bulk"},
	    {"expression", "Subject: 123456 it is", "security; score=5.0; reasons=code"},
	    {"second expression", "Subject: code: 1", "security; score=5.0; reasons=code"},
	    {"near", "Subject: delivery to a@b failed", "bounce; score=5.0; reasons=near"},
	    {"near, but nothing matches", "Subject: delivery failed", "personal; score=0.0; reasons="},
	    {"matches, but not near", "Subject: delivery to a@b", "personal; score=0.0; reasons="},
	    {"near in another field", "Subject: to a@b\nComments: failed", "personal; score=0.0; reasons="},
	    {"near in the second field", "Comments: x\nComments: failed to a@b", "bounce; score=5.0; reasons=near"},
	    {"domain", "From: a@mail.forge.example", "notification; score=5.0; reasons=domain"},
	    {"no such domain", "From: a@badforge.example", "personal; score=0.0; reasons="},
	    {"whole and against", "From: noreply@x.example\nIn-Reply-To: <a@b>",
		"personal; score=0.0; reasons=whole,against"},
	    {"domain, whole and against", "From: noreply@social.example\nIn-Reply-To: <a@b>",
		"notification; score=8.0; reasons=whole,domain,against"},
	    {"security goes first", "Subject: 123456 your order\nList-Id: <a.b>",
		"security; score=5.0; reasons=code,order,list"},
	    {"a second subject does not count", "Subject: hello\nSubject: 123456 it is",
		"personal; score=0.0; reasons="},
	    {"second field of a name", "X-Mailer: x\nX-Mailer: mutt\nSubject: sale\nPrecedence: bulk",
		"personal; score=0.0; reasons=human-veto,offer,bulk"},
	};
	/* clang-format on */
	static const struct {
		const char *label, *header;
		int want; /* tenths */
	} margins[] = {
	    {"above its threshold", "List-Unsubscribe: <x>\nPrecedence: bulk", 40},
	    {"above it, and another is ruled out",
		"User-Agent: Mutt/2\nSubject: your order!!!\nPrecedence: bulk", 10},
	    {"to one that yields to it", "Subject: your order!!!\nPrecedence: bulk", 10},
	    {"to one that it yields to", "Subject: your order on sale\nPrecedence: bulk", 0},
	    {"to one that is asked before",
		"From: noreply@x.example\nIn-Reply-To: <a@b>\nPrecedence: bulk\nList-Unsubscribe: "
		"<x>",
		20},
	    {"at its threshold", "Subject: 123456 it is", 0},
	    {"the rest: to the nearest threshold", "Subject: hello", 40},
	    {"the rest, and one lacks evidence only", "List-Unsubscribe: <x>", 0},
	};
	int failed = 0;
	GString *problems = g_string_new(NULL);
	struct rules *rules = rules_of(files, problems);
	struct verdict v;
	char text[VERDICT_TEXT_MAX];
	(void)state;
	assert_non_null(rules);
	assert_int_equal(rules_count(rules), 15);
	failed += unit_str("why", rules_why(rules, "bulk"), "it says so");
	failed += unit_str("no why", rules_why(rules, "offer"), "");
	assert_null(rules_why(rules, "none"));
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		verdict_of(rules, rows[i].header, &v, text);
		failed += unit_str(rows[i].label, text, rows[i].want);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(margins); i++) {
		verdict_of(rules, margins[i].header, &v, text);
		failed += unit_num(margins[i].label, (long long)(v.margin * 10), margins[i].want);
	}
	verdict_of(rules, "Subject: 123456 your order", &v, text);
	failed += unit_num("once", v.once, 1);
	failed += unit_num("once, otherwise", v.otherwise, CLASS_TRANSACTIONAL);
	verdict_of(rules, "Subject: 123456 alarm", &v, text);
	failed += unit_num("security without it, too", v.once, 0);
	failed += unit_num("security without it, too", v.cls, CLASS_SECURITY);
	verdict_of(rules, "Subject: 123456", &v, text);
	failed += unit_num("once, otherwise nothing", v.otherwise, CLASS_PERSONAL);
	verdict_of(rules, "Subject: 123456 your order", &v, text);
	failed += unit_num("runner-up", v.runner_up, CLASS_TRANSACTIONAL);
	failed += unit_str("seen", v.reasons[0].seen, "subject: 123456 your order");
	verdict_of(rules, "User-Agent: Mutt/2\nSubject: sale\nPrecedence: bulk", &v, text);
	failed += unit_num("not once", v.once, 0);
	failed += unit_num("not once", v.otherwise, v.cls);
	failed += unit_num("vetoed", v.runner_up_vetoed, 1);
	failed += unit_str("veto seen", v.reasons[0].seen, "human");
	assert_int_equal(failed, 0);
	rules_unref(&rules);
	g_string_free(problems, TRUE);
}

static void test_override(void **state)
{
	static const char *const first =
	    "[a]\nclass = newsletter\nweight = 3\nfield = subject\n"
	    "[b]\nclass = newsletter\nweight = 3\nfact = precedence-bulk\n"
	    "[class.newsletter]\nthreshold = 6";
	static const struct {
		const char *label, *second, *want;
	} rows[] = {
	    {"as shipped", "", "newsletter; score=6.0; reasons=a,b"},
	    {"weight", "[a]\nweight = 4", "newsletter; score=7.0; reasons=a,b"},
	    {"off", "[a]\nenabled = no", "personal; score=0.0; reasons=b"},
	    {"threshold", "[class.newsletter]\nthreshold = 7", "personal; score=0.0; reasons=a,b"},
	    {"minimum", "[class.newsletter]\nminimum = 3", "personal; score=0.0; reasons=a,b"},
	    {"own rule", "[c]\nclass = personal\nweight = 5\nfact = @a\nveto = newsletter",
		"personal; score=5.0; reasons=c,a,b"},
	    {"of a rule that is off",
		"[a]\nenabled = no\n[c]\nclass = personal\nweight = 5\nfact = @a",
		"personal; score=0.0; reasons=b"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *files[] = {first, rows[i].second, NULL};
		GString *problems = g_string_new(NULL);
		struct rules *rules = rules_of(files, problems);
		struct verdict v;
		char text[VERDICT_TEXT_MAX];
		failed += unit_str(rows[i].label, problems->str, "");
		verdict_of(rules, "Subject: x\nPrecedence: bulk", &v, text);
		failed += unit_str(rows[i].label, text, rows[i].want);
		rules_unref(&rules);
		g_string_free(problems, TRUE);
	}
	assert_int_equal(failed, 0);
}

/* An expression that explodes is stopped, and the message counts as personal. */
static void test_explosion(void **state)
{
	static const char *const files[] = {
	    "[slow]\nclass = newsletter\nweight = 9\nfield = subject\n"
	    "match = (?:(?:a+)+)+\\d$",
	    NULL};
	GString *problems = g_string_new(NULL), *subject = g_string_new("Subject: ");
	struct rules *rules = rules_of(files, problems);
	struct verdict v;
	struct err err;
	(void)state;
	for (int i = 0; i < 4000; i++)
		g_string_append_c(subject, 'a');
	struct facts *facts = facts_of(subject->str);
	v.cls = CLASS_NEWSLETTER;
	assert_int_equal(classify(rules, facts, &v, &err), RC_TEMP);
	assert_non_null(strstr(err.text, "rule slow in field subject"));
	assert_int_equal(v.cls, CLASS_PERSONAL);
	assert_int_equal(v.n_reasons, 0);
	facts_free(&facts);
	rules_unref(&rules);
	g_string_free(problems, TRUE);
	g_string_free(subject, TRUE);
}

static void test_many_hits(void **state)
{
	GString *text = g_string_new(NULL), *problems = g_string_new(NULL);
	struct verdict v;
	char out[VERDICT_TEXT_MAX];
	(void)state;
	for (int i = 0; i < 2000; i++)
		g_string_append_printf(text,
		    "[rule-with-a-long-name-to-fill-the-field-%d]\nclass = bounce\nweight = 1\n"
		    "fact = @root\n",
		    i);
	g_string_append(text, "[root]\nfield = subject\n");
	const char *files[] = {text->str, NULL};
	struct rules *rules = rules_of(files, problems);
	struct rules *other = rules_ref(rules);
	rules_unref(&other);
	verdict_of(rules, "Subject: x", &v, out);
	assert_int_equal(v.cls, CLASS_BOUNCE);
	assert_int_equal(v.n_reasons, VERDICT_REASONS_MAX);
	assert_true(strlen(out) < VERDICT_TEXT_MAX);
	rules_unref(&rules);
	g_string_free(text, TRUE);
	g_string_free(problems, TRUE);
}

static void test_verdict_text(void **state)
{
	static const struct {
		const char *label, *in;
		enum rc want;
	} rows[] = {
	    {"right", "newsletter; score=7.5; reasons=a,b", RC_OK},
	    {"no reasons", "personal; score=-1.0; reasons=", RC_OK},
	    {"unknown class", "spam; score=7.5; reasons=a", RC_PERM},
	    {"no score", "newsletter; reasons=a", RC_PERM},
	    {"bad score", "newsletter; score=many; reasons=a", RC_PERM},
	    {"huge score", "newsletter; score=1e99; reasons=a", RC_PERM},
	    {"empty", "", RC_PERM},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		enum class cls = CLASS_SECURITY;
		double score = 99;
		char reasons[VERDICT_TEXT_MAX] = "untouched";
		struct err err;
		enum rc rc = verdict_parse(rows[i].in, &cls, &score, reasons, &err);
		failed += unit_num(rows[i].label, rc, rows[i].want);
		if (rc != RC_OK)
			failed += unit_str(rows[i].label, reasons, "untouched");
	}
	enum class cls;
	double score;
	char reasons[VERDICT_TEXT_MAX];
	assert_int_equal(verdict_parse(rows[0].in, &cls, &score, reasons, NULL), RC_OK);
	failed += unit_num("class", cls, CLASS_NEWSLETTER);
	failed += unit_num("score", (long long)(score * 10), 75);
	failed += unit_str("reasons", reasons, "a,b");
	for (int i = 0; i < CLASS_COUNT; i++)
		failed += unit_num(
		    class_name((enum class)i), class_by_name(class_name((enum class)i)), i);
	failed += unit_num("no class", class_by_name("spam"), -1);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fold),
	    cmocka_unit_test(test_phrases),
	    cmocka_unit_test(test_phrases_at_random),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_too_many),
	    cmocka_unit_test(test_decision),
	    cmocka_unit_test(test_override),
	    cmocka_unit_test(test_explosion),
	    cmocka_unit_test(test_many_hits),
	    cmocka_unit_test(test_verdict_text),
	};
	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
