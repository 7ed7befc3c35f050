/*
 * rules.h: rules as the engine has them. Private to classify. Rules stand in an order in which each
 * one comes after all that it refers to, so that one walk decides them.
 */
#ifndef PULLYU_CLASSIFY_RULES_H
#define PULLYU_CLASSIFY_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "classify/classify.h"
#include "classify/match.h"
#include "classify/phrases.h"

enum {
	RULES_MAX = 4096,
	RULE_FIELDS_MAX = 64,
	RULE_TERMS_MAX = 64, /* facts and rules that one rule asks for */
	RULE_NAME_BYTES_MAX = 64,
	WORDS = RULES_MAX / 64,
};

/* "fact = a, !b, @rule, !@rule" */
struct term {
	bool negated, is_rule;
	size_t index; /* enum fact, or of the rule */
};

struct rule {
	char *name, *why; /* own */
	int cls;          /* enum class, or -1 */
	double weight;
	unsigned vetoes; /* bits 1 << enum class */
	bool enabled, once;
	bool has_near;                       /* match is tried only near some of the phrases */
	GQuark group;                        /* 0: none */
	struct term terms[RULE_TERMS_MAX];   /* those of "fact" first, then those of "any" */
	size_t n_all, n_terms;               /* how many are of "fact"; altogether */
	const char *fields[RULE_FIELDS_MAX]; /* interned */
	size_t n_fields;
	struct match *match; /* own; NULL: none */
	GPtrArray *phrases;  /* own; struct phrase_text *; NULL: none */
};

struct phrase_text {
	enum phrase_kind kind;
	bool near;   /* of "near": it starts nothing by itself */
	char text[]; /* as the file has it */
};

/* What there is to do with a field of one name. */
struct field_plan {
	GArray *present;         /* size_t: rules that ask only whether it is there */
	GArray *matching;        /* size_t: rules with regular expressions */
	struct phrases *phrases; /* own; NULL: none */
};

struct class_plan {
	double threshold;
	unsigned minimum; /* pieces of independent evidence */
	unsigned yields;  /* bits of classes to which this one gives way if they are stronger */
	int64_t order;
};

struct rules {
	int refs; /* atomic */
	size_t n_rules;
	struct rule *rules;          /* own */
	GHashTable *fields;          /* own: interned name -> struct field_plan */
	uint64_t names[64];          /* bits of field_name_bit: which names may be in fields */
	GHashTable *by_name;         /* own: name (foreign) -> struct rule */
	GArray *by_fact[FACT_COUNT]; /* own; size_t: rules that this fact may start */
	GArray **dependents;         /* own; per rule: rules that it may start; NULL: none */
	GArray *always;              /* own; size_t: rules that nothing starts */
	struct class_plan classes[CLASS_COUNT];
	enum class order[CLASS_COUNT]; /* of the decision */
};

/* Most fields of a message are of no interest to any rule; a few of a name's bytes nearly always
 * tell. */
static inline unsigned field_name_bit(const char *name)
{
	unsigned h = 0;
	for (int i = 0; i < 12 && name[i] != '\0'; i++)
		h = h * 31 + (unsigned char)name[i];
	return h % (64 * 64);
}

/* Whether rule i stands for a class, which is what a person counts. */
static inline bool rule_has_weight(const struct rule *rule)
{
	return rule->cls >= 0 && rule->weight != 0.0;
}

/* rules_link.c: puts the rules in order and fills the indexes. A rule whose references lead back to
 * itself: its index in *loop_out, and false. */
bool rules_link(struct rules *rules, size_t *loop_out);

#endif
