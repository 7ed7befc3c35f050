# submit: the only home of libcurl.
noinst_LIBRARIES += src/submit/libsubmit.a
src_submit_libsubmit_a_SOURCES = src/submit/submit.c src/submit/submit.h
src_submit_libsubmit_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
SUBMIT_LIBS = src/submit/libsubmit.a $(CURL_LIBS)
