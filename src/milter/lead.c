/*
 * lead.c: see lead.h. No byte that came over SMTP gets into a field unless it was looked at here.
 */
#include <config.h>

#include "milter/lead.h"

#include <string.h>
#include <time.h>

enum { WORD_MAX = 255 };

/* The address without its angle brackets. */
static const char *bare(const char *address, size_t *len_out)
{
	size_t len = strlen(address);
	if (len >= 2 && address[0] == '<' && address[len - 1] == '>') {
		address++;
		len -= 2;
	}
	*len_out = len;
	return address;
}

bool lead_address_fits(const char *address)
{
	size_t len;
	address = bare(address, &len);
	if (len >= ADDR_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)address[i] < ' ' || address[i] == 0x7f)
			return false;
	}
	return len == 0 || (address[0] != ' ' && address[len - 1] != ' ');
}

/* For words of Received: letters, digits and what host names, addresses and queue ids need. */
static void append_word(GString *out, const char *word, const char *absent)
{
	size_t n = 0;
	for (; word[n] != '\0' && n < WORD_MAX; n++) {
		bool fine = g_ascii_isalnum(word[n]) || strchr(".-_:[]", word[n]) != NULL;
		g_string_append_c(out, fine ? word[n] : '?');
	}
	if (n == 0)
		g_string_append(out, absent);
}

/* RFC 5322 date-time in UTC; strftime would follow the locale. */
static void append_date(GString *out, int64_t now)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)now;
	struct tm tm;
	gmtime_r(&t, &tm);
	g_string_append_printf(out, "%.3s, %d %.3s %d %02d:%02d:%02d +0000", days + 3 * tm.tm_wday,
	    tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
}

static void append_verdict(GString *out, const struct verdict *v)
{
	char verdict[VERDICT_TEXT_MAX];
	verdict_format(v, verdict);
	/* The list of reasons has no blank at which it could be folded: a line of its own. */
	const char *reasons = strstr(verdict, " reasons=");
	size_t len = reasons == NULL ? strlen(verdict) : (size_t)(reasons - verdict);
	g_string_append_printf(out, "\r\nX-Pullyu-Verdict: %.*s", (int)len, verdict);
	if (reasons != NULL)
		g_string_append_printf(out, "\r\n%s", reasons);
	g_string_append(out, "\r\n");
}

GString *lead_format(const struct lead *lead)
{
	size_t len;
	const char *address = bare(lead->mail_from, &len);
	GString *out = g_string_sized_new(1024);
	g_string_append_printf(out, "Return-Path: <%.*s>\r\n", (int)len, address);
	address = bare(lead->rcpt, &len);
	g_string_append_printf(out, "Delivered-To: %.*s\r\n", (int)len, address);
	g_string_append(out, "Received: from ");
	append_word(out, lead->helo, "unknown");
	g_string_append(out, " ([");
	append_word(out, lead->addr, "unknown");
	g_string_append(out, "])\r\n\tby ");
	append_word(out, lead->host, "localhost");
	g_string_append(out, " with pullyu id ");
	append_word(out, lead->queue_id, "unknown");
	g_string_append(out, ";\r\n\t");
	append_date(out, lead->now);
	if (lead->verdict != NULL)
		append_verdict(out, lead->verdict);
	else
		g_string_append_printf(
		    out, "\r\nX-Pullyu-Command: by=%s; user=%s\r\n", lead->by, lead->user);
	return out;
}
