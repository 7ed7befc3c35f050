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
bool fields_is_message_id(const char *value)
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

/* The text between quotes, its quoted pairs undone; where there are no quotes, as it is. */
static char *unquoted(const char *text)
{
	size_t len = strlen(text);
	if (len < 2 || text[0] != '"' || text[len - 1] != '"')
		return g_strdup(text);
	GString *out = g_string_new(NULL);
	for (size_t i = 1; i < len - 1; i++) {
		if (text[i] == '\\' && i + 1 < len - 1)
			i++;
		g_string_append_c(out, text[i]);
	}
	return g_string_free(out, FALSE);
}

static bool is_address(const char *text)
{
	const char *at = strrchr(text, '@');
	if (at == NULL || at == text || at[1] == '\0')
		return false;
	/* A quoted local part may hold what would otherwise end the address. */
	bool quoted = text[0] == '"' && at - text > 2 && at[-1] == '"';
	return strpbrk(quoted ? at : text, " <>(),;\\\"") == NULL;
}

bool fields_mailbox(const char *text, char **name_out, char **address_out)
{
	size_t len = strlen(text);
	const char *angle = len > 0 && text[len - 1] == '>' ? strrchr(text, '<') : NULL;
	char *address =
	    angle == NULL ? g_strdup(text) : g_strndup(angle + 1, len - (size_t)(angle - text) - 2);
	if (!is_address(address)) {
		g_free(address);
		return false;
	}
	char *words = g_strstrip(g_strndup(text, angle == NULL ? 0 : (gsize)(angle - text)));
	char *name = unquoted(words);
	g_free(words);
	if (name[0] == '\0')
		g_clear_pointer(&name, g_free);
	*name_out = name;
	*address_out = address;
	return true;
}

static enum rc check_mailbox(const char *field, const char *text, struct err *err)
{
	char *name = NULL, *address = NULL;
	if (!fields_mailbox(text, &name, &address))
		return err_set(err, RC_PERM, "digest: not one mailbox for the %s field: \"%.100s\"",
		    field, text);
	g_free(name);
	g_free(address);
	return RC_OK;
}

const char *fields_reply_to(const struct digest *digest)
{
	return digest->reply_to != NULL ? digest->reply_to : digest->command_address;
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
	    {"command address", digest->command_address == NULL ? "none" : digest->command_address},
	    {"X-Pullyu-Digest", digest->guard},
	    {"List-Id", digest->host},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (!is_value(rows[i].value))
			return err_set(err, RC_PERM, "digest: not fit for the %s field: \"%.100s\"",
			    rows[i].name, rows[i].value == NULL ? "" : rows[i].value);
	if (!fields_is_message_id(digest->message_id))
		return err_set(
		    err, RC_PERM, "digest: not a Message-ID: \"%.100s\"", digest->message_id);
	if (digest->command_address != NULL && !is_address(digest->command_address))
		return err_set(err, RC_PERM, "digest: not an address for commands: \"%.100s\"",
		    digest->command_address);
	enum rc rc = check_mailbox("From", digest->from, err);
	if (rc == RC_OK && digest->reply_to != NULL)
		rc = check_mailbox("Reply-To", digest->reply_to, err);
	return rc;
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
	char *host = g_strdup(digest->host);
	for (char *p = host; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && *p != '-' &&
		    (*p != '.' || p == host || p[1] == '\0' || p[-1] == '.'))
			*p = '-';
	char *id = g_strdup_printf("<digest.%s>", host);
	g_free(host);
	return id;
}
