/*
 * test_excerpt.c: the first words of a message, and what is attached to it.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include "digest/excerpt.h"
#include "digest/snippet.h"

/* A file that is gone once it is closed: five bytes, then the message. */
static int file_of(const char *text, size_t len)
{
	char path[] = "/tmp/pullyu-excerpt-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, "lead\n", 5), 5);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	return fd;
}

/* What a body gives that stands behind these fields. */
static char *excerpt_of(const char *text, size_t len, struct excerpt *excerpt)
{
	int fd = file_of(text, len);
	excerpt_read(fd, 5, excerpt);
	close(fd);
	return excerpt->snippet;
}

struct row {
	const char *label, *text, *want;
};

static void check_rows(const struct row *rows, size_t n)
{
	int bad = 0;
	for (size_t i = 0; i < n; i++) {
		struct excerpt excerpt;
		bad += unit_str(rows[i].label,
		    excerpt_of(rows[i].text, strlen(rows[i].text), &excerpt), rows[i].want);
		excerpt_clear(&excerpt);
	}
	assert_int_equal(bad, 0);
}

#define TEXT "Content-Type: text/plain; charset=utf-8\r\n\r\n"
#define HTML "Content-Type: text/html; charset=utf-8\r\n\r\n"

static void test_text(void **state)
{
	static const struct row rows[] = {
	    {"no header", "", ""},
	    {"no body", TEXT, ""},
	    {"no type", "Subject: x\r\n\r\nWords.\r\n", "Words."},
	    {"two lines are one", TEXT "Broad beans\r\nand garlic.\r\n", "Broad beans and garlic."},
	    {"quotes and who wrote them",
		TEXT "On Monday,\r\nAnn wrote:\r\n> What?\r\n\r\nYes.\r\n", "Yes."},
	    {"with a line between", TEXT "On Monday,\r\nAnn wrote:\r\n\r\n> What?\r\nYes.\r\n",
		"Yes."},
	    {"but not more", TEXT "One.\r\n\r\nAnn wrote:\r\n> What?\r\n> Who?\r\nYes.\r\n",
		"One. Yes."},
	    {"a signature", TEXT "Words.\r\n-- \r\nAnn, Example Ltd\r\n", "Words."},
	    {"the web version", TEXT "View this email in your browser\r\nWords.\r\n", "Words."},
	    {"a Dutch one", TEXT "Bekijk deze mail in je browser\r\nWords.\r\n", "Words."},
	    {"addresses", TEXT "See https://x.example/track?id=1 now <mailto:a@b.example>\r\n",
		"See now"},
	    {"links with words of their own",
		TEXT "[The autumn sale](https://x.example/?a=1&b=2) [https://y.example] "
		     "(https://z.example) opens. [Shop](https://x.example)\r\n",
		"The autumn sale opens. Shop"},
	    {"brackets that are none of a link's", TEXT "[news] Buy [now] https://x.example\r\n",
		"[news] Buy [now]"},
	    {"fat print", TEXT "** Free shipping **\r\n### **Today**\r\nRed | blue ( )\r\n",
		"Free shipping Today Red | blue"},
	    {"references in plain text",
		TEXT "&#847;&zwnj; &#847;&zwnj; It&rsquo;s &bogus; R&D;\r\n",
		"It\xE2\x80\x99s &bogus; R&D;"},
	    {"a reference that is no character",
		TEXT "a &#0; &#55296; &#99999999999999999999; b\r\n",
		"a &#0; &#55296; &#99999999999999999999; b"},
	    {"a page as text",
		TEXT "<div></div>Sleigh <b>your</b> bells<br>\r\n<br>Shop &amp; save<br>\r\n",
		"Sleigh your bells Shop & save"},
	    {"code is no page", TEXT "Does a <div> close itself?\r\n",
		"Does a <div> close itself?"},
	    {"what its decoder could not read",
		TEXT "Mix \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD and match\r\n", "Mix and match"},
	    {"what nobody reads",
		TEXT
		"##- Please type your reply above this line -##\r\n"
		"-----BEGIN PGP SIGNED MESSAGE-----\r\nWords.\r\nTo unsubscribe, write to us.\r\n"
		"Please do not reply to this mail.\r\n",
		"Words."},
	    {"lines of signs", TEXT "=======\r\n***\r\nWords.\r\n-----\r\n", "Words."},
	    {"padding", TEXT "Words.\xCD\x8F \xE2\x80\x8C \xC2\xAD \xE2\x80\x8B\r\nMore.\r\n",
		"Words. More."},
	    {"what turns text around",
		TEXT "a\xE2\x80\xAE"
		     "b\xE2\x81\xA6"
		     "c\r\n",
		"abc"},
	    {"quoted-printable",
		"Content-Type: text/plain; charset=iso-8859-1\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9=\r\n!\r\n",
		"caf\xC3\xA9!"},
	    {"base64, ISO-2022-JP",
		"Content-Type: text/plain; charset=iso-2022-jp\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nGyRCRnxLXDhsGyhC\r\n",
		"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"},
	    {"not what it says", TEXT "caf\xE9 and \x93quotes\x94\r\n",
		"caf\xC3\xA9 and \xE2\x80\x9Cquotes\xE2\x80\x9D"},
	    {"not what it says, to the last byte", TEXT "Le caf\xE9", "Le caf\xC3\xA9"},
	    {"one bad byte of many good ones",
		TEXT "caf\xC3\xA9 cr\xC3\xA8me \xE2\x82\xAC 2\xFF, d\xC3\xA9j\xC3\xA0",
		"caf\xC3\xA9 cr\xC3\xA8me \xE2\x82\xAC 2\xEF\xBF\xBD, d\xC3\xA9j\xC3\xA0"},
	    {"no such charset", "Content-Type: text/plain; charset=klingon\r\n\r\nWords.\r\n",
		"Words."},
	};
	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_html(void **state)
{
	static const struct row rows[] = {
	    {"elements", HTML "<h1>One</h1><p>t<b>w</b>o<br>three</p>", "One two three"},
	    {"references", HTML "<p>a &amp; b &lt;c&gt; &eacute;&#x1F600;</p>",
		"a & b <c> \xC3\xA9\xF0\x9F\x98\x80"},
	    {"not for readers",
		HTML "<head><title>T</title><style>p{}</style></head><script>x()</script>"
		     "<!-- c --><noscript>n</noscript><p>Words.</p>",
		"Words."},
	    {"preheaders",
		HTML "<div style='DISPLAY : none'>secret</div>"
		     "<span style=\"font-size:0px\">s</span><span style='max-height:0'>s</span>"
		     "<p style='opacity:0'>s</p><p hidden>s</p><p aria-hidden=true>s</p>"
		     "<p style='opacity:0.9;font-size:10px'>Words.</p>",
		"Words."},
	    {"more ways to hide",
		HTML
		"<div style='font-size:.1px'>s</div><p style='position:absolute;left:-9999px'>s</p>"
		"<div style='height:0;width:0;overflow:hidden'>s</div><i style='max-width:0'>s</i>"
		"<p style='display:block;display:none!important'>s</p>"
		"<p style='line-height:0'>s</p><p style='text-indent:-999px'>s</p>Words.",
		"Words."},
	    {"a layout of cells without print of their own",
		HTML
		"<td style='direction:ltr;font-size:0px;padding:0'>s<div style='font-size:0px'>s"
		"<div style='font-family:x;font-size:13px;line-height:1'>Words <b>and</b> "
		"<i style='font-size:90%'>more</i>.</div> s</div></td>",
		"Words and more."},
	    {"what is not hidden",
		HTML "<p style='height:0'>a</p><p style='font-size:small'>b</p><p "
		     "style='opacity:0.02'>c</p>"
		     "<p style='margin-left:-10px;font-size:1em'>d</p><p "
		     "style='font-size:inherit'>e</p>",
		"a b c d e"},
	    {"a picture's name", HTML "<img alt='Buy now' src='https://t.example/1.gif'>Words.",
		"Words."},
	    {"its own charset",
		"Content-Type: text/html\r\n\r\n<meta charset=iso-8859-1><p>caf\xE9</p>",
		"caf\xC3\xA9"},
	    {"one bad byte of many good ones",
		HTML "<p>caf\xC3\xA9 cr\xC3\xA8me\xFE d\xC3\xA9j\xC3\xA0",
		"caf\xC3\xA9 cr\xC3\xA8me\xEF\xBF\xBD d\xC3\xA9j\xC3\xA0"},
	    {"the browser", HTML "<a href='https://x.example'>Im Browser ansehen</a><p>Worte.</p>",
		"Worte."},
	    {"not closed", HTML "<p>One<div><b>two", "One two"},
	    {"not HTML", HTML "Just words & signs < all", "Just words & signs < all"},
	};
	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"

static void test_parts(void **state)
{
	static const struct row rows[] = {
	    {"text before HTML",
		"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" TEXT
		"Text.\r\n--b\r\n" HTML "<p>HTML.</p>\r\n--b--\r\n",
		"Text."},
	    {"unless it says nothing",
		"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" TEXT
		"https://x.example/\r\n--b\r\n" HTML "<p>HTML.</p>\r\n--b--\r\n",
		"HTML."},
	    {"an attached text is not the message",
		MIXED "Content-Disposition: attachment\r\n" TEXT "Attached.\r\n--b\r\n" TEXT
		      "Own.\r\n--b--\r\n",
		"Own."},
	    {"no end", MIXED TEXT "Words.\r\n", "Words."},
	    {"no boundary", "Content-Type: multipart/mixed\r\n\r\nWords.\r\n", ""},
	    {"a message around", "Content-Type: message/rfc822\r\n\r\n" TEXT "Inner.\r\n",
		"Inner."},
	    {"encrypted",
		"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n" TEXT
		"Version: 1\r\n--b--\r\n",
		""},
	};
	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_attachments(void **state)
{
	static const char text[] = MIXED TEXT
	    "Words.\r\n--b\r\n"
	    "Content-Type: application/pdf; name=\"../../etc/plan.pdf\"\r\n\r\nx\r\n--b\r\n"
	    "Content-Type: application/zip\r\n"
	    "Content-Disposition: attachment; filename*=utf-8''caf%C3%A9%E2%80%AE.zip\r\n\r\nx\r\n"
	    "--b\r\n"
	    "Content-Type: image/png\r\nContent-ID: <logo>\r\n\r\nx\r\n--b\r\n"
	    "Content-Type: application/pgp-signature\r\n\r\nx\r\n--b\r\n"
	    "Content-Type: application/octet-stream\r\n\r\nx\r\n--b\r\n"
	    "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--b--\r\n";
	struct excerpt excerpt;
	int bad = unit_str("words", excerpt_of(text, strlen(text), &excerpt), "Words.");
	(void)state;
	bad += unit_num("attachments", (long long)excerpt.n_attachments, 4);
	bad += unit_str("a path", excerpt.names[0], "plan.pdf");
	bad += unit_str("RFC 2231", excerpt.names[1], "caf\xC3\xA9.zip");
	bad += unit_str("no name", excerpt.names[2], "application/octet-stream");
	excerpt_clear(&excerpt);
	assert_int_equal(bad, 0);
}

/* Whatever it is: words or none, and an end. */
static void test_bounds(void **state)
{
	GString *text = g_string_new(HTML);
	struct excerpt excerpt;
	(void)state;
	for (int i = 0; i < 100000; i++)
		g_string_append(text, "<div><b>");
	g_string_append(text, "deep");
	excerpt_of(text->str, text->len, &excerpt);
	excerpt_clear(&excerpt);

	g_string_assign(text, TEXT);
	for (int i = 0; i < 100000; i++)
		g_string_append(text, "w\xCC\x81\xCC\x82o ");
	assert_true(
	    g_utf8_strlen(excerpt_of(text->str, text->len, &excerpt), -1) <= 4 * EXCERPT_COLUMNS);
	excerpt_clear(&excerpt);

	g_string_assign(text, MIXED);
	for (int i = 0; i < 5000; i++)
		g_string_append(
		    text, "Content-Type: multipart/mixed; boundary=b\r\n\r\nx\r\n--b\r\n");
	excerpt_of(text->str, text->len, &excerpt);
	assert_true(excerpt.n_attachments <= 200);
	excerpt_clear(&excerpt);

	static const char nul[] = TEXT "a\0b\r\n";
	assert_string_equal(excerpt_of(nul, sizeof(nul) - 1, &excerpt), "a b");
	excerpt_clear(&excerpt);
	g_string_free(text, TRUE);
}

/* A command stands in lines. */
static void test_lines(void **state)
{
	static const struct row rows[] = {
	    {"text", TEXT "release 3\r\n> quoted\r\n-- \r\nAnn\r\n",
		"release 3\r\n> quoted\r\n-- \r\nAnn\r\n"},
	    {"quoted-printable",
		"Content-Type: text/plain; charset=iso-8859-1\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\nzur=FCckhalten 2=\r\n 3\r\n",
		"zur\xC3\xBC"
		"ckhalten 2 3\r\n"},
	    {"HTML alone", HTML "<div>release&nbsp;3</div><div>Sent from my phone</div>",
		"\n\n\nrelease\xC2\xA0"
		"3\n\nSent from my phone\n\n\n"},
	    {"both: the text",
		"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" TEXT
		"allow 2\r\n--b\r\n" HTML "<p>other</p>\r\n--b--\r\n",
		"allow 2"},
	    {"an empty text beside HTML",
		"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" TEXT
		"\r\n\xC2\xA0\r\n--b\r\n" HTML "<p>release 3</p>\r\n--b--\r\n",
		"\n\n\nrelease 3\n\n\n"},
	    {"an empty text alone", TEXT "\r\n", "\r\n"},
	    {"an attachment is no text",
		"Content-Type: text/plain; name=x.txt\r\nContent-Disposition: attachment\r\n\r\n"
		"release 3\r\n",
		""},
	    {"no message", "", ""},
	};
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int fd = file_of(rows[i].text, strlen(rows[i].text));
		char *text = excerpt_text(fd, 5);
		bad += unit_str(rows[i].label, text, rows[i].want);
		g_free(text);
		close(fd);
	}
	char *large = g_strnfill(100000, 'x');
	char *message = g_strconcat(TEXT "\xC3\xBC", large, NULL);
	int fd = file_of(message, strlen(message));
	char *text = excerpt_text(fd, 5);
	bad += unit_num("bound", (long long)strlen(text), EXCERPT_TEXT_MAX);
	close(fd);
	g_free(text);
	g_free(message);
	g_free(large);
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_html),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_attachments),
	    cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
