# The labelled corpus, where there is one, and what it takes to judge it.
EXTRA_DIST += tests/corpus/report.py

EXTRA_DIST += tests/samples

# PULLYU_CORPUS=DIR make corpus-report
.PHONY: corpus-report
corpus-report: src/cli/pullyu$(EXEEXT)
	@test -n "$$PULLYU_CORPUS" || { echo 'set PULLYU_CORPUS to a directory with messages/ and labels.tsv' >&2; exit 1; }
	$(PYTHON) $(srcdir)/tests/corpus/report.py src/cli/pullyu$(EXEEXT) $(srcdir)/etc/rules.d "$$PULLYU_CORPUS"

EXTRA_DIST += tests/corpus/check tests/corpus/expected.json
TESTS += tests/corpus/check

# Made-up headers of many senders.
EXTRA_DIST += tests/corpus/made-up tests/corpus/made_up.py
TESTS += tests/corpus/made-up

# Verdicts a second on one core; build without sanitizers to measure.
EXTRA_PROGRAMS = tests/bench/verdicts
tests_bench_verdicts_SOURCES = tests/bench/verdicts.c
tests_bench_verdicts_LDADD = $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS)
# A lookup in a list of 10 entries and in one of 100,000.
EXTRA_PROGRAMS += tests/bench/lists
tests_bench_lists_SOURCES = tests/bench/lists.c
tests_bench_lists_LDADD = $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) $(BASE_LIBS)
CLEANFILES += $(EXTRA_PROGRAMS)
.PHONY: bench-classify
bench-classify: tests/bench/verdicts$(EXEEXT)
	tests/bench/verdicts$(EXEEXT) $(srcdir)/etc/rules.d 5 $(srcdir)/tests/samples/*.eml
	@test -z "$$PULLYU_CORPUS" || \
	tests/bench/verdicts$(EXEEXT) $(srcdir)/etc/rules.d 5 "$$PULLYU_CORPUS"/messages/*.eml

.PHONY: bench-lists
bench-lists: tests/bench/lists$(EXEEXT)
	tests/bench/lists$(EXEEXT)

# A fuzz target for facts and verdicts: tests/fuzz/run SECONDS, from the build directory.
EXTRA_DIST += tests/fuzz
