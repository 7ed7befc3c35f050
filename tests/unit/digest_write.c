/*
 * digest_write.c: writes the digest, or the answer to a command, that a JSON description asks for, for tests that look at the
 * result with another MIME parser.
 *
 *	digest_write [--plain | --text | --html | --answer] DESCRIPTION.json OUT
 *
 * The description is an object named after the fields of struct digest; entries[].path names the
 * file of an original, entries[].id is its id; "form" is called "times_form", foot.all "foot_all". Of an answer it is named after the fields of struct answer, its kind by its name.
 * A string "hex:..." stands for those bytes, so that a
 * test can hand over what is no UTF-8. What is wrong with a template goes to stderr. Exit status: 0, or 10 + enum rc with the error on stderr.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <jansson.h>

#include "digest/answer.h"
#include "digest/digest.h"

/* ctx: the entries of the description. */
static enum rc open_original(void *ctx, const char *id, int *fd_out, struct err *err)
{
	size_t i;
	json_t *entry;
	json_array_foreach(ctx, i, entry)
	{
		const char *path = json_string_value(json_object_get(entry, "path"));
		if (strcmp(json_string_value(json_object_get(entry, "id")), id) != 0)
			continue;
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			return err_errno(err,
			    errno == ENOENT || errno == ELOOP ? RC_NOTFOUND : RC_TEMP, "%s", path);
		*fd_out = fd;
		return RC_OK;
	}
	return err_set(err, RC_NOTFOUND, "no such id");
}

/* Borrowed from the description or from keep. */
static const char *text_of(const json_t *object, const char *key, GPtrArray *keep)
{
	const char *text = json_string_value(json_object_get(object, key));
	if (text == NULL || strncmp(text, "hex:", 4) != 0)
		return text;
	size_t n = strlen(text + 4) / 2;
	char *bytes = g_malloc0(n + 1);
	g_ptr_array_add(keep, bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(g_ascii_xdigit_value(text[4 + 2 * i]) * 16 +
		    g_ascii_xdigit_value(text[5 + 2 * i]));
	return bytes;
}

static int64_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static struct digest_entry *entries_of(const json_t *array, GPtrArray *keep)
{
	struct digest_entry *entries = g_new0(struct digest_entry, json_array_size(array) + 1);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *from = json_array_get(array, i);
		entries[i] = (struct digest_entry){
		    .id = text_of(from, "id", keep),
		    .lead = (uint64_t)number_of(from, "lead"),
		    .size = (uint64_t)number_of(from, "size"),
		    .from_name = text_of(from, "from_name", keep),
		    .from_addr = text_of(from, "from_addr", keep),
		    .subject = text_of(from, "subject", keep),
		    .list_id = text_of(from, "list_id", keep),
		    .class_name = text_of(from, "class_name", keep),
		    .why = text_of(from, "why", keep),
		    .received = number_of(from, "received"),
		    .allow = text_of(from, "allow", keep),
		    .hold = text_of(from, "hold", keep),
		    .send = text_of(from, "send", keep),
		    .object = text_of(from, "object", keep),
		};
	}
	return entries;
}

/* NULL-terminated; g_free. */
static const char *const *strings_of(const json_t *array)
{
	size_t n = json_array_size(array);
	const char **strings = g_new0(const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		strings[i] = json_string_value(json_array_get(array, i));
	return strings;
}

static void on_problem(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "template: %s\n", text);
}

/* One line of the file that "map" names: "1 id id". */
static FILE *map;

static void on_numbered(void *ctx, unsigned number, const char *const *ids, size_t n)
{
	(void)ctx;
	fprintf(map, "%u", number);
	for (size_t i = 0; i < n; i++)
		fprintf(map, " %s", ids[i]);
	fputc('\n', map);
}

/* The parts of a description that are about answering. */
static void fill_answers(struct digest *digest, const json_t *root, GPtrArray *keep)
{
	const char *path = text_of(root, "map", keep);
	digest->command_address = text_of(root, "command_address", keep);
	digest->foot.all = text_of(root, "foot_all", keep);
	digest->foot.times = text_of(root, "foot_times", keep);
	digest->foot.pause = text_of(root, "foot_pause", keep);
	digest->foot.help = text_of(root, "foot_help", keep);
	digest->form = text_of(root, "times_form", keep);
	digest->pause_example = text_of(root, "pause_example", keep);
	if (path != NULL && (map = fopen(path, "we")) != NULL)
		digest->numbered = on_numbered;
}

static enum rc compose_plain(
    const struct digest *digest, enum digest_form form, int fd, struct err *err)
{
	(void)form;
	return digest_compose_plain(digest, fd, err);
}

struct form {
	const char *option;
	enum digest_form form;
	enum rc (*compose)(const struct digest *, enum digest_form, int, struct err *);
};

static const struct form *form_of(int argc, char **argv)
{
	static const struct form forms[] = {
	    {"--plain", DIGEST_MESSAGE, compose_plain},
	    {"--text", DIGEST_TEXT, digest_compose},
	    {"--html", DIGEST_HTML, digest_compose},
	    {NULL, DIGEST_MESSAGE, digest_compose},
	};
	const struct form *form = forms;
	while (form->option != NULL && (argc != 4 || strcmp(form->option, argv[1]) != 0))
		form++;
	return argc == 4 && form->option == NULL ? NULL : form;
}

static enum rc write_digest(const json_t *root, const struct form *form, int fd, struct err *err)
{
	GPtrArray *keep = g_ptr_array_new_with_free_func(g_free);
	json_t *entries = json_object_get(root, "entries");
	struct digest digest = {
	    .open_original = open_original,
	    .ctx = entries,
	    .user = text_of(root, "user", keep),
	    .from = text_of(root, "from", keep),
	    .reply_to = text_of(root, "reply_to", keep),
	    .message_id = text_of(root, "message_id", keep),
	    .guard = text_of(root, "guard", keep),
	    .host = text_of(root, "host", keep),
	    .slot = number_of(root, "slot"),
	    .now = number_of(root, "now"),
	    .timezone = text_of(root, "timezone", keep),
	    .language = text_of(root, "language", keep),
	    .attach = json_is_true(json_object_get(root, "attach")),
	    .originals_in_folder = json_is_true(json_object_get(root, "originals_in_folder")),
	    .notices = strings_of(json_object_get(root, "notices")),
	    .authserv_ids = strings_of(json_object_get(root, "authserv_ids")),
	    .quiet = strings_of(json_object_get(root, "quiet")),
	    .templates = text_of(root, "templates", keep),
	    .part = (unsigned)number_of(root, "part"),
	    .parts = (unsigned)number_of(root, "parts"),
	    .problem = on_problem,
	    .entries = entries_of(entries, keep),
	    .n_entries = json_array_size(entries),
	};
	fill_answers(&digest, root, keep);
	enum rc rc = form->compose(&digest, form->form, fd, err);
	if (map != NULL)
		fclose(map);
	g_free(digest.entries);
	g_free((gpointer)digest.quiet);
	g_free((gpointer)digest.notices);
	g_free((gpointer)digest.authserv_ids);
	g_ptr_array_unref(keep);
	return rc;
}

static enum rc write_answer(const json_t *root, int fd, struct err *err)
{
	GPtrArray *keep = g_ptr_array_new_with_free_func(g_free);
	struct answer answer = {
	    .kind = (enum answer_kind)answer_kind_by_name(text_of(root, "kind", keep)),
	    .user = text_of(root, "user", keep),
	    .from = text_of(root, "from", keep),
	    .message_id = text_of(root, "message_id", keep),
	    .in_reply_to = text_of(root, "in_reply_to", keep),
	    .references = text_of(root, "references", keep),
	    .guard = text_of(root, "guard", keep),
	    .host = text_of(root, "host", keep),
	    .language = text_of(root, "language", keep),
	    .now = number_of(root, "now"),
	    .command_address = text_of(root, "command_address", keep),
	    .object = text_of(root, "object", keep),
	    .detail = text_of(root, "detail", keep),
	    .reason = text_of(root, "reason", keep),
	    .reason_1 = text_of(root, "reason_1", keep),
	    .reason_2 = text_of(root, "reason_2", keep),
	    .count = (uint64_t)number_of(root, "count"),
	    .undo = text_of(root, "undo", keep),
	    .help_times = text_of(root, "help_times", keep),
	    .form = text_of(root, "form", keep),
	    .pause_example = text_of(root, "pause_example", keep),
	    .lists = text_of(root, "lists", keep),
	};
	enum rc rc = answer_compose(&answer, fd, err);
	g_ptr_array_unref(keep);
	return rc;
}

int main(int argc, char **argv)
{
	bool is_answer = argc == 4 && strcmp(argv[1], "--answer") == 0;
	const struct form *form = form_of(argc, argv);
	if ((argc != 3 && argc != 4) || (form == NULL && !is_answer)) {
		fprintf(stderr,
		    "usage: digest_write [--plain | --text | --html | --answer] DESCRIPTION.json "
		    "OUT\n");
		return 64;
	}
	json_error_t problem;
	json_t *root = json_load_file(argv[argc - 2], 0, &problem);
	if (root == NULL) {
		fprintf(stderr, "%s:%d: %s\n", argv[argc - 2], problem.line, problem.text);
		return 65;
	}
	struct err err = {.text = ""};
	int fd = open(argv[argc - 1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		perror(argv[argc - 1]);
		return 73;
	}
	enum rc rc = is_answer ? write_answer(root, fd, &err) : write_digest(root, form, fd, &err);
	close(fd);
	json_decref(root);
	if (rc == RC_OK)
		return 0;
	fprintf(stderr, "%s: %s\n", rc_name(rc), err.text);
	return 10 + (int)rc;
}
