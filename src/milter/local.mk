# pullyu-milter. Everything but main.c is a library, so that unit tests can link against it.
noinst_LIBRARIES += src/milter/libmilterside.a
src_milter_libmilterside_a_SOURCES = \
	src/milter/ask.c src/milter/ask.h \
	src/milter/commander.c src/milter/commander.h \
	src/milter/decide.c src/milter/decide.h \
	src/milter/lead.c src/milter/lead.h \
	src/milter/listener.c src/milter/listener.h \
	src/milter/message.c src/milter/message.h src/milter/message_private.h \
	src/milter/message_command.c \
	src/milter/notify.c src/milter/notify.h \
	src/milter/once.c src/milter/once.h \
	src/milter/session.c src/milter/session.h \
	src/milter/snapshot.c src/milter/snapshot.h \
	src/milter/spool.c src/milter/spool.h
src_milter_libmilterside_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(MILTER_CFLAGS)

sbin_PROGRAMS += src/milter/pullyu-milter
src_milter_pullyu_milter_SOURCES = src/milter/main.c
src_milter_pullyu_milter_CPPFLAGS = $(AM_CPPFLAGS)
# Of auth and digest only what needs neither libspf2 nor GMime: the libraries are named without those
# that they themselves use, so that the link fails should that change.
MILTERSIDE_LIBS = src/milter/libmilterside.a src/control/libcontrol.a src/digest/libdigest.a \
	$(COMMAND_LIBS) $(POLICY_LIBS) $(CLASSIFY_LIBS) src/auth/libauth.a $(FACTS_LIBS) $(CONF_LIBS) \
	$(JANSSON_LIBS) $(MILTER_LIBS) -lpthread
src_milter_pullyu_milter_LDADD = $(MILTERSIDE_LIBS) $(BASE_LIBS)
