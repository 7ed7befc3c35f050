/*
 * ask.c: see ask.h.
 */
#include <config.h>

#include "milter/ask.h"

#include <stdatomic.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "milter/once.h"

/* One rest for each kind of question: slow DNS says nothing about the database. */
static _Atomic int64_t known_rests_until, spf_rests_until;

static enum rc call(struct ask *ask, _Atomic int64_t *rests_until, json_t *request,
    json_t **reply_out, struct err *err)
{
	int64_t now = clock_mono_ms();
	if (ask->deadline == 0)
		ask->deadline = now + ask->timeout_ms;
	if (now < atomic_load(rests_until))
		return err_set(err, RC_TEMP, "pullyud did not answer a moment ago");
	if (now >= ask->deadline)
		return err_set(err, RC_TEMP, "the message has waited long enough");
	enum rc rc = control_call(ask->socket, request, ask->deadline - now, reply_out, NULL, err);
	if (rc == RC_TEMP)
		atomic_store(rests_until, clock_mono_ms() + ASK_REST_MS);
	return rc;
}

static json_t *strings(const char *const *from, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_string(from[i]));
	return array;
}

static void ask_known(void *ctx, const char *const *users, size_t n_users,
    const char *const *senders, size_t n_senders, const char *const *refs, size_t n_refs,
    enum policy_known *known_out)
{
	struct ask *ask = ctx;
	struct err err;
	json_t *reply = NULL;
	json_t *request =
	    json_pack("{s:s, s:o, s:o, s:o}", "op", "ask", "users", strings(users, n_users),
		"senders", strings(senders, n_senders), "refs", strings(refs, n_refs));
	enum rc rc = call(ask, &known_rests_until, request, &reply, &err);
	json_t *known = json_object_get(reply, "known");
	if (rc != RC_OK)
		log_warning("%s: pullyud was not asked who is known: %s", ask->queue_id, err.text);
	for (size_t i = 0; i < n_users; i++) {
		if (!json_is_object(known))
			known_out[i] = POLICY_KNOWN_UNANSWERED;
		else
			known_out[i] = json_object_get(known, users[i]) != NULL ? POLICY_KNOWN_YES
										: POLICY_KNOWN_NO;
	}
	json_decref(reply);
	json_decref(request);
}

static bool ask_spf(void *ctx, const struct auth_spf_query *query, enum auth_spf *result_out)
{
	struct ask *ask = ctx;
	struct err err;
	json_t *reply = NULL;
	int result = -1;
	json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "op", "spf", "ip", query->client_ip,
	    "helo", query->helo, "from", query->envelope_from);
	/* NULL: something is not UTF-8; there is no SPF for such a name. */
	enum rc rc = request == NULL ? err_set(&err, RC_PERM, "HELO or MAIL FROM is not UTF-8")
				     : call(ask, &spf_rests_until, request, &reply, &err);
	const char *name = json_string_value(json_object_get(reply, "result"));
	if (rc != RC_OK)
		log_warning("%s: no answer about SPF: %s", ask->queue_id, err.text);
	else if (name != NULL)
		result = auth_spf_by_name(name);
	json_decref(reply);
	json_decref(request);
	if (result < 0)
		return false;
	*result_out = (enum auth_spf)result;
	return true;
}

static bool ask_once(
    void *ctx, const char *user, const char *sender, const char *message_id, int64_t now)
{
	(void)ctx;
	return once_take(user, sender, message_id, now);
}

void ask_asker(struct ask *ask, struct asker *asker_out)
{
	asker_out->ctx = ask;
	asker_out->known = ask_known;
	asker_out->once = ask_once;
	asker_out->spf = ask_spf;
}
