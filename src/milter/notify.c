/*
 * notify.c: see notify.h.
 */
#include <config.h>

#include "milter/notify.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include <glib.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"

struct note {
	char *socket;    /* own */
	json_t *request; /* own */
	bool kick;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static GQueue queue = G_QUEUE_INIT; /* under lock; of struct note */
static bool running, stopping;      /* under lock */
static bool kick_waits;             /* under lock; a second one would say nothing new */
static int64_t stop_at;             /* under lock; clock_mono_ms */
static pthread_t thread;

static void note_free(struct note *note)
{
	json_decref(note->request);
	g_free(note->socket);
	g_free(note);
}

static void *talk(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;) {
		while (g_queue_is_empty(&queue) && !stopping)
			pthread_cond_wait(&changed, &lock);
		int64_t timeout = NOTIFY_TIMEOUT_MS;
		if (stopping && stop_at - clock_mono_ms() < timeout)
			timeout = stop_at - clock_mono_ms();
		struct note *note = g_queue_pop_head(&queue);
		if (note == NULL || timeout <= 0) {
			if (note != NULL)
				note_free(note);
			break;
		}
		if (note->kick)
			kick_waits = false;
		pthread_mutex_unlock(&lock);
		struct err err;
		if (control_call(note->socket, note->request, timeout, NULL, NULL, &err) != RC_OK)
			log_debug("pullyud was not told: %s", err.text);
		note_free(note);
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

enum rc notify_start(struct err *err)
{
	int result = pthread_create(&thread, NULL, talk, NULL);
	if (result != 0) {
		errno = result;
		return err_errno(err, RC_TEMP, "cannot start a thread");
	}
	running = true;
	return RC_OK;
}

void notify_stop(int timeout_ms)
{
	pthread_mutex_lock(&lock);
	bool was = running;
	running = false;
	stopping = true;
	stop_at = clock_mono_ms() + timeout_ms;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	if (was)
		pthread_join(thread, NULL);
	struct note *note;
	while ((note = g_queue_pop_head(&queue)) != NULL)
		note_free(note);
}

/* Takes over request. */
static void enqueue(const char *socket, json_t *request, bool kick)
{
	struct note *note = g_new0(struct note, 1);
	note->socket = g_strdup(socket);
	note->request = request;
	note->kick = kick;
	pthread_mutex_lock(&lock);
	bool take = running && queue.length < NOTIFY_QUEUE_MAX && !(kick && kick_waits);
	if (take) {
		g_queue_push_tail(&queue, note);
		kick_waits |= kick;
		pthread_cond_signal(&changed);
	}
	pthread_mutex_unlock(&lock);
	if (!take)
		note_free(note);
}

void notify_kick(const char *socket)
{
	enqueue(socket, json_pack("{s:s}", "op", "kick"), true);
}

void notify_sent(const char *socket, const char *user, const char *const *to, size_t n_to,
    const char *message_id)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n_to; i++)
		json_array_append_new(array, json_string(to[i]));
	json_t *request = json_pack(
	    "{s:s, s:s, s:o, s:s}", "op", "sent", "user", user, "to", array, "id", message_id);
	if (request != NULL)
		enqueue(socket, request, false);
}
