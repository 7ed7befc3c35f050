/*
 * test_milter_spool.c: the files of held messages: complete or not there at all.
 */
#include <config.h>

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <glib.h>

#include "base/fs.h"
#include "milter/lead.h"
#include "milter/spool.h"

static char dir[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pullyu-test-XXXXXX");
	return mkdtemp(dir) != NULL && spool_prepare(dir, NULL) == RC_OK ? 0 : 1;
}

static int tear_down(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	unsetenv("PULLYU_TEST_FAULT");
	return system(command);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in SPOOL/part, sorted. */
static GPtrArray *names_in(const char *part)
{
	char *path = g_build_filename(dir, part, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	DIR *d = opendir(path);
	struct dirent *entry;
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] != '.')
			g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	closedir(d);
	g_free(path);
	g_ptr_array_sort(names, by_name);
	return names;
}

static int count(const char *label, const char *part, int want)
{
	GPtrArray *names = names_in(part);
	char text[128];
	snprintf(text, sizeof(text), "%s: files in %s", label, part);
	int failed = unit_num(text, names->len, want);
	g_ptr_array_free(names, TRUE);
	return failed;
}

static void assert_content(const char *name, const char *want, size_t len)
{
	char *path = g_build_filename(dir, "incoming", name, NULL);
	char *data = NULL;
	size_t got = 0;
	assert_int_equal(fs_read(path, 1024 * 1024, &data, &got, NULL, NULL), RC_OK);
	assert_int_equal(got, len);
	assert_memory_equal(data, want, len);
	g_free(data);
	g_free(path);
}

static void test_commit(void **state)
{
	static const char body[] = "Subject: x\r\n\r\na\0b\xff\n";
	struct spool *spool = NULL;
	struct err err;
	(void)state;
	assert_int_equal(
	    spool_new(dir, "mx/../x.example", 1700000000000042, "L1\r\n", 4, &spool, &err), RC_OK);
	assert_int_equal(spool_write(spool, body, 12, &err), RC_OK);
	assert_int_equal(spool_write(spool, body + 12, sizeof(body) - 1 - 12, &err), RC_OK);
	assert_int_equal(spool_copy(spool, "lead two\r\n", 10, &err), RC_OK);
	assert_int_equal(spool_copy(spool, "", 0, &err), RC_OK);
	assert_int_equal(count("before the commit", "incoming", 0), 0);
	assert_int_equal(spool_commit(spool, &err), RC_OK);
	assert_int_equal(count("after the commit", "tmp", 0), 0);
	spool_free(&spool);
	assert_null(spool);

	GPtrArray *names = names_in("incoming");
	assert_int_equal(names->len, 3);
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		assert_true(g_str_has_prefix(name, "1700000000.M000042P"));
		assert_true(g_str_has_suffix(name, ".mx_.._x.example"));
		assert_int_equal(strspn(name,
				     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789.-_=,"),
		    strlen(name));
	}
	assert_content(g_ptr_array_index(names, 0), "L1\r\nSubject: x\r\n\r\na\0b\xff\n", 23);
	assert_content(g_ptr_array_index(names, 1), "lead two\r\nSubject: x\r\n\r\na\0b\xff\n", 29);
	assert_content(g_ptr_array_index(names, 2), body, sizeof(body) - 1);
	g_ptr_array_free(names, TRUE);
}

static void test_abandoned(void **state)
{
	struct spool *spool = NULL;
	(void)state;
	assert_int_equal(spool_new(dir, "h", 1, "L", 1, &spool, NULL), RC_OK);
	assert_int_equal(spool_write(spool, "x", 1, NULL), RC_OK);
	assert_int_equal(spool_copy(spool, "L", 1, NULL), RC_OK);
	assert_int_equal(count("under way", "tmp", 2), 0);
	spool_free(&spool);
	assert_int_equal(count("abandoned", "tmp", 0) + count("abandoned", "incoming", 0), 0);
	spool_free(&spool);
}

/* All of it, as the milter does it. */
static enum rc hold_two(struct err *err)
{
	struct spool *spool = NULL;
	enum rc rc = spool_new(dir, "h", 1, "L", 1, &spool, err);
	if (rc == RC_OK)
		rc = spool_write(spool, "body", 4, err);
	if (rc == RC_OK)
		rc = spool_copy(spool, "L", 1, err);
	if (rc == RC_OK)
		rc = spool_commit(spool, err);
	spool_free(&spool);
	return rc;
}

static void test_failures(void **state)
{
	static const char *const points[] = {"milter.hold.open", "milter.hold.after_open",
	    "milter.hold.write", "milter.hold.after_write", "milter.hold.copy",
	    "milter.hold.after_copy", "milter.hold.fsync", "milter.hold.after_fsync",
	    "milter.hold.rename", "milter.hold.after_rename", "milter.hold.dirsync",
	    "milter.hold.after_dirsync", "fs.write"};
	char file[96];
	int failed = 0;
	(void)state;
#ifndef PULLYU_TEST_HOOKS
	skip();
#endif
	snprintf(file, sizeof(file), "%s/fault", dir);
	setenv("PULLYU_TEST_FAULT", file, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
		struct err err = {""};
		FILE *f = fopen(file, "w");
		assert_non_null(f);
		fprintf(f, "%s fail\n", points[i]);
		fclose(f);
		failed += unit_num(points[i], hold_two(&err), RC_TEMP);
		failed += unit_num(points[i], strstr(err.text, strerror(ENOSPC)) != NULL, 1);
		failed += count(points[i], "tmp", 0) + count(points[i], "incoming", 0);
	}
	unlink(file);
	failed += unit_num("no fault", hold_two(NULL), RC_OK);
	failed += count("no fault", "incoming", 2);
	assert_int_equal(failed, 0);
}

static void test_disk_full(void **state)
{
	struct rlimit old, small;
	struct spool *spool = NULL;
	struct err err = {""};
	static char block[8192];
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 10000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum rc rc = spool_new(dir, "h", 1, "L", 1, &spool, &err);
	enum rc first = spool_write(spool, block, sizeof(block), &err);
	enum rc second = spool_write(spool, block, sizeof(block), &err);
	setrlimit(RLIMIT_FSIZE, &old);
	spool_free(&spool);
	assert_int_equal(rc, RC_OK);
	assert_int_equal(first, RC_OK);
	assert_int_equal(second, RC_TEMP);
	assert_non_null(strstr(err.text, strerror(EFBIG)));
	assert_int_equal(count("full disk", "tmp", 0), 0);
}

static void test_no_directory(void **state)
{
	struct spool *spool = NULL;
	struct err err;
	char path[96];
	(void)state;
	snprintf(path, sizeof(path), "%s/absent", dir);
	assert_int_equal(spool_new(path, "h", 1, "L", 1, &spool, &err), RC_TEMP);
	assert_null(spool);
	assert_int_equal(spool_prepare(path, &err), RC_OK);
	assert_int_equal(spool_new(path, "h", 1, "L", 1, &spool, &err), RC_OK);
	spool_free(&spool);
}

static void test_clean(void **state)
{
	char path[128];
	struct utimbuf old = {.actime = 1000, .modtime = 1000};
	(void)state;
	static const char *const names[] = {"old", "new"};
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/tmp/%s", dir, names[i]);
		assert_int_equal(fs_write_atomic(path, "x", 1, 0600, NULL), RC_OK);
		if (i == 0)
			assert_int_equal(utime(path, &old), 0);
	}
	snprintf(path, sizeof(path), "%s/tmp/dir", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(utime(path, &old), 0);
	assert_int_equal(spool_clean(dir, 2000), 1);
	assert_int_equal(count("clean", "tmp", 2), 0);
	assert_int_equal(spool_clean("/nonexistent", 2000), 0);
}

/* ---- the lead ---- */

static void test_lead(void **state)
{
	const struct verdict verdict = {
	    .cls = CLASS_NEWSLETTER,
	    .score = 7.5,
	    .n_reasons = 2,
	    .reasons = {{.rule = "list-id", .words = "", .cls = CLASS_NEWSLETTER},
		{.rule = "bulk", .words = "", .cls = CLASS_NEWSLETTER}},
	};
	struct lead lead = {
	    .mail_from = "<bounce+1@example.net>",
	    .rcpt = "<\"Ann S\"+x@Example.ORG>",
	    .helo = "mail\r\nX-Evil: yes",
	    .addr = "192.0.2.1",
	    .host = "mx.example.org",
	    .queue_id = "4Xy1",
	    .now = 1700000000,
	    .verdict = &verdict,
	};
	GString *out = lead_format(&lead);
	(void)state;
	assert_string_equal(out->str,
	    "Return-Path: <bounce+1@example.net>\r\n"
	    "Delivered-To: \"Ann S\"+x@Example.ORG\r\n"
	    "Received: from mail??X-Evil:?yes ([192.0.2.1])\r\n"
	    "\tby mx.example.org with pullyu id 4Xy1;\r\n"
	    "\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
	    "X-Pullyu-Verdict: newsletter; score=7.5;\r\n"
	    " reasons=list-id,bulk\r\n");
	g_string_free(out, TRUE);
	lead.mail_from = "<>";
	lead.rcpt = "j\xc3\xb6rg@example.org";
	lead.helo = lead.addr = lead.queue_id = "";
	out = lead_format(&lead);
	assert_true(g_str_has_prefix(out->str,
	    "Return-Path: <>\r\n"
	    "Delivered-To: j\xc3\xb6rg@example.org\r\n"
	    "Received: from unknown ([unknown])\r\n"));
	g_string_free(out, TRUE);
	lead.verdict = NULL;
	lead.by = "login";
	lead.user = "ann@example.org";
	out = lead_format(&lead);
	assert_true(g_str_has_suffix(out->str,
	    " +0000\r\n"
	    "X-Pullyu-Command: by=login; user=ann@example.org\r\n"));
	g_string_free(out, TRUE);
}

static void test_lead_address(void **state)
{
	static const struct {
		const char *label, *address;
		bool want;
	} rows[] = {
	    {"plain", "<ann@example.org>", true},
	    {"null sender", "<>", true},
	    {"no angles", "ann@example.org", true},
	    {"blank inside quotes", "<\"ann smith\"@example.org>", true},
	    {"utf-8", "<j\xc3\xb6rg@example.org>", true},
	    {"line break", "<ann\r\nX: y@example.org>", false},
	    {"escape", "<ann\x1b@example.org>", false},
	    {"delete", "<ann\x7f@example.org>", false},
	    {"tab", "<\"a\tb\"@example.org>", false},
	    {"leading blank", "< ann@example.org>", false},
	    {"trailing blank", "ann@example.org ", false},
	};
	int failed = 0;
	char longer[1200];
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		failed += unit_num(rows[i].label, lead_address_fits(rows[i].address), rows[i].want);
	memset(longer, 'a', sizeof(longer));
	longer[ADDR_MAX - 1] = '\0';
	failed += unit_num("longest", lead_address_fits(longer), 1);
	longer[ADDR_MAX - 1] = 'a';
	longer[ADDR_MAX] = '\0';
	failed += unit_num("too long", lead_address_fits(longer), 0);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_commit, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_abandoned, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_disk_full, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_directory, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_clean, set_up, tear_down),
	    cmocka_unit_test(test_lead),
	    cmocka_unit_test(test_lead_address),
	};
	return cmocka_run_group_tests_name("milter_spool", tests, NULL, NULL);
}
