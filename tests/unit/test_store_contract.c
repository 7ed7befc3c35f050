/*
 * test_store_contract.c: what store.h promises, on every combination of drivers.
 */
#include <config.h>

#include "store_unit.h"

#include <math.h>

#include "store/store_private.h"

static const char ann[] = "ann@example.org", bob[] = "bob@example.org";

struct drivers {
	const char *msg, *db;
};

static int setup(void **state)
{
	const struct drivers *drivers = *state;
	struct world *w = world_new(drivers->msg, drivers->db);
	world_open(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- messages ---- */

static void test_msg_life(void **state)
{
	struct world *w = *state;
	int failed = 0;
	failed += world_str("nothing yet", world_list(w, ann), "");
	failed += unit_num("commit", world_commit(w, ann, "2.b", "second"), RC_OK);
	failed += unit_num("commit", world_commit(w, ann, "1.a", "first!!"), RC_OK);
	failed += unit_num("commit", world_commit(w, bob, "1.a", "bob's"), RC_OK);
	failed += world_str("in order", world_list(w, ann), "1.a/7 2.b/6 ");
	failed += world_str("own folder", world_list(w, bob), "1.a/5 ");
	failed += world_str("content", world_content(w, ann, "1.a"), "first!!");
	failed += world_str("content", world_content(w, bob, "1.a"), "bob's");
	failed += world_str("missing", world_content(w, bob, "2.b"), "notfound");
	failed += world_str("no such user", world_content(w, "eve@example.org", "2.b"), "notfound");
	failed += unit_num("remove", store_msg_remove(w->store, ann, "1.a", NULL), RC_OK);
	failed += unit_num("again", store_msg_remove(w->store, ann, "1.a", NULL), RC_NOTFOUND);
	failed += world_str("removed", world_list(w, ann), "2.b/6 ");
	failed += world_str("not bob's", world_list(w, bob), "1.a/5 ");
	assert_int_equal(failed, 0);
}

static void test_msg_commit_again(void **state)
{
	struct world *w = *state;
	struct err err;
	int failed = 0;
	char *path = world_file(w, "x", "text");
	failed += unit_num("commit", store_msg_commit(w->store, ann, "x", path, &err), RC_OK);
	failed += unit_num("path is gone", access(path, F_OK), -1);
	failed += unit_num("again", store_msg_commit(w->store, ann, "x", path, &err), RC_OK);
	failed +=
	    unit_num("unknown", store_msg_commit(w->store, ann, "y", path, &err), RC_NOTFOUND);
	failed +=
	    unit_num("another user", store_msg_commit(w->store, bob, "x", path, &err), RC_NOTFOUND);
	/* A crash that left both: the same message is taken, another one is not. */
	g_free(world_file(w, "x", "text"));
	failed += unit_num("copy", store_msg_commit(w->store, ann, "x", path, &err), RC_OK);
	failed += unit_num("copy is gone", access(path, F_OK), -1);
	g_free(world_file(w, "x", "other"));
	failed += unit_num("other", store_msg_commit(w->store, ann, "x", path, &err), RC_PERM);
	failed += unit_num("other stays", access(path, F_OK), 0);
	failed += world_str("first stays", world_content(w, ann, "x"), "text");
	failed += world_str("counted once", world_list(w, ann), "x/4 ");
	g_free(path);
	assert_int_equal(failed, 0);
}

static void test_msg_bad_input(void **state)
{
	static const struct {
		const char *label, *user, *id;
	} rows[] = {
	    {"empty id", ann, ""},
	    {"dot first", ann, ".hidden"},
	    {"parent", ann, ".."},
	    {"slash", ann, "a/b"},
	    {"flags", ann, "a:2,S"},
	    {"space", ann, "a b"},
	    {"newline", ann, "a\n"},
	    {"not ascii", ann, "a\xc3\xb6"},
	    {"empty user", "", "a"},
	    {"no domain", "ann", "a"},
	    {"no domain", "ann@", "a"},
	    {"no local part", "@example.org", "a"},
	};
	struct world *w = *state;
	int failed = 0, fd = -7;
	char long_id[STORE_ID_MAX + 1], long_user[ADDR_MAX + 20];
	char *path = world_file(w, "file", "text");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *l = rows[i].label;
		failed += unit_num(
		    l, store_msg_commit(w->store, rows[i].user, rows[i].id, path, NULL), RC_PERM);
		failed += unit_num(
		    l, store_msg_open(w->store, rows[i].user, rows[i].id, &fd, NULL), RC_PERM);
		failed += unit_num(
		    l, store_msg_remove(w->store, rows[i].user, rows[i].id, NULL), RC_PERM);
	}
	memset(long_id, 'i', sizeof(long_id));
	long_id[STORE_ID_MAX] = '\0';
	failed +=
	    unit_num("long id", store_msg_commit(w->store, ann, long_id, path, NULL), RC_PERM);
	memset(long_user, 'u', sizeof(long_user));
	strcpy(long_user + ADDR_MAX, "@example.org");
	failed +=
	    unit_num("long user", store_msg_commit(w->store, long_user, "a", path, NULL), RC_PERM);
	failed += unit_num("descriptor untouched", fd, -7);
	failed += unit_num("file untouched", access(path, F_OK), 0);
	failed += unit_num(
	    "a directory", store_msg_commit(w->store, ann, "a", w->incoming, NULL), RC_PERM);
	/* The longest that is allowed. */
	long_id[STORE_ID_MAX - 1] = '\0';
	failed += unit_num("id", store_msg_commit(w->store, ann, long_id, path, NULL), RC_OK);
	failed += world_str("id", world_content(w, ann, long_id), "text");
	g_free(path);
	assert_int_equal(failed, 0);
}

static bool add_name(void *ctx, const char *user)
{
	g_ptr_array_add(ctx, g_strdup(user));
	return true;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void test_msg_users(void **state)
{
	static const char *const users[] = {
	    "\"../x\"@example.org",
	    "\"a b\"@example.org",
	    "\"a@b\"@example.org",
	    "a%b@example.org",
	    "ann@example.org",
	    "ann@sub.example.org",
	    "ann@xn--bcher-kva.example",
	    "j\xc3\xb6rg@example.org",
	    "o'neil+x@[192.0.2.1]",
	};
	struct world *w = *state;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	int failed = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(users); i++)
		failed += unit_num(users[i], world_commit(w, users[i], "m", users[i]), RC_OK);
	assert_int_equal(store_msg_users(w->store, add_name, names, NULL), RC_OK);
	g_ptr_array_sort(names, compare_names);
	failed += unit_num("users", names->len, G_N_ELEMENTS(users));
	for (guint i = 0; i < MIN(names->len, G_N_ELEMENTS(users)); i++) {
		failed += unit_str("user", g_ptr_array_index(names, i), users[i]);
		failed += world_str(users[i], world_content(w, users[i], "m"), users[i]);
	}
	g_ptr_array_unref(names);
	assert_int_equal(failed, 0);
}

static bool stop_at_once(void *ctx, const struct store_msg *msg)
{
	(void)msg;
	(*(int *)ctx)++;
	return false;
}

static void test_msg_list_stops(void **state)
{
	struct world *w = *state;
	int calls = 0;
	world_commit(w, ann, "a", "1");
	world_commit(w, ann, "b", "1");
	assert_int_equal(store_msg_list(w->store, ann, stop_at_once, &calls, NULL), RC_OK);
	assert_int_equal(calls, 1);
}

/* ---- index ---- */

static void test_held(void **state)
{
	struct world *w = *state;
	struct store_held want = world_held("1.a", 1), got, other = world_held("1.a", 2);
	int failed = 0;
	memset(&got, 'x', sizeof(got));
	failed += unit_num("none", store_held_get(w->store, ann, "1.a", &got, NULL), RC_NOTFOUND);
	failed += unit_num("untouched", got.id[0], 'x');
	failed += unit_num("put", store_held_put(w->store, ann, &want, NULL), RC_OK);
	failed += unit_num("get", store_held_get(w->store, ann, "1.a", &got, NULL), RC_OK);
	failed += world_same_held("held", &got, &want);
	failed += unit_num("replace", store_held_put(w->store, ann, &other, NULL), RC_OK);
	failed += unit_num("get", store_held_get(w->store, ann, "1.a", &got, NULL), RC_OK);
	failed += world_same_held("replaced", &got, &other);
	failed += unit_num("bob's", store_held_get(w->store, bob, "1.a", &got, NULL), RC_NOTFOUND);
	failed += unit_num("del", store_held_del(w->store, ann, "1.a", NULL), RC_OK);
	failed += unit_num("del", store_held_del(w->store, ann, "1.a", NULL), RC_NOTFOUND);
	failed += unit_num("gone", store_held_get(w->store, ann, "1.a", &got, NULL), RC_NOTFOUND);
	assert_int_equal(failed, 0);
}

/* Every text as long as it may be, in bytes that are no UTF-8; numbers at their ends. */
static void test_held_extremes(void **state)
{
	struct world *w = *state;
	struct store_held want, got;
	char user[ADDR_MAX];
	int failed = 0;
	memset(&want, 0xff, sizeof(want));
	memset(want.id, 'z', sizeof(want.id));
	want.id[sizeof(want.id) - 1] = '\0';
	want.class_name[sizeof(want.class_name) - 1] = '\0';
	want.reasons[sizeof(want.reasons) - 1] = '\0';
	want.from_addr[sizeof(want.from_addr) - 1] = '\0';
	want.from_name[sizeof(want.from_name) - 1] = '\0';
	want.subject[sizeof(want.subject) - 1] = '\0';
	want.message_id[sizeof(want.message_id) - 1] = '\0';
	want.list_id[sizeof(want.list_id) - 1] = '\0';
	want.return_path[sizeof(want.return_path) - 1] = '\0';
	want.rcpt[sizeof(want.rcpt) - 1] = '\0';
	want.received = INT64_MIN;
	want.size = UINT64_MAX;
	want.lead = UINT32_MAX;
	want.score = -0.125;
	memset(user, 0xfe, sizeof(user));
	user[64] = '@';
	user[sizeof(user) - 1] = '\0';
	failed += unit_num("put", store_held_put(w->store, user, &want, NULL), RC_OK);
	failed += unit_num("get", store_held_get(w->store, user, want.id, &got, NULL), RC_OK);
	if (failed == 0)
		failed += world_same_held("extremes", &got, &want);
	char *expected = g_strdup_printf("%s/%s ", user, want.id);
	failed += world_str("scan", world_index(w, user), expected);
	g_free(expected);

	struct store_held empty;
	memset(&empty, 0, sizeof(empty));
	strcpy(empty.id, "e");
	failed += unit_num("put empty", store_held_put(w->store, ann, &empty, NULL), RC_OK);
	failed += unit_num("get empty", store_held_get(w->store, ann, "e", &got, NULL), RC_OK);
	failed += world_same_held("empty", &got, &empty);

	static const char *const bad_ids[] = {"", ".a", "a/b", "a b"};
	for (size_t i = 0; i < G_N_ELEMENTS(bad_ids); i++) {
		strcpy(empty.id, bad_ids[i]);
		failed +=
		    unit_num(bad_ids[i], store_held_put(w->store, ann, &empty, NULL), RC_PERM);
	}
	strcpy(empty.id, "e");
	empty.score = INFINITY;
	failed += unit_num("infinite", store_held_put(w->store, ann, &empty, NULL), RC_PERM);
	empty.score = 0;
	memset(empty.subject, 's', sizeof(empty.subject));
	failed += unit_num("endless", store_held_put(w->store, ann, &empty, NULL), RC_PERM);
	empty.subject[0] = '\0';
	failed += unit_num("nobody", store_held_put(w->store, "nobody", &empty, NULL), RC_PERM);
	assert_int_equal(failed, 0);
}

static void test_held_scan(void **state)
{
	static const char *const users[] = {"a@x", "a@x.example", "aa@x", "b@x"};
	struct world *w = *state;
	int failed = 0;
	/* Backwards, so that order is the store's doing; enough for several batches. */
	store_begin(w->store, NULL);
	for (int u = G_N_ELEMENTS(users) - 1; u >= 0; u--)
		for (int i = 149; i >= 0; i--) {
			char id[20];
			g_snprintf(id, sizeof(id), "m%03d", i);
			struct store_held held = world_held(id, i);
			if (store_held_put(w->store, users[u], &held, NULL) != RC_OK)
				failed++;
		}
	store_commit(w->store, NULL);
	GString *all = g_string_new(NULL);
	for (size_t u = 0; u < G_N_ELEMENTS(users); u++) {
		GString *one = g_string_new(NULL);
		for (int i = 0; i < 150; i++)
			g_string_append_printf(one, "%s/m%03d ", users[u], i);
		failed += world_str(users[u], world_index(w, users[u]), one->str);
		g_string_append(all, one->str);
		g_string_free(one, TRUE);
	}
	failed += world_str("all", world_index(w, NULL), all->str);
	failed += world_str("nobody", world_index(w, "c@x"), "");
	g_string_free(all, TRUE);
	assert_int_equal(failed, 0);
}

/* ---- ledger ---- */

static bool note_slot(void *ctx, const char *user, const void *data, size_t len)
{
	g_string_append_printf(ctx, "%s=%.*s ", user, (int)len, (const char *)data);
	return true;
}

static void test_slot(void **state)
{
	struct world *w = *state;
	void *data = NULL;
	size_t len = 77;
	int failed = 0;
	failed += unit_num("none", store_slot_get(w->store, ann, &data, &len, NULL), RC_NOTFOUND);
	failed += unit_num("untouched", data == NULL && len == 77, 1);
	failed += unit_num("put", store_slot_put(w->store, ann, "a\0b", 3, NULL), RC_OK);
	failed += unit_num("get", store_slot_get(w->store, ann, &data, &len, NULL), RC_OK);
	failed += unit_num("binary", len == 3 && memcmp(data, "a\0b", 3) == 0, 1);
	g_free(data);
	data = NULL;
	failed += unit_num("empty", store_slot_put(w->store, ann, NULL, 0, NULL), RC_OK);
	failed += unit_num("get", store_slot_get(w->store, ann, &data, &len, NULL), RC_OK);
	failed += unit_num("empty", data != NULL && len == 0, 1);
	g_free(data);

	char *big = g_malloc(STORE_SLOT_MAX + 1);
	memset(big, 'B', STORE_SLOT_MAX + 1);
	failed += unit_num(
	    "too large", store_slot_put(w->store, ann, big, STORE_SLOT_MAX + 1, NULL), RC_PERM);
	failed +=
	    unit_num("largest", store_slot_put(w->store, ann, big, STORE_SLOT_MAX, NULL), RC_OK);
	failed += unit_num("get", store_slot_get(w->store, ann, &data, &len, NULL), RC_OK);
	failed +=
	    unit_num("largest", len == STORE_SLOT_MAX && memcmp(data, big, STORE_SLOT_MAX) == 0, 1);
	g_free(data);
	g_free(big);

	store_slot_put(w->store, bob, "2", 1, NULL);
	store_slot_put(w->store, ann, "1", 1, NULL);
	GString *text = g_string_new(NULL);
	failed += unit_num("scan", store_slot_scan(w->store, note_slot, text, NULL), RC_OK);
	failed += unit_str("scan", text->str, "ann@example.org=1 bob@example.org=2 ");
	g_string_free(text, TRUE);
	failed += unit_num("del", store_slot_del(w->store, ann, NULL), RC_OK);
	failed += unit_num("del", store_slot_del(w->store, ann, NULL), RC_NOTFOUND);
	failed += unit_num("nobody", store_slot_put(w->store, "", "1", 1, NULL), RC_PERM);
	assert_int_equal(failed, 0);
}

/* ---- what the user sent ---- */

static int check_known(struct world *w, const char *label, const char *address, int64_t want)
{
	int64_t when = -99;
	enum rc rc = store_known_get(w->store, ann, address, &when, NULL);
	return unit_num(label, rc, want == -99 ? RC_NOTFOUND : RC_OK) + unit_num(label, when, want);
}

static void test_known(void **state)
{
	struct world *w = *state;
	int64_t when = -99;
	int failed = 0;
	failed += check_known(w, "none", "eve@x", -99);
	failed += unit_num("put", store_known_put(w->store, ann, "eve@x", 100, NULL), RC_OK);
	failed += check_known(w, "put", "eve@x", 100);
	failed += unit_num("earlier", store_known_put(w->store, ann, "eve@x", 50, NULL), RC_OK);
	failed += check_known(w, "the later stays", "eve@x", 100);
	failed += unit_num("later", store_known_put(w->store, ann, "eve@x", 200, NULL), RC_OK);
	failed += check_known(w, "replaced", "eve@x", 200);
	failed += unit_num(
	    "another's", store_known_get(w->store, bob, "eve@x", &when, NULL), RC_NOTFOUND);
	failed += unit_num("del", store_known_del(w->store, ann, "eve@x", NULL), RC_OK);
	failed += unit_num("del", store_known_del(w->store, ann, "eve@x", NULL), RC_NOTFOUND);
	failed += check_known(w, "deleted", "eve@x", -99);
	failed += unit_num("sent", store_sent_put(w->store, ann, "<1@x>", 5, NULL), RC_OK);
	failed += unit_num("sent", store_sent_get(w->store, ann, "<1@x>", &when, NULL), RC_OK);
	failed += unit_num("sent", when, 5);
	failed += check_known(w, "a message is no address", "<1@x>", -99);
	failed += unit_num("empty", store_known_put(w->store, ann, "", 5, NULL), RC_PERM);
	char *endless = g_strnfill(5000, 'e');
	failed += unit_num("endless", store_known_put(w->store, ann, endless, 5, NULL), RC_PERM);
	failed +=
	    unit_num("endless", store_known_get(w->store, ann, endless, &when, NULL), RC_PERM);
	g_free(endless);
	assert_int_equal(failed, 0);
}

/* At most *limit of them. */
struct known_notes {
	GString *text;
	int limit;
};

static bool note_known(void *ctx, const char *address, int64_t when)
{
	struct known_notes *notes = ctx;
	g_string_append_printf(notes->text, "%s=%lld ", address, (long long)when);
	return --notes->limit > 0;
}

static int check_scan(
    struct world *w, const char *label, const char *user, int limit, const char *want)
{
	struct known_notes notes = {.text = g_string_new(NULL), .limit = limit};
	int failed =
	    unit_num(label, store_known_scan(w->store, user, note_known, &notes, NULL), RC_OK) +
	    unit_str(label, notes.text->str, want);
	g_string_free(notes.text, TRUE);
	return failed;
}

static bool forget_known(void *ctx, const char *address, int64_t when)
{
	struct world *w = ctx;
	(void)when;
	assert_int_equal(store_known_del(w->store, ann, address, NULL), RC_OK);
	return true;
}

static void test_known_scan(void **state)
{
	struct world *w = *state;
	int failed = 0;
	failed += check_scan(w, "none", ann, 9, "");
	store_known_put(w->store, ann, "eve@x", 200, NULL);
	store_known_put(w->store, ann, "bob@x", 100, NULL);
	store_known_put(w->store, ann, "bob@x.y", -3, NULL);
	store_known_put(w->store, bob, "carl@x", 1, NULL);
	store_known_put(w->store, "ann@example.orga", "dan@x", 1, NULL); /* begins like Ann's */
	store_sent_put(w->store, ann, "<1@x>", 5, NULL);
	failed += check_scan(w, "all", ann, 9, "bob@x=100 bob@x.y=-3 eve@x=200 ");
	failed += check_scan(w, "two", ann, 2, "bob@x=100 bob@x.y=-3 ");
	failed += check_scan(w, "another's", bob, 9, "carl@x=1 ");
	store_begin(w->store, NULL);
	store_known_put(w->store, ann, "new@x", 1, NULL);
	failed += check_scan(w, "inside", ann, 9, "bob@x=100 bob@x.y=-3 eve@x=200 new@x=1 ");
	store_abort(w->store);
	failed +=
	    unit_num("nobody", store_known_scan(w->store, "", note_known, NULL, NULL), RC_PERM);
	/* More than a driver reads at a time, and changed meanwhile. */
	store_begin(w->store, NULL);
	for (int i = 0; i < 500; i++) {
		char name[20];
		g_snprintf(name, sizeof(name), "n%d@x", i);
		store_known_put(w->store, ann, name, i, NULL);
	}
	store_commit(w->store, NULL);
	failed +=
	    unit_num("changed", store_known_scan(w->store, ann, forget_known, w, NULL), RC_OK);
	failed += check_scan(w, "all gone", ann, 9, "");
	failed += check_scan(w, "another's stay", bob, 9, "carl@x=1 ");
	assert_int_equal(failed, 0);
}

static void test_known_expire(void **state)
{
	struct world *w = *state;
	size_t removed = 99;
	int failed = 0;
	store_begin(w->store, NULL);
	for (int i = 0; i < 25; i++) {
		char name[20];
		g_snprintf(name, sizeof(name), "n%d@x", i);
		store_known_put(w->store, ann, name, -5 + i, NULL); /* -5 to 19 */
		store_sent_put(w->store, bob, name, -5 + i, NULL);
	}
	store_known_put(w->store, ann, "n0@x", 1000, NULL); /* was the oldest */
	store_commit(w->store, NULL);
	failed += unit_num("none", store_known_expire(w->store, -5, 10, &removed, NULL), RC_OK);
	failed += unit_num("none", (long long)removed, 0);
	failed += unit_num("zero", store_known_expire(w->store, 5, 0, &removed, NULL), RC_OK);
	failed += unit_num("zero", (long long)removed, 0);
	failed += unit_num("first", store_known_expire(w->store, 5, 15, &removed, NULL), RC_OK);
	failed += unit_num("first", (long long)removed, 15);
	failed += unit_num("rest", store_known_expire(w->store, 5, 15, &removed, NULL), RC_OK);
	failed += unit_num("rest", (long long)removed, 4); /* 9 + 10 in all */
	failed += unit_num("no more", store_known_expire(w->store, 5, 15, &removed, NULL), RC_OK);
	failed += unit_num("no more", (long long)removed, 0);
	failed += check_known(w, "renewed", "n0@x", 1000);
	failed += check_known(w, "old", "n9@x", -99);
	failed += check_known(w, "at the limit", "n10@x", 5);
	int64_t when;
	failed +=
	    unit_num("old sent", store_sent_get(w->store, bob, "n0@x", &when, NULL), RC_NOTFOUND);
	failed +=
	    unit_num("young sent", store_sent_get(w->store, bob, "n10@x", &when, NULL), RC_OK);
	assert_int_equal(failed, 0);
}

/* ---- notes ---- */

static int check_note(struct world *w, const char *label, const char *user, const char *kind,
    const char *name, const char *want)
{
	void *data = NULL;
	size_t len = 0;
	enum rc rc = store_note_get(w->store, user, kind, name, &data, &len, NULL);
	int failed = unit_str(label, rc == RC_OK ? data : rc_name(rc), want);
	if (rc == RC_OK)
		failed += unit_num(label, (long long)len, (long long)strlen(want));
	g_free(data);
	return failed;
}

static enum rc put_note(
    struct world *w, const char *kind, const char *name, const char *text, int64_t expires)
{
	return store_note_put(w->store, ann, kind, name, text, strlen(text), expires, NULL);
}

static bool print_note(void *ctx, const char *user, const char *name, const void *data, size_t len)
{
	g_string_append_printf(ctx, "%.3s:%s=%.*s ", user, name, (int)len, (const char *)data);
	return strcmp(name, "stop") != 0;
}

static void test_note(void **state)
{
	struct world *w = *state;
	GString *seen = g_string_new(NULL);
	int failed = 0;
	failed += check_note(w, "none", ann, "used", "a", "notfound");
	failed += unit_num("put", put_note(w, "used", "a", "one", 100), RC_OK);
	failed += unit_num("replace", put_note(w, "used", "a", "two", 50), RC_OK);
	failed += unit_num("empty", put_note(w, "used", "b/c", "", 50), RC_OK);
	failed += unit_num("kind", put_note(w, "use", "d", "three", 50), RC_OK);
	failed += unit_num(
	    "bob's", store_note_put(w->store, bob, "used", "a", "bob", 3, 50, NULL), RC_OK);
	failed += check_note(w, "replaced", ann, "used", "a", "two");
	failed += check_note(w, "empty", ann, "used", "b/c", "");
	failed += check_note(w, "bob's", bob, "used", "a", "bob");
	failed += check_note(w, "another kind", ann, "used", "d", "notfound");
	failed +=
	    unit_num("scan", store_note_scan(w->store, ann, "used", print_note, seen, NULL), RC_OK);
	failed += unit_str("scan", seen->str, "ann:a=two ann:b/c= ");
	g_string_truncate(seen, 0);
	failed +=
	    unit_num("all", store_note_scan(w->store, NULL, "used", print_note, seen, NULL), RC_OK);
	failed += unit_str("all", seen->str, "ann:a=two ann:b/c= bob:a=bob ");
	failed += unit_num("del", store_note_del(w->store, ann, "used", "a", NULL), RC_OK);
	failed += unit_num("del", store_note_del(w->store, ann, "used", "a", NULL), RC_NOTFOUND);
	failed += check_note(w, "deleted", ann, "used", "a", "notfound");
	failed += check_note(w, "not bob's", bob, "used", "a", "bob");
	failed += unit_num("no kind", put_note(w, "", "a", "x", 1), RC_PERM);
	failed += unit_num("a slash", put_note(w, "a/b", "a", "x", 1), RC_PERM);
	char *large = g_strnfill(STORE_NOTE_MAX + 1, 'x');
	failed += unit_num("too large", put_note(w, "used", "l", large, 1), RC_PERM);
	failed += unit_num("too long a name", put_note(w, "used", large, "x", 1), RC_PERM);
	large[STORE_NOTE_MAX] = '\0';
	failed += unit_num("large", put_note(w, "used", "l", large, 1), RC_OK);
	failed += check_note(w, "large", ann, "used", "l", large);
	g_free(large);
	g_string_free(seen, TRUE);
	assert_int_equal(failed, 0);
}

static void test_note_expire(void **state)
{
	struct world *w = *state;
	size_t removed = 99;
	int failed = 0;
	for (int i = 0; i < 20; i++) {
		char name[20];
		g_snprintf(name, sizeof(name), "n%02d", i);
		failed += unit_num(name, put_note(w, "used", name, name, i - 5), RC_OK);
	}
	failed += unit_num("prolonged", put_note(w, "used", "n00", "on", 1000), RC_OK);
	failed += unit_num("none", store_note_expire(w->store, -5, 9, &removed, NULL), RC_OK);
	failed += unit_num("none", (long long)removed, 0);
	failed += unit_num("first", store_note_expire(w->store, 5, 6, &removed, NULL), RC_OK);
	failed += unit_num("first", (long long)removed, 6);
	failed += unit_num("rest", store_note_expire(w->store, 5, 6, &removed, NULL), RC_OK);
	failed += unit_num("rest", (long long)removed, 3);
	failed += check_note(w, "prolonged", ann, "used", "n00", "on");
	failed += check_note(w, "ended", ann, "used", "n09", "notfound");
	failed += check_note(w, "at the limit", ann, "used", "n10", "n10");
	/* What was lost of the ages comes back. */
	GByteArray *age = g_byte_array_new();
	store_note_age_key(
	    5, (struct store_bytes){.data = "ann@example.org\0used/n10", .len = 24}, age);
	failed += unit_num("lose",
	    w->store->db->del(w->store->db_self, STORE_TABLE_NOTE_AGE, store_bytes_of(age), NULL),
	    RC_OK);
	failed += unit_num("lost", store_note_expire(w->store, 6, 9, &removed, NULL), RC_OK);
	failed += unit_num("lost", (long long)removed, 0);
	failed += unit_num("mend", store_note_mend(w->store, NULL), RC_OK);
	failed += unit_num("mended", store_note_expire(w->store, 6, 9, &removed, NULL), RC_OK);
	failed += unit_num("mended", (long long)removed, 1);
	g_byte_array_unref(age);
	assert_int_equal(failed, 0);
}

/* ---- transactions ---- */

static void test_txn(void **state)
{
	struct world *w = *state;
	struct store_held a = world_held("a", 1), b = world_held("b", 2), got;
	int64_t when;
	int failed = 0;
	store_held_put(w->store, ann, &a, NULL);
	store_known_put(w->store, ann, "eve@x", 5, NULL);

	failed += unit_num("begin", store_begin(w->store, NULL), RC_OK);
	failed += unit_num("nested", store_begin(w->store, NULL), RC_PERM);
	store_held_put(w->store, ann, &b, NULL);
	store_held_del(w->store, ann, "a", NULL);
	store_known_put(w->store, ann, "eve@x", 9, NULL);
	store_known_put(w->store, ann, "new@x", 9, NULL);
	store_slot_put(w->store, ann, "s", 1, NULL);
	failed += world_str("seen inside", world_index(w, ann), "ann@example.org/b ");
	store_abort(w->store);
	failed += world_str("rolled back", world_index(w, ann), "ann@example.org/a ");
	failed += check_known(w, "rolled back", "eve@x", 5);
	failed += check_known(w, "rolled back", "new@x", -99);
	size_t removed;
	failed += unit_num("expire", store_known_expire(w->store, 6, 9, &removed, NULL), RC_OK);
	failed += unit_num("expire", (long long)removed, 1);

	failed += unit_num("begin", store_begin(w->store, NULL), RC_OK);
	store_held_put(w->store, ann, &b, NULL);
	store_held_del(w->store, ann, "a", NULL);
	store_sent_put(w->store, ann, "<1@x>", 7, NULL);
	failed += unit_num("rebuild inside",
	    store_rebuild(w->store, NULL, world_describe, NULL, NULL, NULL), RC_PERM);
	failed += unit_num("commit", store_commit(w->store, NULL), RC_OK);
	failed += world_str("committed", world_index(w, ann), "ann@example.org/b ");
	failed += unit_num("sent", store_sent_get(w->store, ann, "<1@x>", &when, NULL), RC_OK);
	failed +=
	    unit_num("a NOTFOUND", store_held_get(w->store, ann, "a", &got, NULL), RC_NOTFOUND);

	/* What is not there, or is refused before it is written, spoils nothing. */
	failed += unit_num("begin", store_begin(w->store, NULL), RC_OK);
	failed += unit_num("del", store_held_del(w->store, ann, "zz", NULL), RC_NOTFOUND);
	failed += unit_num("put", store_slot_put(w->store, "", "s", 1, NULL), RC_PERM);
	failed += unit_num("put", store_slot_put(w->store, ann, "s", 1, NULL), RC_OK);
	failed += unit_num("commit", store_commit(w->store, NULL), RC_OK);

	failed += unit_num("no begin", store_commit(w->store, NULL), RC_PERM);
	store_abort(w->store); /* nothing to roll back, nothing happens */
	failed += unit_num("checkpoint", store_checkpoint(w->store, NULL), RC_OK);
	assert_int_equal(failed, 0);
}

/* More changes in one transaction than the database's default tables of locks allow. */
static void test_txn_large(void **state)
{
	struct world *w = *state;
	int failed = 0, i;
	assert_int_equal(store_begin(w->store, NULL), RC_OK);
	for (i = 0; i < 4000 && failed == 0; i++) {
		char id[20];
		struct err err;
		g_snprintf(id, sizeof(id), "m%d", i);
		struct store_held held = world_held(id, i);
		memset(held.subject, 's', sizeof(held.subject) - 1);
		if (store_held_put(w->store, ann, &held, &err) != RC_OK) {
			fprintf(stderr, "%d: %s\n", i, err.text);
			failed++;
		}
	}
	assert_int_equal(store_commit(w->store, NULL), RC_OK);
	assert_int_equal(failed, 0);
}

static bool delete_entry(void *ctx, const char *user, const struct store_held *held)
{
	struct world *w = ctx;
	return store_held_del(w->store, user, held->id, NULL) == RC_OK;
}

/* store.h forbids it, but it must not hang: a scan holds no lock while its caller works. */
static void test_scan_and_change(void **state)
{
	struct world *w = *state;
	store_begin(w->store, NULL);
	for (int i = 0; i < 200; i++) {
		char id[20];
		g_snprintf(id, sizeof(id), "m%d", i);
		struct store_held held = world_held(id, i);
		assert_int_equal(store_held_put(w->store, ann, &held, NULL), RC_OK);
	}
	store_commit(w->store, NULL);
	assert_int_equal(store_held_scan(w->store, NULL, delete_entry, w, NULL), RC_OK);
	assert_int_equal(world_str("all gone", world_index(w, NULL), ""), 0);
}

/* ---- rebuild ---- */

static void test_rebuild(void **state)
{
	struct world *w = *state;
	struct store_held held, stale = world_held("stale", 1);
	size_t changed = 99;
	int failed = 0, calls = 0;
	char *long_user = g_strdup_printf("ann@%s.example",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
	    "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
	    "dddddddddddddddddddddddddddddddddddddddd");
	char *text = g_strdup_printf("To: %s\n", long_user);
	failed += unit_num("commit", world_commit(w, ann, "1", "To: ann@example.org\n"), RC_OK);
	failed += unit_num("commit", world_commit(w, ann, "2", "To: ann@example.org\n.."), RC_OK);
	failed += unit_num("commit", world_commit(w, ann, "0", "not ours"), RC_OK);
	failed += unit_num("commit", world_commit(w, bob, "1", "To: elsewhere@x\n"), RC_OK);
	failed += unit_num("commit", world_commit(w, long_user, "1", text), RC_OK);
	store_held_put(w->store, ann, &stale, NULL);
	store_held_put(w->store, "gone@example.org", &stale, NULL);
	failed += unit_num("one user",
	    store_rebuild(w->store, ann, world_describe, &calls, &changed, NULL), RC_OK);
	failed += unit_num("one user", (long long)changed, 3);
	failed +=
	    world_str("one user", world_index(w, ann), "ann@example.org/1 ann@example.org/2 ");
	failed +=
	    world_str("not another", world_index(w, "gone@example.org"), "gone@example.org/stale ");
	failed += unit_num(
	    "all", store_rebuild(w->store, NULL, world_describe, &calls, &changed, NULL), RC_OK);
	failed += unit_num("all", (long long)changed, 3);
	failed += unit_num("get", store_held_get(w->store, ann, "2", &held, NULL), RC_OK);
	failed += unit_num("described", (long long)held.size, 22);
	char *want =
	    g_strdup_printf("ann@%s/1 ann@example.org/1 ann@example.org/2 bob@example.org/1 ",
		addr_domain(long_user));
	failed += world_str("all", world_index(w, NULL), want);
	calls = 0;
	failed += unit_num("nothing to do",
	    store_rebuild(w->store, NULL, world_describe, &calls, &changed, NULL), RC_OK);
	failed += unit_num("nothing to do", (long long)changed, 0);
	failed += unit_num("looked at what is not indexed, and whose it is", calls, 2);
	g_free(want);
	g_free(text);
	g_free(long_user);
	assert_int_equal(failed, 0);
}

static enum rc describe_fails(void *ctx, int fd, const struct store_msg *msg,
    char user_out[ADDR_MAX], struct store_held *held_out, struct err *err)
{
	(void)ctx, (void)fd, (void)msg, (void)user_out, (void)held_out;
	return err_set(err, RC_TEMP, "not now");
}

static void test_rebuild_fails(void **state)
{
	struct world *w = *state;
	struct store_held held = world_held("1", 1);
	size_t changed = 99;
	struct err err;
	int failed = 0;
	world_commit(w, ann, "1", "To: ann@example.org\n");
	world_commit(w, ann, "2", "To: ann@example.org\n");
	store_held_put(w->store, ann, &held, NULL);
	failed += unit_num(
	    "fails", store_rebuild(w->store, NULL, describe_fails, NULL, &changed, &err), RC_TEMP);
	failed += unit_str("text", err.text, "not now");
	failed += unit_num("untouched", (long long)changed, 99);
	failed += world_str("kept", world_index(w, NULL), "ann@example.org/1 ");
	assert_int_equal(failed, 0);
}

/* ---- the driver that fails ---- */

static bool never_msg(void *ctx, const struct store_msg *msg)
{
	(void)ctx, (void)msg;
	fail_msg("called");
	return false;
}

static bool never_user(void *ctx, const char *user)
{
	(void)ctx, (void)user;
	fail_msg("called");
	return false;
}

static bool never_held(void *ctx, const char *user, const struct store_held *held)
{
	(void)ctx, (void)user, (void)held;
	fail_msg("called");
	return false;
}

static bool never_slot(void *ctx, const char *user, const void *data, size_t len)
{
	(void)ctx, (void)user, (void)data, (void)len;
	fail_msg("called");
	return false;
}

static bool never_known(void *ctx, const char *address, int64_t when)
{
	(void)ctx, (void)address, (void)when;
	fail_msg("called");
	return false;
}

#define FAILS(call) \
	do { \
		struct err err = {.text = ""}; \
		failed += unit_num(#call, call, RC_TEMP); \
		failed += unit_num(#call " has a text", err.text[0] != '\0', 1); \
	} while (0)

static void test_fail(void **state)
{
	struct world *w = world_new("fail", "fail");
	struct store_held held = world_held("1", 1), got;
	char *path = world_file(w, "1", "text");
	int failed = 0, fd = -7;
	void *data = &fd;
	size_t len = 77;
	int64_t when = -99;
	(void)state;
	world_open(w);
	struct store *s = w->store;
	memset(&got, 'x', sizeof(got));
	FAILS(store_msg_commit(s, ann, "1", path, &err));
	FAILS(store_msg_list(s, ann, never_msg, NULL, &err));
	FAILS(store_msg_open(s, ann, "1", &fd, &err));
	FAILS(store_msg_remove(s, ann, "1", &err));
	FAILS(store_msg_users(s, never_user, NULL, &err));
	FAILS(store_held_put(s, ann, &held, &err));
	FAILS(store_held_get(s, ann, "1", &got, &err));
	FAILS(store_held_del(s, ann, "1", &err));
	FAILS(store_held_scan(s, NULL, never_held, NULL, &err));
	FAILS(store_rebuild(s, NULL, world_describe, NULL, &len, &err));
	FAILS(store_rebuild(s, ann, world_describe, NULL, &len, &err));
	FAILS(store_slot_put(s, ann, "1", 1, &err));
	FAILS(store_slot_get(s, ann, &data, &len, &err));
	FAILS(store_slot_del(s, ann, &err));
	FAILS(store_slot_scan(s, never_slot, NULL, &err));
	FAILS(store_known_put(s, ann, "eve@x", 1, &err));
	FAILS(store_known_get(s, ann, "eve@x", &when, &err));
	FAILS(store_known_del(s, ann, "eve@x", &err));
	FAILS(store_known_scan(s, ann, never_known, NULL, &err));
	FAILS(store_sent_put(s, ann, "<1@x>", 1, &err));
	FAILS(store_sent_get(s, ann, "<1@x>", &when, &err));
	FAILS(store_known_expire(s, 1, 1, &len, &err));
	FAILS(store_note_put(s, ann, "used", "a", "x", 1, 1, &err));
	FAILS(store_note_get(s, ann, "used", "a", &data, &len, &err));
	FAILS(store_note_del(s, ann, "used", "a", &err));
	FAILS(store_note_scan(s, NULL, "used", print_note, NULL, &err));
	FAILS(store_note_expire(s, 1, 1, &len, &err));
	FAILS(store_begin(s, &err));
	FAILS(store_checkpoint(s, &err));
	store_abort(s);
	failed += unit_num("file", access(path, F_OK), 0);
	failed += unit_num("descriptor", fd, -7);
	failed += unit_num("data", data == &fd, 1);
	failed += unit_num("len", (long long)len, 77);
	failed += unit_num("when", when, -99);
	failed += unit_num("held", got.id[0] == 'x' && got.rcpt[0] == 'x', 1);
	g_free(path);
	world_free(w);
	assert_int_equal(failed, 0);
}

static void test_no_driver(void **state)
{
	struct world *w = world_new("maildir", "sql");
	struct err err;
	(void)state;
	assert_int_equal(world_try_open(w, &err), RC_PERM);
	assert_string_equal(err.text, "no such store driver: sql");
	assert_null(w->store);
	world_free(w);
}

/* On success the caller's err is not touched, whatever was met on the way. */
static void test_err_untouched(void **state)
{
	struct world *w = *state;
	struct err err = {.text = "untouched"};
	struct store_held held = world_held("1", 1);
	size_t removed;
	char *path = world_file(w, "1", "To: ann@example.org\n");
	int fd, failed = 0;
	GString *unused = g_string_new(NULL);
	failed += unit_num("list", store_msg_list(w->store, ann, never_msg, NULL, &err), RC_OK);
	failed += unit_num("commit", store_msg_commit(w->store, ann, "1", path, &err), RC_OK);
	failed += unit_num("again", store_msg_commit(w->store, ann, "1", path, &err), RC_OK);
	failed += unit_num("list", store_msg_list(w->store, ann, world_note_msg, unused, &err), 0);
	failed += unit_num("open", store_msg_open(w->store, ann, "1", &fd, &err), RC_OK);
	close(fd);
	failed += unit_num(
	    "rebuild", store_rebuild(w->store, NULL, world_describe, NULL, NULL, &err), RC_OK);
	failed += unit_num("remove", store_msg_remove(w->store, ann, "1", &err), RC_OK);
	failed += unit_num(
	    "rebuild", store_rebuild(w->store, NULL, world_describe, NULL, NULL, &err), RC_OK);
	failed += unit_num("known", store_known_put(w->store, ann, "e@x", 1, &err), RC_OK);
	failed += unit_num("known", store_known_put(w->store, ann, "e@x", 2, &err), RC_OK);
	failed += unit_num("expire", store_known_expire(w->store, 9, 9, &removed, &err), RC_OK);
	failed += unit_num("held", store_held_put(w->store, ann, &held, &err), RC_OK);
	failed +=
	    unit_num("scan", store_held_scan(w->store, ann, world_note_held, unused, &err), RC_OK);
	failed +=
	    unit_num("note", store_note_put(w->store, ann, "used", "a", "x", 1, 1, &err), RC_OK);
	failed +=
	    unit_num("expire notes", store_note_expire(w->store, 9, 9, &removed, &err), RC_OK);
	failed += unit_num("slots", store_slot_scan(w->store, never_slot, NULL, &err), RC_OK);
	failed += unit_str("err", err.text, "untouched");
	g_string_free(unused, TRUE);
	g_free(path);
	assert_int_equal(failed, 0);
}

/* ---- records that make no sense ---- */

static struct store_bytes bytes(const void *data, size_t len)
{
	return (struct store_bytes){.data = data, .len = len};
}

/* Such a record is reported once and is gone then: a daemon that ends on RC_CORRUPT and is started
 * again must not end again for ever. */
static void test_nonsense(void **state)
{
	struct world *w = *state;
	struct store_held held;
	int64_t when;
	void *data;
	size_t len;
	struct err err = {.text = ""};
	const struct store_db_driver *db = w->store->db;
	void *self = w->store->db_self;
	int failed = 0;
	world_commit(w, ann, "1", "To: ann@example.org\n");
	store_rebuild(w->store, NULL, world_describe, NULL, NULL, NULL);
	static const struct {
		enum store_table table;
		const char *key;
		size_t len;
	} rows[] = {
	    {STORE_TABLE_HELD,
		"ann@example.org\0"
		"1",
		17},
	    {STORE_TABLE_SLOT, "ann@example.org", 15},
	    {STORE_TABLE_KNOWN,
		"ann@example.org\0"
		"e@x",
		19},
	    {STORE_TABLE_SENT,
		"ann@example.org\0"
		"<1>",
		19},
	};
	/* txn 0: alone; 1: in a transaction that is given up; 2: in one that is committed. */
	for (int txn = 0; txn < 3; txn++)
		for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
			char label[40];
			enum rc first = RC_OK, second = RC_OK;
			g_snprintf(label, sizeof(label), "table %d, txn %d", (int)i, txn);
			db->put(self, rows[i].table, bytes(rows[i].key, rows[i].len),
			    bytes("\x63garbage", 8), NULL);
			for (int look = 0; look < 2; look++) {
				enum rc rc = RC_PERM;
				if (txn > 0 && look == 0)
					store_begin(w->store, NULL);
				if (i == 0)
					rc = store_held_get(w->store, ann, "1", &held, &err);
				else if (i == 1)
					rc = store_slot_get(w->store, ann, &data, &len, &err);
				else if (i == 2)
					rc = store_known_get(w->store, ann, "e@x", &when, &err);
				else
					rc = store_sent_get(w->store, ann, "<1>", &when, &err);
				*(look == 0 ? &first : &second) = rc;
				if (txn == 1 && look == 0)
					store_abort(w->store);
				if (txn == 2 && look == 0)
					failed +=
					    unit_num(label, store_commit(w->store, NULL), RC_TEMP);
			}
			failed += unit_num(label, first, RC_CORRUPT);
			failed += unit_num(label, second, RC_NOTFOUND);
		}
	bool complete = true;
	assert_int_equal(store_index_complete(w->store, &complete, NULL), RC_OK);
	failed += unit_num("the index is known to be incomplete", complete, false);
	/* In a scan, and for keys that are none. */
	static const char *const bad_keys[] = {"ann@example.org", "\0x", "ann@example.org\0.x"};
	static const size_t bad_lens[] = {15, 2, 18};
	for (size_t i = 0; i < G_N_ELEMENTS(bad_keys); i++) {
		db->put(
		    self, STORE_TABLE_HELD, bytes(bad_keys[i], bad_lens[i]), bytes("x", 1), NULL);
		failed += world_str("scan", world_index(w, NULL), "corrupt");
		failed += world_str("scan again", world_index(w, NULL), "");
	}
	db->put(self, STORE_TABLE_SLOT, bytes("a\0b", 3), bytes("\1", 1), NULL);
	failed += unit_num("slots", store_slot_scan(w->store, never_slot, NULL, &err), RC_CORRUPT);
	failed += unit_num("slots", store_slot_scan(w->store, never_slot, NULL, &err), RC_OK);
	db->put(self, STORE_TABLE_KNOWN, bytes(rows[2].key, rows[2].len), bytes("x", 1), NULL);
	failed +=
	    unit_num("known", store_known_scan(w->store, ann, never_known, NULL, &err), RC_CORRUPT);
	failed +=
	    unit_num("known", store_known_scan(w->store, ann, never_known, NULL, &err), RC_OK);
	/* A rebuild mends the index without a complaint. */
	db->put(self, STORE_TABLE_HELD, bytes(rows[0].key, rows[0].len), bytes("x", 1), NULL);
	failed += unit_num(
	    "rebuild", store_rebuild(w->store, NULL, world_describe, NULL, NULL, NULL), RC_OK);
	failed += world_str("rebuilt", world_index(w, NULL), "ann@example.org/1 ");
	/* An age that speaks of nothing, or of something younger, does no harm. */
	GByteArray *age = g_byte_array_new();
	store_known_put(w->store, ann, "e@x", 100, NULL);
	store_age_key(5, STORE_TABLE_KNOWN, bytes(rows[2].key, rows[2].len), age);
	db->put(self, STORE_TABLE_AGE, store_bytes_of(age), bytes("", 0), NULL);
	db->put(self, STORE_TABLE_AGE, bytes("abc", 3), bytes("", 0), NULL);
	failed += unit_num("expire", store_known_expire(w->store, 50, 99, &len, NULL), RC_OK);
	failed += unit_num("both", (long long)len, 2);
	failed += unit_num("known", store_known_get(w->store, ann, "e@x", &when, NULL), RC_OK);
	g_byte_array_unref(age);
	assert_int_equal(failed, 0);
}

/* What one of KNOWN, SENT and AGE has lost the others still say. */
static void test_mend(void **state)
{
	struct world *w = *state;
	const struct store_db_driver *db = w->store->db;
	void *self = w->store->db_self;
	GByteArray *age = g_byte_array_new();
	int failed = 0;
	int64_t when = 0;
	size_t removed = 0;
	for (int i = 0; i < 450; i++) { /* more than a batch */
		char address[20];
		g_snprintf(address, sizeof(address), "e%d@x", i);
		if (i == 0)
			store_begin(w->store, NULL);
		store_known_put(w->store, ann, address, 10 + i, NULL);
	}
	store_sent_put(w->store, ann, "<1>", 7, NULL);
	store_commit(w->store, NULL);
	db->del(self, STORE_TABLE_KNOWN, bytes("ann@example.org\0e5@x", 20), NULL);
	db->del(self, STORE_TABLE_SENT, bytes("ann@example.org\0<1>", 19), NULL);
	store_age_key(16, STORE_TABLE_KNOWN, bytes("ann@example.org\0e6@x", 20), age);
	db->del(self, STORE_TABLE_AGE, store_bytes_of(age), NULL);
	db->put(self, STORE_TABLE_AGE, bytes("abc", 3), bytes("", 0), NULL);
	db->put(self, STORE_TABLE_KNOWN, bytes("ann@example.org\0bad", 19), bytes("x", 1), NULL);
	failed += unit_num("mend", store_known_mend(w->store, NULL), RC_OK);
	failed += unit_num("known", store_known_get(w->store, ann, "e5@x", &when, NULL), RC_OK);
	failed += unit_num("known", when, 15);
	failed += unit_num("sent", store_sent_get(w->store, ann, "<1>", &when, NULL), RC_OK);
	failed += unit_num("sent", when, 7);
	failed += unit_num("bad", store_known_get(w->store, ann, "bad", &when, NULL), RC_NOTFOUND);
	failed +=
	    unit_num("expire", store_known_expire(w->store, 1000, 999, &removed, NULL), RC_OK);
	failed += unit_num("expire", (long long)removed, 451);
	failed +=
	    unit_num("known", store_known_get(w->store, ann, "e6@x", &when, NULL), RC_NOTFOUND);
	g_byte_array_unref(age);
	assert_int_equal(failed, 0);
}

/* A record cut, lengthened, of another version, or with fields that we do not write. */
static void test_decode(void **state)
{
	struct store_held held = world_held("id", 1), got;
	struct store_bytes id = {.data = "id", .len = 2};
	GByteArray *value = g_byte_array_new();
	int failed = 0;
	(void)state;
	assert_int_equal(store_held_encode(&held, value, NULL), RC_OK);
	assert_true(store_held_decode(id, store_bytes_of(value), &got));
	for (guint len = 0; len < value->len; len++) {
		/* Of its own size, so that a read beyond it is seen. */
		char *cut = g_memdup2(value->data, len);
		failed += unit_num("cut", store_held_decode(id, bytes(cut, len), &got), false);
		g_free(cut);
	}
	g_byte_array_append(value, (const guint8 *)"", 1);
	failed += unit_num("longer", store_held_decode(id, store_bytes_of(value), &got), false);
	g_byte_array_set_size(value, value->len - 1);
	for (guint at = 0; at < value->len; at++)
		for (int bit = 0; bit < 8; bit++) {
			value->data[at] ^= (guint8)(1 << bit);
			store_held_decode(id, store_bytes_of(value), &got); /* only: no crash */
			value->data[at] ^= (guint8)(1 << bit);
		}
	value->data[0] = 2;
	failed += unit_num("version", store_held_decode(id, store_bytes_of(value), &got), false);
	value->data[0] = 1;
	memset(value->data + 21, 0xff, 8);
	failed +=
	    unit_num("not a number", store_held_decode(id, store_bytes_of(value), &got), false);
	memset(value->data + 21, 0, 8);
	failed += unit_num("number", store_held_decode(id, store_bytes_of(value), &got), true);
	value->data[33] = 0; /* in class_name */
	failed += unit_num("NUL inside", store_held_decode(id, store_bytes_of(value), &got), false);
	g_byte_array_unref(value);
	assert_int_equal(failed, 0);
}

#define CONTRACT(test) \
	{ \
#test, test, setup, teardown, NULL \
	}

int main(void)
{
	static const struct CMUnitTest contract[] = {
	    CONTRACT(test_msg_life),
	    CONTRACT(test_msg_commit_again),
	    CONTRACT(test_msg_bad_input),
	    CONTRACT(test_msg_users),
	    CONTRACT(test_msg_list_stops),
	    CONTRACT(test_held),
	    CONTRACT(test_held_extremes),
	    CONTRACT(test_held_scan),
	    CONTRACT(test_slot),
	    CONTRACT(test_known),
	    CONTRACT(test_known_scan),
	    CONTRACT(test_known_expire),
	    CONTRACT(test_note),
	    CONTRACT(test_note_expire),
	    CONTRACT(test_txn),
	    CONTRACT(test_txn_large),
	    CONTRACT(test_scan_and_change),
	    CONTRACT(test_rebuild),
	    CONTRACT(test_rebuild_fails),
	    CONTRACT(test_err_untouched),
	    CONTRACT(test_nonsense),
	    CONTRACT(test_mend),
	};
	static const struct CMUnitTest once[] = {
	    cmocka_unit_test(test_fail),
	    cmocka_unit_test(test_no_driver),
	    cmocka_unit_test(test_decode),
	};
	static struct drivers drivers[] = {
	    {"maildir", "bdb"},
	    {"maildir", "mem"},
	    {"mem", "bdb"},
	    {"mem", "mem"},
	};
	world_use_memory();
	int failed = cmocka_run_group_tests_name("store: once", once, NULL, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
		struct CMUnitTest tests[G_N_ELEMENTS(contract)];
		char name[80];
		memcpy(tests, contract, sizeof(contract));
		for (size_t k = 0; k < G_N_ELEMENTS(tests); k++)
			tests[k].initial_state = &drivers[i];
		g_snprintf(name, sizeof(name), "store: %s, %s", drivers[i].msg, drivers[i].db);
		failed += cmocka_run_group_tests_name(name, tests, NULL, NULL);
	}
	return failed;
}
