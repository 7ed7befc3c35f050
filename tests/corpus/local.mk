# The labelled corpus, where there is one, and what it takes to judge it.
EXTRA_DIST += tests/corpus/report.py

EXTRA_DIST += tests/samples

# PULLYU_CORPUS=DIR make corpus-report
.PHONY: corpus-report
corpus-report: src/cli/pullyu$(EXEEXT)
	@test -n "$$PULLYU_CORPUS" || { echo 'set PULLYU_CORPUS to a directory with messages/ and labels.tsv' >&2; exit 1; }
	$(PYTHON) $(srcdir)/tests/corpus/report.py src/cli/pullyu$(EXEEXT) $(srcdir)/etc/rules.d "$$PULLYU_CORPUS"
