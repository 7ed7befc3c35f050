noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/addr.c src/base/addr.h \
	src/base/clock.c src/base/clock.h \
	src/base/fault.c src/base/fault.h \
	src/base/fs.c src/base/fs.h \
	src/base/hmac.c src/base/hmac.h \
	src/base/ini.h \
	src/base/log.c src/base/log.h \
	src/base/rc.c src/base/rc.h \
	src/base/siphash.c src/base/siphash.h \
	src/base/str.c src/base/str.h
src_base_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(IDN2_CFLAGS)
BASE_LIBS = src/base/libbase.a $(IDN2_LIBS) $(GLIB_LIBS)
