/*
 * zone.c: see zone.h. The list is tzdata.zi, the compact source of all zones that comes with
 * tzdata: lines "Z NAME ..." are zones, lines "L TARGET NAME" are links. It is read once a process.
 * Where it is missing (some small systems leave it out), every file of zone data (it starts with
 * "TZif") whose name looks like a zone's counts.
 */
#include <config.h>

#include "conf/zone.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "base/fs.h"
#include "base/str.h"

enum { LIST_MAX = 4 * 1024 * 1024 };

static const char *zone_dir(void)
{
	const char *dir = getenv("TZDIR"); /* GLib obeys it too */
	return dir != NULL && dir[0] == '/' ? dir : "/usr/share/zoneinfo";
}

static GHashTable *names; /* own keys; NULL if there is no list; immutable once read */

static void read_list(void)
{
	char *data = NULL;
	size_t len = 0;
	char *path = g_build_filename(zone_dir(), "tzdata.zi", NULL);
	enum rc rc = fs_read(path, LIST_MAX, &data, &len, NULL, NULL);
	g_free(path);
	if (rc != RC_OK)
		return;
	names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char **lines = g_strsplit(data, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		bool zone = g_str_has_prefix(*line, "Z "), link = g_str_has_prefix(*line, "L ");
		if (!zone && !link)
			continue;
		char **words = g_strsplit(*line, " ", 4);
		if (words[1] != NULL && (zone || words[2] != NULL))
			g_hash_table_add(names, g_strdup(words[zone ? 1 : 2]));
		g_strfreev(words);
	}
	g_strfreev(lines);
	g_free(data);
	g_hash_table_remove(names, "Factory"); /* stands for "no zone was chosen" */
}

static GHashTable *list(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, read_list);
	return names;
}

static bool looks_like_name(const char *name)
{
	static const char *const others[] = {
	    "posix/", "right/", "posixrules", "localtime", "Factory"};
	if (!g_ascii_isalpha(name[0]) || strlen(name) >= ZONE_NAME_MAX ||
	    strstr(name, "//") != NULL)
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && strchr("_+-/", *p) == NULL)
			return false;
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		if (g_str_has_prefix(name, others[i]))
			return false;
	return true;
}

static bool is_zone_file(const char *name)
{
	char magic[4];
	char *path = g_build_filename(zone_dir(), name, NULL);
	FILE *f = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? fopen(path, "re") : NULL;
	bool is = f != NULL && fread(magic, 1, 4, f) == 4 && memcmp(magic, "TZif", 4) == 0;
	if (f != NULL)
		fclose(f);
	g_free(path);
	return is;
}

bool zone_known(const char *name)
{
	if (!looks_like_name(name))
		return false;
	if (list() != NULL && !g_hash_table_contains(list(), name))
		return false;
	return is_zone_file(name);
}

const char *zone_nearest(const char *name)
{
	GHashTableIter iter;
	gpointer key;
	if (list() == NULL)
		return NULL;
	g_hash_table_iter_init(&iter, list());
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (g_ascii_strcasecmp(key, name) == 0)
			return key;
	return NULL;
}

enum rc zone_check(const char *name, struct err *err)
{
	if (zone_known(name))
		return RC_OK;
	const char *near = zone_nearest(name);
	if (near != NULL && strcmp(near, name) != 0)
		return err_set(
		    err, RC_PERM, "'%.60s' is no time zone: did you mean %s?", name, near);
	return err_set(err, RC_PERM,
	    "'%.60s' is no time zone that tzdata lists, like Europe/Amsterdam or UTC", name);
}

char *zone_system(void)
{
	char *data = NULL, *name = NULL;
	size_t len = 0;
	char target[512];
	if (fs_read("/etc/timezone", 512, &data, &len, NULL, NULL) == RC_OK) {
		char *trimmed = str_trim(data);
		if (zone_known(trimmed))
			name = g_strdup(trimmed);
		g_free(data);
	}
	if (name == NULL) {
		ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		char *tail = strstr(target, "/zoneinfo/");
		if (tail != NULL && zone_known(tail + strlen("/zoneinfo/")))
			name = g_strdup(tail + strlen("/zoneinfo/"));
	}
	return name == NULL ? g_strdup("UTC") : name;
}
