/*
 * release_batch.c: how what is held is split into digests, and how their parts are numbered.
 */
#include <config.h>

#include "release/release_private.h"

#include <string.h>

enum {
	/* The record must fit into the ledger, with what was refused: quotes and comma. */
	IDS_BYTES_MAX = STORE_SLOT_MAX - 4096 - LEDGER_REFUSED_MAX * (STORE_ID_MAX + 3),
};

/* How many of ids, from start on, one digest takes within the limits; those that are held go to
 * into, if that is not NULL. */
static guint batch_take(const struct releases *all, const char *user, const GPtrArray *ids,
    guint start, enum release_mode mode, GPtrArray *into)
{
	uint64_t bytes = 0;
	size_t ids_bytes = 0, n = 0;
	guint at = start;
	for (; at < ids->len && n < all->config.max_messages; at++) {
		const char *id = ids->pdata[at];
		struct store_held held;
		if (store_held_get(all->store, user, id, &held, NULL) != RC_OK)
			continue; /* not one of ours, or gone meanwhile */
		if (mode == MODE_ATTACH && n > 0 && bytes + held.size > all->config.max_bytes)
			break;
		ids_bytes += strlen(id) + 3; /* quotes and comma */
		if (ids_bytes > IDS_BYTES_MAX)
			break;
		bytes += held.size;
		n++;
		if (into != NULL)
			g_ptr_array_add(into, g_strdup(id));
	}
	return at - start;
}

/* Into how many digests the ids will go. */
static unsigned batch_count(const struct releases *all, const char *user, const GPtrArray *ids,
    guint start, enum release_mode mode)
{
	unsigned n = 0;
	while (start < ids->len) {
		start += batch_take(all, user, ids, start, mode, NULL);
		n++;
	}
	return n;
}

enum rc releases_part(const struct releases *releases, const char *user, const GPtrArray *ids,
    enum release_mode mode, unsigned part, GPtrArray **ids_out, unsigned *parts_out,
    struct err *err)
{
	guint start = 0;
	unsigned parts = batch_count(releases, user, ids, 0, mode);
	if (part == 0 || part > parts)
		return err_set(
		    err, RC_NOTFOUND, "there is no part %u: the digest has %u", part, parts);
	GPtrArray *batch = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 1; i < part; i++)
		start += batch_take(releases, user, ids, start, mode, NULL);
	batch_take(releases, user, ids, start, mode, batch);
	*ids_out = batch;
	*parts_out = parts;
	return RC_OK;
}

void release_take_batch(struct release *r)
{
	struct release_record *rec = r->user->record;
	g_ptr_array_set_size(rec->ids, 0);
	guint taken = batch_take(r->all, r->user->name, r->rest, 0, rec->mode, rec->ids);
	if (taken > 0)
		g_ptr_array_remove_range(r->rest, 0, taken);
}

void release_number_part(struct release *r)
{
	struct release_record *rec = r->user->record;
	if (rec->mode == MODE_DELIVER)
		return;
	bool goes_on = rec->slot == r->slot && rec->part < rec->parts;
	unsigned part = goes_on ? rec->part + 1 : 1, parts = goes_on ? rec->parts : 0;
	if (!r->counted)
		parts =
		    MAX(parts, part + batch_count(r->all, r->user->name, r->rest, 0, rec->mode));
	r->counted = true;
	rec->part = part;
	rec->parts = MAX(parts, part + (r->rest->len > 0));
}
