# The labelled corpus, where there is one, and what it takes to judge it.
check_PROGRAMS += tests/corpus/classify
tests_corpus_classify_SOURCES = tests/corpus/classify.c
tests_corpus_classify_LDADD = $(CMD_CLASSIFY_LIBS) $(BASE_LIBS)
EXTRA_DIST += tests/corpus/report.py

EXTRA_DIST += tests/samples

# PULLYU_CORPUS=DIR make corpus-report
.PHONY: corpus-report
corpus-report: tests/corpus/classify$(EXEEXT)
	@test -n "$$PULLYU_CORPUS" || { echo 'set PULLYU_CORPUS to a directory with messages/ and labels.tsv' >&2; exit 1; }
	/usr/bin/python3 $(srcdir)/tests/corpus/report.py tests/corpus/classify$(EXEEXT) $(srcdir)/etc/rules.d "$$PULLYU_CORPUS"
