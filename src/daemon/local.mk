sbin_PROGRAMS += src/daemon/pullyud
src_daemon_pullyud_SOURCES = \
	src/daemon/daemon.h \
	src/daemon/describe.c src/daemon/describe.h \
	src/daemon/incoming.c \
	src/daemon/job.c src/daemon/job.h \
	src/daemon/lists.c src/daemon/lists.h \
	src/daemon/main.c \
	src/daemon/ops.c \
	src/daemon/serve.c \
	src/daemon/worker.c src/daemon/worker.h
src_daemon_pullyud_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
src_daemon_pullyud_LDADD = $(RELEASE_LIBS) $(CONTROL_LIBS) $(POLICY_LIBS) $(DIGEST_LIBS) \
	$(SUBMIT_LIBS) $(AUTH_LIBS) $(STORE_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) \
	$(BASE_LIBS)
