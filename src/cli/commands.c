/*
 * commands.c: see commands.h.
 */
#include <config.h>

#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "cli/out.h"

/* clang-format off */
static const struct command commands[] = {
	{"classify", "[--format text|tsv|json] [--rules DIR] FILE...",
	    "say what kind of mail each file is, and why",
	    cmd_classify, OPT_FORMAT | OPT_RULES, 1, -1},
	{"explain", "[--json] USER FILE",
	    "say what would happen to this message for this user, and why",
	    cmd_explain, OPT_JSON, 2, 2},
	{"check", "[USER]",
	    "check the configuration, and a user's settings and lists",
	    cmd_check, 0, 0, 1},
	{"next", "(USER | --settings FILE) [--from TIME] [-n N] [--json]",
	    "show when the next digests come",
	    cmd_next, OPT_SETTINGS | OPT_FROM | OPT_COUNT | OPT_JSON, 0, 1},
	{"list", "[--json] USER", "list the mail that waits for a user",
	    cmd_list, OPT_JSON, 1, 1},
	{"show", "USER ID", "print one waiting message",
	    cmd_show, 0, 2, 2},
	{"preview", "[--format eml|text|html] [--part N] USER",
	    "print the digest as it would be sent next",
	    cmd_preview, OPT_FORM | OPT_PART, 1, 1},
	{"release", "USER [ID...]", "deliver waiting mail now",
	    cmd_release, 0, 1, -1},
	{"allow", "USER ENTRY", "let mail of this sender or list through",
	    cmd_lists, 0, 2, 2},
	{"hold", "USER ENTRY", "hold mail of this sender or list",
	    cmd_lists, 0, 2, 2},
	{"forget", "USER ENTRY", "take an entry off both lists, and out of the correspondents",
	    cmd_lists, 0, 2, 2},
	{"learned", "[--json] USER", "list a user's lists and correspondents",
	    cmd_learned, OPT_JSON, 1, 1},
	{"status", "[--json]", "show what pullyud holds, and for whom",
	    cmd_status, OPT_JSON, 0, 0},
	{"metrics", "[--json]", "print counters in the Prometheus text format",
	    cmd_metrics, OPT_JSON, 0, 0},
	{"report", "[--json] [--reset] [USER | @DOMAIN]",
	    "show what shadow mode would have held",
	    cmd_report, OPT_JSON | OPT_RESET, 0, 1},
	{"rebuild", "", "make the index anew from the digest folders",
	    cmd_rebuild, 0, 0, 0},
	{"drain", "[USER]", "deliver everything that is held",
	    cmd_drain, 0, 0, 1},
};
/* clang-format on */

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void commands_help(void)
{
	printf("usage: pullyu [--config FILE] COMMAND [ARGUMENTS]\n\n");
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		printf("  %-9s %s\n", commands[i].name, commands[i].help);
	printf(
	    "\n\"pullyu COMMAND --help\" tells about one command; pullyu(1) about all of them.\n");
}

void command_help(const struct command *command)
{
	static const struct {
		unsigned option;
		const char *text;
	} options[] = {
	    {OPT_FORMAT, "--format FORMAT  text, tsv or json; default: text"},
	    {OPT_FORM, "--format FORMAT  eml, text or html; default: eml"},
	    {OPT_PART, "--part N         of a digest in several parts; default: 1"},
	    {OPT_RULES, "--rules DIR      the rules of this directory"},
	    {OPT_SETTINGS, "--settings FILE  the times of this settings file, whoever's it is"},
	    {OPT_FROM, "--from TIME      after this time (RFC 3339); default: now"},
	    {OPT_COUNT, "-n N             how many; default: 5"},
	    {OPT_JSON, "--json           JSON instead of a table"},
	    {OPT_RESET, "--reset          begin anew behind the report"},
	};
	if (command == NULL) {
		commands_help();
		return;
	}
	printf("usage: pullyu %s%s%s\n%s\n\n", command->name,
	    command->arguments[0] == '\0' ? "" : " ", command->arguments, command->help);
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
		if ((command->options & options[i].option) != 0)
			printf("  %s\n", options[i].text);
	printf("  --config FILE    default: %s\n", PULLYU_SYSCONFDIR "/pullyu.conf");
}

void commands_version(void)
{
	printf("pullyu %s\n", PACKAGE_VERSION);
}
