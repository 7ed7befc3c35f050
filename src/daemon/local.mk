sbin_PROGRAMS += src/daemon/pullyud
src_daemon_pullyud_SOURCES = \
	src/daemon/daemon.h \
	src/daemon/command_answer.c \
	src/daemon/command_do.c \
	src/daemon/command_links.c \
	src/daemon/command_send.c \
	src/daemon/command_settings.c \
	src/daemon/commands.c src/daemon/commands.h \
	src/daemon/describe.c src/daemon/describe.h \
	src/daemon/incoming.c \
	src/daemon/job.c src/daemon/job.h \
	src/daemon/kept.c \
	src/daemon/learn.c \
	src/daemon/lists.c src/daemon/lists.h \
	src/daemon/main.c \
	src/daemon/ops.c \
	src/daemon/serve.c \
	src/daemon/serve_shadow.c \
	src/daemon/shadow.c src/daemon/shadow.h \
	src/daemon/shadow_record.c \
	src/daemon/worker.c src/daemon/worker.h
src_daemon_pullyud_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
src_daemon_pullyud_LDADD = $(RELEASE_LIBS) $(COMMAND_LIBS) $(CONTROL_LIBS) $(POLICY_LIBS) $(DIGEST_LIBS) \
	$(SUBMIT_LIBS) $(AUTH_LIBS) $(STORE_LIBS) $(CLASSIFY_LIBS) $(FACTS_LIBS) $(CONF_LIBS) \
	$(BASE_LIBS)
