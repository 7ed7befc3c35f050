/*
 * classify.c: "pullyu classify" alone, for the corpus report and the tests of rules: it builds
 * without libmilter, Berkeley DB and the rest.
 */
#include <config.h>

#include "cli/cmd_classify.h"

int main(int argc, char **argv)
{
	return argc < 2 ? 64 : cmd_classify(argc - 1, argv + 1);
}
