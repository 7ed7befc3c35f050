/*
 * rules_link.c: the order of rules, and the indexes that make the work grow with the message: from
 * a field's name to the rules that look at it, from a fact to those that it starts.
 */
#include <config.h>

#include "classify/rules.h"

#include <string.h>

static void plan_free(void *p)
{
	struct field_plan *plan = p;
	g_array_free(plan->present, TRUE);
	g_array_free(plan->matching, TRUE);
	phrases_free(&plan->phrases);
	g_free(plan);
}

static void add(GArray **array, size_t index)
{
	if (*array == NULL)
		*array = g_array_new(FALSE, FALSE, sizeof(size_t));
	g_array_append_val(*array, index);
}

/* Depth first, with a stack of our own: place[i] is where rule i goes. */
static bool sort(const struct rules *rules, size_t *place, size_t *loop_out)
{
	enum { NEW, OPEN, DONE };
	bool ok = true;
	size_t n = rules->n_rules, next = 0, depth;
	char *state = g_malloc0(n + 1);
	size_t *stack = g_new(size_t, n + 1), *term = g_new0(size_t, n + 1);
	for (size_t start = 0; start < n && ok; start++) {
		if (state[start] != NEW)
			continue;
		stack[0] = start;
		state[start] = OPEN;
		for (depth = 1; depth > 0 && ok;) {
			size_t at = stack[depth - 1];
			const struct rule *rule = &rules->rules[at];
			if (term[at] == rule->n_terms) {
				state[at] = DONE;
				place[at] = next++;
				depth--;
				continue;
			}
			const struct term *t = &rule->terms[term[at]++];
			if (!t->is_rule || state[t->index] == DONE)
				continue;
			if (state[t->index] == OPEN) {
				*loop_out = at;
				ok = false;
			} else {
				state[t->index] = OPEN;
				stack[depth++] = t->index;
			}
		}
	}
	g_free(term);
	g_free(stack);
	g_free(state);
	return ok;
}

static void reorder(struct rules *rules, const size_t *place)
{
	struct rule *sorted = g_new(struct rule, rules->n_rules + 1);
	for (size_t i = 0; i < rules->n_rules; i++) {
		struct rule *rule = &rules->rules[i];
		for (size_t k = 0; k < rule->n_terms; k++)
			if (rule->terms[k].is_rule)
				rule->terms[k].index = place[rule->terms[k].index];
		sorted[place[i]] = *rule;
	}
	g_free(rules->rules);
	rules->rules = sorted;
}

static struct field_plan *plan_get(struct rules *rules, const char *name)
{
	struct field_plan *plan = g_hash_table_lookup(rules->fields, name);
	if (plan == NULL) {
		plan = g_new0(struct field_plan, 1);
		plan->present = g_array_new(FALSE, FALSE, sizeof(size_t));
		plan->matching = g_array_new(FALSE, FALSE, sizeof(size_t));
		g_hash_table_insert(rules->fields, (char *)(uintptr_t)name, plan);
		unsigned bit = field_name_bit(name);
		rules->names[bit / 64] |= UINT64_C(1) << (bit % 64);
	}
	return plan;
}

static void link_fields(struct rules *rules, size_t index)
{
	const struct rule *rule = &rules->rules[index];
	for (size_t f = 0; f < rule->n_fields; f++) {
		struct field_plan *plan = plan_get(rules, rule->fields[f]);
		if (rule->match == NULL && rule->phrases == NULL)
			g_array_append_val(plan->present, index);
		if (rule->match != NULL)
			g_array_append_val(plan->matching, index);
		for (guint k = 0; rule->phrases != NULL && k < rule->phrases->len; k++) {
			const struct phrase_text *text = g_ptr_array_index(rule->phrases, k);
			if (plan->phrases == NULL)
				plan->phrases = phrases_new();
			phrases_add(plan->phrases, text->text, text->kind,
			    text->near ? index + RULES_MAX : index);
		}
	}
}

/* What makes the engine look at a rule: its fields, else a fact that must hold, else a rule that
 * must have fired, else each of "any", else nothing: then it is looked at each time. */
static void link_start(struct rules *rules, size_t index)
{
	const struct rule *rule = &rules->rules[index];
	if (rule->n_fields > 0) {
		link_fields(rules, index);
		return;
	}
	for (size_t k = 0; k < rule->n_all; k++) {
		const struct term *t = &rule->terms[k];
		if (!t->is_rule && !t->negated) {
			add(&rules->by_fact[t->index], index);
			return;
		}
	}
	for (size_t k = 0; k < rule->n_all; k++) {
		const struct term *t = &rule->terms[k];
		if (t->is_rule && !t->negated) {
			add(&rules->dependents[t->index], index);
			return;
		}
	}
	for (size_t k = rule->n_all; k < rule->n_terms; k++) {
		const struct term *t = &rule->terms[k];
		add(t->is_rule ? &rules->dependents[t->index] : &rules->by_fact[t->index], index);
	}
	if (rule->n_all == rule->n_terms)
		add(&rules->always, index);
}

static void order_classes(struct rules *rules)
{
	for (int i = 0; i < CLASS_COUNT; i++) {
		int k = i;
		for (; k > 0 && rules->classes[rules->order[k - 1]].order > rules->classes[i].order;
		     k--)
			rules->order[k] = rules->order[k - 1];
		rules->order[k] = (enum class)i;
	}
}

bool rules_link(struct rules *rules, size_t *loop_out)
{
	size_t *place = g_new0(size_t, rules->n_rules + 1);
	bool ok = sort(rules, place, loop_out);
	if (ok) {
		reorder(rules, place);
		rules->fields = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, plan_free);
		rules->by_name = g_hash_table_new(g_str_hash, g_str_equal);
		rules->dependents = g_new0(GArray *, rules->n_rules + 1);
		for (size_t i = 0; i < rules->n_rules; i++) {
			g_hash_table_insert(rules->by_name, rules->rules[i].name, &rules->rules[i]);
			if (rules->rules[i].enabled)
				link_start(rules, i);
		}
		GHashTableIter iter;
		void *plan;
		g_hash_table_iter_init(&iter, rules->fields);
		while (g_hash_table_iter_next(&iter, NULL, &plan))
			if (((struct field_plan *)plan)->phrases != NULL)
				phrases_compile(((struct field_plan *)plan)->phrases);
		order_classes(rules);
	}
	g_free(place);
	return ok;
}

struct rules *rules_ref(struct rules *rules)
{
	__atomic_add_fetch(&rules->refs, 1, __ATOMIC_RELAXED);
	return rules;
}

static void array_free(GArray *array)
{
	if (array != NULL)
		g_array_free(array, TRUE);
}

void rules_unref(struct rules **rules_in)
{
	struct rules *rules = *rules_in;
	*rules_in = NULL;
	if (rules == NULL || __atomic_sub_fetch(&rules->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < rules->n_rules; i++) {
		struct rule *rule = &rules->rules[i];
		g_free(rule->name);
		g_free(rule->why);
		match_free(&rule->match);
		if (rule->phrases != NULL)
			g_ptr_array_free(rule->phrases, TRUE);
		if (rules->dependents != NULL)
			array_free(rules->dependents[i]);
	}
	for (size_t i = 0; i < FACT_COUNT; i++)
		array_free(rules->by_fact[i]);
	array_free(rules->always);
	if (rules->fields != NULL)
		g_hash_table_destroy(rules->fields);
	if (rules->by_name != NULL)
		g_hash_table_destroy(rules->by_name);
	g_free(rules->dependents);
	g_free(rules->rules);
	g_free(rules);
}

size_t rules_count(const struct rules *rules)
{
	size_t n = 0;
	for (size_t i = 0; i < rules->n_rules; i++)
		n += rules->rules[i].enabled;
	return n;
}

const char *rules_why(const struct rules *rules, const char *name)
{
	const struct rule *rule = g_hash_table_lookup(rules->by_name, name);
	return rule == NULL ? NULL : rule->why;
}
