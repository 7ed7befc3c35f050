/*
 * addr.h: e-mail addresses (RFC 5321 section 4.1.2, RFC 6531) as keys. Thread-safe.
 *
 * A normalised address is "local@domain": quotes removed where the local part needs none, the
 * domain lower-cased and in A-labels (IDNA 2008 with UTS #46 mapping, non-transitional), the
 * local part lower-cased (Unicode) unless asked otherwise, the address extension removed where
 * asked. At most ADDR_MAX - 1 bytes; no control characters; exactly one unquoted "@".
 */
#ifndef PULLYU_BASE_ADDR_H
#define PULLYU_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"

enum {
	ADDR_MAX = 321,      /* 64 + "@" + 255 + NUL: RFC 5321 section 4.5.3.1 */
	ADDR_PATH_MAX = 512, /* a path part as addr_path makes it, and its NUL */
};

struct addr_opts {
	const char *delimiters; /* characters that start an address extension; "" or NULL: none */
	bool keep_case;         /* do not lower-case the local part */
};

/* in: "<a@b>" or "a@b", as in RCPT TO. RC_PERM if it is not an address. opts may be NULL:
 * lower-case, keep the extension. The extension is the part from the first delimiter that is not
 * the first character of the local part; quoted local parts keep theirs. */
enum rc addr_normalise(
    const char *in, const struct addr_opts *opts, char out[ADDR_MAX], struct err *err);

/* Lower-case A-label form of a domain name of at most 253 bytes. RC_PERM if it is none. */
enum rc addr_domain_normalise(const char *in, char *out, size_t size, struct err *err);

/* The part behind the last "@"; "" if there is none. Borrowed from address. */
const char *addr_domain(const char *address);

/* Whether domain is parent, or lies below it ("a.example.org" below "example.org"). */
bool addr_domain_within(const char *domain, const char *parent);

/* One path part: bytes other than letters, digits, "-", "_", "+", "=" and a "." that is not first
 * become %XX. Never "", ".", ".." and never with "/"; a part that would be longer than 200 bytes
 * ends in "%" and the SHA-256 of the whole. Different inputs give different outputs. */
void addr_path(const char *part, size_t len, char out[ADDR_PATH_MAX]);

/* The reverse of addr_path for parts that were not shortened. RC_PERM for anything else. */
enum rc addr_unpath(const char *path, char *out, size_t size, struct err *err);

#endif
