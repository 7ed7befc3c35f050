/*
 * verdict_out.h: a verdict and its reasons as the commands print them, so that all print the same.
 */
#ifndef PULLYU_CLI_VERDICT_OUT_H
#define PULLYU_CLI_VERDICT_OUT_H

#include <jansson.h>

#include "classify/verdict.h"

/* The reasons, as lines of a short argument. */
void verdict_print(const struct verdict *verdict);
/* {"class", "score", "margin", "once", "runner_up", "reasons"} */
json_t *verdict_json(const struct verdict *verdict);

#endif
