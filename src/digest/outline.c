/*
 * outline.c: see outline.h.
 */
#include <config.h>

#include "digest/outline.h"

#include <string.h>

#include "digest/clean.h"
#include "digest/keep.h"
#include "digest/outline_answer.h"
#include "digest/outline_items.h"
#include "digest/words.h"

/* In columns. */
enum { NOTICE_MAX = 600, OTHER_MAX = 100, NAMES_MAX = 200, WHY_MAX = 300 };

/* Two lines of the text form, that may break a word before their ends. */
enum { SNIPPET_MAX = 124, SNIPPET_WORD_MAX = 24 };

static const char *own_clean(struct outline *outline, const char *text, size_t max_columns)
{
	return keep(outline->text, clean_text(text, max_columns));
}

static const char *own_fill(struct outline *outline, const char *phrase, const char *a)
{
	return keep(outline->text, words_fill(phrase, a, NULL, NULL, NULL));
}

static const char *section_heading(enum item_section section)
{
	switch (section) {
	case SECTION_NOTIFICATIONS:
		return _("Notifications");
	case SECTION_NEWSLETTERS:
		return _("Newsletters");
	case SECTION_LISTS:
		return _("Mailing lists");
	case SECTION_TRANSACTIONS:
		return _("Orders, bills and accounts");
	case SECTION_OTHERS:
		break;
	}
	return _("Other mail");
}

/* ---- times ---- */

static GDateTime *local_time(int64_t when, GTimeZone *zone)
{
	GDateTime *utc = g_date_time_new_from_unix_utc(when);
	GDateTime *local = utc == NULL ? NULL : g_date_time_to_timezone(utc, zone);
	if (utc != NULL)
		g_date_time_unref(utc);
	return local;
}

struct times {
	GTimeZone *zone;  /* own */
	const char *name; /* of the zone */
	GDateTime *slot;  /* own; NULL if out of range */
};

static void times_begin(struct times *times, const struct digest *digest)
{
	times->zone =
	    digest->timezone == NULL ? NULL : g_time_zone_new_identifier(digest->timezone);
	times->name = times->zone != NULL ? digest->timezone : "UTC";
	if (times->zone == NULL)
		times->zone = g_time_zone_new_utc();
	times->slot = local_time(digest->slot, times->zone);
}

static void times_end(struct times *times)
{
	if (times->slot != NULL)
		g_date_time_unref(times->slot);
	g_time_zone_unref(times->zone);
}

/* ---- entries ---- */

static const char *subject_of(const struct item *item)
{
	return item->subject[0] != '\0' ? item->subject : _("(no subject)");
}

/* A page often begins with its own subject, which stands above the snippet already. */
static const char *behind_subject(const char *snippet, const char *subject)
{
	size_t len = strlen(subject);
	if (len == 0 || strncmp(snippet, subject, len) != 0)
		return snippet;
	const char *rest = snippet + len;
	if (*rest != '\0' && g_unichar_isalnum(g_utf8_get_char(rest)))
		return snippet;
	while (*rest != '\0' && !g_unichar_isalnum(g_utf8_get_char(rest)))
		rest = g_utf8_next_char(rest);
	return rest;
}

/* Cut between words, if there is a blank where one can be expected. The ellipsis is glued to the
 * last word, lest it stand alone on a line. */
static const char *snippet_of(struct outline *outline, const struct item *item)
{
	if (item->excerpt == NULL)
		return NULL;
	char *text = clean_text(behind_subject(item->excerpt->snippet, item->subject), SNIPPET_MAX);
	static const char ellipsis[] = "\xE2\x80\xA6";
	char *blank = strrchr(text, ' ');
	if (g_str_has_suffix(text, ellipsis) && blank != NULL &&
	    strlen(blank) < SNIPPET_WORD_MAX + sizeof(ellipsis))
		strcpy(blank, ellipsis);
	if (text[0] != '\0')
		return keep(outline->text, text);
	g_free(text);
	return NULL;
}

/* Older messages with other subjects. A thread has one subject. */
static const char *others(struct outline *outline, const struct item *items, size_t n)
{
	GHashTable *named = g_hash_table_new(g_str_hash, g_str_equal);
	GString *names = g_string_new(NULL);
	size_t n_named = 0, left = 0;
	if (items[0].section == SECTION_LISTS)
		n = 1;
	g_hash_table_add(named, (gpointer)items[0].subject);
	for (size_t i = 1; i < n; i++) {
		if (items[i].copy || !g_hash_table_add(named, (gpointer)items[i].subject))
			continue;
		if (n_named == OUTLINE_OTHERS_MAX) {
			left++;
			continue;
		}
		char *subject = clean_text(subject_of(&items[i]), OTHER_MAX);
		g_string_append_printf(names, "%s%s", n_named++ == 0 ? "" : "; ", subject);
		g_free(subject);
	}
	if (left > 0) {
		char *more = words_count("and {1} more", "and {1} more", left);
		g_string_append_printf(names, "; %s", more);
		g_free(more);
	}
	const char *text = n_named == 0 ? NULL : own_fill(outline, _("Also: {1}"), names->str);
	g_string_free(names, TRUE);
	g_hash_table_unref(named);
	return text;
}

static const char *attached(struct outline *outline, const struct excerpt *excerpt)
{
	GString *names = g_string_new(NULL);
	size_t named = 0;
	if (excerpt == NULL || excerpt->n_attachments == 0) {
		g_string_free(names, TRUE);
		return NULL;
	}
	for (; named < EXCERPT_NAMES && excerpt->names[named] != NULL; named++)
		g_string_append_printf(
		    names, "%s%s", named == 0 ? "" : ", ", excerpt->names[named]);
	if (excerpt->n_attachments > named) {
		char *more =
		    words_count("and {1} more", "and {1} more", excerpt->n_attachments - named);
		g_string_append_printf(names, "%s%s", named == 0 ? "" : " ", more);
		g_free(more);
	}
	const char *clean = own_clean(outline, names->str, NAMES_MAX);
	g_string_free(names, TRUE);
	return own_fill(outline, _("Attached: {1}"), clean);
}

/* The caller's reasons are those of the rules, "; " between them. */
static const char *why(struct outline *outline, const char *reasons)
{
	char *clean = clean_text(reasons, WHY_MAX);
	char **each = g_strsplit(clean, "; ", -1);
	GString *text = g_string_new(NULL);
	for (size_t i = 0; each[i] != NULL; i++)
		if (each[i][0] != '\0')
			g_string_append_printf(
			    text, "%s%s", text->len == 0 ? "" : "; ", _(each[i]));
	const char *filled =
	    text->len == 0 ? NULL : own_fill(outline, _("Held because {1}"), text->str);
	g_string_free(text, TRUE);
	g_strfreev(each);
	g_free(clean);
	return filled;
}

static void fill_origin(
    struct outline *outline, struct outline_entry *entry, const struct origin *origin)
{
	if (origin == NULL)
		return;
	if (origin->unverified)
		entry->unverified = _("unverified sender");
	if (origin->unsubscribe_uri == NULL)
		return;
	bool mail = g_ascii_strncasecmp(origin->unsubscribe_uri, "mailto:", 7) == 0;
	entry->unsubscribe =
	    own_fill(outline, mail ? _("Unsubscribe by mail to {1}") : _("Unsubscribe at {1}"),
		origin->unsubscribe_domain);
	entry->unsubscribe_uri = keep(outline->text, g_strdup(origin->unsubscribe_uri));
	entry->unsubscribe_link = origin->unsubscribe_safe;
}

/* items[0] is the newest, and no copy. */
static void entry_fill(struct outline *outline, struct outline_entry *entry,
    const struct item *items, size_t n, const struct times *times)
{
	const struct item *newest = &items[0];
	GDateTime *when = local_time(newest->message->received, times->zone);
	bool named = newest->name[0] != '\0' && strcmp(newest->name, newest->addr) != 0;
	for (size_t i = 0; i < n; i++)
		entry->n += !items[i].copy;
	entry->addr = named && newest->addr[0] != '\0' ? newest->addr : NULL;
	entry->name = named           ? newest->name
	    : newest->addr[0] != '\0' ? newest->addr
				      : _("(no sender)");
	entry->subject = subject_of(newest);
	entry->when = keep(outline->text, words_time(when, times->slot));
	if (entry->n > 1)
		entry->count =
		    keep(outline->text, words_count("{1} message", "{1} messages", entry->n));
	entry->others = others(outline, items, n);
	entry->snippet = snippet_of(outline, newest);
	entry->attached = attached(outline, newest->excerpt);
	entry->why = why(outline, newest->message->why);
	fill_origin(outline, entry, newest->origin);
	if (when != NULL)
		g_date_time_unref(when);
}

/* ---- the whole ---- */

static void section_begin(struct outline *outline, const struct item *item)
{
	struct outline_section *section = &outline->sections[outline->n_sections++];
	section->heading = section_heading(item->section);
	section->groups = &outline->groups[outline->n_groups];
}

static void group_begin(struct outline *outline, const struct item *item)
{
	struct outline_section *section = &outline->sections[outline->n_sections - 1];
	struct outline_group *group = &outline->groups[outline->n_groups++];
	section->n++;
	group->heading = item->group[0] != '\0' ? item->group : NULL;
	group->entries = &outline->entries[outline->n_entries];
}

static void build(struct outline *outline, const struct item *items, const struct times *times)
{
	size_t in_section = 0, n = outline->n_messages;
	for (size_t first = 0, end; first < n; first = end) {
		const struct item *item = &items[first];
		end = items_fold_end(items, n, first);
		if (first == 0 || item->section != items[first - 1].section) {
			section_begin(outline, item);
			in_section = 0;
		}
		if (in_section == 0 || !items_same_group(&items[first - 1], item))
			group_begin(outline, item);
		struct outline_entry *entry = &outline->entries[outline->n_entries++];
		outline->groups[outline->n_groups - 1].n++;
		entry_fill(outline, entry, &items[first], end - first, times);
		entry->messages = &outline->order[first];
		entry->n_messages = end - first;
		in_section += entry->n;
		outline->sections[outline->n_sections - 1].count =
		    keep(outline->text, words_number(in_section));
	}
	for (size_t i = 0; i < n; i++)
		outline->order[i] = items[i].message;
}

static size_t count_senders(const struct item *items, size_t n)
{
	GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < n; i++)
		g_hash_table_add(seen, (gpointer)items[i].sender);
	size_t count = g_hash_table_size(seen);
	g_hash_table_unref(seen);
	return count;
}

static const char *closing(const struct digest *digest)
{
	if (digest->attach)
		return _("Nothing is lost: the originals are attached below, unchanged.");
	if (digest->originals_in_folder)
		return _(
		    "Nothing is lost: the originals come along with this digest, unchanged, in "
		    "your Digest folder.");
	return _("Nothing is lost: the originals come along with this digest, unchanged, in your "
		 "inbox.");
}

static void headings(struct outline *outline, const struct digest *digest,
    const struct times *times, const struct item *items)
{
	size_t messages_n = 0;
	for (size_t i = 0; i < outline->n_messages; i++)
		messages_n += !items[i].copy;
	char *messages = words_count("{1} message", "{1} messages", messages_n);
	char *senders =
	    words_count("{1} sender", "{1} senders", count_senders(items, outline->n_messages));
	char *shortly = words_slot_short(times->slot), *fully = words_slot_long(times->slot);
	char *part = words_number(digest->part), *parts = words_number(digest->parts);
	char *of = g_strdup_printf("%s/%s", part, parts);
	bool split = digest->parts > 1;
	outline->title = split
	    ? keep(outline->text,
		  words_fill(_("Your digest, part {1} of {2}"), part, parts, NULL, NULL))
	    : _("Your digest");
	outline->subject = keep(outline->text,
	    words_fill(split ? _("Your digest ({4}): {1} from {2}, {3}")
			     : _("Your digest: {1} from {2}, {3}"),
		messages, senders, shortly, of));
	outline->headline =
	    keep(outline->text, words_fill(_("{1} from {2}"), messages, senders, NULL, NULL));
	outline->slot = keep(outline->text, g_strdup_printf("%s (%s)", fully, times->name));
	outline->closing = closing(digest);
	outline->waits = _("What comes from now on waits for the next digest.");
	outline->shortened = _(
	    "Some details were left out here, for a page must not grow too long; the text form of "
	    "this message has them all.");
	outline->lang = words_language();
	outline->dir = words_dir();
	g_free(messages);
	g_free(senders);
	g_free(shortly);
	g_free(fully);
	g_free(part);
	g_free(parts);
	g_free(of);
}

static void notices(struct outline *outline, const char *const *texts)
{
	size_t n = 0;
	outline->notices_heading = _("Please note");
	for (; texts != NULL && *texts != NULL; texts++) {
		const char *text = own_clean(outline, *texts, NOTICE_MAX);
		if (text[0] == '\0' || n++ >= OUTLINE_NOTICES_MAX)
			continue;
		if (outline->n_notices == 0)
			outline->notices[outline->n_notices++] =
			    _("Something is wrong with your settings or your lists. Until it is "
			      "right, the last good ones count; without any, all mail comes at "
			      "once. The program says:");
		outline->notices[outline->n_notices++] = text;
	}
	if (n > OUTLINE_NOTICES_MAX)
		outline->notices[outline->n_notices++] = keep(outline->text,
		    words_count("And {1} more.", "And {1} more.", n - OUTLINE_NOTICES_MAX));
}

enum rc outline_new(const struct digest *digest, const struct outline_details *details,
    struct outline **outline_out, struct err *err)
{
	size_t n = digest->n_entries;
	if (n > OUTLINE_ENTRIES_MAX)
		return err_set(
		    err, RC_PERM, "a digest of %zu messages: at most %d", n, OUTLINE_ENTRIES_MAX);
	struct outline *outline = g_new0(struct outline, 1);
	struct times times;
	words_use(digest->language);
	outline->text = g_string_chunk_new(4096);
	outline->n_messages = n;
	outline->entries = g_new0(struct outline_entry, MAX(n, 1));
	outline->groups = g_new0(struct outline_group, MAX(n, 1));
	outline->order = g_new0(const struct digest_entry *, MAX(n, 1));
	times_begin(&times, digest);
	struct item *items = items_new(digest, details, outline->text);
	build(outline, items, &times);
	headings(outline, digest, &times, items);
	notices(outline, digest->notices);
	outline_answer(outline, digest);
	times_end(&times);
	g_free(items);
	*outline_out = outline;
	return RC_OK;
}

void outline_free(struct outline **outline)
{
	if (*outline == NULL)
		return;
	g_string_chunk_free((*outline)->text);
	g_free((*outline)->entries);
	g_free((*outline)->groups);
	g_free((*outline)->order);
	g_free(*outline);
	*outline = NULL;
}
