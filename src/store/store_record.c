/*
 * store_record.c: keys and records as bytes. Numbers are big-endian, so that memcmp orders them.
 *
 * A key is USER NUL REST; no part holds a NUL. A value starts with a version byte (1):
 *   HELD   i64 received, u64 size, u32 lead, u64 score (IEEE 754 binary64), then nine strings in
 *          the order of struct store_held, each u16 length and bytes
 *   SLOT   the ledger's bytes
 *   KNOWN, SENT   i64 time
 *   NOTE   i64 end, bytes
 * NOTE_AGE's key is i64 end with its sign flipped, and NOTE's key; its value is empty.
 * AGE's key is i64 time with its sign flipped, u8 table ('k' or 's'), and that table's key; its
 * value is empty. A value that is longer or shorter than its fields, or holds what we would not
 * have written, is nonsense.
 */
#include <config.h>

#include "store/store_private.h"

#include <math.h>
#include <string.h>

enum { FORMAT = 1 };

/* ---- writing ---- */

static void put_number(GByteArray *out, uint64_t value, unsigned bytes)
{
	guint8 buffer[8];
	for (unsigned i = 0; i < bytes; i++)
		buffer[i] = (guint8)(value >> (8 * (bytes - 1 - i)));
	g_byte_array_append(out, buffer, bytes);
}

static void put_version(GByteArray *out)
{
	put_number(out, FORMAT, 1);
}

/* ---- reading: every function does nothing once the reader is bad ---- */

struct reader {
	const guint8 *at, *end;
	bool bad;
};

static struct reader reader_of(struct store_bytes bytes)
{
	const guint8 *data = bytes.data;
	struct reader r = {.at = data, .end = bytes.len == 0 ? data : data + bytes.len};
	return r;
}

static const guint8 *take(struct reader *r, size_t len)
{
	if (r->bad || (size_t)(r->end - r->at) < len) {
		r->bad = true;
		return NULL;
	}
	r->at += len;
	return r->at - len;
}

static uint64_t get_number(struct reader *r, unsigned bytes)
{
	const guint8 *p = take(r, bytes);
	uint64_t value = 0;
	for (unsigned i = 0; p != NULL && i < bytes; i++)
		value = value << 8 | p[i];
	return value;
}

static void get_string(struct reader *r, char *out, size_t size)
{
	size_t len = (size_t)get_number(r, 2);
	const guint8 *p = take(r, len);
	if (p == NULL)
		return;
	if (len >= size || memchr(p, '\0', len) != NULL) {
		r->bad = true;
		return;
	}
	memcpy(out, p, len);
	out[len] = '\0';
}

static void get_version(struct reader *r)
{
	if (get_number(r, 1) != FORMAT)
		r->bad = true;
}

static bool finished(const struct reader *r)
{
	return !r->bad && r->at == r->end;
}

/* ---- keys ---- */

bool store_id_valid(const char *id)
{
	size_t len = 0;
	for (; id[len] != '\0'; len++)
		if (len + 1 >= STORE_ID_MAX ||
		    !(g_ascii_isalnum(id[len]) || strchr(".-_=,", id[len]) != NULL))
			return false;
	return len > 0 && id[0] != '.';
}

enum rc store_key(GByteArray *key, const char *user, const char *rest, struct err *err)
{
	size_t user_len = strnlen(user, ADDR_MAX);
	if (user_len == 0 || user_len >= ADDR_MAX)
		return err_set(err, RC_PERM, "a user's name is empty or too long: %.80s", user);
	size_t rest_len = rest == NULL ? 0 : strnlen(rest, STORE_KEY_MAX);
	if (rest != NULL && (rest_len == 0 || rest_len > STORE_REST_MAX))
		return err_set(err, RC_PERM, "a key is empty or too long: %.80s", rest);
	g_byte_array_append(key, (const guint8 *)user, (guint)user_len);
	if (rest != NULL) {
		g_byte_array_append(key, (const guint8 *)"", 1);
		g_byte_array_append(key, (const guint8 *)rest, (guint)rest_len);
	}
	return RC_OK;
}

bool store_key_split(struct store_bytes key, const char **user_out, struct store_bytes *rest_out)
{
	const char *data = key.data;
	const char *nul = key.len == 0 ? NULL : memchr(data, '\0', key.len);
	if (nul == NULL || nul == data || (size_t)(nul - data) >= ADDR_MAX)
		return false;
	*user_out = data;
	rest_out->data = nul + 1;
	rest_out->len = key.len - (size_t)(nul - data) - 1;
	return rest_out->len > 0;
}

void store_age_key(int64_t when, enum store_table table, struct store_bytes key, GByteArray *out)
{
	put_number(out, (uint64_t)when ^ (UINT64_C(1) << 63), 8);
	put_number(out, table == STORE_TABLE_KNOWN ? 'k' : 's', 1);
	g_byte_array_append(out, key.data, (guint)key.len);
}

bool store_age_split(struct store_bytes age, int64_t *when_out, enum store_table *table_out,
    struct store_bytes *key_out)
{
	struct reader r = reader_of(age);
	uint64_t when = get_number(&r, 8) ^ (UINT64_C(1) << 63);
	uint64_t table = get_number(&r, 1);
	if (r.bad || (table != 'k' && table != 's'))
		return false;
	*when_out = (int64_t)when;
	*table_out = table == 'k' ? STORE_TABLE_KNOWN : STORE_TABLE_SENT;
	key_out->data = r.at;
	key_out->len = (size_t)(r.end - r.at);
	return key_out->len > 0;
}

void store_note_age_key(int64_t expires, struct store_bytes key, GByteArray *out)
{
	put_number(out, (uint64_t)expires ^ (UINT64_C(1) << 63), 8);
	g_byte_array_append(out, key.data, (guint)key.len);
}

bool store_note_age_split(struct store_bytes age, int64_t *expires_out, struct store_bytes *key_out)
{
	struct reader r = reader_of(age);
	uint64_t expires = get_number(&r, 8) ^ (UINT64_C(1) << 63);
	if (r.bad || r.at == r.end)
		return false;
	*expires_out = (int64_t)expires;
	key_out->data = r.at;
	key_out->len = (size_t)(r.end - r.at);
	return true;
}

/* ---- values ---- */

/* The strings of a record, once for both directions. */
struct field {
	size_t offset, size;
};

#define FIELD(name) \
	{ \
		offsetof(struct store_held, name), sizeof(((struct store_held *)NULL)->name) \
	}
static const struct field fields[] = {
    FIELD(class_name),
    FIELD(reasons),
    FIELD(from_addr),
    FIELD(from_name),
    FIELD(subject),
    FIELD(message_id),
    FIELD(list_id),
    FIELD(return_path),
    FIELD(rcpt),
};

enum rc store_held_encode(const struct store_held *held, GByteArray *value, struct err *err)
{
	uint64_t score;
	if (!store_id_valid(held->id))
		return err_set(err, RC_PERM, "no message id: %.80s", held->id);
	if (!isfinite(held->score))
		return err_set(err, RC_PERM, "%s: the score is no number", held->id);
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		const char *text = (const char *)held + fields[i].offset;
		if (strnlen(text, fields[i].size) == fields[i].size)
			return err_set(err, RC_PERM, "%s: a text has no end", held->id);
	}
	memcpy(&score, &held->score, sizeof(score));
	put_version(value);
	put_number(value, (uint64_t)held->received, 8);
	put_number(value, held->size, 8);
	put_number(value, held->lead, 4);
	put_number(value, score, 8);
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		const char *text = (const char *)held + fields[i].offset;
		size_t len = strlen(text);
		put_number(value, len, 2);
		g_byte_array_append(value, (const guint8 *)text, (guint)len);
	}
	return RC_OK;
}

bool store_held_decode(struct store_bytes id, struct store_bytes value, struct store_held *held_out)
{
	struct reader r = reader_of(value);
	memset(held_out, 0, sizeof(*held_out));
	if (id.len >= STORE_ID_MAX)
		return false;
	memcpy(held_out->id, id.data, id.len);
	get_version(&r);
	held_out->received = (int64_t)get_number(&r, 8);
	held_out->size = get_number(&r, 8);
	held_out->lead = (uint32_t)get_number(&r, 4);
	uint64_t score = get_number(&r, 8);
	memcpy(&held_out->score, &score, sizeof(score));
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		get_string(&r, (char *)held_out + fields[i].offset, fields[i].size);
	return finished(&r) && isfinite(held_out->score) && strlen(held_out->id) == id.len &&
	    store_id_valid(held_out->id);
}

void store_time_encode(int64_t when, GByteArray *value)
{
	put_version(value);
	put_number(value, (uint64_t)when, 8);
}

bool store_time_decode(struct store_bytes value, int64_t *when_out)
{
	struct reader r = reader_of(value);
	get_version(&r);
	uint64_t when = get_number(&r, 8);
	if (!finished(&r))
		return false;
	*when_out = (int64_t)when;
	return true;
}

void store_slot_encode(const void *data, size_t len, GByteArray *value)
{
	put_version(value);
	g_byte_array_append(value, data, (guint)len);
}

bool store_slot_decode(struct store_bytes value, struct store_bytes *data_out)
{
	struct reader r = reader_of(value);
	get_version(&r);
	if (r.bad)
		return false;
	data_out->data = r.at;
	data_out->len = (size_t)(r.end - r.at);
	return true;
}

void store_note_encode(int64_t expires, struct store_bytes data, GByteArray *value)
{
	put_version(value);
	put_number(value, (uint64_t)expires, 8);
	g_byte_array_append(value, data.data, (guint)data.len);
}

bool store_note_decode(struct store_bytes value, int64_t *expires_out, struct store_bytes *data_out)
{
	struct reader r = reader_of(value);
	get_version(&r);
	uint64_t expires = get_number(&r, 8);
	if (r.bad)
		return false;
	*expires_out = (int64_t)expires;
	data_out->data = r.at;
	data_out->len = (size_t)(r.end - r.at);
	return true;
}
