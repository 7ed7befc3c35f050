/*
 * user_file.c: see user_file.h.
 */
#include <config.h>

#include "policy/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

/* Coarsest time stamps of file systems in use (FAT), and more than the kernel's tick. */
enum { YOUNG_SECONDS = 2 };

void user_file_sig_set(struct user_file_sig *sig, int error, const struct stat *st)
{
	memset(sig, 0, sizeof(*sig));
	sig->error = error;
	if (error != 0)
		return;
	sig->dev = st->st_dev;
	sig->ino = st->st_ino;
	sig->size = st->st_size;
	sig->mtime = st->st_mtim;
	sig->ctime = st->st_ctim;
	/* The file system's clock, not the one that decisions are handed. */
	int64_t now = g_get_real_time() / G_USEC_PER_SEC;
	sig->young = st->st_ctim.tv_sec + YOUNG_SECONDS >= now;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool user_file_unchanged(const char *path, bool follow, const struct user_file_sig *sig)
{
	struct stat st;
	if ((follow ? stat(path, &st) : lstat(path, &st)) != 0)
		return errno == sig->error;
	return sig->error == 0 && !sig->young && st.st_dev == sig->dev && st.st_ino == sig->ino &&
	    st.st_size == sig->size && same_time(&st.st_mtim, &sig->mtime) &&
	    same_time(&st.st_ctim, &sig->ctime);
}

/* An administrator looks (pullyu check, run by root) at what pullyud has written as another user:
 * into a directory of that user's, where nobody else can put a file of his. */
static bool is_of_directory(int dir, const char *path, const struct stat *st)
{
	struct stat parent;
	if (geteuid() != 0)
		return false;
	char *name = g_path_get_dirname(path);
	bool same = fstatat(dir, name, &parent, 0) == 0 && parent.st_uid == st->st_uid &&
	    (parent.st_mode & S_IWOTH) == 0;
	g_free(name);
	return same;
}

static enum rc check(
    int dir, const char *path, const struct stat *st, size_t max, int64_t owner, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, RC_PERM, "not a regular file");
	if (st->st_uid != 0 && st->st_uid != geteuid() && (int64_t)st->st_uid != owner &&
	    !is_of_directory(dir, path, st))
		return err_set(err, RC_PERM,
		    "belongs to user id %lu: it must belong to the user "
		    "or to root",
		    (unsigned long)st->st_uid);
	if ((st->st_mode & S_IWOTH) != 0)
		return err_set(err, RC_PERM, "everybody may write to it: chmod o-w");
	if (st->st_size > (off_t)max)
		return err_set(err, RC_PERM, "larger than %zu bytes", max);
	return RC_OK;
}

static enum rc read_all(
    int fd, size_t size, size_t max, char **data_out, size_t *len_out, struct err *err)
{
	GString *data = g_string_sized_new(size + 1);
	char buffer[16384];
	for (;;) {
		ssize_t n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || data->len + (size_t)n > max) {
			int error = errno;
			g_string_free(data, TRUE);
			errno = error;
			return n < 0 ? err_errno(err, RC_TEMP, "cannot be read")
				     : err_set(err, RC_PERM, "larger than %zu bytes", max);
		}
		if (n == 0)
			break;
		g_string_append_len(data, buffer, n);
	}
	*len_out = data->len;
	*data_out = g_string_free(data, FALSE);
	return RC_OK;
}

enum rc user_file_read_at(int dir, const char *path, size_t max, int64_t owner, char **data_out,
    size_t *len_out, struct stat *st_out, struct user_file_sig *sig_out, struct err *err)
{
	struct stat st;
	/* The name first: the sig of a symbolic link is the link's, as lstat sees it later. */
	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		user_file_sig_set(sig_out, errno, NULL);
		return err_errno(err, errno == ENOENT || errno == ENOTDIR ? RC_NOTFOUND : RC_TEMP,
		    "cannot be read");
	}
	user_file_sig_set(sig_out, 0, &st);
	if (S_ISLNK(st.st_mode))
		return err_set(err, RC_PERM, "is a symbolic link: put the file itself there");
	/* Nobody can swap in a link, a FIFO or another's file now: the descriptor is what counts.
	 * O_NONBLOCK: opening a FIFO must not wait for a writer. */
	int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno == ENOENT || errno == ENOTDIR ? RC_NOTFOUND : RC_TEMP,
		    "cannot be read");
	enum rc rc = RC_OK;
	if (fstat(fd, &st) != 0)
		rc = err_errno(err, RC_TEMP, "cannot be read");
	else
		user_file_sig_set(sig_out, 0, &st);
	if (rc == RC_OK)
		rc = check(dir, path, &st, max, owner, err);
	if (rc == RC_OK)
		rc = read_all(fd, (size_t)st.st_size, max, data_out, len_out, err);
	if (rc == RC_OK && st_out != NULL)
		*st_out = st;
	close(fd);
	return rc;
}

enum rc user_file_read(const char *path, size_t max, int64_t owner, char **data_out,
    size_t *len_out, struct stat *st_out, struct user_file_sig *sig_out, struct err *err)
{
	return user_file_read_at(
	    AT_FDCWD, path, max, owner, data_out, len_out, st_out, sig_out, err);
}
