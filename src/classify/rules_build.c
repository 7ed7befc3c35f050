/*
 * rules_build.c: INI entries to rules. A section is a rule, or "class.NAME"; pullyu-rules(5) has
 * the keys. First the entries are collected by section, a later file's key taking the place of an
 * earlier one's; then each section is compiled, and every mistake is reported where it stands.
 */
#include <config.h>

#include "classify/rules_build.h"

#include <string.h>

#include "base/str.h"

void build_problem(struct build *b, const struct ini_entry *at, const char *fmt, ...)
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
		if (!rule_key(b, rule, e))
			build_problem(b, e, "no such key");
		has_weight = has_weight || strcmp(e->key, "weight") == 0;
	}
	if (b->n_problems > before)
		return; /* what follows may only be an echo of it */
	if (rule->n_fields == 0 && (rule->match != NULL || rule->phrases != NULL))
		build_problem(b, first, "the rule says what to match but not in which field");
	if (rule->n_fields == 0 && rule->n_terms == 0)
		build_problem(b, first,
		    "the rule has no \"field\", \"fact\" or \"any\" (is its name that of a "
		    "rule of another file?)");
	if ((rule->cls >= 0) != has_weight)
		build_problem(b, first, "\"class\" and \"weight\" come together");
	if (rule->has_near && rule->match == NULL)
		build_problem(b, first, "\"near\" says where to try \"match\", and there is none");
}

static const struct {
	const char *key;
	int64_t max;
} class_keys[] = {{"order", 100}, {"minimum", 20}};

static void class_key(struct build *b, struct class_plan *plan, const struct ini_entry *e)
{
	int64_t number = 0;
	if (strcmp(e->key, "threshold") == 0) {
		if (!key_number(e->value, &plan->threshold) || plan->threshold <= 0)
			build_problem(b, e, "want a number above 0, not: %s", e->value);
		return;
	}
	if (strcmp(e->key, "yields") == 0) {
		plan->yields = key_classes(b, e);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(class_keys); i++) {
		if (strcmp(e->key, class_keys[i].key) != 0)
			continue;
		if (!str_number(e->value, 1, class_keys[i].max, &number))
			build_problem(b, e, "want a number from 1 to %d, not: %s",
			    (int)class_keys[i].max, e->value);
		else if (i == 0)
			plan->order = number;
		else
			plan->minimum = (unsigned)number;
		return;
	}
	build_problem(b, e, "no such key");
}

static void class_compile(struct build *b, const struct section *section)
{
	const struct ini_entry *first = g_ptr_array_index(section->entries, 0);
	int cls = class_by_name(section->name + strlen("class."));
	if (cls < 0) {
		build_problem(b, first, "no such class: %s", section->name + strlen("class."));
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
			build_problem(b, first,
			    "a rule's name has letters, digits, \"-\" and \"_\" alone, "
			    "at most %d",
			    (int)RULE_NAME_BYTES_MAX);
		if (rules->n_rules > RULES_MAX) {
			build_problem(b, first, "more than %d rules", (int)RULES_MAX);
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
				build_problem(b, g_ptr_array_index(section->entries, 0),
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
