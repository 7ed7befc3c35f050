/*
 * incoming.c: takes what the milter has put into incoming/ to the users' digest folders and into
 * the index. The order makes it safe: the file is renamed durably first, indexed second; a crash in
 * between is mended at start, when index and folders are compared.
 */
#include <config.h>

#include "daemon/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib-unix.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/describe.h"

enum { BATCH = 100, RESCAN_SECONDS = 10, STRANGE_SECONDS = 3600 };

static void complain(struct daemon *d, const char *name, const char *why)
{
	if (g_hash_table_contains(d->strange, name))
		return;
	g_hash_table_add(d->strange, g_strdup(name));
	log_error("%s/%s: %s; left where it is", d->incoming, name, why);
}

static enum rc examine(struct daemon *d, const char *path, const char *name, char user[ADDR_MAX],
    struct store_held *held, struct err *err)
{
	struct store_msg msg = {0};
	struct stat st;
	if (!str_copy(msg.id, sizeof(msg.id), name))
		return err_set(err, RC_PERM, "the name is too long");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_errno(err, errno == ELOOP ? RC_PERM : RC_TEMP, "open");
	enum rc rc;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		rc = err_set(err, RC_PERM, "not a regular file");
	} else {
		msg.size = (uint64_t)st.st_size;
		rc = describe(d->users, fd, &msg, user, held, err);
	}
	close(fd);
	return rc;
}

/* One file. Whatever fails, the file stays and is tried again. */
static enum rc take(struct daemon *d, const char *name, struct err *err)
{
	char user[ADDR_MAX];
	struct store_held held;
	char *path = g_build_filename(d->incoming, name, NULL);
	enum rc rc = examine(d, path, name, user, &held, err);
	if (rc == RC_PERM) {
		struct err inner;
		rc = commands_take(d, path, name, &inner);
		if (rc == RC_PERM) {
			complain(d, name, err->text);
			rc = RC_OK;
		} else if (rc != RC_OK) {
			*err = inner;
		}
		goto out;
	}
	if (rc != RC_OK)
		goto out;
	fault_point("incoming.before_commit");
	enum rc committed = store_msg_commit(d->store, user, name, path, err);
	fault_point("incoming.after_commit");
	if (committed != RC_OK && access(path, F_OK) == 0) {
		rc = committed;
		goto out;
	}
	/* Gone from here means: it is in the folder, although perhaps not durably yet. Nobody would
	 * look at it again, so it counts as held. */
	rc = store_held_put(d->store, user, &held, committed == RC_OK ? err : NULL);
	if (rc == RC_OK) {
		d->counters.indexed++;
		rc = committed;
	}
	/* Indexed or not, the message is in the folder, where a release finds it. */
	releases_held(d->releases, user, MIN(held.received, clock_now()));
out:
	g_free(path);
	return rc;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *names(const struct daemon *d)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	DIR *dir = opendir(d->incoming);
	struct dirent *e;
	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && !g_hash_table_contains(d->strange, e->d_name))
			g_ptr_array_add(all, g_strdup(e->d_name));
	if (dir != NULL)
		closedir(dir);
	g_ptr_array_sort(all, by_name);
	return all;
}

size_t incoming_count(const struct daemon *d)
{
	GPtrArray *all = names(d);
	size_t n = all->len;
	g_ptr_array_free(all, TRUE);
	return n;
}

/* One transaction. A file that cannot be taken now does not stand in the way of others. */
static void take_range(struct daemon *d, const GPtrArray *all, guint start, guint end)
{
	struct err err;
	enum rc rc = store_begin(d->store, &err);
	for (guint i = start; i < end && rc == RC_OK; i++) {
		rc = take(d, all->pdata[i], &err);
		if (rc == RC_TEMP || rc == RC_NOTFOUND || rc == RC_PERM) {
			log_warning("%s: %s", (const char *)all->pdata[i], err.text);
			rc = RC_OK; /* the timer tries it again */
		}
	}
	if (rc == RC_OK)
		rc = store_commit(d->store, &err);
	else
		store_abort(d->store);
	if (rc != RC_OK) {
		log_warning("incoming: %s", err.text);
		daemon_check_store(d, rc, &err);
	}
}

/* Up to BATCH messages of the listing, which is made anew when it is used up; returns whether there
 * are more. The milter's questions are answered in between. */
static bool take_batch(struct daemon *d)
{
	if (d->incoming_names == NULL) {
		d->incoming_names = names(d);
		d->incoming_next = 0;
	}
	guint end = MIN(d->incoming_next + BATCH, d->incoming_names->len);
	if (d->incoming_next < end) {
		take_range(d, d->incoming_names, d->incoming_next, end);
		ops_tick_soon(d);
	}
	d->incoming_next = end;
	if (end < d->incoming_names->len)
		return true;
	g_ptr_array_free(d->incoming_names, TRUE);
	d->incoming_names = NULL;
	if (!d->caught_up) {
		d->caught_up = true;
		ops_tick_soon(d);
	}
	return false;
}

void incoming_take_all(struct daemon *d)
{
	g_hash_table_remove_all(d->strange);
	GPtrArray *all = names(d);
	for (guint i = 0; i < all->len; i += BATCH)
		take_range(d, all, i, MIN(i + BATCH, all->len));
	g_ptr_array_free(all, TRUE);
}

size_t incoming_left(struct daemon *d)
{
	return incoming_count(d) + g_hash_table_size(d->strange);
}

static gboolean on_soon(gpointer data);

static void schedule(struct daemon *d)
{
	if (d->incoming_source == 0)
		d->incoming_source = g_idle_add(on_soon, d);
}

static gboolean on_soon(gpointer data)
{
	struct daemon *d = data;
	d->incoming_source = 0;
	if (d->stopping)
		return G_SOURCE_REMOVE;
	if (d->incoming_names == NULL)
		d->incoming_more = false;
	if (take_batch(d) || d->incoming_more)
		schedule(d);
	return G_SOURCE_REMOVE;
}

void incoming_soon(struct daemon *d)
{
	/* What comes while a listing is worked through wants another one. */
	d->incoming_more = d->incoming_names != NULL;
	schedule(d);
}

static gboolean on_inotify(gint fd, GIOCondition condition, gpointer data)
{
	char buffer[16384] __attribute__((aligned(8)));
	(void)condition;
	/* What it says does not matter: the directory is read anyway. */
	while (read(fd, buffer, sizeof(buffer)) > 0)
		continue;
	incoming_soon(data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_timer(gpointer data)
{
	struct daemon *d = data;
	/* What was no message of ours may be one by another configuration. */
	if (clock_mono_ms() - d->strange_since > STRANGE_SECONDS * 1000) {
		d->strange_since = clock_mono_ms();
		g_hash_table_remove_all(d->strange);
		commands_soon(d);
	}
	incoming_soon(d);
	return G_SOURCE_CONTINUE;
}

enum rc incoming_watch(struct daemon *d, struct err *err)
{
	d->strange_since = clock_mono_ms();
	d->strange = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	d->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (d->inotify < 0)
		return err_errno(err, RC_TEMP, "inotify");
	if (inotify_add_watch(d->inotify, d->incoming, IN_MOVED_TO) < 0)
		return err_errno(err, RC_TEMP, "inotify: %s", d->incoming);
	g_unix_fd_add(d->inotify, G_IO_IN, on_inotify, d);
	g_timeout_add_seconds(RESCAN_SECONDS, on_timer, d);
	incoming_soon(d);
	return RC_OK;
}

void incoming_end(struct daemon *d)
{
	if (d->inotify >= 0)
		close(d->inotify);
	if (d->strange != NULL)
		g_hash_table_destroy(d->strange);
	if (d->incoming_names != NULL)
		g_ptr_array_free(d->incoming_names, TRUE);
}
