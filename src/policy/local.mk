noinst_LIBRARIES += src/policy/libpolicy.a
src_policy_libpolicy_a_SOURCES = \
	src/policy/list.c src/policy/list.h \
	src/policy/list_edit.c \
	src/policy/list_line.c src/policy/list_line.h \
	src/policy/policy.c src/policy/policy.h \
	src/policy/rules_load.c src/policy/rules_load.h \
	src/policy/schedule.c src/policy/schedule.h \
	src/policy/user.c src/policy/user.h \
	src/policy/user_edit.c src/policy/user_edit.h \
	src/policy/user_file.c src/policy/user_file.h \
	src/policy/user_place.c src/policy/user_place.h
src_policy_libpolicy_a_CPPFLAGS = $(AM_CPPFLAGS)
POLICY_LIBS = src/policy/libpolicy.a
