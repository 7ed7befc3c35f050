/*
 * settings_options.h: the rows of what a user may choose, written once for two tables: settings.ini
 * and the site's [defaults] in pullyu.conf. Included with different definitions of OPTION, hence no
 * include guard: OPTION(section, key, type, field, min, max, choices, default, help).
 */
OPTION("digest", "enabled", CONF_BOOL, enabled, 0, 0, NULL, "yes",
    "whether mail is held at all; no: everything is delivered at once")
OPTION("digest", "times", CONF_TIMES, times, 0, 0, NULL, "08:00 17:30",
    "when digests come: weekdays, then times of day; groups separated by commas")
OPTION("digest", "timezone", CONF_ZONE, timezone, 0, 0, NULL, NULL,
    "time zone of the times, by its name in tzdata; default: the system's")
OPTION("digest", "exceptions", CONF_EXCEPTIONS, exceptions, 0, 0, NULL, "",
    "days with times of their own, or none: 2026-12-24 10:00, 2026-12-25..2026-12-26 none")
OPTION("digest", "timezone_until", CONF_STAY, stay, 0, 0, NULL, "",
    "another time zone until that day, on a journey: 2026-12-20 America/New_York")
OPTION("digest", "pause_until", CONF_DATE, pause_until, 0, 0, NULL, "",
    "a day, like 2027-01-05, before which no digest comes, or nothing is held")
OPTION("digest", "pause", CONF_CHOICE, pause, 0, 0, "hold pass", "hold",
    "what a pause means: hold, no digest comes and mail waits; pass, nothing is held")
OPTION("digest", "originals", CONF_CHOICE, originals, 0, 0, "attach folder inbox", "attach",
    "where the held messages go at release: into the digest, the folder Digest, or the inbox")
OPTION("digest", "language", CONF_LANGUAGE, language, 0, 0, NULL, "en",
    "language of digests; English where it is not translated")
OPTION("hold", "classes", CONF_CHOICES, classes, 0, 0,
    "newsletter notification discussion transactional", "newsletter, notification",
    "classes of mail that wait for the digest; empty: only what the hold list names")
OPTION("hold", "shadow", CONF_BOOL, shadow, 0, 0, NULL, "no",
    "shadow mode: nothing is held, and pullyu report tells what would have been")
