/*
 * test_command_token.c: signed commands and the file of their keys.
 */
#include <config.h>

#include "unit.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "command/token.h"

enum { NOW = 1800000000, DAY = 86400 };

static const char user[] = "ann@example.org";
static const struct command_token sample = {
    .verb = COMMAND_ALLOW,
    .object = "news@shop.example",
    .expires = NOW + COMMAND_TOKEN_SECONDS,
    .nonce = 0xfedcba98,
};

static char *dir, *path;

static int setup(void **state)
{
	(void)state;
	dir = g_dir_make_tmp("pullyu-keys-XXXXXX", NULL);
	path = g_build_filename(dir, "command.keys", NULL);
	return dir == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	g_unlink(path);
	g_rmdir(dir);
	g_free(path);
	g_free(dir);
	return 0;
}

static struct command_keys *load(int64_t now)
{
	struct command_keys *keys = NULL;
	struct err err = {{0}};
	if (command_keys_load(path, now, &keys, &err) != RC_OK)
		fail_msg("%s", err.text);
	return keys;
}

static const char *checked(enum command_check check)
{
	static const char *const names[] = {"good", "expired", "forged"};
	return names[check];
}

static int check_is(const char *label, const struct command_keys *keys, const char *who,
    const char *text, int64_t now, enum command_check want)
{
	struct command_token token;
	return unit_str(
	    label, checked(command_token_check(keys, who, text, now, &token)), checked(want));
}

static void test_round_trip(void **state)
{
	(void)state;
	struct command_keys *keys = load(NOW);
	char text[COMMAND_TOKEN_MAX], longest[COMMAND_OBJECT_MAX];
	struct command_token token, got;
	int failed = 0;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	const char *objects[] = {"", "x", "ab", "abc", "news@shop.example",
	    "list:news.shop.example", "<1.2@münchen.example>", longest};
	for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
		for (int verb = 0; verb < COMMAND_VERBS; verb++) {
			token = sample;
			token.verb = (enum command_verb)verb;
			g_strlcpy(token.object, objects[i], sizeof(token.object));
			command_token_make(keys, user, &token, text);
			failed += unit_num(objects[i],
			    (long long)strspn(text,
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
				"uvwxyz0123456789_-"),
			    (long long)strlen(text));
			failed += check_is(objects[i], keys, user, text, NOW, COMMAND_GOOD);
			command_token_check(keys, user, text, NOW, &got);
			failed += unit_num("verb", got.verb, verb);
			failed += unit_str("object", got.object, objects[i]);
			failed += unit_num("expires", got.expires, token.expires);
			failed += unit_num("nonce", got.nonce, token.nonce);
			failed += unit_num("claims", command_token_claims(text), verb);
		}
	}
	assert_int_equal(failed, 0);
	command_keys_free(&keys);
	assert_null(keys);
}

/* Every other character at every place, one character more or less: all are forged. */
static void test_altered(void **state)
{
	(void)state;
	static const char chars[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/= .";
	struct command_keys *keys = load(NOW);
	char text[COMMAND_TOKEN_MAX];
	int failed = 0;
	command_token_make(keys, user, &sample, text);
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		char *altered = g_strdup(text);
		for (const char *c = chars; *c != '\0'; c++) {
			altered[i] = *c;
			if (*c != text[i])
				failed +=
				    check_is(altered, keys, user, altered, NOW, COMMAND_FORGED);
		}
		altered[i] = '\0';
		failed += check_is(altered, keys, user, altered, NOW, COMMAND_FORGED);
		memmove(altered, text, i);
		memmove(altered + i, text + i + 1, len - i);
		failed += check_is(altered, keys, user, altered, NOW, COMMAND_FORGED);
		g_free(altered);
	}
	assert_int_equal(failed, 0);
	command_keys_free(&keys);
}

/* The signature of one token with the content of another. */
static void test_mixed(void **state)
{
	(void)state;
	struct command_keys *keys = load(NOW);
	struct command_token other = sample;
	char text[COMMAND_TOKEN_MAX], more[COMMAND_TOKEN_MAX];
	other.verb = COMMAND_HOLD;
	command_token_make(keys, user, &sample, text);
	command_token_make(keys, user, &other, more);
	assert_string_not_equal(text, more);
	memcpy(more, text, 43);
	assert_int_equal(check_is("other verb", keys, user, more, NOW, COMMAND_FORGED), 0);
	command_keys_free(&keys);
}

static void test_who_and_when(void **state)
{
	(void)state;
	struct command_keys *keys = load(NOW);
	char text[COMMAND_TOKEN_MAX];
	int64_t end = sample.expires;
	int failed = 0;
	command_token_make(keys, user, &sample, text);
	failed += check_is("user", keys, user, text, NOW, COMMAND_GOOD);
	failed += check_is("other user", keys, "bob@example.org", text, NOW, COMMAND_FORGED);
	failed += check_is("no user", keys, "", text, NOW, COMMAND_FORGED);
	failed += check_is("part of user", keys, "ann@example.or", text, NOW, COMMAND_FORGED);
	failed += check_is("user and more", keys, "ann@example.org\n", text, NOW, COMMAND_FORGED);
	failed += check_is("last second", keys, user, text, end, COMMAND_GOOD);
	failed += check_is("a second late", keys, user, text, end + 1, COMMAND_EXPIRED);
	failed += check_is("other's, late", keys, "bob@example.org", text, end + 1, COMMAND_FORGED);
	assert_int_equal(failed, 0);
	command_keys_free(&keys);
	g_unlink(path);
	keys = load(NOW);
	assert_int_equal(check_is("other key", keys, user, text, NOW, COMMAND_FORGED), 0);
	command_keys_free(&keys);
}

static void test_hostile(void **state)
{
	(void)state;
	struct command_keys *keys = load(NOW);
	int failed = 0;
	char name[COMMAND_NAME_MAX];
	for (size_t len = 0; len < 1500; len++) {
		char *text = g_strnfill(len, 'A');
		failed += check_is("length", keys, user, text, NOW, COMMAND_FORGED);
		failed += unit_num("claims", command_token_claims(text), COMMAND_VERBS);
		command_token_name(text, name);
		g_free(text);
	}
	failed += check_is("bytes", keys, user, "\xff\xfe\x80", NOW, COMMAND_FORGED);
	assert_int_equal(failed, 0);
	command_keys_free(&keys);
}

static void test_names(void **state)
{
	(void)state;
	struct command_keys *keys = load(NOW);
	struct command_token other = sample;
	char text[COMMAND_TOKEN_MAX], name[COMMAND_NAME_MAX], more[COMMAND_NAME_MAX];
	command_token_make(keys, user, &sample, text);
	command_token_name(text, name);
	assert_int_equal(strlen(name), 64);
	command_keys_free(&keys);
	keys = load(NOW + 40 * DAY);
	command_token_make(keys, user, &sample, text);
	command_token_name(text, more);
	assert_string_equal(name, more); /* whichever key signed it */
	other.nonce++;
	command_token_make(keys, user, &other, text);
	command_token_name(text, more);
	assert_string_not_equal(name, more);
	command_keys_free(&keys);
}

static void test_nonce(void **state)
{
	(void)state;
	struct command_keys *keys = load(NOW);
	uint32_t nonce = command_nonce(keys, "<1@example.org>", COMMAND_ALLOW, "a");
	assert_int_equal(nonce, command_nonce(keys, "<1@example.org>", COMMAND_ALLOW, "a"));
	assert_int_not_equal(nonce, command_nonce(keys, "<2@example.org>", COMMAND_ALLOW, "a"));
	assert_int_not_equal(nonce, command_nonce(keys, "<1@example.org>", COMMAND_HOLD, "a"));
	assert_int_not_equal(nonce, command_nonce(keys, "<1@example.org>", COMMAND_ALLOW, "b"));
	command_keys_free(&keys);
	keys = load(NOW + DAY);
	assert_int_equal(nonce, command_nonce(keys, "<1@example.org>", COMMAND_ALLOW, "a"));
	command_keys_free(&keys);
}

/* ---- keys ---- */

/* A token of every day, taken on every later day; keys loaded anew each day, at different hours. */
static void test_rotation(void **state)
{
	(void)state;
	enum { DAYS = 101 };
	static char texts[DAYS][COMMAND_TOKEN_MAX];
	static int64_t made[DAYS];
	int failed = 0;
	for (int day = 0; day < DAYS; day++) {
		int64_t now = NOW + day * (int64_t)DAY + (day * 7919) % 20000;
		struct command_keys *keys = load(now);
		struct command_token token = sample;
		token.expires = now + COMMAND_TOKEN_SECONDS;
		made[day] = now;
		command_token_make(keys, user, &token, texts[day]);
		for (int of = 0; of <= day; of++) {
			char label[40];
			bool young = now - made[of] <= COMMAND_TOKEN_SECONDS;
			snprintf(label, sizeof(label), "of day %d on day %d", of, day);
			enum command_check got =
			    command_token_check(keys, user, texts[of], now, &token);
			failed += unit_str(
			    label, got == COMMAND_GOOD ? "good" : "bad", young ? "good" : "bad");
			/* The keys last longer than the token, but not for ever. */
			if (day - of == 31)
				failed += unit_str(label, checked(got), "expired");
			if (day - of > 65)
				failed += unit_str(label, checked(got), "forged");
		}
		command_keys_free(&keys);
	}
	assert_int_equal(failed, 0);
	char *text;
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	char **lines = g_strsplit(text, "\n", -1);
	assert_in_range(g_strv_length(lines) - 1, 2, 3);
	g_strfreev(lines);
	g_free(text);
}

static void test_file(void **state)
{
	(void)state;
	struct stat st;
	char *before, *after;
	struct command_keys *keys = load(NOW);
	command_keys_free(&keys);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(g_file_get_contents(path, &before, NULL, NULL));
	keys = load(NOW + 30 * DAY);
	command_keys_free(&keys);
	keys = load(NOW - 1000 * DAY); /* a clock that went back */
	command_keys_free(&keys);
	assert_true(g_file_get_contents(path, &after, NULL, NULL));
	assert_string_equal(before, after);
	g_free(before);
	g_free(after);
}

#define HEX "0123456789abcdefABCDEF00112233445566778899aabbccddeeff0011223344"

/* A name so long that the temporary file beside it cannot be made: also root cannot write then. */
static void test_overdue_key_goes_on(void **state)
{
	(void)state;
	struct command_keys *keys = NULL;
	struct err err;
	char *name = g_strnfill(252, 'k'), *longest = g_build_filename(dir, name, NULL);
	FILE *file = fopen(longest, "w");
	assert_non_null(file);
	fprintf(file, "%d %s\n", NOW, HEX);
	fclose(file);
	assert_int_equal(chmod(longest, 0640), 0);
	enum rc rc = command_keys_load(longest, NOW + 31 * DAY, &keys, &err);
	g_unlink(longest);
	g_free(name);
	g_free(longest);
	assert_int_equal(rc, RC_OK);
	command_keys_free(&keys);
}

static void test_wrong_files(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		const char *text;
		mode_t mode;
		const char *want; /* in the error text; NULL: good */
	} rows[] = {
	    {"one key", "1800000000 " HEX "\n", 0640, NULL},
	    {"no line end", "1800000000 " HEX, 0640, NULL},
	    {"two keys", "1799999999 " HEX "\n1800000000 " HEX "\n", 0600, NULL},
	    {"oldest last", "1800000000 " HEX "\n1799999999 " HEX "\n", 0640, ":2: no key"},
	    {"empty", "", 0640, "not a file of keys"},
	    {"garbage", "\x01\x02\x03", 0640, ":1: no key"},
	    {"short key", "1800000000 0123\n", 0640, ":1: no key"},
	    {"long key", "1800000000 " HEX "00\n", 0640, ":1: no key"},
	    {"no hexadecimal", "1800000000 x" HEX "\n", 0640, ":1: no key"},
	    {"negative time", "-5 " HEX "\n", 0640, ":1: no key"},
	    {"blank line", "\n1800000000 " HEX "\n", 0640, ":1: no key"},
	    {"CRLF", "1800000000 " HEX "\r\n", 0640, ":1: no key"},
	    {"anybody may write", "1800000000 " HEX "\n", 0642, "chmod o-rw"},
	    {"anybody may read", "1800000000 " HEX "\n", 0644, "chmod o-rw"},
	};
	int failed = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct command_keys *keys = NULL;
		struct err err = {{0}};
		char *after;
		assert_true(g_file_set_contents(path, rows[i].text, -1, NULL));
		assert_int_equal(chmod(path, rows[i].mode), 0);
		enum rc rc = command_keys_load(path, NOW, &keys, &err);
		failed += unit_str(
		    rows[i].label, rc_name(rc), rc_name(rows[i].want == NULL ? RC_OK : RC_PERM));
		if (rows[i].want != NULL && strstr(err.text, rows[i].want) == NULL)
			failed += unit_str(rows[i].label, err.text, rows[i].want);
		assert_true(g_file_get_contents(path, &after, NULL, NULL));
		failed += unit_str(rows[i].label, after, rows[i].text);
		g_free(after);
		command_keys_free(&keys);
	}
	assert_int_equal(failed, 0);
}

static void refused(const char *want)
{
	struct command_keys *keys = NULL;
	struct err err = {{0}};
	assert_int_equal(command_keys_load(path, NOW, &keys, &err), RC_PERM);
	assert_non_null(strstr(err.text, want));
	assert_null(keys);
}

static void test_no_files(void **state)
{
	(void)state;
	char *target = g_build_filename(dir, "target", NULL);
	struct command_keys *keys = NULL;
	struct err err;
	assert_int_equal(symlink(target, path), 0);
	refused("not a regular file");
	assert_int_not_equal(access(target, F_OK), 0);
	g_unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refused("not a regular file");
	g_rmdir(path);
	char *large = g_strnfill(20000, '1');
	assert_true(g_file_set_contents(path, large, -1, NULL));
	assert_int_equal(chmod(path, 0600), 0);
	refused("larger than");
	g_free(large);
	g_free(target);
	assert_int_equal(command_keys_load("/nonexistent/keys", NOW, &keys, &err), RC_TEMP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_altered, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_mixed, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_who_and_when, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_names, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_nonce, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_overdue_key_goes_on, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_wrong_files, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_no_files, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
