/*
 * main.c: pullyud. main() is the checklist of a start.
 */
#include <config.h>

#include "daemon/daemon.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib-unix.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/describe.h"
#include "daemon/job.h"
#include "policy/rules_load.h"

enum {
	CHECKPOINT_SECONDS = 60,
	EXPIRE_AT_ONCE = 1000,
	EXPIRE_ROUNDS = 20,
	STOP_POLL_MS = 100,
	STOP_SECONDS = 20, /* for the jobs under way; systemd allows 90 */
};

static void problem(void *ctx, const char *file, int line, const char *what)
{
	(void)ctx;
	log_error("%s:%d: %s", file, line, what);
}

static void usage(FILE *to)
{
	fprintf(to,
	    "usage: pullyud [-t] [-c CONFIG]\n"
	    "  -c CONFIG  configuration file (" PULLYU_SYSCONFDIR "/pullyu.conf)\n"
	    "  -t         check the configuration and exit\n");
}

/* ---- configuration ---- */

static enum rc load_users(const struct conf *conf, struct users **users_out, struct err *err)
{
	struct users_config config = {.settings_dir = conf->settings_dir,
	    .participants = conf->participants,
	    .system_domains = conf->system_domains,
	    .shadow_domains = conf->shadow_domains,
	    .delimiters = conf->delimiters,
	    .keep_case = conf->keep_case,
	    .defaults = &conf->defaults};
	return users_new(&config, users_out, err);
}

/* Everything that comes from files, or nothing of it. */
static enum rc load_all(const char *path, struct conf **conf_out, struct rules **rules_out,
    struct users **users_out, struct err *err)
{
	struct conf *conf = NULL;
	struct rules *rules = NULL;
	enum rc rc = conf_load(path, problem, NULL, &conf, err);
	if (rc == RC_OK)
		rc = policy_rules_load(conf->rules, problem, NULL, &rules, err);
	if (rc == RC_OK)
		rc = load_users(conf, users_out, err);
	if (rc != RC_OK) {
		rules_unref(&rules);
		conf_unref(&conf);
		return rc;
	}
	*conf_out = conf;
	*rules_out = rules;
	return RC_OK;
}

static void open_log(const struct conf *conf)
{
	log_open("pullyud", conf->log_to == 0, (enum log_level)conf->log_level);
}

/* Paths and sockets stay as they were at the start; everything else is taken over. */
static gboolean on_reload(gpointer data)
{
	struct daemon *d = data;
	struct conf *conf = NULL;
	struct rules *rules = NULL;
	struct users *users = NULL;
	struct release_config config;
	struct err err;
	if (load_all(d->conf_path, &conf, &rules, &users, &err) != RC_OK) {
		log_error("reload failed, the old configuration stays: %s", err.text);
		return G_SOURCE_CONTINUE;
	}
	conf_unref(&d->conf);
	rules_unref(&d->rules);
	users_free(&d->users);
	d->conf = conf;
	d->rules = rules;
	d->users = users;
	open_log(conf);
	g_hash_table_remove_all(d->strange); /* tried again by the new configuration */
	incoming_soon(d);
	commands_keys(d);
	commands_soon(d);
	ops_config(d, &config);
	releases_configure(d->releases, &config);
	ops_tick_soon(d);
	log_info("configuration reloaded");
	return G_SOURCE_CONTINUE;
}

/* ---- the end ---- */

static gboolean on_stop_poll(gpointer data)
{
	struct daemon *d = data;
	static int64_t deadline;
	if (deadline == 0)
		deadline = clock_mono_ms() + STOP_SECONDS * 1000;
	if (!workers_idle(d->workers) && clock_mono_ms() < deadline)
		return G_SOURCE_CONTINUE;
	d->stop_source = 0;
	g_main_loop_quit(d->loop);
	return G_SOURCE_REMOVE;
}

void daemon_stop(struct daemon *d, int exit_code)
{
	if (d->stopping)
		return;
	d->stopping = true;
	d->exit_code = exit_code;
	releases_stop(d->releases);
	d->stop_source = g_timeout_add(STOP_POLL_MS, on_stop_poll, d);
}

static gboolean on_term(gpointer data)
{
	log_info("stopping");
	daemon_stop(data, EX_OK);
	return G_SOURCE_CONTINUE;
}

void daemon_check_store(struct daemon *d, enum rc rc, const struct err *err)
{
	if (rc != RC_CORRUPT || d->stopping)
		return;
	log_error("the database needs recovery, restarting does it: %s", err->text);
	daemon_stop(d, EX_TEMPFAIL);
}

/* ---- once a minute ---- */

static gboolean on_minute(gpointer data)
{
	struct daemon *d = data;
	struct err err;
	size_t removed = 0;
	char problem[400] = "";
	if (d->stopping)
		return G_SOURCE_REMOVE;
	/* Told once, and again when it changes; "" when all is well. */
	users_problem(d->users, problem);
	if (strcmp(problem, d->users_problem) != 0 && problem[0] != '\0')
		log_error("participants: %s; the last good list stays", problem);
	str_copy(d->users_problem, sizeof(d->users_problem), problem);
	enum rc rc = store_known_expire(
	    d->store, clock_now() - d->conf->known_expire, EXPIRE_AT_ONCE, &removed, &err);
	/* In small transactions: the milter's questions wait meanwhile. */
	removed = EXPIRE_AT_ONCE;
	for (int i = 0; i < EXPIRE_ROUNDS && rc == RC_OK && removed == EXPIRE_AT_ONCE; i++)
		rc = store_note_expire(d->store, clock_now(), EXPIRE_AT_ONCE, &removed, &err);
	kept_expire(d);
	commands_minute(d);
	if (rc == RC_OK)
		rc = store_checkpoint(d->store, &err);
	if (rc != RC_OK)
		log_warning("checkpoint: %s", err.text);
	daemon_check_store(d, rc, &err);
	return G_SOURCE_CONTINUE;
}

/* ---- the start ---- */

static enum rc make_directories(struct daemon *d, struct err *err)
{
	char *tmp = g_build_filename(d->conf->spool, "tmp", NULL);
	enum rc rc;
	d->incoming = g_build_filename(d->conf->spool, "incoming", NULL);
	d->out = g_build_filename(d->conf->spool, "out", NULL);
	d->folders = g_build_filename(d->conf->spool, "users", NULL);
	d->commands = g_build_filename(d->conf->spool, "commands", NULL);
	const char *dirs[] = {tmp, d->incoming, d->out, d->folders, d->commands};
	rc = RC_OK;
	for (size_t i = 0; i < G_N_ELEMENTS(dirs) && rc == RC_OK; i++)
		rc = fs_mkdirs(dirs[i], 0750, err);
	g_free(tmp);
	return rc;
}

static enum rc open_store(struct daemon *d, struct err *err)
{
	struct store_config config = {.msg_driver = "maildir",
	    .msg_path = d->folders,
	    .db_driver = "bdb",
	    .db_path = d->conf->db};
	bool recovered = false;
	size_t changed = 0;
	enum rc rc = store_open(&config, &d->store, &recovered, err);
	if (rc != RC_OK)
		return rc;
	if (recovered)
		log_error(
		    "the database could not be recovered; the old one is set aside beside %s. "
		    "Held mail is indexed anew; correspondents and slots start afresh",
		    d->conf->db);
	/* A crash between a message's rename and its index entry is mended here. A folder that
	 * cannot be read now is looked at again when its user's mail is due; it stops nobody
	 * else's. */
	rc = store_rebuild(d->store, NULL, describe, d->users, &changed, err);
	if (rc == RC_OK && changed > 0)
		log_info("index: %zu entries brought up to date with the folders", changed);
	if (rc == RC_TEMP || rc == RC_PERM) {
		log_error("index: %s", err->text);
		rc = RC_OK;
	}
	return rc;
}

static enum rc start_releases(struct daemon *d, struct err *err)
{
	struct release_config config;
	enum rc rc = hmac_key_load(d->conf->key, true, d->key, err);
	if (rc != RC_OK)
		return rc;
	ops_config(d, &config);
	d->releases = releases_new(d->store, &config, &daemon_release_ops, d);
	rc = releases_load(d->releases, clock_now(), err);
	if (rc == RC_OK)
		ops_tick_soon(d);
	return rc;
}

static enum rc start_server(struct daemon *d, struct err *err)
{
	char *dir = g_path_get_dirname(d->conf->control);
	enum rc rc = fs_mkdirs(dir, 0750, err);
	g_free(dir);
	if (rc == RC_OK)
		rc = control_server_new(d->conf->control, 0660, serve, d, &d->server, err);
	return rc;
}

static gboolean on_forker_gone(gint fd, GIOCondition condition, gpointer data)
{
	(void)fd, (void)condition;
	log_error("the forker of workers is gone; restarting makes a new one");
	daemon_stop(data, EX_TEMPFAIL);
	return G_SOURCE_REMOVE;
}

static void watch_signals(struct daemon *d)
{
	g_unix_fd_add(workers_fd(d->workers), G_IO_HUP | G_IO_ERR, on_forker_gone, d);
	signal(SIGPIPE, SIG_IGN);
	g_unix_signal_add(SIGTERM, on_term, d);
	g_unix_signal_add(SIGINT, on_term, d);
	g_unix_signal_add(SIGHUP, on_reload, d);
	g_unix_signal_add(SIGUSR1, on_reload, d);
	g_timeout_add_seconds(CHECKPOINT_SECONDS, on_minute, d);
}

/* In the opposite order of the start; works on a daemon that started half. */
static void end(struct daemon *d)
{
	control_server_free(&d->server);
	workers_stop(&d->workers);
	releases_free(&d->releases);
	shadow_stop(d);
	kept_close(d);
	store_close(&d->store);
	incoming_end(d);
	commands_end(d);
	users_free(&d->users);
	rules_unref(&d->rules);
	conf_unref(&d->conf);
	if (d->loop != NULL)
		g_main_loop_unref(d->loop);
	g_free(d->incoming);
	g_free(d->out);
	g_free(d->folders);
	g_free(d->commands);
}

static enum rc start(struct daemon *d, struct err *err)
{
	enum rc rc = workers_start(job_run, &d->workers, err); /* before anything is open */
	if (rc == RC_OK)
		rc = make_directories(d, err);
	if (rc == RC_OK)
		rc = open_store(d, err);
	if (rc == RC_OK)
		rc = kept_open(d, err);
	if (rc == RC_OK)
		d->shadow = shadow_new(d->store);
	if (rc == RC_OK)
		rc = start_releases(d, err);
	if (rc == RC_OK)
		commands_start(d);
	if (rc == RC_OK)
		rc = incoming_watch(d, err);
	if (rc == RC_OK)
		rc = start_server(d, err);
	fault_point("daemon.started");
	return rc;
}

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, struct daemon *d, bool *check_only)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"check", no_argument, NULL, 't'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int opt;
	while ((opt = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			d->conf_path = optarg;
			break;
		case 't':
			*check_only = true;
			break;
		case 'V':
			puts("pullyud " PACKAGE_VERSION);
			return EX_OK;
		case 'h':
			usage(stdout);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return EX_USAGE;
}

/* Until a signal ends it. */
static void run(struct daemon *d)
{
	struct err err;
	umask(0027);
	open_log(d->conf);
	d->loop = g_main_loop_new(NULL, FALSE);
	d->since = clock_now();
	enum rc rc = start(d, &err);
	if (rc == RC_OK) {
		watch_signals(d);
		log_info("pullyud %s started", PACKAGE_VERSION);
		g_main_loop_run(d->loop);
	} else {
		log_error("%s", err.text);
		d->exit_code = rc == RC_PERM ? EX_CONFIG : EX_TEMPFAIL;
	}
}

int main(int argc, char **argv)
{
	struct daemon d = {.conf_path = PULLYU_SYSCONFDIR "/pullyu.conf", .inotify = -1};
	struct err err;
	bool check_only = false;
	log_open("pullyud", false, LOG_LEVEL_INFO);
	int status = parse_options(argc, argv, &d, &check_only);
	if (status >= 0)
		return status;
	if (load_all(d.conf_path, &d.conf, &d.rules, &d.users, &err) != RC_OK) {
		log_error("%s", err.text);
		return EX_CONFIG;
	}
	if (!check_only)
		run(&d);
	end(&d);
	return d.exit_code;
}
