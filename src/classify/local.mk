noinst_LIBRARIES += src/classify/libclassify.a
src_classify_libclassify_a_SOURCES = \
	src/classify/classify.c src/classify/classify.h \
	src/classify/fold.c src/classify/fold.h \
	src/classify/match.c src/classify/match.h \
	src/classify/phrases.c src/classify/phrases.h \
	src/classify/rules.h \
	src/classify/rules_build.c src/classify/rules_build.h \
	src/classify/rules_keys.c \
	src/classify/rules_link.c \
	src/classify/verdict.c src/classify/verdict.h
src_classify_libclassify_a_CPPFLAGS = $(AM_CPPFLAGS) $(PCRE2_CFLAGS)
CLASSIFY_LIBS = src/classify/libclassify.a $(PCRE2_LIBS) -lm
