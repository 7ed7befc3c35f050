/*
 * store_fail.c: drivers that open and then fail every operation with RC_TEMP, so that callers can
 * be tried against a store that does not answer.
 */
#include <config.h>

#include "store/store_private.h"

static enum rc fail(struct err *err)
{
	return err_set(err, RC_TEMP, "the store driver \"fail\" fails");
}

static enum rc fail_msg_open(const char *path, void **self_out, struct err *err)
{
	(void)path, (void)err;
	*self_out = NULL;
	return RC_OK;
}

static void fail_close(void *self)
{
	(void)self;
}

static enum rc fail_msg_commit(
    void *self, const char *folder, const char *id, const char *path, struct err *err)
{
	(void)self, (void)folder, (void)id, (void)path;
	return fail(err);
}

static enum rc fail_msg_list(void *self, const char *folder, GArray *msgs, struct err *err)
{
	(void)self, (void)folder, (void)msgs;
	return fail(err);
}

static enum rc fail_msg_open_msg(
    void *self, const char *folder, const char *id, int *fd_out, struct err *err)
{
	(void)self, (void)folder, (void)id, (void)fd_out;
	return fail(err);
}

static enum rc fail_msg_remove(void *self, const char *folder, const char *id, struct err *err)
{
	(void)self, (void)folder, (void)id;
	return fail(err);
}

static enum rc fail_msg_folders(void *self, store_folder_fn *fn, void *ctx, struct err *err)
{
	(void)self, (void)fn, (void)ctx;
	return fail(err);
}

const struct store_msg_driver store_fail_msg_driver = {
    .name = "fail",
    .open = fail_msg_open,
    .close = fail_close,
    .commit = fail_msg_commit,
    .list = fail_msg_list,
    .open_msg = fail_msg_open_msg,
    .remove = fail_msg_remove,
    .folders = fail_msg_folders,
};

static enum rc fail_db_open(const char *path, void **self_out, bool *reset_out, struct err *err)
{
	(void)path, (void)reset_out, (void)err;
	*self_out = NULL;
	return RC_OK;
}

static enum rc fail_db_get(
    void *self, enum store_table table, struct store_bytes key, GByteArray *value, struct err *err)
{
	(void)self, (void)table, (void)key, (void)value;
	return fail(err);
}

static enum rc fail_db_put(void *self, enum store_table table, struct store_bytes key,
    struct store_bytes value, struct err *err)
{
	(void)self, (void)table, (void)key, (void)value;
	return fail(err);
}

static enum rc fail_db_del(
    void *self, enum store_table table, struct store_bytes key, struct err *err)
{
	(void)self, (void)table, (void)key;
	return fail(err);
}

static enum rc fail_db_scan(void *self, enum store_table table, struct store_bytes prefix,
    store_record_fn *fn, void *ctx, struct err *err)
{
	(void)self, (void)table, (void)prefix, (void)fn, (void)ctx;
	return fail(err);
}

static enum rc fail_db_op(void *self, struct err *err)
{
	(void)self;
	return fail(err);
}

const struct store_db_driver store_fail_db_driver = {
    .name = "fail",
    .open = fail_db_open,
    .close = fail_close,
    .get = fail_db_get,
    .put = fail_db_put,
    .del = fail_db_del,
    .scan = fail_db_scan,
    .begin = fail_db_op,
    .commit = fail_db_op,
    .abort = fail_close,
    .checkpoint = fail_db_op,
};
