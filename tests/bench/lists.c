/*
 * lists.c: whether the time of a lookup depends on how many entries a list has. Lists of 10 and of
 * 100,000 entries are asked in turns, so that what else the machine does counts for both.
 *
 * usage: lists [ROUNDS]
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>

#include "policy/list.h"

enum { SIZES = 2, SENDERS = 2000, ROUNDS = 50 };

static const size_t sizes[SIZES] = {10, LIST_ENTRIES_MAX};

/* Processor time of this process: other programs on the machine do not count. */
static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct list *list_of(size_t n, double *took_out)
{
	struct list *list = NULL;
	struct err err;
	GString *text = g_string_new("# a list\n");
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(
		    text, i % 3 == 0 ? "@shop%zu.example\n" : "news@shop%zu.example\n", i);
	double start = cpu_seconds();
	if (list_parse(LIST_ALLOW, "list", text->str, text->len, NULL, NULL, &list, &err) !=
	    RC_OK) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	*took_out = cpu_seconds() - start;
	g_string_free(text, TRUE);
	return list;
}

/* Half of the senders are in the list, each another entry of it; the others are in none. */
static char **senders_of(size_t n)
{
	char **senders = g_new0(char *, SENDERS + 1);
	for (size_t i = 0; i < SENDERS; i++) {
		size_t at = i * 7919 % n;
		senders[i] = i % 2 == 0 ? g_strdup_printf("news@shop%zu.example", at)
					: g_strdup_printf("someone@mail.other%zu.example", at);
	}
	return senders;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
	struct list *lists[SIZES];
	char **senders[SIZES];
	double parse[SIZES], best[SIZES] = {1e9, 1e9};
	size_t found[SIZES] = {0};
	for (size_t s = 0; s < SIZES; s++) {
		lists[s] = list_of(sizes[s], &parse[s]);
		senders[s] = senders_of(sizes[s]);
	}
	for (int round = 0; round < rounds; round++) {
		for (size_t s = 0; s < SIZES; s++) {
			double start = cpu_seconds();
			for (size_t i = 0; i < SENDERS; i++)
				found[s] +=
				    list_match_addr(lists[s], senders[s][i], LIST_EVERY_CLASS)
					.entry != NULL;
			best[s] = MIN(best[s], cpu_seconds() - start);
		}
	}
	for (size_t s = 0; s < SIZES; s++) {
		printf(
		    "%6zu entries: %.0f ns a lookup (%zu of %d found), read in %.1f ms, %zu kB\n",
		    list_count(lists[s]), best[s] / SENDERS * 1e9,
		    found[s] / (size_t)MAX(rounds, 1), SENDERS, parse[s] * 1e3,
		    list_bytes(lists[s]) / 1024);
		g_strfreev(senders[s]);
		list_free(&lists[s]);
	}
	return 0;
}
