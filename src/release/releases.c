/*
 * releases.c: whose release is due, and when. See release.h.
 */
#include <config.h>

#include "release/release_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "policy/schedule.h"

enum {
	TICK_SECONDS = 30, /* settings, zones and clocks change without telling us */
	FAILURE_WAIT_MAX = 6 * 3600,
	MERGE_MAX = 10000,      /* missed slots looked at, at most: 64 a day for five months */
	REFRESH_SECONDS = 3600, /* a reader may mark as unread what was read */
};

static void user_free(void *data)
{
	struct release_user *user = data;
	ledger_record_free(&user->record);
	release_free(&user->active);
	g_free(user);
}

struct releases *releases_new(struct store *store, const struct release_config *config,
    const struct release_ops *ops, void *ctx)
{
	struct releases *all = g_new0(struct releases, 1);
	all->store = store;
	all->ops = *ops;
	all->ctx = ctx;
	all->users = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, user_free);
	releases_configure(all, config);
	return all;
}

void releases_configure(struct releases *all, const struct release_config *config)
{
	char *host = g_strdup(config->host);
	char *delimiters = g_strdup(config->delimiters == NULL ? "" : config->delimiters);
	memcpy(all->key, config->key, sizeof(all->key));
	g_free(all->host);
	g_free(all->delimiters);
	all->config = *config;
	all->config.host = all->host = host;
	all->config.delimiters = all->delimiters = delimiters;
	all->config.key = all->key;
}

void releases_free(struct releases **releases)
{
	struct releases *all = *releases;
	if (all == NULL)
		return;
	g_hash_table_destroy(all->users);
	g_free(all->host);
	g_free(all->delimiters);
	g_free(all);
	*releases = NULL;
}

void releases_stop(struct releases *all)
{
	all->stopping = true;
}

struct release_user *release_user_get(struct releases *all, const char *name)
{
	struct release_user *user = g_hash_table_lookup(all->users, name);
	if (user == NULL) {
		user = g_new0(struct release_user, 1);
		user->all = all;
		str_copy(user->name, sizeof(user->name), name);
		g_hash_table_insert(all->users, user->name, user);
	}
	return user;
}

void release_user_failed(struct release_user *user)
{
	int64_t wait = user->all->config.retry << MIN(user->failures, 16);
	user->failures++;
	user->not_before = user->all->now + CLAMP(wait, 1, FAILURE_WAIT_MAX);
}

static bool load_held(void *ctx, const char *user, const struct store_held *held)
{
	(void)held;
	release_user_get(ctx, user);
	return true;
}

static bool load_slot(void *ctx, const char *user, const void *data, size_t len)
{
	(void)data, (void)len;
	release_user_get(ctx, user);
	return true;
}

enum rc releases_load(struct releases *all, int64_t now, struct err *err)
{
	GHashTableIter it;
	struct release_user *user;
	all->now = now;
	enum rc rc = store_held_scan(all->store, NULL, load_held, all, err);
	if (rc == RC_OK)
		rc = store_slot_scan(all->store, load_slot, all, err);
	if (rc != RC_OK)
		return rc;
	g_hash_table_iter_init(&it, all->users);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&user)) {
		if (release_user_refresh(user, NULL, err) != RC_OK)
			log_warning("%s: %s", user->name, err->text);
		if (release_user_record(user, err) != RC_OK) {
			log_warning("%s: %s", user->name, err->text);
			continue; /* read again when it is due */
		}
		if (user->record->step != STEP_IDLE && user->active == NULL) {
			/* Interrupted: whatever the slots say, go on at the step the record names.
			 */
			struct release *r =
			    release_new(user, g_ptr_array_new_with_free_func(g_free),
				user->record->mode, user->record->slot);
			r->waiting = true;
			all->running--;
			log_info(
			    "%s: resuming the release of %s", user->name, user->record->message_id);
		}
	}
	return RC_OK;
}

void releases_held(struct releases *all, const char *name, int64_t received)
{
	struct release_user *user = release_user_get(all, name);
	if (user->held == 0 || received < user->oldest)
		user->oldest = received;
	user->held++;
}

/* What was there before exceptions, stays and pauses hashes as it did then. */
static void rule_hash(const struct release_rule *rule, char out[65])
{
	const struct schedule *s = &rule->schedule;
	GString *text = g_string_new(s->timezone);
	for (size_t i = 0; i < s->times.n; i++)
		g_string_append_printf(
		    text, " %u/%u", s->times.slots[i].weekdays, s->times.slots[i].minute);
	for (size_t i = 0; i < s->exceptions.n; i++) {
		const struct exception *row = &s->exceptions.rows[i];
		g_string_append_printf(text, " %d..%d", row->first, row->last);
		for (size_t k = 0; k < row->n; k++)
			g_string_append_printf(text, "/%u", row->minutes[k]);
	}
	if (s->stay.until != 0)
		g_string_append_printf(text, " %d %s", s->stay.until, s->stay.zone);
	if (s->pause_until != 0)
		g_string_append_printf(text, " pause %d", s->pause_until);
	char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, -1);
	str_copy(out, 65, sum);
	g_free(sum);
	g_string_free(text, TRUE);
}

/* A slot that lies in the past by a rule that the user made only now is not a missed slot: what
 * counts begins with the last look before the rule was seen, so that one who sets the next minute
 * does not miss it. */
static void note_rule(struct release_user *user, const struct release_rule *rule)
{
	char hash[65];
	struct err err;
	struct release_record *rec = user->record;
	rule_hash(rule, hash);
	bool ahead = rec->last > user->all->now; /* the clock was wrong once */
	if (strcmp(hash, rec->rule) == 0 && !ahead)
		return;
	bool first = rec->rule[0] == '\0';
	int64_t since = user->looked;
	if (since == 0 || since > user->all->now || user->all->now - since > 2 * TICK_SECONDS)
		since = user->all->now;
	rec->last = ahead || !first ? since : MIN(user->oldest, user->all->now);
	str_copy(rec->rule, sizeof(rec->rule), hash);
	if (ledger_put(user->all->store, user->name, rec, &err) != RC_OK)
		log_warning("%s: slot ledger: %s", user->name, err.text);
}

struct due {
	int64_t when; /* 0: never */
	int64_t slot; /* what the release serves; merged if several were missed */
	bool is_slot; /* false: max_hold, or somebody who does not take part */
};

static enum rc next_slot(
    const struct release_rule *rule, int64_t after, int64_t *slot_out, struct err *err)
{
	enum rc rc = schedule_next(&rule->schedule, after, slot_out, err);
	if (rc == RC_PERM) { /* a zone that tzdata no longer has */
		struct schedule utc = rule->schedule;
		str_copy(utc.timezone, sizeof(utc.timezone), "UTC");
		utc.stay = (struct stay){0};
		rc = schedule_next(&utc, after, slot_out, err);
	}
	return rc;
}

static void merge_missed(const struct release_rule *rule, int64_t now, struct due *due)
{
	int64_t next;
	struct err err;
	for (int i = 0; i < MERGE_MAX; i++) {
		if (next_slot(rule, due->slot, &next, &err) != RC_OK || next > now)
			return;
		due->slot = next;
	}
}

static struct due user_due(struct release_user *user, struct release_rule *rule)
{
	struct due due = {0};
	struct err err;
	int64_t now = user->all->now;
	user->all->ops.rule(user->all->ctx, user->name, rule);
	if (user->held == 0)
		return due;
	/* A clock that was ahead when these were noted must not hold mail until it is there
	 * again. */
	user->oldest = MIN(user->oldest, now);
	user->not_before = MIN(user->not_before, now + FAILURE_WAIT_MAX);
	if (!rule->takes_part) {
		due.when = MAX(now, user->not_before);
		due.slot = now;
		return due;
	}
	note_rule(user, rule);
	user->looked = now;
	int64_t forced = user->oldest + user->all->config.max_hold;
	int64_t base = MAX(user->record->last, user->oldest);
	if (next_slot(rule, base, &due.slot, &err) == RC_OK && due.slot <= forced) {
		due.when = due.slot;
		due.is_slot = true;
		if (due.slot <= now)
			merge_missed(rule, now, &due);
	} else {
		due.when = forced;
		due.slot = MAX(forced, now);
	}
	due.when = MAX(due.when, user->not_before);
	return due;
}

/* Ends what was put off, so that all of it can go out as originals. What the MTA has taken is
 * removed first: the next release goes on with such a record. */
static void abandon(struct release_user *user)
{
	if (user->record->step != STEP_RETIRE) {
		user->record->step = STEP_IDLE;
		g_ptr_array_set_size(user->record->ids, 0);
	}
	release_free(&user->active);
}

/* For somebody who takes no part this is what draining is, but for what was refused. */
static void start(struct release_user *user, const struct release_rule *rule, const struct due *due)
{
	struct err err;
	GPtrArray *ids = NULL;
	if (release_user_refresh(user, &ids, &err) != RC_OK) {
		log_warning("%s: %s", user->name, err.text);
		release_user_failed(user);
		return;
	}
	if (user->active != NULL)
		abandon(user);
	/* With nothing held this ends at once, and the slot counts as served. */
	struct release *r =
	    release_new(user, ids, rule->takes_part ? rule->mode : MODE_DELIVER, due->slot);
	r->serves_slot = due->is_slot;
	release_run(r);
}

/* When what was refused is tried again; 0: nothing was. */
static int64_t refused_due(const struct release_user *user)
{
	if (release_user_refused(user) == 0)
		return 0;
	return MIN(user->record->refused_next, user->all->now + RELEASE_REFUSED_SECONDS);
}

/* Alone, as originals; a failure to deliver them puts nothing off. */
static void retry_refused(struct release_user *user)
{
	GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
	const GPtrArray *refused = user->record->refused;
	for (guint i = 0; i < refused->len; i++)
		g_ptr_array_add(ids, g_strdup(refused->pdata[i]));
	release_user_refused_later(user);
	log_info("%s: trying again what the MTA refused: %u message(s)", user->name, ids->len);
	release_run(release_new(user, ids, MODE_DELIVER, user->all->now));
}

static void resume(struct release_user *user)
{
	user->active->waiting = false;
	user->all->running++;
	release_run(user->active);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The user has left since the digest was put off: nobody waits for it any more. Not so of
 * originals: those are put off as others are. */
static bool opted_out(struct release_user *user, struct release_rule *rule)
{
	bool digest = user->record->step == STEP_COMPOSE || user->active->mode != MODE_DELIVER;
	if (!digest || user->active->taken)
		return false;
	user->all->ops.rule(user->all->ctx, user->name, rule);
	return !rule->takes_part;
}

/* One user's turn. Returns when the next one is wanted; 0: not by itself. */
static int64_t tick_user(struct release_user *user)
{
	struct releases *all = user->all;
	struct release_rule rule;
	struct err err;
	bool room = all->running < all->config.parallel;
	if (user->active != NULL) {
		if (!user->active->waiting)
			return 0; /* its answer will come */
		if (room && opted_out(user, &rule)) {
			start(user, &rule, &(struct due){.slot = all->now});
			return all->now + TICK_SECONDS;
		}
		user->not_before = MIN(user->not_before, all->now + FAILURE_WAIT_MAX);
		if (user->not_before > all->now || !room)
			return MAX(user->not_before, all->now + 1);
		resume(user);
		return all->now + 1;
	}
	if (llabs(all->now - user->refreshed) >= REFRESH_SECONDS &&
	    release_user_refresh(user, NULL, &err) != RC_OK)
		log_warning("%s: %s", user->name, err.text);
	if (user->held == 0 && release_user_refused(user) == 0)
		return 0;
	if (release_user_record(user, &err) != RC_OK) {
		log_warning("%s: %s", user->name, err.text);
		return 0;
	}
	struct due due = user_due(user, &rule);
	int64_t refused = refused_due(user);
	if (room && due.when != 0 && due.when <= all->now)
		start(user, &rule, &due);
	else if (room && refused != 0 && refused <= all->now)
		retry_refused(user);
	else
		return MAX(earlier(due.when, refused), all->now + 1);
	return all->now + 1;
}

int64_t releases_tick(struct releases *all, int64_t now)
{
	int64_t next = now + TICK_SECONDS;
	all->now = now;
	if (all->stopping)
		return next;
	/* A release that starts may add users: walk over a copy. Users are never removed. */
	GList *users = g_hash_table_get_values(all->users);
	for (GList *at = users; at != NULL; at = at->next) {
		int64_t when = tick_user(at->data);
		if (when != 0)
			next = MIN(next, when);
	}
	g_list_free(users);
	return MAX(next, now + 1);
}

static GPtrArray *copy_ids(const char *const *ids)
{
	GPtrArray *copy = g_ptr_array_new_with_free_func(g_free);
	for (; *ids != NULL; ids++)
		g_ptr_array_add(copy, g_strdup(*ids));
	return copy;
}

void releases_now(struct releases *all, const char *name, const char *const *ids, bool deliver,
    int64_t now, release_done_fn *done, void *done_ctx)
{
	struct release_user *user = release_user_get(all, name);
	struct release_rule rule;
	struct release_done d = {.fn = done, .ctx = done_ctx};
	struct err err;
	all->now = now;
	enum rc rc = release_user_record(user, &err);
	if (rc == RC_OK && user->active != NULL && ids != NULL)
		rc = err_set(&err, RC_TEMP, "a release for this user is under way; try again soon");
	all->ops.rule(all->ctx, user->name, &rule);
	deliver |= !rule.takes_part;
	GPtrArray *all_ids = NULL;
	if (rc == RC_OK && ids != NULL)
		all_ids = copy_ids(ids);
	else if (rc == RC_OK)
		rc = release_user_list(user, deliver, deliver, &all_ids, NULL, &err);
	if (rc != RC_OK) {
		done(done_ctx, 0, 0, rc, &err);
		return;
	}
	enum release_mode mode = ids != NULL || deliver ? MODE_DELIVER : rule.mode;
	if (user->active != NULL && deliver && user->active->waiting && !user->active->taken)
		abandon(user);
	bool joins = user->active != NULL;
	if (joins)
		release_join(user->active, all_ids, mode);
	else
		release_new(user, all_ids, mode, now);
	g_array_append_val(user->active->done, d);
	if (!joins)
		release_run(user->active);
	else if (user->active->waiting) /* put off after a failure: now is a good time */
		resume(user);
}

void releases_status(struct releases *all, release_status_fn *fn, void *ctx)
{
	GHashTableIter it;
	struct release_user *user;
	struct release_rule rule;
	struct err err;
	g_hash_table_iter_init(&it, all->users);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&user)) {
		struct release_status status = {.held = user->held,
		    .oldest = user->oldest,
		    .refused = release_user_refused(user),
		    .under_way = user->active != NULL,
		    .failures = user->failures};
		if (user->active != NULL)
			status.next = MAX(user->not_before, all->now);
		else if (user->held > 0 && release_user_record(user, &err) == RC_OK)
			status.next = user_due(user, &rule).when;
		else
			status.next = refused_due(user);
		fn(ctx, user->name, &status);
	}
}

int64_t releases_slot(struct releases *all, const char *name, int64_t now)
{
	struct release_user *user = g_hash_table_lookup(all->users, name);
	struct release_rule rule;
	struct err err;
	if (user == NULL || user->held == 0 || user->active != NULL ||
	    release_user_record(user, &err) != RC_OK)
		return now;
	return user_due(user, &rule).slot;
}
