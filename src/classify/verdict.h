/*
 * verdict.h: classes, and what the classifier says about a message.
 */
#ifndef PULLYU_CLASSIFY_VERDICT_H
#define PULLYU_CLASSIFY_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"

enum class {
	CLASS_PERSONAL,
	CLASS_DISCUSSION,
	CLASS_NEWSLETTER,
	CLASS_NOTIFICATION,
	CLASS_TRANSACTIONAL,
	CLASS_SECURITY,
	CLASS_CALENDAR,
	CLASS_BOUNCE,
	CLASS_COUNT
};

/* "personal", ...; and back: -1 if unknown. */
const char *class_name(enum class cls);
int class_by_name(const char *name);

enum { VERDICT_REASONS_MAX = 16, VERDICT_SEEN_MAX = 80, VERDICT_TEXT_MAX = 900 };

struct verdict_reason {
	const char *rule;  /* foreign: lives as long as the rules */
	const char *words; /* foreign: the rule's "why" in plain words, or "" */
	enum class cls;    /* the class it speaks for */
	double weight;     /* 0: it only vetoes, or a heavier rule of its group counts instead */
	unsigned vetoes;   /* bits 1 << class: classes that it ruled out */
	char seen[VERDICT_SEEN_MAX]; /* what was seen: the field and the start of its value */
};

struct verdict {
	enum class cls;
	double score;         /* of cls */
	enum class runner_up; /* the next best; CLASS_PERSONAL with 0 if nothing spoke */
	double runner_up_score;
	bool runner_up_vetoed; /* the runner-up was ruled out, whatever its score */
	double margin; /* how much the score of one class, at least, lacks to another verdict: cls
			* above its threshold, or, where that is less, a class that would come
			* before it below the point where it does. Classes that are ruled out, or
			* for which too little speaks, are not near. Never negative */
	bool once; /* without rules with "once = yes" it were another class: let this kind pass at
		    * most once per sender and user in an hour, so that nobody can bomb with it */
	enum class otherwise; /* that other class; without "once", cls */
	size_t n_reasons;     /* those that speak for cls first, heaviest first */
	struct verdict_reason reasons[VERDICT_REASONS_MAX];
};

/* The body of X-Pullyu-Verdict: "newsletter; score=7.5; reasons=list-id,precedence-bulk". */
void verdict_format(const struct verdict *verdict, char out[VERDICT_TEXT_MAX]);

/* And back, for a header field that we wrote. reasons_out gets the comma-separated names. */
enum rc verdict_parse(const char *text, enum class *cls_out, double *score_out,
    char reasons_out[VERDICT_TEXT_MAX], struct err *err);

#endif
