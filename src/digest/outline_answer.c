/*
 * outline_answer.c: see outline_answer.h.
 */
#include <config.h>

#include "digest/outline_answer.h"

#include <string.h>

#include "digest/actions.h"
#include "digest/clean.h"
#include "digest/keep.h"
#include "digest/words.h"

enum { ADDRESS_COLUMNS = 320 };

static struct outline_link make_link(struct outline *outline, const struct digest *digest,
    enum action action, const char *token, const char *object, size_t n, const char *form)
{
	struct outline_link link = {.label = action_label(action)};
	link.uri = keep(
	    outline->text, action_uri(digest->command_address, action, token, object, n, form));
	if (object[0] != '\0')
		link.name = keep(outline->text, action_name(action, object, n));
	return link;
}

/* As a reader calls it: "list:" is how our lists write a List-Id. */
static char *object_of(const struct digest_entry *message)
{
	static const char list[] = "list:";
	const char *object = message->object;
	if (object == NULL || object[0] == '\0')
		object = message->from_addr;
	else if (g_str_has_prefix(object, list))
		object += strlen(list);
	return clean_text(object, ACTION_OBJECT_COLUMNS);
}

static void entry_links(
    struct outline *outline, const struct digest *digest, struct outline_entry *entry)
{
	const struct digest_entry *newest = entry->messages[0];
	char *object = object_of(newest);
	char *sender = clean_text(newest->from_addr, ACTION_OBJECT_COLUMNS);
	entry->allow = make_link(outline, digest, ACTION_ALLOW, newest->allow, object, 1, NULL);
	entry->hold = make_link(outline, digest, ACTION_HOLD, newest->hold, object, 1, NULL);
	/* An original that is not inside comes by itself. All of the entry are sent, copies too;
	 * those of a thread have many senders. */
	entry->send = make_link(outline, digest, ACTION_SEND, digest->attach ? newest->send : NULL,
	    entry->n_messages > 1 ? object : sender, entry->n_messages, NULL);
	if (entry->allow.uri != NULL || entry->hold.uri != NULL || entry->send.uri != NULL)
		outline->has_links = true;
	g_free(object);
	g_free(sender);
}

/* Examples are of numbers that stand in this digest. */
static void add_words(struct outline *outline, enum action_word word, const char *example)
{
	struct outline_words *words = &outline->words[outline->n_words++];
	words->words = keep(outline->text, action_words(word, example));
	words->meaning = action_meaning(word);
}

/* The same in one sentence, for the page. */
static const char *answer(struct outline *outline)
{
	GString *list = g_string_new(NULL);
	for (size_t i = 0; i < outline->n_words; i++) {
		char *quoted = action_quoted(outline->words[i].words);
		g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ", quoted);
		g_free(quoted);
	}
	char *text = g_strdup_printf("%s %s", outline->answer_how, list->str);
	g_string_free(list, TRUE);
	return keep(outline->text, text);
}

static void foot(struct outline *outline, const struct digest *digest)
{
	size_t n = outline->n_entries;
	outline->all = make_link(outline, digest, ACTION_ALL, digest->foot.all, "", 1, NULL);
	outline->times =
	    make_link(outline, digest, ACTION_TIMES, digest->foot.times, "", 1, digest->form);
	outline->pause = make_link(
	    outline, digest, ACTION_PAUSE, digest->foot.pause, "", 1, digest->pause_example);
	outline->help = make_link(outline, digest, ACTION_HELP, digest->foot.help, "", 1, NULL);
	if (n > 0) {
		add_words(outline, WORD_RELEASE, n >= 5 ? "3 5" : n >= 2 ? "1 2" : "1");
		add_words(outline, WORD_ALLOW, n >= 2 ? "2" : "1");
		add_words(outline, WORD_HOLD, n >= 4 ? "4" : "1");
	}
	if (digest->pause_example != NULL && digest->pause_example[0] != '\0') {
		char *day = clean_text(digest->pause_example, ACTION_OBJECT_COLUMNS);
		add_words(outline, WORD_PAUSE, day);
		g_free(day);
	}
	add_words(outline, WORD_HELP, NULL);
	char *address = clean_text(digest->command_address, ADDRESS_COLUMNS);
	outline->answer_how = digest->reply_to == NULL
	    ? _("You can also reply to this message and write in its first line, for example:")
	    : keep(outline->text,
		  words_fill(_("You can also reply to this message, to {1}, and write in its first "
			       "line, for example:"),
		      address, NULL, NULL, NULL));
	outline->answer = answer(outline);
	g_free(address);
}

/* How to unsubscribe from a sender, if one of the messages at hand tells. Who only claims to be him
 * does not count. */
static const struct outline_entry *entry_of(const struct outline *outline, const char *addr)
{
	char *wanted = g_utf8_casefold(addr, -1);
	const struct outline_entry *found = NULL;
	for (size_t i = 0; i < outline->n_entries && found == NULL; i++) {
		const struct outline_entry *entry = &outline->entries[i];
		if (entry->unsubscribe_uri == NULL || entry->unverified != NULL)
			continue;
		char *clean = clean_text(entry->messages[0]->from_addr, ADDRESS_COLUMNS);
		char *folded = g_utf8_casefold(clean, -1);
		if (strcmp(folded, wanted) == 0)
			found = entry;
		g_free(folded);
		g_free(clean);
	}
	g_free(wanted);
	return found;
}

static void suggest(struct outline *outline, const char *addr)
{
	char *clean = clean_text(addr, ADDRESS_COLUMNS);
	struct outline_quiet *quiet = &outline->quiet[outline->n_quiet];
	const struct outline_entry *entry = entry_of(outline, clean);
	if (clean[0] != '\0') {
		outline->n_quiet++;
		quiet->text = keep(outline->text,
		    words_fill(entry == NULL
			    ? _("You have released nothing of {1} for 8 weeks.")
			    : _("You have released nothing of {1} for 8 weeks: unsubscribe?"),
			clean, NULL, NULL, NULL));
	}
	if (clean[0] != '\0' && entry != NULL) {
		quiet->unsubscribe = entry->unsubscribe;
		quiet->unsubscribe_uri = entry->unsubscribe_uri;
		quiet->unsubscribe_link = entry->unsubscribe_link;
	}
	g_free(clean);
}

void outline_answer(struct outline *outline, const struct digest *digest)
{
	const char *const *quiet = digest->quiet;
	outline->quiet_heading = _("Still wanted?");
	for (; quiet != NULL && *quiet != NULL && outline->n_quiet < OUTLINE_QUIET_MAX; quiet++)
		suggest(outline, *quiet);
	if (digest->command_address == NULL)
		return;
	outline->unlinked =
	    _("For the same reason, links under the messages were left out. A reply "
	      "with a number does the same.");
	for (size_t i = 0; i < outline->n_entries; i++) {
		struct outline_entry *entry = &outline->entries[i];
		entry->number = keep(outline->text, g_strdup_printf("%zu.", i + 1));
		entry_links(outline, digest, entry);
	}
	foot(outline, digest);
}

void outline_number(const struct outline *outline, const struct digest *digest)
{
	const char **ids = g_new(const char *, MAX(outline->n_messages, 1));
	for (size_t i = 0; digest->numbered != NULL && i < outline->n_entries; i++) {
		const struct outline_entry *entry = &outline->entries[i];
		for (size_t m = 0; m < entry->n_messages; m++)
			ids[m] = entry->messages[m]->id;
		digest->numbered(digest->ctx, (unsigned)i + 1, ids, entry->n_messages);
	}
	g_free(ids);
}
