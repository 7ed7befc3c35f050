/*
 * fs.c: see fs.h.
 */
#include <config.h>

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/fault.h"

enum rc fs_write_all(int fd, const void *data, size_t len, struct err *err)
{
	const char *p = data;
	if (fault_point("fs.write"))
		return err_errno(err, RC_TEMP, "write");
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return err_errno(err, RC_TEMP, "write");
		}
		p += n;
		len -= (size_t)n;
	}
	return RC_OK;
}

enum rc fs_sync_dir(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, RC_TEMP, "%s", path);
	int result = fsync(fd);
	if (result != 0)
		err_errno(err, RC_TEMP, "fsync %s", path);
	close(fd);
	return result == 0 ? RC_OK : RC_TEMP;
}

enum rc fs_mkdirs(const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? RC_OK
					   : err_set(err, RC_PERM, "%s: not a directory", path);
	char *parent = g_path_get_dirname(path);
	enum rc rc = strcmp(parent, path) == 0 ? RC_OK : fs_mkdirs(parent, mode, err);
	if (rc == RC_OK) {
		if (mkdir(path, mode) == 0)
			rc = fs_sync_dir(parent, err);
		else if (errno != EEXIST)
			rc = err_errno(err, RC_TEMP, "mkdir %s", path);
	}
	g_free(parent);
	return rc;
}

static enum rc write_temporary(
    int fd, const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	struct stat st;
	enum rc rc = fs_write_all(fd, data, len, err);
	if (rc != RC_OK)
		return rc;
	if (fchmod(fd, mode) != 0)
		return err_errno(err, RC_TEMP, "chmod");
	/* Only root may give a file away; for anyone else the owner is right already. */
	if (stat(path, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) != 0 && geteuid() == 0)
		return err_errno(err, RC_TEMP, "chown");
	if (fsync(fd) != 0)
		return err_errno(err, RC_TEMP, "fsync");
	return RC_OK;
}

enum rc fs_write_atomic(
    const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	char *dir = g_path_get_dirname(path);
	char *tmp = g_strdup_printf("%s.XXXXXX", path);
	enum rc rc;
	int fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0) {
		rc = err_errno(err, RC_TEMP, "%s", tmp);
		goto out;
	}
	rc = write_temporary(fd, path, data, len, mode, err);
	close(fd);
	if (rc == RC_OK && rename(tmp, path) != 0)
		rc = err_errno(err, RC_TEMP, "rename");
	if (rc != RC_OK) {
		unlink(tmp);
		err_prefix(err, rc, "%s", path);
		goto out;
	}
	rc = fs_sync_dir(dir, err);
out:
	g_free(tmp);
	g_free(dir);
	return rc;
}

enum rc fs_read(const char *path, size_t max, char **data_out, size_t *len_out, struct stat *st_out,
    struct err *err)
{
	struct stat st;
	char *data = NULL;
	size_t len = 0;
	enum rc rc = RC_OK;
	/* O_NONBLOCK: a FIFO put there by a user must not hang us before fstat tells. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(
		    err, errno == ENOENT || errno == ENOTDIR ? RC_NOTFOUND : RC_TEMP, "%s", path);
	if (fstat(fd, &st) != 0) {
		rc = err_errno(err, RC_TEMP, "%s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = err_set(err, RC_PERM, "%s: not a regular file", path);
		goto out;
	}
	data = g_malloc(max + 2);
	while (len <= max) {
		ssize_t n = read(fd, data + len, max + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = err_errno(err, RC_TEMP, "%s", path);
			goto out;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > max) {
		rc = err_set(err, RC_PERM, "%s: larger than %zu bytes", path, max);
		goto out;
	}
	data[len] = '\0';
	*data_out = g_realloc(data, len + 1);
	*len_out = len;
	if (st_out != NULL)
		*st_out = st;
	data = NULL;
out:
	g_free(data);
	close(fd);
	return rc;
}

enum rc fs_copy_rest(int from, int to, struct err *err)
{
	char buffer[65536];
	for (;;) {
		ssize_t n = read(from, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, RC_TEMP, "read");
		if (n == 0)
			return RC_OK;
		enum rc rc = fs_write_all(to, buffer, (size_t)n, err);
		if (rc != RC_OK)
			return rc;
	}
}
