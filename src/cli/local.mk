# pullyu, the command line.
bin_PROGRAMS += src/cli/pullyu
src_cli_pullyu_SOURCES = \
	src/cli/call.c src/cli/call.h \
	src/cli/cmd_check.c \
	src/cli/cmd_classify.c \
	src/cli/cmd_daemon.c \
	src/cli/cmd_explain.c \
	src/cli/cmd_held.c \
	src/cli/cmd_lists.c \
	src/cli/cmd_next.c \
	src/cli/cmd_report.c \
	src/cli/commands.c src/cli/commands.h \
	src/cli/explain.c src/cli/explain.h \
	src/cli/main.c \
	src/cli/next_words.c src/cli/next_words.h \
	src/cli/out.c src/cli/out.h \
	src/cli/verdict_out.c src/cli/verdict_out.h
src_cli_pullyu_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
src_cli_pullyu_LDADD = $(CONTROL_LIBS) $(POLICY_LIBS) $(CLASSIFY_LIBS) src/auth/libauth.a $(DIGEST_LIBS) $(FACTS_LIBS) $(CONF_LIBS) \
	$(BASE_LIBS)
