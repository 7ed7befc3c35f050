/*
 * answer_words.c: see answer_words.h.
 */
#include <config.h>

#include "digest/answer_words.h"

#include <string.h>

#include "digest/answer_reason.h"
#include "digest/clean.h"
#include "digest/keep.h"
#include "digest/words.h"

/* In columns. */
enum { OBJECT_MAX = 60, LINE_MAX_COLUMNS = 300, ADDRESS_MAX = 320, DAY_MAX = 20 };

enum { PAUSE_DAYS = 14 }; /* from now to the day of the example */

/* A day that a pause could end on; g_free. */
static char *pause_example(const struct answer *answer)
{
	char *given = clean_text(answer->pause_example, DAY_MAX);
	if (given[0] != '\0')
		return given;
	g_free(given);
	GDateTime *utc = g_date_time_new_from_unix_utc(answer->now);
	GDateTime *then = utc == NULL ? NULL : g_date_time_add_days(utc, PAUSE_DAYS);
	char *day = then == NULL ? g_strdup("2027-01-05") : g_date_time_format(then, "%Y-%m-%d");
	if (then != NULL)
		g_date_time_unref(then);
	if (utc != NULL)
		g_date_time_unref(utc);
	return day;
}

/* ---- what happened ---- */

static const char *subject(enum answer_kind kind)
{
	switch (kind) {
	case ANSWER_ALLOWED:
		return _("Done: {1} comes at once");
	case ANSWER_HELD:
		return _("Done: {1} waits for the digest");
	case ANSWER_FORGOTTEN:
		return _("Done: {1} is on no list");
	case ANSWER_ALREADY:
		return _("Nothing had to be changed");
	case ANSWER_SENT:
		return _("Done: it is on its way");
	case ANSWER_SENT_ALL:
		return _("Done: everything is on its way");
	case ANSWER_NOTHING_HELD:
		return _("Nothing is held");
	case ANSWER_GONE:
		return _("Not sent: no longer kept");
	case ANSWER_TIMES:
		return _("Done: your new times");
	case ANSWER_PAUSED_HOLD:
	case ANSWER_PAUSED_PASS:
		return _("Done: a pause until {1}");
	case ANSWER_RESUMED:
		return _("Done: the pause is over");
	case ANSWER_LISTS:
		return _("Your lists");
	case ANSWER_UNDONE:
		return _("Done: it is undone");
	case ANSWER_UNDO_LATE:
	case ANSWER_USED:
	case ANSWER_EXPIRED:
	case ANSWER_FORGED:
	case ANSWER_UNKNOWN_DIGEST:
	case ANSWER_TOO_MANY:
	case ANSWER_FAILED:
		return _("Not done");
	case ANSWER_IMPOSSIBLE:
		return _("Not possible");
	case ANSWER_HELP:
		return _("What you can write");
	case ANSWER_BAD:
	case ANSWER_KINDS:
		break;
	}
	return _("Not understood");
}

/* What was changed, or why nothing was there to change. */
static const char *done(enum answer_kind kind, bool has_object)
{
	switch (kind) {
	case ANSWER_ALLOWED:
		return _("From now on, mail from {1} comes at once.");
	case ANSWER_HELD:
		return _("From now on, all mail from {1} waits for the digest.");
	case ANSWER_FORGOTTEN:
		return _("{1} is on none of your lists any more: each message is judged by itself "
			 "again.");
	case ANSWER_ALREADY:
		return has_object ? _("Nothing had to be changed: {1} was already set that way.")
				  : _("Nothing had to be changed: it was already set that way.");
	case ANSWER_NOTHING_HELD:
		return _("At the moment nothing is held for you.");
	case ANSWER_GONE:
		return _("This original is no longer kept here: it came to you with its digest.");
	case ANSWER_TIMES:
		return _("Your times are changed.");
	case ANSWER_PAUSED_HOLD:
		return _("Until {1} no digest comes, and what would stand in one waits.");
	case ANSWER_PAUSED_PASS:
		return _("Until {1} nothing is held: all mail comes at once.");
	case ANSWER_RESUMED:
		return _("The pause is over: digests come at your times again.");
	case ANSWER_UNDONE:
		return has_object ? _("It is undone: for {1} all is as it was before.")
				  : _("It is undone: all is as it was before.");
	case ANSWER_HELP:
		return _("From wherever you can write a mail, you decide what comes when.");
	default:
		return NULL;
	}
}

static const char *not_done(enum answer_kind kind)
{
	switch (kind) {
	case ANSWER_UNDO_LATE:
		return _("This cannot be undone any more, because it was changed again since. "
			 "Nothing was changed now.");
	case ANSWER_USED:
		return _("This link was used before, and each link works once. Nothing was changed "
			 "now.");
	case ANSWER_EXPIRED:
		return _("This link is too old. Nothing was changed; the links of your newest "
			 "digest work.");
	case ANSWER_FORGED:
		return _("This link is not one of yours, or its subject was changed. Nothing was "
			 "changed; the links of your newest digest work.");
	case ANSWER_UNKNOWN_DIGEST:
		return _("Numbers stand for the messages of a digest, and it is not clear of which "
			 "one. Nothing was changed; please reply to the digest itself.");
	case ANSWER_TOO_MANY:
		return _("That was more than can be done within an hour. Nothing was changed; "
			 "please try again later.");
	case ANSWER_IMPOSSIBLE:
		return _(
		    "Your message was understood, but what it asks for is not possible. Nothing "
		    "was changed.");
	case ANSWER_FAILED:
		return _("That did not work, and it is not your fault. Please try again later.");
	default:
		return _("Nothing was changed, because your message was not understood.");
	}
}

static const char *said(struct answer_words *words, const struct answer *answer, const char *object)
{
	bool has_object = object[0] != '\0';
	if (answer->kind == ANSWER_SENT)
		return keep(words->text,
		    words_count("{1} original is on its way to you.",
			"{1} originals are on their way to you.", answer->count));
	if (answer->kind == ANSWER_SENT_ALL)
		return keep(words->text,
		    words_count("All that was held is on its way to you: {1} message.",
			"All that was held is on its way to you: {1} messages.", answer->count));
	if (answer->kind == ANSWER_LISTS)
		return answer->lists == NULL || answer->lists[0] == '\0'
		    ? _("Your lists are empty.")
		    : _("These senders are on your lists.");
	const char *phrase = done(answer->kind, has_object);
	if (phrase == NULL)
		return not_done(answer->kind);
	if (!has_object && strstr(phrase, "{1}") != NULL)
		return _("It is done.");
	const char *text = keep(words->text, words_fill(phrase, object, NULL, NULL, NULL));
	if (answer->kind != ANSWER_PAUSED_HOLD || answer->count == 0)
		return text;
	const char *longest = keep(words->text,
	    words_count("What has waited for {1} day comes all the same.",
		"What has waited for {1} days comes all the same.", answer->count));
	return keep(words->text, g_strconcat(text, " ", longest, NULL));
}

static const char *subject_filled(
    struct answer_words *words, enum answer_kind kind, const char *object)
{
	const char *phrase = subject(kind);
	if (object[0] == '\0' && strstr(phrase, "{1}") != NULL)
		return _("Done");
	return keep(words->text, words_fill(phrase, object, NULL, NULL, NULL));
}

/* ---- lines ---- */

static void add_line(
    struct answer_words *words, struct answer_section *section, const char *text, size_t *left)
{
	char *line = clean_text(text, LINE_MAX_COLUMNS);
	if (line[0] == '\0') {
		g_free(line);
	} else if (section->n == ANSWER_LINES_MAX) {
		(*left)++;
		g_free(line);
	} else {
		section->lines[section->n++] = keep(words->text, line);
	}
}

static void end_lines(struct answer_words *words, struct answer_section *section, size_t left)
{
	if (left > 0)
		section->lines[section->n++] =
		    keep(words->text, words_count("And {1} more.", "And {1} more.", left));
}

static void details(struct answer_words *words, const char *text)
{
	size_t left = 0;
	char **lines = g_strsplit(text == NULL ? "" : text, "\n", -1);
	for (size_t i = 0; lines[i] != NULL; i++)
		add_line(words, &words->sections[0], lines[i], &left);
	end_lines(words, &words->sections[0], left);
	g_strfreev(lines);
}

/* Why it was not done. What has no words of ours is what the reader of settings says, in English.
 * */
static void reason(struct answer_words *words, const struct answer *answer)
{
	struct answer_section *section = &words->sections[0];
	const char *why, *example;
	char *day = pause_example(answer);
	if (answer_reason(words->text, answer, day, &why, &example)) {
		section->lines[section->n++] = why;
		section->lines[section->n++] = example;
	} else {
		details(words, answer->detail);
		section->heading = section->n == 0 ? NULL : _("The program says:");
	}
	g_free(day);
}

/* Each list under its heading; a line of none stands above them. */
static void lists(struct answer_words *words, const char *text)
{
	static const char *const prefixes[ANSWER_SECTIONS] = {"", "allow ", "hold ", "known "};
	size_t left[ANSWER_SECTIONS] = {0};
	char **lines = g_strsplit(text == NULL ? "" : text, "\n", -1);
	words->sections[1].heading = _("Always let through");
	words->sections[2].heading = _("Always held");
	words->sections[3].heading = _("Known because you wrote to them");
	for (size_t i = 0; lines[i] != NULL; i++) {
		size_t of = ANSWER_SECTIONS - 1;
		while (of > 0 && !g_str_has_prefix(lines[i], prefixes[of]))
			of--;
		add_line(words, &words->sections[of], lines[i] + strlen(prefixes[of]), &left[of]);
	}
	for (size_t i = 0; i < ANSWER_SECTIONS; i++)
		end_lines(words, &words->sections[i], left[i]);
	g_strfreev(lines);
}

/* ---- what can be done next ---- */

static void add_row(struct answer_words *words, enum action_word word, const char *example)
{
	struct outline_words *row = &words->rows[words->n_rows++];
	row->words = keep(words->text, action_words(word, example));
	row->meaning = action_meaning(word);
}

static void help(struct answer_words *words, const struct answer *answer)
{
	char *address = clean_text(answer->command_address, ADDRESS_MAX);
	char *day = pause_example(answer);
	words->help_how = keep(words->text,
	    words_fill(
		_("Reply to a digest, or write to {1}, with one of these in the first line:"),
		address, NULL, NULL, NULL));
	add_row(words, WORD_RELEASE, "3 5");
	add_row(words, WORD_RELEASE_ALL, NULL);
	add_row(words, WORD_ALLOW, "2");
	add_row(words, WORD_HOLD, "news@shop.example");
	add_row(words, WORD_FORGET, "@shop.example");
	add_row(words, WORD_PAUSE, day);
	add_row(words, WORD_RESUME, NULL);
	/* Translators: weekdays as src/command/words.c knows them. */
	add_row(words, WORD_TIMES, _("Mon-Fri 08:00 17:30"));
	add_row(words, WORD_LISTS, NULL);
	add_row(words, WORD_HELP, NULL);
	words->help_notes = _("Numbers are those of the digest that you reply to. For a number you "
			      "can write an address, or a whole domain: @shop.example.");
	g_free(day);
	g_free(address);
}

static struct outline_link make_link(struct answer_words *words, const struct answer *answer,
    enum action action, const char *token, const char *object, const char *form)
{
	return (struct outline_link){.label = action_label(action),
	    .uri = keep(
		words->text, action_uri(answer->command_address, action, token, object, 1, form))};
}

struct answer_words *answer_words_new(const struct answer *answer)
{
	struct answer_words *words = g_new0(struct answer_words, 1);
	char *object = clean_text(answer->object, OBJECT_MAX);
	words_use(answer->language);
	words->text = g_string_chunk_new(1024);
	words->lang = words_language();
	words->dir = words_dir();
	words->subject = subject_filled(words, answer->kind, object);
	words->said = said(words, answer, object);
	if (answer->kind == ANSWER_LISTS)
		lists(words, answer->lists);
	else if (answer->kind == ANSWER_BAD || answer->kind == ANSWER_IMPOSSIBLE)
		reason(words, answer);
	else
		details(words, answer->detail);
	words->undo = make_link(words, answer, ACTION_UNDO, answer->undo, object, NULL);
	words->undo_how = _("To undo this, open this link and send the message that it begins:");
	words->times =
	    make_link(words, answer, ACTION_TIMES, answer->help_times, NULL, answer->form);
	if (answer->command_address != NULL &&
	    (answer->kind == ANSWER_HELP || answer->kind == ANSWER_BAD))
		help(words, answer);
	g_free(object);
	return words;
}

void answer_words_free(struct answer_words **words)
{
	if (*words == NULL)
		return;
	g_string_chunk_free((*words)->text);
	g_free(*words);
	*words = NULL;
}
