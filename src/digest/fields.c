/*
 * fields.c: see fields.h.
 */
#include <config.h>

#include "digest/fields.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

static bool is_value(const char *value)
{
	if (value == NULL || value[0] == '\0' || strlen(value) > FIELDS_VALUE_MAX ||
	    !g_utf8_validate(value, -1, NULL))
		return false;
	for (const char *p = value; *p != '\0'; p = g_utf8_next_char(p))
		if (g_unichar_iscntrl(g_utf8_get_char(p)))
			return false;
	return true;
}

/* Visible ASCII in angle brackets, with one "@" inside. */
static bool is_message_id(const char *value)
{
	size_t len = strlen(value);
	const char *at = strchr(value, '@');
	if (len < 5 || value[0] != '<' || value[len - 1] != '>' || at == NULL || at == value + 1 ||
	    at == value + len - 2 || strchr(at + 1, '@') != NULL)
		return false;
	for (size_t i = 1; i < len - 1; i++)
		if (!g_ascii_isgraph(value[i]) || strchr("<>()[]\\,;:\"", value[i]) != NULL)
			return false;
	return true;
}

static bool is_host(const char *value)
{
	size_t len = strlen(value);
	for (size_t i = 0; i < len; i++)
		if (!g_ascii_isalnum(value[i]) && value[i] != '-' &&
		    (value[i] != '.' || i == 0 || i == len - 1 || value[i - 1] == '.'))
			return false;
	return true;
}

enum rc fields_check(const struct digest *digest, struct err *err)
{
	const struct {
		const char *name, *value;
	} rows[] = {
	    {"To", digest->user},
	    {"From", digest->from},
	    {"Reply-To", digest->reply_to == NULL ? "none" : digest->reply_to},
	    {"Message-ID", digest->message_id},
	    {"X-Pullyu-Digest", digest->guard},
	    {"List-Id", digest->host},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (!is_value(rows[i].value))
			return err_set(err, RC_PERM, "digest: not fit for the %s field: \"%.100s\"",
			    rows[i].name, rows[i].value == NULL ? "" : rows[i].value);
	if (!is_message_id(digest->message_id))
		return err_set(
		    err, RC_PERM, "digest: not a Message-ID: \"%.100s\"", digest->message_id);
	if (!is_host(digest->host))
		return err_set(err, RC_PERM, "digest: not a host name: \"%.100s\"", digest->host);
	return RC_OK;
}

char *fields_date(const struct digest *digest)
{
	static const char days[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	static const char months[][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	GTimeZone *zone =
	    digest->timezone == NULL ? NULL : g_time_zone_new_identifier(digest->timezone);
	GDateTime *utc = g_date_time_new_from_unix_utc(digest->now);
	if (utc == NULL)
		utc = g_date_time_new_from_unix_utc(0);
	GDateTime *local = zone == NULL ? g_date_time_ref(utc) : g_date_time_to_timezone(utc, zone);
	gint64 offset = g_date_time_get_utc_offset(local) / G_TIME_SPAN_MINUTE;
	char *text = g_strdup_printf("%s, %d %s %d %02d:%02d:%02d %c%02d%02d",
	    days[g_date_time_get_day_of_week(local) - 1], g_date_time_get_day_of_month(local),
	    months[g_date_time_get_month(local) - 1], g_date_time_get_year(local),
	    g_date_time_get_hour(local), g_date_time_get_minute(local),
	    g_date_time_get_second(local), offset < 0 ? '-' : '+', (int)(ABS(offset) / 60),
	    (int)(ABS(offset) % 60));
	g_date_time_unref(local);
	g_date_time_unref(utc);
	if (zone != NULL)
		g_time_zone_unref(zone);
	return text;
}

char *fields_list_id(const struct digest *digest)
{
	return g_strdup_printf("<digest.%s>", digest->host);
}
