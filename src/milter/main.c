/*
 * main.c: pullyu-milter(8): decides at the end of the header who gets a message now and whose copy
 * waits, and puts the waiting copies into SPOOL/incoming.
 */
#include <config.h>

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "base/log.h"
#include "milter/listener.h"
#include "milter/notify.h"
#include "milter/snapshot.h"
#include "milter/spool.h"

enum {
	STALE_SECONDS = 2 * 24 * 3600, /* what a killed milter left in SPOOL/tmp is removed then */
	NOTIFY_STOP_MS = 1000,
	FILES_WANTED = 16384,
	ARENAS = 4,
};

static void log_problem(void *ctx, const char *file, int line, const char *text)
{
	(*(unsigned *)ctx)++;
	if (line > 0)
		log_error("%s:%d: %s", file, line, text);
	else
		log_error("%s: %s", file, text);
}

static int usage(void)
{
	fprintf(stderr, "usage: pullyu-milter [-ft] [-c file]\n");
	return EX_USAGE;
}

/* A session needs a descriptor, and three while it holds a message. */
static void raise_limits(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES_WANTED) {
		limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* With hundreds of threads glibc's heaps would otherwise grow to several times what is in
	 * use. */
	mallopt(M_ARENA_MAX, ARENAS);
}

static enum rc start(const struct conf *conf, struct err *err)
{
	enum rc rc = spool_prepare(conf->spool, err);
	if (rc == RC_OK)
		rc = listener_open(conf->socket, conf->socket_mode, err);
	if (rc == RC_OK)
		rc = notify_start(err);
	if (rc == RC_OK)
		rc = snapshot_watch_start(err);
	return rc;
}

static int serve(const struct conf *conf)
{
	struct err err;
	umask(007);
	raise_limits();
	listener_block_signals();
	enum rc rc = start(conf, &err);
	if (rc == RC_OK) {
		unsigned stale = spool_clean(conf->spool, clock_now() - STALE_SECONDS);
		if (stale > 0)
			log_info("removed %u old files from %s/tmp", stale, conf->spool);
		log_info("serving at %s", conf->socket);
		rc = listener_run(&err);
	}
	snapshot_watch_stop();
	notify_stop(NOTIFY_STOP_MS);
	if (rc != RC_OK)
		log_error("%s", err.text);
	else
		log_info("stopped");
	return rc == RC_OK ? EX_OK : rc == RC_TEMP ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"foreground", no_argument, NULL, 'f'},
	    {"test", no_argument, NULL, 't'},
	    {NULL, 0, NULL, 0},
	};
	const char *file = PULLYU_SYSCONFDIR "/pullyu.conf";
	bool only_check = false;
	unsigned problems = 0;
	struct snapshot *snapshot;
	struct err err;
	int option;
	while ((option = getopt_long(argc, argv, "c:ft", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'f': /* the only way there is */
			break;
		case 't':
			only_check = true;
			break;
		default:
			return usage();
		}
	}
	if (optind != argc)
		return usage();
	log_open("pullyu-milter", false, LOG_LEVEL_INFO);
	if (snapshot_load(file, log_problem, &problems, &snapshot, &err) != RC_OK) {
		/* The first of them, if there were any, is what err says, too. */
		if (problems == 0)
			log_error("%s", err.text);
		return EX_CONFIG;
	}
	if (only_check) {
		printf("%s: no mistake found, %zu rules\n", file, rules_count(snapshot->rules));
		snapshot_unref(&snapshot);
		return EX_OK;
	}
	snapshot_set(snapshot_ref(snapshot));
	log_open("pullyu-milter", snapshot->conf->log_to == 0,
	    (enum log_level)snapshot->conf->log_level);
	int status = serve(snapshot->conf);
	snapshot_unref(&snapshot);
	snapshot_set(NULL);
	return status;
}
