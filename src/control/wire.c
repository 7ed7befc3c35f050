/*
 * wire.c: see wire.h.
 */
#include <config.h>

#include "control/wire.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum rc wire_address(const char *path, struct sockaddr_un *address_out, struct err *err)
{
	if (strlen(path) >= sizeof(address_out->sun_path))
		return err_set(err, RC_PERM, "%s: longer than the %zu bytes a socket path may have",
		    path, sizeof(address_out->sun_path) - 1);
	memset(address_out, 0, sizeof(*address_out));
	address_out->sun_family = AF_UNIX;
	strcpy(address_out->sun_path, path);
	return RC_OK;
}

union control_buffer {
	struct cmsghdr header; /* for its alignment */
	char space[CMSG_SPACE(sizeof(int) * 4)];
};

ssize_t wire_send(int sock, const char *data, size_t len, int fd)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	union control_buffer buffer;
	if (fd >= 0) {
		memset(&buffer, 0, sizeof(buffer));
		message.msg_control = buffer.space;
		message.msg_controllen = CMSG_SPACE(sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	return sendmsg(sock, &message, MSG_NOSIGNAL);
}

ssize_t wire_receive(int sock, char *data, size_t len, int *fd_out)
{
	struct iovec iov = {.iov_base = data, .iov_len = len};
	union control_buffer buffer;
	struct msghdr message = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = buffer.space,
	    .msg_controllen = sizeof(buffer.space)};
	bool taken = false;
	ssize_t n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (taken || *fd_out >= 0) {
				close(fd);
			} else {
				*fd_out = fd;
				taken = true;
			}
		}
	}
	return n;
}
