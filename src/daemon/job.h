/*
 * job.h: what workers do. Each job is an object with a "kind":
 *
 *   compose  users, user, out, plain, from, reply_to, message_id, guard, host, slot, now, timezone,
 *            language, attach, in_folder, notices: [text], form, part, parts, templates,
 *            authserv_ids: [text], entries: [{id, lead, size, from_name, from_addr, subject,
 *            list_id, class, why, received, allow, hold, send, object}], command_address, foot_all,
 *            foot_times, foot_pause, foot_help, times_form, pause_example, quiet: [address], map:
 *            writes the digest to the file out; adds problem, what is wrong with the template, or
 *            "". To the file map, if one is named, {"entries": [[id, ...], ...]}: what the numbers
 *            stand for, in order from 1. What an entry has from allow on, and what follows the
 *            entries, may be missing
 *   answer   out, answer (answer_kind_name), user, from, message_id, guard, host, now, language,
 *   and
 *            where there are any: in_reply_to, references, command_address, object, detail, reason,
 *            reason_1, reason_2, count, undo, help_times, times_form, pause_example, lists: writes
 *            the answer to a command to the file out
 *   submit   host, port, timeout, helo, from, rcpt, and either path or users, user, id, lead: adds
 *            code, the MTA's, 0 without a reply, -1 if the message could not be read
 *   text     path, lead: adds lines, those of the message's text (excerpt.h)
 *   spf      ip, helo, from: adds result
 *
 * The result is {"rc": ..., "text": ...} and what the kind adds.
 */
#ifndef PULLYU_DAEMON_JOB_H
#define PULLYU_DAEMON_JOB_H

#include <stdbool.h>

#include <jansson.h>

#include "base/rc.h"

/* A compose job's form: the message, or its summary alone, as "text" or "html". */
#define JOB_FORM_MESSAGE "eml"
bool job_form_exists(const char *name);

/* In the worker. */
json_t *job_run(json_t *job);

/* In pullyud: the rc of a result; RC_CORRUPT ("the worker died") for NULL or nonsense. */
enum rc job_result(json_t *result, struct err *err);

#endif
