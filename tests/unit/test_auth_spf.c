/*
 * test_auth_spf.c: libspf2 behind auth_spf_check, fed by its own zone layer. The same through real
 * DNS: tests/e2e/test_spf.py.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "auth/auth.h"

static const char zone_text[] =
    "# the world\n"
    "\n"
    "example.org|TXT|v=spf1 ip4:192.0.2.0/24 ip6:2001:db8:1::/48 a:mail.example.org mx -all\n"
    "example.org|TXT|other=text\n"
    "example.org|MX|10 mx.example.org\n"
    "mx.example.org|A|198.51.100.7\n"
    "mx.example.org|AAAA|2001:db8:7::7\n"
    "mail.example.org|A|198.51.100.8\n"
    "soft.example|TXT|v=spf1 ~all\n"
    "neutral.example|TXT|v=spf1 ?all\n"
    "open.example|TXT|v=spf1 +all\n"
    "nothing.example|A|192.0.2.1\n"
    "txt.example|TXT|hello\n"
    "redirect.example|TXT|v=spf1 redirect=example.org\n"
    "include.example|TXT|v=spf1 include:example.org ?all\n"
    "lost-include.example|TXT|v=spf1 include:missing.example -all\n"
    "lost-redirect.example|TXT|v=spf1 redirect=missing.example\n"
    "loop.example|TXT|v=spf1 include:loop.example -all\n"
    "two.example|TXT|v=spf1 -all\n"
    "two.example|TXT|v=spf1 +all\n"
    "broken.example|TXT|v=spf1 ip4:999.1.1.1 -all\n"
    "unknown.example|TXT|v=spf1 frobnicate:x -all\n"
    "later.example|TXT|!tryagain\n"
    "later-a.example|TXT|v=spf1 a:slow.example -all\n"
    "slow.example|A|!tryagain\n"
    "void.example|TXT|v=spf1 a:v1.example a:v2.example mx:v3.example ip4:192.0.2.1 -all\n"
    "many.example|TXT|v=spf1 a:a1.example a:a2.example a:a3.example a:a4.example a:a5.example "
    "a:a6.example a:a7.example a:a8.example a:a9.example a:a10.example a:a11.example "
    "a:a12.example ip4:192.0.2.1 -all\n"
    "macro.example|TXT|v=spf1 exists:%{ir}.%{l}.%{d} -all\n"
    "9.2.0.192.ann.macro.example|A|127.0.0.2\n"
    "helo.example|TXT|v=spf1 ip4:192.0.2.1 -all\n"
    "xn--bcher-kva.example|TXT|v=spf1 ip4:192.0.2.1 -all\n";

static char zone_path[] = "/tmp/pullyu-spf-XXXXXX";

static int zone_write(char *path, const char *text)
{
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	close(fd);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return zone_write(zone_path, zone_text);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(zone_path);
}

static void test_spf(void **state)
{
	static const struct {
		const char *label, *ip, *sender, *want;
	} rows[] = {
	    {"ip4", "192.0.2.9", "ann@example.org", "pass"},
	    {"ip4 outside", "203.0.113.1", "ann@example.org", "fail"},
	    {"ip4 mapped", "::ffff:192.0.2.9", "ann@example.org", "pass"},
	    {"ip4 mapped, in hexadecimal", "::ffff:c000:209", "ann@example.org", "pass"},
	    {"ip4 mapped outside", "::ffff:203.0.113.1", "ann@example.org", "fail"},
	    {"ip6", "2001:db8:1::25", "ann@example.org", "pass"},
	    {"ip6 as the MTA writes it", "IPv6:2001:db8:1::25", "ann@example.org", "pass"},
	    {"ip6 outside", "2001:db8:2::25", "ann@example.org", "fail"},
	    {"mx", "198.51.100.7", "ann@example.org", "pass"},
	    {"mx by ip6", "2001:db8:7::7", "ann@example.org", "pass"},
	    {"a", "198.51.100.8", "ann@example.org", "pass"},
	    {"case", "192.0.2.9", "Ann@Example.ORG", "pass"},
	    {"softfail", "192.0.2.9", "ann@soft.example", "softfail"},
	    {"neutral", "192.0.2.9", "ann@neutral.example", "neutral"},
	    {"all", "192.0.2.9", "ann@open.example", "pass"},
	    {"no record", "192.0.2.9", "ann@nothing.example", "none"},
	    {"no SPF among the texts", "192.0.2.9", "ann@txt.example", "none"},
	    {"no such domain", "192.0.2.9", "ann@missing.example", "none"},
	    {"redirect", "192.0.2.9", "ann@redirect.example", "pass"},
	    {"redirect fail", "203.0.113.1", "ann@redirect.example", "fail"},
	    {"redirect to nowhere", "192.0.2.9", "ann@lost-redirect.example", "permerror"},
	    {"include", "192.0.2.9", "ann@include.example", "pass"},
	    {"include does not match", "203.0.113.1", "ann@include.example", "neutral"},
	    {"include of nothing", "192.0.2.9", "ann@lost-include.example", "permerror"},
	    {"include of itself", "192.0.2.9", "ann@loop.example", "permerror"},
	    {"two records", "192.0.2.9", "ann@two.example", "permerror"},
	    {"bad address in the record", "192.0.2.9", "ann@broken.example", "permerror"},
	    {"unknown mechanism", "192.0.2.9", "ann@unknown.example", "permerror"},
	    {"DNS fails", "192.0.2.9", "ann@later.example", "temperror"},
	    {"DNS fails half way", "192.0.2.9", "ann@later-a.example", "temperror"},
	    {"macro", "192.0.2.9", "ann@macro.example", "pass"},
	    {"macro, another user", "192.0.2.9", "bob@macro.example", "fail"},
	    {"void lookups", "192.0.2.1", "ann@void.example", "pass"},
	    {"void lookups, no match", "192.0.2.2", "ann@void.example", "fail"},
	    {"too many lookups", "192.0.2.1", "ann@many.example", "permerror"},
	    {"international", "192.0.2.1",
		"ann@b\xc3\xbc"
		"cher.example",
		"pass"},
	    {"UTF-8 user", "192.0.2.9", "j\xc3\xb6rg@example.org", "pass"},
	    {"quoted user", "192.0.2.9", "\"a b@c\"@example.org", "pass"},
	    {"literal", "192.0.2.9", "ann@[192.0.2.9]", "none"},
	    {"no address", "192.0.2.9", "ann", "none"},
	    {"loopback", "127.0.0.1", "ann@example.org", "none"},
	    {"loopback, mapped", "::ffff:127.0.0.1", "ann@example.org", "none"},
	    {"loopback, ip6", "::1", "ann@example.org", "none"},
	    {"no client", "", "ann@example.org", "none"},
	    {"client without an address", "unknown", "ann@example.org", "none"},
	    {"null sender", "192.0.2.1", "", "pass"},
	    {"null sender fails", "192.0.2.2", "", "fail"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct auth_spf_query query = {.client_ip = rows[i].ip,
		    .helo = "helo.example",
		    .envelope_from = rows[i].sender};
		struct err err = {"untouched"};
		enum auth_spf got = auth_spf_check(&query, zone_path, &err);
		failed += unit_str(rows[i].label, auth_spf_name(got), rows[i].want);
		if (got != AUTH_SPF_TEMPERROR)
			failed += unit_str(rows[i].label, err.text, "untouched");
		else
			failed += unit_num(rows[i].label, strcmp(err.text, "untouched") != 0, 1);
	}
	assert_int_equal(failed, 0);
}

/* What a client says in HELO is anybody's text. */
static void test_helo(void **state)
{
	static const struct {
		const char *label, *helo, *sender, *want;
	} rows[] = {
	    {"name", "helo.example", "", "pass"},
	    {"literal", "[192.0.2.1]", "", "none"},
	    {"one label", "localhost", "", "none"},
	    {"empty", "", "", "none"},
	    {"rubbish", "a b;%{d}\x01\xff", "", "none"},
	    {"long",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		".example",
		"", "none"},
	    {"rubbish, with a sender", "%{d}%{d}\xff", "ann@example.org", "pass"},
	    {"empty, with a sender", "", "ann@example.org", "pass"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct auth_spf_query query = {.client_ip = "192.0.2.1",
		    .helo = rows[i].helo,
		    .envelope_from = rows[i].sender};
		failed += unit_str(rows[i].label,
		    auth_spf_name(auth_spf_check(&query, zone_path, NULL)), rows[i].want);
	}
	assert_int_equal(failed, 0);
}

/* What libspf2 leaves out of a record that is too long for it is its end, with the "-all": such a
 * record must not fail a sender who stands in the part that was left out. */
static void test_long_record(void **state)
{
	int failed = 0;
	(void)state;
	for (int n = 40; n < 140; n += n < 60 || n > 66 ? 20 : 1) {
		char path[] = "/tmp/pullyu-spf-XXXXXX", text[8000], label[40];
		int used =
		    snprintf(text, sizeof(text), "m.example|A|192.0.2.1\nlong.example|TXT|v=spf1");
		for (int i = 0; i < n; i++)
			used += snprintf(
			    text + used, sizeof(text) - (size_t)used, " ip4:10.%d.0.0/16", i);
		snprintf(text + used, sizeof(text) - (size_t)used, " a:m.example -all\n");
		assert_int_equal(zone_write(path, text), 0);
		struct auth_spf_query query = {.client_ip = "192.0.2.1",
		    .helo = "helo.example",
		    .envelope_from = "ann@long.example"};
		enum auth_spf got = auth_spf_check(&query, path, NULL);
		snprintf(label, sizeof(label), "%d mechanisms", n);
		failed += unit_str(label, auth_spf_name(got), n < 64 ? "pass" : "neutral");
		unlink(path);
	}
	assert_int_equal(failed, 0);
}

static void test_zone_mistakes(void **state)
{
	static const char *const texts[] = {"example.org|TXT\n", "example.org|XYZ|1\n",
	    "example.org|A|1.2.3\n", "example.org|AAAA|1.2.3.4\n", "x\n"};
	struct auth_spf_query query = {
	    .client_ip = "192.0.2.1", .helo = "helo.example", .envelope_from = "ann@example.org"};
	struct err err = {""};
	(void)state;
	assert_int_equal(auth_spf_check(&query, "/nonexistent/zone", &err), AUTH_SPF_TEMPERROR);
	assert_non_null(strstr(err.text, "/nonexistent/zone"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char path[] = "/tmp/pullyu-spf-XXXXXX";
		assert_int_equal(zone_write(path, texts[i]), 0);
		err.text[0] = '\0';
		assert_int_equal(auth_spf_check(&query, path, &err), AUTH_SPF_TEMPERROR);
		assert_non_null(strstr(err.text, path));
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_spf),
	    cmocka_unit_test(test_helo),
	    cmocka_unit_test(test_long_record),
	    cmocka_unit_test(test_zone_mistakes),
	};
	return cmocka_run_group_tests_name("auth_spf", tests, setup, teardown);
}
