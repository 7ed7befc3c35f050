/*
 * cmd_classify.h: "pullyu classify": verdicts on messages in files, without daemon or user.
 */
#ifndef PULLYU_CLI_CMD_CLASSIFY_H
#define PULLYU_CLI_CMD_CLASSIFY_H

/* argv[0] is "classify". Returns an exit status of sysexits.h: EX_NOINPUT if a file could not be
 * read (the others are classified all the same), EX_CONFIG if the rules have a mistake. */
int cmd_classify(int argc, char **argv);

#endif
