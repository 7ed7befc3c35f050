/*
 * commands.h: what commands.c (the queue: one command mail at a time), command_do.c,
 * command_send.c and command_settings.c (what each verb does), command_answer.c and command_links.c
 * (tokens in digests, and what a digest's numbers mean) share.
 *
 * The steps of a command, with what a crash after each of them means:
 *
 *   1. the milter's file is renamed into SPOOL/commands      it is found there at the next start
 *   2. the command is carried out                            it is carried out again: each verb
 *                                                            ends in the same state, an original
 *                                                            may come twice
 *   3. its answer, and that its token is used, are noted     only the answer is still to come
 *   4. the MTA has taken the answer                          it is sent again, same Message-ID
 *   5. the file is removed
 */
#ifndef PULLYU_DAEMON_COMMANDS_H
#define PULLYU_DAEMON_COMMANDS_H

#include "command/read.h"
#include "command/token.h"
#include "conf/dates.h"
#include "daemon/daemon.h"
#include "digest/answer.h"

struct command_run {
	struct daemon *d; /* foreign */
	char *name;       /* own; of the file in SPOOL/commands */
	char user[ADDR_MAX];
	bool by_login;    /* the user was logged in; otherwise the message is authenticated */
	int64_t received; /* by the milter */
	uint64_t lead;    /* bytes of our trace fields */
	char *subject, *message_id; /* own */
	char **refs;                /* own; In-Reply-To, References */

	struct command command;
	struct command_token token; /* where the command has one */
	struct err err;             /* why it is not carried out */

	/* The answer. */
	enum answer_kind kind;
	GString *object, *detail; /* own */
	const char *reason;       /* foreign; a code of answer.h, or NULL: detail says why not */
	char reason_1[32], reason_2[32];
	uint64_t count;
	json_t *undo; /* own; what undoes it, noted already; NULL: nothing does */

	/* What is still to be sent on its own. */
	GPtrArray *ids; /* own; char * */
	guint next;
	size_t gone;  /* of them: no longer kept */
	json_t *sent; /* own; ids that were sent again; or NULL */
};

/* ---- commands.c ---- */

/* How long what is noted of a command is kept: longer than its links may be used. */
enum { COMMAND_NOTE_SECONDS = COMMAND_TOKEN_SECONDS + 86400 };

/* What is remembered of a message of ours that has no numbers: that it can be replied to. */
#define COMMAND_NO_ENTRIES "{\"entries\":[]}"

/* How often what a worker died of is tried, and how often this command has waited. */
enum { COMMAND_TRIES = 3 };
unsigned command_tries(const struct command_run *run);

/* How much of an hour a user has used up; in memory alone. */
struct command_hour {
	int64_t since;
	unsigned n, helps;
	bool told; /* that it is too much */
};
struct command_hour *command_hour(struct command_run *run);
/* It is over and done with, answered or not: its file is removed. */
void command_drop(struct command_run *run);
/* The MTA or the disk does not do its part now: the same again later. */
enum command_wait {
	COMMAND_WAITS, /* this one alone */
	COMMANDS_WAIT, /* whatever keeps it back keeps the others, too */
};
void command_later(struct command_run *run, enum command_wait wait, const struct err *err);

/* ---- command_answer.c ---- */

/* The command was carried out, or refused: kind, object, detail, count and undo say how. */
void command_done(struct command_run *run);
/* Answers with what was noted of a command. */
void command_answer(struct command_run *run, const json_t *note);
/* Whether there is such a note of the user's; *note_out (may be NULL): json_decref. */
bool command_noted(
    const struct command_run *run, const char *kind, const char *name, json_t **note_out);

/* ---- command_do.c ---- */

/* Ends in command_done or command_later, at once or later. */
void command_do(struct command_run *run);
/* What was noted to undo this command when it was begun before a crash; json_decref; or NULL. */
json_t *command_undo_before(struct command_run *run);
/* Notes what undoes it. */
enum rc command_undo_put(struct command_run *run, const json_t *undo, struct err *err);
/* Why not, as a code of answer.h with its values ("" or NULL: none); the text is for the log.
 * Returns RC_PERM. */
enum rc command_why(struct command_run *run, struct err *err, const char *code, const char *value_1,
    const char *value_2);
/* Refused, or not possible: the answer says why. */
void command_refuse(struct command_run *run, enum rc rc, const struct err *err);

/* ---- command_send.c ---- */

void command_send(struct command_run *run);
void command_send_all(struct command_run *run);

/* ---- command_settings.c ---- */

/* The names of settings that a mail may set; NULL-terminated. */
extern const char *const command_settings[];
void command_settings_times(struct command_run *run);
void command_settings_pause(struct command_run *run);
void command_settings_resume(struct command_run *run);
/* rows: what was noted. */
void command_settings_undo(struct command_run *run, const json_t *rows);

/* ---- command_links.c ---- */

/* What entry number n (from 1) of one of the user's digests stands for, by the command's
 * references. RC_NOTFOUND: no such digest is known, or it has no such entry (err says which). */
struct command_entry {
	char **ids;                /* own */
	char target[ADDR_MAX + 8]; /* for a list of senders: an address, or "list:ID" */
};
enum rc command_entry_find(
    struct command_run *run, unsigned number, struct command_entry *entry_out, struct err *err);
void command_entry_clear(struct command_entry *entry);
/* The ids of the entry, of any digest of the user, that has this message in it; NULL-terminated,
 * g_strfreev. At least the id itself. */
char **command_entry_ids(struct daemon *d, const char *user, const char *id);
/* Whether the command replies to a digest or an answer of ours to this user. */
bool command_is_reply(struct command_run *run);
/* A token for a link in the message whose Message-ID is the seed, good for 30 days since that time:
 * the same whenever that message is composed. NULL without keys; g_free. */
char *command_token_for(struct daemon *d, const char *user, const char *seed, int64_t since,
    enum command_verb verb, const char *object);
/* A day that a pause could end on, before anything has waited for max_hold: "2027-01-12". */
void command_pause_example(const struct daemon *d, int64_t since, char out[DATES_TEXT_MAX]);
/* The user's settings as lines of a form; g_free. */
char *command_form(struct daemon *d, const char *user);
/* The address at which commands of this user are taken; false: none. */
bool command_address_of(const struct daemon *d, const char *user, char out[ADDR_MAX]);

#endif
