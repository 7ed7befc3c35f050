/*
 * rules_keys.c: the keys of a rule, one function each. pullyu-rules(5) says what they mean.
 */
#include <config.h>

#include "classify/rules_build.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

/* Each takes the trimmed value. */
typedef void key_fn(struct build *b, struct rule *rule, const struct ini_entry *e);

bool key_number(const char *text, double *value_out)
{
	char *end;
	/* strtod would take hexadecimal, "inf" and "nan" as well. */
	if (text[0] == '\0' || strspn(text, "+-.0123456789") != strlen(text))
		return false;
	double value = g_ascii_strtod(text, &end);
	if (*end != '\0' || end == text || fabs(value) > 1000)
		return false;
	*value_out = value;
	return true;
}

static void key_class(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	rule->cls = class_by_name(e->value);
	if (rule->cls < 0)
		build_problem(b, e, "no such class: %s", e->value);
}

static void key_weight(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	if (!key_number(e->value, &rule->weight))
		build_problem(b, e, "want a number such as 2.5, not: %s", e->value);
}

static void bool_read(struct build *b, const struct ini_entry *e, bool *value_out)
{
	if (!str_bool(e->value, value_out))
		build_problem(b, e, "want yes or no, not: %s", e->value);
}

static void key_enabled(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	bool_read(b, e, &rule->enabled);
}

static void key_once(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	bool_read(b, e, &rule->once);
}

static void key_why(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	(void)b;
	g_free(rule->why);
	rule->why = g_strdup(e->value);
}

static void key_group(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	(void)b;
	rule->group = g_quark_from_string(e->value);
}

/* Calls fn with each part of the value between separators, trimmed. */
typedef void part_fn(struct build *b, struct rule *rule, const struct ini_entry *e, char *part);

static void parts_each(struct build *b, struct rule *rule, const struct ini_entry *e,
    const char *separator, part_fn *fn)
{
	char **parts = g_strsplit(e->value, separator, -1);
	for (size_t i = 0; parts[i] != NULL; i++) {
		char *part = str_trim(parts[i]);
		if (part[0] == '\0')
			build_problem(
			    b, e, "nothing stands at place %zu between \"%s\"", i + 1, separator);
		else
			fn(b, rule, e, part);
	}
	g_strfreev(parts);
}

unsigned key_classes(struct build *b, const struct ini_entry *e)
{
	unsigned bits = 0;
	char **parts = g_strsplit(e->value, ",", -1);
	for (size_t i = 0; parts[i] != NULL; i++) {
		char *part = str_trim(parts[i]);
		int cls = class_by_name(part);
		if (cls < 0)
			build_problem(b, e, "no such class: %s", part);
		else
			bits |= 1U << cls;
	}
	g_strfreev(parts);
	return bits;
}

static void key_veto(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	rule->vetoes = key_classes(b, e);
}

/* Terms of "fact" go in front of those of "any", whichever key comes first. */
static void term_add(struct rule *rule, struct term term, bool any)
{
	size_t at = any ? rule->n_terms : rule->n_all++;
	memmove(&rule->terms[at + 1], &rule->terms[at], (rule->n_terms - at) * sizeof(term));
	rule->terms[at] = term;
	rule->n_terms++;
}

static void term_read(
    struct build *b, struct rule *rule, const struct ini_entry *e, char *part, bool any)
{
	struct term term = {.negated = part[0] == '!'};
	if (term.negated)
		part = str_trim(part + 1);
	term.is_rule = part[0] == '@';
	if (rule->n_terms == RULE_TERMS_MAX) {
		build_problem(b, e, "more than %d facts", (int)RULE_TERMS_MAX);
		return;
	}
	if (term.is_rule) {
		size_t index = GPOINTER_TO_SIZE(g_hash_table_lookup(b->indexes, part + 1));
		if (index == 0) {
			build_problem(b, e, "no such rule: %s", part + 1);
			return;
		}
		term.index = index - 1;
	} else {
		int fact = facts_by_name(part);
		if (fact < 0) {
			build_problem(b, e, "no such fact: %s", part);
			return;
		}
		term.index = (size_t)fact;
	}
	if (any && term.negated)
		build_problem(b, e, "\"any\" takes nothing negated: !%s", part);
	else
		term_add(rule, term, any);
}

static void part_fact(struct build *b, struct rule *rule, const struct ini_entry *e, char *part)
{
	term_read(b, rule, e, part, false);
}

static void part_any(struct build *b, struct rule *rule, const struct ini_entry *e, char *part)
{
	term_read(b, rule, e, part, true);
}

static void key_any(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	parts_each(b, rule, e, ",", part_any);
}

static void key_fact(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	parts_each(b, rule, e, ",", part_fact);
}

static void part_field(struct build *b, struct rule *rule, const struct ini_entry *e, char *part)
{
	if (rule->n_fields == RULE_FIELDS_MAX) {
		build_problem(b, e, "more than %d fields", (int)RULE_FIELDS_MAX);
		return;
	}
	for (char *s = part; *s != '\0'; s++) {
		*s = g_ascii_tolower(*s);
		if (*s <= ' ' || (unsigned char)*s >= 0x7f) {
			build_problem(b, e, "no field name: %s", part);
			return;
		}
	}
	if (strchr(part, ':') != NULL && !facts_derived_exists(part)) {
		build_problem(b, e, "no such part of a field: %s", part);
		return;
	}
	rule->fields[rule->n_fields++] = g_intern_string(part);
}

static void key_field(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	parts_each(b, rule, e, ",", part_field);
}

static void key_match(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	struct err err = {0};
	if (rule->match == NULL)
		rule->match = match_new();
	if (match_add(rule->match, e->value, &err) != RC_OK)
		build_problem(b, e, "%s", err.text);
}

static void phrase_add(struct build *b, struct rule *rule, const struct ini_entry *e,
    const char *part, enum phrase_kind kind, bool near)
{
	struct phrases *probe = phrases_new();
	if (phrases_add(probe, part, kind, 0)) {
		struct phrase_text *row = g_malloc(sizeof(*row) + strlen(part) + 1);
		row->kind = kind;
		row->near = near;
		strcpy(row->text, part);
		if (rule->phrases == NULL)
			rule->phrases = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(rule->phrases, row);
	} else {
		build_problem(b, e, "no usable phrase (empty, or over %d bytes): %s",
		    (int)PHRASE_BYTES_MAX, part);
	}
	phrases_free(&probe);
}

static void part_words(struct build *b, struct rule *rule, const struct ini_entry *e, char *part)
{
	phrase_add(b, rule, e, part, PHRASE_WORDS, false);
}

static void key_words(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	parts_each(b, rule, e, "|", part_words);
}

static void part_near(struct build *b, struct rule *rule, const struct ini_entry *e, char *part)
{
	phrase_add(b, rule, e, part, PHRASE_WORDS, true);
	rule->has_near = true;
}

static void key_near(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	parts_each(b, rule, e, "|", part_near);
}

static void part_is(struct build *b, struct rule *rule, const struct ini_entry *e, char *part)
{
	phrase_add(b, rule, e, part, PHRASE_WHOLE, false);
}

static void key_is(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	parts_each(b, rule, e, "|", part_is);
}

static void part_within(struct build *b, struct rule *rule, const struct ini_entry *e, char *part)
{
	phrase_add(b, rule, e, part, PHRASE_DOMAIN, false);
}

static void key_within(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	parts_each(b, rule, e, "|", part_within);
}

static const struct {
	const char *key;
	bool tagged; /* "words.nl" too, so that a rule may have several */
	key_fn *fn;
} keys[] = {
    {"class", false, key_class},
    {"weight", false, key_weight},
    {"fact", true, key_fact},
    {"any", true, key_any},
    {"field", true, key_field},
    {"match", true, key_match},
    {"near", true, key_near},
    {"words", true, key_words},
    {"is", true, key_is},
    {"within", true, key_within},
    {"veto", false, key_veto},
    {"why", false, key_why},
    {"enabled", false, key_enabled},
    {"group", false, key_group},
    {"once", false, key_once},
};

static bool key_is_named(const char *key, size_t row)
{
	size_t len = strlen(keys[row].key);
	if (strncmp(key, keys[row].key, len) != 0)
		return false;
	return key[len] == '\0' || (keys[row].tagged && key[len] == '.' && key[len + 1] != '\0');
}

bool rule_key(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	for (size_t row = 0; row < G_N_ELEMENTS(keys); row++) {
		if (!key_is_named(e->key, row))
			continue;
		keys[row].fn(b, rule, e);
		return true;
	}
	return false;
}
