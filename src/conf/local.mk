noinst_LIBRARIES += src/conf/libconf.a
src_conf_libconf_a_SOURCES = \
	src/conf/conf.c src/conf/conf.h \
	src/conf/dates.c src/conf/dates.h \
	src/conf/ini.c src/conf/ini.h \
	src/conf/problems.c src/conf/problems.h \
	src/conf/settings.c src/conf/settings.h src/conf/settings_options.h \
	src/conf/settings_edit.c src/conf/settings_edit.h \
	src/conf/table.c src/conf/table.h \
	src/conf/times.c src/conf/times.h \
	src/conf/value.c src/conf/value.h \
	src/conf/zone.c src/conf/zone.h
src_conf_libconf_a_CPPFLAGS = $(AM_CPPFLAGS)
CONF_LIBS = src/conf/libconf.a $(INIPARSER_LIBS)
