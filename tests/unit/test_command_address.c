/*
 * test_command_address.c: where a user sends commands.
 */
#include <config.h>

#include "unit.h"

#include <glib.h>

#include "command/address.h"

static void test_for(void **state)
{
	static const struct {
		const char *template, *user, *want; /* "": there is none */
	} rows[] = {
	    {"%u+pullyu@%d", "ann@example.org", "ann+pullyu@example.org"},
	    {"%u-Pullyu@%d", "ann@example.org", "ann-pullyu@example.org"},
	    {"%u+pullyu@%d", "j\xc3\xb6rg@xn--bcher-kva.example",
		"j\xc3\xb6rg+pullyu@xn--bcher-kva.example"},
	    {"%u+pullyu@%d", "Ann@example.org", "ann+pullyu@example.org"},
	    {"%u+pullyu@%d", "\"ann smith\"@example.org", ""},
	    {"%u+pullyu@%d", "ann", ""},
	    {"%u+pullyu@%d", "", ""},
	    {"%u+pullyu@%d", "%d%u@example.org", "%d%u+pullyu@example.org"},
	    {"pullyu+%u@mx.example.org", "ann@example.org", "pullyu+ann@mx.example.org"},
	    {"commands@example.org", "ann@example.org", "commands@example.org"},
	    {"commands@%d", "ann@example.org", "commands@example.org"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char got[ADDR_MAX] = "";
		if (!command_address_for(rows[i].template, rows[i].user, got))
			got[0] = '\0';
		failed += unit_str(rows[i].user, got, rows[i].want);
		if (got[0] != '\0')
			failed += unit_num(got, command_address_fits(rows[i].template, got), 1);
	}
	char *local = g_strnfill(60, 'x'), *user = g_strconcat(local, "@example.org", NULL);
	char got[ADDR_MAX];
	failed += unit_num("too long", command_address_for("%u+pullyu@%d", user, got), 0);
	g_free(local);
	g_free(user);
	assert_int_equal(failed, 0);
}

static void test_is(void **state)
{
	static const struct {
		const char *template, *rcpt;
		int fits, is; /* of ann@example.org */
	} rows[] = {
	    {"%u+pullyu@%d", "<ann+pullyu@example.org>", 1, 1},
	    {"%u+pullyu@%d", "ann+pullyu@example.org", 1, 1},
	    {"%u+pullyu@%d", "<Ann+Pullyu@Example.ORG>", 1, 1},
	    {"%u+pullyu@%d", "<ann+pullyu@example.org.>", 1, 1},
	    {"%u+pullyu@%d", "<bob+pullyu@example.org>", 1, 0},
	    {"%u+pullyu@%d", "<ann+pullyu@example.net>", 1, 0},
	    {"%u+pullyu@%d", "<ann+pullyu@example.org@example.net>", 1, 0},
	    {"%u+pullyu@%d", "<ann+x+pullyu@example.org>", 1, 0},
	    {"%u+pullyu@%d", "<ann+pullyu+x@example.org>", 0, 0},
	    {"%u+pullyu@%d", "<ann@example.org>", 0, 0},
	    {"%u+pullyu@%d", "<ann+shop@example.org>", 0, 0},
	    {"%u+pullyu@%d", "<@relay.example:ann+pullyu@example.org>", 0, 0},
	    {"%u+pullyu@%d", "<>", 0, 0},
	    {"%u+pullyu@%d", "", 0, 0},
	    {"%u+pullyu@%d", "<ann+pullyu@", 1, 0},
	    {"commands@%d", "<commands@example.org>", 1, 1},
	    {"commands@example.org", "<Commands@example.org>", 1, 1},
	    {"commands@example.org", "<commands@example.or>", 0, 0},
	    {"commands@example.org", "<commands@example.orgx>", 0, 0},
	    {"pullyu+%u@mx.example.org", "<pullyu+ann@mx.example.org>", 1, 1},
	    {"pullyu+%u@mx.example.org", "<pullyu+bob@mx.example.org>", 1, 0},
	    {"%", "%", 1, 0},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		failed += unit_num(rows[i].rcpt,
		    command_address_fits(rows[i].template, rows[i].rcpt), rows[i].fits);
		failed += unit_num(rows[i].rcpt,
		    command_address_is(rows[i].template, "ann@example.org", rows[i].rcpt),
		    rows[i].is);
	}
	char *large = g_strnfill(100000, '+');
	failed += unit_num("large", command_address_fits("%u+pullyu@%d", large), 0);
	g_free(large);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_for),
	    cmocka_unit_test(test_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
