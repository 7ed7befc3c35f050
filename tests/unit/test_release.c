/*
 * test_release.c: the release engine over the memory store. What composes and submits is a script;
 * a crash is a new engine over the same store while the old one still waits for an answer.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include "base/fs.h"
#include "base/hmac.h"
#include "release/release.h"

#define ANN "ann@example.org"

/* 2026-11-20 is a Friday; 07:00 UTC is 08:00 in Amsterdam. */
enum { FRIDAY_0700 = 1795158000, HOUR = 3600, DAY = 86400, END = -1 };

struct site {
	char dir[40];
	struct store *store;
	struct releases *engine;
	struct release_config config;
	struct release_rule rule;
	GString *log;                        /* "compose(3) digest=ok original(x)=perm ..." */
	GPtrArray *delivered;                /* ids taken by the MTA, in a digest or alone */
	GPtrArray *message_ids;              /* of digests taken by the MTA */
	const int *compose_rcs, *submit_rcs; /* scripts of enum rc, ended by END: RC_OK for ever */
	size_t compose_at, submit_at;
	int code;                       /* that comes with every answer */
	char poison[STORE_ID_MAX];      /* the MTA refuses this one and what contains it; or "" */
	struct release *waits;          /* the last one that is waited for an answer */
	bool mute_compose, mute_submit; /* take the request and never answer: the crash comes */
	unsigned serial;
	size_t taken, retiring; /* messages that were still held when these were told */
	size_t done_count, done_delivered, done_left;
	enum rc done_rc;
};

static const unsigned char key[HMAC_KEY_BYTES] = "a key for the tests";

static void op_rule(void *ctx, const char *user, struct release_rule *rule_out)
{
	(void)user;
	*rule_out = ((struct site *)ctx)->rule;
}

static enum rc op_reconcile(void *ctx, const char *user, struct err *err)
{
	(void)ctx, (void)user, (void)err;
	return RC_OK;
}

static enum rc script_peek(const int *rcs, size_t at)
{
	return rcs == NULL || rcs[at] == END ? RC_OK : (enum rc)rcs[at];
}

static enum rc script(const int *rcs, size_t *at)
{
	enum rc rc = script_peek(rcs, *at);
	if (rcs != NULL && rcs[*at] != END)
		++*at;
	return rc;
}

static void op_compose(void *ctx, struct release *release, bool plain)
{
	struct site *s = ctx;
	struct err err = {"scripted"};
	const struct release_record *rec = release_record(release);
	char part[32] = "";
	if (rec->parts != 1)
		g_snprintf(part, sizeof(part), ", %u/%u", rec->part, rec->parts);
	g_string_append_printf(
	    s->log, "compose%s(%u%s) ", plain ? "-plain" : "", rec->ids->len, part);
	s->waits = release;
	if (!s->mute_compose)
		release_composed(release, script(s->compose_rcs, &s->compose_at), &err);
}

static void answer(struct site *s, struct release *release, const char *what)
{
	struct err err = {"scripted"};
	enum rc rc = script(s->submit_rcs, &s->submit_at);
	g_string_append_printf(s->log, "%s=%s ", what, rc_name(rc));
	release_submitted(release, rc, s->code, &err);
}

/* The MTA refuses these for good. */
static void refuse(struct site *s, struct release *release, const char *what)
{
	struct err err = {"poison"};
	g_string_append_printf(s->log, "%s=poison ", what);
	release_submitted(release, RC_PERM, 554, &err);
}

static void op_submit_digest(void *ctx, struct release *release)
{
	struct site *s = ctx;
	const struct release_record *rec = release_record(release);
	if (s->poison[0] != '\0' &&
	    g_ptr_array_find_with_equal_func(rec->ids, s->poison, g_str_equal, NULL)) {
		refuse(s, release, "digest");
		return;
	}
	if (script_peek(s->submit_rcs, s->submit_at) == RC_OK) {
		g_ptr_array_add(s->message_ids, g_strdup(rec->message_id));
		for (guint i = 0; rec->mode == MODE_ATTACH && i < rec->ids->len; i++)
			g_ptr_array_add(s->delivered, g_strdup(rec->ids->pdata[i]));
	}
	s->waits = release;
	if (!s->mute_submit)
		answer(s, release, "digest");
}

static void op_submit_original(void *ctx, struct release *release, const struct store_held *held,
    const char *from, const char *rcpt)
{
	struct site *s = ctx;
	if (strcmp(held->id, s->poison) == 0) {
		refuse(s, release, from[0] == '\0' ? "<>" : rcpt);
		return;
	}
	if (script_peek(s->submit_rcs, s->submit_at) == RC_OK)
		g_ptr_array_add(s->delivered, g_strdup(held->id));
	s->waits = release;
	if (!s->mute_submit)
		answer(s, release, from[0] == '\0' ? "<>" : rcpt);
}

/* How many of a record's messages are held. */
static size_t still_held(struct site *s, const char *user, const struct release_record *record)
{
	struct store_held held;
	size_t n = 0;
	for (guint i = 0; i < record->ids->len; i++)
		n += store_held_get(s->store, user, record->ids->pdata[i], &held, NULL) == RC_OK;
	return n;
}

static void op_taken(void *ctx, const char *user, const struct release_record *record)
{
	struct site *s = ctx;
	s->taken += still_held(s, user, record);
}

static void op_retiring(void *ctx, const char *user, const struct release_record *record)
{
	struct site *s = ctx;
	s->retiring += still_held(s, user, record);
}

static const struct release_ops ops = {.rule = op_rule,
    .reconcile = op_reconcile,
    .compose = op_compose,
    .submit_digest = op_submit_digest,
    .submit_original = op_submit_original,
    .taken = op_taken,
    .retiring = op_retiring};

static void start(struct site *s, int64_t now)
{
	struct err err;
	releases_free(&s->engine);
	s->engine = releases_new(s->store, &s->config, &ops, s);
	if (releases_load(s->engine, now, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct site *s = g_new0(struct site, 1);
	struct store_config store = {
	    .msg_driver = "mem", .msg_path = "", .db_driver = "mem", .db_path = ""};
	struct err err;
	strcpy(s->dir, "/tmp/pullyu-test-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	if (store_open(&store, &s->store, NULL, &err) != RC_OK)
		fail_msg("%s", err.text);
	s->config = (struct release_config){.max_hold = 7 * DAY,
	    .retry = 300,
	    .max_messages = 100,
	    .max_bytes = 1000000,
	    .parallel = 4,
	    .host = "mx.example.org",
	    .delimiters = "+",
	    .key = key};
	s->rule = (struct release_rule){
	    .takes_part = true, .schedule.timezone = "Europe/Amsterdam", .mode = MODE_ATTACH};
	assert_int_equal(times_parse("08:00", &s->rule.schedule.times, &err), RC_OK);
	s->log = g_string_new(NULL);
	s->delivered = g_ptr_array_new_with_free_func(g_free);
	s->message_ids = g_ptr_array_new_with_free_func(g_free);
	start(s, FRIDAY_0700 - 10 * HOUR);
	*state = s;
	return 0;
}

/* Over a folder that somebody else reads, too. */
static int setup_folder(void **state)
{
	struct err err;
	if (setup(state) != 0)
		return -1;
	struct site *s = *state;
	releases_free(&s->engine);
	store_close(&s->store);
	char *path = g_strdup_printf("%s/mail", s->dir);
	struct store_config store = {
	    .msg_driver = "maildir", .msg_path = path, .db_driver = "mem", .db_path = ""};
	assert_int_equal(fs_mkdirs(path, 0700, NULL), RC_OK);
	if (store_open(&store, &s->store, NULL, &err) != RC_OK)
		fail_msg("%s", err.text);
	g_free(path);
	start(s, FRIDAY_0700 - 10 * HOUR);
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;
	releases_free(&s->engine);
	store_close(&s->store);
	g_string_free(s->log, TRUE);
	g_ptr_array_free(s->delivered, TRUE);
	g_ptr_array_free(s->message_ids, TRUE);
	char *command = g_strdup_printf("rm -rf '%s/mail'", s->dir); /* our own mkdtemp */
	int result = system(command) != 0 || rmdir(s->dir) != 0;
	g_free(command);
	g_free(s);
	return result;
}

static const char *hold(struct site *s, int64_t when, uint64_t size)
{
	static char id[STORE_ID_MAX];
	struct err err;
	char *path = g_strdup_printf("%s/file", s->dir);
	struct store_held held = {.received = when, .size = size, .class_name = "newsletter"};
	snprintf(id, sizeof(id), "%lld.M%uP1.mx", (long long)when, s->serial++);
	strcpy(held.id, id);
	strcpy(held.rcpt, "Ann+news@example.org");
	strcpy(held.return_path, "news@shop.example");
	assert_int_equal(fs_write_atomic(path, "x", 1, 0600, NULL), RC_OK);
	if (store_msg_commit(s->store, ANN, id, path, &err) != RC_OK ||
	    store_held_put(s->store, ANN, &held, &err) != RC_OK)
		fail_msg("%s", err.text);
	releases_held(s->engine, ANN, when);
	g_free(path);
	return id;
}

static bool count_one(void *ctx, const struct store_msg *msg)
{
	(void)msg;
	++*(size_t *)ctx;
	return true;
}

static size_t held(struct site *s)
{
	size_t n = 0;
	assert_int_equal(store_msg_list(s->store, ANN, count_one, &n, NULL), RC_OK);
	return n;
}

static void expect_log(struct site *s, const char *want)
{
	assert_string_equal(s->log->str, want);
	g_string_truncate(s->log, 0);
}

static void done(void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err)
{
	struct site *s = ctx;
	(void)err;
	s->done_count++;
	s->done_delivered = delivered;
	s->done_left = left;
	s->done_rc = rc;
}

static void test_slot(void **state)
{
	struct site *s = *state;
	hold(s, FRIDAY_0700 - 9 * HOUR, 10);
	hold(s, FRIDAY_0700 - 2 * HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 2 * HOUR);
	releases_tick(s->engine, FRIDAY_0700 - 1);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(2) digest=ok ");
	assert_int_equal(held(s), 0);
	assert_int_equal(s->taken, 2);
	assert_int_equal(s->retiring, 2);
	releases_tick(s->engine, FRIDAY_0700);
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	expect_log(s, ""); /* no empty digests */
	hold(s, FRIDAY_0700 + DAY, 10);
	releases_tick(s->engine, FRIDAY_0700 + DAY + 5);
	expect_log(s, ""); /* a message that comes in the second of a slot waits for the next */
	releases_tick(s->engine, FRIDAY_0700 + 2 * DAY);
	expect_log(s, "compose(1) digest=ok ");
	assert_string_not_equal(s->message_ids->pdata[0], s->message_ids->pdata[1]);
}

static void test_missed(void **state)
{
	struct site *s = *state;
	hold(s, FRIDAY_0700 - 9 * HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 8 * HOUR);
	start(s, FRIDAY_0700 + 2 * DAY + HOUR); /* down for two days */
	releases_tick(s->engine, FRIDAY_0700 + 2 * DAY + HOUR);
	expect_log(s, "compose(1) digest=ok ");
	char want[64];
	snprintf(want, sizeof(want), "<pullyu.%d.1.", FRIDAY_0700 + 2 * DAY);
	assert_memory_equal(s->message_ids->pdata[0], want, strlen(want));
	releases_tick(s->engine, FRIDAY_0700 + 2 * DAY + 2 * HOUR);
	expect_log(s, "");
}

static void test_new_rule_is_no_missed_slot(void **state)
{
	struct site *s = *state;
	struct err err;
	hold(s, FRIDAY_0700 + HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 + 4 * HOUR);
	assert_int_equal(
	    times_parse("10:00", &s->rule.schedule.times, &err), RC_OK); /* 09:00 UTC: past */
	releases_tick(s->engine, FRIDAY_0700 + 4 * HOUR + 60);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700 + 2 * HOUR + DAY);
	expect_log(s, "compose(1) digest=ok ");
	/* The next minute, set between two looks, is not missed. */
	hold(s, FRIDAY_0700 + 3 * HOUR + DAY, 10);
	releases_tick(s->engine, FRIDAY_0700 + 4 * HOUR + DAY - 10);
	assert_int_equal(times_parse("12:00", &s->rule.schedule.times, &err), RC_OK);
	releases_tick(s->engine, FRIDAY_0700 + 4 * HOUR + DAY + 10);
	expect_log(s, "compose(1) digest=ok ");
}

static void test_mta_down(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_TEMP, RC_TEMP, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700);
	releases_tick(s->engine, FRIDAY_0700 + 299);
	expect_log(s, "compose(1) digest=temp ");
	releases_tick(s->engine, FRIDAY_0700 + 300);
	releases_tick(s->engine, FRIDAY_0700 + 301);
	expect_log(s, "compose(1) digest=temp ");
	assert_int_equal(held(s), 1);
	releases_tick(s->engine, FRIDAY_0700 + 1000);
	expect_log(s, "compose(1) digest=ok ");
	assert_int_equal(held(s), 0);
	assert_int_equal(s->message_ids->len, 1);
}

static void test_mta_refuses_digest(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_PERM, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	hold(s, FRIDAY_0700 - HOUR, 10);
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(2) digest=perm Ann+news@example.org=ok Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
}

static void test_mta_refuses_message(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_PERM, RC_PERM, RC_PERM, RC_PERM, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	hold(s, FRIDAY_0700 - HOUR, 10);
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	/* Both addresses refuse the first; it stays held. The second goes out. */
	expect_log(s,
	    "compose(2) digest=perm Ann+news@example.org=perm ann@example.org=perm "
	    "<>=perm Ann+news@example.org=ok ");
	assert_int_equal(held(s), 1);
	releases_tick(s->engine, FRIDAY_0700 + 60);
	expect_log(s, "");
	/* A day later it is tried alone, and by now they like it. */
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	expect_log(s, "Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
}

/* One message that is refused for ever: digests come as before, at the user's times, for more days
 * than max_hold has; it is tried again alone, once a day, and stays held. */
static void test_refused_for_ever(void **state)
{
	struct site *s = *state;
	size_t attempts = 0, digests = 0;
	strcpy(s->poison, hold(s, FRIDAY_0700 - HOUR, 10));
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s,
	    "compose(2) digest=poison Ann+news@example.org=poison ann@example.org=poison "
	    "<>=poison Ann+news@example.org=ok ");
	for (int64_t now = FRIDAY_0700 + 600; now < FRIDAY_0700 + 12 * DAY; now += 600) {
		if (now % (4 * HOUR) == 0)
			hold(s, now - 10, 10);
		if (now % (3 * DAY) == 0)
			start(s, now); /* a restart forgets nothing */
		releases_tick(s->engine, now);
		if (strstr(s->log->str, "compose") != NULL) {
			assert_int_equal((now - FRIDAY_0700) % DAY, 0);
			expect_log(s, "compose(6) digest=ok ");
			digests++;
		} else if (s->log->len > 0) {
			expect_log(
			    s, "Ann+news@example.org=poison ann@example.org=poison <>=poison ");
			attempts++;
		}
	}
	assert_int_equal(digests, 11);
	assert_in_range(attempts, 10, 12);
	assert_int_equal(held(s), 7); /* six of the last day, and that one */
}

static void remember_status(void *ctx, const char *user, const struct release_status *status)
{
	assert_string_equal(user, ANN);
	*(struct release_status *)ctx = *status;
}

/* What was refused is seen, and on demand reached. */
static void test_refused_is_reached(void **state)
{
	struct site *s = *state;
	const char *ids[] = {s->poison, NULL};
	struct release_status status = {0};
	strcpy(s->poison, hold(s, FRIDAY_0700 - HOUR, 10));
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	g_string_truncate(s->log, 0);
	releases_status(s->engine, remember_status, &status);
	assert_int_equal(status.held, 0);
	assert_int_equal(status.refused, 1);
	assert_int_equal(status.next, FRIDAY_0700 + DAY);
	releases_now(s->engine, ANN, NULL, false, FRIDAY_0700 + 1, done, s);
	expect_log(s, "");
	assert_int_equal(s->done_rc, RC_OK);
	assert_int_equal(s->done_left, 1);
	releases_now(s->engine, ANN, ids, false, FRIDAY_0700 + 2, done, s);
	expect_log(s, "Ann+news@example.org=poison ann@example.org=poison <>=poison ");
	assert_int_equal(s->done_rc, RC_PERM);
	assert_int_equal(s->done_left, 1);
	s->poison[0] = '\0';
	releases_now(s->engine, ANN, NULL, true, FRIDAY_0700 + 3, done, s);
	expect_log(s, "Ann+news@example.org=ok ");
	assert_int_equal(s->done_rc, RC_OK);
	assert_int_equal(s->done_left, 0);
	assert_int_equal(held(s), 0);
	releases_tick(s->engine, FRIDAY_0700 + 2 * DAY);
	expect_log(s, "");
}

/* Trying it again holds up nothing, whether nobody answers or the MTA says 4xx. */
static void test_refused_then_put_off(void **state)
{
	struct site *s = *state;
	static const int temp[] = {RC_TEMP, END};
	static const int codes[] = {0, 451};
	strcpy(s->poison, hold(s, FRIDAY_0700 - HOUR, 10));
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	s->poison[0] = '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		int64_t day = FRIDAY_0700 + (int64_t)(i + 1) * DAY;
		s->submit_rcs = temp;
		s->submit_at = 0;
		s->code = codes[i];
		g_string_truncate(s->log, 0);
		releases_tick(s->engine, day + 60);
		expect_log(s, "Ann+news@example.org=temp ");
		hold(s, day + 120, 10);
		releases_tick(s->engine, day + 180);
		releases_now(s->engine, ANN, NULL, false, day + 240, done, s);
		expect_log(s, "compose(1) digest=ok ");
		assert_int_equal(s->done_left, 1);
	}
	releases_tick(s->engine, FRIDAY_0700 + 3 * DAY + 60);
	expect_log(s, "Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
}

/* More than the ledger remembers: nothing is lost, and nothing is tried in a loop. */
static void test_many_refused(void **state)
{
	struct site *s = *state;
	struct release_status status = {0};
	enum { MANY = LEDGER_REFUSED_MAX + 20 };
	int *rcs = g_new(int, MANY * 3 + 2);
	for (int i = 0; i < MANY * 3 + 1; i++)
		rcs[i] = RC_PERM;
	rcs[MANY * 3 + 1] = END;
	s->config.max_messages = 1000;
	start(s, FRIDAY_0700 - 10 * HOUR);
	for (int i = 0; i < MANY; i++)
		hold(s, FRIDAY_0700 - HOUR, 10);
	s->submit_rcs = rcs;
	s->code = 550;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	releases_status(s->engine, remember_status, &status);
	assert_int_equal(status.held, 20);
	assert_int_equal(status.refused, LEDGER_REFUSED_MAX);
	assert_int_equal(held(s), MANY);
	g_string_truncate(s->log, 0);
	releases_tick(s->engine, FRIDAY_0700 + 1);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700 + DAY); /* and now it takes all */
	expect_log(s, "compose(20) digest=ok ");
	releases_tick(s->engine, FRIDAY_0700 + DAY + 1);
	assert_int_equal(held(s), 0);
	g_free(rcs);
}

/* A message that gets 4xx for ever does not stand in the way of the others. */
static void test_one_is_put_off(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_OK, RC_OK, RC_TEMP, RC_OK, END};
	for (int i = 0; i < 3; i++)
		hold(s, FRIDAY_0700 - HOUR, 10);
	s->rule.mode = MODE_INBOX;
	s->code = 451;
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s,
	    "compose(3) digest=ok Ann+news@example.org=ok Ann+news@example.org=temp "
	    "Ann+news@example.org=ok ");
	assert_int_equal(held(s), 1);
	releases_tick(s->engine, FRIDAY_0700 + 60);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700 + 301);
	expect_log(s, "Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
}

/* Some MTAs never refuse for good. */
static void test_digest_is_put_off_for_ever(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {
	    RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	s->code = 452;
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	for (int64_t now = FRIDAY_0700; now < FRIDAY_0700 + 2 * DAY && held(s) > 0; now += HOUR)
		releases_tick(s->engine, now);
	assert_int_equal(held(s), 0);
	assert_int_equal(s->message_ids->len, 0);
	assert_non_null(strstr(s->log->str, "Ann+news@example.org=ok "));
}

static void test_clock_set_back(void **state)
{
	struct site *s = *state;
	s->rule.schedule.times.n = 0; /* max_hold alone */
	s->config.max_hold = DAY;
	start(s, FRIDAY_0700 + 60 * DAY);
	hold(s, FRIDAY_0700 + 60 * DAY, 10);
	releases_tick(s->engine, FRIDAY_0700 + 60 * DAY);
	releases_tick(s->engine, FRIDAY_0700);
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	expect_log(s, "compose(1) digest=ok ");
	/* A slot that comes a second time has another digest, with another name. */
	assert_int_equal(times_parse("08:00", &s->rule.schedule.times, NULL), RC_OK);
	hold(s, FRIDAY_0700 + DAY, 10);
	releases_tick(s->engine, FRIDAY_0700 + DAY + 60);
	releases_tick(s->engine, FRIDAY_0700 + 2 * DAY);
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	hold(s, FRIDAY_0700 + DAY, 10);
	releases_tick(s->engine, FRIDAY_0700 + DAY + 1);
	releases_tick(s->engine, FRIDAY_0700 + 2 * DAY);
	assert_int_equal(s->message_ids->len, 3);
	assert_string_not_equal(s->message_ids->pdata[1], s->message_ids->pdata[2]);
}

/* What was read is no longer held; marked as unread, it is again. */
static void test_looked_at_again(void **state)
{
	struct site *s = *state;
	char id[STORE_ID_MAX];
	strcpy(id, hold(s, FRIDAY_0700 - 9 * HOUR, 10));
	releases_tick(s->engine, FRIDAY_0700 - 8 * HOUR);
	struct store_held record;
	assert_int_equal(store_held_get(s->store, ANN, id, &record, NULL), RC_OK);
	assert_int_equal(store_held_del(s->store, ANN, id, NULL), RC_OK); /* as if it were gone */
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "");
	assert_int_equal(store_held_put(s->store, ANN, &record, NULL), RC_OK);
	releases_tick(s->engine, FRIDAY_0700 + 2 * HOUR);
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	expect_log(s, "compose(1) digest=ok ");
}

static void test_compose_fails(void **state)
{
	struct site *s = *state;
	static const int died[] = {RC_CORRUPT, END};
	static const int late[] = {RC_CORRUPT, RC_CORRUPT, RC_CORRUPT, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	s->compose_rcs = died;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(1) compose-plain(1) digest=ok ");
	hold(s, FRIDAY_0700 + HOUR, 10);
	s->compose_rcs = late;
	s->compose_at = 0;
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	expect_log(s, "compose(1) compose-plain(1) compose-plain(1) Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
}

/* A full disk: waited for as the MTA is, but not for ever. */
static void test_no_room_to_compose(void **state)
{
	struct site *s = *state;
	static const int full[] = {RC_TEMP, RC_TEMP, RC_TEMP, END};
	static const int for_ever[] = {
	    RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, RC_TEMP, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	s->compose_rcs = full;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	releases_tick(s->engine, FRIDAY_0700 + 299);
	expect_log(s, "compose(1) ");
	releases_tick(s->engine, FRIDAY_0700 + 300);
	releases_tick(s->engine, FRIDAY_0700 + 900);
	releases_tick(s->engine, FRIDAY_0700 + 2100);
	expect_log(s, "compose(1) compose(1) compose(1) digest=ok ");
	hold(s, FRIDAY_0700 + HOUR, 10);
	s->compose_rcs = for_ever;
	s->compose_at = 0;
	for (int64_t now = FRIDAY_0700 + DAY; now < FRIDAY_0700 + 2 * DAY; now += HOUR)
		releases_tick(s->engine, now);
	assert_int_equal(held(s), 0);
	assert_int_equal(s->message_ids->len, 1);
	assert_non_null(strstr(s->log->str, "compose(1) Ann+news@example.org=ok "));
}

static void test_vanished(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_NOTFOUND, END};
	char id[STORE_ID_MAX];
	strcpy(id, hold(s, FRIDAY_0700 - HOUR, 10));
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	s->compose_rcs = rcs;
	s->mute_compose = true;
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(2) ");
	assert_int_equal(store_msg_remove(s->store, ANN, id, NULL), RC_OK); /* its reader */
	s->mute_compose = false;
	start(s, FRIDAY_0700 + 5);
	releases_tick(s->engine, FRIDAY_0700 + 5);
	expect_log(s, "compose(2) compose(1) digest=ok ");
	assert_int_equal(held(s), 0);
}

static void test_batches(void **state)
{
	struct site *s = *state;
	s->config.max_messages = 3;
	start(s, FRIDAY_0700 - 10 * HOUR);
	for (int i = 0; i < 7; i++)
		hold(s, FRIDAY_0700 - HOUR + i, i == 1 ? 999999 : i == 2 ? 5000000 : 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	/* By size, one that is larger than the limit alone, and by number. */
	expect_log(s,
	    "compose(1, 1/5) digest=ok compose(1, 2/5) digest=ok compose(1, 3/5) digest=ok "
	    "compose(3, 4/5) digest=ok compose(1, 5/5) digest=ok ");
	assert_int_equal(held(s), 0);
	assert_int_equal(s->delivered->len, 7);
	for (guint i = 0; i < s->message_ids->len; i++)
		for (guint j = 0; j < i; j++)
			assert_string_not_equal(s->message_ids->pdata[i], s->message_ids->pdata[j]);
}

/* A digest in parts is interrupted: the count goes on, and nothing is repeated but the part that was
 * under way. What comes or goes in the meantime makes no "part 4 of 3". */
static void test_parts_crash(void **state)
{
	struct site *s = *state;
	s->config.max_messages = 2;
	start(s, FRIDAY_0700 - 10 * HOUR);
	for (int i = 0; i < 5; i++)
		hold(s, FRIDAY_0700 - HOUR + i, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	s->mute_submit = true;
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(2, 1/3) ");
	s->mute_submit = false;
	start(s, FRIDAY_0700 + 1);
	for (int i = 0; i < 3; i++)
		hold(s, FRIDAY_0700 - 30 + i, 10);
	releases_tick(s->engine, FRIDAY_0700 + 1);
	releases_tick(s->engine, FRIDAY_0700 + 2);
	expect_log(s,
	    "compose(2, 1/3) digest=ok compose(2, 2/4) digest=ok compose(2, 3/4) digest=ok "
	    "compose(2, 4/4) digest=ok ");
	assert_int_equal(held(s), 0);
	/* The next slot counts anew. */
	for (int i = 0; i < 3; i++)
		hold(s, FRIDAY_0700 + HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	expect_log(s, "compose(2, 1/2) digest=ok compose(1, 2/2) digest=ok ");
}

static void test_part_of(void **state)
{
	struct site *s = *state;
	GPtrArray *ids = NULL, *part_ids = NULL;
	unsigned parts = 0;
	struct err err;
	s->config.max_messages = 2;
	start(s, FRIDAY_0700 - 10 * HOUR);
	for (int i = 0; i < 5; i++)
		hold(s, FRIDAY_0700 - HOUR + i, 10);
	assert_int_equal(releases_list(s->engine, ANN, false, &ids, &err), RC_OK);
	for (unsigned part = 1; part <= 3; part++) {
		assert_int_equal(
		    releases_part(s->engine, ANN, ids, MODE_ATTACH, part, &part_ids, &parts, &err),
		    RC_OK);
		assert_int_equal(parts, 3);
		assert_int_equal(part_ids->len, part == 3 ? 1 : 2);
		assert_string_equal(part_ids->pdata[0], ids->pdata[2 * (part - 1)]);
		g_ptr_array_free(part_ids, TRUE);
	}
	assert_int_equal(
	    releases_part(s->engine, ANN, ids, MODE_ATTACH, 4, &part_ids, &parts, &err),
	    RC_NOTFOUND);
	assert_int_equal(
	    releases_part(s->engine, ANN, ids, MODE_ATTACH, 0, &part_ids, &parts, &err),
	    RC_NOTFOUND);
	g_ptr_array_free(ids, TRUE);
}

/* What a preview shows while a digest is put off: that digest; while originals go out: the rest. */
static void test_active(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_TEMP, RC_OK, END};
	GPtrArray *ids = NULL;
	char later[STORE_ID_MAX];
	hold(s, FRIDAY_0700 - HOUR, 10);
	s->rule.mode = MODE_INBOX;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	assert_null(releases_active(s->engine, ANN));
	assert_null(releases_active(s->engine, "bob@example.org"));
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700);
	strcpy(later, hold(s, FRIDAY_0700 + 5, 10));
	const struct release_record *rec = releases_active(s->engine, ANN);
	assert_non_null(rec);
	assert_int_equal(rec->step, STEP_COMPOSE);
	assert_int_equal(rec->slot, FRIDAY_0700);
	assert_int_equal(rec->ids->len, 1);
	s->mute_submit = true;
	releases_tick(s->engine, FRIDAY_0700 + 300);
	answer(s, s->waits, "digest");
	rec = releases_active(s->engine, ANN);
	assert_int_equal(rec->step, STEP_ORIGINALS);
	assert_int_equal(releases_list(s->engine, ANN, false, &ids, NULL), RC_OK);
	assert_int_equal(ids->len, 1);
	assert_string_equal(ids->pdata[0], later);
	g_ptr_array_free(ids, TRUE);
}

static void test_folder(void **state)
{
	struct site *s = *state;
	static const int refused[] = {RC_OK, RC_PERM, RC_OK, RC_PERM, RC_PERM, RC_OK, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	hold(s, FRIDAY_0700 - HOUR, 10);
	s->rule.mode = MODE_FOLDER;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(2) digest=ok ann+Digest@example.org=ok ann+Digest@example.org=ok ");
	/* The folder's address is refused: the one it was sent to then, and then the plain one. */
	hold(s, FRIDAY_0700 + HOUR, 10);
	hold(s, FRIDAY_0700 + HOUR, 10);
	s->submit_rcs = refused;
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	expect_log(s,
	    "compose(2) digest=ok ann+Digest@example.org=perm Ann+news@example.org=ok "
	    "ann+Digest@example.org=perm Ann+news@example.org=perm ann@example.org=ok ");
	assert_int_equal(held(s), 0);
}

static void test_no_delimiter(void **state)
{
	struct site *s = *state;
	s->config.delimiters = "";
	start(s, FRIDAY_0700 - 10 * HOUR);
	s->rule.mode = MODE_FOLDER;
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(1) digest=ok Ann+news@example.org=ok ");
}

/* The engine dies while it waits for the answer to each of its requests. */
static void test_crash(void **state)
{
	struct site *s = *state;
	hold(s, FRIDAY_0700 - HOUR, 10);
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	s->mute_compose = true;
	releases_tick(s->engine, FRIDAY_0700);
	s->mute_compose = false;
	s->mute_submit = true;
	start(s, FRIDAY_0700 + 1);
	hold(s, FRIDAY_0700 + 1, 10); /* comes meanwhile: not part of what is repeated */
	releases_tick(s->engine, FRIDAY_0700 + 1);
	s->mute_submit = false; /* the MTA took it, but nobody lived to hear the 250 */
	start(s, FRIDAY_0700 + 2);
	releases_tick(s->engine, FRIDAY_0700 + 2);
	expect_log(s, "compose(2) compose(2) compose(2) digest=ok ");
	assert_int_equal(s->message_ids->len, 2);
	assert_string_equal(s->message_ids->pdata[0], s->message_ids->pdata[1]);
	assert_int_equal(held(s), 1);
	releases_tick(s->engine, FRIDAY_0700 + 3);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700 + DAY);
	expect_log(s, "compose(1) digest=ok ");
}

static void test_crash_originals(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_OK, RC_OK, RC_TEMP, END};
	for (int i = 0; i < 3; i++)
		hold(s, FRIDAY_0700 - HOUR, 10);
	s->rule.mode = MODE_INBOX;
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(3) digest=ok Ann+news@example.org=ok Ann+news@example.org=temp ");
	assert_int_equal(held(s), 2);
	start(s, FRIDAY_0700 + 1);
	releases_tick(s->engine, FRIDAY_0700 + 1);
	/* Neither the digest nor the first original again. */
	expect_log(s, "Ann+news@example.org=ok Ann+news@example.org=ok ");
	assert_int_equal(s->message_ids->len, 1);
	assert_int_equal(s->delivered->len, 3);
	assert_int_equal(held(s), 0);
}

static void test_max_hold(void **state)
{
	struct site *s = *state;
	struct err err;
	assert_int_equal(times_parse("Mon 08:00", &s->rule.schedule.times, &err), RC_OK);
	s->config.max_hold = DAY;
	start(s, FRIDAY_0700 - 10 * HOUR);
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700 + DAY - HOUR - 1);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700 + DAY - HOUR);
	expect_log(s, "compose(1) digest=ok ");
}

/* A pause holds digests back, but nothing longer than max_hold (promise 5). */
static void test_pause(void **state)
{
	struct site *s = *state;
	s->config.max_hold = 3 * DAY;
	start(s, FRIDAY_0700 - 10 * HOUR);
	hold(s, FRIDAY_0700 - HOUR, 10);
	assert_int_equal(date_parse("2026-11-24", &s->rule.schedule.pause_until, NULL), RC_OK);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700 + 3 * DAY - HOUR - 1);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700 + 3 * DAY - HOUR);
	expect_log(s, "compose(1) digest=ok ");
	hold(s, FRIDAY_0700 + 3 * DAY, 10);
	releases_tick(s->engine, FRIDAY_0700 + 3 * DAY + 60);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700 + 4 * DAY);
	expect_log(s, "compose(1) digest=ok ");
}

static void test_clock_was_ahead(void **state)
{
	struct site *s = *state;
	hold(s, FRIDAY_0700 + 3650 * DAY, 10);
	releases_tick(s->engine, FRIDAY_0700 - HOUR);
	start(s, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(1) digest=ok ");
}

static void test_opted_out(void **state)
{
	struct site *s = *state;
	hold(s, FRIDAY_0700 - 9 * HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 8 * HOUR);
	s->rule.takes_part = false;
	releases_tick(s->engine, FRIDAY_0700 - 7 * HOUR);
	expect_log(s, "Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
}

/* A digest that was put off is not awaited by one who left; what was read goes out as well. */
static void test_opted_out_while_put_off(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_TEMP, RC_TEMP, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(1) digest=temp ");
	hold(s, FRIDAY_0700 + 30, 10);
	s->rule.takes_part = false;
	releases_tick(s->engine, FRIDAY_0700 + 100);
	expect_log(s, "Ann+news@example.org=temp "); /* nobody answers: put off as others are */
	releases_tick(s->engine, FRIDAY_0700 + 101);
	expect_log(s, "");
	releases_tick(s->engine, FRIDAY_0700 + 2 * HOUR);
	expect_log(s, "Ann+news@example.org=ok Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
	assert_int_equal(s->message_ids->len, 0);
}

/* As an IMAP server does. */
static void read_it(struct site *s, const char *id)
{
	char *from = g_strdup_printf("%s/mail/example.org/ann/new/%s", s->dir, id);
	char *to = g_strdup_printf("%s/mail/example.org/ann/cur/%s:2,S", s->dir, id);
	assert_int_equal(rename(from, to), 0);
	g_free(from);
	g_free(to);
}

/* As draining does: what was read in the folder goes out too. */
static void test_opted_out_with_read_ones(void **state)
{
	struct site *s = *state;
	struct release_status status = {0};
	read_it(s, hold(s, FRIDAY_0700 - 9 * HOUR, 10));
	hold(s, FRIDAY_0700 - 9 * HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 8 * HOUR);
	s->rule.takes_part = false;
	releases_tick(s->engine, FRIDAY_0700 - 7 * HOUR);
	expect_log(s, "Ann+news@example.org=ok Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
	/* Nothing but read ones: counted, and found by the hourly look. */
	read_it(s, hold(s, FRIDAY_0700 - 6 * HOUR, 10));
	start(s, FRIDAY_0700 - 5 * HOUR);
	releases_status(s->engine, remember_status, &status);
	assert_int_equal(status.held, 1);
	releases_tick(s->engine, FRIDAY_0700 - 4 * HOUR);
	expect_log(s, "Ann+news@example.org=ok ");
	assert_int_equal(held(s), 0);
	read_it(s, hold(s, FRIDAY_0700 - 3 * HOUR, 10));
	releases_now(s->engine, ANN, NULL, false, FRIDAY_0700 - 3 * HOUR, done, s);
	assert_int_equal(s->done_delivered, 1);
}

static void test_unknown_zone(void **state)
{
	struct site *s = *state;
	strcpy(s->rule.schedule.timezone, "Mars/Olympus");
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700 + HOUR); /* 08:00 UTC */
	expect_log(s, "compose(1) digest=ok ");
}

static void test_on_demand(void **state)
{
	struct site *s = *state;
	char id[STORE_ID_MAX];
	const char *ids[] = {id, NULL};
	strcpy(id, hold(s, FRIDAY_0700 - 9 * HOUR, 10));
	hold(s, FRIDAY_0700 - 9 * HOUR, 10);
	hold(s, FRIDAY_0700 - 9 * HOUR, 10);
	releases_now(s->engine, ANN, ids, false, FRIDAY_0700 - 8 * HOUR, done, s);
	expect_log(s, "Ann+news@example.org=ok ");
	assert_int_equal(s->done_count, 1);
	assert_int_equal(s->done_delivered, 1);
	assert_int_equal(s->done_left, 2);
	releases_now(s->engine, ANN, NULL, false, FRIDAY_0700 - 8 * HOUR, done, s);
	expect_log(s, "compose(2) digest=ok ");
	assert_int_equal(s->done_count, 2);
	assert_int_equal(s->done_left, 0);
	/* Twice in one second: another Message-ID. */
	hold(s, FRIDAY_0700 - 8 * HOUR, 10);
	releases_now(s->engine, ANN, NULL, false, FRIDAY_0700 - 8 * HOUR, done, s);
	assert_string_not_equal(s->message_ids->pdata[0], s->message_ids->pdata[1]);
	/* Nothing held. */
	releases_now(s->engine, "bob@example.org", NULL, false, FRIDAY_0700, done, s);
	assert_int_equal(s->done_count, 4);
	assert_int_equal(s->done_delivered, 0);
	assert_int_equal(s->done_rc, RC_OK);
}

static void test_on_demand_while_under_way(void **state)
{
	struct site *s = *state;
	const char *ids[] = {"x", NULL};
	static const int rcs[] = {RC_TEMP, END};
	hold(s, FRIDAY_0700 - 9 * HOUR, 10);
	s->submit_rcs = rcs;
	releases_now(s->engine, ANN, NULL, false, FRIDAY_0700 - 8 * HOUR, done, s);
	assert_int_equal(s->done_rc, RC_TEMP);
	assert_int_equal(s->done_left, 1);
	releases_now(s->engine, ANN, ids, false, FRIDAY_0700 - 8 * HOUR, done, s);
	assert_int_equal(s->done_rc, RC_TEMP);
	releases_now(s->engine, ANN, NULL, true, FRIDAY_0700 - 8 * HOUR, done, s);
	assert_int_equal(s->done_rc, RC_OK);
	assert_int_equal(s->done_count, 3);
	assert_int_equal(held(s), 0);
	expect_log(s, "compose(1) digest=temp Ann+news@example.org=ok ");
}

/* A digest was put off; more came. Asked for everything, everything comes. */
static void test_all_joins_what_was_put_off(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_TEMP, END};
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	s->submit_rcs = rcs;
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(1) digest=temp ");
	for (int i = 0; i < 5; i++)
		hold(s, FRIDAY_0700 + 100, 10);
	releases_now(s->engine, ANN, NULL, false, FRIDAY_0700 + 200, done, s);
	/* What was under way keeps its Message-ID, and so its contents. */
	expect_log(s, "compose(1) digest=ok compose(5) digest=ok ");
	assert_int_equal(s->done_count, 1);
	assert_int_equal(s->done_delivered, 6);
	assert_int_equal(s->done_left, 0);
	assert_int_equal(held(s), 0);
}

/* While a release waits for its answer: a further request for everything ends with it, and what came
 * meanwhile is part of it; one for a single message is refused, which can be told from "nothing". */
static void test_all_joins_what_is_under_way(void **state)
{
	struct site *s = *state;
	const char *ids[] = {"x", NULL};
	hold(s, FRIDAY_0700 - HOUR, 10);
	hold(s, FRIDAY_0700 - HOUR, 10);
	s->rule.mode = MODE_INBOX;
	releases_tick(s->engine, FRIDAY_0700 - 60);
	s->mute_submit = true;
	releases_tick(s->engine, FRIDAY_0700);
	hold(s, FRIDAY_0700 + 5, 10);
	releases_now(s->engine, ANN, ids, false, FRIDAY_0700 + 10, done, s);
	assert_int_equal(s->done_count, 1);
	assert_true(release_refused(s->done_delivered, s->done_left, s->done_rc));
	releases_now(s->engine, ANN, NULL, false, FRIDAY_0700 + 10, done, s);
	releases_now(s->engine, ANN, NULL, false, FRIDAY_0700 + 11, done, s);
	assert_int_equal(s->done_count, 1);
	expect_log(s, "compose(2) ");
	s->mute_submit = false;
	answer(s, s->waits, "digest");
	expect_log(s,
	    "digest=ok Ann+news@example.org=ok Ann+news@example.org=ok "
	    "compose(1) digest=ok Ann+news@example.org=ok ");
	assert_int_equal(s->done_count, 3);
	assert_int_equal(s->done_delivered, 3);
	assert_int_equal(s->done_left, 0);
	assert_int_equal(s->done_rc, RC_OK);
	assert_int_equal(held(s), 0);
}

/* Draining while a digest is under way: what is not in it follows as originals. */
static void test_drain_joins_what_is_under_way(void **state)
{
	struct site *s = *state;
	s->config.max_messages = 1;
	start(s, FRIDAY_0700 - 10 * HOUR);
	hold(s, FRIDAY_0700 - HOUR, 10);
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	s->mute_submit = true;
	releases_tick(s->engine, FRIDAY_0700);
	hold(s, FRIDAY_0700 + 5, 10);
	releases_now(s->engine, ANN, NULL, true, FRIDAY_0700 + 10, done, s);
	s->mute_submit = false;
	answer(s, s->waits, "digest");
	expect_log(s, "compose(1, 1/2) digest=ok Ann+news@example.org=ok Ann+news@example.org=ok ");
	assert_int_equal(s->done_delivered, 3);
	assert_int_equal(held(s), 0);
}

/* A message that was read is not counted as held: that its release was put off is seen all the same. */
static void test_put_off_is_not_refused(void **state)
{
	struct site *s = *state;
	static const int rcs[] = {RC_TEMP, END};
	char id[STORE_ID_MAX];
	const char *ids[] = {id, NULL};
	strcpy(id, hold(s, FRIDAY_0700 - HOUR, 10));
	read_it(s, id);
	start(s, FRIDAY_0700 - HOUR);
	s->submit_rcs = rcs;
	releases_now(s->engine, ANN, ids, false, FRIDAY_0700 - HOUR, done, s);
	assert_int_equal(s->done_rc, RC_TEMP);
	assert_false(release_refused(s->done_delivered, s->done_left, s->done_rc));
	releases_tick(s->engine, FRIDAY_0700);
	assert_int_equal(held(s), 0);
}

static void test_many_originals(void **state)
{
	struct site *s = *state;
	s->rule.mode = MODE_INBOX;
	s->config.max_messages = 5000;
	start(s, FRIDAY_0700 - 10 * HOUR);
	for (int i = 0; i < 3000; i++) /* answered at once: recursion would end here */
		hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	assert_int_equal(held(s), 0);
	assert_int_equal(s->delivered->len, 3000);
}

static void test_nonsense_in_ledger(void **state)
{
	struct site *s = *state;
	static const char *const rows[] = {"", "{", "{\"v\":2}", "null",
	    "{\"v\":1,\"last\":0,\"rule\":\"\",\"slot\":0,\"seq\":1,\"step\":9,\"mode\":0,"
	    "\"mid\":\"\",\"ids\":[]}",
	    "{\"v\":1,\"last\":0,\"rule\":\"\",\"slot\":0,\"seq\":1,\"step\":0,\"mode\":0,"
	    "\"mid\":\"\",\"ids\":[1]}",
	    "{\"v\":1,\"last\":0,\"rule\":\"\",\"slot\":0,\"seq\":1,\"step\":0,\"mode\":0,"
	    "\"mid\":\"\",\"ids\":[],\"refused\":[1]}"};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct release_record *record = NULL;
		assert_int_equal(store_slot_put(s->store, ANN, rows[i], strlen(rows[i]), NULL), 0);
		assert_int_equal(ledger_get(s->store, ANN, &record, NULL), RC_CORRUPT);
		assert_null(record);
	}
	hold(s, FRIDAY_0700 - HOUR, 10);
	releases_tick(s->engine, FRIDAY_0700 - 60);
	releases_tick(s->engine, FRIDAY_0700);
	expect_log(s, "compose(1) digest=ok ");
}

static void test_store_fails(void **state)
{
	struct site *s = *state;
	struct store_config config = {
	    .msg_driver = "mem", .msg_path = "", .db_driver = "fail", .db_path = ""};
	struct store *broken = NULL;
	struct err err;
	if (store_open(&config, &broken, NULL, &err) != RC_OK)
		return; /* opening fails as well: pullyud would not start, and nothing is held */
	struct releases *engine = releases_new(broken, &s->config, &ops, s);
	assert_int_equal(releases_load(engine, FRIDAY_0700, &err), RC_TEMP);
	releases_now(engine, ANN, NULL, false, FRIDAY_0700, done, s);
	assert_int_equal(s->done_count, 1);
	assert_int_not_equal(s->done_rc, RC_OK);
	releases_free(&engine);
	store_close(&broken);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_slot), T(test_missed),
	    T(test_new_rule_is_no_missed_slot), T(test_mta_down), T(test_mta_refuses_digest),
	    T(test_mta_refuses_message), T(test_refused_for_ever), T(test_refused_is_reached),
	    T(test_refused_then_put_off), T(test_many_refused), T(test_one_is_put_off),
	    T(test_digest_is_put_off_for_ever), T(test_clock_set_back), T(test_looked_at_again),
	    T(test_compose_fails), T(test_no_room_to_compose), T(test_vanished), T(test_batches),
	    T(test_folder), T(test_no_delimiter), T(test_crash), T(test_vanished),
	    T(test_parts_crash), T(test_folder), T(test_no_delimiter), T(test_crash),
	    T(test_vanished), T(test_part_of), T(test_active), T(test_folder), T(test_no_delimiter),
	    T(test_crash), T(test_crash_originals), T(test_max_hold), T(test_pause),
	    T(test_clock_was_ahead), T(test_opted_out), T(test_opted_out_while_put_off),
	    cmocka_unit_test_setup_teardown(test_opted_out_with_read_ones, setup_folder, teardown),
	    T(test_unknown_zone), T(test_on_demand), T(test_on_demand_while_under_way),
	    T(test_many_originals), T(test_all_joins_what_was_put_off),
	    T(test_all_joins_what_is_under_way), T(test_drain_joins_what_is_under_way),
	    cmocka_unit_test_setup_teardown(test_put_off_is_not_refused, setup_folder, teardown),
	    T(test_nonsense_in_ledger), T(test_store_fails)};
	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
