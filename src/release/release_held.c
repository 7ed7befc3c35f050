/*
 * release_held.c: what is held for one user, since when, and what of it the MTA refused.
 */
#include <config.h>

#include "release/release_private.h"

#include "base/log.h"

enum rc release_user_record(struct release_user *user, struct err *err)
{
	if (user->record != NULL)
		return RC_OK;
	enum rc rc = ledger_get(user->all->store, user->name, &user->record, err);
	if (rc == RC_CORRUPT)
		log_error("%s: %s; starting afresh", user->name, err->text);
	if (rc == RC_NOTFOUND || rc == RC_CORRUPT) {
		user->record = ledger_record_new();
		return RC_OK;
	}
	return rc;
}

size_t release_user_refused(const struct release_user *user)
{
	return user->record == NULL ? 0 : user->record->refused->len;
}

void release_user_refused_later(struct release_user *user)
{
	user->record->refused_next = user->all->now + RELEASE_REFUSED_SECONDS;
}

struct listing {
	struct release_user *user;
	bool read_too, refused_too;
	GPtrArray *ids;
	int64_t oldest;
	GPtrArray *refused; /* of the ledger's, those that are still there */
};

static bool list_one(void *ctx, const struct store_msg *msg)
{
	struct listing *l = ctx;
	struct store_held held;
	if (msg->trashed || (msg->seen && !l->read_too))
		return true;
	if (store_held_get(l->user->all->store, l->user->name, msg->id, &held, NULL) != RC_OK)
		return true; /* a file of somebody else's */
	bool refused = ledger_refused(l->user->record, msg->id);
	if (refused)
		g_ptr_array_add(l->refused, g_strdup(msg->id));
	if (refused && !l->refused_too)
		return true;
	if (l->ids->len == 0 || held.received < l->oldest)
		l->oldest = held.received;
	g_ptr_array_add(l->ids, g_strdup(msg->id));
	return true;
}

static enum rc list(struct listing *l, struct err *err)
{
	struct releases *all = l->user->all;
	enum rc rc = release_user_record(l->user, err);
	if (rc != RC_OK)
		return rc;
	l->ids = g_ptr_array_new_with_free_func(g_free);
	l->refused = g_ptr_array_new_with_free_func(g_free);
	rc = all->ops.reconcile(all->ctx, l->user->name, err);
	if (rc == RC_OK)
		rc = store_msg_list(all->store, l->user->name, list_one, l, err);
	if (rc != RC_OK) {
		g_ptr_array_free(l->ids, TRUE);
		g_ptr_array_free(l->refused, TRUE);
		l->ids = NULL;
		return rc;
	}
	/* What its reader has opened or deleted needs no further attempt. */
	g_ptr_array_free(l->user->record->refused, TRUE);
	l->user->record->refused = l->refused;
	return RC_OK;
}

enum rc release_user_list(struct release_user *user, bool read_too, bool refused_too,
    GPtrArray **ids_out, int64_t *oldest_out, struct err *err)
{
	struct listing l = {.user = user, .read_too = read_too, .refused_too = refused_too};
	enum rc rc = list(&l, err);
	if (rc != RC_OK)
		return rc;
	*ids_out = l.ids;
	if (oldest_out != NULL)
		*oldest_out = l.oldest;
	return RC_OK;
}

enum rc releases_list(
    struct releases *all, const char *user, bool read_too, GPtrArray **ids_out, struct err *err)
{
	GPtrArray *ids = NULL;
	enum rc rc =
	    release_user_list(release_user_get(all, user), read_too, false, &ids, NULL, err);
	if (rc != RC_OK)
		return rc;
	const struct release_record *rec = releases_active(all, user);
	guint at;
	/* In a digest that the MTA has taken, or about to go out without one. */
	for (guint i = 0; rec != NULL && rec->step != STEP_COMPOSE && i < rec->ids->len; i++)
		if (g_ptr_array_find_with_equal_func(ids, rec->ids->pdata[i], g_str_equal, &at))
			g_ptr_array_remove_index(ids, at);
	*ids_out = ids;
	return RC_OK;
}

const struct release_record *releases_active(const struct releases *all, const char *name)
{
	const struct release_user *user = g_hash_table_lookup(all->users, name);
	return user == NULL || user->active == NULL ? NULL : user->record;
}

static void user_counted(struct release_user *user, size_t held, int64_t oldest)
{
	int64_t now = user->all->now;
	user->held = held;
	if (held == 0)
		user->oldest = 0;
	else if (oldest <= now)
		user->oldest = oldest;
	else if (user->oldest == 0 || user->oldest > now)
		user->oldest = now; /* the clock was ahead; max_hold counts from the first look */
}

enum rc release_user_refresh(struct release_user *user, GPtrArray **ids_out, struct err *err)
{
	struct release_rule rule;
	GPtrArray *ids = NULL;
	int64_t oldest;
	user->all->ops.rule(user->all->ctx, user->name, &rule);
	user->refreshed = user->all->now;
	enum rc rc = release_user_list(user, !rule.takes_part, false, &ids, &oldest, err);
	if (rc == RC_OK) {
		user_counted(user, ids->len, oldest);
		if (ids_out != NULL)
			*ids_out = ids;
		else
			g_ptr_array_free(ids, TRUE);
	} else if (user->held == 0) {
		/* Not known to be empty: it is looked at again when it would be due. */
		user->held = 1;
		user->oldest = user->all->now;
	}
	return rc;
}
