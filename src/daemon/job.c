/*
 * job.c: see job.h. This code runs in a worker: it may die, and may read what is hostile.
 */
#include <config.h>

#include "daemon/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "auth/auth.h"
#include "base/fault.h"
#include "digest/answer.h"
#include "digest/digest.h"
#include "digest/excerpt.h"
#include "store/store.h"
#include "submit/submit.h"

static const char *text(json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s == NULL ? "" : s;
}

static const char *text_or_null(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int64_t number(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The messages alone: workers never see the database. */
static enum rc open_messages(json_t *job, struct store **store_out, struct err *err)
{
	struct store_config config = {.msg_driver = "maildir",
	    .msg_path = text(job, "users"),
	    .db_driver = "mem",
	    .db_path = ""};
	return store_open(&config, store_out, NULL, err);
}

struct originals {
	struct store *store;
	const char *user;
	json_t *result; /* foreign; what goes wrong beside it is told there */
	json_t *map;    /* own; what the numbers stand for: an array of ids for each */
};

static void on_problem(void *ctx, const char *text)
{
	struct originals *o = ctx;
	char *valid = g_utf8_make_valid(text, -1);
	json_object_set_new(o->result, "problem", json_string(valid));
	g_free(valid);
}

static enum rc open_original(void *ctx, const char *id, int *fd_out, struct err *err)
{
	struct originals *o = ctx;
	return store_msg_open(o->store, o->user, id, fd_out, err);
}

static void on_numbered(void *ctx, unsigned number, const char *const *ids, size_t n)
{
	struct originals *o = ctx;
	(void)number; /* they come in order, from 1 */
	json_t *entry = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(entry, json_string(ids[i]));
	json_array_append_new(o->map, entry);
}

static void fill_entry(json_t *json, struct digest_entry *entry)
{
	entry->id = text(json, "id");
	entry->lead = (uint64_t)number(json, "lead");
	entry->size = (uint64_t)number(json, "size");
	entry->from_name = text(json, "from_name");
	entry->from_addr = text(json, "from_addr");
	entry->subject = text(json, "subject");
	entry->list_id = text(json, "list_id");
	entry->class_name = text(json, "class");
	entry->why = text(json, "why");
	entry->received = number(json, "received");
	entry->allow = text_or_null(json, "allow");
	entry->hold = text_or_null(json, "hold");
	entry->send = text_or_null(json, "send");
	entry->object = text_or_null(json, "object");
}

static const char **string_list(json_t *array)
{
	const char **list = g_new0(const char *, json_array_size(array) + 1);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *s = json_string_value(json_array_get(array, i));
		list[i] = s == NULL ? "" : s;
	}
	return list;
}

static const struct {
	const char *name;
	enum digest_form form;
} forms[] = {
    {JOB_FORM_MESSAGE, DIGEST_MESSAGE},
    {"text", DIGEST_TEXT},
    {"html", DIGEST_HTML},
};

bool job_form_exists(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++)
		if (strcmp(forms[i].name, name) == 0)
			return true;
	return false;
}

static enum digest_form form_of(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++)
		if (strcmp(forms[i].name, name) == 0)
			return forms[i].form;
	return DIGEST_MESSAGE;
}

static enum rc open_out(const char *path, int *fd_out, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, RC_TEMP, "%s", path);
	*fd_out = fd;
	return RC_OK;
}

static enum rc compose_to(json_t *job, const struct digest *digest, struct err *err)
{
	const char *path = text(job, "out");
	bool plain = json_is_true(json_object_get(job, "plain"));
	int fd = -1;
	if (!plain && fault_point("worker.compose"))
		return err_errno(err, RC_TEMP, "%s", path);
	enum rc rc = open_out(path, &fd, err);
	if (rc != RC_OK)
		return rc;
	rc = plain ? digest_compose_plain(digest, fd, err)
		   : digest_compose(digest, form_of(text(job, "form")), fd, err);
	if (close(fd) != 0 && rc == RC_OK)
		rc = err_errno(err, RC_TEMP, "%s", path);
	return rc;
}

static enum rc write_map(const char *path, json_t *map, struct err *err)
{
	int fd = -1;
	enum rc rc = open_out(path, &fd, err);
	if (rc != RC_OK)
		return rc;
	json_t *root = json_pack("{s:O}", "entries", map);
	if (root == NULL || json_dumpfd(root, fd, JSON_COMPACT) != 0)
		rc = err_set(err, RC_TEMP, "%s: the map could not be written", path);
	json_decref(root);
	if (close(fd) != 0 && rc == RC_OK)
		rc = err_errno(err, RC_TEMP, "%s", path);
	return rc;
}

/* What the reader can answer, and how. */
static void fill_answers(json_t *job, struct digest *digest)
{
	digest->command_address = text_or_null(job, "command_address");
	digest->foot.all = text_or_null(job, "foot_all");
	digest->foot.times = text_or_null(job, "foot_times");
	digest->foot.pause = text_or_null(job, "foot_pause");
	digest->foot.help = text_or_null(job, "foot_help");
	digest->form = text_or_null(job, "times_form"); /* "form" says what is written */
	digest->pause_example = text_or_null(job, "pause_example");
}

static struct digest digest_of(json_t *job, struct originals *originals)
{
	struct digest digest = {.open_original = open_original,
	    .ctx = originals,
	    .user = text(job, "user"),
	    .from = text(job, "from"),
	    .reply_to = text_or_null(job, "reply_to"),
	    .message_id = text(job, "message_id"),
	    .guard = text(job, "guard"),
	    .host = text(job, "host"),
	    .slot = number(job, "slot"),
	    .now = number(job, "now"),
	    .timezone = text(job, "timezone"),
	    .language = text(job, "language"),
	    .attach = json_is_true(json_object_get(job, "attach")),
	    .originals_in_folder = json_is_true(json_object_get(job, "in_folder")),
	    .templates = text_or_null(job, "templates"),
	    .part = (unsigned)number(job, "part"),
	    .parts = (unsigned)number(job, "parts"),
	    .problem = on_problem,
	    .numbered = on_numbered,
	    .n_entries = json_array_size(json_object_get(job, "entries"))};
	fill_answers(job, &digest);
	return digest;
}

static enum rc job_compose(json_t *job, json_t *result, struct err *err)
{
	json_t *entries = json_object_get(job, "entries");
	struct originals originals = {.user = text(job, "user"), .result = result};
	struct digest digest = digest_of(job, &originals);
	const char *map = text_or_null(job, "map");
	json_object_set_new(result, "problem", json_string(""));
	enum rc rc = open_messages(job, &originals.store, err);
	if (rc != RC_OK)
		return rc;
	digest.entries = g_new0(struct digest_entry, digest.n_entries);
	for (size_t i = 0; i < digest.n_entries; i++)
		fill_entry(json_array_get(entries, i), &digest.entries[i]);
	const char **notices = string_list(json_object_get(job, "notices"));
	const char **authserv_ids = string_list(json_object_get(job, "authserv_ids"));
	const char **quiet = string_list(json_object_get(job, "quiet"));
	digest.notices = notices;
	digest.authserv_ids = authserv_ids;
	digest.quiet = quiet;
	originals.map = json_array();
	rc = compose_to(job, &digest, err);
	if (rc == RC_OK && map != NULL)
		rc = write_map(map, originals.map, err);
	json_decref(originals.map);
	g_free(quiet);
	g_free(authserv_ids);
	g_free(notices);
	g_free(digest.entries);
	store_close(&originals.store);
	return rc;
}

static enum rc job_answer(json_t *job, json_t *result, struct err *err)
{
	(void)result;
	const char *path = text(job, "out");
	int kind = answer_kind_by_name(text(job, "answer")), fd = -1;
	if (kind < 0)
		return err_set(err, RC_PERM, "no such answer: \"%.40s\"", text(job, "answer"));
	struct answer answer = {.kind = (enum answer_kind)kind,
	    .user = text(job, "user"),
	    .from = text(job, "from"),
	    .message_id = text(job, "message_id"),
	    .in_reply_to = text_or_null(job, "in_reply_to"),
	    .references = text_or_null(job, "references"),
	    .guard = text(job, "guard"),
	    .host = text(job, "host"),
	    .language = text(job, "language"),
	    .now = number(job, "now"),
	    .command_address = text_or_null(job, "command_address"),
	    .object = text_or_null(job, "object"),
	    .detail = text_or_null(job, "detail"),
	    .reason = text_or_null(job, "reason"),
	    .reason_1 = text_or_null(job, "reason_1"),
	    .reason_2 = text_or_null(job, "reason_2"),
	    .count = (uint64_t)number(job, "count"),
	    .undo = text_or_null(job, "undo"),
	    .help_times = text_or_null(job, "help_times"),
	    .form = text_or_null(job, "times_form"),
	    .pause_example = text_or_null(job, "pause_example"),
	    .lists = text_or_null(job, "lists")};
	enum rc rc = open_out(path, &fd, err);
	if (rc != RC_OK)
		return rc;
	rc = answer_compose(&answer, fd, err);
	if (close(fd) != 0 && rc == RC_OK)
		rc = err_errno(err, RC_TEMP, "%s", path);
	return rc;
}

static enum rc open_message(json_t *job, int *fd_out, struct err *err)
{
	const char *path = text_or_null(job, "path");
	if (path != NULL) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_TEMP, "%s", path);
		*fd_out = fd;
		return RC_OK;
	}
	struct store *store = NULL;
	enum rc rc = open_messages(job, &store, err);
	if (rc == RC_OK)
		rc = store_msg_open(store, text(job, "user"), text(job, "id"), fd_out, err);
	store_close(&store);
	return rc;
}

static enum rc job_submit(json_t *job, json_t *result, struct err *err)
{
	struct submit_config config = {.host = text(job, "host"),
	    .helo = text(job, "helo"),
	    .port = (int)number(job, "port"),
	    .timeout = (int)number(job, "timeout")};
	struct submit_message message = {.envelope_from = text(job, "from"),
	    .rcpt = text(job, "rcpt"),
	    .fd = -1,
	    .offset = (uint64_t)number(job, "lead")};
	int code = 0;
	enum rc rc = open_message(job, &message.fd, err);
	if (rc != RC_OK) {
		/* It says nothing about the MTA: other messages may go. */
		json_object_set_new(result, "code", json_integer(-1));
		return rc;
	}
	rc = submit_message(&config, &message, &code, err);
	close(message.fd);
	json_object_set_new(result, "code", json_integer(code));
	return rc;
}

static const char *spf_zone(void)
{
#ifdef PULLYU_TEST_HOOKS
	return getenv("PULLYU_TEST_SPF_ZONE");
#else
	return NULL;
#endif
}

static enum rc job_spf(json_t *job, json_t *result, struct err *err)
{
	struct auth_spf_query query = {.client_ip = text(job, "ip"),
	    .helo = text(job, "helo"),
	    .envelope_from = text(job, "from")};
	enum auth_spf spf = auth_spf_check(&query, spf_zone(), err);
	json_object_set_new(result, "result", json_string(auth_spf_name(spf)));
	return RC_OK;
}

static enum rc job_text(json_t *job, json_t *result, struct err *err)
{
	int fd = -1;
	enum rc rc = open_message(job, &fd, err);
	if (rc != RC_OK)
		return rc;
	char *lines = excerpt_text(fd, (uint64_t)number(job, "lead"));
	json_object_set_new(result, "lines", json_string(lines));
	g_free(lines);
	close(fd);
	return RC_OK;
}

json_t *job_run(json_t *job)
{
	static const struct {
		const char *kind;
		enum rc (*run)(json_t *job, json_t *result, struct err *err);
	} kinds[] = {{"compose", job_compose}, {"answer", job_answer}, {"submit", job_submit},
	    {"spf", job_spf}, {"text", job_text}};
	json_t *result = json_object();
	struct err err = {"no such kind of job"};
	enum rc rc = RC_PERM;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (strcmp(kinds[i].kind, text(job, "kind")) == 0)
			rc = kinds[i].run(job, result, &err);
	json_object_set_new(result, "rc", json_string(rc_name(rc)));
	if (rc != RC_OK)
		json_object_set_new(result, "text", json_string(err.text));
	return result;
}

enum rc job_result(json_t *result, struct err *err)
{
	const char *name = json_string_value(json_object_get(result, "rc"));
	for (int rc = RC_OK; name != NULL && rc < (int)RC_CORRUPT; rc++) {
		if (strcmp(name, rc_name((enum rc)rc)) != 0)
			continue;
		if (rc != (int)RC_OK)
			err_set(err, (enum rc)rc, "%s", text(result, "text"));
		return (enum rc)rc;
	}
	return err_set(err, RC_CORRUPT, "the worker died");
}
