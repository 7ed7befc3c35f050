noinst_LIBRARIES += src/release/librelease.a
src_release_librelease_a_SOURCES = \
	src/release/ledger.c src/release/ledger.h \
	src/release/release.c src/release/release.h \
	src/release/release_batch.c src/release/release_held.c \
	src/release/release_private.h \
	src/release/releases.c
src_release_librelease_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
RELEASE_LIBS = src/release/librelease.a $(JANSSON_LIBS)
