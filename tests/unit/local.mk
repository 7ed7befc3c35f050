# Unit tests with cmocka. Each module adds its programs here, in the order of the layers.
unit_programs =
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
UNIT_LIBS = $(CMOCKA_LIBS)
EXTRA_DIST += tests/unit/unit.h

unit_programs += tests/unit/test_base
tests_unit_test_base_SOURCES = tests/unit/test_base.c
tests_unit_test_base_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_base_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_control
tests_unit_test_control_SOURCES = tests/unit/test_control.c
tests_unit_test_control_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS) -pthread
tests_unit_test_control_LDADD = $(CONTROL_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_conf_ini
tests_unit_test_conf_ini_SOURCES = tests/unit/test_conf_ini.c
tests_unit_test_conf_ini_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_ini_LDADD = $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_conf_table
tests_unit_test_conf_table_SOURCES = tests/unit/test_conf_table.c
tests_unit_test_conf_table_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_table_LDADD = $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_auth_results
tests_unit_test_auth_results_SOURCES = tests/unit/test_auth_results.c
tests_unit_test_auth_results_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_auth_results_LDADD = $(AUTH_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_auth_spf
tests_unit_test_auth_spf_SOURCES = tests/unit/test_auth_spf.c
tests_unit_test_auth_spf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_auth_spf_LDADD = $(AUTH_LIBS) $(BASE_LIBS) $(UNIT_LIBS)
unit_programs += tests/unit/test_digest
tests_unit_test_digest_SOURCES = tests/unit/test_digest.c
tests_unit_test_digest_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_digest_LDADD = $(DIGEST_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_answer
tests_unit_test_answer_SOURCES = tests/unit/test_answer.c
tests_unit_test_answer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_answer_LDADD = $(DIGEST_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_words
tests_unit_test_words_SOURCES = tests/unit/test_words.c
tests_unit_test_words_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_words_LDADD = $(DIGEST_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_outline
tests_unit_test_outline_SOURCES = tests/unit/test_outline.c
tests_unit_test_outline_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_outline_LDADD = $(DIGEST_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_excerpt
tests_unit_test_excerpt_SOURCES = tests/unit/test_excerpt.c
tests_unit_test_excerpt_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_excerpt_LDADD = $(DIGEST_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_template
tests_unit_test_template_SOURCES = tests/unit/test_template.c
tests_unit_test_template_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_template_LDADD = $(DIGEST_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_conf_docs
tests_unit_test_conf_docs_SOURCES = tests/unit/test_conf_docs.c
tests_unit_test_conf_docs_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_top_srcdir)"' \
	-DTEST_BUILDDIR='"$(abs_top_builddir)"'
tests_unit_test_conf_docs_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_docs_LDADD = $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)
EXTRA_tests_unit_test_conf_docs_DEPENDENCIES = etc/pullyu.conf.example

unit_programs += tests/unit/test_conf_edit
tests_unit_test_conf_edit_SOURCES = tests/unit/test_conf_edit.c
tests_unit_test_conf_edit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_edit_LDADD = $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_conf_times
tests_unit_test_conf_times_SOURCES = tests/unit/test_conf_times.c
tests_unit_test_conf_times_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_times_LDADD = $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_policy_schedule
tests_unit_test_policy_schedule_SOURCES = tests/unit/test_policy_schedule.c
tests_unit_test_policy_schedule_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_policy_schedule_LDADD = $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_policy_list
tests_unit_test_policy_list_SOURCES = tests/unit/test_policy_list.c
tests_unit_test_policy_list_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_policy_list_LDADD = $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_policy_user
tests_unit_test_policy_user_SOURCES = tests/unit/test_policy_user.c
tests_unit_test_policy_user_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_policy_user_LDADD = $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_policy_edit
tests_unit_test_policy_edit_SOURCES = tests/unit/test_policy_edit.c
tests_unit_test_policy_edit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_policy_edit_LDADD = $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_policy_decide
tests_unit_test_policy_decide_SOURCES = tests/unit/test_policy_decide.c
tests_unit_test_policy_decide_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_policy_decide_LDADD = $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)
unit_programs += tests/unit/test_command_token
tests_unit_test_command_token_SOURCES = tests/unit/test_command_token.c
tests_unit_test_command_token_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_command_token_LDADD = $(COMMAND_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_command_read
tests_unit_test_command_read_SOURCES = tests/unit/test_command_read.c
tests_unit_test_command_read_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_command_read_LDADD = $(COMMAND_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_command_mail
tests_unit_test_command_mail_SOURCES = tests/unit/test_command_mail.c
tests_unit_test_command_mail_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_command_mail_LDADD = $(COMMAND_LIBS) $(DIGEST_LIBS) $(CONF_LIBS) $(BASE_LIBS) \
	$(UNIT_LIBS)

unit_programs += tests/unit/test_command_address
tests_unit_test_command_address_SOURCES = tests/unit/test_command_address.c
tests_unit_test_command_address_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_command_address_LDADD = $(COMMAND_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_store_contract
EXTRA_DIST += tests/unit/store_unit.h tests/unit/valgrind.supp
tests_unit_test_store_contract_SOURCES = tests/unit/test_store_contract.c
tests_unit_test_store_contract_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_contract_LDADD = $(STORE_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_store_maildir
tests_unit_test_store_maildir_SOURCES = tests/unit/test_store_maildir.c
tests_unit_test_store_maildir_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_maildir_LDADD = $(STORE_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_store_crash
tests_unit_test_store_crash_SOURCES = tests/unit/test_store_crash.c
tests_unit_test_store_crash_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_crash_LDADD = $(STORE_LIBS) $(BASE_LIBS) $(UNIT_LIBS)
unit_programs += tests/unit/test_release
tests_unit_test_release_SOURCES = tests/unit/test_release.c
tests_unit_test_release_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_release_LDADD = $(RELEASE_LIBS) $(POLICY_LIBS) $(STORE_LIBS) $(CLASSIFY_LIBS) \
	$(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_shadow
tests_unit_test_shadow_SOURCES = tests/unit/test_shadow.c src/daemon/shadow.c \
	src/daemon/shadow_record.c
tests_unit_test_shadow_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_shadow_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_shadow_LDADD = $(STORE_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(JANSSON_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_worker
tests_unit_test_worker_SOURCES = tests/unit/test_worker.c src/daemon/worker.c
tests_unit_test_worker_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_worker_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_worker_LDADD = $(JANSSON_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_job
tests_unit_test_job_SOURCES = tests/unit/test_job.c src/daemon/job.c
tests_unit_test_job_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_job_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_job_LDADD = $(DIGEST_LIBS) $(SUBMIT_LIBS) $(AUTH_LIBS) $(STORE_LIBS) \
	$(JANSSON_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_milter_spool
tests_unit_test_milter_spool_SOURCES = tests/unit/test_milter_spool.c
tests_unit_test_milter_spool_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_milter_spool_LDADD = $(MILTERSIDE_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_milter_decide
tests_unit_test_milter_decide_SOURCES = tests/unit/test_milter_decide.c
tests_unit_test_milter_decide_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_milter_decide_LDADD = $(MILTERSIDE_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_milter_commander
tests_unit_test_milter_commander_SOURCES = tests/unit/test_milter_commander.c
tests_unit_test_milter_commander_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_milter_commander_LDADD = $(MILTERSIDE_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_once
tests_unit_test_once_SOURCES = tests/unit/test_once.c
tests_unit_test_once_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_once_LDADD = $(MILTERSIDE_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_facts
tests_unit_test_facts_SOURCES = tests/unit/test_facts.c
tests_unit_test_facts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_facts_LDADD = $(FACTS_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_classify
tests_unit_test_classify_SOURCES = tests/unit/test_classify.c
tests_unit_test_classify_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_classify_LDADD = $(CLASSIFY_LIBS) $(FACTS_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

unit_programs += tests/unit/test_rules_shipped
tests_unit_test_rules_shipped_SOURCES = tests/unit/test_rules_shipped.c
tests_unit_test_rules_shipped_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rules_shipped_LDADD = $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(UNIT_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += $(unit_programs)
TESTS += $(unit_programs)
else
check-local:
	@echo 'cmocka was not found by configure, so no unit test was built; on Debian: apt-get install libcmocka-dev' >&2; exit 1
endif
