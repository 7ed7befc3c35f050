/*
 * commander.h: whether a message at a command address comes from the user himself, so that what it
 * says may be done in his name. Knows nothing of libmilter or of sockets. Thread-safe.
 */
#ifndef PULLYU_MILTER_COMMANDER_H
#define PULLYU_MILTER_COMMANDER_H

#include "base/addr.h"
#include "conf/conf.h"
#include "milter/ask.h"
#include "milter/decide.h"
#include "policy/user.h"

enum commander {
	COMMANDER_NONE,    /* nobody who may: the message is ordinary mail */
	COMMANDER_LOGIN,   /* an authenticated session of the user */
	COMMANDER_ALIGNED, /* From is authenticated by DMARC, DKIM or SPF */
};

/* "none", "login", "aligned". */
const char *commander_name(enum commander by);

struct commander_question {
	const struct decide_message *message;
	const struct conf *conf; /* [command] login_check, [users], [digest] host */
	struct users *users;
	const char *login;     /* as the MTA says it; "": the client has not logged in */
	const char *mail_from; /* as received */
};

/* Whose message it would be: the user of From, if From names one mailbox and stands once, and the
 * message is nothing that a machine has sent by itself: a null sender, an auto-reply, a list, a
 * report. false: nobody's. Asks no questions. */
bool commander_user(const struct commander_question *question, char user_out[ADDR_MAX]);

/* By which right it is that user's. A client that has logged in must be the user, as envelope
 * sender too; no other authentication counts for it, for it may have written the fields that say
 * so. Without login, only what is certain: a pass of a trusted Authentication-Results, or, where
 * none speaks of the domain, of SPF; unless DKIM is among what passes, the envelope sender must be
 * the user too. SPF is the only question that is asked; without an answer it is nobody's. */
enum commander commander_right(
    const struct commander_question *question, const struct asker *asker, const char *user);

#endif
