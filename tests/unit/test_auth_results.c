/*
 * test_auth_results.c: Authentication-Results, written by friends and by others.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>

#include "auth/auth.h"
#include "base/str.h"

#define OUR "mx.our.example"

static const char *const state_names[] = {"absent", "pass", "doubt", "fail"};
static const char *const trusted[] = {"other.our.example", OUR, NULL};

struct row {
	const char *label;
	enum auth_state want;
	const char *fields[4];
};

/* Each row asks about news.example.org. */
static const struct row methods[] = {
    {"no field", AUTH_ABSENT, {NULL}},
    {"dmarc pass", AUTH_PASS, {OUR "; dmarc=pass header.from=news.example.org"}},
    {"dmarc pass for the parent", AUTH_ABSENT, {OUR "; dmarc=pass header.from=example.org"}},
    {"dmarc pass below", AUTH_ABSENT, {OUR "; dmarc=pass header.from=a.news.example.org"}},
    {"dmarc fail", AUTH_FAIL, {OUR "; dmarc=fail (p=reject) header.from=news.example.org"}},
    {"dmarc fail for another", AUTH_ABSENT, {OUR "; dmarc=fail header.from=example.net"}},
    {"dmarc none", AUTH_DOUBT, {OUR "; dmarc=none header.from=news.example.org"}},
    {"dmarc bestguesspass", AUTH_DOUBT,
	{OUR "; dmarc=bestguesspass action=none header.from=news.example.org"}},
    {"dkim pass", AUTH_PASS, {OUR "; dkim=pass header.d=news.example.org"}},
    {"dkim pass of the parent", AUTH_PASS, {OUR "; dkim=pass header.d=example.org"}},
    {"dkim pass below", AUTH_DOUBT, {OUR "; dkim=pass header.d=a.news.example.org"}},
    {"dkim pass of a sibling", AUTH_ABSENT, {OUR "; dkim=pass header.d=shop.example.org"}},
    {"dkim pass of a lookalike", AUTH_ABSENT, {OUR "; dkim=pass header.d=anews.example.org"}},
    {"dkim pass of the top-level domain", AUTH_ABSENT, {OUR "; dkim=pass header.d=org"}},
    {"dkim pass of the root", AUTH_ABSENT, {OUR "; dkim=pass header.d=."}},
    {"dkim pass of .org", AUTH_ABSENT, {OUR "; dkim=pass header.d=.org"}},
    {"dkim pass of nothing", AUTH_ABSENT, {OUR "; dkim=pass header.d="}},
    {"dkim pass without a domain", AUTH_ABSENT, {OUR "; dkim=pass"}},
    {"dkim fail", AUTH_DOUBT, {OUR "; dkim=fail header.d=news.example.org"}},
    {"dkim header.i alone", AUTH_PASS, {OUR "; dkim=pass header.i=@news.example.org header.s=k"}},
    {"dkim header.i with a user", AUTH_PASS, {OUR "; dkim=pass header.i=x@example.org"}},
    {"dkim header.d beats header.i", AUTH_ABSENT,
	{OUR "; dkim=pass header.d=example.net header.i=@news.example.org"}},
    {"dkim, the second of two", AUTH_PASS,
	{OUR "; dkim=fail header.d=news.example.org; dkim=pass header.d=example.org"}},
    {"dkim unquoted signature", AUTH_PASS,
	{OUR "; dkim=pass header.d=example.org header.s=k header.b=aB/c+d=="}},
    {"spf pass", AUTH_PASS, {OUR "; spf=pass smtp.mailfrom=news.example.org"}},
    {"spf pass with a user", AUTH_PASS, {OUR "; spf=pass smtp.mailfrom=b=c@news.example.org"}},
    {"spf pass below", AUTH_PASS, {OUR "; spf=pass smtp.mailfrom=b@x.news.example.org"}},
    {"spf pass in brackets", AUTH_PASS, {OUR "; spf=pass smtp.mailfrom=<b@news.example.org>"}},
    {"spf pass of the parent", AUTH_ABSENT, {OUR "; spf=pass smtp.mailfrom=example.org"}},
    {"spf pass of helo", AUTH_ABSENT, {OUR "; spf=pass smtp.helo=news.example.org"}},
    {"spf fail", AUTH_FAIL, {OUR "; spf=fail smtp.mailfrom=b@news.example.org"}},
    {"spf hardfail", AUTH_FAIL, {OUR "; spf=hardfail smtp.mailfrom=b@news.example.org"}},
    {"spf softfail", AUTH_DOUBT, {OUR "; spf=softfail smtp.mailfrom=b@news.example.org"}},
    {"spf temperror", AUTH_DOUBT, {OUR "; spf=temperror smtp.mailfrom=b@news.example.org"}},
    {"spf pass of the null sender", AUTH_ABSENT, {OUR "; spf=pass smtp.mailfrom=<>"}},
    {"spf quoted at", AUTH_ABSENT,
	{OUR "; spf=pass smtp.mailfrom=\"x@news.example.org\"@evil.example"}},
    {"spf fail, dkim pass", AUTH_PASS,
	{OUR "; spf=fail smtp.mailfrom=b@news.example.org; dkim=pass header.d=example.org"}},
    {"spf fail, dkim pass of another", AUTH_FAIL,
	{OUR "; spf=fail smtp.mailfrom=b@news.example.org; dkim=pass header.d=example.net"}},
    {"dmarc fail, dkim fail", AUTH_FAIL,
	{OUR "; dkim=fail header.d=news.example.org; dmarc=fail header.from=news.example.org"}},
    {"other methods", AUTH_ABSENT,
	{OUR "; auth=pass smtp.auth=x@news.example.org; iprev=pass policy.iprev=192.0.2.1"}},
    {"U-labels and case", AUTH_PASS, {OUR "; DKIM=Pass Header.D=Example.ORG"}},
};

static const struct row servers[] = {
    {"case", AUTH_PASS, {"MX.Our.Example; dkim=pass header.d=example.org"}},
    {"the other", AUTH_PASS, {"other.our.example; dkim=pass header.d=example.org"}},
    {"quoted", AUTH_PASS, {"\"" OUR "\"; dkim=pass header.d=example.org"}},
    {"version", AUTH_PASS, {OUR " 1; dkim=pass header.d=example.org"}},
    {"version after a comment", AUTH_PASS, {OUR " (v) 1 (x); dkim=pass header.d=example.org"}},
    {"unknown version", AUTH_ABSENT, {OUR " 2; dkim=pass header.d=example.org"}},
    {"unknown version 10", AUTH_ABSENT, {OUR " 10; dkim=pass header.d=example.org"}},
    {"a stranger", AUTH_ABSENT, {"mx.evil.example; dkim=pass header.d=example.org"}},
    {"a longer name", AUTH_ABSENT, {OUR ".evil.example; dkim=pass header.d=example.org"}},
    {"a longer name in front", AUTH_ABSENT, {"x." OUR "; dkim=pass header.d=example.org"}},
    {"ours in a comment", AUTH_ABSENT,
	{"mx.evil.example (" OUR "); dkim=pass header.d=example.org"}},
    {"ours in a comment in front", AUTH_ABSENT,
	{"(" OUR ") mx.evil.example; dkim=pass header.d=example.org"}},
    {"ours behind a comment", AUTH_PASS, {"(x \\) y) " OUR "; dkim=pass header.d=example.org"}},
    {"ours in a nested comment", AUTH_ABSENT,
	{"((x) " OUR ") evil.example; dkim=pass header.d=example.org"}},
    {"ours in a second word", AUTH_ABSENT,
	{"evil.example " OUR "; dkim=pass header.d=example.org"}},
    {"ours as a result", AUTH_ABSENT,
	{"evil.example; x=y " OUR "; dkim=pass header.d=example.org"}},
    {"ours in a quoted string", AUTH_ABSENT,
	{"\"" OUR "; dkim=pass header.d=example.org\"; dkim=pass header.d=example.org"}},
    {"no server", AUTH_ABSENT, {"dkim=pass header.d=example.org"}},
    {"empty", AUTH_ABSENT, {""}},
    {"a semicolon", AUTH_ABSENT, {";"}},
    {"an empty quoted server", AUTH_ABSENT, {"\"\"; dkim=pass header.d=example.org"}},
};

static const struct row forms[] = {
    {"none", AUTH_ABSENT, {OUR "; none"}},
    {"none with comments", AUTH_ABSENT, {OUR "; (a) none (b)"}},
    {"none is not a method", AUTH_ABSENT, {OUR "; none=pass; dkim=pass header.d=example.com"}},
    {"nothing", AUTH_ABSENT, {OUR}},
    {"semicolon at the end", AUTH_PASS, {OUR "; dkim=pass header.d=example.org; "}},
    {"folded", AUTH_PASS, {OUR ";\r\n\tdkim=pass\r\n\t header.d=example.org\r\n"}},
    {"reason", AUTH_PASS, {OUR "; dkim=pass reason=\"a; b=c (d\" header.d=example.org"}},
    {"reason names a domain", AUTH_ABSENT, {OUR "; dkim=pass reason=\"header.d=example.org\""}},
    {"comment names a domain", AUTH_ABSENT, {OUR "; dkim=pass (header.d=example.org)"}},
    {"comment holds a result", AUTH_ABSENT, {OUR "; dkim=fail (; dkim=pass header.d=example.org)"}},
    {"comments everywhere", AUTH_PASS,
	{OUR " (a) ; (b) dkim (c) / (d) 1 (e) = (f) pass (g) header (h) . (i) d (j) = (k) "
	     "example.org (l)"}},
    {"method version", AUTH_PASS, {OUR "; dkim/1=pass header.d=example.org"}},
    {"unknown method version", AUTH_ABSENT, {OUR "; dkim/2=pass header.d=example.org"}},
    {"quoted value", AUTH_PASS, {OUR "; dkim=pass header.d=\"example.org\""}},
    {"quoted pair", AUTH_PASS, {OUR "; dkim=pass header.d=\"exa\\mple.org\""}},
    {"a dangling method", AUTH_ABSENT, {OUR "; dkim"}},
    {"a dangling equals", AUTH_ABSENT, {OUR "; dkim="}},
    {"a dangling property", AUTH_ABSENT, {OUR "; dkim=pass header.d=example.org header"}},
    {"an open comment", AUTH_ABSENT, {OUR "; dkim=pass header.d=example.org (x"}},
    {"an open quoted string", AUTH_ABSENT, {OUR "; dkim=pass header.d=example.org reason=\"x"}},
    {"a stray parenthesis", AUTH_ABSENT, {OUR "; dkim=pass header.d=example.org )"}},
    {"a stray address", AUTH_ABSENT,
	{OUR "; spf=pass smtp.mailfrom=a; dkim=pass header.d=example.org @evil.example"}},
    {"a property twice", AUTH_ABSENT,
	{OUR "; dkim=pass header.d=evil.example header.d=example.org"}},
    {"no blank before the property", AUTH_ABSENT, {OUR "; dkim=pass\"header.d=example.org\""}},
    {"two semicolons", AUTH_ABSENT, {OUR ";; dkim=pass header.d=example.org"}},
    {"a property without a type", AUTH_PASS,
	{OUR "; dmarc=pass action=none header.from=news.example.org; compauth=pass reason=100"}},
};

static const struct row several[] = {
    {"each its method", AUTH_PASS,
	{OUR "; spf=softfail smtp.mailfrom=x@news.example.org",
	    OUR "; dkim=pass header.d=example.org"}},
    {"the topmost counts for its method", AUTH_DOUBT,
	{OUR "; dkim=fail header.d=news.example.org", OUR "; dkim=pass header.d=news.example.org"}},
    {"also when it says nothing", AUTH_ABSENT,
	{OUR "; dkim=none", OUR "; dkim=pass header.d=news.example.org"}},
    {"also when it speaks of another domain", AUTH_ABSENT,
	{OUR "; dmarc=pass header.from=example.net",
	    OUR "; dmarc=pass header.from=news.example.org"}},
    {"a stranger above changes nothing", AUTH_PASS,
	{"evil.example; dkim=fail header.d=news.example.org",
	    OUR "; dkim=pass header.d=news.example.org"}},
    {"a stranger who cannot write changes nothing", AUTH_PASS,
	{"evil.example; (", "(", "\"", OUR "; dkim=pass header.d=news.example.org"}},
    {"ours that cannot be read ends it", AUTH_ABSENT,
	{OUR "; spf=(", OUR "; dkim=pass header.d=news.example.org"}},
    {"what stands above it counts", AUTH_FAIL,
	{OUR "; dmarc=fail header.from=news.example.org", OUR "; spf=(",
	    OUR "; dkim=pass header.d=news.example.org"}},
    {"an unreadable field gives none of its results", AUTH_ABSENT,
	{OUR "; dkim=pass header.d=news.example.org; spf=("}},
};

static int check(const struct row *rows, size_t n)
{
	int failed = 0;
	for (size_t i = 0; i < n; i++) {
		size_t fields = 0;
		while (fields < 4 && rows[i].fields[fields] != NULL)
			fields++;
		enum auth_state got =
		    auth_results_state(rows[i].fields, fields, trusted, "news.example.org");
		failed += unit_str(rows[i].label, state_names[got], state_names[rows[i].want]);
	}
	return failed;
}

static void test_methods(void **state)
{
	(void)state;
	assert_int_equal(check(methods, sizeof(methods) / sizeof(methods[0])), 0);
}

static void test_servers(void **state)
{
	(void)state;
	assert_int_equal(check(servers, sizeof(servers) / sizeof(servers[0])), 0);
}

static void test_forms(void **state)
{
	(void)state;
	assert_int_equal(check(forms, sizeof(forms) / sizeof(forms[0])), 0);
}

static void test_several(void **state)
{
	(void)state;
	assert_int_equal(check(several, sizeof(several) / sizeof(several[0])), 0);
}

/* What counts of a neighbour's: DKIM, whatever DMARC and SPF say. */
static void test_dkim_alone(void **state)
{
	static const struct {
		const char *label, *field;
		bool want;
	} rows[] = {
	    {"dkim", OUR "; dkim=pass header.d=news.example.org", true},
	    {"dkim of the parent", OUR "; dkim=pass header.d=example.org; spf=fail", true},
	    {"dkim below", OUR "; dkim=pass header.d=a.news.example.org", false},
	    {"dkim fail", OUR "; dkim=fail header.d=news.example.org", false},
	    {"spf", OUR "; spf=pass smtp.mailfrom=news.example.org", false},
	    {"dmarc", OUR "; dmarc=pass header.from=news.example.org", false},
	    {"dmarc, dkim of another",
		OUR "; dmarc=pass header.from=news.example.org; dkim=pass header.d=evil.example",
		false},
	    {"a stranger's", "evil.example; dkim=pass header.d=news.example.org", false},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		failed += unit_num(rows[i].label,
		    auth_results_dkim(&rows[i].field, 1, trusted, "news.example.org"),
		    rows[i].want);
	assert_false(auth_results_dkim(&rows[0].field, 1, NULL, "news.example.org"));
	assert_int_equal(failed, 0);
}

static void test_nobody_trusted(void **state)
{
	static const char *const nobody[] = {NULL};
	const char *field = OUR "; dkim=pass header.d=example.org";
	(void)state;
	assert_int_equal(auth_results_state(&field, 1, NULL, "example.org"), AUTH_ABSENT);
	assert_int_equal(auth_results_state(&field, 1, nobody, "example.org"), AUTH_ABSENT);
	assert_int_equal(auth_results_state(&field, 1, trusted, ""), AUTH_ABSENT);
	assert_int_equal(auth_results_state(&field, 1, trusted, "org"), AUTH_DOUBT);
	assert_int_equal(auth_results_state(NULL, 0, trusted, "example.org"), AUTH_ABSENT);
}

/* An international domain is compared by its A-labels. */
static void test_idn(void **state)
{
	const char *field = OUR "; dmarc=pass header.from=B\xc3\xbc"
				"cher.example";
	(void)state;
	assert_int_equal(
	    auth_results_state(&field, 1, trusted, "xn--bcher-kva.example"), AUTH_PASS);
	field = OUR "; dmarc=pass header.from=xn--bcher-kva.example";
	assert_int_equal(
	    auth_results_state(&field, 1, trusted, "xn--bcher-kva.example"), AUTH_PASS);
}

static char *repeat(const char *start, const char *part, size_t n, const char *end)
{
	size_t len = strlen(part);
	char *out = malloc(strlen(start) + len * n + strlen(end) + 1), *p = out;
	assert_non_null(out);
	p = stpcpy(p, start);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, part);
	strcpy(p, end);
	return out;
}

static void test_long(void **state)
{
	static const struct {
		const char *label, *start, *part;
		size_t n;
		const char *end;
		enum auth_state want;
	} rows[] = {
	    {"many results", OUR, "; dkim=fail header.d=x.example", 200,
		"; dkim=pass header.d=example.org", AUTH_PASS},
	    {"too long a field", OUR, "; dkim=fail header.d=x.example", 400,
		"; dkim=pass header.d=example.org", AUTH_ABSENT},
	    {"a stranger's comments", "evil (", "(", 4000000, "", AUTH_ABSENT},
	    {"a stranger's quotes", "\"", "\\\"", 2000000, "", AUTH_ABSENT},
	    {"comments in comments", OUR "; ", "(", 3000, "dkim=pass header.d=example.org",
		AUTH_ABSENT},
	    {"a long keyword", OUR "; ", "dkim", 100, "=pass header.d=example.org", AUTH_ABSENT},
	    {"a long domain", OUR "; dkim=pass header.d=", "a.", 1000, "example.org", AUTH_ABSENT},
	    {"a long value", OUR "; dkim=pass header.b=", "abc", 1000, " header.d=example.org",
		AUTH_PASS},
	    {"a long address", OUR "; spf=pass smtp.mailfrom=", "abc", 1000, "@example.org",
		AUTH_ABSENT},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *field = repeat(rows[i].start, rows[i].part, rows[i].n, rows[i].end);
		const char *values[] = {field};
		enum auth_state got = auth_results_state(values, 1, trusted, "example.org");
		failed += unit_str(rows[i].label, state_names[got], state_names[rows[i].want]);
		free(field);
	}
	assert_int_equal(failed, 0);
}

/* A domain cut by the reader of the field must not become another one. */
static void test_cut(void **state)
{
	char *field =
	    repeat(OUR, "; dkim=fail header.d=x.example", 300, "; dmarc=pass header.from=");
	const char *values[] = {field};
	(void)state;
	field[AUTH_FIELD_MAX - 10] = '\0';
	assert_int_equal(auth_results_state(values, 1, trusted, "x.example"), AUTH_DOUBT);
	free(field);
	field =
	    repeat(OUR, "; x=y", (AUTH_FIELD_MAX - 20) / 5, "; dmarc=pass header.from=example.org");
	values[0] = field;
	assert_int_equal(auth_results_state(values, 1, trusted, "example.org"), AUTH_ABSENT);
	free(field);
}

/* Random fields of the grammar's own pieces: nothing crashes (the sanitizers look), and no field of
 * a stranger, whatever stands in it, makes a pass. */
static void test_random(void **state)
{
	static const char *const pieces[] = {OUR, "evil.example", ";", "; ", " ", "dkim", "spf",
	    "dmarc", "=", "pass", "fail", "header", ".", "d", "i", "from", "smtp", "mailfrom",
	    "example.org", "@", "(", ")", "\"", "\\", "/", "1", "reason", "none", "\r\n\t", "\xff",
	    "\x01", "=pass", " header.d=example.org", "; dkim=pass", "a@example.org", "-", "_"};
	unsigned long long seed = 88172645463325252ULL;
	size_t passed = 0;
	(void)state;
	for (int round = 0; round < 200000; round++) {
		char field[2000], ours[2100], theirs[2100];
		size_t n = 0;
		seed ^= seed >> 33;
		for (size_t k = 2 + seed % 12; k > 0; k--) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			const char *piece = pieces[seed % (sizeof(pieces) / sizeof(pieces[0]))];
			n += (size_t)snprintf(field + n, sizeof(field) - n, "%s", piece);
		}
		snprintf(ours, sizeof(ours), OUR "%s", field);
		snprintf(theirs, sizeof(theirs), "evil.example;%s", field);
		const char *values[] = {ours};
		if (auth_results_state(values, 1, trusted, "example.org") == AUTH_PASS)
			passed++;
		values[0] = field;
		auth_results_state(values, 1, trusted, "example.org");
		values[0] = theirs;
		if (auth_results_state(values, 1, trusted, "example.org") != AUTH_ABSENT)
			fail_msg("a stranger was believed: %s", theirs);
	}
	/* The pieces do make passes, so that the check above could have failed. */
	assert_in_range(passed, 5, 2000);
}

/* By what a message is authenticated, and what is said of either sender's domain. */
static void test_method_and_any(void **state)
{
	static const struct {
		const char *label, *value, *method;
		enum auth_state any;
	} rows[] = {
	    {"nothing", "mx.example.org; none", "none", AUTH_ABSENT},
	    {"all three",
		"mx.example.org; spf=pass smtp.mailfrom=x@a.example; dkim=pass header.d=a.example; "
		"dmarc=pass header.from=a.example",
		"dmarc", AUTH_PASS},
	    {"two",
		"mx.example.org; spf=pass smtp.mailfrom=x@a.example; dkim=pass header.d=a.example",
		"dkim", AUTH_PASS},
	    {"one passes, one fails",
		"mx.example.org; dmarc=fail header.from=a.example; "
		"spf=pass smtp.mailfrom=a.example",
		"spf", AUTH_PASS},
	    {"a fail", "mx.example.org; spf=fail smtp.mailfrom=a.example", "spf", AUTH_FAIL},
	    {"neither", "mx.example.org; spf=softfail smtp.mailfrom=a.example", "none", AUTH_DOUBT},
	    {"of the envelope",
		"mx.example.org; dmarc=fail header.from=a.example; "
		"spf=pass smtp.mailfrom=b.example",
		"dmarc", AUTH_PASS},
	    {"doubt of the envelope",
		"mx.example.org; dmarc=fail header.from=a.example; "
		"spf=softfail smtp.mailfrom=b.example",
		"dmarc", AUTH_DOUBT},
	    {"not trusted", "mx.evil.example; dmarc=pass header.from=a.example", "none",
		AUTH_ABSENT},
	};
	static const char *const trust[] = {"mx.example.org", NULL};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *method = auth_results_method(&rows[i].value, 1, trust, "a.example");
		failed += unit_str(rows[i].label, method == NULL ? "none" : method, rows[i].method);
		failed += unit_str(rows[i].label,
		    state_names[auth_results_state_any(
			&rows[i].value, 1, trust, "a.example", "b.example")],
		    state_names[rows[i].any]);
	}
	assert_null(auth_results_method(&rows[1].value, 1, NULL, "a.example"));
	assert_null(auth_results_method(&rows[1].value, 1, trust, ""));
	assert_int_equal(auth_results_state_any(&rows[1].value, 1, NULL, "", ""), AUTH_ABSENT);
	assert_int_equal(failed, 0);
}

static void test_spf_names(void **state)
{
	(void)state;
	for (int i = AUTH_SPF_PASS; i <= AUTH_SPF_PERMERROR; i++)
		assert_int_equal(auth_spf_by_name(auth_spf_name((enum auth_spf)i)), i);
	assert_string_equal(auth_spf_name(AUTH_SPF_SOFTFAIL), "softfail");
	assert_int_equal(auth_spf_by_name("Pass"), -1);
	assert_int_equal(auth_spf_by_name(""), -1);
}

static void test_spf_state(void **state)
{
	static const struct {
		const char *label;
		enum auth_spf result;
		const char *sender, *domain;
		enum auth_state want;
	} rows[] = {
	    {"pass", AUTH_SPF_PASS, "a@example.org", "example.org", AUTH_PASS},
	    {"pass below", AUTH_SPF_PASS, "a@b.example.org", "example.org", AUTH_PASS},
	    {"pass of the parent", AUTH_SPF_PASS, "a@example.org", "b.example.org", AUTH_DOUBT},
	    {"pass of another", AUTH_SPF_PASS, "a@example.net", "example.org", AUTH_DOUBT},
	    {"pass of a lookalike", AUTH_SPF_PASS, "a@xexample.org", "example.org", AUTH_DOUBT},
	    {"fail", AUTH_SPF_FAIL, "a@example.org", "example.org", AUTH_FAIL},
	    {"fail of another", AUTH_SPF_FAIL, "a@example.net", "example.org", AUTH_DOUBT},
	    {"softfail", AUTH_SPF_SOFTFAIL, "a@example.org", "example.org", AUTH_DOUBT},
	    {"none", AUTH_SPF_NONE, "a@example.org", "example.org", AUTH_DOUBT},
	    {"temperror", AUTH_SPF_TEMPERROR, "a@example.org", "example.org", AUTH_DOUBT},
	    {"permerror", AUTH_SPF_PERMERROR, "a@example.org", "example.org", AUTH_DOUBT},
	    {"null sender", AUTH_SPF_PASS, "", "example.org", AUTH_DOUBT},
	    {"null sender with HELO", AUTH_SPF_PASS, "postmaster@mx.example.org", "example.org",
		AUTH_PASS},
	    {"no domain", AUTH_SPF_PASS, "a@example.org", "", AUTH_DOUBT},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum auth_state got =
		    auth_spf_state(rows[i].result, rows[i].sender, rows[i].domain);
		failed += unit_str(rows[i].label, state_names[got], state_names[rows[i].want]);
	}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_servers),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_several),
	    cmocka_unit_test(test_dkim_alone),
	    cmocka_unit_test(test_nobody_trusted),
	    cmocka_unit_test(test_idn),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_method_and_any),
	    cmocka_unit_test(test_spf_names),
	    cmocka_unit_test(test_spf_state),
	};
	return cmocka_run_group_tests_name("auth_results", tests, NULL, NULL);
}
