/*
 * submit_send.c: sends one file with submit_message, for tests/e2e/test_submit.py:
 *     submit_send HOST PORT TIMEOUT FROM RCPT FILE [OFFSET [HELO]]
 * Prints "RC CODE TEXT"; exits 0 whatever the result.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "submit/submit.h"

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr,
		    "usage: submit_send HOST PORT TIMEOUT FROM RCPT FILE [OFFSET [HELO]]\n");
		return 64;
	}
	struct submit_config config = {
	    .host = argv[1],
	    .port = atoi(argv[2]),
	    .timeout = atoi(argv[3]),
	    .helo = argc > 8 ? argv[8] : NULL,
	};
	struct submit_message message = {
	    .envelope_from = argv[4],
	    .rcpt = argv[5],
	    .fd = open(argv[6], O_RDONLY | O_CLOEXEC),
	    .offset = argc > 7 ? strtoull(argv[7], NULL, 10) : 0,
	};
	int code = 0;
	struct err err = {""};
	enum rc rc = submit_message(&config, &message, &code, &err);
	printf("%s %d %s\n", rc_name(rc), code, err.text);
	if (message.fd >= 0)
		close(message.fd);
	return 0;
}
