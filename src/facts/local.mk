noinst_LIBRARIES += src/facts/libfacts.a
src_facts_libfacts_a_SOURCES = \
	src/facts/facts.c src/facts/facts.h \
	src/facts/facts_addr.c \
	src/facts/facts_decode.c \
	src/facts/facts_derive.c src/facts/facts_derive.h \
	src/facts/facts_derive_what.c src/facts/facts_derive_who.c \
	src/facts/facts_names.h \
	src/facts/facts_private.h \
	src/facts/facts_read.c \
	src/facts/facts_shape.c src/facts/facts_shape.h
FACTS_LIBS = src/facts/libfacts.a
