# digest: see the headers in this directory for what it promises. compose.c alone uses GMime,
# html.c alone libxml2.
noinst_LIBRARIES += src/digest/libdigest.a
src_digest_libdigest_a_SOURCES = \
	src/digest/digest.h \
	src/digest/clean.c src/digest/clean.h \
	src/digest/compose.c \
	src/digest/fields.c src/digest/fields.h \
	src/digest/guard.c src/digest/guard.h \
	src/digest/html.c src/digest/html.h \
	src/digest/originals.c src/digest/originals.h \
	src/digest/out.c src/digest/out.h \
	src/digest/outline.c src/digest/outline.h \
	src/digest/plain.c \
	src/digest/text.c src/digest/text.h \
	src/digest/words.c src/digest/words.h
src_digest_libdigest_a_CPPFLAGS = $(AM_CPPFLAGS) $(GMIME_CFLAGS) $(XML_CFLAGS)
DIGEST_LIBS = src/digest/libdigest.a $(GMIME_LIBS) $(XML_LIBS)
