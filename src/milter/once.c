/*
 * once.c: see once.h. A ring of the last messages that passed. Only digests of the addresses are
 * kept, so that an entry has a fixed size and nobody can choose two that collide.
 */
#include <config.h>

#include "milter/once.h"

#include <string.h>

#include <glib.h>

enum { DIGEST_BYTES = 16 };

struct entry {
	int64_t when; /* 0: free */
	unsigned char user[DIGEST_BYTES], sender[DIGEST_BYTES], message[DIGEST_BYTES];
};

static struct {
	GMutex lock;
	struct entry ring[ONCE_SLOTS];
	size_t next;
} lane;

static void digest(const char *text, unsigned char out[DIGEST_BYTES])
{
	guint8 all[32];
	gsize len = sizeof(all);
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text));
	g_checksum_get_digest(sum, all, &len);
	g_checksum_free(sum);
	memcpy(out, all, DIGEST_BYTES);
}

static bool same(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, DIGEST_BYTES) == 0;
}

/* Whether what passed of late lets this one through; *counted_out: it has been counted already. */
static bool may_pass(const struct entry *fresh, bool has_id, bool *counted_out)
{
	unsigned of_user = 0;
	bool of_sender = false;
	for (size_t i = 0; i < ONCE_SLOTS; i++) {
		const struct entry *e = &lane.ring[i];
		/* A clock that was set back forgets. */
		if (e->when == 0 || e->when > fresh->when || e->when <= fresh->when - ONCE_PERIOD ||
		    !same(e->user, fresh->user))
			continue;
		if (has_id && same(e->sender, fresh->sender) && same(e->message, fresh->message)) {
			*counted_out = true;
			return true;
		}
		of_user++;
		of_sender = of_sender || same(e->sender, fresh->sender);
	}
	return !of_sender && of_user < ONCE_USER_MAX;
}

bool once_take(const char *user, const char *sender, const char *message_id, int64_t now)
{
	struct entry fresh = {.when = now};
	bool counted = false;
	digest(user, fresh.user);
	digest(sender, fresh.sender);
	digest(message_id, fresh.message);
	g_mutex_lock(&lane.lock);
	bool pass = may_pass(&fresh, message_id[0] != '\0', &counted);
	if (pass && !counted) {
		lane.ring[lane.next] = fresh;
		lane.next = (lane.next + 1) % ONCE_SLOTS;
	}
	g_mutex_unlock(&lane.lock);
	return pass;
}

void once_forget(void)
{
	g_mutex_lock(&lane.lock);
	memset(lane.ring, 0, sizeof(lane.ring));
	lane.next = 0;
	g_mutex_unlock(&lane.lock);
}
