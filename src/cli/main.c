/*
 * main.c: pullyu, the command line: pullyu(1).
 */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/out.h"

enum { COUNT_MAX = 1000 };
/* What getopt_long returns for each long option. */
enum {
	ASK_HELP = 256,
	ASK_VERSION,
	SET_CONFIG,
	SET_FORMAT,
	SET_FROM,
	SET_JSON,
	SET_PART,
	SET_RESET,
	SET_RULES,
	SET_SETTINGS
};

static const struct option longs[] = {
    {"help", no_argument, NULL, ASK_HELP},
    {"version", no_argument, NULL, ASK_VERSION},
    {"config", required_argument, NULL, SET_CONFIG},
    {"format", required_argument, NULL, SET_FORMAT},
    {"from", required_argument, NULL, SET_FROM},
    {"json", no_argument, NULL, SET_JSON},
    {"part", required_argument, NULL, SET_PART},
    {"reset", no_argument, NULL, SET_RESET},
    {"rules", required_argument, NULL, SET_RULES},
    {"settings", required_argument, NULL, SET_SETTINGS},
    {NULL, 0, NULL, 0},
};

static int usage(const struct command *command)
{
	if (command == NULL)
		fprintf(stderr,
		    "usage: pullyu [--config FILE] COMMAND [ARGUMENTS]; "
		    "\"pullyu --help\" lists the commands\n");
	else
		fprintf(stderr, "usage: pullyu %s %s\n", command->name, command->arguments);
	return EX_USAGE;
}

/* Whether the command takes the option that getopt found; getopt itself knows all of them. Without
 * a command: the program's own. */
static bool takes(const struct command *command, int option)
{
	static const struct {
		int option;
		unsigned bit;
	} rows[] = {
	    {SET_FORMAT, OPT_FORMAT | OPT_FORM},
	    {SET_FROM, OPT_FROM},
	    {SET_JSON, OPT_JSON},
	    {SET_PART, OPT_PART},
	    {SET_RESET, OPT_RESET},
	    {SET_RULES, OPT_RULES},
	    {SET_SETTINGS, OPT_SETTINGS},
	    {'n', OPT_COUNT},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].option == option)
			return command != NULL && (command->options & rows[i].bit) != 0;
	return true;
}

static int refuse(const struct command *command, int option, const char *word)
{
	for (const struct option *o = longs; option != '?' && o->name != NULL; o++)
		if (o->val == option)
			out_error("%s takes no --%s", command == NULL ? "pullyu" : command->name,
			    o->name);
	if (option == '?')
		out_error("no such option, or it lacks its value: %s", word);
	return usage(command);
}

/* Reads options, of a command or those before its name. Returns -1 to go on with argv[optind], or
 * the exit status. */
static int options_read(struct cli *cli, int argc, char **argv)
{
	/* "+": the program's own options end at the command's name. */
	const char *shorts = cli->command == NULL ? "+hV" : "hn:";
	int c;
	optind = 0; /* getopt_long(3): starts afresh after the program's own options */
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == '?' || !takes(cli->command, c))
			return refuse(cli->command, c, argv[optind - 1]);
		switch (c) {
		case 'h':
		case ASK_HELP:
			command_help(cli->command);
			return EX_OK;
		case 'V':
		case ASK_VERSION:
			commands_version();
			return EX_OK;
		case SET_CONFIG:
			cli->config = optarg;
			cli->config_given = true;
			break;
		case SET_FORMAT:
			cli->format = optarg;
			break;
		case SET_FROM:
			cli->from = optarg;
			break;
		case SET_JSON:
			cli->json = true;
			break;
		case SET_RESET:
			cli->reset = true;
			break;
		case SET_RULES:
			cli->rules = optarg;
			break;
		case SET_SETTINGS:
			cli->settings = optarg;
			break;
		case SET_PART:
			if (!str_number(optarg, 1, COUNT_MAX, &cli->part)) {
				out_error(
				    "--part: a number from 1 to %d, not \"%s\"", COUNT_MAX, optarg);
				return EX_USAGE;
			}
			break;
		case 'n':
			if (!str_number(optarg, 1, COUNT_MAX, &cli->count)) {
				out_error(
				    "-n: a number from 1 to %d, not \"%s\"", COUNT_MAX, optarg);
				return EX_USAGE;
			}
			break;
		default:
			break;
		}
	}
	return -1;
}

/* What the command printed must have arrived. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	out_error("stdout: %s", strerror(errno));
	return EX_IOERR;
}

static int run(struct cli *cli, int argc, char **argv)
{
	int status = options_read(cli, argc, argv);
	if (status >= 0)
		return status;
	if (optind == argc)
		return usage(NULL);
	argc -= optind;
	argv += optind;
	cli->command = command_find(argv[0]);
	if (cli->command == NULL) {
		out_error("there is no command \"%s\"", argv[0]);
		return usage(NULL);
	}
	status = options_read(cli, argc, argv);
	if (status >= 0)
		return status;
	cli->argc = argc - optind;
	cli->argv = argv + optind;
	if (cli->argc < cli->command->min ||
	    (cli->command->max >= 0 && cli->argc > cli->command->max))
		return usage(cli->command);
	return cli->command->run(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = {.config = PULLYU_SYSCONFDIR "/pullyu.conf"};
	setlocale(LC_CTYPE, "");
	return finish(run(&cli, argc, argv));
}
