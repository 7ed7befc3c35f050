/*
 * test_job.c: what workers write: a digest with the map of its numbers, and an answer, as job.h
 * describes them.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "daemon/job.h"

struct place {
	char *dir, *out, *map;
};

static void place_make(struct place *place)
{
	char dir[] = "/tmp/pullyu-test-XXXXXX";
	assert_non_null(mkdtemp(dir));
	place->dir = g_strdup(dir);
	place->out = g_build_filename(dir, "out.eml", NULL);
	place->map = g_build_filename(dir, "out.map", NULL);
}

static void place_clear(struct place *place)
{
	unlink(place->out);
	unlink(place->map);
	assert_int_equal(rmdir(place->dir), 0);
	g_free(place->map);
	g_free(place->out);
	g_free(place->dir);
}

/* What a job of any kind needs. */
static json_t *job_of(const struct place *place, const char *kind)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "kind", kind,
	    "users", place->dir, "out", place->out, "user", "ann@example.org", "from",
	    "Pullyu <digest@example.org>", "message_id", "<m.1@example.org>", "guard", "v1; 00",
	    "host", "mx.example.org", "language", "en", "now", 1795503600);
}

static void run(json_t *job, enum rc want, char **err_out)
{
	struct err err = {.text = ""};
	json_t *result = job_run(job);
	enum rc rc = job_result(result, &err);
	if (rc != want)
		fail_msg("got %s (%s), want %s", rc_name(rc), err.text, rc_name(want));
	*err_out = g_strdup(err.text);
	json_decref(result);
	json_decref(job);
}

static char *content(const char *path)
{
	char *text = NULL;
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static void add_entry(json_t *entries, const char *id, const char *addr, int received)
{
	json_array_append_new(entries,
	    json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "id", id, "from_addr", addr, "subject",
		id, "class", "newsletter", "received", received, "allow", id, "object",
		"@shop.example"));
}

static json_t *compose_job(const struct place *place)
{
	json_t *entries = json_array(), *job = job_of(place, "compose");
	add_entry(entries, "one", "b@shop.example", 1);
	add_entry(entries, "two", "a@shop.example", 2);
	add_entry(entries, "three", "b@shop.example", 3);
	json_object_set_new(job, "entries", entries);
	json_object_set_new(job, "map", json_string(place->map));
	json_object_set_new(job, "command_address", json_string("pullyu@example.org"));
	json_object_set_new(job, "foot_times", json_string("times-token"));
	json_object_set_new(job, "times_form", json_string("times = 08:00\n"));
	json_object_set_new(job, "pause_example", json_string("2027-01-05"));
	json_object_set_new(job, "quiet", json_pack("[s]", "old@shop.example"));
	return job;
}

static int want_in(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return 0;
	fprintf(stderr, "got \"%s\", want \"%s\" in it\n", text, part);
	return 1;
}

static void test_compose(void **state)
{
	struct place place;
	char *err;
	(void)state;
	place_make(&place);
	for (int plain = 0; plain < 2; plain++) {
		json_t *job = compose_job(&place);
		json_object_set_new(job, "plain", json_boolean(plain));
		run(job, RC_OK, &err);
		char *map = content(place.map), *text = content(place.out);
		assert_string_equal(map, "{\"entries\":[[\"two\"],[\"three\",\"one\"]]}");
		int bad = want_in(text, "\r\nReply-To: pullyu@example.org\r\n");
		bad += want_in(text, "\r\n 2. three (2 messages)\r\n");
		bad += want_in(text, "pause until 2027-01-05");
		bad += want_in(text, "nothing of old@shop.example for 8");
		assert_int_equal(bad, 0);
		assert_true(plain || strstr(text, "%5Bpullyu%20three%5D") != NULL);
		g_free(text);
		g_free(map);
		g_free(err);
	}
	struct stat st;
	assert_int_equal(stat(place.map, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	place_clear(&place);
}

/* Without a map there is no file; one that cannot be made fails the job. */
static void test_map(void **state)
{
	struct place place;
	char *err;
	(void)state;
	place_make(&place);
	json_t *job = compose_job(&place);
	json_object_del(job, "map");
	run(job, RC_OK, &err);
	g_free(err);
	assert_int_not_equal(access(place.map, F_OK), 0);
	job = compose_job(&place);
	json_object_set_new(job, "map", json_string("/nonexistent/map"));
	run(job, RC_TEMP, &err);
	assert_non_null(strstr(err, "/nonexistent/map"));
	g_free(err);
	place_clear(&place);
}

static void test_answer(void **state)
{
	struct place place;
	char *err;
	(void)state;
	place_make(&place);
	json_t *job = job_of(&place, "answer");
	json_object_set_new(job, "answer", json_string("sent"));
	json_object_set_new(job, "count", json_integer(3));
	json_object_set_new(job, "in_reply_to", json_string("<c@x.example>"));
	json_object_set_new(job, "command_address", json_string("pullyu@example.org"));
	run(job, RC_OK, &err);
	g_free(err);
	char *text = content(place.out);
	assert_int_equal(want_in(text, "\r\nIn-Reply-To: <c@x.example>\r\n"), 0);
	assert_int_equal(want_in(text, "\r\n3 originals are on their way to you.\r\n"), 0);
	g_free(text);
	job = job_of(&place, "answer");
	json_object_set_new(job, "answer", json_string("impossible"));
	json_object_set_new(job, "detail", json_string("no number"));
	json_object_set_new(job, "reason", json_string("no-number"));
	json_object_set_new(job, "reason_1", json_string("99"));
	json_object_set_new(job, "reason_2", json_string("4"));
	run(job, RC_OK, &err);
	g_free(err);
	text = content(place.out);
	assert_int_equal(want_in(text, "\r\nSubject: Not possible\r\n"), 0);
	assert_int_equal(
	    want_in(text, "There is no number 99: the numbers of that digest end with 4."), 0);
	g_free(text);
	job = job_of(&place, "answer");
	json_object_set_new(job, "answer", json_string("help"));
	json_object_set_new(job, "command_address", json_string("pullyu@example.org"));
	json_object_set_new(job, "pause_example", json_string("2027-01-05"));
	run(job, RC_OK, &err);
	g_free(err);
	text = content(place.out);
	assert_int_equal(want_in(text, "\r\n  pause until 2027-01-05 "), 0);
	g_free(text);
	job = job_of(&place, "answer");
	json_object_set_new(job, "answer", json_string("no such"));
	run(job, RC_PERM, &err);
	assert_string_equal(err, "no such answer: \"no such\"");
	g_free(err);
	place_clear(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compose),
	    cmocka_unit_test(test_map),
	    cmocka_unit_test(test_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
