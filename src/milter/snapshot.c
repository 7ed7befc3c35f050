/*
 * snapshot.c: see snapshot.h. Users' own files are not watched here: the cache of policy/user.h
 * looks at them when their mail comes.
 */
#include <config.h>

#include "milter/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include <glib.h>

#include "base/log.h"
#include "policy/rules_load.h"

static pthread_mutex_t current_lock = PTHREAD_MUTEX_INITIALIZER;
static struct snapshot *current; /* under current_lock */

static pthread_t watcher;
static atomic_bool watching;
static char *watched_conf; /* own; of the watcher */

/* ---- what the files look like ---- */

static void see(GString *seen, const char *path)
{
	struct stat st;
	if (path == NULL || stat(path, &st) != 0) {
		g_string_append_printf(seen, "%s -\n", path == NULL ? "" : path);
		return;
	}
	g_string_append_printf(seen, "%s %llu %llu %lld %lld.%09ld %lld.%09ld %o %u\n", path,
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, (long long)st.st_size,
	    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
	    st.st_ctim.tv_nsec, (unsigned)st.st_mode, (unsigned)st.st_uid);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void see_rules(GString *seen, const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const char *name;
	see(seen, dir);
	while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
		if (g_str_has_suffix(name, ".ini"))
			g_ptr_array_add(names, g_build_filename(dir, name, NULL));
	}
	if (d != NULL)
		g_dir_close(d);
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		see(seen, g_ptr_array_index(names, i));
	g_ptr_array_free(names, TRUE);
}

static char *look(const char *conf_file, const struct conf *conf)
{
	GString *seen = g_string_new(NULL);
	see(seen, conf_file);
	if (conf != NULL) {
		see(seen, conf->participants);
		see(seen, conf->key);
		see_rules(seen, conf->rules);
	}
	return g_string_free(seen, FALSE);
}

/* ---- loading ---- */

static enum rc load_key(struct snapshot *snapshot, struct err *err)
{
	enum rc rc = hmac_key_load(snapshot->conf->key, false, snapshot->key, err);
	snapshot->has_key = rc == RC_OK;
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* pullyud reads these at its start only, and two programs that disagree about them would strand
 * mail. */
static void keep_paths(struct conf *fresh, const struct conf *old)
{
	const struct {
		const char *name, *was;
		char **now;
	} paths[] = {
	    {"spool", old->spool, &fresh->spool},
	    {"control", old->control, &fresh->control},
	    {"key", old->key, &fresh->key},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (strcmp(paths[i].was, *paths[i].now) == 0)
			continue;
		log_warning("%s: [paths] %s = %s takes effect at a restart of both programs",
		    fresh->file, paths[i].name, *paths[i].now);
		g_free(*paths[i].now);
		*paths[i].now = g_strdup(paths[i].was);
	}
}

/* old: the configuration in force, whose paths are those of the start; NULL at the start. Always
 * sets *snapshot_out; after a failure it holds as much as could be read, which tells the watcher
 * where a correction would show. */
static enum rc load(const char *path, const struct conf *old, ini_problem_fn *problem, void *ctx,
    struct snapshot **snapshot_out, struct err *err)
{
	struct snapshot *snapshot = g_new0(struct snapshot, 1);
	snapshot->refs = 1;
	*snapshot_out = snapshot;
	/* Looked at before reading: a change in between is then seen as one the next time. */
	char *seen = look(path, NULL);
	enum rc rc = conf_load(path, problem, ctx, &snapshot->conf, err);
	if (snapshot->conf != NULL && old != NULL)
		keep_paths(snapshot->conf, old);
	const struct conf *conf = snapshot->conf;
	snapshot->seen = look(path, conf);
	if (!g_str_has_prefix(snapshot->seen, seen)) {
		g_free(snapshot->seen);
		snapshot->seen = g_strdup("changing");
	}
	g_free(seen);
	if (rc == RC_OK)
		rc = policy_rules_load(conf->rules, problem, ctx, &snapshot->rules, err);
	if (rc != RC_OK)
		return rc;
	const struct users_config users = {
	    .settings_dir = conf->settings_dir,
	    .participants = conf->participants,
	    .system_domains = conf->system_domains,
	    .shadow_domains = conf->shadow_domains,
	    .delimiters = conf->delimiters,
	    .keep_case = conf->keep_case,
	    .defaults = &conf->defaults,
	};
	rc = users_new(&users, &snapshot->users, err);
	return rc == RC_OK ? load_key(snapshot, err) : rc;
}

enum rc snapshot_load(const char *path, ini_problem_fn *problem, void *ctx,
    struct snapshot **snapshot_out, struct err *err)
{
	struct snapshot *snapshot;
	enum rc rc = load(path, NULL, problem, ctx, &snapshot, err);
	if (rc == RC_OK)
		*snapshot_out = snapshot;
	else
		snapshot_unref(&snapshot);
	return rc;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	g_atomic_int_inc(&snapshot->refs);
	return snapshot;
}

void snapshot_unref(struct snapshot **snapshot)
{
	struct snapshot *s = *snapshot;
	*snapshot = NULL;
	if (s == NULL || !g_atomic_int_dec_and_test(&s->refs))
		return;
	if (s->users != NULL)
		users_free(&s->users);
	if (s->rules != NULL)
		rules_unref(&s->rules);
	if (s->conf != NULL)
		conf_unref(&s->conf);
	g_free(s->seen);
	g_free(s);
}

struct snapshot *snapshot_get(void)
{
	pthread_mutex_lock(&current_lock);
	struct snapshot *snapshot = snapshot_ref(current);
	pthread_mutex_unlock(&current_lock);
	return snapshot;
}

void snapshot_set(struct snapshot *snapshot)
{
	pthread_mutex_lock(&current_lock);
	struct snapshot *old = current;
	current = snapshot;
	pthread_mutex_unlock(&current_lock);
	snapshot_unref(&old);
}

/* ---- the watcher ---- */

static void log_problem(void *ctx, const char *file, int line, const char *text)
{
	(void)ctx;
	log_error("%s:%d: %s", file, line, text);
}

static void warn_of_fixed(const struct conf *old, const struct conf *fresh)
{
	if (strcmp(old->socket, fresh->socket) != 0 || old->socket_mode != fresh->socket_mode)
		log_warning("%s: [milter] socket and socket_mode take effect at the next start",
		    fresh->file);
}

/* Returns what was loaded, whether or not it was put in force. */
static struct snapshot *reload(void)
{
	struct snapshot *fresh, *old = snapshot_get();
	struct err err;
	if (load(watched_conf, old->conf, log_problem, NULL, &fresh, &err) != RC_OK) {
		log_error("not reloaded, the old configuration stays in force: %s", err.text);
	} else {
		warn_of_fixed(old->conf, fresh->conf);
		log_open("pullyu-milter", fresh->conf->log_to == 0,
		    (enum log_level)fresh->conf->log_level);
		log_info("reloaded %s, %zu rules", watched_conf, rules_count(fresh->rules));
		snapshot_set(snapshot_ref(fresh));
	}
	snapshot_unref(&old);
	return fresh;
}

static void *watch(void *arg)
{
	const struct timespec interval = {.tv_sec = SNAPSHOT_WATCH_SECONDS};
	struct snapshot *last = snapshot_get(); /* what was loaded last: a bad file is told once */
	sigset_t set;
	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	while (atomic_load(&watching)) {
		bool asked = sigtimedwait(&set, NULL, &interval) == SIGUSR1;
		char *seen = look(watched_conf, last->conf);
		if (atomic_load(&watching) && (asked || strcmp(seen, last->seen) != 0)) {
			snapshot_unref(&last);
			last = reload();
		}
		g_free(seen);
	}
	snapshot_unref(&last);
	return NULL;
}

enum rc snapshot_watch_start(struct err *err)
{
	struct snapshot *now = snapshot_get();
	watched_conf = g_strdup(now->conf->file);
	snapshot_unref(&now);
	atomic_store(&watching, true);
	int result = pthread_create(&watcher, NULL, watch, NULL);
	if (result == 0)
		return RC_OK;
	atomic_store(&watching, false);
	errno = result;
	return err_errno(err, RC_TEMP, "cannot start a thread");
}

void snapshot_watch_kick(void)
{
	if (atomic_load(&watching))
		pthread_kill(watcher, SIGUSR1);
}

void snapshot_watch_stop(void)
{
	if (!atomic_exchange(&watching, false))
		return;
	pthread_kill(watcher, SIGUSR1);
	pthread_join(watcher, NULL);
	g_clear_pointer(&watched_conf, g_free);
}
