# End to end with pytest. Each file is one test of "make check"; it finds the programs through
# PULLYU_BUILDDIR.
TEST_EXTENSIONS = .py
PY_LOG_COMPILER = $(PYTHON) -B -m pytest
AM_PY_LOG_FLAGS = -q -p no:cacheprovider
AM_TESTS_ENVIRONMENT = PULLYU_BUILDDIR='$(abs_builddir)'; PULLYU_SRCDIR='$(abs_srcdir)'; \
	PULLYU_TEST_LOCALEDIR='$(abs_builddir)/po'; export PULLYU_BUILDDIR PULLYU_SRCDIR PULLYU_TEST_LOCALEDIR;
e2e_tests =
EXTRA_DIST += $(e2e_tests)
TESTS += $(e2e_tests)

e2e_tests += tests/e2e/test_submit.py
check_PROGRAMS += tests/unit/submit_send
tests_unit_submit_send_SOURCES = tests/unit/submit_send.c
tests_unit_submit_send_LDADD = $(SUBMIT_LIBS) $(BASE_LIBS)

e2e_tests += tests/e2e/test_spf.py
check_PROGRAMS += tests/unit/spf_query
tests_unit_spf_query_SOURCES = tests/unit/spf_query.c
tests_unit_spf_query_LDADD = $(AUTH_LIBS) $(BASE_LIBS)
e2e_tests += tests/e2e/test_cli.py tests/e2e/test_cli_explain.py

e2e_tests += tests/e2e/test_digest_mime.py tests/e2e/test_morning.py tests/e2e/test_readers.py
check_PROGRAMS += tests/unit/digest_write
tests_unit_digest_write_SOURCES = tests/unit/digest_write.c
tests_unit_digest_write_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_unit_digest_write_LDADD = $(DIGEST_LIBS) $(BASE_LIBS) $(JANSSON_LIBS)
EXTRA_DIST += tests/morning

# The tests of a whole mail site: a private Postfix, a private Dovecot and Pullyu between them. They
# want root and take minutes, so they have a target of their own; without root they are skipped.
site_tests = \
	tests/e2e/test_harness.py \
	tests/e2e/test_milter_postfix.py \
	tests/e2e/test_hold.py \
	tests/e2e/test_originals.py \
	tests/e2e/test_release_crash.py \
	tests/e2e/test_release_refused.py \
	tests/e2e/test_clock.py \
	tests/e2e/test_known.py \
	tests/e2e/test_bad_input.py \
	tests/e2e/test_site_shadow.py \
	tests/e2e/test_site_spf.py \
	tests/e2e/test_commands.py \
	tests/e2e/test_soak.py
EXTRA_DIST += $(site_tests) \
	tests/e2e/commanding.py \
	tests/e2e/conftest.py tests/e2e/harness.py tests/e2e/imapd.py tests/e2e/lifeline.py tests/e2e/messages.py \
	tests/e2e/morning.py tests/e2e/mta.py tests/e2e/ports.py tests/e2e/programs.py tests/e2e/smtpclient.py \
	tests/e2e/waiting.py

.PHONY: check-e2e
check-e2e: all
	$(AM_TESTS_ENVIRONMENT) cd $(srcdir) && \
	$(PYTHON) -B -m pytest -p no:cacheprovider $(PYTEST_FLAGS) $(site_tests)

# The milter through its socket, with an MTA of our own.
e2e_tests += tests/e2e/test_milter.py tests/e2e/test_commander.py
e2e_tests += tests/e2e/test_shadow.py
EXTRA_DIST += tests/e2e/fakepullyud.py tests/e2e/miltertalk.py tests/e2e/tsan.supp

# Slots against Python's reading of the zone data.
e2e_tests += tests/e2e/test_schedule_oracle.py
check_PROGRAMS += tests/unit/schedule_print
tests_unit_schedule_print_SOURCES = tests/unit/schedule_print.c
tests_unit_schedule_print_LDADD = $(POLICY_LIBS) $(CONF_LIBS) $(BASE_LIBS)
