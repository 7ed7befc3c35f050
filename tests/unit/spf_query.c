/*
 * spf_query.c: one SPF check through real DNS, for tests/e2e/test_spf.py:
 *     spf_query PORT CLIENT-IP HELO ENVELOPE-FROM
 * Prints "RESULT TEXT". libspf2 takes the servers of resolv.conf, which has no place for a port; so
 * this program has its own res_ninit, which libspf2 finds before the C library's, and sends every
 * question to 127.0.0.1, PORT.
 */
#include <config.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

#include "auth/auth.h"

static uint16_t dns_port;

int __res_ninit(res_state state)
{
	int (*real)(res_state);
	*(void **)&real = dlsym(RTLD_NEXT, "__res_ninit");
	if (real == NULL || real(state) != 0)
		return -1;
	state->nscount = 1;
	state->nsaddr_list[0].sin_family = AF_INET;
	state->nsaddr_list[0].sin_port = htons(dns_port);
	state->nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	state->retrans = 1;
	state->retry = 1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: spf_query PORT CLIENT-IP HELO ENVELOPE-FROM\n");
		return 64;
	}
	dns_port = (uint16_t)atoi(argv[1]);
	struct auth_spf_query query = {
	    .client_ip = argv[2], .helo = argv[3], .envelope_from = argv[4]};
	struct err err = {""};
	enum auth_spf result = auth_spf_check(&query, NULL, &err);
	printf("%s %s\n", auth_spf_name(result), err.text);
	return 0;
}
