/*
 * shadow_record.c: the record of shadow.h and its text:
 *
 *   {"since": T, "last": T, "slot": T, "total": N, "digests": N, "classes": {CLASS: N},
 *    "senders": {ADDRESS: [N, CLASS, MARGIN or null, LAST]}, "rules": {NAME: N}}
 */
#include <config.h>

#include "daemon/shadow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/addr.h"

static void sender_free(gpointer data)
{
	struct shadow_sender *sender = data;
	g_free(sender->name);
	g_free(sender);
}

struct shadow_record *shadow_record_new(guint senders_max, guint rules_max)
{
	struct shadow_record *record = g_new0(struct shadow_record, 1);
	record->senders = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, sender_free);
	record->rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	record->senders_max = senders_max;
	record->rules_max = rules_max;
	return record;
}

void shadow_record_free(struct shadow_record **record)
{
	struct shadow_record *r = *record;
	*record = NULL;
	if (r == NULL)
		return;
	g_hash_table_destroy(r->senders);
	g_hash_table_destroy(r->rules);
	g_free(r);
}

/* ---- orders ---- */

static int by_count(gconstpointer a, gconstpointer b)
{
	const struct shadow_sender *x = *(const struct shadow_sender *const *)a;
	const struct shadow_sender *y = *(const struct shadow_sender *const *)b;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_margin(gconstpointer a, gconstpointer b)
{
	const struct shadow_sender *x = *(const struct shadow_sender *const *)a;
	const struct shadow_sender *y = *(const struct shadow_sender *const *)b;
	if (x->margin < y->margin || x->margin > y->margin)
		return x->margin < y->margin ? -1 : 1;
	return by_count(a, b);
}

static GPtrArray *senders_sorted(
    const struct shadow_record *record, bool with_margin, GCompareFunc order)
{
	GPtrArray *senders = g_ptr_array_sized_new(g_hash_table_size(record->senders));
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, record->senders);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (!with_margin || ((struct shadow_sender *)value)->margin >= 0)
			g_ptr_array_add(senders, value);
	g_ptr_array_sort(senders, order);
	return senders;
}

GPtrArray *shadow_record_senders(const struct shadow_record *record)
{
	return senders_sorted(record, false, by_count);
}

GPtrArray *shadow_record_nearest(const struct shadow_record *record)
{
	return senders_sorted(record, true, by_margin);
}

static uint64_t rule_count(const struct shadow_record *record, const char *rule)
{
	const uint64_t *count = g_hash_table_lookup(record->rules, rule);
	return count == NULL ? 0 : *count;
}

static int by_rule_count(gconstpointer a, gconstpointer b, gpointer data)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	uint64_t n = rule_count(data, x), m = rule_count(data, y);
	return n != m ? (n > m ? -1 : 1) : strcmp(x, y);
}

GPtrArray *shadow_record_rules(const struct shadow_record *record)
{
	GPtrArray *rules = g_ptr_array_new();
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, record->rules);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(rules, key);
	g_ptr_array_sort_with_data(rules, by_rule_count, (gpointer)record);
	return rules;
}

/* ---- counting ---- */

/* Down to that many senders; those that came nearest to passing are what a reader looks at first.
 * */
static void senders_shrink(struct shadow_record *record, guint to)
{
	GPtrArray *nearest = shadow_record_nearest(record);
	GPtrArray *senders = shadow_record_senders(record);
	GHashTable *kept = g_hash_table_new(NULL, NULL);
	for (guint i = 0; i < MIN(nearest->len, SHADOW_NEAREST); i++)
		g_hash_table_add(kept, nearest->pdata[i]);
	for (guint i = senders->len; i > 0 && g_hash_table_size(record->senders) > to; i--) {
		struct shadow_sender *sender = senders->pdata[i - 1];
		if (!g_hash_table_contains(kept, sender))
			g_hash_table_remove(record->senders, sender->name);
	}
	g_hash_table_destroy(kept);
	g_ptr_array_unref(nearest);
	g_ptr_array_unref(senders);
}

static struct shadow_sender *sender_of(struct shadow_record *record, const char *name)
{
	struct shadow_sender *sender = g_hash_table_lookup(record->senders, name);
	if (sender != NULL)
		return sender;
	/* Some at a time, so that a stream of strangers does not mean a sort for each. */
	if (g_hash_table_size(record->senders) >= record->senders_max)
		senders_shrink(record, record->senders_max - record->senders_max / 16 - 1);
	sender = g_new0(struct shadow_sender, 1);
	sender->name = g_strdup(name);
	sender->margin = -1;
	g_hash_table_insert(record->senders, sender->name, sender);
	return sender;
}

static void sender_add(struct shadow_record *record, const char *name, uint64_t count,
    enum class cls, double margin, int64_t last)
{
	struct shadow_sender *sender = sender_of(record, name);
	if (sender->count == 0 || last >= sender->last)
		sender->cls = cls;
	sender->count += count;
	sender->last = MAX(sender->last, last);
	if (margin >= 0 && (sender->margin < 0 || margin < sender->margin))
		sender->margin = margin;
}

static void rule_add(struct shadow_record *record, const char *rule, uint64_t count)
{
	uint64_t *sum = g_hash_table_lookup(record->rules, rule);
	if (sum == NULL) {
		if (g_hash_table_size(record->rules) >= record->rules_max) {
			GPtrArray *rules = shadow_record_rules(record);
			g_hash_table_remove(record->rules, rules->pdata[rules->len - 1]);
			g_ptr_array_unref(rules);
		}
		sum = g_new0(uint64_t, 1);
		g_hash_table_insert(record->rules, g_strdup(rule), sum);
	}
	*sum += count;
}

void shadow_record_count(struct shadow_record *record, const struct shadow_note *note)
{
	if (record->total == 0)
		record->since = note->received;
	record->since = MIN(record->since, note->received);
	record->last = MAX(record->last, note->received);
	record->total++;
	record->classes[note->cls]++;
	/* What comes before the slot of the digest that is counted is in that digest. */
	if (note->received >= record->slot) {
		record->digests++;
		record->slot = note->slot;
	}
	sender_add(record, note->sender, 1, note->cls, note->margin, note->received);
	for (size_t i = 0; i < note->n_reasons; i++)
		rule_add(record, note->reasons[i], 1);
}

void shadow_record_add(struct shadow_record *sum, const struct shadow_record *record)
{
	GHashTableIter iter;
	gpointer key, value;
	if (record->total == 0)
		return;
	sum->since = sum->total == 0 ? record->since : MIN(sum->since, record->since);
	sum->last = MAX(sum->last, record->last);
	sum->total += record->total;
	sum->digests += record->digests;
	for (int cls = 0; cls < CLASS_COUNT; cls++)
		sum->classes[cls] += record->classes[cls];
	g_hash_table_iter_init(&iter, record->senders);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct shadow_sender *s = value;
		sender_add(sum, s->name, s->count, s->cls, s->margin, s->last);
	}
	g_hash_table_iter_init(&iter, record->rules);
	while (g_hash_table_iter_next(&iter, &key, &value))
		rule_add(sum, key, *(uint64_t *)value);
}

/* ---- as text ---- */

static json_t *senders_json(const struct shadow_record *record)
{
	json_t *object = json_object();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, record->senders);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct shadow_sender *s = value;
		json_t *margin = s->margin < 0 ? json_null() : json_real(s->margin);
		json_object_set_new(object, s->name,
		    json_pack("[I,s,o,I]", (json_int_t)s->count, class_name(s->cls), margin,
			(json_int_t)s->last));
	}
	return object;
}

static char *encode(const struct shadow_record *record)
{
	json_t *classes = json_object(), *rules = json_object();
	GHashTableIter iter;
	gpointer key, value;
	for (int cls = 0; cls < CLASS_COUNT; cls++)
		if (record->classes[cls] > 0)
			json_object_set_new(classes, class_name((enum class)cls),
			    json_integer((json_int_t)record->classes[cls]));
	g_hash_table_iter_init(&iter, record->rules);
	while (g_hash_table_iter_next(&iter, &key, &value))
		json_object_set_new(rules, key, json_integer((json_int_t) * (uint64_t *)value));
	json_t *object =
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "since", (json_int_t)record->since,
		"last", (json_int_t)record->last, "slot", (json_int_t)record->slot, "total",
		(json_int_t)record->total, "digests", (json_int_t)record->digests, "classes",
		classes, "senders", senders_json(record), "rules", rules);
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
	char *copy = g_strdup(text);
	free(text);
	json_decref(object);
	return copy;
}

char *shadow_record_encode(struct shadow_record *record)
{
	char *text = encode(record);
	/* Addresses may be long. Without any, what is left is far below the bound. */
	while (strlen(text) > STORE_NOTE_MAX && g_hash_table_size(record->senders) > 0) {
		senders_shrink(record, g_hash_table_size(record->senders) * 3 / 4);
		g_free(text);
		text = encode(record);
	}
	return text;
}

/* A number that cannot be negative; false if there is none. */
static bool read_number(const json_t *value, uint64_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static bool read_sender(struct shadow_record *record, const char *name, const json_t *row)
{
	uint64_t count, last;
	const char *class = json_string_value(json_array_get(row, 1));
	const json_t *margin = json_array_get(row, 2);
	int cls = class == NULL ? -1 : class_by_name(class);
	if (json_array_size(row) != 4 || !read_number(json_array_get(row, 0), &count) ||
	    !read_number(json_array_get(row, 3), &last) || cls < 0 ||
	    !(json_is_null(margin) || json_is_number(margin)) || strlen(name) >= ADDR_MAX)
		return false;
	sender_add(record, name, count, (enum class)cls,
	    json_is_null(margin) ? -1 : fabs(json_number_value(margin)), (int64_t)last);
	return true;
}

static bool read_record(struct shadow_record *record, json_t *object)
{
	uint64_t since, last, slot, count;
	json_t *value;
	const char *key;
	if (!read_number(json_object_get(object, "since"), &since) ||
	    !read_number(json_object_get(object, "last"), &last) ||
	    !read_number(json_object_get(object, "slot"), &slot) ||
	    !read_number(json_object_get(object, "total"), &record->total) ||
	    !read_number(json_object_get(object, "digests"), &record->digests) ||
	    !json_is_object(json_object_get(object, "classes")) ||
	    !json_is_object(json_object_get(object, "senders")) ||
	    !json_is_object(json_object_get(object, "rules")))
		return false;
	record->since = (int64_t)since;
	record->last = (int64_t)last;
	record->slot = (int64_t)slot;
	json_object_foreach(json_object_get(object, "classes"), key, value)
	{
		int cls = class_by_name(key);
		if (cls < 0 || !read_number(value, &record->classes[cls]))
			return false;
	}
	json_object_foreach(json_object_get(object, "senders"), key, value)
	{
		if (!read_sender(record, key, value))
			return false;
	}
	json_object_foreach(json_object_get(object, "rules"), key, value)
	{
		if (strlen(key) > SHADOW_RULE_MAX || !read_number(value, &count))
			return false;
		rule_add(record, key, count);
	}
	return true;
}

struct shadow_record *shadow_record_decode(const char *data, size_t len)
{
	json_t *object = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	struct shadow_record *record = shadow_record_new(SHADOW_SENDERS_MAX, SHADOW_RULES_MAX);
	if (object == NULL || !read_record(record, object))
		shadow_record_free(&record);
	json_decref(object);
	return record;
}
