/*
 * ledger.c: see ledger.h. The value is one JSON object: {"v":1,"last":...,"rule":...,"slot":...,
 * "seq":...,"step":...,"mode":...,"mid":...,"ids":[...],"refused":[...],"refused_next":...}.
 */
#include <config.h>

#include "release/ledger.h"

#include <string.h>

#include <jansson.h>

#include "base/str.h"

struct release_record *ledger_record_new(void)
{
	struct release_record *record = g_new0(struct release_record, 1);
	record->ids = g_ptr_array_new_with_free_func(g_free);
	record->refused = g_ptr_array_new_with_free_func(g_free);
	return record;
}

void ledger_record_free(struct release_record **record)
{
	if (*record == NULL)
		return;
	g_ptr_array_free((*record)->ids, TRUE);
	g_ptr_array_free((*record)->refused, TRUE);
	g_free(*record);
	*record = NULL;
}

static enum rc decode_ids(const json_t *json, GPtrArray *ids, struct err *err)
{
	const json_t *id;
	size_t i;
	json_array_foreach(json, i, id)
	{
		if (!json_is_string(id))
			return err_set(err, RC_CORRUPT, "the slot ledger's list makes no sense");
		g_ptr_array_add(ids, g_strdup(json_string_value(id)));
	}
	return RC_OK;
}

static enum rc decode(json_t *json, struct release_record *r, struct err *err)
{
	json_int_t version, last, slot, refused_next = 0;
	/* Version 0.1.0 wrote no parts, and nothing about what was refused. */
	int seq, step, mode, part = 0, parts = 0;
	const char *rule, *mid;
	json_t *ids, *refused = NULL;
	if (json_unpack(json, "{s:I,s:I,s:s,s:I,s:i,s?i,s?i,s:i,s:i,s:s,s:o,s?o,s?I}", "v",
		&version, "last", &last, "rule", &rule, "slot", &slot, "seq", &seq, "part", &part,
		"parts", &parts, "step", &step, "mode", &mode, "mid", &mid, "ids", &ids, "refused",
		&refused, "refused_next", &refused_next) != 0 ||
	    version != 1 || seq < 0 || part < 0 || parts < part || step < STEP_IDLE ||
	    step > STEP_RETIRE || mode < MODE_ATTACH || mode > MODE_DELIVER)
		return err_set(err, RC_CORRUPT, "the slot ledger's record makes no sense");
	r->last = last;
	r->slot = slot;
	r->seq = (unsigned)seq;
	r->part = (unsigned)part;
	r->parts = (unsigned)parts;
	r->step = (enum release_step)step;
	r->mode = (enum release_mode)mode;
	str_copy(r->rule, sizeof(r->rule), rule);
	str_copy(r->message_id, sizeof(r->message_id), mid);
	r->refused_next = refused_next;
	enum rc rc = decode_ids(ids, r->ids, err);
	return rc == RC_OK ? decode_ids(refused, r->refused, err) : rc;
}

enum rc ledger_get(
    struct store *store, const char *user, struct release_record **record_out, struct err *err)
{
	void *data = NULL;
	size_t len = 0;
	enum rc rc = store_slot_get(store, user, &data, &len, err);
	if (rc != RC_OK)
		return rc;
	json_t *json = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	struct release_record *record = ledger_record_new();
	rc = decode(json, record, err);
	if (rc == RC_OK) {
		*record_out = record;
		record = NULL;
	}
	ledger_record_free(&record);
	json_decref(json);
	g_free(data);
	return rc;
}

static json_t *encode_ids(const GPtrArray *ids)
{
	json_t *json = json_array();
	for (guint i = 0; i < ids->len; i++)
		json_array_append_new(json, json_string(ids->pdata[i]));
	return json;
}

enum rc ledger_put(
    struct store *store, const char *user, const struct release_record *record, struct err *err)
{
	json_t *json = json_pack("{s:I,s:I,s:s,s:I,s:i,s:i,s:i,s:i,s:i,s:s,s:o,s:o,s:I}", "v",
	    (json_int_t)1, "last", (json_int_t)record->last, "rule", record->rule, "slot",
	    (json_int_t)record->slot, "seq", (int)record->seq, "part", (int)record->part, "parts",
	    (int)record->parts, "step", (int)record->step, "mode", (int)record->mode, "mid",
	    record->message_id, "ids", encode_ids(record->ids), "refused",
	    encode_ids(record->refused), "refused_next", (json_int_t)record->refused_next);
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	enum rc rc = text == NULL
	    ? err_set(err, RC_PERM, "the slot ledger's record is not valid UTF-8")
	    : store_slot_put(store, user, text, strlen(text), err);
	free(text);
	json_decref(json);
	return rc;
}

static bool refused_find(const struct release_record *record, const char *id, guint *at_out)
{
	return g_ptr_array_find_with_equal_func(record->refused, id, g_str_equal, at_out);
}

bool ledger_refused(const struct release_record *record, const char *id)
{
	return refused_find(record, id, NULL);
}

bool ledger_refused_add(struct release_record *record, const char *id)
{
	if (ledger_refused(record, id))
		return true;
	if (record->refused->len >= LEDGER_REFUSED_MAX)
		return false;
	g_ptr_array_add(record->refused, g_strdup(id));
	return true;
}

void ledger_refused_del(struct release_record *record, const char *id)
{
	guint at;
	if (refused_find(record, id, &at))
		g_ptr_array_remove_index(record->refused, at);
}
