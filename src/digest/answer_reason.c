/*
 * answer_reason.c: see answer_reason.h. One row a code.
 */
#include <config.h>

#include "digest/answer_reason.h"

#include <string.h>

#include "digest/actions.h"
#include "digest/clean.h"
#include "digest/keep.h"
#include "digest/words.h"

enum { VALUE_MAX = 40 }; /* columns */

struct example {
	enum action_word word;
	enum { FIXED, LAST_NUMBER, DAY, TIMES } of;
	const char *fixed; /* NULL: the word stands alone */
};

static const struct row {
	const char *code, *words;
	unsigned values; /* that it needs */
	struct example examples[2];
	size_t n;
} rows[] = {
    {"no-number", N_("There is no number {1}: the numbers of that digest end with {2}."), 2,
	{{WORD_RELEASE, LAST_NUMBER, NULL}}, 1},
    {"which-digest",
	N_("Numbers are those of a digest: please reply to the one that you mean, of the last 30 "
	   "days."),
	0, {{WORD_RELEASE, FIXED, "3 5"}}, 1},
    {"which-sender", N_("It is not clear which sender you mean."), 0,
	{{WORD_ALLOW, FIXED, "2"}, {WORD_HOLD, FIXED, "news@shop.example"}}, 2},
    {"which-messages", N_("It is not clear which messages you mean."), 0,
	{{WORD_RELEASE, FIXED, "3 5"}, {WORD_RELEASE_ALL, FIXED, NULL}}, 2},
    {"which-times", N_("It is not clear which times you mean."), 0, {{WORD_TIMES, TIMES, NULL}}, 1},
    {"which-day", N_("It is not clear until which day you mean."), 0, {{WORD_PAUSE, DAY, NULL}}, 1},
    {"no-address", N_("What has the number {1} came without its sender's address."), 1,
	{{WORD_RELEASE, FIXED, "3 5"}, {WORD_HOLD, FIXED, "news@shop.example"}}, 2},
    {"day-past", N_("A pause until {1} would be over already."), 1, {{WORD_PAUSE, DAY, NULL}}, 1},
};

static const struct row *row_find(const char *code)
{
	for (size_t i = 0; code != NULL && i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			return &rows[i];
	return NULL;
}

static const char *example_text(const struct example *example, const char *last, const char *day)
{
	switch (example->of) {
	case LAST_NUMBER:
		return last;
	case DAY:
		return day;
	case TIMES:
		/* Translators: weekdays as src/command/words.c knows them. */
		return _("Mon-Fri 08:00 17:30");
	case FIXED:
		break;
	}
	return example->fixed;
}

/* "Right would be, for example: “allow 2”, “hold news@shop.example”"; g_free. */
static char *examples(const struct row *row, const char *last, const char *day)
{
	GString *list = g_string_new(NULL);
	for (size_t i = 0; i < row->n; i++) {
		const struct example *example = &row->examples[i];
		char *words = action_words(example->word, example_text(example, last, day));
		char *quoted = action_quoted(words);
		g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ", quoted);
		g_free(quoted);
		g_free(words);
	}
	char *text = words_fill(_("Right would be, for example: {1}"), list->str, NULL, NULL, NULL);
	g_string_free(list, TRUE);
	return text;
}

bool answer_reason(GStringChunk *text, const struct answer *answer, const char *pause_day,
    const char **words_out, const char **example_out)
{
	const struct row *row = row_find(answer->reason);
	char *one = clean_text(answer->reason_1, VALUE_MAX);
	char *two = clean_text(answer->reason_2, VALUE_MAX);
	bool good = row != NULL && (row->values < 1 || one[0] != '\0') &&
	    (row->values < 2 || two[0] != '\0');
	if (good) {
		*words_out = keep(text, words_fill(_(row->words), one, two, NULL, NULL));
		*example_out = keep(text, examples(row, two, pause_day));
	}
	g_free(one);
	g_free(two);
	return good;
}
