/*
 * serve.c: the requests on the control socket (control.h lists them). One row a request.
 */
#include <config.h>

#include "daemon/daemon.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/describe.h"
#include "daemon/job.h"
#include "daemon/lists.h"
#include "policy/schedule.h"

enum {
	SPF_SECONDS = 5,
	SPF_RUNNING_MAX = 8, /* so that slow DNS servers cannot take the workers from releases */
	ASK_MAX = 2000,
};

static const char *text(json_t *request, const char *key)
{
	const char *s = json_string_value(json_object_get(request, key));
	return s == NULL ? "" : s;
}

/* The user that a person typed. Answers the call itself if there is none. */
static bool user_of(
    struct daemon *d, json_t *request, struct control_call_in *call, char key[ADDR_MAX])
{
	struct err err;
	enum rc rc = users_key(d->users, text(request, "user"), key, &err);
	if (rc != RC_OK)
		control_answer_rc(call, rc, &err);
	return rc == RC_OK;
}

/* ---- the milter's ---- */

/* RC_OK: the user has written to one of them. RC_NOTFOUND: to none. Anything else is no answer. */
static enum rc knows(struct daemon *d, const char *user, json_t *senders, struct err *err)
{
	size_t i;
	json_t *sender;
	json_array_foreach(senders, i, sender)
	{
		char address[ADDR_MAX];
		int64_t when;
		const char *s = json_string_value(sender);
		if (s == NULL || addr_normalise(s, NULL, address, NULL) != RC_OK)
			continue;
		enum rc rc = store_known_get(d->store, user, address, &when, err);
		if (rc != RC_NOTFOUND && rc != RC_PERM) /* no key: a no */
			return rc;
	}
	return RC_NOTFOUND;
}

/* The same for messages that the user sent. */
static enum rc sent(struct daemon *d, const char *user, json_t *refs, struct err *err)
{
	size_t i;
	json_t *ref;
	json_array_foreach(refs, i, ref)
	{
		int64_t when;
		const char *s = json_string_value(ref);
		if (s == NULL || s[0] == '\0' || strlen(s) >= STORE_MSGID_MAX)
			continue;
		enum rc rc = store_sent_get(d->store, user, s, &when, err);
		if (rc != RC_NOTFOUND && rc != RC_PERM) /* no key: a no */
			return rc;
	}
	return RC_NOTFOUND;
}

static enum rc ask_one(
    struct daemon *d, const char *user, json_t *request, json_t *known, struct err *err)
{
	const char *why = "reply";
	d->counters.asked++;
	enum rc rc = sent(d, user, json_object_get(request, "refs"), err);
	if (rc == RC_NOTFOUND) {
		why = "correspondent";
		rc = knows(d, user, json_object_get(request, "senders"), err);
	}
	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_OK : rc;
	d->counters.known++;
	json_object_set_new(known, user, json_string(why));
	return RC_OK;
}

/* A user who is not in the answer is known not to know the sender, and the message may be held: so
 * whatever is in doubt is no answer at all. */
static void serve_ask(struct daemon *d, json_t *request, struct control_call_in *call)
{
	json_t *known = json_object();
	json_t *users = json_object_get(request, "users");
	enum rc rc = RC_OK;
	struct err err;
	size_t i;
	json_t *u;
	if (json_array_size(users) > ASK_MAX)
		rc = err_set(&err, RC_TEMP, "more than %d users in one question", ASK_MAX);
	json_array_foreach(users, i, u)
	{
		const char *user = json_string_value(u);
		if (rc == RC_OK && user != NULL)
			rc = ask_one(d, user, request, known, &err);
	}
	if (rc == RC_OK) {
		control_answer(call, json_pack("{s:o}", "known", known), -1);
		return;
	}
	json_decref(known);
	daemon_check_store(d, rc, &err);
	control_answer_rc(call, RC_TEMP, &err);
}

struct spf {
	struct daemon *d;
	struct control_call_in *call;
};

static void on_spf(void *ctx, json_t *result)
{
	struct spf *q = ctx;
	struct err err;
	enum rc rc = job_result(result, &err);
	q->d->spf_running--;
	if (rc == RC_OK)
		control_answer(q->call, json_pack("{s:s}", "result", text(result, "result")), -1);
	else
		control_answer_rc(q->call, RC_TEMP, &err);
	g_free(q);
}

static void serve_spf(struct daemon *d, json_t *request, struct control_call_in *call)
{
	struct err err;
	if (d->spf_running >= SPF_RUNNING_MAX) {
		err_set(&err, RC_TEMP, "too many SPF checks at a time");
		control_answer_rc(call, RC_TEMP, &err);
		return;
	}
	d->counters.spf++;
	d->spf_running++;
	struct spf *q = g_new(struct spf, 1);
	*q = (struct spf){.d = d, .call = call};
	json_t *job = json_pack("{s:s,s:s,s:s,s:s}", "kind", "spf", "ip", text(request, "ip"),
	    "helo", text(request, "helo"), "from", text(request, "from"));
	workers_run(d->workers, job, SPF_SECONDS, on_spf, q);
}

static enum rc remember(struct daemon *d, const char *user, json_t *request, struct err *err)
{
	const char *id = text(request, "id");
	int64_t now = clock_now();
	size_t i;
	json_t *to;
	enum rc rc = store_begin(d->store, err);
	if (rc != RC_OK)
		return rc;
	json_array_foreach(json_object_get(request, "to"), i, to)
	{
		char address[ADDR_MAX];
		const char *s = json_string_value(to);
		if (rc != RC_OK || i >= ASK_MAX || s == NULL ||
		    addr_normalise(s, NULL, address, NULL) != RC_OK)
			continue;
		rc = store_known_put(d->store, user, address, now, err);
	}
	if (rc == RC_OK && id[0] != '\0' && strlen(id) < STORE_MSGID_MAX)
		rc = store_sent_put(d->store, user, id, now, err);
	if (rc != RC_OK) {
		store_abort(d->store);
		return rc;
	}
	return store_commit(d->store, err);
}

static void serve_sent(struct daemon *d, json_t *request, struct control_call_in *call)
{
	struct err err;
	char user[ADDR_MAX];
	/* By the same rule as everywhere (keep_case), or the answers would not find it. */
	enum rc rc = users_key(d->users, text(request, "user"), user, &err);
	if (rc == RC_OK)
		rc = remember(d, user, request, &err);
	if (rc == RC_OK)
		d->counters.sent++;
	daemon_check_store(d, rc, &err);
	control_answer_rc(call, rc, &err);
}

static void serve_kick(struct daemon *d, json_t *request, struct control_call_in *call)
{
	(void)request;
	incoming_soon(d);
	control_answer_rc(call, RC_OK, NULL);
}

/* ---- looking ---- */

struct lister {
	struct daemon *d;
	const char *user;
	json_t *messages;
};

static bool list_one(void *ctx, const struct store_msg *msg)
{
	struct lister *l = ctx;
	struct store_held held;
	char when[SCHEDULE_TEXT_MAX] = "";
	if (msg->trashed || store_held_get(l->d->store, l->user, msg->id, &held, NULL) != RC_OK)
		return true;
	json_t *e = ops_entry(l->d, &held);
	schedule_format(held.received, NULL, when, NULL);
	json_object_set_new(e, "received", json_string(when));
	json_object_set_new(e, "score", json_real(held.score));
	json_object_set_new(e, "reasons", json_string(held.reasons));
	json_object_set_new(e, "read", json_boolean(msg->seen));
	json_array_append_new(l->messages, e);
	return true;
}

static void serve_list(struct daemon *d, json_t *request, struct control_call_in *call)
{
	char user[ADDR_MAX];
	struct err err;
	if (!user_of(d, request, call, user))
		return;
	struct lister l = {.d = d, .user = user, .messages = json_array()};
	enum rc rc = store_rebuild(d->store, user, describe, d->users, NULL, &err);
	if (rc == RC_OK)
		rc = store_msg_list(d->store, user, list_one, &l, &err);
	if (rc != RC_OK) {
		json_decref(l.messages);
		control_answer_rc(call, rc, &err);
		return;
	}
	control_answer(call, json_pack("{s:o}", "messages", l.messages), -1);
}

static void serve_show(struct daemon *d, json_t *request, struct control_call_in *call)
{
	char user[ADDR_MAX];
	struct store_held held;
	struct err err;
	int fd = -1;
	const char *id = text(request, "id");
	if (!user_of(d, request, call, user))
		return;
	enum rc rc = store_held_get(d->store, user, id, &held, &err);
	if (rc == RC_OK)
		rc = store_msg_open(d->store, user, id, &fd, &err);
	if (rc == RC_NOTFOUND)
		err_set(&err, rc, "no message %s is held for %s", id, user);
	if (rc != RC_OK)
		control_answer_rc(call, rc, &err);
	else
		control_answer(call, json_pack("{s:I}", "lead", (json_int_t)held.lead), fd);
}

static void on_preview(
    void *ctx, int fd, const struct ops_preview *preview, enum rc rc, const struct err *err)
{
	if (rc != RC_OK) {
		control_answer_rc(ctx, rc, err);
		return;
	}
	json_t *answer =
	    json_pack("{s:i,s:i}", "part", (int)preview->part, "parts", (int)preview->parts);
	if (preview->problem != NULL)
		json_object_set_new(answer, "problem", json_string(preview->problem));
	control_answer(ctx, answer, fd);
}

static void serve_preview(struct daemon *d, json_t *request, struct control_call_in *call)
{
	char user[ADDR_MAX];
	struct err err;
	json_int_t part = json_integer_value(json_object_get(request, "part"));
	const char *form = text(request, "form");
	if (form[0] == '\0')
		form = JOB_FORM_MESSAGE;
	if (!user_of(d, request, call, user))
		return;
	if (!job_form_exists(form) || part < 0 || part > INT_MAX)
		control_answer_rc(call, err_set(&err, RC_PERM, "no such form or part"), &err);
	else
		ops_preview(d, user, form, part == 0 ? 1 : (unsigned)part, on_preview, call);
}

struct status {
	json_t *users;
	size_t held;
};

static void set_time(json_t *object, const char *key, int64_t when)
{
	char out[SCHEDULE_TEXT_MAX] = "";
	if (when == 0 || schedule_format(when, NULL, out, NULL) != RC_OK)
		json_object_set_new(object, key, json_null());
	else
		json_object_set_new(object, key, json_string(out));
}

static void status_one(void *ctx, const char *user, const struct release_status *status)
{
	struct status *s = ctx;
	s->held += status->held + status->refused;
	if (status->held == 0 && status->refused == 0 && !status->under_way)
		return;
	json_t *u = json_pack("{s:s,s:I,s:I,s:b,s:i}", "user", user, "held",
	    (json_int_t)status->held, "refused", (json_int_t)status->refused, "under_way",
	    (int)status->under_way, "failures", (int)status->failures);
	set_time(u, "oldest", status->oldest);
	set_time(u, "next", status->next);
	json_array_append_new(s->users, u);
}

static void serve_status(struct daemon *d, json_t *request, struct control_call_in *call)
{
	struct status s = {.users = json_array()};
	(void)request;
	releases_status(d->releases, status_one, &s);
	json_t *reply = json_pack("{s:s,s:I,s:I,s:o}", "version", PACKAGE_VERSION, "held",
	    (json_int_t)s.held, "incoming", (json_int_t)incoming_count(d), "users", s.users);
	set_time(reply, "since", d->since);
	control_answer(call, reply, -1);
}

static void metrics_one(void *ctx, const char *user, const struct release_status *status)
{
	size_t *held = ctx;
	(void)user;
	*held += status->held + status->refused;
}

static void serve_metrics(struct daemon *d, json_t *request, struct control_call_in *call)
{
	size_t held = 0;
	json_t *m = json_object();
	(void)request;
	releases_status(d->releases, metrics_one, &held);
#define X(name, help) \
	json_object_set_new(m, #name "_total", json_integer((json_int_t)d->counters.name));
	DAEMON_COUNTERS(X)
#undef X
	json_object_set_new(m, "held", json_integer((json_int_t)held));
	json_object_set_new(m, "incoming", json_integer((json_int_t)incoming_count(d)));
	json_object_set_new(m, "start_time_seconds", json_integer(d->since));
	control_answer(call, json_pack("{s:o}", "metrics", m), -1);
}

/* ---- releasing ---- */

static void on_released(void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err)
{
	json_t *reply = json_pack("{s:s,s:I,s:I}", "rc", rc_name(rc), "count",
	    (json_int_t)delivered, "left", (json_int_t)left);
	if (rc != RC_OK)
		json_object_set_new(reply, "text", json_string(err->text));
	control_answer(ctx, reply, -1);
}

static void serve_release(struct daemon *d, json_t *request, struct control_call_in *call)
{
	char user[ADDR_MAX];
	json_t *ids = json_object_get(request, "ids");
	size_t n = json_array_size(ids);
	struct err err;
	if (!user_of(d, request, call, user))
		return;
	const char **list = g_new0(const char *, n + 1);
	enum rc rc = RC_OK;
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct store_held held;
		const char *id = json_string_value(json_array_get(ids, i));
		list[i] = id == NULL ? "" : id;
		rc = store_held_get(d->store, user, list[i], &held, &err);
		if (rc == RC_NOTFOUND)
			err_set(&err, rc, "no message %s is held for %s", list[i], user);
	}
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct store_held held;
		if (store_held_get(d->store, user, list[i], &held, NULL) == RC_OK)
			learn_let(d, user, held.from_addr);
	}
	if (rc == RC_OK)
		releases_now(
		    d->releases, user, n == 0 ? NULL : list, false, clock_now(), on_released, call);
	else
		control_answer_rc(call, rc, &err);
	g_free(list);
}

/* A drain of one user or all: some at a time, one answer when the last of them is done. */
enum { DRAIN_AT_ONCE = 4 };

struct drain {
	struct daemon *d;
	struct control_call_in *call;
	GPtrArray *users; /* own */
	guint next;       /* index into it */
	guint pending;    /* releases that have not answered */
	guint source;     /* idle; 0: none */
	size_t delivered, left;
	enum rc rc;
	struct err err;
};

static void on_drained(void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err);

static gboolean drain_on(gpointer data)
{
	struct drain *drain = data;
	drain->source = 0;
	/* Those that answer at once come back through the main loop, not by recursion. */
	while (drain->next < drain->users->len && drain->pending < DRAIN_AT_ONCE) {
		drain->pending++;
		releases_now(drain->d->releases, drain->users->pdata[drain->next++], NULL, true,
		    clock_now(), on_drained, drain);
	}
	if (drain->pending > 0)
		return G_SOURCE_REMOVE;
	if (drain->source != 0)
		g_source_remove(drain->source);
	/* What could not even be taken out of incoming/ is left, too. */
	drain->left += incoming_left(drain->d);
	on_released(drain->call, drain->delivered, drain->left, drain->rc, &drain->err);
	g_ptr_array_free(drain->users, TRUE);
	g_free(drain);
	return G_SOURCE_REMOVE;
}

static void on_drained(void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err)
{
	struct drain *drain = ctx;
	drain->delivered += delivered;
	drain->left += left;
	drain->pending--;
	if (rc != RC_OK) {
		drain->rc = rc;
		drain->err = *err;
	}
	if (drain->source == 0)
		drain->source = g_idle_add(drain_on, drain);
}

static bool collect_user(void *ctx, const char *user, const struct store_held *held)
{
	GPtrArray *users = ctx;
	(void)held;
	if (users->len == 0 || strcmp(users->pdata[users->len - 1], user) != 0)
		g_ptr_array_add(users, g_strdup(user));
	return true;
}

static void serve_drain(struct daemon *d, json_t *request, struct control_call_in *call)
{
	char user[ADDR_MAX];
	struct err err;
	GPtrArray *users = g_ptr_array_new_with_free_func(g_free);
	enum rc rc = RC_OK;
	if (json_object_get(request, "user") != NULL) {
		if (!user_of(d, request, call, user)) {
			g_ptr_array_free(users, TRUE);
			return;
		}
		g_ptr_array_add(users, g_strdup(user));
	}
	incoming_take_all(d);
	if (users->len == 0)
		rc = store_rebuild(d->store, NULL, describe, d->users, NULL, &err);
	if (users->len == 0 && rc == RC_OK)
		rc = store_held_scan(d->store, NULL, collect_user, users, &err);
	if (rc != RC_OK) {
		g_ptr_array_free(users, TRUE);
		control_answer_rc(call, rc, &err);
		return;
	}
	struct drain *drain = g_new0(struct drain, 1);
	drain->d = d;
	drain->call = call;
	drain->users = users;
	drain->source = g_idle_add(drain_on, drain);
}

/* ---- lists ---- */

static void change_lists(
    struct daemon *d, json_t *request, struct control_call_in *call, enum lists_op op)
{
	char user[ADDR_MAX];
	struct lists_result result;
	struct err err;
	if (!user_of(d, request, call, user))
		return;
	enum rc rc = lists_change(d, user, op, text(request, "entry"), &result, &err);
	if (rc != RC_OK)
		control_answer_rc(call, rc, &err);
	else
		control_answer(call,
		    json_pack("{s:b,s:b,s:s}", "changed", (int)result.changed, "known",
			(int)result.known, "text", result.entry),
		    -1);
}

static void serve_allow(struct daemon *d, json_t *request, struct control_call_in *call)
{
	change_lists(d, request, call, LISTS_ALLOW);
}

static void serve_hold(struct daemon *d, json_t *request, struct control_call_in *call)
{
	change_lists(d, request, call, LISTS_HOLD);
}

static void serve_forget(struct daemon *d, json_t *request, struct control_call_in *call)
{
	change_lists(d, request, call, LISTS_FORGET);
}

static void serve_learned(struct daemon *d, json_t *request, struct control_call_in *call)
{
	char user[ADDR_MAX];
	json_t *learned = NULL;
	struct err err;
	if (!user_of(d, request, call, user))
		return;
	enum rc rc = lists_learned(d, user, &learned, &err);
	if (rc != RC_OK)
		control_answer_rc(call, rc, &err);
	else
		control_answer(call, learned, -1);
}

static void serve_rebuild(struct daemon *d, json_t *request, struct control_call_in *call)
{
	struct err err;
	size_t changed = 0;
	(void)request;
	enum rc rc = store_rebuild(d->store, NULL, describe, d->users, &changed, &err);
	if (rc == RC_OK)
		rc = releases_load(d->releases, clock_now(), &err);
	daemon_check_store(d, rc, &err);
	if (rc != RC_OK)
		control_answer_rc(call, rc, &err);
	else
		control_answer(call, json_pack("{s:I}", "changed", (json_int_t)changed), -1);
}

void serve(void *ctx, json_t *request, struct control_call_in *call)
{
	static const struct {
		const char *op;
		void (*serve)(struct daemon *d, json_t *request, struct control_call_in *call);
	} table[] = {
	    {"ask", serve_ask},
	    {"spf", serve_spf},
	    {"sent", serve_sent},
	    {"kick", serve_kick},
	    {"shadow", serve_shadow},
	    {"list", serve_list},
	    {"show", serve_show},
	    {"preview", serve_preview},
	    {"release", serve_release},
	    {"allow", serve_allow},
	    {"hold", serve_hold},
	    {"forget", serve_forget},
	    {"learned", serve_learned},
	    {"status", serve_status},
	    {"metrics", serve_metrics},
	    {"rebuild", serve_rebuild},
	    {"drain", serve_drain},
	    {"report", serve_report},
	};
	struct daemon *d = ctx;
	struct err err;
	const char *op = text(request, "op");
	if (d->stopping) {
		err_set(&err, RC_TEMP, "pullyud is stopping");
		control_answer_rc(call, RC_TEMP, &err);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (strcmp(table[i].op, op) == 0) {
			table[i].serve(d, request, call);
			return;
		}
	}
	err_set(&err, RC_PERM, "unknown request \"%.40s\"", op);
	control_answer_rc(call, RC_PERM, &err);
}
