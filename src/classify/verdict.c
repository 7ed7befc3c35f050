/*
 * verdict.c: see verdict.h.
 */
#include <config.h>

#include "classify/verdict.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"

static const char *const names[CLASS_COUNT] = {
    [CLASS_PERSONAL] = "personal",
    [CLASS_DISCUSSION] = "discussion",
    [CLASS_NEWSLETTER] = "newsletter",
    [CLASS_NOTIFICATION] = "notification",
    [CLASS_TRANSACTIONAL] = "transactional",
    [CLASS_SECURITY] = "security",
    [CLASS_CALENDAR] = "calendar",
    [CLASS_BOUNCE] = "bounce",
};

const char *class_name(enum class cls)
{
	return names[cls];
}

int class_by_name(const char *name)
{
	for (int i = 0; i < CLASS_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

void verdict_format(const struct verdict *verdict, char out[VERDICT_TEXT_MAX])
{
	char score[G_ASCII_DTOSTR_BUF_SIZE];
	/* Not printf: its decimal point depends on the locale. */
	g_ascii_formatd(score, sizeof(score), "%.1f", verdict->score);
	GString *text = g_string_new(NULL);
	g_string_printf(text, "%s; score=%s; reasons=", class_name(verdict->cls), score);
	for (size_t i = 0; i < verdict->n_reasons; i++) {
		const char *rule = verdict->reasons[i].rule;
		/* Whole names only: what does not fit is left out. */
		if (text->len + strlen(rule) + 2 > VERDICT_TEXT_MAX)
			break;
		g_string_append_printf(text, "%s%s", i > 0 ? "," : "", rule);
	}
	str_copy(out, VERDICT_TEXT_MAX, text->str);
	g_string_free(text, TRUE);
}

enum rc verdict_parse(const char *text, enum class *cls_out, double *score_out,
    char reasons_out[VERDICT_TEXT_MAX], struct err *err)
{
	char copy[VERDICT_TEXT_MAX];
	char *parts[3] = {copy, NULL, NULL}, *end;
	if (!str_copy(copy, sizeof(copy), text))
		return err_set(err, RC_PERM, "verdict too long");
	for (size_t i = 1; i < 3; i++) {
		char *semicolon = strchr(parts[i - 1], ';');
		if (semicolon == NULL)
			return err_set(err, RC_PERM, "no verdict: %.80s", text);
		*semicolon = '\0';
		parts[i] = semicolon + 1;
	}
	for (size_t i = 0; i < 3; i++)
		parts[i] = str_trim(parts[i]);
	int cls = class_by_name(parts[0]);
	if (cls < 0)
		return err_set(err, RC_PERM, "no class: %.40s", parts[0]);
	if (strncmp(parts[1], "score=", 6) != 0 || strncmp(parts[2], "reasons=", 8) != 0)
		return err_set(err, RC_PERM, "no verdict: %.80s", text);
	double score = g_ascii_strtod(parts[1] + 6, &end);
	if (end == parts[1] + 6 || *end != '\0' || !(score > -1e6 && score < 1e6))
		return err_set(err, RC_PERM, "no score: %.40s", parts[1]);
	*cls_out = (enum class)cls;
	*score_out = score;
	str_copy(reasons_out, VERDICT_TEXT_MAX, parts[2] + 8);
	return RC_OK;
}
