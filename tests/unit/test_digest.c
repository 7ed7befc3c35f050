/*
 * test_digest.c: cleaned text, wrapped text, header fields, the copies of originals, and what happens
 * when something is missing. How the message parses is tests/e2e/test_digest_mime.py's.
 */
#include <config.h>

#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "digest/clean.h"
#include "digest/digest.h"
#include "digest/fields.h"
#include "digest/guard.h"
#include "digest/originals.h"
#include "digest/text.h"

/* 2026-11-24 07:00 UTC, a Tuesday; 08:00 in Amsterdam. */
enum { SLOT = 1795503600 };

/* Originals in memory, served as files that are unlinked at once. */
struct mail {
	const char *id, *data;
	const char *later; /* what is there from opening `from` on; NULL: data */
	int from, opened;
};

static enum rc open_mail(void *ctx, const char *id, int *fd_out, struct err *err)
{
	for (struct mail *mail = ctx; mail->id != NULL; mail++) {
		if (strcmp(mail->id, id) != 0)
			continue;
		mail->opened++;
		if (mail->data == NULL)
			return err_set(err, RC_NOTFOUND, "gone");
		char path[] = "/tmp/pullyu-test-XXXXXX";
		int fd = mkstemp(path);
		assert_true(fd >= 0);
		unlink(path);
		const char *data =
		    mail->later != NULL && mail->opened >= mail->from ? mail->later : mail->data;
		size_t len = strlen(data);
		assert_int_equal(write(fd, data, len), len);
		*fd_out = fd;
		return RC_OK;
	}
	return err_set(err, RC_TEMP, "no such id");
}

static struct digest_entry entry(const char *id, const char *class, const char *name,
    const char *addr, const char *subject, int64_t received, uint64_t size)
{
	return (struct digest_entry){.id = id,
	    .size = size,
	    .from_name = name,
	    .from_addr = addr,
	    .subject = subject,
	    .list_id = "",
	    .class_name = class,
	    .why = "it came from a mailing list",
	    .received = received};
}

static struct digest digest_of(struct digest_entry *entries, size_t n)
{
	return (struct digest){.open_original = open_mail,
	    .user = "ann@example.org",
	    .from = "Pullyu <digest@example.org>",
	    .message_id = "<slot.1@example.org>",
	    .guard = "v1; 00",
	    .host = "mail.example.org",
	    .slot = SLOT,
	    .now = SLOT + 1,
	    .timezone = "Europe/Amsterdam",
	    .language = "en",
	    .entries = entries,
	    .n_entries = n};
}

/* What compose wrote; g_free. NULL if it failed. */
static char *composed(enum rc (*compose)(const struct digest *, int, struct err *),
    const struct digest *digest, enum rc *rc_out, struct err *err)
{
	char path[] = "/tmp/pullyu-test-XXXXXX", *text = NULL;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	*rc_out = compose(digest, fd, err);
	close(fd);
	if (*rc_out == RC_OK)
		assert_true(g_file_get_contents(path, &text, NULL, NULL));
	unlink(path);
	return text;
}

static void test_clean(void **state)
{
	static const struct {
		const char *label, *in;
		size_t max;
		const char *want;
	} rows[] = {
	    {"plain", "Hello there", 20, "Hello there"},
	    {"null", NULL, 20, ""},
	    {"blanks", " a \t b\r\n c\xC2\xA0\xE2\x80\xA8", 20, "a b c"},
	    {"controls", "a\x01\x1b[0m\x7f\xC2\x85z", 20, "a [0m z"},
	    {"not utf-8", "a\xff\x62", 20, "a\xEF\xBF\xBD\x62"},
	    {"override", "\xE2\x80\xAEgnp.exe\xE2\x80\xAC", 20, "gnp.exe"},
	    {"isolate", "\xE2\x81\xA6x\xE2\x81\xA9", 20, "x"},
	    {"padding", "a\xE2\x80\x8B\xCD\x8F\xE2\x80\x8B\xC2\xAD\xEF\xBB\xBF\x62", 20, "ab"},
	    {"only padding", "\xE2\x80\x8C \xE2\x80\x8C \xCD\x8F", 20, ""},
	    {"hangul fillers", "\xE3\x85\xA4\xE3\x85\xA4x", 20, "x"},
	    {"tags", "x\xF3\xA0\x81\xA1y", 20, "xy"},
	    {"joiner inside", "\xD9\x85\xE2\x80\x8C\xD9\x87", 20, "\xD9\x85\xE2\x80\x8C\xD9\x87"},
	    {"joiners", "a\xE2\x80\x8D\xE2\x80\x8D\xE2\x80\x8D\x62", 20, "a\xE2\x80\x8D\x62"},
	    {"marks", "e\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81!", 20,
		"e\xCC\x81\xCC\x81\xCC\x81!"},
	    {"noncharacter", "a\xEF\xBF\xBE", 20, "a\xEF\xBF\xBD"},
	    {"just fits", "12345", 5, "12345"},
	    {"cut", "123456", 5, "1234\xE2\x80\xA6"},
	    {"cut at a blank", "123 56", 5, "123\xE2\x80\xA6"},
	    {"cut wide", "\xE6\x98\x8E\xE6\x97\xA5\xE6\x98\x8E", 5,
		"\xE6\x98\x8E\xE6\x97\xA5\xE2\x80\xA6"},
	    {"cut wide, odd", "\xE6\x98\x8E\xE6\x97\xA5\xE6\x98\x8E", 4,
		"\xE6\x98\x8E\xE2\x80\xA6"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *got = clean_text(rows[i].in, rows[i].max);
		failed += unit_str(rows[i].label, got, rows[i].want);
		g_free(got);
	}
	assert_int_equal(failed, 0);

	/* The bound on what is looked at falls inside a character: no replacement appears. */
	GString *longer = g_string_new("x");
	while (longer->len < 2 * CLEAN_IN_MAX)
		g_string_append(longer, "\xC3\xA9");
	char *got = clean_text(longer->str, 10 * CLEAN_IN_MAX);
	assert_null(strstr(got, "\xEF\xBF\xBD"));
	assert_true(strlen(got) >= CLEAN_IN_MAX - 2 && strlen(got) <= CLEAN_IN_MAX);
	g_free(got);
	g_string_free(longer, TRUE);
}

enum { PADDING = 5000, PADDED_COLUMNS = 60 };

/* One string of many characters: all of them in turn. */
static char *padding_of(const gunichar *c, size_t n)
{
	GString *text = g_string_new("a");
	for (size_t i = 0; i < PADDING; i++)
		g_string_append_unichar(text, c[i % n]);
	g_string_append(text, "z");
	return g_string_free(text, FALSE);
}

static int clean_padding(const gunichar *c, size_t n)
{
	char label[80], *in = padding_of(c, n), *out = clean_text(in, PADDED_COLUMNS);
	size_t columns = 0, bytes = strlen(out);
	int failed = 0;
	for (const char *p = out; *p != '\0'; p = g_utf8_next_char(p))
		columns += clean_columns(g_utf8_get_char(p));
	snprintf(label, sizeof(label), "%zu characters from U+%04X", n, c[0]);
	failed += unit_num(label, columns <= PADDED_COLUMNS, 1);
	failed += unit_num(label, bytes <= CLEAN_BYTES(PADDED_COLUMNS), 1);
	if (g_unichar_iszerowidth(c[0]) && n < 4) /* what nobody sees hides nothing */
		failed += unit_num(label, bytes <= 2 + CLEAN_MARKS_MAX * 4, 1);
	g_free(out);
	g_free(in);
	return failed;
}

/* Text of no width has no length either. */
static void test_clean_padding(void **state)
{
	int failed = 0;
	(void)state;
	for (gunichar c = 0x80; c < 0x110000; c++) {
		const gunichar few[] = {c, 0x200D, 0xFE0F}, words[] = {c, c + 1, 'x', 0x0301};
		if (!g_unichar_iszerowidth(c) || !g_unichar_validate(c))
			continue;
		failed += clean_padding(&c, 1);
		failed += clean_padding(few, 3);
		if (c < 0x3000)
			failed += clean_padding(words, 4);
	}
	const gunichar wide[] = {0x1F600, 0x0301, 0x0302, 0x0303};
	failed += clean_padding(wide, 4);
	assert_int_equal(failed, 0);
}

/* What people write stays whole. */
static void test_clean_whole(void **state)
{
	static const struct {
		const char *label, *text;
	} rows[] = {
	    {"family", "👨‍👩‍👧‍👦"},
	    {"kiss, with skins", "👩🏽‍❤️‍💋‍👨🏽"},
	    {"shrug", "🤷🏽‍♀️"},
	    {"heart", "❤️"},
	    {"heart on fire", "❤️‍🔥"},
	    {"key", "1️⃣"},
	    {"flag", "🇳🇱🇩🇪"},
	    {"rainbow flag", "🏳️‍🌈"},
	    {"pirates", "🏴‍☠️"},
	    {"Persian", "می‌خواهم"},
	    {"Hindi", "हिन्दी क्‍ष"},
	    {"Thai", "ที่นี่มีน้ำ"},
	    {"Hangul in parts", "한국말"},
	    {"Vietnamese in parts", "Tiếng Việt"},
	    {"Hebrew points", "שָׁלוֹם"},
	    {"Arabic points", "الرَّحْمٰنِ"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *parts = g_utf8_normalize(rows[i].text, -1, G_NORMALIZE_NFD);
		const char *texts[] = {rows[i].text, parts};
		for (size_t t = 0; t < G_N_ELEMENTS(texts); t++) {
			/* Forty times over: neither bound but that of columns may cut it. */
			size_t columns = 0;
			GString *many = g_string_new(texts[t]);
			for (int k = 0; k < 40; k++)
				g_string_append_printf(many, " %s", texts[t]);
			for (const char *p = many->str; *p != '\0'; p = g_utf8_next_char(p))
				columns += clean_columns(g_utf8_get_char(p));
			char *got = clean_text(many->str, columns);
			failed += unit_str(rows[i].label, got, many->str);
			g_free(got);
			g_string_free(many, TRUE);
		}
		g_free(parts);
	}
	char *got =
	    clean_text("👨‍👩‍👧‍👦", 7); /* no joiner is left with nothing to join */
	failed += unit_str("cut family", got, "👨‍👩‍👧…");
	g_free(got);
	assert_int_equal(failed, 0);
}

static void test_wrap(void **state)
{
	static const char ten[] = "aaaaaaaaaa";
	char *word72 = g_strnfill(72, 'x'), *word150 = g_strnfill(150, 'y');
	GString *out = g_string_new(NULL), *in = g_string_new(NULL);
	(void)state;
	for (int i = 0; i < 7; i++)
		g_string_append_printf(in, "%s%s", i == 0 ? "" : " ", ten);
	text_wrap(out, in->str, "* ", "  ");
	assert_string_equal(out->str,
	    "* aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa "
	    "aaaaaaaaaa\n  aaaaaaaaaa\n");
	g_string_truncate(out, 0);
	text_wrap(out, word72, "", "");
	assert_int_equal(out->len, 73);
	g_string_truncate(out, 0);
	text_wrap(out, word150, "", "");
	assert_int_equal(out->len, 153);
	g_string_truncate(out, 0);
	text_wrap(out, "", "* ", "  ");
	assert_string_equal(out->str, "* \n");
	/* 36 wide characters fill a line. */
	g_string_truncate(out, 0);
	g_string_truncate(in, 0);
	for (int i = 0; i < 37; i++)
		g_string_append(in, "\xE6\x98\x8E");
	text_wrap(out, in->str, "", "");
	assert_int_equal(strcspn(out->str, "\n"), 36 * 3);
	/* Marks take no columns, but they do take bytes. */
	g_string_truncate(out, 0);
	g_string_truncate(in, 0);
	for (int i = 0; i < 72; i++)
		g_string_append(
		    in, "\xF0\x9D\x94\x98\xF0\x9E\xA3\x90\xF0\x9E\xA3\x90\xF0\x9E\xA3\x90");
	text_wrap(out, in->str, "", "");
	assert_true(strcspn(out->str, "\n") <= TEXT_LINE_BYTES);
	assert_int_equal(out->len, in->len + 2);
	g_string_free(out, TRUE);
	g_string_free(in, TRUE);
	g_free(word72);
	g_free(word150);
}

static void test_scan(void **state)
{
#define ROW(label, text, want) \
	{ \
		label, text, sizeof(text) - 1, want \
	}
	static const struct {
		const char *label, *data;
		size_t len;
		enum original_data want;
	} rows[] = {
	    ROW("empty", "", ORIGINAL_7BIT),
	    ROW("plain", "a: b\r\n\r\nc\r\n", ORIGINAL_7BIT),
	    ROW("no last line end", "a: b\r\n\r\nc", ORIGINAL_7BIT),
	    ROW("8 bit", "a: b\r\n\r\n\xff\r\n", ORIGINAL_8BIT),
	    ROW("8 bit, lowest", "a\x80\r\n", ORIGINAL_8BIT),
	    ROW("nul", "a\0b\r\n", ORIGINAL_BINARY),
	    ROW("lf alone", "a\nb\r\n", ORIGINAL_BINARY),
	    ROW("lf first", "\na\r\n", ORIGINAL_BINARY),
	    ROW("cr alone", "a\rb\r\n", ORIGINAL_BINARY),
	    ROW("cr twice", "a\r\r\n", ORIGINAL_BINARY),
	    ROW("cr last", "a\r", ORIGINAL_BINARY),
	    ROW("binary stays", "\0\r\n\xff\r\n", ORIGINAL_BINARY),
	};
#undef ROW
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		/* Whole, and byte by byte: block borders must not show. */
		for (size_t step = 1; step <= 64; step += 63) {
			struct original_scan scan = {0};
			for (size_t at = 0; at < rows[i].len; at += step)
				original_scan(&scan, (const unsigned char *)rows[i].data + at,
				    MIN(step, rows[i].len - at));
			original_scan_end(&scan);
			failed += unit_num(rows[i].label, scan.data, rows[i].want);
			failed +=
			    unit_num(rows[i].label, (long long)scan.bytes, (long long)rows[i].len);
		}
	}
	assert_int_equal(failed, 0);
	for (size_t len = 998; len <= 999; len++) {
		char *line = g_strnfill(len, 'x');
		struct original_scan scan = {0};
		original_scan(&scan, (const unsigned char *)line, len);
		original_scan(&scan, (const unsigned char *)"\r\n", 2);
		assert_int_equal(scan.data, len == 998 ? ORIGINAL_7BIT : ORIGINAL_BINARY);
		g_free(line);
	}
}

typedef enum rc compose_fn(const struct digest *, int, struct err *);

static enum rc compose_message(const struct digest *digest, int fd, struct err *err)
{
	return digest_compose(digest, DIGEST_MESSAGE, fd, err);
}

static compose_fn *const composers[] = {compose_message, digest_compose_plain};

static void test_compose(void **state)
{
	static const char *const once[] = {
	    "\r\nTo: ann@example.org\r\n",
	    "From: Pullyu <digest@example.org>\r\n",
	    "\r\nReply-To: help@example.org\r\n",
	    "Date: Tue, 24 Nov 2026 08:00:01 +0100\r\n",
	    "\r\nMessage-ID: <slot.1@example.org>\r\n",
	    "\r\nSubject: Your digest: 2 messages from 1 sender, Tuesday 08:00\r\n",
	    "\r\nAuto-Submitted: auto-generated\r\n",
	    "\r\nList-Id: <digest.mail.example.org>\r\n",
	    "\r\nX-Pullyu-Digest: v1; 00\r\n",
	    "\r\nMIME-Version: 1.0\r\n",
	    "\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
	    "\r\n\r\nSubject: n\xC3\xA9\r\n\r\nFrom here\r\n\r\n--=_",
	    "\r\nContent-Type: message/rfc822\r\n\r\nSubject: no end\r\n--=_",
	};
	struct mail mails[] = {
	    {.id = "a", .data = "Return-Path: <>\r\nSubject: n\xC3\xA9\r\n\r\nFrom here\r\n"},
	    {.id = "b", .data = "Subject: no end"},
	    {.id = NULL},
	};
	struct digest_entry entries[] = {
	    entry("a", "newsletter", "A", "a@b.example", "one", SLOT, 1),
	    entry("b", "newsletter", "A", "a@b.example", "two", SLOT, 1),
	};
	int failed = 0;
	(void)state;
	entries[0].lead = strlen("Return-Path: <>\r\n");
	/* An index that is wrong about the lead costs no byte of the message. */
	entries[1].lead = 1000;
	for (size_t c = 0; c < G_N_ELEMENTS(composers); c++) {
		struct digest digest = digest_of(entries, 2);
		struct err err = {.text = ""};
		enum rc rc;
		digest.ctx = mails;
		digest.attach = true;
		digest.reply_to = "help@example.org";
		char *text = composed(composers[c], &digest, &rc, &err);
		assert_string_equal(err.text, "");
		assert_non_null(text);
		for (size_t i = 0; i < G_N_ELEMENTS(once); i++) {
			const char *first = strstr(text, once[i]);
			failed += unit_num(once[i], first != NULL, 1);
			failed += unit_num(
			    once[i], first != NULL && strstr(first + 1, once[i]) != NULL, 0);
		}
		g_free(text);
	}
	assert_int_equal(failed, 0);
}

/* Without attach an original that is gone is no reason to fail; the plain form looks at none. */
static void test_compose_without(void **state)
{
	struct mail mails[] = {{.id = "a"}, {.id = NULL}};
	struct digest_entry entries[] = {
	    entry("a", "newsletter", "A", "a@b.example", "s", SLOT, 1)};
	(void)state;
	for (size_t c = 0; c < G_N_ELEMENTS(composers); c++) {
		struct digest digest = digest_of(entries, 1);
		struct err err;
		enum rc rc;
		digest.ctx = mails;
		char *text = composed(composers[c], &digest, &rc, &err);
		assert_int_equal(rc, RC_OK);
		assert_null(strstr(text, "multipart/mixed"));
		assert_non_null(strstr(text, "\r\n\r\n"));
		assert_int_equal(mails[0].opened, c == 0 ? 1 : 0);
		mails[0].opened = 0;
		g_free(text);
	}
}

static void test_compose_gone(void **state)
{
	struct mail mails[] = {{.id = "here", .data = "x: y\r\n"}, {.id = "gone.1"}, {.id = NULL}};
	struct digest_entry entries[] = {
	    entry("here", "newsletter", "A", "a@b.example", "s", SLOT, 1),
	    entry("gone.1", "newsletter", "A", "a@b.example", "s", SLOT, 1),
	};
	(void)state;
	for (size_t c = 0; c < G_N_ELEMENTS(composers); c++) {
		struct digest digest = digest_of(entries, 2);
		struct err err;
		enum rc rc;
		digest.ctx = mails;
		digest.attach = true;
		assert_null(composed(composers[c], &digest, &rc, &err));
		assert_int_equal(rc, RC_NOTFOUND);
		assert_string_equal(err.text, "original gone.1: gone");
	}
}

/* Half of one state and half of another is no digest. */
static void test_compose_changed(void **state)
{
	static const char *const later[] = {"x: y\r\n\r\nmore\r\n", "x: \xFF\r\n"};
	struct digest_entry entries[] = {
	    entry("a", "newsletter", "A", "a@b.example", "s", SLOT, 1)};
	(void)state;
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(later); i++) {
		struct mail mails[] = {
		    {.id = "a",
			.data = "x: y\r\n",
			.later = later[i / 2],
			/* Looked at for the summary, then read twice; the plain form only twice. */
			.from = i % 2 == 0 ? 3 : 2},
		    {.id = NULL}};
		struct digest digest = digest_of(entries, 1);
		struct err err;
		enum rc rc;
		digest.ctx = mails;
		digest.attach = true;
		assert_null(composed(composers[i % 2], &digest, &rc, &err));
		assert_int_equal(rc, RC_TEMP);
		assert_string_equal(err.text, "original a: changed while it was read");
	}
}

/* What the store says about an original comes through: here, that it knows no such id. */
static void test_compose_store_fails(void **state)
{
	struct mail mails[] = {{.id = NULL}};
	struct digest_entry entries[] = {
	    entry("a", "newsletter", "A", "a@b.example", "s", SLOT, 1)};
	(void)state;
	for (size_t c = 0; c < G_N_ELEMENTS(composers); c++) {
		struct digest digest = digest_of(entries, 1);
		struct err err;
		enum rc rc;
		digest.ctx = mails;
		digest.attach = true;
		assert_null(composed(composers[c], &digest, &rc, &err));
		assert_int_equal(rc, RC_TEMP);
		assert_string_equal(err.text, "original a: no such id");
	}
}

static void test_mailbox(void **state)
{
	static const struct {
		const char *text, *name, *address; /* address NULL: refused; name "": none */
	} rows[] = {
	    {"ann@example.org", "", "ann@example.org"},
	    {"<ann@example.org>", "", "ann@example.org"},
	    {"Ann Smith <ann@example.org>", "Ann Smith", "ann@example.org"},
	    {"Dr. Ann @ home <ann@host_1>", "Dr. Ann @ home", "ann@host_1"},
	    {"\"Smith, \\\"Ann\\\"\" <ann@example.org>", "Smith, \"Ann\"", "ann@example.org"},
	    {"Ann <\"ann smith\"@example.org>", "Ann", "\"ann smith\"@example.org"},
	    {"\"\" <ann@example.org>", "", "ann@example.org"},
	    {"<", NULL, NULL},
	    {"<>", NULL, NULL},
	    {"Ann", NULL, NULL},
	    {"@", NULL, NULL},
	    {"ann@", NULL, NULL},
	    {"Ann ann@example.org", NULL, NULL},
	    {"Ann <ann@example.org> x", NULL, NULL},
	    {"a@b.example, c@d.example", NULL, NULL},
	    {"friends: a@b.example;", NULL, NULL},
	    {"a@b.example,c@d.example", NULL, NULL},
	    {"\"@example.org", NULL, NULL},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *name = NULL, *address = NULL;
		bool good = fields_mailbox(rows[i].text, &name, &address);
		failed += unit_num(rows[i].text, good, rows[i].address != NULL);
		if (good && rows[i].address != NULL) {
			failed += unit_str(rows[i].text, name == NULL ? "" : name, rows[i].name);
			failed += unit_str(rows[i].text, address, rows[i].address);
		}
		g_free(name);
		g_free(address);
	}
	assert_int_equal(failed, 0);
}

/* A machine's name may be anything. */
static void test_list_id(void **state)
{
	static const char *const rows[][2] = {
	    {"mail.example.org", "<digest.mail.example.org>"},
	    {"my_host", "<digest.my-host>"},
	    {"a b>.c", "<digest.a-b-.c>"},
	    {".a..b.", "<digest.-a.-b->"},
	    {".", "<digest.->"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct digest digest = {.host = rows[i][0]};
		char *got = fields_list_id(&digest);
		failed += unit_str(rows[i][0], got, rows[i][1]);
		g_free(got);
	}
	assert_int_equal(failed, 0);
}

/* A disk that is full, at any time, shows. */
static void test_compose_full(void **state)
{
	struct digest_entry entries[] = {
	    entry("a", "newsletter", "A", "a@b.example", "s", SLOT, 1)};
	char *body = g_strnfill(300000, 'x');
	struct mail mails[] = {{.id = "a", .data = body}, {.id = NULL}};
	(void)state;
	for (size_t c = 0; c < G_N_ELEMENTS(composers); c++) {
		for (int attach = 0; attach <= 1; attach++) {
			struct digest digest = digest_of(entries, 1);
			struct err err;
			int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
			digest.ctx = mails;
			digest.attach = attach;
			assert_true(fd >= 0);
			assert_int_equal(composers[c](&digest, fd, &err), RC_TEMP);
			assert_non_null(strstr(err.text, "No space left"));
			close(fd);
		}
	}
	g_free(body);
}

static void test_bad_fields(void **state)
{
	char *longer = g_strnfill(2000, 'a');
	struct digest_entry entries[] = {
	    entry("a", "newsletter", "A", "a@b.example", "s", SLOT, 1)};
	const struct {
		const char *label, *user, *from, *reply_to, *message_id, *guard, *host;
	} rows[] = {
	    {"no user", "", "a@b.c", NULL, "<a@b>", "g", "h"},
	    {"line end", "a@b.c\r\nBcc: x@y.z", "a@b.c", NULL, "<a@b>", "g", "h"},
	    {"line end in from", "a@b.c", "a@b.c\nX: y", NULL, "<a@b>", "g", "h"},
	    {"not utf-8", "a@b.c", "\xff@b.c", NULL, "<a@b>", "g", "h"},
	    {"no from", "a@b.c", NULL, NULL, "<a@b>", "g", "h"},
	    {"line end in reply-to", "a@b.c", "a@b.c", "a@b.c\r", "<a@b>", "g", "h"},
	    {"no brackets", "a@b.c", "a@b.c", NULL, "a@b", "g", "h"},
	    {"no at", "a@b.c", "a@b.c", NULL, "<ab>", "g", "h"},
	    {"two ids", "a@b.c", "a@b.c", NULL, "<a@b> <c@d>", "g", "h"},
	    {"no guard", "a@b.c", "a@b.c", NULL, "<a@b>", "", "h"},
	    {"line end in guard", "a@b.c", "a@b.c", NULL, "<a@b>", "v1\n", "h"},
	    {"line end in host", "a@b.c", "a@b.c", NULL, "<a@b>", "g", "h\n"},
	    {"no host", "a@b.c", "a@b.c", NULL, "<a@b>", "g", ""},
	    {"two authors", "a@b.c", "a@b.c, d@e.f", NULL, "<a@b>", "g", "h"},
	    {"no reply-to address", "a@b.c", "a@b.c", "Ann", "<a@b>", "g", "h"},
	    {"long", longer, "a@b.c", NULL, "<a@b>", "g", "h"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct digest digest = digest_of(entries, 1);
		digest.user = rows[i].user;
		digest.from = rows[i].from;
		digest.reply_to = rows[i].reply_to;
		digest.message_id = rows[i].message_id;
		digest.guard = rows[i].guard;
		digest.host = rows[i].host;
		for (size_t c = 0; c < G_N_ELEMENTS(composers); c++) {
			struct err err;
			enum rc rc;
			char *text = composed(composers[c], &digest, &rc, &err);
			failed += unit_num(rows[i].label, rc, RC_PERM);
			g_free(text);
		}
	}
	g_free(longer);
	assert_int_equal(failed, 0);
}

static void test_guard(void **state)
{
	unsigned char key[HMAC_KEY_BYTES] = {1}, other[HMAC_KEY_BYTES] = {2};
	char body[GUARD_MAX];
	(void)state;
	guard_make(key, "<a@b>", body);
	assert_int_equal(strlen(body), 4 + 64);
	assert_true(guard_check(key, body, "<a@b>"));
	assert_false(guard_check(other, body, "<a@b>"));
	assert_false(guard_check(key, body, "<a@c>"));
	assert_false(guard_check(key, "v1; ", "<a@b>"));
	assert_false(guard_check(key, "", "<a@b>"));
	guard_make(key, "", body);
	assert_false(guard_check(key, body, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_clean),
	    cmocka_unit_test(test_clean_padding),
	    cmocka_unit_test(test_clean_whole),
	    cmocka_unit_test(test_wrap),
	    cmocka_unit_test(test_scan),
	    cmocka_unit_test(test_compose),
	    cmocka_unit_test(test_compose_without),
	    cmocka_unit_test(test_compose_gone),
	    cmocka_unit_test(test_compose_changed),
	    cmocka_unit_test(test_compose_store_fails),
	    cmocka_unit_test(test_compose_full),
	    cmocka_unit_test(test_mailbox),
	    cmocka_unit_test(test_list_id),
	    cmocka_unit_test(test_bad_fields),
	    cmocka_unit_test(test_guard),
	};
	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
