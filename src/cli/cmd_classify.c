/*
 * cmd_classify.c: pullyu classify [--format text|tsv|json] [--rules DIR] FILE...
 *
 * tsv: path, class, action, score, comma-separated reasons. json: one object a line. The action is
 * that of the default policy, which holds newsletters and notifications.
 */
#include <config.h>

#include "cli/cmd_classify.h"

#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib.h>
#include <jansson.h>

#include "base/str.h"
#include "classify/classify.h"
#include "facts/facts.h"
#include "policy/rules_load.h"

enum format { FORMAT_TEXT, FORMAT_TSV, FORMAT_JSON };

struct options {
	enum format format;
	const char *rules_dir;
};

static const char *action_of(const struct verdict *v)
{
	return v->cls == CLASS_NEWSLETTER || v->cls == CLASS_NOTIFICATION ? "hold" : "pass";
}

/* ---- text: a short argument ---- */

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
		printf("           (%s)\n", reason->seen);
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

static void print_text(const char *path, const struct verdict *v)
{
	printf("%s: %s, %s by default (score %.1f)\n", path, class_name(v->cls),
	    strcmp(action_of(v), "hold") == 0 ? "held" : "passes", v->score);
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

/* ---- tsv and json ---- */

static void print_tsv(const char *path, const struct verdict *v)
{
	printf("%s\t%s\t%s\t%.1f\t", path, class_name(v->cls), action_of(v), v->score);
	for (size_t i = 0; i < v->n_reasons; i++)
		printf("%s%s", i > 0 ? "," : "", v->reasons[i].rule);
	printf("\n");
}

static double rounded(double score)
{
	return round(score * 1000) / 1000;
}

static void print_json(const char *path, const struct verdict *v)
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
	json_t *object = json_pack("{s:s, s:s, s:s, s:f, s:b, s:{s:s, s:f, s:b}, s:o}", "path",
	    path, "class", class_name(v->cls), "action", action_of(v), "score", rounded(v->score),
	    "once", (int)v->once, "runner_up", "class", class_name(v->runner_up), "score",
	    rounded(v->runner_up_score), "vetoed", (int)v->runner_up_vetoed, "reasons", reasons);
	json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	printf("\n");
	json_decref(object);
}

/* ---- one file ---- */

static enum rc classify_file(
    const struct rules *rules, const char *path, struct verdict *verdict_out, struct err *err)
{
	struct facts *facts = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "%s", path);
	facts = facts_new();
	enum rc rc = facts_read(facts, fd, NULL, err);
	if (rc != RC_OK) {
		rc = err_prefix(err, RC_NOTFOUND, "%s", path);
	} else {
		rc = classify(rules, facts, verdict_out, err);
		if (rc != RC_OK)
			rc = err_prefix(err, rc, "%s", path);
	}
	facts_free(&facts);
	close(fd);
	return rc;
}

static void print_verdict(enum format format, const char *path, const struct verdict *v)
{
	/* A path may hold tabs, line breaks and bytes that are not UTF-8. */
	char *shown = g_utf8_make_valid(path, -1);
	str_printable(shown);
	switch (format) {
	case FORMAT_TEXT:
		print_text(shown, v);
		break;
	case FORMAT_TSV:
		print_tsv(shown, v);
		break;
	case FORMAT_JSON:
		print_json(shown, v);
		break;
	}
	g_free(shown);
}

static void problem_print(void *ctx, const char *file, int line, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

static int usage(void)
{
	fprintf(stderr, "usage: pullyu classify [--format text|tsv|json] [--rules DIR] FILE...\n");
	return EX_USAGE;
}

/* Returns whether the options are right. */
static bool options_read(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
	    {"format", required_argument, NULL, 'f'},
	    {"rules", required_argument, NULL, 'r'},
	    {NULL, 0, NULL, 0},
	};
	static const char *const formats[] = {"text", "tsv", "json"};
	int c;
	optind = 0; /* getopt_long(3): starts afresh, whatever was parsed before */
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		size_t i = 0;
		switch (c) {
		case 'f':
			while (i < G_N_ELEMENTS(formats) && strcmp(optarg, formats[i]) != 0)
				i++;
			if (i == G_N_ELEMENTS(formats)) {
				fprintf(stderr, "pullyu classify: no such format: %s\n", optarg);
				return false;
			}
			o->format = (enum format)i;
			break;
		case 'r':
			o->rules_dir = optarg;
			break;
		default:
			return false;
		}
	}
	return optind < argc;
}

int cmd_classify(int argc, char **argv)
{
	struct options o = {FORMAT_TEXT, PULLYU_SYSCONFDIR "/rules.d"};
	struct rules *rules = NULL;
	struct err err;
	int status = EX_OK;
	if (!options_read(argc, argv, &o))
		return usage();
	enum rc rc = policy_rules_load(o.rules_dir, problem_print, NULL, &rules, &err);
	if (rc != RC_OK) {
		fprintf(stderr, "pullyu classify: %s\n", err.text);
		return rc == RC_TEMP ? EX_TEMPFAIL : EX_CONFIG;
	}
	for (int i = optind; i < argc; i++) {
		struct verdict verdict;
		rc = classify_file(rules, argv[i], &verdict, &err);
		if (rc != RC_OK)
			fprintf(stderr, "pullyu classify: %s\n", err.text);
		if (rc == RC_NOTFOUND)
			status = EX_NOINPUT;
		else
			print_verdict(o.format, argv[i], &verdict);
	}
	rules_unref(&rules);
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		perror("pullyu classify: stdout");
		return EX_IOERR;
	}
	return status;
}
