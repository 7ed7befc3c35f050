/*
 * session.c: see session.h. Steps that need no answer are negotiated away, so that the MTA does not
 * wait for us before the end of the header.
 *
 * The body callback always answers SMFIS_CONTINUE. Postfix sends the last piece of the body with
 * the end of the message, and libmilter then calls the end callback only after SMFIS_CONTINUE: a
 * SKIP, an ACCEPT or a negotiated silence there would lose the end of the message.
 */
#include <config.h>

#include "milter/session.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "base/log.h"
#include "base/str.h"
#include "milter/message.h"

struct session {
	struct message_client client;
	struct message *message; /* own; NULL between messages */
	bool in_content;
};

static atomic_int n_messages, n_contents;

struct session_load session_load_now(void)
{
	return (struct session_load){atomic_load(&n_messages), atomic_load(&n_contents)};
}

/* ---- per-connection and per-message state ---- */

static struct session *session_of(SMFICTX *ctx)
{
	struct session *session = smfi_getpriv(ctx);
	if (session == NULL) {
		session = g_new0(struct session, 1);
		smfi_setpriv(ctx, session);
	}
	return session;
}

static void content_begins(struct session *session)
{
	if (!session->in_content)
		atomic_fetch_add(&n_contents, 1);
	session->in_content = true;
}

static void end_message(struct session *session)
{
	if (session == NULL || session->message == NULL)
		return;
	message_free(&session->message);
	if (session->in_content)
		atomic_fetch_sub(&n_contents, 1);
	session->in_content = false;
	atomic_fetch_sub(&n_messages, 1);
}

/* ---- callbacks in the order of their coming ---- */

static const struct {
	int stage;
	const char *macros;
} wanted_macros[] = {
    {SMFIM_CONNECT, "{client_addr} {daemon_name} j v"},
    {SMFIM_ENVFROM, "i {auth_authen} {mail_addr}"},
    {SMFIM_ENVRCPT, "i {rcpt_addr}"},
    {SMFIM_DATA, "i"},
    {SMFIM_EOH, "i"},
    {SMFIM_EOM, "i"},
};

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long mta_actions, unsigned long mta_steps,
    unsigned long unused2, unsigned long unused3, unsigned long *actions, unsigned long *steps,
    unsigned long *out2, unsigned long *out3)
{
	const unsigned long need_actions = SMFIF_DELRCPT | SMFIF_CHGHDRS;
	const unsigned long need_steps = SMFIP_HDR_LEADSPC;
	/* libmilter answers for us where the MTA does not know of these. */
	const unsigned long quiet = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT |
	    SMFIP_NR_DATA | SMFIP_NR_HDR;
	(void)unused2;
	(void)unused3;
	if ((mta_actions & need_actions) != need_actions ||
	    (mta_steps & need_steps) != need_steps) {
		log_error("the MTA cannot do what is needed (take off recipients, change header "
			  "fields, leading blanks of header fields): it offers actions 0x%lx, "
			  "steps 0x%lx",
		    mta_actions, mta_steps);
		return SMFIS_REJECT;
	}
	*actions = need_actions;
	if ((mta_actions & SMFIF_SETSYMLIST) != 0) {
		*actions |= SMFIF_SETSYMLIST;
		for (size_t i = 0; i < G_N_ELEMENTS(wanted_macros); i++) {
			char macros[64];
			str_copy(macros, sizeof(macros), wanted_macros[i].macros);
			smfi_setsymlist(ctx, wanted_macros[i].stage, macros);
		}
	}
	/* What comes in *steps are the steps for which there is no callback here. */
	*steps = (*steps & (SMFIP_NOUNKNOWN | SMFIP_NODATA)) | need_steps | quiet;
	*out2 = 0;
	*out3 = 0;
	return SMFIS_CONTINUE;
}

static const char *macro(SMFICTX *ctx, const char *name)
{
	char buffer[32];
	str_copy(buffer, sizeof(buffer), name);
	return smfi_getsymval(ctx, buffer);
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	struct session *session = session_of(ctx);
	struct message_client *client = &session->client;
	const char *from_macro = macro(ctx, "{client_addr}");
	struct in6_addr probe;
	(void)name;
	memset(client, 0, sizeof(*client));
	if (address != NULL && address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
		inet_ntop(AF_INET, &in->sin_addr, client->addr, sizeof(client->addr));
	} else if (address != NULL && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;
		inet_ntop(AF_INET6, &in->sin6_addr, client->addr, sizeof(client->addr));
	} else if (from_macro != NULL &&
	    (inet_pton(AF_INET, from_macro, &probe) == 1 ||
		inet_pton(AF_INET6, from_macro, &probe) == 1)) {
		str_copy(client->addr, sizeof(client->addr), from_macro);
	}
	return SMFIS_NOREPLY;
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
	struct session *session = session_of(ctx);
	str_copy(session->client.helo, sizeof(session->client.helo), name);
	return SMFIS_NOREPLY;
}

static sfsistat on_mail(SMFICTX *ctx, char **args)
{
	struct session *session = session_of(ctx);
	const char *login = macro(ctx, "{auth_authen}");
	end_message(session);
	session->message = message_new(snapshot_get(), &session->client, args, login);
	atomic_fetch_add(&n_messages, 1);
	message_queue_id(session->message, macro(ctx, "i"));
	return SMFIS_NOREPLY;
}

static sfsistat on_rcpt(SMFICTX *ctx, char **args)
{
	struct session *session = session_of(ctx);
	if (session->message != NULL) {
		message_rcpt(session->message, args);
		message_queue_id(session->message, macro(ctx, "i"));
	}
	return SMFIS_NOREPLY;
}

static sfsistat on_data(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);
	if (session->message != NULL)
		message_queue_id(session->message, macro(ctx, "i"));
	return SMFIS_NOREPLY;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *session = session_of(ctx);
	if (session->message != NULL) {
		content_begins(session);
		message_header(session->message, name, value);
	}
	return SMFIS_NOREPLY;
}

static sfsistat on_end_header(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);
	if (session->message == NULL)
		return SMFIS_ACCEPT;
	content_begins(session);
	message_queue_id(session->message, macro(ctx, "i"));
	if (message_end_header(session->message) == MESSAGE_BODY)
		return SMFIS_CONTINUE;
	end_message(session);
	return SMFIS_ACCEPT;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	struct session *session = session_of(ctx);
	if (session->message != NULL)
		message_body(session->message, data, len);
	return SMFIS_CONTINUE;
}

static bool delete_rcpt(void *ctx, char *rcpt)
{
	return smfi_delrcpt(ctx, rcpt) == MI_SUCCESS;
}

static bool delete_field(void *ctx, char *name, int index)
{
	return smfi_chgheader(ctx, name, index, NULL) == MI_SUCCESS;
}

static sfsistat on_end(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);
	const struct message_edits edits = {
	    .ctx = ctx,
	    .delete_rcpt = delete_rcpt,
	    .delete_field = delete_field,
	};
	bool done = session->message == NULL || message_end(session->message, &edits);
	end_message(session);
	if (!done)
		return SMFIS_TEMPFAIL;
	/* Never SMFIS_DISCARD: an MTA removes a message without recipients by itself, and at once,
	 * while Postfix makes a discarded one wait for in_flow_delay. */
	return SMFIS_CONTINUE;
}

static sfsistat on_abort(SMFICTX *ctx)
{
	end_message(smfi_getpriv(ctx));
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	struct session *session = smfi_getpriv(ctx);
	if (session != NULL) {
		end_message(session);
		g_free(session);
		smfi_setpriv(ctx, NULL);
	}
	return SMFIS_CONTINUE;
}

static char filter_name[] = "pullyu-milter";

const struct smfiDesc session_callbacks = {
    .xxfi_name = filter_name,
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = SMFIF_DELRCPT | SMFIF_CHGHDRS,
    .xxfi_connect = on_connect,
    .xxfi_helo = on_helo,
    .xxfi_envfrom = on_mail,
    .xxfi_envrcpt = on_rcpt,
    .xxfi_header = on_header,
    .xxfi_eoh = on_end_header,
    .xxfi_body = on_body,
    .xxfi_eom = on_end,
    .xxfi_abort = on_abort,
    .xxfi_close = on_close,
    .xxfi_data = on_data,
    .xxfi_negotiate = on_negotiate,
};
