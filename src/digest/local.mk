# digest: see the headers in this directory for what it promises. compose.c, message.c, answer.c and
# excerpt.c alone use GMime; template.c, tree.c, html.c, answer_page.c, letter.c and snippet.c alone
# libxml2.
noinst_LIBRARIES += src/digest/libdigest.a
src_digest_libdigest_a_SOURCES = \
	src/digest/digest.h \
	src/digest/actions.c src/digest/actions.h \
	src/digest/answer.c src/digest/answer.h \
	src/digest/answer_page.c src/digest/answer_page.h \
	src/digest/answer_reason.c src/digest/answer_reason.h \
	src/digest/answer_words.c src/digest/answer_words.h \
	src/digest/clean.c src/digest/clean.h \
	src/digest/compose.c \
	src/digest/fields.c src/digest/fields.h \
	src/digest/excerpt.c src/digest/excerpt.h \
	src/digest/excerpts.c src/digest/excerpts.h \
	src/digest/guard.c src/digest/guard.h \
	src/digest/html.c src/digest/html.h \
	src/digest/mailto.c src/digest/mailto.h \
	src/digest/message.c src/digest/message.h \
	src/digest/origin.c src/digest/origin.h \
	src/digest/originals.c src/digest/originals.h \
	src/digest/out.c src/digest/out.h \
	src/digest/outline.c src/digest/outline.h \
	src/digest/outline_answer.c src/digest/outline_answer.h \
	src/digest/outline_items.c src/digest/outline_items.h \
	src/digest/page.h \
	src/digest/plain.c \
	src/digest/keep.c src/digest/keep.h \
	src/digest/letter.c src/digest/letter.h \
	src/digest/snippet.c src/digest/snippet.h \
	src/digest/template.c src/digest/template.h \
	src/digest/text.c src/digest/text.h \
	src/digest/threads.c src/digest/threads.h \
	src/digest/tree.c src/digest/tree.h \
	src/digest/words.c src/digest/words.h
nodist_src_digest_libdigest_a_SOURCES = src/digest/page.c
src_digest_libdigest_a_CPPFLAGS = $(AM_CPPFLAGS) $(GMIME_CFLAGS) $(XML_CFLAGS)
# It reads headers with facts, and what servers said of senders with auth.
DIGEST_LIBS = src/digest/libdigest.a $(FACTS_LIBS) $(AUTH_LIBS) $(GMIME_LIBS) $(XML_LIBS)

# The shipped template becomes part of the program, and is installed for admins to copy from.
PAGE_FILES = $(srcdir)/src/digest/page/digest.html $(srcdir)/src/digest/page/digest.css
CLEANFILES += src/digest/page.c
templatedir = $(pkgdatadir)/template
dist_template_DATA = src/digest/page/digest.html src/digest/page/digest.css
src/digest/page.c: $(PAGE_FILES) $(srcdir)/src/digest/local.mk
	$(AM_V_GEN)$(MKDIR_P) src/digest && { \
	  echo '#include "digest/page.h"'; \
	  for kind in html css; do \
	    echo "const char page_$$kind[] ="; \
	    $(SED) -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' \
	      $(srcdir)/src/digest/page/digest.$$kind && echo ';'; \
	  done; } > $@.tmp && mv $@.tmp $@
