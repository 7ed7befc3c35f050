/*
 * ask.h: the milter's questions to pullyud, over its control socket; and one, "once?", that it
 * answers itself (once.h). All questions of one message share one deadline. After a missed deadline
 * or a refused connection no question of that kind is asked for ASK_REST_MS: those messages go on
 * at once with "unanswered". Thread-safe.
 */
#ifndef PULLYU_MILTER_ASK_H
#define PULLYU_MILTER_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"
#include "policy/policy.h"

enum { ASK_REST_MS = 5000 };

/* How decide() asks; a unit test has another. */
struct asker {
	void *ctx;
	/* known_out[i]: whether users[i] has written to one of the senders, or sent one of refs. */
	void (*known)(void *ctx, const char *const *users, size_t n_users,
	    const char *const *senders, size_t n_senders, const char *const *refs, size_t n_refs,
	    enum policy_known *known_out);
	/* Whether this message is the first of its kind for a while; counts it then. */
	bool (*once)(
	    void *ctx, const char *user, const char *sender, const char *message_id, int64_t now);
	/* Returns false if there is no answer. */
	bool (*spf)(void *ctx, const struct auth_spf_query *query, enum auth_spf *result_out);
};

/* For one message. */
struct ask {
	const char *socket;   /* foreign */
	int64_t timeout_ms;   /* for all questions together */
	int64_t deadline;     /* 0: not started; it starts with the first question */
	const char *queue_id; /* foreign; for the log */
};

void ask_asker(struct ask *ask, struct asker *asker_out);

#endif
