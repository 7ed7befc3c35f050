/*
 * unit.h: what every unit test includes: cmocka, and checks that print "label: got X, want Y".
 */
#ifndef PULLYU_TESTS_UNIT_H
#define PULLYU_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Table tests collect their failures, so that one run shows every wrong row. */
static inline int unit_str(const char *label, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return 0;
	fprintf(stderr, "%s: got \"%s\", want \"%s\"\n", label, got, want);
	return 1;
}

static inline int unit_num(const char *label, long long got, long long want)
{
	if (got == want)
		return 0;
	fprintf(stderr, "%s: got %lld, want %lld\n", label, got, want);
	return 1;
}

#endif
