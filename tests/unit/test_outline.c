/*
 * test_outline.c: what a digest says: sections, groups, folding, copies, the order of originals;
 * the text form of it; and what a header tells about where a message comes from. In English: the
 * words of other languages are test_words.c's.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include "digest/origin.h"
#include "digest/outline.h"
#include "digest/text.h"
#include "digest/threads.h"

/* 2026-11-24 07:00 UTC, a Tuesday; 08:00 in Amsterdam. */
enum { SLOT = 1795503600, DAY = 86400 };

/* One message: what the index says, and what its body and header tell. */
struct mail {
	const char *id, *class, *name, *addr, *subject, *list;
	int64_t received;
	const char *message_id, *parent, *snippet, *names[EXCERPT_NAMES], *uri, *uri_domain;
	size_t n_attachments;
	bool unverified;
};

/* The last one given by its place is the time; what follows names its field. */
#define MAIL(id_, class_, name_, addr_, subject_, list_, ...) \
	{ \
		.id = id_, .class = class_, .name = name_, .addr = addr_, .subject = subject_, \
		.list = list_, .received = __VA_ARGS__ \
	}

struct scene {
	struct digest digest;
	struct digest_entry entries[32];
	struct origin origins[32];
	struct excerpt excerpts[32];
	struct outline_details details;
};

static const char *some(const char *text)
{
	return text == NULL ? "" : text;
}

static struct outline *outline_of(struct scene *scene, const struct mail *mails, size_t n)
{
	struct outline *outline = NULL;
	assert_true(n <= G_N_ELEMENTS(scene->entries));
	scene->digest.user = "ann@example.org";
	scene->digest.slot = SLOT;
	scene->digest.timezone = "Europe/Amsterdam";
	scene->digest.entries = scene->entries;
	scene->digest.n_entries = n;
	scene->details = (struct outline_details){scene->origins, scene->excerpts};
	for (size_t i = 0; i < n; i++) {
		scene->entries[i] = (struct digest_entry){.id = mails[i].id,
		    .from_name = mails[i].name,
		    .from_addr = mails[i].addr,
		    .subject = mails[i].subject,
		    .list_id = mails[i].list,
		    .class_name = mails[i].class,
		    .why = "GitHub notifies; it calls itself bulk mail",
		    .received = mails[i].received};
		scene->origins[i] = (struct origin){.message_id = (char *)some(mails[i].message_id),
		    .parent = (char *)some(mails[i].parent),
		    .thread = (char *)some(mails[i].parent),
		    .unsubscribe_uri = (char *)mails[i].uri,
		    .unsubscribe_domain = (char *)mails[i].uri_domain,
		    .unverified = mails[i].unverified};
		scene->excerpts[i] = (struct excerpt){.snippet = (char *)some(mails[i].snippet),
		    .n_attachments = mails[i].n_attachments};
		for (size_t k = 0; k < EXCERPT_NAMES; k++)
			scene->excerpts[i].names[k] = (char *)mails[i].names[k];
	}
	assert_int_equal(outline_new(&scene->digest, &scene->details, &outline, NULL), RC_OK);
	return outline;
}

/* "a+b c": entries by their newest subject and count, in order; g_free. */
static char *shape_of(const struct outline *outline)
{
	GString *out = g_string_new(NULL);
	for (size_t s = 0; s < outline->n_sections; s++) {
		const struct outline_section *section = &outline->sections[s];
		g_string_append_printf(
		    out, "%s%s %s:", s == 0 ? "" : " | ", section->heading, section->count);
		for (size_t g = 0; g < section->n; g++) {
			const struct outline_group *group = &section->groups[g];
			if (group->heading != NULL)
				g_string_append_printf(out, " [%s]", group->heading);
			for (size_t e = 0; e < group->n; e++)
				g_string_append_printf(
				    out, " %s*%zu", group->entries[e].subject, group->entries[e].n);
		}
	}
	return g_string_free(out, FALSE);
}

static char *order_of(const struct outline *outline)
{
	GString *out = g_string_new(NULL);
	for (size_t i = 0; i < outline->n_messages; i++)
		g_string_append(out, outline->order[i]->id);
	return g_string_free(out, FALSE);
}

static const char forge[] = "notify@forge.example", dev[] = "dev.lists.example";

static void test_text(void **state)
{
	static const char want[] =
	    "Your digest, part 1 of 3\n"
	    "6 messages from 5 senders\n"
	    "Tuesday, 24 November 2026, 08:00 (Europe/Amsterdam)\n"
	    "\n\nPLEASE NOTE\n-----------\n"
	    "\n  * Something is wrong with your settings or your lists. Until it is\n"
	    "    right, the last good ones count; without any, all mail comes at\n"
	    "    once. The program says:\n"
	    "\n  * settings.ini:3: no such zone\n"
	    "\n\nNOTIFICATIONS (2)\n-----------------\n"
	    "\nforge.example\n"
	    "\n  * Build mended (2 messages)\n"
	    "    GitForge <notify@forge.example>, Tue 24 Nov, 07:59\n"
	    "      All 214 tests passed.\n"
	    "    Also: Build failed\n"
	    "    Held because GitHub notifies; it calls itself bulk mail\n"
	    "\n\nNEWSLETTERS (1)\n---------------\n"
	    "\n  * (no subject)\n"
	    "    The Garden Letter <letter@garden.example>, Wed 31 Dec 2025, 23:30\n"
	    "    Attached: plan.pdf, beds.png and 2 more\n"
	    "    Held because GitHub notifies; it calls itself bulk mail\n"
	    "    Unsubscribe at garden.example\n"
	    "    <https://garden.example/u?t=0123456789012345678901234567890123456789>\n"
	    "\n\nMAILING LISTS (2)\n-----------------\n"
	    "\ndev.lists.example\n"
	    "\n  * Re: tabs (2 messages)\n"
	    "    carla@people.example, Mon 23 Nov, 08:02\n"
	    "    Held because GitHub notifies; it calls itself bulk mail\n"
	    "\n\nOTHER MAIL (1)\n--------------\n"
	    "\n  * ?\n"
	    "    (no sender) (unverified sender), Mon 23 Nov, 08:00\n"
	    "    Held because GitHub notifies; it calls itself bulk mail\n"
	    "\n\nNothing is lost: the originals come along with this digest, unchanged,\n"
	    "in your inbox.\n"
	    "What comes from now on waits for the next digest.\n";
	const struct mail mails[] = {
	    MAIL("e", "personal", "", "", "?", "", SLOT - DAY, .unverified = true),
	    MAIL("d", "discussion", "carla@people.example", "carla@people.example", "Re: tabs", dev,
		SLOT - DAY + 120, .message_id = "<2@x>", .parent = "<1@x>"),
	    MAIL("c", "newsletter", "The Garden Letter", "letter@garden.example", " ", "",
		1767220200, .names = {"plan.pdf", "beds.png"}, .n_attachments = 4,
		.uri = "https://garden.example/u?t=0123456789012345678901234567890123456789",
		.uri_domain = "garden.example"),
	    MAIL("b", "notification", "GitForge", forge, "Build mended", "", SLOT - 60,
		.snippet = "Build mended: All 214 tests passed."),
	    MAIL("a", "notification", "Forge", "Notify@forge.example", "Build failed", "",
		SLOT - DAY),
	    MAIL("f", "discussion", "Bob", "bob@people.example", "tabs", dev, SLOT - DAY,
		.message_id = "<1@x>"),
	};
	const char *notices[] = {"settings.ini:3: no such\r\nzone", NULL};
	struct scene scene = {.digest = {.notices = notices, .part = 1, .parts = 3}};
	(void)state;
	struct outline *outline = outline_of(&scene, mails, G_N_ELEMENTS(mails));
	char *text = text_render(outline), *order = order_of(outline);
	assert_string_equal(text, want);
	assert_string_equal(
	    outline->subject, "Your digest (1/3): 6 messages from 5 senders, Tuesday 08:00");
	/* Originals are attached in the order in which the summary names them. */
	assert_string_equal(order, "bacdfe");
	g_free(order);
	g_free(text);
	outline_free(&outline);
}

static void test_folding(void **state)
{
	static const struct {
		const char *label;
		struct mail mails[6];
		size_t n;
		const char *want, *order;
	} rows[] = {
	    {"one sender, once",
		{MAIL("a", "newsletter", "B", "b@b.example", "old", "", 10),
		    MAIL("b", "newsletter", "A", "a@a.example", "only", "", 20),
		    MAIL("c", "newsletter", "B", "B@b.example", "new", "", 30)},
		3, "Newsletters 3: only*1 new*2", "bca"},
	    {"how often somebody writes does not move him",
		{MAIL("a", "newsletter", "Zoo", "z@z.example", "1", "", 10),
		    MAIL("b", "newsletter", "Zoo", "z@z.example", "2", "", 20),
		    MAIL("c", "newsletter", "Ant", "a@a.example", "3", "", 1)},
		3, "Newsletters 3: 3*1 2*2", "cba"},
	    {"a sender who changes his name stays one",
		{MAIL("a", "newsletter", "Aa", "z@z.example", "1", "", 10),
		    MAIL("b", "newsletter", "Bb", "b@b.example", "2", "", 20),
		    MAIL("c", "newsletter", "Zz", "z@z.example", "3", "", 30)},
		3, "Newsletters 3: 2*1 3*2", "bca"},
	    {"services stand together, lists of a service apart",
		{MAIL("a", "notification", "Ann", "n@hub.example", "x", "one.hub.example", 10),
		    MAIL("b", "notification", "Zed", "z@art.example", "y", "", 20),
		    MAIL("c", "notification", "Bob", "n@hub.example", "z", "two.hub.example", 30),
		    MAIL("d", "notification", "Eve", "n@hub.example", "w", "one.hub.example", 40)},
		4, "Notifications 4: [art.example] y*1 [hub.example] z*1 w*2", "bcda"},
	    {"threads of a list, in the order in which they began",
		{MAIL("a", "discussion", "Z", "z@z.example", "one", dev, 10, .message_id = "<1@x>"),
		    MAIL("b", "discussion", "A", "a@a.example", "two", dev, 20,
			.message_id = "<2@x>"),
		    MAIL("c", "discussion", "B", "b@b.example", "Re: one", dev, 30,
			.message_id = "<3@x>", .parent = "<1@x>"),
		    MAIL("d", "discussion", "C", "c@c.example", "Re: Re: one", dev, 40,
			.message_id = "<4@x>", .parent = "<3@x>"),
		    MAIL("e", "discussion", "D", "d@d.example", "AW: [dev] two", dev, 50),
		    MAIL("f", "discussion", "D", "d@d.example", "Re: two", "other.example", 60)},
		6,
		"Mailing lists 6: [dev.lists.example] Re: Re: one*3 AW: [dev] two*2 "
		"[other.example] Re: two*1",
		"dcaebf"},
	    {"the same Message-ID by two ways",
		{MAIL("a", "newsletter", "A", "a@a.example", "s", "", 10, .message_id = "<1@x>"),
		    MAIL(
			"b", "newsletter", "A", "a@a.example", "s", "", 20, .message_id = "<1@x>")},
		2, "Newsletters 1: s*1", "ab"},
	    {"by two lists, each with its tag",
		{MAIL("a", "discussion", "A", "a@a.example", "[x] one", "x.example", 10,
		     .message_id = "<1@x>"),
		    MAIL("b", "discussion", "B", "b@b.example", "Re: [y] one", "y.example", 20,
			.message_id = "<2@x>", .parent = "<1@x>"),
		    MAIL("c", "discussion", "A", "A@a.example", "[y] one", "y.example", 30,
			.message_id = "<1@x>")},
		3, "Mailing lists 2: [x.example] [x] one*1 [y.example] Re: [y] one*1", "acb"},
	    {"by a list and past it",
		{MAIL("a", "newsletter", "A", "a@a.example", "one", "", 10, .message_id = "<1@x>"),
		    MAIL("b", "discussion", "A via X", "a@a.example", "[x] one", "x.example", 20,
			.message_id = "<1@x>"),
		    MAIL("c", "newsletter", "A", "a@a.example", "two", "", 30)},
		3, "Newsletters 2: two*2", "cab"},
	    {"who cannot be verified hides nobody",
		{MAIL("a", "newsletter", "A", "a@a.example", "s", "", 10, .message_id = "<1@x>",
		     .unverified = true),
		    MAIL(
			"b", "newsletter", "A", "a@a.example", "s", "", 20, .message_id = "<1@x>")},
		2, "Newsletters 2: s*1 s*1", "ba"},
	    {"another's Message-ID makes nothing vanish",
		{MAIL("a", "newsletter", "A", "a@a.example", "s", "", 10, .message_id = "<1@x>"),
		    MAIL("b", "newsletter", "E", "e@e.example", "s", "", 20, .message_id = "<1@x>"),
		    MAIL(
			"c", "newsletter", "A", "a@a.example", "t", "", 30, .message_id = "<1@x>")},
		3, "Newsletters 3: t*2 s*1", "cab"},
	    {"without Message-ID nothing is a copy",
		{MAIL("a", "newsletter", "A", "a@a.example", "s", "", 10),
		    MAIL("b", "newsletter", "A", "a@a.example", "s", "", 20)},
		2, "Newsletters 2: s*2", "ba"},
	    {"sections in their order",
		{MAIL("a", "calendar", "A", "a@a.example", "5", "", 10),
		    MAIL("b", "transactional", "A", "a@a.example", "4", "", 10),
		    MAIL("c", "discussion", "A", "a@a.example", "3", dev, 10),
		    MAIL("d", "newsletter", "A", "a@a.example", "2", "", 10),
		    MAIL("e", "notification", "A", "a@a.example", "1", "", 10)},
		5,
		"Notifications 1: [a.example] 1*1 | Newsletters 1: 2*1 | Mailing lists 1: "
		"[dev.lists.example] 3*1 | Orders, bills and accounts 1: 4*1 | Other mail 1: 5*1",
		"edcba"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct scene scene = {.digest = {.attach = true}};
		struct outline *outline = outline_of(&scene, rows[i].mails, rows[i].n);
		char *shape = shape_of(outline), *order = order_of(outline);
		failed += unit_str(rows[i].label, shape, rows[i].want);
		failed += unit_str(rows[i].label, order, rows[i].order);
		g_free(shape);
		g_free(order);
		outline_free(&outline);
	}
	assert_int_equal(failed, 0);
}

/* Nobody is hidden by writing often, and nobody fills the page. */
static void test_others(void **state)
{
	struct mail mails[8];
	char ids[8][2], subjects[8][8];
	struct scene scene = {.digest = {.attach = true}};
	(void)state;
	for (size_t i = 0; i < 8; i++) {
		g_snprintf(ids[i], sizeof(ids[i]), "%zu", i);
		g_snprintf(subjects[i], sizeof(subjects[i]), "no %zu", i == 6 ? 5 : i);
		mails[i] = (struct mail)MAIL(
		    ids[i], "newsletter", "A", "a@a.example", subjects[i], "", (int64_t)i);
	}
	struct outline *outline = outline_of(&scene, mails, 8);
	char *text = text_render(outline);
	assert_non_null(strstr(text, "  * no 7 (8 messages)\n"));
	assert_non_null(strstr(text, "    Also: no 5; no 4; no 3; and 3 more\n"));
	g_free(text);
	outline_free(&outline);
}

static void test_snippets(void **state)
{
	static const struct {
		const char *subject, *snippet, *want;
	} rows[] = {
	    {"Hello", "Hello", NULL},
	    {"Hello", "Hello!", NULL},
	    {"Hello", "Hello \xE2\x80\x93 and welcome", "and welcome"},
	    {"Hello", "Helloween is near", "Helloween is near"},
	    {"", "text", "text"},
	    {"a", "", NULL},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct mail mail = MAIL("a", "newsletter", "A", "a@a.example", rows[i].subject, "",
		    SLOT, .snippet = rows[i].snippet);
		struct scene scene = {.digest = {.attach = true}};
		struct outline *outline = outline_of(&scene, &mail, 1);
		failed += unit_str(
		    rows[i].snippet, some(outline->entries[0].snippet), some(rows[i].want));
		outline_free(&outline);
	}
	assert_int_equal(failed, 0);
}

static void test_closing(void **state)
{
	static const struct {
		bool attach, folder;
		const char *want;
	} rows[] = {
	    {true, false, "attached below"},
	    {true, true, "attached below"},
	    {false, true, "in your Digest folder"},
	    {false, false, "in your inbox"},
	};
	const struct mail mail = MAIL("a", "newsletter", "", "a@b.example", "s", "", SLOT);
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct scene scene = {
		    .digest = {.attach = rows[i].attach, .originals_in_folder = rows[i].folder}};
		struct outline *outline = outline_of(&scene, &mail, 1);
		assert_non_null(strstr(outline->closing, rows[i].want));
		assert_string_equal(outline->headline, "1 message from 1 sender");
		assert_string_equal(outline->title, "Your digest");
		outline_free(&outline);
		/* An unknown zone never stops a digest. */
		scene.digest.timezone = i == 0 ? "Nowhere/Atall" : NULL;
		assert_int_equal(outline_new(&scene.digest, &scene.details, &outline, NULL), RC_OK);
		assert_string_equal(outline->slot, "Tuesday, 24 November 2026, 07:00 (UTC)");
		outline_free(&outline);
	}
}

static void test_extremes(void **state)
{
	struct digest_entry entries[] = {
	    {.id = "a", .received = INT64_MAX, .size = UINT64_MAX},
	    {.id = "b", .from_name = "", .from_addr = "", .received = INT64_MIN},
	};
	struct digest digest = {.slot = INT64_MAX, .entries = entries, .n_entries = 2};
	const char *notices[OUTLINE_NOTICES_MAX + 6] = {NULL};
	struct outline *outline = NULL;
	struct err err;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(notices) - 1; i++)
		notices[i] = "note";
	digest.notices = notices;
	assert_int_equal(outline_new(&digest, NULL, &outline, NULL), RC_OK);
	assert_int_equal(outline->n_messages, 2);
	assert_int_equal(outline->n_notices, OUTLINE_NOTICES_MAX + 2);
	assert_string_equal(outline->notices[OUTLINE_NOTICES_MAX + 1], "And 5 more.");
	g_free(text_render(outline));
	outline_free(&outline);
	digest.n_entries = 0;
	assert_int_equal(outline_new(&digest, NULL, &outline, NULL), RC_OK);
	assert_string_equal(outline->headline, "0 messages from 0 senders");
	g_free(text_render(outline));
	outline_free(&outline);
	digest.n_entries = OUTLINE_ENTRIES_MAX + 1;
	assert_int_equal(outline_new(&digest, NULL, &outline, &err), RC_PERM);
	assert_null(outline);
}

/* ---- where a message comes from ---- */

static enum rc open_header(void *ctx, const char *id, int *fd_out, struct err *err)
{
	char path[] = "/tmp/pullyu-test-XXXXXX";
	if (strcmp(id, "gone") == 0)
		return err_set(err, RC_NOTFOUND, "gone");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	const char *header = ctx;
	assert_int_equal(write(fd, header, strlen(header)), strlen(header));
	*fd_out = fd;
	return RC_OK;
}

static struct origin *origin_of(const char *id, const char *header)
{
	static const char *const trusted[] = {"mx.example.org", NULL};
	struct digest_entry entry = {.id = id};
	struct digest digest = {.open_original = open_header,
	    .ctx = (void *)header,
	    .user = "ann@example.org",
	    .command_address = "commands@example.org",
	    .authserv_ids = trusted,
	    .entries = &entry,
	    .n_entries = 1};
	return origins_read(&digest);
}

#define ONE_CLICK "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"

static void test_unsubscribe(void **state)
{
	char *long_uri = g_strnfill(ORIGIN_URI_MAX, 'x');
	char *too_long = g_strdup_printf("List-Unsubscribe: <https://a.example/%s>\n", long_uri);
	const struct {
		const char *header, *uri, *domain;
		bool safe;
	} rows[] = {
	    {"", NULL, NULL, false},
	    {"List-Unsubscribe: <https://News.example/u?a=1&b=2>\n",
		"https://News.example/u?a=1&b=2", "news.example", false},
	    {"List-Unsubscribe: <https://news.example:8443>\n" ONE_CLICK,
		"https://news.example:8443", "news.example", true},
	    {"List-Unsubscribe: <mailto:off@l.example?subject=off>\n",
		"mailto:off@l.example?subject=off", "l.example", true},
	    {"List-Unsubscribe: <https://a.example/>, <mailto:x@b.example>\n", "mailto:x@b.example",
		"b.example", true},
	    {"List-Unsubscribe: <mailto:x@b.example>,\n <https://a.example/>\n",
		"mailto:x@b.example", "b.example", true},
	    {"List-Unsubscribe: <mailto:x@b.example>, <https://a.example/>\n" ONE_CLICK,
		"https://a.example/", "a.example", true},
	    {"List-Unsubscribe: <https://a.example/1>, <https://a.example/2>\n" ONE_CLICK,
		"https://a.example/1", "a.example", true},
	    {"List-Unsubscribe: <HTTPS://a.example/>\n", "HTTPS://a.example/", "a.example", false},
	    {"List-Unsubscribe: <HTTPS://a.example/1>, <https://a.example/2>\n" ONE_CLICK,
		"HTTPS://a.example/1", "a.example", true},
	    {"List-Unsubscribe: <https://a.example/lo\n\tng/way> ,\n < mailto:x@b.example >\n",
		"mailto:x@b.example", "b.example", true},
	    {"List-Unsubscribe: <https://a.example/lo\n\tng/way>\n", "https://a.example/long/way",
		"a.example", false},
	    {"List-Unsubscribe: <mailto:a%2Bb@b.example?subject=off%2C%20me%40x.example>\n",
		"mailto:a%2Bb@b.example?subject=off%2C%20me%40x.example", "b.example", true},
	    /* Not offered: not what it seems, or of no use. */
	    {"List-Unsubscribe: <mailto:a%40evil.example%2Cb@b.example>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <mailto:a@b.example?CC=c@d.example>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <mailto:a@b.example?subject=x&bcc=c@d.example>\n", NULL, NULL,
		false},
	    {"List-Unsubscribe: <http://a.example/>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <javascript:alert(1)>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <https://bank.example@evil.example/>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <https:///x>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <https://a_b.example/>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <https://a.example/\" onclick=\"x>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <https://a.example/\xE2\x80\xAE>\n", NULL, NULL, false},
	    {"List-Unsubscribe: https://a.example/\n", NULL, NULL, false},
	    {"List-Unsubscribe: <https://a.example/\n", NULL, NULL, false},
	    {"List-Unsubscribe: <mailto:a@b.example,c@d.example>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <mailto:nobody>\n", NULL, NULL, false},
	    {"List-Unsubscribe: <<<<>>>><\n", NULL, NULL, false},
	    {too_long, NULL, NULL, false},
	    {"From: a@b.example\nAuthentication-Results: mx.example.org; dmarc=fail "
	     "header.from=b.example\nList-Unsubscribe: <https://b.example/>\n",
		NULL, NULL, false},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct origin *origin = origin_of("a", rows[i].header);
		failed +=
		    unit_str(rows[i].header, some(origin->unsubscribe_uri), some(rows[i].uri));
		failed += unit_str(
		    rows[i].header, some(origin->unsubscribe_domain), some(rows[i].domain));
		failed += unit_num(rows[i].header, origin->unsubscribe_safe, rows[i].safe);
		origins_free(&origin, 1);
	}
	assert_int_equal(failed, 0);
	g_free(too_long);
	g_free(long_uri);
}

/* A link in the reader's name: to one stranger, with a subject and a text, or none at all. */
static void test_unsubscribe_mailto(void **state)
{
	static const struct {
		const char *uri;
		bool offered;
	} rows[] = {
	    {"mailto:off@l.example", true},
	    {"MAILTO:off@l.example?SUBJECT=off", true},
	    {"mailto:off@l.example?subject=unsubscribe%20a%40b.example&body=please%0D%0Athanks",
		true},
	    {"mailto:off@l.example?body=unsubscribe", true},
	    {"mailto:off@l.example?subject=off?", true},
	    {"mailto:anna@example.org", true},
	    {"mailto:bob+ann@example.org", true},
	    {"mailto:ann+x@other.example", true},
	    /* The reader's own, and what takes his commands. */
	    {"mailto:ann+pullyu@example.org?subject=unsubscribe&body=allow%20%40evil.example",
		false},
	    {"mailto:ann%2Bpullyu@example.org?subject=off", false},
	    {"mailto:%61nn%2bpullyu@example.org", false},
	    {"mailto:ANN+Pullyu@EXAMPLE.org", false},
	    {"mailto:ann+pullyu@ex%61mple.org", false},
	    {"mailto:ann+pullyu@example.org.", false},
	    {"mailto:%22ann+pullyu%22@example.org", false},
	    {"mailto:ann@example.org?subject=off", false},
	    {"mailto:ann-pullyu@example.org", false},
	    {"mailto:ann%25x@example.org", false},
	    {"mailto:commands@example.org?body=help", false},
	    {"mailto:Commands@Example.ORG", false},
	    {"mailto:c%6Fmmands@example.org", false},
	    {"mailto:@l.example:ann+pullyu@example.org", false},
	    /* Who else gets it. */
	    {"mailto:off@l.example?to=ann+pullyu@example.org", false},
	    {"mailto:off@l.example?%74o=ann%2Bpullyu%40example.org", false},
	    {"mailto:off@l.example?subject=x&%62cc=c%40d.example", false},
	    {"mailto:off@l.example?subject=x&b%63%43=c%40d.example", false},
	    {"mailto:off@l.example?subject=x&amp;bcc=c%40d.example", false},
	    {"mailto:off@l.example?subject=x;cc=c%40d.example", false},
	    {"mailto:off@l.example?subject=x?cc=c%40d.example", false},
	    {"mailto:off@l.example?subject=x%0D%0ABcc:%20c%40d.example", false},
	    {"mailto:off@l.example?subject%0D%0ABcc=c%40d.example", false},
	    {"mailto:off@l.example?in-reply-to=%3Cx%40y%3E", false},
	    {"mailto:off@l.example?attach=/etc/passwd", false},
	    {"mailto:off@l.example%2Cann+pullyu@example.org", false},
	    {"mailto:off%40l.example%2Cann+pullyu@example.org", false},
	    {"mailto:off%40l.example%3Bann+pullyu@example.org", false},
	    {"mailto:off@l.example,ann+pullyu@example.org", false},
	    {"mailto:off@l.example%00", false},
	    {"mailto:off@l.example?subject=%0", false},
	    {"mailto:off@l.example?subject=%zz", false},
	    {"mailto:?to=off@l.example", false},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *header = g_strdup_printf("List-Unsubscribe: <%s>\n", rows[i].uri);
		struct origin *origin = origin_of("a", header);
		failed += unit_str(rows[i].uri, some(origin->unsubscribe_uri),
		    rows[i].offered ? rows[i].uri : some(NULL));
		origins_free(&origin, 1);
		g_free(header);
	}
	assert_int_equal(failed, 0);
}

static void test_unverified(void **state)
{
	static const struct {
		const char *results;
		bool want;
	} rows[] = {
	    {"mx.example.org; dmarc=fail header.from=b.example", true},
	    {"mx.example.org; dmarc=pass header.from=b.example", false},
	    {"mx.example.org; spf=fail smtp.mailfrom=b.example", true},
	    {"mx.example.org; spf=fail smtp.mailfrom=b.example; dkim=pass header.d=b.example",
		false},
	    {"mx.example.org; none", false},
	    {"elsewhere.example; dmarc=fail header.from=b.example", false},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *header = g_strdup_printf(
		    "From: a@b.example\nAuthentication-Results: %s\n", rows[i].results);
		struct origin *origin = origin_of("a", header);
		failed += unit_num(rows[i].results, origin->unverified, rows[i].want);
		origins_free(&origin, 1);
		g_free(header);
	}
	assert_int_equal(failed, 0);
}

static void test_refs(void **state)
{
	struct origin *origin = origin_of("a",
	    "Message-ID: <3@x>\nIn-Reply-To: <2@x>\nReferences: <1@x> <2@x>\nFrom: a@b.example\n");
	(void)state;
	assert_string_equal(origin->message_id, "<3@x>");
	assert_string_equal(origin->parent, "<2@x>");
	assert_string_equal(origin->thread, "<1@x>");
	origins_free(&origin, 1);
	origin = origin_of("gone", "");
	assert_string_equal(origin->message_id, "");
	assert_string_equal(origin->thread, "");
	assert_false(origin->unverified);
	origins_free(&origin, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_folding),
	    cmocka_unit_test(test_others),
	    cmocka_unit_test(test_snippets),
	    cmocka_unit_test(test_closing),
	    cmocka_unit_test(test_extremes),
	    cmocka_unit_test(test_unsubscribe),
	    cmocka_unit_test(test_unsubscribe_mailto),
	    cmocka_unit_test(test_unverified),
	    cmocka_unit_test(test_refs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
