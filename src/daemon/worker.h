/*
 * worker.h: jobs that read hostile bytes or may hang run in processes of their own, one a job. A
 * process forked before the database is opened (the forker) makes them, so that no worker ever
 * holds a database page or lock. A worker that dies, or misses its deadline, costs its job alone.
 *
 * Jobs and results are JSON objects. Everything here runs on the GLib main loop's thread.
 */
#ifndef PULLYU_DAEMON_WORKER_H
#define PULLYU_DAEMON_WORKER_H

#include <stdbool.h>

#include <jansson.h>

#include "base/rc.h"

struct workers;

enum { WORKERS_RUNNING_MAX = 16, WORKERS_WAITING_MAX = 500, WORKER_RESULT_MAX = 65536 };

/* Runs in the worker; the result is stolen. */
typedef json_t *worker_job_fn(json_t *job);

/* Forks the forker. Call it before threads are made, files are locked or the database is opened. */
enum rc workers_start(worker_job_fn *job_fn, struct workers **workers_out, struct err *err);
/* Ends forker and workers; jobs under way are answered with NULL. */
void workers_stop(struct workers **workers);

/* result: borrowed; NULL if the worker died, was late, or the end came before it. If it could not
 * be made (no process, no descriptor, too many wait): {"rc": "temp", "text": ...}. */
typedef void worker_done_fn(void *ctx, json_t *result);
/* job is stolen. The deadline counts from the moment the worker starts. done is called exactly
 * once, from the main loop. */
void workers_run(
    struct workers *workers, json_t *job, unsigned seconds, worker_done_fn *done, void *ctx);

/* Hangs up when the forker is gone: then no job will succeed any more. Borrowed. */
int workers_fd(const struct workers *workers);
/* Whether no job runs or waits. */
bool workers_idle(const struct workers *workers);

#endif
