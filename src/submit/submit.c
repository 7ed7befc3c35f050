/*
 * submit.c: see submit.h. One SMTP transaction with libcurl.
 *
 * Line endings are made CRLF here, in the read callback, and CURLOPT_CRLF stays off: libcurl 7.88
 * turns each LF into CRLF with that option, also the one of a CRLF, while later versions leave
 * that one alone; what it is fed here means the same to all of them. libcurl then stuffs the dots:
 * it looks for CRLF and a dot, which is why no line may reach it with a bare LF.
 *
 * libcurl tells a refusal by one code for many causes, so its debug callback keeps the book: which
 * command was sent last, and the reply to it.
 */
#include <config.h>

#include "submit/submit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>
#include <glib.h>

#include "base/fault.h"
#include "base/str.h"

enum stage { STAGE_CONNECT, STAGE_EHLO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_END };

static const char *const stage_names[] = {
    "the connection to the MTA", "EHLO", "MAIL", "RCPT", "DATA", "the end of data"};

struct transaction {
	/* source */
	int fd;            /* foreign */
	uint64_t offset;   /* of the next byte to read */
	uint64_t end;      /* size of the file when we began */
	char chunk[16384]; /* read, not yet handed on */
	size_t chunk_len, chunk_used;
	bool after_cr;  /* the last byte handed on was a CR */
	bool line_open; /* something was handed on since the last CRLF */
	struct err source_err;
	bool source_failed;
	/* the conversation */
	enum stage stage;
	int code;        /* of the last reply, 0: none to this stage's command */
	char reply[256]; /* its last line */
	bool quit;       /* QUIT was sent: nothing counts any more */
	curl_socket_t socket;
};

/* Reads the next chunk. Returns false at the end of the message and on failure (source_failed). */
static bool fill(struct transaction *t)
{
	ssize_t n;
	if (fault_point("submit.read")) {
		t->source_failed = true;
		err_errno(&t->source_err, RC_TEMP, "reading the message");
		return false;
	}
	do
		n = pread(t->fd, t->chunk, sizeof(t->chunk), (off_t)t->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		t->source_failed = true;
		err_errno(&t->source_err, RC_TEMP, "reading the message");
		return false;
	}
	if (n == 0 && t->offset < t->end) {
		t->source_failed = true;
		err_set(&t->source_err, RC_TEMP, "the message became shorter while it was read");
		return false;
	}
	t->offset += (uint64_t)n;
	t->chunk_len = (size_t)n;
	t->chunk_used = 0;
	return n > 0;
}

/* CURLOPT_READFUNCTION: the message with every line ending in CRLF. Returns 0 at the end only. */
static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct transaction *t = ctx;
	size_t room = size * n, used = 0;
	while (used + 2 <= room) {
		if (t->chunk_used == t->chunk_len && !fill(t))
			break;
		char c = t->chunk[t->chunk_used++];
		if (c == '\n' && !t->after_cr)
			out[used++] = '\r';
		out[used++] = c;
		t->after_cr = c == '\r';
		t->line_open = c != '\n';
	}
	/* Aborting closes the connection without the final dot: the MTA drops what it has. */
	if (t->source_failed)
		return CURL_READFUNC_ABORT;
	if (used == 0 && t->line_open && room >= 2) {
		memcpy(out, "\r\n", 2);
		t->line_open = false;
		return 2;
	}
	return used;
}

static void on_command(struct transaction *t, const char *line, size_t len)
{
	static const struct {
		const char *verb;
		enum stage stage;
	} verbs[] = {
	    {"EHLO", STAGE_EHLO},
	    {"HELO", STAGE_EHLO},
	    {"MAIL", STAGE_MAIL},
	    {"RCPT", STAGE_RCPT},
	    {"DATA", STAGE_DATA},
	};
	t->quit = t->quit || (len >= 4 && memcmp(line, "QUIT", 4) == 0);
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (len >= 4 && memcmp(line, verbs[i].verb, 4) == 0) {
			t->stage = verbs[i].stage;
			t->code = 0;
			return;
		}
	}
}

static void on_reply(struct transaction *t, const char *line, size_t len)
{
	char text[sizeof(t->reply)];
	int64_t code;
	if (t->quit)
		return;
	size_t n = MIN(len, sizeof(text) - 1);
	memcpy(text, line, n);
	text[n] = '\0';
	char digits[4] = {0};
	memcpy(digits, text, MIN(n, 3));
	if (str_number(digits, 200, 599, &code)) {
		t->code = (int)code;
		str_copy(t->reply, sizeof(t->reply), str_trim(text));
		/* From here on the next reply is the one that counts: to the end of the data. */
		if (t->stage == STAGE_DATA && code == 354 && text[3] != '-') {
			t->stage = STAGE_END;
			t->code = 0;
		}
	}
}

/* libcurl waits long for the answer to QUIT, which is worth nothing: what the MTA said to the data
 * stands. So QUIT goes out and nothing more is read. */
static void hang_up(curl_socket_t fd)
{
	if (fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RD);
}

/* CURLOPT_SOCKOPTFUNCTION: remembers the newest connection. */
static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	struct transaction *t = ctx;
	if (purpose == CURLSOCKTYPE_IPCXN)
		t->socket = fd;
	return CURL_SOCKOPT_OK;
}

/* CURLOPT_DEBUGFUNCTION: sees each command and each line of a reply. */
static int on_debug(CURL *curl, curl_infotype type, char *data, size_t len, void *ctx)
{
	struct transaction *t = ctx;
	(void)curl;
	if (type == CURLINFO_HEADER_OUT) {
		on_command(t, data, len);
		if (t->quit)
			hang_up(t->socket);
	} else if (type == CURLINFO_HEADER_IN) {
		on_reply(t, data, len);
	}
	return 0;
}

/* "<address>", or NULL if it could say more to the MTA than one address. libcurl sends the text as
 * it is, so this is the guard against a second command or a parameter. */
static char *bracketed(const char *address)
{
	bool quoted = false;
	size_t len = strlen(address);
	if (len > 1000)
		return NULL;
	for (const char *p = address; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
		if (quoted && *p == '\\' && p[1] >= 0x20 && p[1] < 0x7f)
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && strchr(" <>", *p) != NULL)
			return NULL;
	}
	return quoted ? NULL : g_strdup_printf("<%s>", address);
}

static char *make_url(const struct submit_config *config)
{
	/* An IPv6 address stands in brackets (RFC 3986); the path is libcurl's place for our name.
	 */
	bool v6 = strchr(config->host, ':') != NULL && config->host[0] != '[';
	char *path =
	    config->helo == NULL ? g_strdup("") : g_uri_escape_string(config->helo, NULL, FALSE);
	char *url = g_strdup_printf(
	    "smtp://%s%s%s:%d/%s", v6 ? "[" : "", config->host, v6 ? "]" : "", config->port, path);
	g_free(path);
	return url;
}

static bool set_options(CURL *curl, const struct submit_config *config, struct transaction *t,
    const char *url, const char *from, struct curl_slist *rcpts)
{
	long timeout = config->timeout > 0 ? config->timeout : 1;
	CURLcode bad = CURLE_OK;
#define SET(option, value) (bad = bad != CURLE_OK ? bad : curl_easy_setopt(curl, option, value))
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, "smtp");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_USE_SSL, (long)CURLUSESSL_NONE);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT, timeout);
	SET(CURLOPT_CONNECTTIMEOUT, timeout);
	SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, timeout);
	SET(CURLOPT_MAIL_FROM, from);
	SET(CURLOPT_MAIL_RCPT, rcpts);
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_CRLF, 0L);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, t);
	SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
	SET(CURLOPT_SOCKOPTDATA, t);
	SET(CURLOPT_DEBUGFUNCTION, on_debug);
	SET(CURLOPT_DEBUGDATA, t);
	SET(CURLOPT_VERBOSE, 1L);
#undef SET
	return bad == CURLE_OK;
}

static enum rc outcome(const struct transaction *t, CURLcode result, const char *detail,
    int *smtp_code_out, struct err *err)
{
	int code = t->code;
	if (result == CURLE_OK && t->stage == STAGE_END && code == 250) {
		*smtp_code_out = code;
		return RC_OK;
	}
	if (t->source_failed)
		return err_set(err, RC_TEMP, "%s", t->source_err.text);
	if (code >= 400 && code < 600) {
		bool perm = code >= 500 && t->stage >= STAGE_MAIL && t->stage <= STAGE_END;
		*smtp_code_out = code;
		return err_set(err, perm ? RC_PERM : RC_TEMP, "the MTA answered to %s: %s",
		    stage_names[t->stage], t->reply);
	}
	return err_set(err, RC_TEMP, "%s: %s", stage_names[t->stage],
	    detail[0] != '\0' ? detail : curl_easy_strerror(result));
}

enum rc submit_message(const struct submit_config *config, const struct submit_message *message,
    int *smtp_code_out, struct err *err)
{
	static gsize initialised;
	char detail[CURL_ERROR_SIZE] = "";
	struct transaction *t = g_new0(struct transaction, 1);
	struct curl_slist *rcpts = NULL;
	CURL *curl = NULL;
	struct stat st;
	enum rc rc;
	char *url = make_url(config);
	char *from = bracketed(message->envelope_from);
	char *rcpt = bracketed(message->rcpt);

	*smtp_code_out = 0;
	if (from == NULL || rcpt == NULL || strcmp(rcpt, "<>") == 0) {
		rc = err_set(err, RC_PERM, "no address: %.200s",
		    from == NULL ? message->envelope_from : message->rcpt);
		goto out;
	}
	if (fstat(message->fd, &st) != 0) {
		rc = err_errno(err, RC_TEMP, "reading the message");
		goto out;
	}
	t->socket = CURL_SOCKET_BAD;
	t->fd = message->fd;
	t->offset = message->offset;
	t->end = (uint64_t)st.st_size;
	if (g_once_init_enter(&initialised))
		g_once_init_leave(
		    &initialised, curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 1 : 2);
	rcpts = curl_slist_append(NULL, rcpt);
	curl = initialised == 1 && rcpts != NULL ? curl_easy_init() : NULL;
	if (curl == NULL || !set_options(curl, config, t, url, from, rcpts) ||
	    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail) != CURLE_OK) {
		rc = err_set(err, RC_TEMP, "libcurl cannot be used");
		goto out;
	}
	CURLcode result = curl_easy_perform(curl);
	rc = outcome(t, result, detail, smtp_code_out, err);
	/* A connection that is still open says QUIT when the handle goes, unseen by on_debug. */
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK)
		hang_up(fd);
out:
	curl_easy_cleanup(curl);
	curl_slist_free_all(rcpts);
	g_free(rcpt);
	g_free(from);
	g_free(url);
	g_free(t);
	return rc;
}
