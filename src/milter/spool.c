/*
 * spool.c: see spool.h. A file is the lead (CRLF lines: our trace fields, made by lead.c), then the
 * message as the MTA gave it.
 */
#include <config.h>

#include "milter/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/fault.h"
#include "base/fs.h"

enum { HOST_MAX = 60, COPIES_MAX = 100000 };

struct spool_file {
	char name[SPOOL_NAME_MAX];
	int fd;      /* own; -1 once closed */
	bool landed; /* its name stands in incoming, no longer in tmp */
};

struct spool {
	char *tmp, *incoming; /* own */
	char host[HOST_MAX + 1];
	int64_t now_usec;
	GArray *files;   /* own; of struct spool_file; the first is the one written to */
	size_t lead_len; /* of the first file */
	bool committed;
};

/* A step of the hold; errno tells why it failed. */
#define STEP(name, what) \
	(!fault_point("milter.hold." name) && (what) && !fault_point("milter.hold.after_" name))

enum rc spool_prepare(const char *dir, struct err *err)
{
	static const char *const parts[] = {"tmp", "incoming"};
	enum rc rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < G_N_ELEMENTS(parts); i++) {
		char *path = g_build_filename(dir, parts[i], NULL);
		rc = fs_mkdirs(path, 0770, err);
		if (rc == RC_OK && access(path, R_OK | W_OK | X_OK) != 0)
			rc = err_errno(err, RC_PERM, "%s", path);
		g_free(path);
	}
	return rc;
}

unsigned spool_clean(const char *dir, int64_t before)
{
	char *path = g_build_filename(dir, "tmp", NULL);
	DIR *d = opendir(path);
	unsigned removed = 0;
	struct dirent *entry;
	struct stat st;
	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime < before &&
		    unlinkat(dirfd(d), entry->d_name, 0) == 0)
			removed++;
	}
	if (d != NULL)
		closedir(d);
	g_free(path);
	return removed;
}

static enum rc write_step(struct spool_file *file, const void *data, size_t len, struct err *err)
{
	if (fault_point("milter.hold.write"))
		return err_errno(err, RC_TEMP, "%s", file->name);
	enum rc rc = fs_write_all(file->fd, data, len, err);
	if (rc != RC_OK)
		return err_prefix(err, rc, "%s", file->name);
	if (fault_point("milter.hold.after_write"))
		return err_errno(err, RC_TEMP, "%s", file->name);
	return RC_OK;
}

/* Makes a file of a new name in tmp and writes its lead. */
static enum rc add_file(struct spool *spool, const char *lead, size_t lead_len, struct err *err)
{
	static atomic_uint sequence;
	struct spool_file file = {.fd = -1};
	snprintf(file.name, sizeof(file.name), "%lld.M%06dP%ldQ%u.%s",
	    (long long)(spool->now_usec / G_USEC_PER_SEC), (int)(spool->now_usec % G_USEC_PER_SEC),
	    (long)getpid(), atomic_fetch_add(&sequence, 1), spool->host);
	char *path = g_build_filename(spool->tmp, file.name, NULL);
	/* Readable for the group: pullyud may run as another user of the same group. */
	if (!STEP(
		"open", (file.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660)) >= 0)) {
		enum rc rc = err_errno(err, RC_TEMP, "%s", path);
		if (file.fd >= 0) {
			close(file.fd);
			unlink(path);
		}
		g_free(path);
		return rc;
	}
	g_free(path);
	g_array_append_val(spool->files, file);
	return write_step(&g_array_index(spool->files, struct spool_file, spool->files->len - 1),
	    lead, lead_len, err);
}

enum rc spool_new(const char *dir, const char *host, int64_t now_usec, const char *lead,
    size_t lead_len, struct spool **spool_out, struct err *err)
{
	struct spool *spool = g_new0(struct spool, 1);
	spool->tmp = g_build_filename(dir, "tmp", NULL);
	spool->incoming = g_build_filename(dir, "incoming", NULL);
	for (size_t i = 0; host[i] != '\0' && i < HOST_MAX; i++)
		spool->host[i] =
		    g_ascii_isalnum(host[i]) || strchr(".-", host[i]) != NULL ? host[i] : '_';
	spool->now_usec = now_usec;
	spool->files = g_array_new(FALSE, FALSE, sizeof(struct spool_file));
	spool->lead_len = lead_len;
	enum rc rc = add_file(spool, lead, lead_len, err);
	if (rc == RC_OK)
		*spool_out = spool;
	else
		spool_free(&spool);
	return rc;
}

enum rc spool_write(struct spool *spool, const void *data, size_t len, struct err *err)
{
	return write_step(&g_array_index(spool->files, struct spool_file, 0), data, len, err);
}

/* Written for good; a message for hundreds of recipients must not keep as many descriptors. */
static enum rc sync_file(struct spool_file *file, struct err *err)
{
	if (!STEP("fsync", fsync(file->fd) == 0))
		return err_errno(err, RC_TEMP, "fsync %s", file->name);
	/* Some file systems report a failed write only here. */
	int result = close(file->fd);
	file->fd = -1;
	return result == 0 ? RC_OK : err_errno(err, RC_TEMP, "close %s", file->name);
}

enum rc spool_copy(struct spool *spool, const char *lead, size_t lead_len, struct err *err)
{
	if (spool->files->len >= COPIES_MAX)
		return err_set(err, RC_TEMP, "more than %d copies", COPIES_MAX);
	enum rc rc = add_file(spool, lead, lead_len, err);
	if (rc != RC_OK)
		return rc;
	struct spool_file *first = &g_array_index(spool->files, struct spool_file, 0);
	struct spool_file *last =
	    &g_array_index(spool->files, struct spool_file, spool->files->len - 1);
	if (!STEP("copy", lseek(first->fd, (off_t)spool->lead_len, SEEK_SET) >= 0))
		return err_errno(err, RC_TEMP, "%s", first->name);
	rc = fs_copy_rest(first->fd, last->fd, err);
	return rc == RC_OK ? sync_file(last, err) : err_prefix(err, rc, "%s", last->name);
}

static enum rc land_files(struct spool *spool, struct err *err)
{
	for (guint i = 0; i < spool->files->len; i++) {
		struct spool_file *file = &g_array_index(spool->files, struct spool_file, i);
		char *from = g_build_filename(spool->tmp, file->name, NULL);
		char *to = g_build_filename(spool->incoming, file->name, NULL);
		/* Names are unique, so rename replaces nothing. */
		bool done = STEP("rename", (file->landed = rename(from, to) == 0));
		enum rc rc = done ? RC_OK : err_errno(err, RC_TEMP, "rename to %s", to);
		g_free(from);
		g_free(to);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc spool_commit(struct spool *spool, struct err *err)
{
	enum rc rc = sync_file(&g_array_index(spool->files, struct spool_file, 0), err);
	if (rc == RC_OK)
		rc = land_files(spool, err);
	if (rc != RC_OK)
		return rc;
	if (fault_point("milter.hold.dirsync"))
		return err_errno(err, RC_TEMP, "fsync %s", spool->incoming);
	rc = fs_sync_dir(spool->incoming, err);
	if (rc == RC_OK && fault_point("milter.hold.after_dirsync"))
		rc = err_errno(err, RC_TEMP, "fsync %s", spool->incoming);
	/* From here on the copies are safe and their recipients may be taken off the message. */
	spool->committed = rc == RC_OK;
	return rc;
}

void spool_free(struct spool **spool)
{
	struct spool *s = *spool;
	if (s == NULL)
		return;
	for (guint i = 0; i < s->files->len; i++) {
		struct spool_file *file = &g_array_index(s->files, struct spool_file, i);
		if (file->fd >= 0)
			close(file->fd);
		if (s->committed)
			continue;
		char *path =
		    g_build_filename(file->landed ? s->incoming : s->tmp, file->name, NULL);
		unlink(path);
		g_free(path);
	}
	g_array_free(s->files, TRUE);
	g_free(s->tmp);
	g_free(s->incoming);
	g_free(s);
	*spool = NULL;
}
