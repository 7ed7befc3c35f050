noinst_LIBRARIES += src/control/libcontrol.a
src_control_libcontrol_a_SOURCES = \
	src/control/client.c src/control/control.h \
	src/control/server.c src/control/server.h \
	src/control/wire.c src/control/wire.h
src_control_libcontrol_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
CONTROL_LIBS = src/control/libcontrol.a $(JANSSON_LIBS)
