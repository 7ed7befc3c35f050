noinst_LIBRARIES += src/store/libstore.a
src_store_libstore_a_SOURCES = \
	src/store/store.c src/store/store.h src/store/store_private.h \
	src/store/store_bdb.c src/store/store_bdb.h \
	src/store/store_bdb_open.c \
	src/store/store_bdb_repair.c \
	src/store/store_fail.c \
	src/store/store_known.c \
	src/store/store_maildir.c src/store/store_maildir.h \
	src/store/store_maildir_commit.c \
	src/store/store_maildir_dir.c \
	src/store/store_mem.c \
	src/store/store_note.c \
	src/store/store_rebuild.c \
	src/store/store_record.c
src_store_libstore_a_CPPFLAGS = $(AM_CPPFLAGS)
STORE_LIBS = src/store/libstore.a $(DB_LIBS)
