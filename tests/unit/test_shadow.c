/*
 * test_shadow.c: what shadow mode counts: sums that stay exact within bounds, through the store and
 * back, and records that make no sense.
 */
#include <config.h>

#include "store_unit.h"

#include "daemon/shadow.h"

enum { T0 = 1700000000, HOUR = 3600 };

static struct shadow_note note_of(const char *sender, double margin, int64_t received)
{
	return (struct shadow_note){.user = "ann@example.org",
	    .sender = sender,
	    .cls = CLASS_NEWSLETTER,
	    .margin = margin,
	    .received = received,
	    .slot = received + HOUR,
	    .reasons = {"list-id", "bulk"},
	    .n_reasons = 2};
}

static struct shadow_record *record_new(void)
{
	return shadow_record_new(SHADOW_SENDERS_MAX, SHADOW_RULES_MAX);
}

/* "sender=count/class/margin ..." */
static char *senders_text(GPtrArray *senders)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < senders->len; i++) {
		const struct shadow_sender *s = senders->pdata[i];
		g_string_append_printf(out, "%s%s=%d/%s/%.1f", i > 0 ? " " : "", s->name,
		    (int)s->count, class_name(s->cls), s->margin);
	}
	g_ptr_array_unref(senders);
	return g_string_free(out, FALSE);
}

static void test_counts(void **state)
{
	struct shadow_record *record = record_new(), *back;
	int failed = 0;
	(void)state;
	struct shadow_note notes[] = {note_of("a@x.example", 3, T0),
	    note_of("b@x.example", -1, T0 + 1), note_of("a@x.example", 1.5, T0 + 2),
	    note_of("", 9, T0 + HOUR + 5)};
	notes[2].cls = CLASS_NOTIFICATION;
	notes[2].n_reasons = 1;
	for (size_t i = 0; i < G_N_ELEMENTS(notes); i++)
		shadow_record_count(record, &notes[i]);
	for (int round = 0; round < 2; round++) { /* and again after a way through its text */
		failed += unit_num("total", (long long)record->total, 4);
		failed += unit_num("since", record->since, T0);
		failed += unit_num("last", record->last, T0 + HOUR + 5);
		failed += unit_num("newsletters", (long long)record->classes[CLASS_NEWSLETTER], 3);
		/* The first three are one digest's, at T0 + HOUR. */
		failed += unit_num("digests", (long long)record->digests, 2);
		failed += unit_num("slot", record->slot, T0 + 2 * HOUR + 5);
		failed += world_str("senders", senders_text(shadow_record_senders(record)),
		    "a@x.example=2/notification/1.5 =1/newsletter/9.0 "
		    "b@x.example=1/newsletter/-1.0");
		failed += world_str("nearest", senders_text(shadow_record_nearest(record)),
		    "a@x.example=2/notification/1.5 =1/newsletter/9.0");
		GPtrArray *rules = shadow_record_rules(record);
		failed += unit_num("rules", rules->len, 2);
		failed += unit_str("the most frequent rule", rules->pdata[0], "list-id");
		failed += unit_num(
		    "bulk", (long long)*(uint64_t *)g_hash_table_lookup(record->rules, "bulk"), 3);
		g_ptr_array_unref(rules);
		char *text = shadow_record_encode(record);
		back = shadow_record_decode(text, strlen(text));
		assert_non_null(back);
		g_free(text);
		shadow_record_free(&record);
		record = back;
	}
	shadow_record_free(&record);
	assert_int_equal(failed, 0);
}

/* Messages that come out of order: no digest twice, and no time that is wrong. */
static void test_order(void **state)
{
	struct shadow_record *record = record_new();
	(void)state;
	struct shadow_note late = note_of("a@x.example", 3, T0),
			   early = note_of("a@x.example", 3, T0);
	early.received -= 10;
	shadow_record_count(record, &late);
	shadow_record_count(record, &early);
	assert_int_equal(record->digests, 1);
	assert_int_equal(record->since, T0 - 10);
	assert_int_equal(record->last, T0);
	shadow_record_free(&record);
}

/* 10,000 senders, of whom 20 write often and a few come near to passing. */
static void test_bounds(void **state)
{
	struct shadow_record *record = record_new();
	int failed = 0;
	(void)state;
	for (int i = 0; i < 10000; i++) {
		char sender[400], rule[32];
		g_snprintf(sender, sizeof(sender), "s%d%0250d@many.example", i, 0);
		g_snprintf(rule, sizeof(rule), "rule-%d", i % 1000);
		struct shadow_note note =
		    note_of(sender, i % 1000 == 7 ? 0.1 + i / 100000.0 : 20, T0 + i);
		note.reasons[1] = rule;
		shadow_record_count(record, &note);
		g_snprintf(sender, sizeof(sender), "often%d@few.example", i % 20);
		note = note_of(sender, 30, T0 + i);
		shadow_record_count(record, &note);
		if (g_hash_table_size(record->senders) > SHADOW_SENDERS_MAX ||
		    g_hash_table_size(record->rules) > SHADOW_RULES_MAX)
			fail_msg("%d: too many", i);
	}
	failed += unit_num("total", (long long)record->total, 20000);
	for (int round = 0; round < 2; round++) {
		GPtrArray *senders = shadow_record_senders(record);
		GPtrArray *nearest = shadow_record_nearest(record);
		for (guint i = 0; i < 20; i++)
			failed += unit_num("a frequent one",
			    (long long)((struct shadow_sender *)senders->pdata[i])->count, 500);
		for (guint i = 0; i < 10; i++)
			failed += unit_num("a near one",
			    ((struct shadow_sender *)nearest->pdata[i])->margin < 0.3, 1);
		failed += unit_num("the newest stays",
		    strncmp(((struct shadow_sender *)senders->pdata[20])->name, "s9999", 5), 0);
		g_ptr_array_unref(senders);
		g_ptr_array_unref(nearest);
		char *text = shadow_record_encode(record);
		failed += unit_num("it fits", strlen(text) <= STORE_NOTE_MAX, 1);
		failed +=
		    unit_num("and is kept nearly whole", strlen(text) > STORE_NOTE_MAX / 2, 1);
		shadow_record_free(&record);
		record = shadow_record_decode(text, strlen(text));
		assert_non_null(record);
		g_free(text);
	}
	shadow_record_free(&record);
	assert_int_equal(failed, 0);
}

/* Addresses that take twice their length as text. */
static void test_too_long(void **state)
{
	struct shadow_record *record = record_new();
	char *tail = g_strnfill(300, '"');
	(void)state;
	for (int i = 0; i < SHADOW_SENDERS_MAX; i++) {
		char *sender = g_strdup_printf("s%d%s", i, tail);
		struct shadow_note note = note_of(sender, 3, T0 + i);
		shadow_record_count(record, &note);
		g_free(sender);
	}
	char *text = shadow_record_encode(record);
	assert_true(strlen(text) <= STORE_NOTE_MAX);
	shadow_record_free(&record);
	record = shadow_record_decode(text, strlen(text));
	assert_non_null(record);
	assert_int_equal(record->total, SHADOW_SENDERS_MAX);
	assert_in_range(g_hash_table_size(record->senders), 200, SHADOW_SENDERS_MAX - 1);
	shadow_record_free(&record);
	g_free(text);
	g_free(tail);
}

static void test_sum(void **state)
{
	struct shadow_record *sum = shadow_record_new(100, 100), *a = record_new(),
			     *b = record_new();
	int failed = 0;
	(void)state;
	struct shadow_note note = note_of("a@x.example", 3, T0);
	shadow_record_count(a, &note);
	note = note_of("a@x.example", 2, T0 - 5);
	shadow_record_count(b, &note);
	note = note_of("b@x.example", -1, T0 + 5);
	shadow_record_count(b, &note);
	shadow_record_add(sum, a);
	shadow_record_add(sum, b);
	shadow_record_free(&b);
	b = record_new();
	shadow_record_add(sum, b); /* an empty one changes nothing */
	failed += unit_num("total", (long long)sum->total, 3);
	failed += unit_num("digests", (long long)sum->digests, 2);
	failed += unit_num("since", sum->since, T0 - 5);
	failed += unit_num("last", sum->last, T0 + 5);
	failed += world_str("senders", senders_text(shadow_record_senders(sum)),
	    "a@x.example=2/newsletter/2.0 b@x.example=1/newsletter/-1.0");
	shadow_record_free(&sum);
	shadow_record_free(&a);
	shadow_record_free(&b);
	assert_int_equal(failed, 0);
}

#define HEAD "{\"since\":1,\"last\":2,\"slot\":3,\"total\":4,\"digests\":1,"

static void test_garbage(void **state)
{
	static const struct {
		const char *label, *text;
		bool good;
	} rows[] = {
	    {"good",
		HEAD
		"\"classes\":{\"newsletter\":4},\"senders\":{\"a@b\":[4,\"newsletter\",1.5,2]},"
		"\"rules\":{\"x\":4}}",
		true},
	    {"more than we know", HEAD "\"classes\":{},\"senders\":{},\"rules\":{},\"x\":1}", true},
	    {"nothing", "", false},
	    {"no JSON", "rubbish", false},
	    {"an array", "[]", false},
	    {"cut", HEAD "\"classes\":{}", false},
	    {"no senders", HEAD "\"classes\":{},\"rules\":{}}", false},
	    {"senders of another type", HEAD "\"classes\":{},\"senders\":[],\"rules\":{}}", false},
	    {"below zero",
		"{\"since\":1,\"last\":2,\"slot\":3,\"total\":-4,\"digests\":1,"
		"\"classes\":{},\"senders\":{},\"rules\":{}}",
		false},
	    {"unknown class", HEAD "\"classes\":{\"junk\":1},\"senders\":{},\"rules\":{}}", false},
	    {"a sender too short", HEAD "\"classes\":{},\"senders\":{\"a@b\":[1]},\"rules\":{}}",
		false},
	    {"a sender's class",
		HEAD "\"classes\":{},\"senders\":{\"a@b\":[1,\"x\",1,1]},\"rules\":{}}", false},
	    {"a margin of words",
		HEAD
		"\"classes\":{},\"senders\":{\"a@b\":[1,\"newsletter\",\"x\",1]},\"rules\":{}}",
		false},
	    {"a rule of words", HEAD "\"classes\":{},\"senders\":{},\"rules\":{\"x\":\"y\"}}",
		false},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct shadow_record *record =
		    shadow_record_decode(rows[i].text, strlen(rows[i].text));
		failed += unit_num(rows[i].label, record != NULL, rows[i].good);
		shadow_record_free(&record);
	}
	assert_int_equal(failed, 0);
}

/* Counts n messages of the user at that time. */
static void count(struct shadow *shadow, const char *user, int n, int64_t received)
{
	struct err err;
	for (int i = 0; i < n; i++) {
		struct shadow_note note = note_of("a@x.example", 3, received);
		note.user = user;
		if (shadow_count(shadow, &note, &err) != RC_OK)
			fail_msg("%s: %s", user, err.text);
	}
}

static long long total(struct shadow *shadow, const char *user)
{
	struct shadow_record *sum = shadow_record_new(100, 100);
	enum rc rc = shadow_sum(shadow, user, sum, NULL);
	long long n = rc == RC_OK ? (long long)sum->total : -(long long)rc;
	shadow_record_free(&sum);
	return n;
}

static void test_store(void **state)
{
	struct world *w = world_new("mem", "mem");
	int failed = 0;
	(void)state;
	world_open(w);
	struct shadow *shadow = shadow_new(w->store);
	count(shadow, "ann@example.org", 3, T0);
	failed += unit_num("not written yet", total(shadow, "ann@example.org"), -RC_NOTFOUND);
	assert_int_equal(shadow_flush(shadow, NULL), RC_OK);
	failed += unit_num("written", total(shadow, "ann@example.org"), 3);
	count(shadow, "ann@example.org", 2, T0 + 9);
	count(shadow, "bob@example.net", 1, T0);
	assert_int_equal(shadow_flush(shadow, NULL), RC_OK);
	assert_int_equal(shadow_flush(shadow, NULL), RC_OK);
	failed += unit_num("added", total(shadow, "ann@example.org"), 5);
	/* More users than are kept in memory. */
	for (int i = 0; i < 2 * SHADOW_USERS_MAX + 1; i++) {
		char user[64];
		g_snprintf(user, sizeof(user), "u%d@example.net", i);
		count(shadow, user, 1, T0);
	}
	assert_int_equal(shadow_flush(shadow, NULL), RC_OK);
	GPtrArray *users = g_ptr_array_new_with_free_func(g_free);
	assert_int_equal(shadow_users(shadow, NULL, users, NULL), RC_OK);
	failed += unit_num("users", users->len, 2 * SHADOW_USERS_MAX + 3);
	g_ptr_array_set_size(users, 0);
	assert_int_equal(shadow_users(shadow, "example.org", users, NULL), RC_OK);
	failed += unit_num("users of a domain", users->len, 1);
	g_ptr_array_unref(users);
	assert_int_equal(shadow_forget(shadow, "ann@example.org", NULL), RC_OK);
	assert_int_equal(shadow_forget(shadow, "ann@example.org", NULL), RC_OK);
	failed += unit_num("forgotten", total(shadow, "ann@example.org"), -RC_NOTFOUND);
	shadow_free(&shadow);
	world_free(w);
	assert_int_equal(failed, 0);
}

static void test_garbage_in_the_store(void **state)
{
	struct world *w = world_new("mem", "mem");
	int failed = 0;
	void *data = NULL;
	size_t len = 0;
	(void)state;
	world_open(w);
	struct shadow *shadow = shadow_new(w->store);
	assert_int_equal(store_note_put(w->store, "ann@example.org", "shadow", "counts", "rubbish",
			     7, INT64_MAX, NULL),
	    RC_OK);
	failed += unit_num("no sum of rubbish", total(shadow, "ann@example.org"), -RC_PERM);
	count(shadow, "ann@example.org", 2, T0);
	assert_int_equal(shadow_flush(shadow, NULL), RC_OK);
	failed += unit_num("begun anew", total(shadow, "ann@example.org"), 2);
	assert_int_equal(
	    store_note_get(w->store, "ann@example.org", "shadow", "unreadable", &data, &len, NULL),
	    RC_OK);
	failed += unit_str("set aside", data, "rubbish");
	g_free(data);
	GPtrArray *users = g_ptr_array_new_with_free_func(g_free);
	assert_int_equal(shadow_users(shadow, NULL, users, NULL), RC_OK);
	failed += unit_num("one user all the same", users->len, 1);
	g_ptr_array_unref(users);
	shadow_free(&shadow);
	world_free(w);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_sum),
	    cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_store),
	    cmocka_unit_test(test_garbage_in_the_store),
	};
	return cmocka_run_group_tests_name("shadow", tests, NULL, NULL);
}
