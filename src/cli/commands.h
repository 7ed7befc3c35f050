/*
 * commands.h: one row a command, and what every command gets.
 */
#ifndef PULLYU_CLI_COMMANDS_H
#define PULLYU_CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Options that a command may take beside --config, --help and --version. */
enum {
	OPT_JSON = 1,
	OPT_SETTINGS = 2,
	OPT_FROM = 4,
	OPT_COUNT = 8,
	OPT_FORMAT = 16,
	OPT_RULES = 32,
	OPT_PART = 64,
	OPT_FORM = 128, /* --format of another kind */
	OPT_RESET = 256
};

struct cli {
	const struct command *command;
	const char *config; /* foreign; the file to read */
	bool config_given;
	bool json, reset;
	/* foreign; NULL if not given */
	const char *settings, *from, *format, *rules;
	int64_t count, part; /* 0 if not given */
	int argc;            /* operands */
	char **argv;
};

struct command {
	const char *name;
	const char *arguments;             /* as the usage line shows them */
	const char *help;                  /* one line */
	int (*run)(const struct cli *cli); /* returns an exit status of sysexits.h */
	unsigned options;
	int min, max; /* operands; max -1: any number */
};

const struct command *command_find(const char *name);

/* To stdout; NULL: about all of them. */
void command_help(const struct command *command);
void commands_version(void);

int cmd_classify(const struct cli *cli);
int cmd_explain(const struct cli *cli);
int cmd_check(const struct cli *cli);
int cmd_next(const struct cli *cli);
int cmd_list(const struct cli *cli);
int cmd_show(const struct cli *cli);
int cmd_preview(const struct cli *cli);
int cmd_release(const struct cli *cli);
int cmd_lists(const struct cli *cli); /* allow, hold, forget */
int cmd_learned(const struct cli *cli);
int cmd_status(const struct cli *cli);
int cmd_metrics(const struct cli *cli);
int cmd_report(const struct cli *cli);
int cmd_rebuild(const struct cli *cli);
int cmd_drain(const struct cli *cli);

#endif
