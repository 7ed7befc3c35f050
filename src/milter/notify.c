/*
 * notify.c: see notify.h.
 */
#include <config.h>

#include "milter/notify.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <glib.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"

enum { PAUSE_FIRST_MS = 2000, PAUSE_MAX_MS = 30000 };

struct note {
	char *socket;    /* own */
	json_t *request; /* own */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;        /* of CLOCK_MONOTONIC; there is one while running */
static GQueue queue = G_QUEUE_INIT;   /* under lock; of struct note: "sent", the oldest first */
static GQueue shadows = G_QUEUE_INIT; /* under lock; of struct note: what would have been held */
static struct note *kick;             /* under lock; own; a second one would say nothing new */
static bool running, stopping;        /* under lock */
static int64_t stop_at;               /* under lock; clock_mono_ms */
static pthread_t thread;

/* The thread's own: pullyud does not answer. */
static struct {
	bool now;
	int64_t pause_ms, retry_at; /* of "sent"; 0: at once */
} outage;

static void note_free(struct note *note)
{
	json_decref(note->request);
	g_free(note->socket);
	g_free(note);
}

/* Returns true if the note is done with: told, or refused for good. */
static bool tell(const struct note *note, int64_t timeout, bool keep)
{
	struct err err;
	enum rc rc = control_call(note->socket, note->request, timeout, NULL, NULL, &err);
	if (rc != RC_TEMP) {
		if (rc != RC_OK)
			log_debug("pullyud was not told: %s", err.text);
		if (outage.now)
			log_info("pullyud answers again");
		memset(&outage, 0, sizeof(outage));
		return true;
	}
	if (!outage.now)
		log_warning("pullyud cannot be told, more tries follow: %s", err.text);
	outage.now = true;
	if (keep) {
		outage.pause_ms =
		    outage.pause_ms == 0 ? PAUSE_FIRST_MS : MIN(2 * outage.pause_ms, PAUSE_MAX_MS);
		outage.retry_at = clock_mono_ms() + outage.pause_ms;
	}
	return !keep;
}

/* Waits for something to do. Returns false at the end: nothing is left, or there is no time for it.
 * lock is held. */
static bool wait_for_work(int64_t *timeout_out)
{
	*timeout_out = NOTIFY_TIMEOUT_MS;
	while (!stopping && kick == NULL && g_queue_is_empty(&shadows)) {
		if (g_queue_is_empty(&queue)) {
			pthread_cond_wait(&changed, &lock);
			continue;
		}
		if (outage.retry_at <= clock_mono_ms())
			break;
		const struct timespec until = {
		    .tv_sec = outage.retry_at / 1000,
		    .tv_nsec = outage.retry_at % 1000 * 1000000,
		};
		pthread_cond_timedwait(&changed, &lock, &until);
	}
	if (stopping)
		*timeout_out = MIN(*timeout_out, stop_at - clock_mono_ms());
	return *timeout_out > 0 &&
	    (kick != NULL || !g_queue_is_empty(&queue) || !g_queue_is_empty(&shadows));
}

static void drop_all(GQueue *notes)
{
	struct note *note;
	while ((note = g_queue_pop_head(notes)) != NULL)
		note_free(note);
}

/* The next one to tell, in their order of importance. lock is held. */
static struct note *take(bool *keep_out)
{
	/* A "sent" stays at the head meanwhile: only this thread takes it off. */
	*keep_out = kick == NULL && !g_queue_is_empty(&queue) &&
	    (stopping || outage.retry_at <= clock_mono_ms());
	if (kick != NULL)
		return g_steal_pointer(&kick);
	return *keep_out ? g_queue_peek_head(&queue) : g_queue_pop_head(&shadows);
}

static void *talk(void *arg)
{
	int64_t timeout;
	(void)arg;
	pthread_mutex_lock(&lock);
	while (wait_for_work(&timeout)) {
		bool keep;
		struct note *note = take(&keep);
		pthread_mutex_unlock(&lock);
		bool done = tell(note, timeout, keep);
		pthread_mutex_lock(&lock);
		if (outage.now)
			drop_all(&shadows);
		if (keep && done)
			g_queue_pop_head(&queue);
		if (done)
			note_free(note);
		else if (stopping)
			break;
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

enum rc notify_start(struct err *err)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attr);
	pthread_condattr_destroy(&attr);
	int result = pthread_create(&thread, NULL, talk, NULL);
	if (result != 0) {
		pthread_cond_destroy(&changed);
		errno = result;
		return err_errno(err, RC_TEMP, "cannot start a thread");
	}
	pthread_mutex_lock(&lock);
	running = true;
	pthread_mutex_unlock(&lock);
	return RC_OK;
}

void notify_stop(int timeout_ms)
{
	pthread_mutex_lock(&lock);
	bool was = running;
	running = false;
	stopping = true;
	stop_at = clock_mono_ms() + timeout_ms;
	if (was)
		pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	if (!was)
		return;
	pthread_join(thread, NULL);
	pthread_cond_destroy(&changed);
	if (!g_queue_is_empty(&queue))
		log_warning("pullyud was not told of %u messages that users sent", queue.length);
	drop_all(&queue);
	drop_all(&shadows);
	if (kick != NULL)
		note_free(g_steal_pointer(&kick));
}

/* Takes over request. to: one of the queues, or NULL for a kick. */
static void enqueue(const char *socket, json_t *request, GQueue *to)
{
	struct note *note = g_new0(struct note, 1);
	note->socket = g_strdup(socket);
	note->request = request;
	pthread_mutex_lock(&lock);
	bool taken = running && (to == NULL ? kick == NULL : to->length < NOTIFY_QUEUE_MAX);
	if (taken) {
		if (to == NULL)
			kick = note;
		else
			g_queue_push_tail(to, note);
		pthread_cond_signal(&changed);
	}
	pthread_mutex_unlock(&lock);
	if (!taken)
		note_free(note);
}

void notify_kick(const char *socket)
{
	enqueue(socket, json_pack("{s:s}", "op", "kick"), NULL);
}

void notify_sent(const char *socket, const char *user, const char *const *to, size_t n_to,
    const char *message_id)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n_to; i++)
		json_array_append_new(array, json_string(to[i]));
	json_t *request = json_pack("{s:s, s:s, s:o}", "op", "sent", "user", user, "to", array);
	/* What is not UTF-8 cannot be said in JSON: NULL, and whom the user wrote to still
	 * counts. */
	json_t *id = json_string(message_id);
	if (request != NULL && id != NULL)
		json_object_set_new(request, "id", id);
	else
		json_decref(id);
	if (request != NULL)
		enqueue(socket, request, &queue);
}

void notify_shadow(const char *socket, const struct notify_shadow *note)
{
	json_t *reasons = json_array();
	for (size_t i = 0; i < note->n_reasons; i++)
		json_array_append_new(reasons, json_string(note->reasons[i]));
	json_t *request = json_pack("{s:s, s:s, s:s, s:s, s:f, s:I, s:o}", "op", "shadow", "user",
	    note->user, "class", note->class_name, "sender", note->sender, "score", note->score,
	    "received", (json_int_t)note->received, "reasons", reasons);
	if (request == NULL)
		return;
	if (note->margin >= 0)
		json_object_set_new(request, "margin", json_real(note->margin));
	enqueue(socket, request, &shadows);
}
