/*
 * ops.c: what the release engine wants done: settings looked up, digests composed and messages
 * submitted by workers, outcomes counted and logged.
 */
#include <config.h>

#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/describe.h"
#include "daemon/job.h"
#include "digest/guard.h"
#include "digest/words.h"
#include "policy/policy.h"

enum { COMPOSE_SECONDS = 120, PARALLEL = 4, REASONS_SHOWN = 2 };

void ops_config(const struct daemon *d, struct release_config *config_out)
{
	*config_out = (struct release_config){.max_hold = d->conf->max_hold,
	    .retry = d->conf->retry,
	    .max_messages = (size_t)d->conf->digest_max_messages,
	    .max_bytes = (uint64_t)d->conf->digest_max_size,
	    .parallel = PARALLEL,
	    .host = d->conf->host,
	    .delimiters = d->conf->delimiters,
	    .key = d->key};
}

/* ---- the clock ---- */

static gboolean on_tick(gpointer data)
{
	struct daemon *d = data;
	d->tick_source = 0;
	/* A slot that was missed while pullyud was down is for what came in meanwhile, too. */
	if (!d->caught_up)
		return G_SOURCE_REMOVE;
	int64_t now = clock_now();
	int64_t wait = (releases_tick(d->releases, now) - now) * 1000;
	wait = CLAMP(wait, 100, clock_sleep_max_ms());
	if (!d->stopping && d->tick_source == 0)
		d->tick_source = g_timeout_add((guint)wait, on_tick, d);
	return G_SOURCE_REMOVE;
}

void ops_tick_soon(struct daemon *d)
{
	if (d->tick_source != 0)
		g_source_remove(d->tick_source);
	d->tick_source = g_timeout_add(10, on_tick, d);
}

/* ---- settings ---- */

/* In doubt the site's defaults: held mail must have times at which it leaves. */
static void op_rule(void *ctx, const char *name, struct release_rule *rule_out)
{
	struct daemon *d = ctx;
	static const enum release_mode modes[] = {
	    [ORIGINALS_ATTACH] = MODE_ATTACH,
	    [ORIGINALS_FOLDER] = MODE_FOLDER,
	    [ORIGINALS_INBOX] = MODE_INBOX,
	};
	struct user *user = NULL;
	struct err err;
	const struct settings *s = &d->conf->defaults;
	*rule_out = (struct release_rule){.takes_part = true};
	if (users_get(d->users, name, &user, &err) == RC_OK) {
		rule_out->takes_part = user->takes_part;
		s = &user->settings;
	} else {
		log_warning("%s: %s", name, err.text);
	}
	schedule_of(s, &rule_out->schedule);
	rule_out->mode = modes[s->originals];
	user_unref(&user);
}

static enum rc op_reconcile(void *ctx, const char *user, struct err *err)
{
	struct daemon *d = ctx;
	enum rc rc = store_rebuild(d->store, user, describe, d->users, NULL, err);
	daemon_check_store(d, rc, err);
	return rc;
}

/* ---- composing ---- */

/* The rules' own words, for the eye: "it tells how to unsubscribe; ..." */
static char *why(const struct daemon *d, const char *reasons)
{
	char **names = g_strsplit(reasons, ",", -1);
	GString *text = g_string_new(NULL);
	for (int i = 0, shown = 0; names[i] != NULL && shown < REASONS_SHOWN; i++) {
		const char *words = rules_why(d->rules, g_strstrip(names[i]));
		if (strcmp(names[i], POLICY_REASON_LISTED) == 0)
			words = N_("your hold list names its sender");
		if (words == NULL || words[0] == '\0')
			words = names[i]; /* a rule that is gone: its name still says something */
		if (words[0] == '\0' || strstr(text->str, words) != NULL)
			continue;
		g_string_append_printf(text, "%s%s", shown++ == 0 ? "" : "; ", words);
	}
	g_strfreev(names);
	return g_string_free(text, FALSE);
}

void ops_put_text(json_t *object, const char *key, const char *value)
{
	char *valid = g_utf8_make_valid(value, -1);
	json_object_set_new(object, key, json_string(valid));
	g_free(valid);
}

json_t *ops_entry(const struct daemon *d, const struct store_held *held)
{
	json_t *e = json_object();
	char *words = why(d, held->reasons);
	ops_put_text(e, "id", held->id);
	json_object_set_new(e, "size", json_integer((json_int_t)held->size));
	ops_put_text(e, "class", held->class_name);
	ops_put_text(e, "from_name", held->from_name);
	ops_put_text(e, "from_addr", held->from_addr);
	ops_put_text(e, "subject", held->subject);
	ops_put_text(e, "why", words);
	g_free(words);
	return e;
}

static enum rc entries_json(
    struct daemon *d, const char *user, const GPtrArray *ids, json_t **entries_out, struct err *err)
{
	json_t *entries = json_array();
	for (guint i = 0; i < ids->len; i++) {
		struct store_held held;
		enum rc rc = store_held_get(d->store, user, ids->pdata[i], &held, err);
		if (rc != RC_OK) {
			json_decref(entries);
			return err_prefix(err, rc, "%s", (const char *)ids->pdata[i]);
		}
		json_t *e = ops_entry(d, &held);
		json_object_set_new(e, "lead", json_integer((json_int_t)held.lead));
		ops_put_text(e, "list_id", held.list_id);
		json_object_set_new(e, "received", json_integer(held.received));
		json_array_append_new(entries, e);
	}
	*entries_out = entries;
	return RC_OK;
}

struct digest_request {
	const char *user, *message_id, *out;
	const char *form; /* of job_form_read */
	int64_t slot;
	const GPtrArray *ids;
	enum release_mode mode;
	unsigned part, parts;
	bool plain;
};

static void add_strings(json_t *object, const char *key, char **strings)
{
	json_t *array = json_array();
	for (size_t i = 0; strings != NULL && strings[i] != NULL; i++)
		json_array_append_new(array, json_string(strings[i]));
	json_object_set_new(object, key, array);
}

static enum rc compose_job(
    struct daemon *d, const struct digest_request *q, json_t **job_out, struct err *err)
{
	struct user *user = NULL;
	json_t *entries = NULL;
	char guard[GUARD_MAX];
	enum rc rc = entries_json(d, q->user, q->ids, &entries, err);
	if (rc != RC_OK)
		return rc;
	if (users_get(d->users, q->user, &user, NULL) != RC_OK)
		user = NULL;
	const struct settings *s = user == NULL ? &d->conf->defaults : &user->settings;
	struct schedule schedule;
	schedule_of(s, &schedule);
	guard_make(d->key, q->message_id, guard);
	json_t *job = json_pack("{s:s,s:b,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:b,s:b,s:o}",
	    "kind", "compose", "plain", (int)q->plain, "users", d->folders, "out", q->out, "user",
	    q->user, "from", d->conf->from, "message_id", q->message_id, "guard", guard, "slot",
	    (json_int_t)q->slot, "now", (json_int_t)clock_now(), "timezone",
	    schedule_slot_zone(&schedule, q->slot), "language", s->language, "attach",
	    (int)(q->mode == MODE_ATTACH), "in_folder", (int)(q->mode == MODE_FOLDER), "entries",
	    entries);
	if (job == NULL) {
		user_unref(&user);
		return err_set(err, RC_PERM, "the digest's description is not valid UTF-8");
	}
	ops_put_text(job, "host", d->conf->host);
	ops_put_text(job, "form", q->form);
	add_strings(job, "authserv_ids", d->conf->authserv_ids);
	json_object_set_new(job, "part", json_integer(q->part));
	json_object_set_new(job, "parts", json_integer(q->parts));
	if (d->conf->digest_template != NULL)
		ops_put_text(job, "templates", d->conf->digest_template);
	if (d->conf->reply_to != NULL)
		ops_put_text(job, "reply_to", d->conf->reply_to);
	if (user != NULL && user->problem[0] != '\0') {
		json_t *notices = json_array();
		json_array_append_new(notices, json_string(user->problem));
		json_object_set_new(job, "notices", notices);
	}
	user_unref(&user);
	char **quiet = learn_quiet(d, q->user, q->ids);
	add_strings(job, "quiet", quiet);
	g_strfreev(quiet);
	commands_link(d, q->user, q->slot, q->mode == MODE_ATTACH, q->ids, job);
	*job_out = job;
	return RC_OK;
}

static enum rc job_outcome(struct daemon *d, json_t *result, struct err *err)
{
	enum rc rc = job_result(result, err);
	const char *problem = json_string_value(json_object_get(result, "problem"));
	if (result == NULL)
		d->counters.workers_died++;
	/* Said once, not at every digest of every user. */
	if (problem != NULL && strcmp(problem, d->template_problem) != 0) {
		if (problem[0] != '\0')
			log_warning("the digest's template is not used: %s", problem);
		else
			log_info("the digest's template is good again");
		str_copy(d->template_problem, sizeof(d->template_problem), problem);
	}
	return rc;
}

/* A release, and whose daemon it belongs to: the context of a job. */
struct step {
	struct daemon *d;
	struct release *release;
};

static struct step *step_new(struct daemon *d, struct release *release)
{
	struct step *s = g_new(struct step, 1);
	s->d = d;
	s->release = release;
	return s;
}

static char *out_path(const struct daemon *d, const char *user)
{
	char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, user, -1);
	char *path = g_strdup_printf("%s/%s.eml", d->out, sum);
	g_free(sum);
	return path;
}

/* Beside the digest: what its numbers mean. */
static char *map_path(const struct daemon *d, const char *user)
{
	char *path = out_path(d, user), *map = g_strconcat(path, ".map", NULL);
	g_free(path);
	return map;
}

static void on_composed(void *ctx, json_t *result)
{
	struct step s = *(struct step *)ctx;
	struct err err;
	const char *user = release_user(s.release);
	const struct release_record *rec = release_record(s.release);
	char *map = map_path(s.d, user);
	g_free(ctx);
	enum rc rc = job_outcome(s.d, result, &err);
	if (rc == RC_OK)
		commands_remember(s.d, user, rec->message_id, rec->ids, map);
	unlink(map);
	g_free(map);
	release_composed(s.release, rc, &err);
}

static void op_compose(void *ctx, struct release *release, bool plain)
{
	struct daemon *d = ctx;
	const struct release_record *rec = release_record(release);
	struct err err;
	json_t *job = NULL;
	char *path = out_path(d, release_user(release));
	struct digest_request q = {.user = release_user(release),
	    .message_id = rec->message_id,
	    .out = path,
	    .slot = rec->slot,
	    .ids = rec->ids,
	    .form = JOB_FORM_MESSAGE,
	    .mode = rec->mode,
	    .part = rec->part,
	    .parts = rec->parts,
	    .plain = plain};
	enum rc rc = compose_job(d, &q, &job, &err);
	g_free(path);
	path = map_path(d, release_user(release));
	if (rc == RC_OK)
		ops_put_text(job, "map", path);
	g_free(path);
	if (rc == RC_OK)
		workers_run(d->workers, job, COMPOSE_SECONDS, on_composed, step_new(d, release));
	else
		release_composed(release, rc, &err);
}

/* ---- submitting ---- */

static void on_submitted(void *ctx, json_t *result)
{
	struct step s = *(struct step *)ctx;
	struct err err;
	g_free(ctx);
	enum rc rc = job_outcome(s.d, result, &err);
	int code = (int)json_integer_value(json_object_get(result, "code"));
	release_submitted(s.release, rc == RC_CORRUPT ? RC_TEMP : rc, code, &err);
}

json_t *ops_submit_job(const struct daemon *d, const char *from, const char *rcpt)
{
	json_t *job = json_object();
	char helo[GUARD_HELO_MAX];
	guard_helo(d->key, helo);
	ops_put_text(job, "kind", "submit");
	ops_put_text(job, "helo", helo);
	ops_put_text(job, "host", d->conf->submit_host);
	json_object_set_new(job, "port", json_integer(d->conf->submit_port));
	json_object_set_new(job, "timeout", json_integer(d->conf->submit_timeout));
	ops_put_text(job, "from", from);
	ops_put_text(job, "rcpt", rcpt);
	return job;
}

static void submit(struct daemon *d, struct release *release, json_t *job)
{
	unsigned seconds = (unsigned)d->conf->submit_timeout + 10;
	workers_run(d->workers, job, seconds, on_submitted, step_new(d, release));
}

static void op_submit_digest(void *ctx, struct release *release)
{
	struct daemon *d = ctx;
	char *path = out_path(d, release_user(release));
	json_t *job = ops_submit_job(d, d->conf->envelope_from, release_user(release));
	ops_put_text(job, "path", path);
	g_free(path);
	submit(d, release, job);
}

static void op_submit_original(void *ctx, struct release *release, const struct store_held *held,
    const char *from, const char *rcpt)
{
	struct daemon *d = ctx;
	json_t *job = ops_submit_job(d, from, rcpt);
	ops_put_text(job, "users", d->folders);
	ops_put_text(job, "user", release_user(release));
	ops_put_text(job, "id", held->id);
	json_object_set_new(job, "lead", json_integer((json_int_t)held->lead));
	submit(d, release, job);
}

static void op_taken(void *ctx, const char *user, const struct release_record *record)
{
	learn_taken(ctx, user, record->ids);
}

static void op_retiring(void *ctx, const char *user, const struct release_record *record)
{
	kept_add(ctx, user, record->ids);
}

static void op_ended(void *ctx, const char *user, size_t digests, size_t delivered, size_t left,
    enum rc rc, const char *text)
{
	struct daemon *d = ctx;
	d->counters.delivered += delivered;
	d->counters.digests += digests;
	if (rc != RC_OK) {
		d->counters.put_off++;
		log_warning(
		    "%s: release put off: delivered=%zu left=%zu: %s", user, delivered, left, text);
	} else if (digests > 0 || delivered > 0) {
		log_info("%s: released: digests=%zu delivered=%zu left=%zu", user, digests,
		    delivered, left);
	}
	if (rc == RC_OK) {
		char *path = out_path(d, user);
		unlink(path);
		g_free(path);
	}
	ops_tick_soon(d);
}

const struct release_ops daemon_release_ops = {
    .rule = op_rule,
    .reconcile = op_reconcile,
    .compose = op_compose,
    .submit_digest = op_submit_digest,
    .submit_original = op_submit_original,
    .taken = op_taken,
    .retiring = op_retiring,
    .ended = op_ended,
};

/* ---- preview ---- */

struct preview {
	struct daemon *d;
	char *path;
	struct ops_preview about;
	ops_preview_fn *done;
	void *ctx;
};

static void on_preview(void *ctx, json_t *result)
{
	struct preview *p = ctx;
	struct err err;
	int fd = -1;
	enum rc rc = job_outcome(p->d, result, &err);
	if (rc == RC_OK) {
		fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			rc = err_errno(&err, RC_TEMP, "%s", p->path);
	}
	unlink(p->path);
	const char *problem = json_string_value(json_object_get(result, "problem"));
	p->about.problem = problem == NULL || problem[0] == '\0' ? NULL : problem;
	p->done(p->ctx, fd, &p->about, rc == RC_CORRUPT ? RC_TEMP : rc, &err);
	g_free(p->path);
	g_free(p);
}

/* The digest of a release that is under way or put off is settled: its contents, its part. */
static enum rc preview_settled(struct preview *p, const struct release_record *rec,
    struct digest_request *q, GPtrArray **ids_out, struct err *err)
{
	if (p->about.part != 1 && p->about.part != rec->part)
		return err_set(err, RC_NOTFOUND,
		    "part %u is not settled: part %u of %u is under way", p->about.part, rec->part,
		    rec->parts);
	*ids_out = g_ptr_array_ref(rec->ids);
	q->slot = rec->slot;
	q->mode = rec->mode;
	p->about.part = rec->part;
	p->about.parts = rec->parts;
	return RC_OK;
}

/* Else the same ids and batches as a release would have. */
static enum rc preview_next(struct daemon *d, struct preview *p, struct digest_request *q,
    GPtrArray **ids_out, struct err *err)
{
	GPtrArray *all = NULL;
	enum rc rc = releases_list(d->releases, q->user, false, &all, err);
	if (rc != RC_OK)
		return rc;
	if (all->len == 0)
		rc = err_set(err, RC_NOTFOUND, "nothing is held for %s", q->user);
	else
		rc = releases_part(d->releases, q->user, all, q->mode, p->about.part, ids_out,
		    &p->about.parts, err);
	q->slot = releases_slot(d->releases, q->user, clock_now());
	g_ptr_array_unref(all);
	return rc;
}

static enum rc preview_job(struct daemon *d, struct preview *p, const char *user, const char *form,
    json_t **job_out, struct err *err)
{
	struct release_rule rule;
	GPtrArray *ids = NULL;
	const struct release_record *rec = releases_active(d->releases, user);
	op_rule(d, user, &rule);
	if (!rule.takes_part)
		return err_set(err, RC_NOTFOUND,
		    "%s takes no part: what is held goes out at once, without a digest", user);
	struct digest_request q = {.user = user,
	    .message_id = "<preview@pullyu.invalid>",
	    .out = p->path,
	    .form = form,
	    .mode = rule.mode};
	enum rc rc = rec != NULL && rec->step == STEP_COMPOSE
	    ? preview_settled(p, rec, &q, &ids, err)
	    : preview_next(d, p, &q, &ids, err);
	if (rc != RC_OK)
		return rc;
	q.ids = ids;
	q.part = p->about.part;
	q.parts = p->about.parts;
	rc = compose_job(d, &q, job_out, err);
	g_ptr_array_unref(ids);
	return rc;
}

void ops_preview(struct daemon *d, const char *user, const char *form, unsigned part,
    ops_preview_fn *done, void *ctx)
{
	static unsigned serial;
	struct preview *p = g_new0(struct preview, 1);
	struct err err;
	json_t *job = NULL;
	*p = (struct preview){.d = d, .about = {.part = part}, .done = done, .ctx = ctx};
	p->path = g_strdup_printf("%s/preview.%u.eml", d->out, serial++);
	enum rc rc = preview_job(d, p, user, form, &job, &err);
	if (rc == RC_OK) {
		workers_run(d->workers, job, COMPOSE_SECONDS, on_preview, p);
		return;
	}
	done(ctx, -1, NULL, rc, &err);
	g_free(p->path);
	g_free(p);
}
