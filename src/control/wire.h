/*
 * wire.h: bytes on a control connection, for both ends: one line out, possibly with a descriptor,
 * and whatever came in.
 */
#ifndef PULLYU_CONTROL_WIRE_H
#define PULLYU_CONTROL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/rc.h"

/* RC_PERM if the path does not fit into a socket address. */
enum rc wire_address(const char *path, struct sockaddr_un *address_out, struct err *err);
/* sendmsg without SIGPIPE; fd -1: none. As send(2): the number of bytes taken, or -1 and errno. The
 * descriptor goes with the first byte. */
ssize_t wire_send(int sock, const char *data, size_t len, int fd);
/* recvmsg; *fd_out is set to a received descriptor (close-on-exec) and left alone otherwise; a
 * second one is closed. As recv(2). */
ssize_t wire_receive(int sock, char *data, size_t len, int *fd_out);

#endif
