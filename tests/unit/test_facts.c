/*
 * test_facts.c: what a header says, and that no header can say too much.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include "facts/facts.h"
#include "facts/facts_private.h"

/* Facts of a header given as text, without an envelope. */
static struct facts *facts_of(const char *text, size_t len)
{
	char path[] = "/tmp/pullyu-facts-XXXXXX";
	struct facts *facts = facts_new();
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, text, len), len);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(facts_read(facts, fd, NULL, NULL), RC_OK);
	close(fd);
	return facts;
}

static void test_decode(void **state)
{
	static const struct {
		const char *label, *in, *want;
	} rows[] = {
	    {"plain", "Subject: Soup on Thursday?\n\n", "Soup on Thursday?"},
	    {"folded", "Subject: Soup\r\n on\r\n\tThursday\r\n\r\n", "Soup on Thursday"},
	    {"q", "Subject: =?utf-8?q?caf=C3=A9_noir?=\n\n", "caf\xc3\xa9 noir"},
	    {"b", "Subject: =?UTF-8?B?Y2Fmw6k=?=\n\n", "caf\xc3\xa9"},
	    {"latin1", "Subject: =?iso-8859-1?Q?caf=E9?=\n\n", "caf\xc3\xa9"},
	    {"windows quotes in latin1", "Subject: =?iso-8859-1?Q?=93a=94?=\n\n",
		"\xe2\x80\x9c"
		"a\xe2\x80\x9d"},
	    {"koi8-r", "Subject: =?koi8-r?B?8NLJ18XU?=\n\n",
		"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
	    {"iso-2022-jp", "Subject: =?ISO-2022-JP?B?GyRCJCpDYxsoQg==?=\n\n",
		"\xe3\x81\x8a\xe8\x8c\xb6"},
	    {"raw iso-2022-jp", "Subject: \x1b$B$*Cc\x1b(B\n\n", "\xe3\x81\x8a\xe8\x8c\xb6"},
	    {"shift_jis", "Subject: =?Shift_JIS?B?gqiSgw==?=\n\n", "\xe3\x81\x8a\xe8\x8c\xb6"},
	    {"language tag", "Subject: =?utf-8*en?q?a=20b?=\n\n", "a b"},
	    {"two words", "Subject: =?utf-8?q?a?= =?utf-8?q?b?=\n\n", "ab"},
	    {"two words folded", "Subject: =?utf-8?q?a?=\n =?utf-8?q?b?=\n\n", "ab"},
	    {"word and text", "Subject: =?utf-8?q?a?= b =?utf-8?q?c?=\n\n", "a b c"},
	    {"character split across words", "Subject: =?utf-8?B?Y2Fmww==?=\n =?utf-8?B?qQ==?=\n\n",
		"caf\xc3\xa9"},
	    {"two charsets", "Subject: =?utf-8?q?=C3=A9?= =?iso-8859-1?q?=E9?=\n\n",
		"\xc3\xa9\xc3\xa9"},
	    {"blank inside a word", "Subject: =?utf-8?q?a b?=\n\n", "a b"},
	    {"inside quotes", "Subject: \"=?utf-8?q?a?=\"\n\n", "\"a\""},
	    {"q ending in =", "Subject: =?utf-8?q?a=?=\n\n", "a="},
	    {"unknown charset", "Subject: =?x-none-such?q?abc?=\n\n", "abc"},
	    {"unknown charset, latin1", "Subject: =?x-none-such?q?=E9?=\n\n", "\xc3\xa9"},
	    {"iconv option in charset", "Subject: =?utf-8//TRANSLIT?q?a?=\n\n",
		"=?utf-8//TRANSLIT?q?a?="},
	    {"no charset", "Subject: =??q?a?=\n\n", "=??q?a?="},
	    {"unknown encoding", "Subject: =?utf-8?x?a?=\n\n", "=?utf-8?x?a?="},
	    {"unclosed word", "Subject: =?utf-8?q?abc\n\n", "=?utf-8?q?abc"},
	    {"bad utf-8 in word", "Subject: =?utf-8?q?a=FFb?=\n\n",
		"a\xef\xbf\xbd"
		"b"},
	    {"raw utf-8", "Subject: caf\xc3\xa9\n\n", "caf\xc3\xa9"},
	    {"raw latin1", "Subject: caf\xe9\n\n", "caf\xc3\xa9"},
	    {"a mark of its own", "Subject: cafe\xcc\x81 noir\n\n", "caf\xc3\xa9 noir"},
	    {"a mark of its own in a word", "Subject: =?utf-8?q?se=CC=81jour?=\n\n",
		"s\xc3\xa9jour"},
	    {"kana and its mark", "Subject: \xe3\x81\x8b\xe3\x82\x99\n\n", "\xe3\x81\x8c"},
	    {"a mark alone", "Subject: \xcc\x81\n\n", "\xcc\x81"},
	    {"raw, charset of the body",
		"Subject: \xf0\xd2\xc9\n"
		"Content-Type: text/plain; charset=koi8-r\n\n",
		"\xd0\x9f\xd1\x80\xd0\xb8"},
	    {"raw utf-8 beats the body's charset",
		"Subject: caf\xc3\xa9\n"
		"Content-Type: text/plain; charset=koi8-r\n\n",
		"caf\xc3\xa9"},
	    {"control characters",
		"Subject: a\x01"
		"b\x7f\n\n",
		"a?b?"},
	    {"line break in a word", "Subject: =?utf-8?q?a=0D=0ABcc:_x?=\n\n", "a  Bcc: x"},
	    {"nul in a word", "Subject: =?utf-8?q?a=00b?=\n\n",
		"a\xef\xbf\xbd"
		"b"},
	    {"c1 control",
		"Subject: a\xc2\x85"
		"b\n\n",
		"a?b"},
	    {"empty", "Subject:\n\n", ""},
	    {"absent", "To: a@example.org\n\n", ""},
	    {"first counts", "Subject: one\nSubject: two\n\n", "one"},
	    {"blank before the colon", "Subject : one\n\n", "one"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct facts *facts = facts_of(rows[i].in, strlen(rows[i].in));
		failed += unit_str(rows[i].label, facts->subject, rows[i].want);
		facts_free(&facts);
	}
	assert_int_equal(failed, 0);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *label, *from, *want_addr, *want_name;
	} rows[] = {
	    {"plain", "ann@example.org", "ann@example.org", ""},
	    {"name", "Ann Summer <Ann@Example.ORG>", "ann@example.org", "Ann Summer"},
	    {"quoted name", "\"Summer, Ann\" <ann@example.org>", "ann@example.org", "Summer, Ann"},
	    {"comment", "ann@example.org (Ann Summer)", "ann@example.org", "Ann Summer"},
	    {"nested comment", "ann@example.org (Ann (the (real) one) Summer)", "ann@example.org",
		"Ann (the (real) one) Summer"},
	    {"encoded name", "=?utf-8?q?Andr=C3=A9?= <a@example.org>", "a@example.org",
		"Andr\xc3\xa9"},
	    {"encoded comma is no separator", "=?utf-8?q?a=2C_b=40evil.example?= <a@example.org>",
		"a@example.org", "a, b@evil.example"},
	    {"raw latin1 name", "Andr\xe9 <a@example.org>", "a@example.org", "Andr\xc3\xa9"},
	    {"no closing bracket", "Ann <ann@example.org", "ann@example.org", "Ann"},
	    {"no closing quote", "\"Ann <ann@example.org>", "ann@example.org", "Ann"},
	    {"address as name", "\"ceo@bank.example\" <x@example.org>", "x@example.org",
		"ceo@bank.example"},
	    {"group", "friends: ann@example.org, bob@example.org;", "ann@example.org", ""},
	    {"empty group", "undisclosed-recipients:;", "", "undisclosed-recipients:;"},
	    {"first is bad", "nobody, ann@example.org", "ann@example.org", ""},
	    {"no address", "Ann Summer", "", "Ann Summer"},
	    {"source route", "<@a.example:ann@example.org>", "ann@example.org", ""},
	    {"quoted local part", "\"ann summer\"@example.org", "\"ann summer\"@example.org", ""},
	    {"blanks inside", "Ann < ann@example.org >", "ann@example.org", "Ann"},
	    {"idn",
		"a@b\xc3\xbc"
		"cher.example",
		"a@xn--bcher-kva.example", ""},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct facts *facts = facts_new();
		facts_header(facts, "From", rows[i].from);
		facts_end(facts);
		failed += unit_str(rows[i].label, facts->from_addr, rows[i].want_addr);
		failed += unit_str(rows[i].label, facts->from_name, rows[i].want_name);
		facts_free(&facts);
	}
	assert_int_equal(failed, 0);
}

static void test_counts(void **state)
{
	static const struct {
		const char *label, *list;
		int want;
	} rows[] = {
	    {"none", "", 0},
	    {"one", "a@example.org", 1},
	    {"three", "a@example.org, B <b@example.org>,c@example.org", 3},
	    {"comma in quotes", "\"a, b\" <a@example.org>", 1},
	    {"comma in comment", "a@example.org (x, y@z)", 1},
	    {"group", "g: a@example.org, b@example.org;, c@example.org", 3},
	    {"empty group", "undisclosed-recipients:;", 0},
	    {"commas only", ",,,,", 0},
	    {"at signs", "@@@,@", 2},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		failed += unit_num(rows[i].label,
		    (long long)facts_mailboxes(rows[i].list, NULL, NULL), rows[i].want);
	assert_int_equal(failed, 0);
}

/* Each row: fields, and facts that must and must not hold, separated by blanks ("!" negates). */
static void test_facts(void **state)
{
	static const struct {
		const char *label, *header, *want;
	} rows[] = {
	    {"nothing", "X: y\n",
		"!list-id !reply !from text-plain to-nobody subject-empty no-date"},
	    {"list id", "List-Id: Choir <Choir.Lists.example.org>\n", "list-id"},
	    {"list id bare", "List-Id: choir.example.org\n", "list-id"},
	    {"list id of words", "List-Id: the village choir\n", "!list-id"},
	    {"list post", "List-Post: <mailto:choir@lists.example.org>\n",
		"list-post !list-post-no"},
	    {"list post on the web", "List-Post: <https://example.org/p/1>\n",
		"!list-post !list-post-no"},
	    {"list post no", "List-Post: NO (posting is not allowed)\n", "!list-post list-post-no"},
	    {"unsubscribe web", "List-Unsubscribe: <https://example.org/u>\n",
		"list-unsubscribe list-unsubscribe-web !one-click"},
	    {"unsubscribe mail", "List-Unsubscribe: <mailto:u@example.org>\n",
		"list-unsubscribe !list-unsubscribe-web"},
	    {"unsubscribe empty", "List-Unsubscribe:\n", "!list-unsubscribe"},
	    {"one click", "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", "one-click"},
	    {"precedence", "Precedence: Bulk\n", "precedence-bulk !precedence-list"},
	    {"precedence comment", "Precedence: list (x)\n", "precedence-list"},
	    {"precedence else", "Precedence: bulky\n", "!precedence-bulk"},
	    {"auto no", "Auto-Submitted: no\n", "!auto-generated !auto-replied"},
	    {"auto generated", "Auto-Submitted: auto-generated; x=y\n", "auto-generated"},
	    {"auto replied", "Auto-Submitted: auto-replied\n", "auto-replied !auto-generated"},
	    {"auto unknown word", "Auto-Submitted: auto-invented\n", "auto-generated"},
	    {"dsn",
		"Content-Type: multipart/report; boundary=x;\n report-type=\"delivery-status\"\n",
		"report report-delivery !report-disposition"},
	    {"mdn", "Content-Type: multipart/report; report-type=disposition-notification\n",
		"report-disposition"},
	    {"calendar", "Content-Type: text/calendar; charset=utf-8; method=REQUEST\n",
		"calendar calendar-method"},
	    {"calendar on a multipart", "Content-Type: multipart/mixed; method=cancel\n",
		"calendar calendar-method"},
	    {"no calendar", "Content-Type: text/plain; method=post\n", "!calendar"},
	    {"parameter in quotes is no parameter",
		"Content-Type: text/plain; name=\"x; method=request\"\n", "!calendar"},
	    {"signed", "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"\n",
		"signed"},
	    {"s/mime", "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n",
		"encrypted !signed"},
	    {"reply", "In-Reply-To: <a@example.org>\n", "reply"},
	    {"reply to nothing", "In-Reply-To: your letter\n", "!reply"},
	    {"references", "References: <a@example.org> <b@example.org>\n", "reply"},
	    {"reply subject", "Subject: AW: Re[2]: soup\n",
		"reply-subject !forward-subject !reply"},
	    {"japanese reply", "Subject: \xe5\x9b\x9e\xe5\xa4\x8d\xef\xbc\x9asoup\n",
		"reply-subject"},
	    {"forward", "Subject: WG: soup\n", "forward-subject"},
	    {"word, not prefix", "Subject: Report: soup\n", "!reply-subject !forward-subject"},
	    {"tag", "Subject: Re: [choir] soup\n", "subject-tag reply-subject"},
	    {"emoji", "Subject: soup \xf0\x9f\x8d\xb2\n", "subject-emoji"},
	    {"capitals", "Subject: SOUP ON THURSDAY\n", "subject-capitals"},
	    {"no reply", "From: No-Reply <no.reply+77@example.org>\n", "no-reply-from"},
	    {"french no reply", "From: nepasrepondre@example.org\n", "no-reply-from"},
	    {"reply to", "From: a@example.org\nReply-To: b@other.example\n",
		"reply-to reply-to-foreign"},
	    {"reply to same site", "From: a@mail.example.co.uk\nReply-To: b@example.co.uk\n",
		"reply-to !reply-to-foreign"},
	    {"null sender", "Return-Path: <>\n", "null-sender !envelope-sender"},
	    {"verp", "Return-Path: <bounces+77-ann=example.org@news.example>\n",
		"verp bounce-address envelope-sender"},
	    {"batv is no verp", "Return-Path: <prvs=1234abcd=ann@example.org>\n", "!verp"},
	    {"srs is no verp", "Return-Path: <SRS0=x=y=example.org=ann@fwd.example>\n",
		"!verp !envelope-token"},
	    {"serial number", "From: x@example.org\nReturn-Path: <0100018f2a77-11@example.org>\n",
		"envelope-token"},
	    {"a person's number",
		"From: 123456789@example.org\n"
		"Return-Path: <123456789@example.org>\n",
		"!envelope-token"},
	    {"crowd",
		"To: a@b.c,a@b.c,a@b.c,a@b.c,a@b.c,a@b.c\nCc: a@b.c,a@b.c,a@b.c,a@b.c,a@b.c\n",
		"to-crowd to-several !to-one"},
	    {"delivered-to stands in for the envelope",
		"Delivered-To: ann@example.org\nTo: Ann <Ann+x@example.org>\n",
		"recipient-known recipient-named"},
	    {"bcc", "Delivered-To: ann@example.org\nTo: bob@example.org\n",
		"recipient-known !recipient-named"},
	    {"to a name of the sender's",
		"Delivered-To: ann@example.org\nFrom: news@shop.example\n"
		"To: customers@mail.shop.example\n",
		"to-sender !to-from"},
	    {"to a name of the sender's, and to us",
		"Delivered-To: ann@example.org\nFrom: a@shop.example\n"
		"To: b@shop.example, ann@example.org\n",
		"!to-sender"},
	    {"to the sender himself",
		"Delivered-To: ann@example.org\nFrom: a@shop.example\nTo: a@shop.example\n",
		"!to-sender to-from"},
	    {"to a name of the sender's, but who are we",
		"From: a@shop.example\nTo: b@shop.example\n", "!to-sender"},
	    {"a person", "From: Ann Lee <ann.lee@example.org>\n", "from-person"},
	    {"a person, initial", "From: \"Lee, Ann\" <alee@example.org>\n", "from-person"},
	    {"a person, first name", "From: Karen <karen@agent.example>\n", "from-person"},
	    {"a person, another name", "From: Ann Lee <bob@example.org>\n", "!from-person"},
	    {"a firm", "From: Shop Deals <deals@shop.example>\n", "!from-person"},
	    {"a firm by its own name", "From: Shop <shop@mail.shop.example>\n", "!from-person"},
	    {"initials alone", "From: Ann Lee <al@example.org>\n", "!from-person"},
	    {"a person who takes no replies", "From: No Reply <noreply@example.org>\n",
		"!from-person no-reply-from"},
	    {"no name", "From: ann@example.org\n", "!from-person"},
	    {"bounces with underscores", "Return-Path: <x_i_bounces@example.org>\n",
		"bounce-address"},
	    {"to the list", "List-Id: <choir.lists.example.org>\nTo: choir@lists.example.org\n",
		"list-in-to"},
	    {"own reference", "Delivered-To: ann@example.org\nReferences: <1@mail.example.org>\n",
		"reply-own"},
	    {"foreign reference", "Delivered-To: ann@example.org\nReferences: <1@example.net>\n",
		"reply !reply-own"},
	    {"submission",
		"Received: from b by c with ESMTP id 1\n"
		"Received: from a by b with ESMTPSA id 2\n",
		"submitted received"},
	    {"postfix, a web server", "Received: by h.example (Postfix, from userid 33) id 1; x\n",
		"web-account !submitted"},
	    {"postfix, a person", "Received: by h.example (Postfix, from userid 1000) id 1\n",
		"!web-account"},
	    {"postfix, a person on a Mac", "Received: by h.example (Postfix, from userid 501)\n",
		"!web-account"},
	    {"postfix, root", "Received: by h.example (Postfix, from userid 0)\n", "!web-account"},
	    {"exim, a web server", "Received: from www-data by h.example with local (Exim)\n",
		"web-account"},
	    {"exim, a person", "Received: from ann by h.example with local (Exim)\n",
		"!web-account"},
	    {"exim, a host of that name", "Received: from www by h.example with esmtp (Exim)\n",
		"!web-account"},
	    {"sendmail, a web server", "Received: (from apache@localhost) by h.example id 1\n",
		"web-account"},
	    {"sendmail, a person", "Received: (from ann@localhost) by h.example id 1\n",
		"!web-account"},
	    {"submission further up",
		"Received: from a by b with ESMTPSA id 2\n"
		"Received: from b by c with ESMTP id 1\n",
		"!submitted"},
	    {"dkim", "From: a@example.org\nDKIM-Signature: v=1; a=rsa-sha256; d=esp.example; s=1\n",
		"dkim-foreign"},
	    {"duplicate", "To: a@example.org\nTo: b@example.org\n", "duplicate-field"},
	    {"the first subject counts", "Subject: soup\nSubject: SOUP ON THURSDAY 123\n",
		"duplicate-field !subject-capitals !subject-digit"},
	    {"no duplicate", "Received: a\nReceived: b\n", "!duplicate-field"},
	    {"message id", "Message-ID: <1@example.org>\n", "!no-message-id"},
	    {"bad message id", "Message-ID: 1@example.org\n", "no-message-id"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct facts *facts = facts_of(rows[i].header, strlen(rows[i].header));
		char **words = g_strsplit(rows[i].want, " ", -1);
		for (size_t k = 0; words[k] != NULL; k++) {
			bool negated = words[k][0] == '!';
			int fact = facts_by_name(words[k] + negated);
			char label[200];
			snprintf(label, sizeof(label), "%s: %s", rows[i].label, words[k] + negated);
			failed += unit_num(label, fact >= 0, 1);
			if (fact >= 0)
				failed +=
				    unit_num(label, facts_has(facts, (enum fact)fact), !negated);
		}
		g_strfreev(words);
		facts_free(&facts);
	}
	assert_int_equal(failed, 0);
}

static void test_strings(void **state)
{
	static const char header[] =
	    "Return-Path: <Bounce@News.example>\r\n"
	    "List-Id: \"Choir; of\" <CHOIR.example.org>\r\n"
	    "Message-ID: <1@b> trailing\r\n"
	    "In-Reply-To: <p@x> (yesterday)\r\n"
	    "References: <old@x> <mid@x>\r\n <p@x> <new@x>\r\n"
	    "Authentication-Results: mx.example.org; spf=pass\r\n"
	    "Authentication-Results: other; spf=fail\r\n"
	    "DKIM-Signature: v=1; bh=x; D=no; d = Mail.Example ; b=d=z\r\n"
	    "List-Unsubscribe: <https://U.example/x>, <mailto:u@list.example>\r\n"
	    "X-Odd: =?utf-8?q?=C3=A9?=\r\n\r\nSubject: body\r\n";
	struct facts *facts = facts_of(header, sizeof(header) - 1);
	int failed = 0;
	(void)state;
	failed += unit_str("envelope", facts->envelope_from, "bounce@news.example");
	failed += unit_str("list id", facts->list_id, "choir.example.org");
	failed += unit_str("message id", facts->message_id, "<1@b>");
	failed += unit_num("refs", (long long)facts->n_refs, 4);
	failed += unit_str("ref 0", facts->refs[0], "<p@x>");
	failed += unit_str("ref 1", facts->refs[1], "<new@x>");
	failed += unit_str("ref 3", facts->refs[3], "<old@x>");
	failed += unit_num("auth", (long long)facts->n_auth_results, 2);
	failed += unit_str("auth 0", facts->auth_results[0], "mx.example.org; spf=pass");
	failed += unit_str("subject in the body", facts->subject, "");
	const struct facts_field *odd = facts_field_find(facts, "x-odd");
	assert_non_null(odd);
	failed += unit_str("decoded", odd->value, "\xc3\xa9");
	failed += unit_str("raw", odd->raw, "=?utf-8?q?=C3=A9?=");
	assert_null(facts_field_find(facts, "x-none"));
	const char *dkim = "", *hosts = "";
	for (size_t i = 0; i < facts->n_derived; i++) {
		assert_true(facts_derived_exists(facts->derived[i].name));
		if (strcmp(facts->derived[i].name, "dkim:domain") == 0)
			dkim = facts->derived[i].value;
		if (strcmp(facts->derived[i].name, "list-unsubscribe:domain") == 0)
			hosts = facts->derived[i].value;
	}
	failed += unit_str("dkim", dkim, "mail.example");
	failed += unit_str("hosts", hosts, "u.example list.example");
	assert_int_equal(failed, 0);
	facts_free(&facts);
	assert_null(facts);
}

/* Where the header ends, whatever the file is. */
static void test_read(void **state)
{
	static const struct {
		const char *label, *text;
		int want_len, want_fields;
	} rows[] = {
	    {"lf", "A: 1\nB: 2\n\nC: 3\n", 11, 2},
	    {"crlf", "A: 1\r\nB: 2\r\n\r\nC: 3\r\n", 14, 2},
	    {"no empty line", "A: 1\nB: 2", 9, 2},
	    {"empty file", "", 0, 0},
	    {"body only", "Dear Ann,\n\nA: 1\n", 10, 0},
	    {"mbox line", "From ann Mon Nov 16 09:12:41 2026\nA: 1\n\n", 40, 1},
	    {"mbox line once", "A: 1\nFrom ann\nB: 2\n\n", 14, 1},
	    {"starts folded", " x\nA: 1\n\n", 9, 1},
	    {"field name with blanks", "A b: 1\nC: 2\n\n", 13, 1},
	    {"lone cr", "A: 1\rB: 2\n\n", 11, 1},
	    {"empty line first", "\nA: 1\n", 1, 0},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char path[] = "/tmp/pullyu-facts-XXXXXX";
		int fd = mkstemp(path);
		uint64_t len = 999;
		struct facts *facts = facts_new();
		unlink(path);
		assert_true(write(fd, rows[i].text, strlen(rows[i].text)) >= 0);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(facts_read(facts, fd, &len, NULL), RC_OK);
		failed += unit_num(rows[i].label, (long long)len, rows[i].want_len);
		failed += unit_num(rows[i].label, (long long)facts->n_fields, rows[i].want_fields);
		facts_free(&facts);
		close(fd);
	}
	struct facts *facts = facts_new();
	struct err err;
	assert_int_equal(facts_read(facts, -1, NULL, &err), RC_TEMP);
	facts_free(&facts);
	assert_int_equal(failed, 0);
}

static bool is_clean(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return g_utf8_validate(s, -1, NULL);
}

static void test_bounds(void **state)
{
	(void)state;
	struct facts *facts = facts_new();
	for (int i = 0; i < FACTS_FIELDS_MAX + 10; i++)
		facts_header(facts, "X-Many", "1");
	facts_header(facts, "Subject", "too late");
	facts_end(facts);
	assert_int_equal(facts->n_fields, FACTS_FIELDS_MAX);
	assert_true(facts_has(facts, FACT_TRUNCATED));
	assert_string_equal(facts->subject, "");
	facts_free(&facts);

	/* A body that is cut in the middle of a character, and in the middle of an encoded word. */
	char *longer = g_malloc(100001);
	memset(longer, 'x', 100000);
	longer[100000] = '\0';
	memcpy(longer + FACTS_BODY_MAX - 1, "\xc3\xa9", 2);
	facts = facts_new();
	facts_header(facts, "Subject", longer);
	facts_end(facts);
	assert_int_equal(strlen(facts->subject), FACTS_BODY_MAX - 1);
	assert_true(is_clean(facts->subject));
	assert_true(facts->n_bytes > 100000);
	facts_free(&facts);

	/* Addresses nested and repeated beyond reason: time and stack stay small. */
	static const char *const shapes[] = {"a:", "(", "\"", "<", "a@b,", "\\\"", "=?", "=?a?b?",
	    "()", "a@b:", ";", "\"\\\"", "=?utf-8?q?\xff?="};
	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
		size_t step = strlen(shapes[i]);
		for (size_t k = 0; k + step <= 100000; k += step)
			memcpy(longer + k, shapes[i], step);
		facts = facts_new();
		facts_envelope_rcpt(facts, "ann@example.org");
		facts_header(facts, "From", longer);
		facts_header(facts, "To", longer);
		facts_header(facts, "Subject", longer);
		facts_header(facts, "References", longer);
		facts_header(facts, "Content-Type", longer);
		facts_header(facts, "List-Id", longer);
		facts_header(facts, "List-Unsubscribe", longer);
		facts_header(facts, "DKIM-Signature", longer);
		facts_end(facts);
		assert_true(is_clean(facts->subject) && is_clean(facts->from_name));
		for (size_t k = 0; k < facts->n_fields; k++)
			assert_true(
			    is_clean(facts->fields[k].value) && is_clean(facts->fields[k].raw));
		facts_free(&facts);
	}
	g_free(longer);
}

static void test_envelope(void **state)
{
	(void)state;
	struct facts *facts = facts_new();
	facts_envelope_from(facts, "<>");
	facts_envelope_rcpt(facts, "<Ann+shop@Example.org>");
	facts_header(facts, "Return-Path", "<other@example.net>");
	facts_header(facts, "Delivered-To", "bob@example.org");
	facts_header(facts, "To", " bob@example.org");
	facts_end(facts);
	assert_true(facts_has(facts, FACT_NULL_SENDER));
	assert_string_equal(facts->envelope_from, "");
	assert_false(facts_has(facts, FACT_RCPT_NAMED));
	facts_free(&facts);

	facts = facts_new();
	facts_envelope_from(facts, "<A@example.net>");
	facts_envelope_rcpt(facts, "<Ann+shop@Example.org>");
	facts_header(facts, "Cc", "x@example.com,\n\tANN@example.org");
	facts_end(facts);
	assert_string_equal(facts->envelope_from, "a@example.net");
	assert_true(facts_has(facts, FACT_RCPT_NAMED));
	facts_free(&facts);

	/* More recipients than are looked at. */
	facts = facts_new();
	for (int i = 0; i < 1000; i++)
		facts_envelope_rcpt(facts, "<x@example.org>");
	facts_envelope_rcpt(facts, "no address");
	facts_end(facts);
	assert_true(facts_has(facts, FACT_RCPT_KNOWN));
	facts_free(&facts);
}

/* However many of them there are, the parts that rules rest on are still there. */
static void test_many_templates(void **state)
{
	GString *header = g_string_new("");
	size_t templates = 0, domains = 0;
	(void)state;
	for (int i = 0; i < 300; i++)
		g_string_append_printf(header, "X-%d-Tag: a%d\n", i, i);
	g_string_append(header, "From: a@shop.example\nDKIM-Signature: d=mail.example\n");
	struct facts *facts = facts_of(header->str, header->len);
	for (size_t i = 0; i < facts->n_derived; i++) {
		templates += strcmp(facts->derived[i].name, "template:name") == 0;
		domains += strcmp(facts->derived[i].name, "from:domain") == 0 ||
		    strcmp(facts->derived[i].name, "dkim:domain") == 0;
	}
	assert_int_equal(templates, 8);
	assert_int_equal(domains, 2);
	facts_free(&facts);
	g_string_free(header, TRUE);
}

/* Fields in which the sender's program names the kind of message. */
static void test_template(void **state)
{
	static const struct {
		const char *header, *want;
	} rows[] = {
	    {"X-Mailgun-Tag: password_reset\n", "password_reset"},
	    {"X-Shop-Template-Name: =?utf-8?Q?re=C3=A7u?=\n", "re\xc3\xa7u"},
	    {"X-Amazon-Mail-Relay-Type: notification\n", "notification"},
	    {"X-MC-Tags: a,b\n", "a,b"},
	    {"X-Mailer: x\n", ""},
	    {"X-Tag: a\n", ""},
	    {"X-Spam-Tag: a\n", ""},
	    {"Shop-Template: a\n", ""},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct facts *facts = facts_of(rows[i].header, strlen(rows[i].header));
		const char *got = "";
		for (size_t k = 0; k < facts->n_derived; k++)
			if (strcmp(facts->derived[k].name, "template:name") == 0)
				got = facts->derived[k].value;
		failed += unit_str(rows[i].header, got, rows[i].want);
		facts_free(&facts);
	}
	assert_int_equal(failed, 0);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < FACT_COUNT; i++)
		assert_int_equal(facts_by_name(facts_name((enum fact)i)), i);
	assert_int_equal(facts_by_name("none-such"), -1);
	assert_false(facts_derived_exists("from:none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_decode),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_envelope),
	    cmocka_unit_test(test_template),
	    cmocka_unit_test(test_many_templates),
	    cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
