/*
 * serve_shadow.c: the requests "shadow" of the milter and "report" of the CLI.
 */
#include <config.h>

#include "daemon/daemon.h"

#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/shadow.h"
#include "policy/policy.h"
#include "policy/schedule.h"

enum {
	FLUSH_SECONDS = 10,
	LATE_SECONDS = 3600, /* a time further back is no time at which the milter has seen it */
	USERS_A_TURN = 5,    /* of a report, before other requests have theirs */
	TOP_SENDERS = 20,
	TOP_RULES = 15,
	/* What it takes to get back to work after mail came in: T. Jackson, R. Dawson, D. Wilson,
	 * The cost of email interruption, Journal of Systems and Information Technology 5 (1),
	 * 2001, pages 81-92. */
	SECONDS_EACH = 64,
};

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s == NULL ? "" : s;
}

/* ---- counting ---- */

static gboolean on_flush(gpointer data)
{
	struct daemon *d = data;
	struct err err;
	d->shadow_source = 0;
	enum rc rc = shadow_flush(d->shadow, &err);
	if (rc != RC_OK) {
		log_warning("the counts of shadow mode are not written: %s", err.text);
		daemon_check_store(d, rc, &err);
		if (!d->stopping)
			d->shadow_source = g_timeout_add_seconds(FLUSH_SECONDS, on_flush, d);
	}
	return G_SOURCE_REMOVE;
}

/* When a digest with a message of that time would have come. */
static int64_t slot_of(struct daemon *d, const char *name, int64_t received)
{
	struct user *user = NULL;
	struct schedule schedule;
	int64_t last = received + d->conf->max_hold, slot;
	bool known = users_get(d->users, name, &user, NULL) == RC_OK;
	schedule_of(known ? &user->settings : &d->conf->defaults, &schedule);
	user_unref(&user);
	return schedule_next(&schedule, received, &slot, NULL) == RC_OK ? MIN(slot, last) : last;
}

static enum rc read_note(struct daemon *d, json_t *request, char user_out[ADDR_MAX],
    char sender_out[ADDR_MAX], struct shadow_note *note_out, struct err *err)
{
	const json_t *margin = json_object_get(request, "margin");
	int64_t now = clock_now();
	int cls = class_by_name(text(request, "class"));
	size_t i;
	json_t *reason;
	enum rc rc = users_key(d->users, text(request, "user"), user_out, err);
	if (rc != RC_OK)
		return rc;
	if (cls < 0)
		return err_set(err, RC_PERM, "no such class: %.40s", text(request, "class"));
	if (addr_normalise(text(request, "sender"), NULL, sender_out, NULL) != RC_OK)
		sender_out[0] = '\0';
	*note_out = (struct shadow_note){.user = user_out,
	    .sender = sender_out,
	    .cls = (enum class)cls,
	    .margin = json_is_number(margin) ? json_number_value(margin) : -1,
	    .received = json_integer_value(json_object_get(request, "received"))};
	if (note_out->received > now || note_out->received < now - LATE_SECONDS)
		note_out->received = now;
	note_out->slot = slot_of(d, user_out, note_out->received);
	json_array_foreach(json_object_get(request, "reasons"), i, reason)
	{
		const char *name = json_string_value(reason);
		if (name != NULL && name[0] != '\0' && strlen(name) <= SHADOW_RULE_MAX &&
		    note_out->n_reasons < SHADOW_REASONS_MAX)
			note_out->reasons[note_out->n_reasons++] = name;
	}
	return RC_OK;
}

void serve_shadow(struct daemon *d, json_t *request, struct control_call_in *call)
{
	struct shadow_note note;
	struct err err;
	char user[ADDR_MAX], sender[ADDR_MAX];
	enum rc rc = read_note(d, request, user, sender, &note, &err);
	if (rc == RC_OK)
		rc = shadow_count(d->shadow, &note, &err);
	if (rc == RC_OK)
		d->counters.shadowed++;
	if (rc == RC_OK && d->shadow_source == 0)
		d->shadow_source = g_timeout_add_seconds(FLUSH_SECONDS, on_flush, d);
	daemon_check_store(d, rc, &err);
	control_answer_rc(call, rc, &err);
}

void shadow_stop(struct daemon *d)
{
	struct err err;
	if (d->shadow == NULL)
		return;
	if (d->shadow_source != 0)
		g_source_remove(d->shadow_source);
	if (shadow_flush(d->shadow, &err) != RC_OK)
		log_warning("the last counts of shadow mode are lost: %s", err.text);
	shadow_free(&d->shadow);
}

/* ---- the report: over some users a turn, one answer at the end ---- */

struct report {
	struct daemon *d;
	struct control_call_in *call;
	GPtrArray *users; /* own */
	guint next;       /* index into it */
	struct shadow_record *sum;
	size_t counted, unreadable;
	bool reset;
};

static json_t *when_json(int64_t when)
{
	char out[SCHEDULE_TEXT_MAX] = "";
	if (when == 0 || schedule_format(when, NULL, out, NULL) != RC_OK)
		return json_null();
	return json_string(out);
}

static json_t *senders_json(GPtrArray *senders, guint max)
{
	json_t *array = json_array();
	for (guint i = 0; i < MIN(senders->len, max); i++) {
		const struct shadow_sender *s = senders->pdata[i];
		json_array_append_new(array,
		    json_pack("{s:s,s:I,s:s,s:o,s:o}", "sender", s->name, "messages",
			(json_int_t)s->count, "class", class_name(s->cls), "margin",
			s->margin < 0 ? json_null() : json_real(s->margin), "last",
			when_json(s->last)));
	}
	g_ptr_array_unref(senders);
	return array;
}

static json_t *rules_json(const struct daemon *d, const struct shadow_record *sum)
{
	json_t *array = json_array();
	GPtrArray *rules = shadow_record_rules(sum);
	for (guint i = 0; i < MIN(rules->len, TOP_RULES); i++) {
		const char *rule = rules->pdata[i], *why = rules_why(d->rules, rule);
		if (strcmp(rule, POLICY_REASON_LISTED) == 0)
			why = "the user's hold list";
		const uint64_t *count = g_hash_table_lookup(sum->rules, rule);
		json_array_append_new(array,
		    json_pack("{s:s,s:I,s:s}", "rule", rule, "messages", (json_int_t)*count, "why",
			why == NULL ? "" : why));
	}
	g_ptr_array_unref(rules);
	return array;
}

static json_t *report_json(const struct report *report)
{
	const struct shadow_record *sum = report->sum;
	uint64_t saved = sum->total > sum->digests ? sum->total - sum->digests : 0;
	json_t *classes = json_object();
	for (int cls = 0; cls < CLASS_COUNT; cls++)
		if (sum->classes[cls] > 0)
			json_object_set_new(classes, class_name((enum class)cls),
			    json_integer((json_int_t)sum->classes[cls]));
	json_t *reply = json_pack("{s:I,s:I,s:I,s:I,s:I,s:i,s:f}", "users",
	    (json_int_t)report->counted, "unreadable", (json_int_t)report->unreadable, "messages",
	    (json_int_t)sum->total, "digests", (json_int_t)sum->digests, "saved", (json_int_t)saved,
	    "seconds_each", SECONDS_EACH, "hours", (double)saved * SECONDS_EACH / 3600);
	json_object_set_new(reply, "since", when_json(sum->since));
	json_object_set_new(reply, "last", when_json(sum->last));
	json_object_set_new(reply, "classes", classes);
	json_object_set_new(
	    reply, "senders", senders_json(shadow_record_senders(sum), TOP_SENDERS));
	json_object_set_new(
	    reply, "nearest", senders_json(shadow_record_nearest(sum), SHADOW_NEAREST));
	json_object_set_new(reply, "rules", rules_json(report->d, sum));
	return reply;
}

static void report_end(struct report *report, enum rc rc, const struct err *err)
{
	if (rc == RC_OK)
		control_answer(report->call, report_json(report), -1);
	else
		control_answer_rc(report->call, rc, err);
	g_ptr_array_unref(report->users);
	shadow_record_free(&report->sum);
	g_free(report);
}

static gboolean report_on(gpointer data)
{
	struct report *report = data;
	struct daemon *d = report->d;
	struct err err;
	enum rc rc = RC_OK;
	for (int i = 0; i < USERS_A_TURN && rc == RC_OK && report->next < report->users->len; i++) {
		const char *user = report->users->pdata[report->next++];
		rc = shadow_sum(d->shadow, user, report->sum, &err);
		report->counted += rc == RC_OK;
		report->unreadable += rc == RC_PERM;
		if (rc == RC_PERM)
			log_warning("%s", err.text);
		if (rc == RC_NOTFOUND || rc == RC_PERM)
			rc = RC_OK;
		if (rc == RC_OK && report->reset)
			rc = shadow_forget(d->shadow, user, &err);
	}
	daemon_check_store(d, rc, &err);
	if (rc == RC_OK && report->next < report->users->len)
		return G_SOURCE_CONTINUE;
	report_end(report, rc, &err);
	return G_SOURCE_REMOVE;
}

/* Who is asked about: one user, those of a domain, or all. */
static enum rc report_users(
    struct daemon *d, const json_t *request, GPtrArray *users, struct err *err)
{
	char name[ADDR_MAX];
	enum rc rc;
	if (json_object_get(request, "user") != NULL) {
		rc = users_key(d->users, text(request, "user"), name, err);
		if (rc == RC_OK)
			g_ptr_array_add(users, g_strdup(name));
		return rc;
	}
	if (json_object_get(request, "domain") == NULL)
		return shadow_users(d->shadow, NULL, users, err);
	rc = addr_domain_normalise(text(request, "domain"), name, sizeof(name), err);
	return rc == RC_OK ? shadow_users(d->shadow, name, users, err) : rc;
}

void serve_report(struct daemon *d, json_t *request, struct control_call_in *call)
{
	struct err err;
	GPtrArray *users = g_ptr_array_new_with_free_func(g_free);
	enum rc rc = shadow_flush(d->shadow, &err);
	if (rc == RC_OK)
		rc = report_users(d, request, users, &err);
	daemon_check_store(d, rc, &err);
	struct report *report = g_new0(struct report, 1);
	report->d = d;
	report->call = call;
	report->users = users;
	report->sum = shadow_record_new(SHADOW_SUM_MAX, SHADOW_SUM_MAX);
	report->reset = json_is_true(json_object_get(request, "reset"));
	if (rc == RC_OK)
		g_idle_add(report_on, report);
	else
		report_end(report, rc, &err);
}
