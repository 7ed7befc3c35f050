/*
 * classify.c: which rules fire, what they add up to, and the decision.
 *
 * Rules are decided in one walk in their order, from candidates that the message's fields and facts
 * give. Then each class has a score (within a group of rules only the heaviest counts, so that
 * three marks of one platform are one piece of evidence) and may be vetoed. The first class in the
 * order of the decision that reaches its threshold with enough independent evidence, is not vetoed
 * and does not yield to a stronger one, is the verdict; personal if there is none.
 */
#include <config.h>

#include "classify/classify.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "classify/fold.h"
#include "classify/rules.h"

enum { HITS_MAX = 256 };

struct seen {
	const struct facts_field *field; /* NULL: the rule fired by facts alone */
};

struct hit {
	const struct rule *rule;
	const struct facts_field *field;
	bool counted; /* it is the heaviest of its group */
};

struct tally {
	double score;
	unsigned evidence;
	bool vetoed;
};

struct walk {
	const struct rules *rules;
	const struct facts *facts;
	uint64_t candidates[WORDS], fired[WORDS];
	uint64_t near[WORDS];        /* rules whose "near" stands in the field being looked at */
	struct seen seen[RULES_MAX]; /* valid where candidates has the bit */
	struct hit hits[HITS_MAX];
	size_t n_hits;
	struct match_scratch *scratch;   /* own; NULL before the first use */
	const struct facts_field *field; /* the one being looked at */
	struct tally tallies[CLASS_COUNT];
	bool without_once; /* rules with "once" do not count */
};

static bool bit_get(const uint64_t *bits, size_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static void bit_set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static void candidate_add(struct walk *w, size_t rule)
{
	if (bit_get(w->candidates, rule))
		return;
	bit_set(w->candidates, rule);
	w->seen[rule].field = w->field;
}

/* Facts are known from the start: a rule that they rule out need not be matched. */
static bool facts_allow(const struct walk *w, const struct rule *rule)
{
	for (size_t i = 0; i < rule->n_all; i++) {
		const struct term *t = &rule->terms[i];
		if (!t->is_rule && facts_has(w->facts, (enum fact)t->index) == t->negated)
			return false;
	}
	return true;
}

static void phrase_found(void *ctx, size_t rule, size_t at, size_t len)
{
	(void)at;
	(void)len;
	struct walk *w = ctx;
	if (rule >= RULES_MAX)
		bit_set(w->near, rule - RULES_MAX);
	else
		candidate_add(w, rule);
}

static enum rc field_look(struct walk *w, const struct facts_field *field, struct err *err)
{
	if (!bit_get(w->rules->names, field_name_bit(field->name)))
		return RC_OK;
	const struct field_plan *plan = g_hash_table_lookup(w->rules->fields, field->name);
	if (plan == NULL)
		return RC_OK;
	w->field = field;
	for (guint i = 0; i < plan->present->len; i++)
		candidate_add(w, g_array_index(plan->present, size_t, i));
	if (plan->phrases != NULL) {
		char text[FOLD_MAX + 1];
		size_t len = fold(field->value, text);
		memset(w->near, 0, (w->rules->n_rules + 63) / 64 * sizeof(w->near[0]));
		phrases_scan(plan->phrases, text, len, phrase_found, w);
	}
	/* What stands further back in a subject of 8 kB stands there for us, not for its reader. */
	size_t len = plan->matching->len == 0 ? 0 : str_cut(field->value, MATCH_BYTES_MAX);
	for (guint i = 0; i < plan->matching->len; i++) {
		size_t index = g_array_index(plan->matching, size_t, i);
		const struct rule *rule = &w->rules->rules[index];
		bool found;
		if (bit_get(w->candidates, index) || !facts_allow(w, rule) ||
		    (rule->has_near && !bit_get(w->near, index)))
			continue;
		if (w->scratch == NULL)
			w->scratch = match_scratch_new();
		/* Facts promise valid UTF-8. */
		enum rc rc = match_find(rule->match, w->scratch, field->value, len, &found, err);
		if (rc != RC_OK)
			return err_prefix(err, rc, "rule %s in field %s", rule->name, field->name);
		if (found)
			candidate_add(w, index);
	}
	return RC_OK;
}

static void candidates_from(struct walk *w, const GArray *rules)
{
	for (guint i = 0; rules != NULL && i < rules->len; i++)
		candidate_add(w, g_array_index(rules, size_t, i));
}

static enum rc candidates_find(struct walk *w, struct err *err)
{
	const struct facts *facts = w->facts;
	enum rc rc;
	for (size_t i = 0; i < facts->n_fields; i++)
		if ((rc = field_look(w, &facts->fields[i], err)) != RC_OK)
			return rc;
	for (size_t i = 0; i < facts->n_derived; i++)
		if ((rc = field_look(w, &facts->derived[i], err)) != RC_OK)
			return rc;
	w->field = NULL;
	for (int fact = 0; fact < FACT_COUNT; fact++)
		if (facts_has(facts, (enum fact)fact))
			candidates_from(w, w->rules->by_fact[fact]);
	candidates_from(w, w->rules->always);
	return RC_OK;
}

static bool term_holds(const struct walk *w, const struct term *t)
{
	bool holds =
	    t->is_rule ? bit_get(w->fired, t->index) : facts_has(w->facts, (enum fact)t->index);
	return holds != t->negated;
}

static bool terms_hold(const struct walk *w, const struct rule *rule)
{
	size_t i;
	for (i = 0; i < rule->n_all; i++)
		if (!term_holds(w, &rule->terms[i]))
			return false;
	for (; i < rule->n_terms; i++)
		if (term_holds(w, &rule->terms[i]))
			return true;
	return rule->n_all == rule->n_terms;
}

static void rules_fire(struct walk *w)
{
	size_t words = (w->rules->n_rules + 63) / 64;
	for (size_t word = 0; word < words; word++) {
		uint64_t done = 0, left;
		/* A rule that fires can add candidates behind it, in this word too. */
		while ((left = w->candidates[word] & ~done) != 0) {
			unsigned bit = (unsigned)__builtin_ctzll(left);
			size_t index = word * 64 + bit;
			const struct rule *rule = &w->rules->rules[index];
			done |= UINT64_C(1) << bit;
			if (!terms_hold(w, rule))
				continue;
			w->fired[word] |= UINT64_C(1) << bit;
			candidates_from(w, w->rules->dependents[index]);
			if ((rule->cls >= 0 || rule->vetoes != 0) && w->n_hits < HITS_MAX)
				w->hits[w->n_hits++] =
				    (struct hit){rule, w->seen[index].field, true};
		}
	}
}

/* Of each group, the heaviest of a class counts. */
static void groups_settle(struct walk *w)
{
	for (size_t i = 0; i < w->n_hits; i++)
		w->hits[i].counted = !w->without_once || !w->hits[i].rule->once;
	for (size_t i = 0; i < w->n_hits; i++) {
		struct hit *a = &w->hits[i];
		if (a->rule->group == 0 || a->rule->cls < 0)
			continue;
		for (size_t k = 0; k < i && a->counted; k++) {
			struct hit *b = &w->hits[k];
			if (!b->counted || b->rule->group != a->rule->group ||
			    b->rule->cls != a->rule->cls)
				continue;
			if (fabs(b->rule->weight) >= fabs(a->rule->weight))
				a->counted = false;
			else
				b->counted = false;
		}
	}
}

static void tally_all(struct walk *w)
{
	memset(w->tallies, 0, sizeof(w->tallies));
	groups_settle(w);
	for (size_t i = 0; i < w->n_hits; i++) {
		const struct rule *rule = w->hits[i].rule;
		if (w->without_once && rule->once)
			continue;
		for (int cls = 0; cls < CLASS_COUNT; cls++)
			if ((rule->vetoes >> cls & 1) != 0)
				w->tallies[cls].vetoed = true;
		if (rule->cls < 0 || !w->hits[i].counted)
			continue;
		w->tallies[rule->cls].score += rule->weight;
		w->tallies[rule->cls].evidence += rule->weight > 0;
	}
}

/* By how much a class is established; below 0: it is not. */
static double surplus(const struct walk *w, enum class cls)
{
	const struct tally *t = &w->tallies[cls];
	const struct class_plan *plan = &w->rules->classes[cls];
	if (t->vetoed || t->evidence < plan->minimum)
		return -1;
	return t->score - plan->threshold;
}

/* Whether a class that cls gives way to is the stronger one. */
static bool yields(const struct walk *w, enum class cls, double own)
{
	for (int other = 0; other < CLASS_COUNT; other++)
		if ((w->rules->classes[cls].yields >> other & 1) != 0 &&
		    surplus(w, (enum class)other) > MAX(own, 0))
			return true;
	return false;
}

static int decide(const struct walk *w)
{
	for (int i = 0; i < CLASS_COUNT; i++) {
		enum class cls = w->rules->order[i];
		double own = surplus(w, cls);
		if (own >= 0 && !yields(w, cls, own))
			return (int)cls;
	}
	return CLASS_PERSONAL;
}

static bool asked_before(const struct walk *w, enum class cls, enum class other)
{
	for (int i = 0; i < CLASS_COUNT; i++)
		if (w->rules->order[i] == cls || w->rules->order[i] == other)
			return w->rules->order[i] == cls;
	return false;
}

/* By how much a class would have to gain to come before the verdict's, which is established by own;
 * below 0: by the rest. DBL_MAX: it is ruled out, or lacks evidence, which no score makes up
 * for. */
static double missing_to(const struct walk *w, enum class cls, enum class verdict, double own)
{
	const struct tally *t = &w->tallies[cls];
	const struct class_plan *plan = &w->rules->classes[cls];
	double missing = plan->threshold - t->score;
	if (t->vetoed || (own >= 0 && (t->evidence == 0 || t->evidence < plan->minimum)))
		return DBL_MAX;
	if ((w->rules->classes[verdict].yields >> cls & 1) != 0)
		return MAX(missing + MAX(own, 0), 0);
	if (own >= 0 && !asked_before(w, cls, verdict))
		return DBL_MAX;
	/* One that is established all the same gave way to a stronger one. */
	for (int other = 0; other < CLASS_COUNT; other++)
		if ((plan->yields >> other & 1) != 0)
			missing = MAX(
			    missing, surplus(w, (enum class)other) - (t->score - plan->threshold));
	return MAX(missing, 0);
}

static double margin_of(const struct walk *w, enum class verdict)
{
	double own = surplus(w, verdict);
	double margin = own >= 0 ? own : DBL_MAX;
	for (int cls = 0; cls < CLASS_COUNT; cls++)
		if (cls != (int)verdict)
			margin = MIN(margin, missing_to(w, (enum class)cls, verdict, own));
	return margin == DBL_MAX ? 0 : margin;
}

/* The verdict's class; and, where it hangs on rules that count but once, the class without them. */
static void decide_class(struct walk *w, struct verdict *v)
{
	bool any_once = false;
	for (size_t i = 0; i < w->n_hits; i++)
		any_once = any_once || w->hits[i].rule->once;
	if (any_once) {
		w->without_once = true;
		tally_all(w);
		v->otherwise = (enum class)decide(w);
		w->without_once = false;
	}
	tally_all(w);
	v->cls = (enum class)decide(w);
	v->margin = margin_of(w, v->cls);
	v->once = any_once && v->otherwise != v->cls;
	if (!v->once)
		v->otherwise = v->cls;
}

/* Appends as much of s as fits, whole characters; with an ellipsis where something is cut. */
static void seen_add(char out[VERDICT_SEEN_MAX], const char *s)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t n = strlen(out), room = VERDICT_SEEN_MAX - sizeof(ellipsis) - n;
	size_t len = str_cut(s, room);
	memcpy(out + n, s, len);
	if (s[len] == '\0')
		out[n + len] = '\0';
	else
		memcpy(out + n + len, ellipsis, sizeof(ellipsis));
}

static bool seen_full(const char out[VERDICT_SEEN_MAX])
{
	return g_str_has_suffix(out, "\xe2\x80\xa6");
}

static void seen_terms(
    const struct walk *w, const struct rule *rule, bool negated, char out[VERDICT_SEEN_MAX])
{
	for (size_t i = 0; i < rule->n_terms; i++) {
		const struct term *t = &rule->terms[i];
		if (t->negated != negated || !term_holds(w, t))
			continue;
		const char *const parts[] = {out[0] == '\0' ? "" : ", ", negated ? "not " : "",
		    t->is_rule ? w->rules->rules[t->index].name : facts_name((enum fact)t->index)};
		for (size_t k = 0; k < 3 && !seen_full(out); k++)
			seen_add(out, parts[k]);
	}
}

static void seen_write(const struct walk *w, const struct hit *hit, char out[VERDICT_SEEN_MAX])
{
	out[0] = '\0';
	if (hit->field != NULL) {
		const char *const parts[] = {hit->field->name, ": ", hit->field->value};
		for (size_t i = 0; i < 3 && !seen_full(out); i++)
			seen_add(out, parts[i]);
		return;
	}
	/* What is not there is worth a word only where nothing is. */
	seen_terms(w, hit->rule, false, out);
	if (out[0] == '\0')
		seen_terms(w, hit->rule, true, out);
}

/* For the class first, heaviest first; then what spoke against or for others; vetoes count as
 * heavy. */
static double rank(const struct verdict *v, const struct hit *hit)
{
	const struct rule *rule = hit->rule;
	double weight = fabs(rule->weight) + (rule->vetoes != 0 ? 5 : 0);
	return (rule->cls == (int)v->cls ? 100000 : 0) + (hit->counted ? 5000 : 0) + weight;
}

/* What the verdict rests on: rules that count, but not those that speak against a class for which
 * nothing speaks, and vetoes of a class for which something does. */
static bool is_reason(const struct walk *w, const struct hit *hit)
{
	const struct rule *rule = hit->rule;
	if (rule_has_weight(rule) && hit->counted &&
	    (rule->weight > 0 || w->tallies[rule->cls].evidence > 0))
		return true;
	for (int cls = 0; cls < CLASS_COUNT; cls++)
		if ((rule->vetoes >> cls & 1) != 0 && w->tallies[cls].evidence > 0)
			return true;
	return false;
}

static void reasons_write(const struct walk *w, struct verdict *v)
{
	double ranks[HITS_MAX]; /* below 0: no reason, or written already */
	for (size_t i = 0; i < w->n_hits; i++)
		ranks[i] = is_reason(w, &w->hits[i]) ? rank(v, &w->hits[i]) : -1;
	while (v->n_reasons < VERDICT_REASONS_MAX) {
		size_t best = 0;
		for (size_t i = 1; i < w->n_hits; i++)
			if (ranks[i] > ranks[best])
				best = i;
		if (w->n_hits == 0 || ranks[best] < 0)
			return;
		ranks[best] = -1;
		const struct rule *rule = w->hits[best].rule;
		struct verdict_reason *reason = &v->reasons[v->n_reasons++];
		reason->rule = rule->name;
		reason->words = rule->why;
		reason->cls = rule->cls < 0 ? v->cls : (enum class)rule->cls;
		reason->weight = w->hits[best].counted ? rule->weight : 0;
		reason->vetoes = rule->vetoes;
		seen_write(w, &w->hits[best], reason->seen);
	}
}

static void runner_up_find(const struct walk *w, struct verdict *v)
{
	for (int cls = 0; cls < CLASS_COUNT; cls++) {
		double score = w->tallies[cls].score;
		if (cls != (int)v->cls && score > v->runner_up_score) {
			v->runner_up = (enum class)cls;
			v->runner_up_score = score;
			v->runner_up_vetoed = w->tallies[cls].vetoed;
		}
	}
}

enum rc classify(const struct rules *rules, const struct facts *facts, struct verdict *verdict_out,
    struct err *err)
{
	struct walk *w = g_malloc(sizeof(*w));
	size_t words = (rules->n_rules + 63) / 64 * sizeof(uint64_t);
	w->rules = rules;
	w->facts = facts;
	memset(w->candidates, 0, words);
	memset(w->fired, 0, words);
	w->n_hits = 0;
	w->scratch = NULL;
	w->without_once = false;
	verdict_out->cls = verdict_out->runner_up = verdict_out->otherwise = CLASS_PERSONAL;
	verdict_out->score = verdict_out->runner_up_score = verdict_out->margin = 0;
	verdict_out->runner_up_vetoed = verdict_out->once = false;
	verdict_out->n_reasons = 0;
	enum rc rc = candidates_find(w, err);
	if (rc == RC_OK) {
		rules_fire(w);
		decide_class(w, verdict_out);
		verdict_out->score = w->tallies[verdict_out->cls].score;
		reasons_write(w, verdict_out);
		runner_up_find(w, verdict_out);
	}
	match_scratch_free(&w->scratch);
	g_free(w);
	return rc;
}
