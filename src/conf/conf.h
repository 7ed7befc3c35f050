/*
 * conf.h: pullyu.conf as an immutable, reference-counted snapshot. Only the three programs hold
 * one; modules are handed plain structs made from it. Thread-safe: conf_ref and conf_unref may be
 * called from any thread.
 */
#ifndef PULLYU_CONF_CONF_H
#define PULLYU_CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ini.h"
#include "base/rc.h"
#include "conf/settings.h"
#include "conf/table.h"

struct conf {
	int refs; /* atomic; conf_ref, conf_unref */
	char *file;

	/* [paths] */
	char *spool;   /* incoming/ tmp/ users/ out/ below it */
	char *db;      /* Berkeley DB environment */
	char *rules;   /* directory of *.ini */
	char *control; /* pullyud's socket */
	char *key;     /* HMAC key of the X-Pullyu-Digest header field */
	/* [users] */
	char *settings_dir;    /* template: %d domain, %u local part, %h at its start: home */
	char *participants;    /* list file: addresses and @domains that take part */
	char **system_domains; /* domains whose local parts are system users: %h, file owners */
	char *delimiters;      /* recipient_delimiter of the MTA */
	bool keep_case;        /* local parts are case-sensitive */
	char **shadow_domains; /* domains whose users are in shadow mode, whatever they chose */
	/* [milter] */
	char *socket;          /* libmilter syntax: unix:/path, inet:port@host */
	int64_t socket_mode;   /* permissions of a unix socket, e.g. 0660 */
	int64_t ask_timeout;   /* ms that a message may wait for pullyud's answer */
	int64_t hold_max_size; /* bytes; larger messages pass */
	char **authserv_ids;   /* trusted authserv-id of Authentication-Results */
	bool spf;              /* check SPF for allow-list entries where no trusted A-R speaks */
	/* [release] */
	char *submit_host; /* SMTP, to a port without milters */
	int64_t submit_port;
	int64_t submit_timeout; /* seconds */
	int64_t max_hold;       /* seconds; the longest time a message is held */
	int64_t retry;          /* seconds between attempts after a temporary failure */
	/* [digest] */
	char *host;              /* our name in Message-ID, List-Id and addresses; never NULL */
	char *from;              /* header From of digests: "Ann <a@b>", the name in UTF-8 */
	char *reply_to;          /* the same; may be NULL */
	char *envelope_from;     /* MAIL FROM of digests; where a digest that bounces goes */
	int64_t digest_max_size; /* bytes of originals attached to one digest message */
	int64_t digest_max_messages;
	int64_t digest_keep;   /* seconds that originals are kept behind their digest */
	char *digest_template; /* directory (pullyu-template(5)); may be NULL */
	/* [command] */
	char *command_address;    /* template with %u and %d (command/address.h); NULL: none */
	bool command_login_check; /* a login must be that of the sender */
	char *command_keys;       /* keys that sign commands */
	/* [log] */
	int log_to;    /* 0 syslog, 1 stderr */
	int log_level; /* enum log_level */
	/* [known] correspondents and sent Message-IDs */
	int64_t known_expire; /* seconds after the last mail to a correspondent */
	/* [defaults] of users' settings: same keys as settings.ini's */
	struct settings defaults;
};

extern const struct conf_option conf_table[];
extern const size_t conf_table_n;

/* RC_NOTFOUND, RC_PERM (all problems reported), RC_TEMP. What depends on the machine is settled
 * here: [digest] host (/etc/mailname, else the host name), the domain of addresses without one, and
 * [defaults] timezone. path NULL: the defaults alone. */
enum rc conf_load(
    const char *path, ini_problem_fn *problem, void *ctx, struct conf **conf_out, struct err *err);
struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf **conf); /* nulls */

#endif
