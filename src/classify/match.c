/*
 * match.c: see match.h. One compiled expression a pattern: joined by "|" they are slower, for PCRE2
 * skips fast to the few letters with which one of them can begin, and slowly to those of all.
 */
#include <config.h>

#include "classify/match.h"

#include <string.h>

#include <glib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct match {
	GPtrArray *codes;            /* own; pcre2_code * */
	pcre2_match_context *limits; /* own */
};

static void code_free(void *code)
{
	pcre2_code_free(code);
}

struct match *match_new(void)
{
	struct match *match = g_new(struct match, 1);
	match->codes = g_ptr_array_new_with_free_func(code_free);
	match->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(match->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(match->limits, MATCH_DEPTH);
	pcre2_set_heap_limit(match->limits, MATCH_HEAP_KB);
	return match;
}

void match_free(struct match **match)
{
	if (*match == NULL)
		return;
	g_ptr_array_free((*match)->codes, TRUE);
	pcre2_match_context_free((*match)->limits);
	g_free(*match);
	*match = NULL;
}

enum rc match_add(struct match *match, const char *pattern, struct err *err)
{
	int number;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern),
	    PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C, &number, &at, NULL);
	if (code == NULL) {
		char text[120];
		pcre2_get_error_message(number, (PCRE2_UCHAR *)text, sizeof(text));
		return err_set(err, RC_PERM, "bad regular expression at character %zu: %s",
		    (size_t)at + 1, text);
	}
	/* Without JIT (a machine that lacks it, a policy against writable code) it works as well.
	 */
	(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	g_ptr_array_add(match->codes, code);
	return RC_OK;
}

/* The result block of PCRE2 itself: only whether there is a match is asked of it. */
struct match_scratch *match_scratch_new(void)
{
	return (struct match_scratch *)pcre2_match_data_create(1, NULL);
}

void match_scratch_free(struct match_scratch **scratch)
{
	pcre2_match_data_free((pcre2_match_data *)*scratch);
	*scratch = NULL;
}

enum rc match_find(const struct match *match, struct match_scratch *scratch, const char *text,
    size_t len, bool *found_out, struct err *err)
{
	int n = PCRE2_ERROR_NOMATCH;
	for (guint i = 0; i < match->codes->len && n == PCRE2_ERROR_NOMATCH; i++)
		n = pcre2_match(match->codes->pdata[i], (PCRE2_SPTR)text, len, 0,
		    PCRE2_NO_UTF_CHECK, (pcre2_match_data *)scratch, match->limits);
	if (n < 0 && n != PCRE2_ERROR_NOMATCH) {
		char message[120];
		pcre2_get_error_message(n, (PCRE2_UCHAR *)message, sizeof(message));
		return err_set(err, RC_TEMP, "%s", message);
	}
	*found_out = n >= 0;
	return RC_OK;
}
