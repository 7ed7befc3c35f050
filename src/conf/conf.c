/*
 * conf.c: see conf.h; the table of pullyu.conf, pullyu.conf(5).
 */
#include <config.h>

#include "conf/conf.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "base/addr.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/zone.h"

enum {
	KB = 1024,
	GB = 1024 * 1024 * 1024,
	MINUTE = 60,
	HOUR = 3600,
	DAY = 86400,
	SUN_PATH_MAX = 107, /* sockaddr_un.sun_path without its NUL, unix(7) */
};

#define FIELD(f) offsetof(struct conf, f)

const struct conf_option conf_table[] = {
    {"paths", "spool", CONF_PATH, FIELD(spool), 1, 500, NULL, PULLYU_SPOOLDIR,
	"held mail; incoming, tmp, users and out below it must be on one file system"},
    {"paths", "db", CONF_PATH, FIELD(db), 1, 500, NULL, PULLYU_STATEDIR "/db",
	"the Berkeley DB environment: index, slot ledger, correspondents"},
    {"paths", "rules", CONF_PATH, FIELD(rules), 1, 500, NULL, PULLYU_SYSCONFDIR "/rules.d",
	"directory of the rule files (*.ini)"},
    {"paths", "control", CONF_PATH, FIELD(control), 1, SUN_PATH_MAX, NULL, PULLYU_RUNDIR "/control",
	"socket on which pullyud answers the milter and the CLI"},
    {"paths", "key", CONF_PATH, FIELD(key), 1, 500, NULL, PULLYU_STATEDIR "/key",
	"key that signs our own header field, so that a digest is never held"},

    {"users", "settings_dir", CONF_TEMPLATE, FIELD(settings_dir), 1, 500, NULL,
	PULLYU_STATEDIR "/users/%d/%u",
	"a user's directory: %d domain, %u local part, %h home directory of a system user"},
    {"users", "participants", CONF_PATH, FIELD(participants), 1, 500, NULL,
	PULLYU_SYSCONFDIR "/participants", "list of addresses and @domains that take part"},
    {"users", "system_domains", CONF_DOMAINS, FIELD(system_domains), 0, 0, NULL, "",
	"domains whose local parts are system users: for %h, and as owners of files"},
    {"users", "delimiters", CONF_STRING, FIELD(delimiters), 0, 8, NULL, "+",
	"characters that start an address extension, as the MTA's recipient_delimiter"},
    {"users", "keep_case", CONF_BOOL, FIELD(keep_case), 0, 0, NULL, "no",
	"whether local parts that differ in case are different users"},
    {"users", "shadow_domains", CONF_DOMAINS, FIELD(shadow_domains), 0, 0, NULL, "",
	"domains in shadow mode: nothing is held, and pullyu report tells what would have been"},

    {"milter", "socket", CONF_SOCKET, FIELD(socket), 1, 200, NULL,
	"unix:/var/spool/postfix/pullyu/milter.sock", "where the MTA connects"},
    {"milter", "socket_mode", CONF_MODE, FIELD(socket_mode), 0, 0777, NULL, "0660",
	"permissions of a unix socket"},
    {"milter", "ask_timeout", CONF_MSEC, FIELD(ask_timeout), 10, 60 * 1000, NULL, "2s",
	"how long a message may wait for an answer of pullyud; then it passes"},
    {"milter", "hold_max_size", CONF_SIZE, FIELD(hold_max_size), 1, (int64_t)GB, NULL, "25m",
	"larger messages pass"},
    {"milter", "authserv_ids", CONF_WORDS, FIELD(authserv_ids), 0, 0, NULL, "",
	"names (authserv-id) whose Authentication-Results are trusted"},
    {"milter", "spf", CONF_BOOL, FIELD(spf), 0, 0, NULL, "yes",
	"check SPF for allow-list entries where no trusted Authentication-Results speaks"},

    {"release", "submit_host", CONF_STRING, FIELD(submit_host), 1, 253, NULL, "127.0.0.1",
	"SMTP server that takes digests, on a port without milters"},
    {"release", "submit_port", CONF_NUMBER, FIELD(submit_port), 1, 65535, NULL, "10026",
	"its port"},
    {"release", "submit_timeout", CONF_DURATION, FIELD(submit_timeout), 1, HOUR, NULL, "120s",
	"how long handing over one message may take"},
    {"release", "max_hold", CONF_DURATION, FIELD(max_hold), MINUTE, 90 * DAY, NULL, "7d",
	"the longest time that a message is held, whatever the user's times are"},
    {"release", "retry", CONF_DURATION, FIELD(retry), 1, DAY, NULL, "5m",
	"time between attempts after a temporary failure"},

    {"digest", "host", CONF_DOMAIN, FIELD(host), 1, 253, NULL, NULL,
	"our name in Message-ID, List-Id and addresses without a domain; default: /etc/mailname, "
	"else the host name"},
    {"digest", "from", CONF_MAILBOX, FIELD(from), 1, 400, NULL, "Pullyu <pullyu>",
	"From of digests; a domain is added where there is none"},
    {"digest", "reply_to", CONF_MAILBOX, FIELD(reply_to), 1, 400, NULL, NULL,
	"Reply-To of digests; default: none"},
    {"digest", "envelope_from", CONF_ADDRESS, FIELD(envelope_from), 1, 320, NULL, "postmaster",
	"envelope sender of digests, where one that bounces goes"},
    {"digest", "max_size", CONF_SIZE, FIELD(digest_max_size), KB, (int64_t)GB, NULL, "8m",
	"originals attached to one digest; what is more goes into a second one"},
    {"digest", "max_messages", CONF_NUMBER, FIELD(digest_max_messages), 1, 10000, NULL, "500",
	"messages in one digest; what is more goes into a second one"},
    {"digest", "keep", CONF_DURATION, FIELD(digest_keep), 0, 90 * DAY, NULL, "7d",
	"how long originals of a digest are kept, so that one can be sent on its own"},
    {"digest", "template", CONF_PATH, FIELD(digest_template), 1, 500, NULL, NULL,
	"directory of a template and style sheet of your own; default: the shipped ones"},

    {"command", "address", CONF_COMMAND, FIELD(command_address), 1, 320, NULL, NULL,
	"where users send commands: an address with %u and %d, or none; default: the user's own "
	"with the extension pullyu"},
    {"command", "login_check", CONF_BOOL, FIELD(command_login_check), 0, 0, NULL, "yes",
	"whether the name of a login must be that of the sender"},
    {"command", "keys", CONF_PATH, FIELD(command_keys), 1, 500, NULL,
	PULLYU_STATEDIR "/command.keys", "keys that sign the commands in digests"},

    {"log", "to", CONF_CHOICE, FIELD(log_to), 0, 0, "syslog stderr", "syslog",
	"where the log goes"},
    {"log", "level", CONF_CHOICE, FIELD(log_level), 0, 0, "error warning info debug", "info",
	"the least important messages that are logged"},

    {"known", "expire", CONF_DURATION, FIELD(known_expire), DAY, 36500LL * DAY, NULL, "730d",
	"how long after the last mail to a correspondent their mail passes"},

#define OPTION(section, key, type, field, min, max, choices, dflt, help) \
	{"defaults", key, type, FIELD(defaults.field), min, max, choices, dflt, help},
#include "conf/settings_options.h"
#undef OPTION
};
const size_t conf_table_n = G_N_ELEMENTS(conf_table);

G_STATIC_ASSERT(LOG_LEVEL_ERROR == 0 && LOG_LEVEL_DEBUG == 3); /* [log] level, in this order */

/* Debian's name for the domain of mail that originates here (/etc/mailname), else the host name. No
 * DNS: loading must not wait for it. */
static char *host_name(void)
{
	char name[256] = "", normal[256];
	char *data = NULL;
	size_t len = 0;
	if (fs_read("/etc/mailname", 1024, &data, &len, NULL, NULL) == RC_OK) {
		data[strcspn(data, "\n")] = '\0';
		bool ok = addr_domain_normalise(str_trim(data), normal, 254, NULL) == RC_OK;
		g_free(data);
		if (ok)
			return g_strdup(normal);
	}
	if (gethostname(name, sizeof(name) - 1) == 0 &&
	    addr_domain_normalise(name, normal, 254, NULL) == RC_OK)
		return g_strdup(normal);
	return g_strdup("localhost");
}

/* "ann" becomes "ann@host", "Ann <ann>" becomes "Ann <ann@host>". */
static void complete_address(char **address, const char *host)
{
	char *old = *address;
	if (old == NULL || strchr(old, '@') != NULL)
		return;
	if (strchr(old, '<') != NULL)
		*address = g_strdup_printf("%.*s@%s>", (int)strlen(old) - 1, old, host);
	else
		*address = g_strdup_printf("%s@%s", old, host);
	g_free(old);
}

/* Without delimiters the MTA knows no extensions, and there is no address that it would take. */
static void complete_command(struct conf *conf)
{
	char *said = conf->command_address;
	if (said == NULL && conf->delimiters[0] != '\0')
		conf->command_address = g_strdup_printf("%%u%cpullyu@%%d", conf->delimiters[0]);
	else if (said != NULL && strcmp(said, "none") == 0)
		g_clear_pointer(&conf->command_address, g_free);
}

static void complete(struct conf *conf)
{
	if (conf->host == NULL)
		conf->host = host_name();
	complete_address(&conf->from, conf->host);
	complete_address(&conf->reply_to, conf->host);
	complete_address(&conf->envelope_from, conf->host);
	complete_command(conf);
	if (conf->defaults.timezone == NULL)
		conf->defaults.timezone = zone_system();
}

enum rc conf_load(
    const char *path, ini_problem_fn *problem, void *ctx, struct conf **conf_out, struct err *err)
{
	struct ini *ini = NULL;
	enum rc rc = RC_OK;
	if (path != NULL)
		rc = ini_load(path, problem, ctx, &ini, err);
	if (rc != RC_OK)
		return rc;
	struct conf *conf = g_new0(struct conf, 1);
	conf->refs = 1;
	conf->file = g_strdup(path);
	conf_table_defaults(conf_table, conf_table_n, conf);
	if (ini != NULL)
		rc = conf_table_apply(conf_table, conf_table_n, ini, conf, problem, ctx, err);
	ini_free(&ini);
	if (rc != RC_OK) {
		conf_unref(&conf);
		return rc;
	}
	complete(conf);
	*conf_out = conf;
	return RC_OK;
}

struct conf *conf_ref(struct conf *conf)
{
	g_atomic_int_inc(&conf->refs);
	return conf;
}

void conf_unref(struct conf **conf)
{
	struct conf *c = *conf;
	*conf = NULL;
	if (c == NULL || !g_atomic_int_dec_and_test(&c->refs))
		return;
	conf_table_clear(conf_table, conf_table_n, c);
	g_free(c->file);
	g_free(c);
}
