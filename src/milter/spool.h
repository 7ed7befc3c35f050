/*
 * spool.h: one message on its way to the disk, a file for each recipient whose copy is held.
 *
 * The promise: when spool_commit returns RC_OK, every recipient's file stands complete in
 * SPOOL/incoming and survives a power cut: written, fsynced, renamed, the directory fsynced. Before
 * that nothing of the message is in incoming, and when spool_commit fails nothing is left there
 * (unless pullyud was quicker: then the message repeats). Until then the files are in SPOOL/tmp;
 * spool_free removes them. What a killed milter leaves in tmp is removed by spool_clean.
 *
 * A struct spool belongs to one thread at a time; different ones are independent.
 *
 * Fault points, in this order: milter.hold.open .write .copy .fsync .rename .dirsync, each followed
 * by one named after_ it (milter.hold.after_open ...). "fail" at any of them fails the step.
 */
#ifndef PULLYU_MILTER_SPOOL_H
#define PULLYU_MILTER_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

struct spool;

/* SECONDS.MuuuuuuPpidQn.HOST: sorts by time, unique among all milters of a host, and a Maildir's
 * unique name. */
enum { SPOOL_NAME_MAX = 120 };

/* Makes SPOOL/tmp and SPOOL/incoming if they are missing. */
enum rc spool_prepare(const char *dir, struct err *err);
/* Removes files in SPOOL/tmp last written before that time (seconds since the epoch). Returns how
 * many. */
unsigned spool_clean(const char *dir, int64_t before);

/* Opens the first file. dir is copied; host is what names end in (anything: bytes that a name
 * cannot hold become '_'); now_usec is the time that names start with. RC_TEMP: nothing was made.
 */
enum rc spool_new(const char *dir, const char *host, int64_t now_usec, const char *lead,
    size_t lead_len, struct spool **spool_out, struct err *err);
/* Appends to the message. After a failure only spool_free is of use. */
enum rc spool_write(struct spool *spool, const void *data, size_t len, struct err *err);
/* One more recipient's file: that lead, then the same message. To be called when all of the message
 * has been written. */
enum rc spool_copy(struct spool *spool, const char *lead, size_t lead_len, struct err *err);
/* Makes all files durable, as promised above. At most once. */
enum rc spool_commit(struct spool *spool, struct err *err);
/* Nulls. Removes the files unless they were committed. */
void spool_free(struct spool **spool);

#endif
