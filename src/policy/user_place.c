/*
 * user_place.c: see user_place.h.
 */
#include <config.h>

#include "policy/user_place.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

#include <glib.h>

#include "base/addr.h"
#include "policy/user_file.h"

enum { PASSWD_BYTES = 64 * 1024 }; /* getpwnam_r's scratch */

/* RC_NOTFOUND: there is no such system user. *home_out is g_free'd by the caller. */
static enum rc system_user(const char *name, char **home_out, int64_t *uid_out, struct err *err)
{
	struct passwd pw, *found = NULL;
	char *scratch = g_malloc(PASSWD_BYTES);
	int error = getpwnam_r(name, &pw, scratch, PASSWD_BYTES, &found);
	enum rc rc = RC_OK;
	if (found == NULL && error != 0 && error != ENOENT && error != ESRCH)
		rc = err_set(err, RC_TEMP, "user database: %s", g_strerror(error));
	else if (found == NULL || pw.pw_dir == NULL || pw.pw_dir[0] != '/')
		rc = err_set(err, RC_NOTFOUND, "no system user %.64s with a home directory", name);
	if (rc == RC_OK) {
		*home_out = g_strdup(pw.pw_dir);
		*uid_out = (int64_t)pw.pw_uid;
	}
	g_free(scratch);
	return rc;
}

static char *fill_template(
    const char *template, const char *local, size_t local_len, const char *domain, const char *home)
{
	char part[ADDR_PATH_MAX];
	GString *dir = g_string_new(NULL);
	for (const char *p = template; *p != '\0'; p++) {
		if (*p != '%' || p[1] == '\0') {
			g_string_append_c(dir, *p);
			continue;
		}
		p++;
		if (*p == 'h') {
			g_string_append(dir, home);
			continue;
		}
		if (*p == 'd')
			addr_path(domain, strlen(domain), part);
		else
			addr_path(local, local_len, part);
		g_string_append(dir, part);
	}
	return g_string_free(dir, FALSE);
}

void user_place_clear(struct user_place *place)
{
	g_free(place->dir);
	g_free(place->home);
	*place = (struct user_place){.owner = USER_FILE_NO_OWNER};
}

enum rc user_place_find(const char *template, char *const *system_domains, const char *key,
    struct user_place *place_out, struct err *err)
{
	const char *domain = addr_domain(key);
	struct user_place place = {.owner = USER_FILE_NO_OWNER};
	char *home = NULL;
	enum rc rc = RC_OK;
	if (*domain == '\0' || strlen(key) >= ADDR_MAX)
		return err_set(err, RC_PERM, "no normalised address: %.80s", key);
	size_t local_len = (size_t)(domain - key) - 1;
	place.system =
	    system_domains != NULL && g_strv_contains((const char *const *)system_domains, domain);
	if (place.system) {
		char *name = g_strndup(key, local_len);
		rc = system_user(name, &home, &place.owner, err);
		g_free(name);
		if (rc == RC_TEMP)
			return rc;
	}
	/* The template was checked: %h stands only at its start. */
	if (g_str_has_prefix(template, "%h") && home == NULL) {
		if (!place.system)
			rc = err_set(
			    err, RC_NOTFOUND, "%s is not of a domain with system users", key);
	} else {
		place.dir = fill_template(template, key, local_len, domain, home);
		if (g_str_has_prefix(template, "%h"))
			place.home = g_steal_pointer(&home);
		rc = RC_OK;
	}
	g_free(home);
	*place_out = place;
	return rc;
}
