noinst_LIBRARIES += src/cli/libcmdclassify.a
src_cli_libcmdclassify_a_SOURCES = src/cli/cmd_classify.c src/cli/cmd_classify.h
src_cli_libcmdclassify_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
# "pullyu classify" and all below it, without control socket or daemon.
CMD_CLASSIFY_LIBS = src/cli/libcmdclassify.a $(POLICY_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) \
	$(CONF_LIBS) $(JANSSON_LIBS)
