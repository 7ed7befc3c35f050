/*
 * verdict_out.c: see verdict_out.h.
 */
#include <config.h>

#include "cli/verdict_out.h"

#include <math.h>
#include <stdio.h>

#include "cli/out.h"

static void reason_print(const struct verdict_reason *reason, bool name_class)
{
	const char *words = reason->words[0] == '\0' ? reason->rule : reason->words;
	if (reason->weight != 0.0)
		printf("    %+5.1f  ", reason->weight);
	else
		printf("           ");
	printf("%s%s%s [%s]\n", name_class ? class_name(reason->cls) : "", name_class ? ": " : "",
	    words, reason->rule);
	if (reason->seen[0] != '\0')
		out_line("           (%s)", reason->seen);
}

static void vetoes_print(const struct verdict_reason *reason)
{
	bool first = true;
	if (reason->vetoes == 0)
		return;
	printf("           so it cannot be: ");
	for (int cls = 0; cls < CLASS_COUNT; cls++) {
		if ((reason->vetoes >> cls & 1) == 0)
			continue;
		printf("%s%s", first ? "" : ", ", class_name((enum class)cls));
		first = false;
	}
	printf("\n");
}

static void reasons_print(const struct verdict *v, bool own, const char *title)
{
	bool any = false;
	for (size_t i = 0; i < v->n_reasons; i++) {
		const struct verdict_reason *reason = &v->reasons[i];
		if ((reason->cls == v->cls) != own)
			continue;
		if (!any)
			printf("  %s\n", title);
		any = true;
		reason_print(reason, !own);
		vetoes_print(reason);
	}
}

void verdict_print(const struct verdict *v)
{
	reasons_print(v, true, "because");
	if (v->n_reasons == 0)
		printf("  because nothing speaks for anything else\n");
	reasons_print(v, false, "other signs");
	if (v->runner_up_score > 0)
		printf("  next best: %s (score %.1f%s)\n", class_name(v->runner_up),
		    v->runner_up_score, v->runner_up_vetoed ? ", but ruled out" : "");
	if (v->once)
		printf("  passes at most once per sender and user in an hour\n");
}

static double rounded(double score)
{
	return round(score * 1000) / 1000;
}

json_t *verdict_json(const struct verdict *v)
{
	json_t *reasons = json_array();
	for (size_t i = 0; i < v->n_reasons; i++) {
		const struct verdict_reason *r = &v->reasons[i];
		json_t *vetoes = json_array();
		for (int cls = 0; cls < CLASS_COUNT; cls++)
			if ((r->vetoes >> cls & 1) != 0)
				json_array_append_new(
				    vetoes, json_string(class_name((enum class)cls)));
		json_array_append_new(reasons,
		    json_pack("{s:s, s:s, s:s, s:f, s:s, s:o}", "rule", r->rule, "class",
			class_name(r->cls), "why", r->words, "weight", rounded(r->weight), "seen",
			r->seen, "vetoes", vetoes));
	}
	return json_pack("{s:s, s:f, s:f, s:b, s:{s:s, s:f, s:b}, s:o}", "class",
	    class_name(v->cls), "score", rounded(v->score), "margin", rounded(v->margin), "once",
	    (int)v->once, "runner_up", "class", class_name(v->runner_up), "score",
	    rounded(v->runner_up_score), "vetoed", (int)v->runner_up_vetoed, "reasons", reasons);
}
