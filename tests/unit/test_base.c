/*
 * test_base.c: addresses, numbers, files, results.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/addr.h"
#include "base/fs.h"
#include "base/hmac.h"
#include "base/siphash.h"
#include "base/str.h"

static void test_addr_normalise(void **state)
{
	static const struct {
		const char *label, *in, *want; /* want NULL: refused */
	} rows[] = {
	    {"plain", "Ann@Example.ORG", "ann@example.org"},
	    {"angles", "<ann@example.org>", "ann@example.org"},
	    {"extension", "ann+shop@example.org", "ann@example.org"},
	    {"delimiter first", "+ann@example.org", "+ann@example.org"},
	    {"needless quotes", "\"Ann\"@example.org", "ann@example.org"},
	    {"needed quotes", "\"Ann Smith\"@example.org", "\"ann smith\"@example.org"},
	    {"quoted at", "\"a@b\"@example.org", "\"a@b\"@example.org"},
	    {"quoted pair", "\"a\\\"b\"@example.org", "\"a\\\"b\"@example.org"},
	    {"quoted keeps extension", "\"a b+c\"@example.org", "\"a b+c\"@example.org"},
	    {"utf-8 local part", "J\xc3\x96RG@example.org", "j\xc3\xb6rg@example.org"},
	    {"idn",
		"ann@B\xc3\xbc"
		"cher.example",
		"ann@xn--bcher-kva.example"},
	    {"root dot", "ann@example.org.", "ann@example.org"},
	    {"source route", "<@a.example,@b.example:ann@example.org>", "ann@example.org"},
	    {"literal", "ann@[192.0.2.1]", "ann@[192.0.2.1]"},
	    {"no at", "ann", NULL},
	    {"empty", "", NULL},
	    {"null sender", "<>", NULL},
	    {"no local part", "@example.org", NULL},
	    {"no domain", "ann@", NULL},
	    {"two ats", "a@b@example.org", NULL},
	    {"space", "ann smith@example.org", NULL},
	    {"dot first", ".ann@example.org", NULL},
	    {"dots", "a..n@example.org", NULL},
	    {"slash in domain", "ann@../etc", NULL},
	    {"open quote", "\"ann@example.org", NULL},
	    {"not utf-8", "\xff@example.org", NULL},
	    {"control", "a\x01@example.org", NULL},
	};
	struct addr_opts opts = {.delimiters = "+"};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[ADDR_MAX] = "untouched";
		struct err err;
		enum rc rc = addr_normalise(rows[i].in, &opts, out, &err);
		failed += unit_num(rows[i].label, rc, rows[i].want == NULL ? RC_PERM : RC_OK);
		failed +=
		    unit_str(rows[i].label, out, rows[i].want == NULL ? "untouched" : rows[i].want);
	}
	assert_int_equal(failed, 0);
}

static void test_addr_long(void **state)
{
	char in[2000], out[ADDR_MAX];
	(void)state;
	memset(in, 'a', sizeof(in));
	in[1000] = '@';
	in[sizeof(in) - 1] = '\0';
	assert_int_equal(addr_normalise(in, NULL, out, NULL), RC_PERM);
	memcpy(in + 65, "@example.org", 13);
	assert_int_equal(addr_normalise(in, NULL, out, NULL), RC_PERM);
	memcpy(in + 64, "@example.org", 13);
	assert_int_equal(addr_normalise(in, NULL, out, NULL), RC_OK);
}

static void test_addr_within(void **state)
{
	(void)state;
	assert_true(addr_domain_within("example.org", "example.org"));
	assert_true(addr_domain_within("a.example.org", "example.org"));
	assert_false(addr_domain_within("badexample.org", "example.org"));
	assert_false(addr_domain_within("org", "example.org"));
	assert_false(addr_domain_within("example.org", ""));
}

static void test_addr_path(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
	    {"ann", "ann"},
	    {"..", "%2E."},
	    {".", "%2E"},
	    {"", "%"},
	    {"a/b", "a%2Fb"},
	    {"a%b", "a%25b"},
	    {"\"ann smith\"", "%22ann%20smith%22"},
	};
	int failed = 0;
	char out[ADDR_PATH_MAX], back[ADDR_PATH_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		addr_path(rows[i].in, strlen(rows[i].in), out);
		failed += unit_str(rows[i].in, out, rows[i].want);
		if (rows[i].in[0] != '\0') {
			failed += unit_num(out, addr_unpath(out, back, sizeof(back), NULL), RC_OK);
			failed += unit_str(out, back, rows[i].in);
		}
	}
	assert_int_equal(failed, 0);

	char longer[1000], first[ADDR_PATH_MAX];
	memset(longer, '/', sizeof(longer));
	addr_path(longer, sizeof(longer), first);
	assert_true(strlen(first) <= 200);
	longer[999] = 'x';
	addr_path(longer, sizeof(longer), out);
	assert_string_not_equal(first, out);
	assert_int_equal(addr_unpath(out, back, sizeof(back), NULL), RC_PERM);
	assert_int_equal(addr_unpath("a%41", back, sizeof(back), NULL), RC_PERM);
	assert_int_equal(addr_unpath("..", back, sizeof(back), NULL), RC_PERM);
}

static void test_numbers(void **state)
{
	int64_t v = -7;
	bool b;
	(void)state;
	assert_true(str_number("012", 0, 100, &v));
	assert_int_equal(v, 12);
	assert_false(str_number("12abc", 0, 100, &v));
	assert_false(str_number("", 0, 100, &v));
	assert_false(str_number("-1", -5, 100, &v));
	assert_false(str_number("101", 0, 100, &v));
	assert_false(str_number("99999999999999999999999", 0, INT64_MAX, &v));
	assert_int_equal(v, 12);
	assert_true(str_size("10M", 0, INT64_MAX, &v));
	assert_int_equal(v, 10 << 20);
	assert_false(str_size("10MB", 0, INT64_MAX, &v));
	assert_false(str_size("9223372036854775807k", 0, INT64_MAX, &v));
	assert_true(str_duration("2d", 0, INT64_MAX, &v));
	assert_int_equal(v, 172800);
	assert_true(str_bool("On", &b) && b);
	assert_true(str_bool("FALSE", &b) && !b);
	assert_false(str_bool("maybe", &b));
}

static void test_text(void **state)
{
	char out[5];
	char s[] = "a\r\nb\x1b[0m";
	char t[] = " \t x y \r\n";
	(void)state;
	assert_false(str_copy(out, sizeof(out), "abc\xc3\xa9"));
	assert_string_equal(out, "abc");
	assert_true(str_copy(out, sizeof(out), "ab\xc3\xa9"));
	assert_int_equal(str_cut("ab\xc3\xa9", 10), 4);
	assert_int_equal(str_cut("ab\xc3\xa9", 4), 4);
	assert_int_equal(str_cut("ab\xc3\xa9", 3), 2);
	assert_int_equal(str_cut("\xe3\x81\x8a", 2), 0);
	assert_int_equal(str_cut("", 0), 0);
	str_printable(s);
	assert_string_equal(s, "a??b?[0m");
	assert_string_equal(str_trim(t), "x y");
}

static void test_err(void **state)
{
	struct err err;
	(void)state;
	assert_int_equal(err_set(&err, RC_TEMP, "no\n%s", "luck"), RC_TEMP);
	err_prefix(&err, RC_TEMP, "%s", "user ann");
	assert_string_equal(err.text, "user ann: no?luck");
	assert_int_equal(err_set(NULL, RC_PERM, "x"), RC_PERM);
	char longer[2000];
	memset(longer, 'y', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	err_set(&err, RC_PERM, "%s", longer);
	err_prefix(&err, RC_PERM, "%s", longer);
	assert_true(strlen(err.text) < sizeof(err.text));
}

static void test_fs(void **state)
{
	char dir[] = "/tmp/pullyu-test-XXXXXX";
	char path[64], deep[64];
	char *data = NULL;
	size_t len = 0;
	struct stat st;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	snprintf(deep, sizeof(deep), "%s/a/b/c", dir);
	assert_int_equal(fs_read(path, 10, &data, &len, NULL, NULL), RC_NOTFOUND);
	assert_int_equal(fs_write_atomic(path, "one", 3, 0600, NULL), RC_OK);
	assert_int_equal(fs_write_atomic(path, "four", 4, 0640, NULL), RC_OK);
	assert_int_equal(fs_read(path, 4, &data, &len, &st, NULL), RC_OK);
	assert_string_equal(data, "four");
	assert_int_equal(st.st_mode & 0777, 0640);
	free(data);
	assert_int_equal(fs_read(path, 3, &data, &len, NULL, NULL), RC_PERM);
	assert_int_equal(fs_read(dir, 3, &data, &len, NULL, NULL), RC_PERM);
	assert_int_equal(fs_mkdirs(deep, 0700, NULL), RC_OK);
	assert_int_equal(fs_mkdirs(deep, 0700, NULL), RC_OK);
	assert_int_equal(fs_mkdirs(path, 0700, NULL), RC_PERM);
	char command[128];
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static void test_hmac(void **state)
{
	unsigned char key[HMAC_KEY_BYTES];
	char hex[HMAC_HEX_SIZE];
	(void)state;
	/* RFC 4231, test case 2, with its key padded by zero bytes, which HMAC does anyway. */
	memset(key, 0, sizeof(key));
	memcpy(key, "Jefe", 4);
	hmac_hex(key, "what do ya want for nothing?", hex);
	assert_string_equal(
	    hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_true(hmac_equal("ab", "ab"));
	assert_false(hmac_equal("ab", "ac"));
	assert_false(hmac_equal("ab", "abc"));
}

/* The authors' vectors: the key is 00 01 ... 0f, the input 00 01 ... of that length. That of 15
 * bytes is worked out in the paper's appendix. */
static void test_siphash(void **state)
{
	static const struct {
		size_t len;
		uint64_t want;
	} rows[] = {
	    {0, UINT64_C(0x726fdb47dd0e0e31)},
	    {1, UINT64_C(0x74f839c593dc67fd)},
	    {7, UINT64_C(0xab0200f58b01d137)},
	    {8, UINT64_C(0x93f5f5799a932462)},
	    {15, UINT64_C(0xa129ca6149be45e5)},
	    {16, UINT64_C(0x3f2acc7f57c29bdb)},
	    {63, UINT64_C(0x958a324ceb064572)},
	};
	unsigned char key[SIPHASH_KEY_BYTES], data[64];
	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)i;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_true(siphash(key, data, rows[i].len) == rows[i].want);
	key[0] ^= 1;
	assert_false(siphash(key, data, 15) == rows[4].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addr_normalise),
	    cmocka_unit_test(test_addr_long),
	    cmocka_unit_test(test_addr_within),
	    cmocka_unit_test(test_addr_path),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_err),
	    cmocka_unit_test(test_fs),
	    cmocka_unit_test(test_hmac),
	    cmocka_unit_test(test_siphash),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
