# auth: Authentication-Results and SPF; the only home of libspf2.
noinst_LIBRARIES += src/auth/libauth.a
src_auth_libauth_a_SOURCES = \
	src/auth/auth.h \
	src/auth/names.c \
	src/auth/results.c \
	src/auth/spf.c
src_auth_libauth_a_CPPFLAGS = $(AM_CPPFLAGS)
AUTH_LIBS = src/auth/libauth.a $(SPF2_LIBS)
