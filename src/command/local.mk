noinst_LIBRARIES += src/command/libcommand.a
src_command_libcommand_a_SOURCES = \
	src/command/address.c src/command/address.h \
	src/command/form.c src/command/form.h \
	src/command/keys.c src/command/keys.h \
	src/command/read.c src/command/read.h \
	src/command/text.c src/command/text.h \
	src/command/token.c src/command/token.h \
	src/command/words.c src/command/words.h
src_command_libcommand_a_CPPFLAGS = $(AM_CPPFLAGS)
COMMAND_LIBS = src/command/libcommand.a
