/*
 * settings.h: one user's settings.ini (pullyu-settings(5)).
 */
#ifndef PULLYU_CONF_SETTINGS_H
#define PULLYU_CONF_SETTINGS_H

#include <stdbool.h>

#include "base/ini.h"
#include "base/rc.h"
#include "conf/dates.h"
#include "conf/ini.h"
#include "conf/table.h"
#include "conf/times.h"

enum settings_originals {
	ORIGINALS_ATTACH, /* inside the digest, as multipart/digest */
	ORIGINALS_FOLDER, /* re-sent unchanged to the address with the extension "Digest" */
	ORIGINALS_INBOX,  /* re-sent unchanged to the address itself */
};

enum settings_pause {
	PAUSE_HOLD, /* no digest comes: what is held waits */
	PAUSE_PASS, /* nothing is held */
};

struct settings {
	bool enabled;                 /* [digest] enabled: no = does not take part */
	struct times times;           /* [digest] times */
	char *timezone;               /* [digest] timezone; IANA name */
	struct exceptions exceptions; /* [digest] exceptions */
	struct stay stay;             /* [digest] timezone_until */
	int32_t pause_until;          /* [digest] pause_until; a day (conf/dates.h), 0: no pause */
	int pause;                    /* [digest] pause; enum settings_pause */
	int originals;                /* [digest] originals; enum settings_originals */
	char *language;               /* [digest] language; a tag; digests fall back to English */
	char **classes; /* [hold] classes; of: newsletter notification discussion transactional */
	bool shadow;    /* [hold] shadow: what would be held passes and is counted */
};

extern const struct conf_option settings_table[];
extern const size_t settings_table_n;

/* Starts from the site's defaults, then the file. Nothing of a bad file takes effect. st_out may be
 * NULL. Who may own the file is not asked here (policy/user.h). */
enum rc settings_load(const char *path, const struct settings *defaults, ini_problem_fn *problem,
    void *ctx, struct settings *settings_out, struct stat *st_out, struct err *err);
/* The same from what the caller has read. */
enum rc settings_from_ini(const struct ini *ini, const struct settings *defaults,
    ini_problem_fn *problem, void *ctx, struct settings *settings_out, struct err *err);
void settings_copy(const struct settings *from, struct settings *to);
void settings_clear(struct settings *settings);

#endif
