/*
 * ledger.c: see ledger.h. The value is one JSON object: {"v":1,"last":...,"rule":...,"slot":...,
 * "seq":...,"step":...,"mode":...,"mid":...,"ids":[...]}.
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
	return record;
}

void ledger_record_free(struct release_record **record)
{
	if (*record == NULL)
		return;
	g_ptr_array_free((*record)->ids, TRUE);
	g_free(*record);
	*record = NULL;
}

static enum rc decode(json_t *json, struct release_record *r, struct err *err)
{
	json_int_t version, last, slot;
	int seq, step, mode, part = 0, parts = 0; /* version 0.1.0 wrote no parts */
	const char *rule, *mid;
	json_t *ids, *id;
	size_t i;
	if (json_unpack(json, "{s:I,s:I,s:s,s:I,s:i,s?i,s?i,s:i,s:i,s:s,s:o}", "v", &version,
		"last", &last, "rule", &rule, "slot", &slot, "seq", &seq, "part", &part, "parts",
		&parts, "step", &step, "mode", &mode, "mid", &mid, "ids", &ids) != 0 ||
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
	json_array_foreach(ids, i, id)
	{
		if (!json_is_string(id))
			return err_set(err, RC_CORRUPT, "the slot ledger's list makes no sense");
		g_ptr_array_add(r->ids, g_strdup(json_string_value(id)));
	}
	return RC_OK;
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

enum rc ledger_put(
    struct store *store, const char *user, const struct release_record *record, struct err *err)
{
	json_t *ids = json_array();
	for (guint i = 0; i < record->ids->len; i++)
		json_array_append_new(ids, json_string(record->ids->pdata[i]));
	json_t *json = json_pack("{s:I,s:I,s:s,s:I,s:i,s:i,s:i,s:i,s:i,s:s,s:o}", "v",
	    (json_int_t)1, "last", (json_int_t)record->last, "rule", record->rule, "slot",
	    (json_int_t)record->slot, "seq", (int)record->seq, "part", (int)record->part, "parts",
	    (int)record->parts, "step", (int)record->step, "mode", (int)record->mode, "mid",
	    record->message_id, "ids", ids);
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	enum rc rc = text == NULL
	    ? err_set(err, RC_PERM, "the slot ledger's record is not valid UTF-8")
	    : store_slot_put(store, user, text, strlen(text), err);
	free(text);
	json_decref(json);
	return rc;
}
