/*
 * test_command_mail.c: what is understood of the mail that clients really send: the part that
 * counts, its lines, and the command in them. The shapes are those of the clients, the words ours.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include "command/read.h"
#include "digest/excerpt.h"

enum { TODAY = 20785 }; /* 2026-11-28 */

#define HTML "Content-Type: text/html; charset=utf-8\r\n\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n\r\n"
#define BOTH "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"

/* "send 3 5", "allow a@b.example", "times language=nl"; "-": no command; "!": a wrong one. */
static char *command_of(const char *message)
{
	static const char *const keys[] = {"times", "timezone", "language", NULL};
	char path[] = "/tmp/pullyu-mail-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, message, strlen(message)), (ssize_t)strlen(message));
	char *text = excerpt_text(fd, 0);
	close(fd);
	struct command *command = g_new0(struct command, 1);
	struct err err;
	enum rc rc = command_read("Re: your digest", text, keys, TODAY, command, &err);
	GString *out = g_string_new(rc == RC_OK ? command_verb_name(command->verb)
		: rc == RC_NOTFOUND             ? "-"
						: "!");
	for (size_t i = 0; rc == RC_OK && i < command->n_numbers; i++)
		g_string_append_printf(out, " %u", command->numbers[i]);
	if (rc == RC_OK && command->entry[0] != '\0')
		g_string_append_printf(out, " %s", command->entry);
	for (size_t i = 0; rc == RC_OK && i < command->n_form; i++)
		g_string_append_printf(out, " %s=%s", command->form[i].key, command->form[i].value);
	g_free(text);
	g_free(command);
	return g_string_free(out, FALSE);
}

struct row {
	const char *label, *message, *want;
};

static void run(const struct row *rows, size_t n)
{
	int failed = 0;
	for (size_t i = 0; i < n; i++) {
		char *got = command_of(rows[i].message);
		failed += unit_str(rows[i].label, got, rows[i].want);
		g_free(got);
	}
	assert_int_equal(failed, 0);
}

static void test_pages(void **state)
{
	static const struct row rows[] = {
	    {"Gmail",
		HTML "<div dir=\"ltr\">release 3 5</div><br><div class=\"gmail_quote "
		     "gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, Nov "
		     "23, 2026 at 8:00 AM Pullyu &lt;digest@example.org&gt; wrote:<br></div>"
		     "<blockquote class=\"gmail_quote\"><div>hold 1</div></blockquote></div>",
		"send 3 5"},
	    {"Gmail on a phone",
		HTML "<div dir=\"auto\">release 3 5</div><br><div class=\"gmail_quote\"><div "
		     "dir=\"ltr\" class=\"gmail_attr\">Am Mo., 23. Nov. 2026, 08:00 schrieb Pullyu "
		     "&lt;<a href=\"mailto:digest@example.org\">digest@example.org</a>&gt;:<br>"
		     "</div><blockquote class=\"gmail_quote\">hold 1</blockquote></div>",
		"send 3 5"},
	    {"Gmail, words below the quote",
		HTML "<div class=\"gmail_quote\"><div class=\"gmail_attr\">On Monday Pullyu "
		     "wrote:<br></div><blockquote class=\"gmail_quote\">hold 1</blockquote></div>"
		     "<div>release 2</div>",
		"send 2"},
	    {"Gmail, nothing said",
		HTML "<div class=\"gmail_quote\"><div class=\"gmail_attr\">On Monday Pullyu "
		     "wrote:<br></div><blockquote class=\"gmail_quote\">hold 1</blockquote></div>",
		"-"},
	    {"iOS",
		HTML "<html><head></head><body dir=\"auto\">release 3 5<br><div dir=\"ltr\">Sent "
		     "from my iPhone</div><div dir=\"ltr\"><br><blockquote type=\"cite\">On 23 Nov "
		     "2026, at 08:00, Pullyu wrote:<br><br></blockquote></div><blockquote "
		     "type=\"cite\">hold 1</blockquote></body></html>",
		"send 3 5"},
	    {"Thunderbird, words below the quote",
		HTML "<body><div class=\"moz-cite-prefix\">On 23/11/2026 08:00, Pullyu wrote:<br>"
		     "</div><blockquote type=\"cite\" cite=\"mid:x@example.org\"><p>hold 1</p>"
		     "</blockquote><p>release 3 5</p></body>",
		"send 3 5"},
	    {"Thunderbird, words above",
		HTML
		"<body><p>release 3 5</p><div class=\"moz-cite-prefix\">Le 23/11/2026 &agrave; "
		"08:00, Pullyu a &eacute;crit&nbsp;:<br></div><blockquote type=\"cite\">hold 1"
		"</blockquote></body>",
		"send 3 5"},
	    {"Outlook",
		HTML "<html><head><style>p.MsoNormal{margin:0cm}</style></head><body lang=EN-GB>"
		     "<div class=WordSection1><p class=MsoNormal><span lang=EN-US>release 3 5<o:p>"
		     "</o:p></span></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><div><p "
		     "class=MsoNormal><b>From:</b> Pullyu<br><b>Sent:</b> Monday<br></p></div>"
		     "<p>hold 1</p></div></body></html>",
		"send 3 5"},
	    {"Outlook on a phone",
		HTML
		"<div dir=\"ltr\">release 3 5</div><div id=\"ms-outlook-mobile-signature\">Get "
		"<a href=\"https://outlook.example\">Outlook for iOS</a></div><hr><div "
		"id=\"divRplyFwdMsg\"><b>Von:</b> Pullyu<br><b>Gesendet:</b> Montag</div>"
		"<div>hold 1</div>",
		"send 3 5"},
	    {"K-9",
		HTML "<!DOCTYPE html><html><body><div dir=\"auto\">release 3 5</div><br><br><div "
		     "class=\"gmail_quote\"><div dir=\"auto\">Op 23 november 2026 08:00:00 CET "
		     "schreef Pullyu &lt;digest@example.org&gt;:</div><blockquote "
		     "class=\"gmail_quote\">hold 1</blockquote></div></body></html>",
		"send 3 5"},
	    {"Yahoo", HTML "<div>release 3 5</div><div class=\"yahoo_quoted\">hold 1</div>",
		"send 3 5"},
	    {"an address with a link",
		HTML "<div>allow <a href=\"mailto:news@shop.example\">news@shop.example</a></div>",
		"allow news@shop.example"},
	    {"settings above a quote",
		HTML "<div>times</div><div>language = nl<br></div><blockquote>times = 08:00<br>"
		     "timezone = Europe/Paris</blockquote>",
		"times language=nl"},
	    {"an empty quote ends nothing", HTML "<blockquote></blockquote><div>release 3</div>",
		"send 3"},
	    {"quotes in quotes",
		HTML "<blockquote>a<blockquote>b</blockquote>hold 1<div>hold 1</div></blockquote>"
		     "release 3",
		"send 3"},
	    {"a quote in the middle of a line",
		HTML "<span>release 3<span class=\"gmail_quote\"> hold<br>hold 1</span></span>",
		"!"},
	};
	(void)state;
	run(rows, G_N_ELEMENTS(rows));
}

static void test_parts(void **state)
{
	static const struct row rows[] = {
	    {"both parts",
		BOTH TEXT "release 3\r\n\r\nOn Monday Pullyu wrote:\r\n> hold 1\r\n--b\r\n" HTML
			  "<div>hold 5</div>\r\n--b--\r\n",
		"send 3"},
	    {"an empty text", BOTH TEXT "\r\n\r\n--b\r\n" HTML "<div>release 3</div>\r\n--b--\r\n",
		"send 3"},
	    {"blanks and an invisible character",
		BOTH TEXT " \xC2\xA0\r\n\xEF\xBB\xBF\r\n--b\r\n" HTML
			  "<div>release 3</div>\r\n--b--\r\n",
		"send 3"},
	    {"HTML first", BOTH HTML "<div>release 3</div>\r\n--b\r\n" TEXT "\r\n--b--\r\n",
		"send 3"},
	    {"Outlook's text",
		TEXT "allow news@shop.example<mailto:news@shop.example>\r\n\r\n"
		     "________________________________\r\nFrom: Pullyu\r\nSent: Monday\r\n",
		"allow news@shop.example"},
	    {"no blank line above the quote",
		TEXT "release 3 5\r\nOn Mon, 23 Nov 2026, Pullyu wrote:\r\n> x\r\n", "send 3 5"},
	};
	(void)state;
	run(rows, G_N_ELEMENTS(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pages),
	    cmocka_unit_test(test_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
