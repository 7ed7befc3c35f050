/*
 * release.c: the steps of one release. See release.h for the steps and what a crash after each of
 * them means.
 */
#include <config.h>

#include "release/release_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"

enum {
	COMPOSE_ATTEMPTS =
	    3, /* then the originals go out alone: that needs neither worker nor disk */
	DIGEST_ATTEMPTS = 8, /* put off after 4xx, or for want of a disk; not without end */
	CANDIDATES = 4,
};

/* Without those that are under way or in the rest. */
static void append_rest(struct release *r, GPtrArray *ids)
{
	const struct release_record *rec = r->user->record;
	GHashTable *there = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; rec->step != STEP_IDLE && i < rec->ids->len; i++)
		g_hash_table_add(there, rec->ids->pdata[i]);
	for (guint i = 0; i < r->rest->len; i++)
		g_hash_table_add(there, r->rest->pdata[i]);
	for (guint i = 0; i < ids->len; i++)
		if (!g_hash_table_contains(there, ids->pdata[i])) {
			char *id = g_strdup(ids->pdata[i]);
			g_ptr_array_add(r->rest, id);
			g_hash_table_add(there, id);
		}
	g_hash_table_destroy(there);
	g_ptr_array_free(ids, TRUE);
}

void release_join(struct release *r, GPtrArray *ids, enum release_mode mode)
{
	append_rest(r, ids);
	r->counted = false;
	if (!r->unlogged) /* else a digest could not be told from its repeat */
		r->mode = mode;
}

struct release *release_new(
    struct release_user *user, GPtrArray *ids, enum release_mode mode, int64_t slot)
{
	struct release *r = g_new0(struct release, 1);
	r->all = user->all;
	r->user = user;
	r->slot = slot;
	r->rest = g_ptr_array_new_with_free_func(g_free);
	r->done = g_array_new(FALSE, TRUE, sizeof(struct release_done));
	append_rest(r, ids);
	r->mode = mode;
	user->active = r;
	r->all->running++;
	return r;
}

void release_free(struct release **release)
{
	struct release *r = *release;
	if (r == NULL)
		return;
	g_ptr_array_free(r->rest, TRUE);
	g_array_free(r->done, TRUE);
	g_free(r);
	*release = NULL;
}

const char *release_user(const struct release *release)
{
	return release->user->name;
}

const struct release_record *release_record(const struct release *release)
{
	return release->user->record;
}

static enum rc put(struct release *r, struct err *err)
{
	return r->unlogged ? RC_OK : ledger_put(r->all->store, r->user->name, r->user->record, err);
}

/* Tells whoever asked, once. */
static void tell(struct release *r, enum rc rc, const struct err *err)
{
	size_t left = r->user->held + release_user_refused(r->user);
	struct release_ops *ops = &r->all->ops;
	GArray *all = r->done;
	r->done = g_array_new(FALSE, TRUE, sizeof(struct release_done));
	if (rc != RC_OK)
		left = MAX(left, 1); /* a message that was read is not counted, and stays */
	for (guint i = 0; i < all->len; i++) {
		struct release_done *d = &g_array_index(all, struct release_done, i);
		d->fn(d->ctx, r->delivered, left, rc, err);
	}
	g_array_free(all, TRUE);
	if (ops->ended != NULL)
		ops->ended(r->all->ctx, r->user->name, r->digests, r->delivered, left, rc,
		    err == NULL ? "" : err->text);
}

/* Not now: the tick resumes at the step that the record names. */
static void put_off(struct release *r, const struct err *err)
{
	struct err look;
	release_user_failed(r->user);
	if (release_user_refresh(r->user, NULL, &look) != RC_OK)
		log_warning("%s: %s", r->user->name, look.text);
	r->waiting = true;
	r->all->running--;
	tell(r, RC_TEMP, err);
	r->delivered = 0;
	r->digests = 0;
}

static void finish(struct release *r)
{
	struct release_record *rec = r->user->record;
	struct err err;
	rec->step = STEP_IDLE;
	g_ptr_array_set_size(rec->ids, 0);
	if (r->serves_slot && r->slot > rec->last)
		rec->last = r->slot;
	fault_point("release.before_done");
	/* If this cannot be written, the slot is looked at again, and finds nothing left. */
	if (put(r, &err) != RC_OK)
		log_warning("%s: slot ledger: %s", r->user->name, err.text);
	fault_point("release.after_done");
	if (release_user_refresh(r->user, NULL, &err) != RC_OK)
		log_warning("%s: %s", r->user->name, err.text);
	if (r->forgetful)
		release_user_failed(r->user); /* it would be due at once, for ever */
	else
		r->user->failures = 0, r->user->not_before = 0;
	r->ended = true;
	r->all->running--;
	r->user->active = NULL;
	if (r->refused > 0) {
		err_set(
		    &err, RC_PERM, "the MTA refused %zu message(s), which stay held", r->refused);
		tell(r, RC_PERM, &err);
	} else {
		tell(r, RC_OK, NULL);
	}
}

/* The digest cannot be had, or the MTA does not want it: deliver the originals without it. */
static void give_up_digest(struct release *r, const char *why)
{
	struct err err;
	log_warning("%s: no digest (%s); delivering the originals instead", r->user->name, why);
	r->mode = r->user->record->mode = MODE_DELIVER;
	r->user->record->step = STEP_ORIGINALS;
	r->next = 0;
	if (put(r, &err) != RC_OK) {
		log_warning("%s: slot ledger: %s", r->user->name, err.text);
		r->unlogged = true;
	}
}

static void make_message_id(struct release *r)
{
	struct release_record *rec = r->user->record;
	GString *seed = g_string_new(NULL);
	char hex[HMAC_HEX_SIZE];
	g_string_printf(seed, "%s %" G_GINT64_FORMAT " %u", r->user->name, rec->slot, rec->seq);
	/* The contents belong to it: a clock that was set back must not give two digests one name.
	 */
	for (guint i = 0; i < rec->ids->len; i++)
		g_string_append_printf(seed, " %s", (const char *)rec->ids->pdata[i]);
	hmac_hex(r->all->key, seed->str, hex);
	g_string_free(seed, TRUE);
	snprintf(rec->message_id, sizeof(rec->message_id),
	    "<pullyu.%" G_GINT64_FORMAT ".%u.%.24s@%.150s>", rec->slot, rec->seq, hex,
	    r->all->host);
}

/* STEP_IDLE: the next digest of this release, or the end of it. */
static void step_idle(struct release *r)
{
	struct release_record *rec = r->user->record;
	struct err err;
	rec->mode = r->mode;
	release_take_batch(r);
	if (rec->ids->len == 0) {
		finish(r);
		return;
	}
	release_number_part(r);
	rec->seq = rec->slot == r->slot ? rec->seq + 1 : 1;
	rec->slot = r->slot;
	rec->step = rec->mode == MODE_DELIVER ? STEP_ORIGINALS : STEP_COMPOSE;
	r->next = 0;
	make_message_id(r);
	fault_point("release.before_record");
	/* From here on the Message-ID of this digest is fixed: a crash repeats it, never renames
	 * it. */
	enum rc rc = put(r, &err);
	fault_point("release.after_record");
	if (rc != RC_OK)
		give_up_digest(r, err.text);
	r->again = true;
}

static const char *digest_address(const struct release *r, char out[ADDR_MAX + 16])
{
	const char *at = strrchr(r->user->name, '@');
	const char *delimiters = r->all->delimiters;
	int local = (int)(at - r->user->name);
	if (delimiters[0] == '\0')
		return NULL;
	if (r->user->name[0] == '"') /* inside the quotes */
		snprintf(out, ADDR_MAX + 16, "%.*s%cDigest\"%s", local - 1, r->user->name,
		    delimiters[0], at);
	else
		snprintf(
		    out, ADDR_MAX + 16, "%.*s%cDigest%s", local, r->user->name, delimiters[0], at);
	return out;
}

/* The addresses to try for an original, best first; NULL where there is none (any more). The last
 * one is tried without the envelope sender, which may be what the MTA does not like. */
static const char *candidate(
    const struct release *r, const struct store_held *held, char out[ADDR_MAX + 16])
{
	switch (r->candidate) {
	case 0:
		return r->user->record->mode == MODE_FOLDER ? digest_address(r, out) : NULL;
	case 1:
		return held->rcpt;
	case 2:
		return strcmp(held->rcpt, r->user->name) == 0 ? NULL : r->user->name;
	default:
		return held->return_path[0] == '\0' ? NULL : r->user->name;
	}
}

/* Removes one message that the MTA has taken. The file goes first: the index can be made again from
 * the files, and a file without index is found and indexed. */
static enum rc retire_one(struct release *r, const char *id, struct err *err)
{
	enum rc rc = store_msg_remove(r->all->store, r->user->name, id, err);
	fault_point("release.after_remove");
	if (rc == RC_OK || rc == RC_NOTFOUND)
		rc = store_held_del(r->all->store, r->user->name, id, err);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static void next_original(struct release *r)
{
	r->next++;
	r->candidate = 0;
	r->taken = false;
}

/* Returns false if it was put off: then its removal is what comes next, never its submission. */
static bool retire_taken(struct release *r)
{
	struct err err;
	if (retire_one(r, r->user->record->ids->pdata[r->next], &err) != RC_OK) {
		put_off(r, &err);
		return false;
	}
	ledger_refused_del(r->user->record, r->user->record->ids->pdata[r->next]);
	r->delivered++;
	next_original(r);
	return true;
}

/* The MTA refuses this original for good, whatever the address: it stays held. In a digest it would
 * have that refused as well, today and each day: it is left out of them and tried again alone. */
static void refuse_original(struct release *r)
{
	struct release_record *rec = r->user->record;
	const char *id = rec->ids->pdata[r->next];
	log_error("%s: the MTA refuses %s for good; it stays held", r->user->name, id);
	if (rec->refused->len == 0)
		release_user_refused_later(r->user);
	if (!ledger_refused_add(rec, id))
		r->forgetful = true;
	r->refused++;
	g_ptr_array_remove_index(rec->ids, r->next); /* if others are put off: not with them */
	r->candidate = 0;
}

/* All have been tried: those that the MTA put off are tried again later, from the first. */
static void originals_done(struct release *r)
{
	if (r->postponed > 0) {
		r->postponed = 0;
		r->next = 0;
		put_off(r, &r->postponed_err);
		return;
	}
	r->user->record->step = STEP_IDLE;
	r->again = true;
}

/* STEP_ORIGINALS: the next original that is still there. */
static void step_originals(struct release *r)
{
	struct release_record *rec = r->user->record;
	if (r->taken && !retire_taken(r))
		return;
	while (r->next < rec->ids->len) {
		struct store_held held;
		char address[ADDR_MAX + 16];
		const char *id = rec->ids->pdata[r->next];
		if (store_held_get(r->all->store, r->user->name, id, &held, NULL) != RC_OK) {
			next_original(r); /* delivered before a crash, or deleted by its reader */
			continue;
		}
		for (; r->candidate < CANDIDATES; r->candidate++) {
			const char *rcpt = candidate(r, &held, address);
			if (rcpt == NULL)
				continue;
			r->all->ops.submit_original(r->all->ctx, r, &held,
			    r->candidate == CANDIDATES - 1 ? "" : held.return_path, rcpt);
			return;
		}
		refuse_original(r);
	}
	originals_done(r);
}

/* All of the digest's messages in one transaction: one wait for the disk, not one for each. */
static enum rc retire_all(struct release *r, struct err *err)
{
	struct release_record *rec = r->user->record;
	enum rc rc = store_begin(r->all->store, err);
	if (rc != RC_OK)
		return rc;
	for (guint i = 0; i < rec->ids->len && rc == RC_OK; i++) {
		rc = retire_one(r, rec->ids->pdata[i], err);
		fault_point("release.mid_retire");
	}
	if (rc == RC_OK)
		return store_commit(r->all->store, err);
	store_abort(r->all->store);
	return rc;
}

/* STEP_RETIRE: the digest is in the MTA's hands; its messages leave the store. */
static void step_retire(struct release *r)
{
	struct release_record *rec = r->user->record;
	struct err err;
	if (r->all->ops.retiring != NULL)
		r->all->ops.retiring(r->all->ctx, r->user->name, rec);
	if (retire_all(r, &err) != RC_OK) {
		put_off(r, &err); /* and then again, from the first: what is gone is gone */
		return;
	}
	r->delivered += rec->ids->len;
	rec->step = STEP_IDLE;
	r->again = true;
}

void release_run(struct release *r)
{
	/* Steps that are answered at once come back here: a loop, not recursion. */
	r->again = true;
	if (r->running || r->all->stopping)
		return;
	r->running = true;
	while (r->again && !r->ended) {
		r->again = false;
		switch (r->user->record->step) {
		case STEP_IDLE:
			step_idle(r);
			break;
		case STEP_COMPOSE:
			r->all->ops.compose(r->all->ctx, r, r->plain);
			break;
		case STEP_ORIGINALS:
			step_originals(r);
			break;
		case STEP_RETIRE:
			step_retire(r);
			break;
		}
	}
	r->running = false;
	if (r->ended)
		release_free(&r);
}

/* An original vanished between listing and composing: forget those that are gone. */
static void drop_missing(struct release *r)
{
	GPtrArray *ids = r->user->record->ids;
	for (guint i = ids->len; i-- > 0;) {
		int fd = -1;
		enum rc rc = store_msg_open(r->all->store, r->user->name, ids->pdata[i], &fd, NULL);
		if (rc == RC_OK)
			close(fd);
		else if (rc == RC_NOTFOUND)
			g_ptr_array_remove_index(ids, i);
	}
}

/* A 4xx to the digest itself, or no room to compose it. Some MTAs never say 5xx, some disks stay
 * full: in the end the originals go out alone. */
static void digest_postponed(struct release *r, const struct err *err)
{
	if (++r->digest_failures >= DIGEST_ATTEMPTS)
		give_up_digest(r, err->text);
	else
		put_off(r, err);
}

static void compose_failed(struct release *r, enum rc rc, const struct err *err)
{
	struct release_record *rec = r->user->record;
	log_warning("%s: composing the digest: %s", r->user->name, err->text);
	if (rc == RC_TEMP) { /* a full disk, no process to be had: not mended by asking again */
		digest_postponed(r, err);
		return;
	}
	r->compose_failures++;
	if (rc == RC_NOTFOUND)
		drop_missing(r);
	else if (rc == RC_CORRUPT)
		r->plain = true;
	if (rec->ids->len == 0)
		rec->step = STEP_IDLE;
	else if (r->compose_failures >= COMPOSE_ATTEMPTS)
		give_up_digest(r, err->text);
}

void release_composed(struct release *r, enum rc rc, const struct err *err)
{
	if (rc == RC_OK) {
		fault_point("release.before_submit");
		r->all->ops.submit_digest(r->all->ctx, r);
		return;
	}
	compose_failed(r, rc, err);
	if (!r->waiting)
		release_run(r);
}

static void digest_submitted(struct release *r, enum rc rc, const struct err *err)
{
	struct release_record *rec = r->user->record;
	struct err ledger;
	if (rc == RC_PERM) {
		give_up_digest(r, err->text);
		return;
	}
	r->digests++;
	rec->step = rec->mode == MODE_ATTACH ? STEP_RETIRE : STEP_ORIGINALS;
	r->next = 0;
	fault_point("release.after_250");
	/* Before this line a crash sends the digest again, under the same Message-ID; after it,
	 * not. If it cannot be written the messages are removed all the same: they are delivered.
	 */
	if (put(r, &ledger) != RC_OK)
		log_warning("%s: slot ledger: %s", r->user->name, ledger.text);
	fault_point("release.after_mark");
	if (r->all->ops.taken != NULL)
		r->all->ops.taken(r->all->ctx, r->user->name, rec);
}

/* Was this one refused when it was tried last? */
static bool refused_before(const struct release *r, guint at)
{
	const struct release_record *rec = r->user->record;
	return ledger_refused(rec, rec->ids->pdata[at]);
}

static void original_submitted(struct release *r, enum rc rc, const struct err *err)
{
	if (rc == RC_PERM) {
		r->candidate++;
	} else if (rc == RC_OK) {
		fault_point("release.after_original");
		r->taken = true;
		retire_taken(r);
	} else {
		/* One that gets 4xx does not stand in the way of the others; one that was refused
		 * once, not in the way of digests. */
		if (rc != RC_NOTFOUND && refused_before(r, r->next)) {
			r->refused++;
		} else if (rc != RC_NOTFOUND) {
			r->postponed++;
			r->postponed_err = *err;
		}
		next_original(r);
	}
}

static bool only_refused(const struct release *r)
{
	for (guint i = r->next; i < r->user->record->ids->len; i++)
		if (!refused_before(r, i))
			return false;
	return r->postponed == 0;
}

/* Nobody answered: what was refused can wait for its next turn, and holds up no digest. */
static void give_up_refused(struct release *r)
{
	r->refused += r->user->record->ids->len - r->next;
	r->user->record->step = STEP_IDLE;
}

void release_submitted(struct release *r, enum rc rc, int code, const struct err *err)
{
	bool original = r->user->record->step == STEP_ORIGINALS;
	bool failed = rc == RC_TEMP || rc == RC_CORRUPT || (rc == RC_NOTFOUND && !original);
	if (rc == RC_PERM)
		log_warning("%s: the MTA refuses: %s", r->user->name, err->text);
	if (failed && code == 0 && original && only_refused(r))
		give_up_refused(r);
	else if (failed && code == 0)
		put_off(r, err); /* nobody answered: nobody will answer the next one */
	else if (original)
		original_submitted(r, rc, err);
	else if (failed)
		digest_postponed(r, err);
	else
		digest_submitted(r, rc, err);
	if (!r->waiting)
		release_run(r);
}
