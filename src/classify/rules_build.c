/*
 * rules_build.c: INI entries to rules. A section is a rule, or "class.NAME"; pullyu-rules(5) has
 * the keys. First the entries are collected by section, a later file's key taking the place of an
 * earlier one's; then each section is compiled, and every mistake is reported where it stands.
 */
#include <config.h>

#include "classify/rules.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

struct section {
	const char *name; /* foreign */
	GPtrArray
	    *entries; /* own; const struct ini_entry *, one a key, in the order of first use */
};

struct build {
	ini_problem_fn *problem;
	void *ctx;
	struct err *err;
	size_t n_problems;
	GPtrArray *sections; /* struct section *, own */
	struct rules *rules;
	GHashTable *indexes; /* rule name -> index + 1 */
};

static void problem(struct build *b, const struct ini_entry *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void problem(struct build *b, const struct ini_entry *at, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *what = g_strdup_vprintf(fmt, args);
	va_end(args);
	char *text = g_strdup_printf("[%s] %s: %s", at->section, at->key, what);
	if (b->problem != NULL)
		b->problem(b->ctx, at->file, at->line, text);
	if (b->n_problems++ == 0)
		err_set(b->err, RC_PERM, "%s:%d: %s", at->file, at->line, text);
	g_free(text);
	g_free(what);
}

/* ---- the keys of a rule; each takes the trimmed value ---- */

typedef void key_fn(struct build *b, struct rule *rule, const struct ini_entry *e);

static bool number_read(const char *text, double *value_out)
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
		problem(b, e, "no such class: %s", e->value);
}

static void key_weight(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	if (!number_read(e->value, &rule->weight))
		problem(b, e, "want a number such as 2.5, not: %s", e->value);
}

static void bool_read(struct build *b, const struct ini_entry *e, bool *value_out)
{
	if (!str_bool(e->value, value_out))
		problem(b, e, "want yes or no, not: %s", e->value);
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
			problem(
			    b, e, "nothing stands at place %zu between \"%s\"", i + 1, separator);
		else
			fn(b, rule, e, part);
	}
	g_strfreev(parts);
}

static unsigned classes_read(struct build *b, const struct ini_entry *e)
{
	unsigned bits = 0;
	char **parts = g_strsplit(e->value, ",", -1);
	for (size_t i = 0; parts[i] != NULL; i++) {
		char *part = str_trim(parts[i]);
		int cls = class_by_name(part);
		if (cls < 0)
			problem(b, e, "no such class: %s", part);
		else
			bits |= 1U << cls;
	}
	g_strfreev(parts);
	return bits;
}

static void key_veto(struct build *b, struct rule *rule, const struct ini_entry *e)
{
	rule->vetoes = classes_read(b, e);
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
		problem(b, e, "more than %d facts", (int)RULE_TERMS_MAX);
		return;
	}
	if (term.is_rule) {
		size_t index = GPOINTER_TO_SIZE(g_hash_table_lookup(b->indexes, part + 1));
		if (index == 0) {
			problem(b, e, "no such rule: %s", part + 1);
			return;
		}
		term.index = index - 1;
	} else {
		int fact = facts_by_name(part);
		if (fact < 0) {
			problem(b, e, "no such fact: %s", part);
			return;
		}
		term.index = (size_t)fact;
	}
	if (any && term.negated)
		problem(b, e, "\"any\" takes nothing negated: !%s", part);
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
		problem(b, e, "more than %d fields", (int)RULE_FIELDS_MAX);
		return;
	}
	for (char *s = part; *s != '\0'; s++) {
		*s = g_ascii_tolower(*s);
		if (*s <= ' ' || (unsigned char)*s >= 0x7f) {
			problem(b, e, "no field name: %s", part);
			return;
		}
	}
	if (strchr(part, ':') != NULL && !facts_derived_exists(part)) {
		problem(b, e, "no such part of a field: %s", part);
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
		problem(b, e, "%s", err.text);
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
		problem(b, e, "no usable phrase (empty, or over %d bytes): %s",
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

/* ---- sections ---- */

static bool rule_name_ok(const char *name)
{
	return name[0] != '\0' && strlen(name) <= RULE_NAME_BYTES_MAX &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

static void rule_compile(struct build *b, const struct section *section, struct rule *rule)
{
	bool has_weight = false;
	size_t before = b->n_problems;
	const struct ini_entry *first = g_ptr_array_index(section->entries, 0);
	for (guint i = 0; i < section->entries->len; i++) {
		const struct ini_entry *e = g_ptr_array_index(section->entries, i);
		size_t row = 0;
		while (row < G_N_ELEMENTS(keys) && !key_is_named(e->key, row))
			row++;
		if (row == G_N_ELEMENTS(keys))
			problem(b, e, "no such key");
		else
			keys[row].fn(b, rule, e);
		has_weight = has_weight || strcmp(e->key, "weight") == 0;
	}
	if (b->n_problems > before)
		return; /* what follows may only be an echo of it */
	if (rule->n_fields == 0 && (rule->match != NULL || rule->phrases != NULL))
		problem(b, first, "the rule says what to match but not in which field");
	if (rule->n_fields == 0 && rule->n_terms == 0)
		problem(b, first,
		    "the rule has no \"field\", \"fact\" or \"any\" (is its name that of a "
		    "rule of another file?)");
	if ((rule->cls >= 0) != has_weight)
		problem(b, first, "\"class\" and \"weight\" come together");
	if (rule->has_near && rule->match == NULL)
		problem(b, first, "\"near\" says where to try \"match\", and there is none");
}

static const struct {
	const char *key;
	int64_t max;
} class_keys[] = {{"order", 100}, {"minimum", 20}};

static void class_key(struct build *b, struct class_plan *plan, const struct ini_entry *e)
{
	int64_t number = 0;
	if (strcmp(e->key, "threshold") == 0) {
		if (!number_read(e->value, &plan->threshold) || plan->threshold <= 0)
			problem(b, e, "want a number above 0, not: %s", e->value);
		return;
	}
	if (strcmp(e->key, "yields") == 0) {
		plan->yields = classes_read(b, e);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(class_keys); i++) {
		if (strcmp(e->key, class_keys[i].key) != 0)
			continue;
		if (!str_number(e->value, 1, class_keys[i].max, &number))
			problem(b, e, "want a number from 1 to %d, not: %s", (int)class_keys[i].max,
			    e->value);
		else if (i == 0)
			plan->order = number;
		else
			plan->minimum = (unsigned)number;
		return;
	}
	problem(b, e, "no such key");
}

static void class_compile(struct build *b, const struct section *section)
{
	const struct ini_entry *first = g_ptr_array_index(section->entries, 0);
	int cls = class_by_name(section->name + strlen("class."));
	if (cls < 0) {
		problem(b, first, "no such class: %s", section->name + strlen("class."));
		return;
	}
	for (guint i = 0; i < section->entries->len; i++)
		class_key(b, &b->rules->classes[cls], g_ptr_array_index(section->entries, i));
}

static bool is_class_section(const struct section *section)
{
	return g_str_has_prefix(section->name, "class.");
}

static void section_free(void *p)
{
	struct section *section = p;
	g_ptr_array_free(section->entries, TRUE);
	g_free(section);
}

static void sections_collect(struct build *b, const struct ini_entry *entries, size_t n)
{
	GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < n; i++) {
		struct section *section = g_hash_table_lookup(seen, entries[i].section);
		if (section == NULL) {
			section = g_new0(struct section, 1);
			section->name = entries[i].section;
			section->entries = g_ptr_array_new();
			g_ptr_array_add(b->sections, section);
			g_hash_table_insert(seen, (char *)(uintptr_t)section->name, section);
		}
		guint k = 0;
		for (; k < section->entries->len; k++) {
			const struct ini_entry *e = g_ptr_array_index(section->entries, k);
			if (strcmp(e->key, entries[i].key) == 0)
				break;
		}
		if (k < section->entries->len)
			section->entries->pdata[k] = (void *)(uintptr_t)&entries[i];
		else
			g_ptr_array_add(section->entries, (void *)(uintptr_t)&entries[i]);
	}
	g_hash_table_destroy(seen);
}

/* Names first, so that rules may refer to those of later files. */
static void rules_name(struct build *b)
{
	struct rules *rules = b->rules;
	rules->rules = g_new0(struct rule, b->sections->len);
	for (guint i = 0; i < b->sections->len; i++) {
		const struct section *section = g_ptr_array_index(b->sections, i);
		const struct ini_entry *first = g_ptr_array_index(section->entries, 0);
		if (is_class_section(section))
			continue;
		struct rule *rule = &rules->rules[rules->n_rules];
		rule->name = g_strdup(section->name);
		rule->why = g_strdup("");
		rule->cls = -1;
		rule->enabled = true;
		rules->n_rules++;
		g_hash_table_insert(b->indexes, rule->name, GSIZE_TO_POINTER(rules->n_rules));
		if (!rule_name_ok(section->name))
			problem(b, first,
			    "a rule's name has letters, digits, \"-\" and \"_\" alone, "
			    "at most %d",
			    (int)RULE_NAME_BYTES_MAX);
		if (rules->n_rules > RULES_MAX) {
			problem(b, first, "more than %d rules", (int)RULES_MAX);
			return;
		}
	}
}

static void classes_default(struct rules *rules)
{
	static const enum class order[CLASS_COUNT] = {CLASS_BOUNCE, CLASS_CALENDAR, CLASS_SECURITY,
	    CLASS_TRANSACTIONAL, CLASS_DISCUSSION, CLASS_NOTIFICATION, CLASS_NEWSLETTER,
	    CLASS_PERSONAL};
	for (int i = 0; i < CLASS_COUNT; i++)
		rules->classes[order[i]] = (struct class_plan){
		    .threshold = 5.0, .minimum = 1, .yields = 0, .order = (i + 1) * 10};
}

static void compile_all(struct build *b)
{
	size_t rule = 0, loop;
	for (guint i = 0; i < b->sections->len; i++) {
		const struct section *section = g_ptr_array_index(b->sections, i);
		if (is_class_section(section))
			class_compile(b, section);
		else
			rule_compile(b, section, &b->rules->rules[rule++]);
	}
	if (b->n_problems > 0)
		return;
	if (!rules_link(b->rules, &loop)) {
		for (guint i = 0; i < b->sections->len; i++) {
			const struct section *section = g_ptr_array_index(b->sections, i);
			if (strcmp(section->name, b->rules->rules[loop].name) == 0)
				problem(b, g_ptr_array_index(section->entries, 0),
				    "the rule leads back to itself by \"fact = @...\"");
		}
	}
}

enum rc rules_build(const struct ini_entry *entries, size_t n, ini_problem_fn *problem_fn,
    void *ctx, struct rules **rules_out, struct err *err)
{
	struct build b = {.problem = problem_fn, .ctx = ctx, .err = err};
	struct rules *rules = g_new0(struct rules, 1);
	rules->refs = 1;
	b.rules = rules;
	b.sections = g_ptr_array_new_with_free_func(section_free);
	b.indexes = g_hash_table_new(g_str_hash, g_str_equal);
	classes_default(rules);
	sections_collect(&b, entries, n);
	rules_name(&b);
	if (b.n_problems == 0)
		compile_all(&b);
	g_hash_table_destroy(b.indexes);
	g_ptr_array_free(b.sections, TRUE);
	if (b.n_problems > 0) {
		rules_unref(&rules);
		return RC_PERM;
	}
	*rules_out = rules;
	return RC_OK;
}
