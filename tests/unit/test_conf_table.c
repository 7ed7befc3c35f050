/*
 * test_conf_table.c: option tables, pullyu.conf and settings.ini.
 */
#include <config.h>

#include "conf/conf.h"

#include <glib.h>

#include "base/log.h"
#include "unit.h"

static void test_defaults(void **state)
{
	struct conf *conf = NULL;
	struct err err = {""};
	int failed = 0;
	(void)state;
	failed += unit_num("load", conf_load(NULL, NULL, NULL, &conf, &err), RC_OK);
	failed += unit_str("load", err.text, "");
	failed += unit_str("socket", conf->socket, "unix:/var/spool/postfix/pullyu/milter.sock");
	failed += unit_num("socket_mode", conf->socket_mode, 0660);
	failed += unit_num("ask_timeout", conf->ask_timeout, 2000);
	failed += unit_num("hold_max_size", conf->hold_max_size, 25 * 1024 * 1024);
	failed += unit_num("submit_port", conf->submit_port, 10026);
	failed += unit_num("max_hold", conf->max_hold, 7 * 86400);
	failed += unit_num("known_expire", conf->known_expire, 730 * 86400);
	failed += unit_num("log_level", conf->log_level, LOG_LEVEL_INFO);
	failed += unit_num("times", (long long)conf->defaults.times.n, 2);
	failed += unit_num("times", conf->defaults.times.slots[1].minute, 17 * 60 + 30);
	failed += unit_str("class", conf->defaults.classes[1], "notification");
	failed += unit_num("host", conf->host != NULL && conf->host[0] != '\0', 1);
	char *from = g_strdup_printf("Pullyu <pullyu@%s>", conf->host);
	failed += unit_str("from", conf->from, from);
	g_free(from);
	failed += unit_num("reply_to", conf->reply_to == NULL, 1);
	failed += unit_num("timezone", conf->defaults.timezone != NULL, 1);
	struct conf *again = conf_ref(conf);
	conf_unref(&again);
	assert_null(again);
	conf_unref(&conf);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
