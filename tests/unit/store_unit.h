/*
 * store_unit.h: a store in a temporary directory, for the tests of src/store.
 */
#ifndef PULLYU_TESTS_STORE_UNIT_H
#define PULLYU_TESTS_STORE_UNIT_H

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/fs.h"
#include "store/store.h"

struct world {
	char *dir, *users, *db, *incoming; /* own */
	struct store_config config;
	struct store *store; /* own; may be NULL */
	bool recovered;      /* by the last open */
};

static inline void world_remove_tree(const char *dir)
{
	char *command = g_strdup_printf("rm -rf '%s'", dir); /* our own g_dir_make_tmp */
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", dir);
	g_free(command);
}

static inline enum rc world_try_open(struct world *w, struct err *err)
{
	w->recovered = false;
	return store_open(&w->config, &w->store, &w->recovered, err);
}

static inline void world_open(struct world *w)
{
	struct err err;
	if (world_try_open(w, &err) != RC_OK)
		fail_msg("open: %s", err.text);
}

static inline void world_reopen(struct world *w)
{
	store_close(&w->store);
	world_open(w);
}

/* Directories in memory: for tests that do thousands of fsyncs, where only their order counts. */
static inline void world_use_memory(void)
{
	if (access("/dev/shm", W_OK | X_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
}

/* Not opened yet. */
static inline struct world *world_new(const char *msg_driver, const char *db_driver)
{
	struct world *w = g_new0(struct world, 1);
	w->dir = g_dir_make_tmp("pullyu-store-XXXXXX", NULL);
	assert_non_null(w->dir);
	w->users = g_build_filename(w->dir, "users", NULL);
	w->db = g_build_filename(w->dir, "db", NULL);
	w->incoming = g_build_filename(w->dir, "incoming", NULL);
	assert_int_equal(mkdir(w->incoming, 0700), 0);
	w->config = (struct store_config){.msg_driver = msg_driver,
	    .msg_path = w->users,
	    .db_driver = db_driver,
	    .db_path = w->db};
	return w;
}

static inline void world_free(struct world *w)
{
	store_close(&w->store);
	world_remove_tree(w->dir);
	g_free(w->incoming);
	g_free(w->db);
	g_free(w->users);
	g_free(w->dir);
	g_free(w);
}

/* A file in incoming/, of that name. g_free. */
static inline char *world_file(struct world *w, const char *name, const char *content)
{
	char *path = g_build_filename(w->incoming, name, NULL);
	assert_true(g_file_set_contents(path, content, -1, NULL));
	assert_int_equal(chmod(path, 0600), 0);
	return path;
}

static inline enum rc world_commit(
    struct world *w, const char *user, const char *id, const char *content)
{
	char *path = world_file(w, id, content);
	enum rc rc = store_msg_commit(w->store, user, id, path, NULL);
	g_free(path);
	return rc;
}

/* Appends "id/S/T/size " of each message. */
static inline bool world_note_msg(void *ctx, const struct store_msg *msg)
{
	g_string_append_printf(ctx, "%s%s%s/%d ", msg->id, msg->seen ? "/S" : "",
	    msg->trashed ? "/T" : "", (int)msg->size);
	return true;
}

static inline char *world_list(struct world *w, const char *user)
{
	GString *text = g_string_new(NULL);
	struct err err;
	enum rc rc = store_msg_list(w->store, user, world_note_msg, text, &err);
	if (rc != RC_OK)
		g_string_append_printf(text, "%s", rc_name(rc));
	return g_string_free(text, FALSE);
}

/* The content of a message, or the name of the result. g_free. */
static inline char *world_content(struct world *w, const char *user, const char *id)
{
	int fd = -1;
	char buffer[4096];
	enum rc rc = store_msg_open(w->store, user, id, &fd, NULL);
	if (rc != RC_OK)
		return g_strdup(rc_name(rc));
	ssize_t n = read(fd, buffer, sizeof(buffer) - 1);
	close(fd);
	buffer[n < 0 ? 0 : n] = '\0';
	return g_strdup(buffer);
}

/* A record in which every field says something. */
static inline struct store_held world_held(const char *id, int number)
{
	struct store_held held;
	memset(&held, 0, sizeof(held));
	g_strlcpy(held.id, id, sizeof(held.id));
	held.received = 1700000000 + number;
	held.size = 1000 + (uint64_t)number;
	held.lead = 200;
	held.score = 7.5 + number;
	g_strlcpy(held.class_name, "newsletter", sizeof(held.class_name));
	g_strlcpy(held.reasons, "list-id,precedence-bulk", sizeof(held.reasons));
	g_strlcpy(held.from_addr, "news@shop.example", sizeof(held.from_addr));
	g_strlcpy(held.from_name, "J\xc3\xb6rg's Shop", sizeof(held.from_name));
	g_snprintf(held.subject, sizeof(held.subject), "Offer %d", number);
	g_strlcpy(held.message_id, "<1@shop.example>", sizeof(held.message_id));
	g_strlcpy(held.list_id, "offers.shop.example", sizeof(held.list_id));
	g_strlcpy(held.return_path, "bounce@shop.example", sizeof(held.return_path));
	g_strlcpy(held.rcpt, "Ann+x@Example.org", sizeof(held.rcpt));
	return held;
}

static inline int world_same_held(
    const char *label, const struct store_held *got, const struct store_held *want)
{
	int failed = unit_str(label, got->id, want->id);
	failed += unit_num(label, got->received, want->received);
	failed += unit_num(label, (long long)got->size, (long long)want->size);
	failed += unit_num(label, got->lead, want->lead);
	failed += unit_num(label, (long long)(got->score * 1000), (long long)(want->score * 1000));
	failed += unit_str(label, got->class_name, want->class_name);
	failed += unit_str(label, got->reasons, want->reasons);
	failed += unit_str(label, got->from_addr, want->from_addr);
	failed += unit_str(label, got->from_name, want->from_name);
	failed += unit_str(label, got->subject, want->subject);
	failed += unit_str(label, got->message_id, want->message_id);
	failed += unit_str(label, got->list_id, want->list_id);
	failed += unit_str(label, got->return_path, want->return_path);
	failed += unit_str(label, got->rcpt, want->rcpt);
	return failed;
}

static inline bool world_note_held(void *ctx, const char *user, const struct store_held *held)
{
	g_string_append_printf(ctx, "%s/%s ", user, held->id);
	return true;
}

/* "user/id " of each index entry. g_free. */
static inline char *world_index(struct world *w, const char *user)
{
	GString *text = g_string_new(NULL);
	enum rc rc = store_held_scan(w->store, user, world_note_held, text, NULL);
	if (rc != RC_OK)
		g_string_append(text, rc_name(rc));
	return g_string_free(text, FALSE);
}

/* unit_str for a text that is freed. */
static inline int world_str(const char *label, char *got, const char *want)
{
	int failed = unit_str(label, got, want);
	g_free(got);
	return failed;
}

/* Describes the messages of these tests: "To: USER\n" and a text; anything else is not ours. */
static inline enum rc world_describe(void *ctx, int fd, const struct store_msg *msg,
    char user_out[ADDR_MAX], struct store_held *held_out, struct err *err)
{
	char buffer[1024];
	ssize_t n = read(fd, buffer, sizeof(buffer) - 1);
	buffer[n < 0 ? 0 : n] = '\0';
	if (ctx != NULL)
		(*(int *)ctx)++;
	if (strncmp(buffer, "To: ", 4) != 0 || strchr(buffer, '\n') == NULL)
		return err_set(err, RC_PERM, "%s: not one of ours", msg->id);
	*strchr(buffer, '\n') = '\0';
	g_strlcpy(user_out, buffer + 4, ADDR_MAX);
	*held_out = world_held("set by the store", 0);
	held_out->size = msg->size;
	return RC_OK;
}

#endif
