/*
 * daemon.h: the state of pullyud, shared by its own files only. One thread, one GLib main loop.
 */
#ifndef PULLYU_DAEMON_DAEMON_H
#define PULLYU_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "base/hmac.h"
#include "classify/classify.h"
#include "conf/conf.h"
#include "control/server.h"
#include "daemon/shadow.h"
#include "daemon/worker.h"
#include "policy/user.h"
#include "release/release.h"
#include "store/store.h"

/* One row a counter: name in `pullyu metrics`, and what it counts. */
#define DAEMON_COUNTERS(X) \
	X(indexed, "messages taken from incoming/ into digest folders") \
	X(digests, "digests accepted by the MTA") \
	X(delivered, "messages delivered in or beside digests, or released") \
	X(put_off, "releases put off after a failure") \
	X(asked, "questions of the milter about senders") \
	X(known, "of these, answered with yes") \
	X(spf, "SPF checks") \
	X(sent, "sent messages whose recipients were remembered") \
	X(commands, "commands by mail that were carried out or refused") \
	X(shadowed, "messages that shadow mode let pass") \
	X(workers_died, "workers that died or were late")

struct daemon_counters {
#define X(name, help) uint64_t name;
	DAEMON_COUNTERS(X)
#undef X
};

struct daemon {
	const char *conf_path; /* foreign */
	struct conf *conf;
	struct rules *rules;
	struct users *users;
	struct workers *workers;
	struct store *store;
	struct store *kept;   /* own; originals that went out in digests */
	char *kept_path;      /* own; its directory */
	int64_t kept_expired; /* when that was looked through last */
	struct releases *releases;
	struct shadow *shadow;
	struct control_server *server;
	GMainLoop *loop;
	unsigned char key[HMAC_KEY_BYTES];
	char *incoming, *out, *folders, *commands; /* own; directories below the spool */
	struct command_keys *command_keys;         /* own; NULL: no commands by mail */
	int64_t command_keys_read;                 /* when */
	struct command_run *command;               /* own; the one under way */
	GPtrArray *command_names;                  /* own; that wait; or NULL */
	GHashTable *command_users;                 /* own; commands.c */
	GHashTable *command_waits;                 /* own; commands.c */
	guint commands_source, commands_timer, commands_retry;
	int64_t since;
	int64_t strange_since;   /* when `strange` was emptied last */
	char users_problem[400]; /* what was logged last */
	char template_problem[400];
	struct daemon_counters counters;
	int inotify;
	guint tick_source, incoming_source, stop_source, shadow_source;
	GPtrArray *incoming_names; /* own; the listing that is worked through, or NULL */
	guint incoming_next;       /* index into it */
	bool incoming_more;        /* something came since it was made */
	bool caught_up;            /* one listing was worked through: slots may be served */
	GHashTable *strange;       /* own; names in incoming/ that were complained about */
	unsigned spf_running;
	bool stopping;
	int exit_code;
};

/* incoming.c: files of the milter go to digest folders. */
enum rc incoming_watch(struct daemon *d, struct err *err);
void incoming_soon(struct daemon *d);
void incoming_end(struct daemon *d);
size_t incoming_count(const struct daemon *d);
/* Takes what is there now, before returning; what was complained about is tried again. */
void incoming_take_all(struct daemon *d);
/* Files that are still there, those that were complained about included. */
size_t incoming_left(struct daemon *d);

/* ops.c: what the release engine wants done. */
extern const struct release_ops daemon_release_ops;
void ops_config(const struct daemon *d, struct release_config *config_out);
void ops_tick_soon(struct daemon *d);
/* A string, whatever its bytes are. */
void ops_put_text(json_t *object, const char *key, const char *value);
/* A job that submits; its message is still to be named (job.h). */
json_t *ops_submit_job(const struct daemon *d, const char *from, const char *rcpt);
/* One held message as the CLI and the digest describe it. */
json_t *ops_entry(const struct daemon *d, const struct store_held *held);
/* Composes one part (from 1) of what the user's digest would be now, in the form "eml", "text" or
 * "html", into a file that is gone by the time of the answer; done gets a descriptor to close and
 * what there is to tell about it, or -1 and the error. */
struct ops_preview {
	unsigned part, parts;
	const char *problem; /* of the template; or NULL */
};
typedef void ops_preview_fn(
    void *ctx, int fd, const struct ops_preview *preview, enum rc rc, const struct err *err);
void ops_preview(struct daemon *d, const char *user, const char *form, unsigned part,
    ops_preview_fn *done, void *ctx);

/* kept.c: originals that went out in digests, for as long as [digest] keep says. */
enum rc kept_open(struct daemon *d, struct err *err);
void kept_close(struct daemon *d);
/* Before they leave the store. What goes wrong is logged. */
void kept_add(struct daemon *d, const char *user, const GPtrArray *ids);
/* As an index record. RC_NOTFOUND: not kept, or no more. */
enum rc kept_get(struct daemon *d, const char *user, const char *id, struct store_held *held_out,
    struct err *err);
/* Once a minute; looks through them once an hour. */
void kept_expire(struct daemon *d);

/* commands.c: command mail, one at a time. */
/* Moves a file of incoming/ to the commands if it is one. RC_PERM: it is none. */
enum rc commands_take(struct daemon *d, const char *path, const char *name, struct err *err);
void commands_start(struct daemon *d);
/* Reads the keys again: after a reload. */
void commands_keys(struct daemon *d);
/* Once a minute; reads the keys once a day, for their rotation. */
void commands_minute(struct daemon *d);
void commands_soon(struct daemon *d);
void commands_end(struct daemon *d);
/* command_links.c: adds tokens to a compose job whose entries are those of ids; send: also for
 * originals. */
void commands_link(
    struct daemon *d, const char *user, int64_t slot, bool send, const GPtrArray *ids, json_t *job);
/* Notes what the numbers of a composed digest mean, as the worker wrote it to that file. */
void commands_remember(struct daemon *d, const char *user, const char *message_id,
    const GPtrArray *ids, const char *map_path);

/* learn.c: how often senders were in digests and were released. */
enum { LEARN_QUIET_MAX = 3 };
/* The MTA has taken a digest with these messages, which are still held. */
void learn_taken(struct daemon *d, const char *user, const GPtrArray *ids);
/* The user had a message of that sender sent on its own. */
void learn_let(struct daemon *d, const char *user, const char *addr);
/* Senders in a digest of these messages of whom nothing was released for eight weeks, if a quarter
 * has passed since the last such question; NULL-terminated, g_strfreev. */
char **learn_quiet(struct daemon *d, const char *user, const GPtrArray *ids);

/* serve.c: the control socket. */
control_handler_fn serve;

/* serve_shadow.c: the requests about shadow mode; counts are written now and then, and at the end.
 * */
void serve_shadow(struct daemon *d, json_t *request, struct control_call_in *call);
void serve_report(struct daemon *d, json_t *request, struct control_call_in *call);
void shadow_stop(struct daemon *d);

/* A database error after which only a restart helps (store.h). */
void daemon_check_store(struct daemon *d, enum rc rc, const struct err *err);
/* Ends the main loop once the jobs under way are done with. */
void daemon_stop(struct daemon *d, int exit_code);

#endif
