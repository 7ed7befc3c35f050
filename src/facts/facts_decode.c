/*
 * facts_decode.c: header text in any charset to UTF-8: RFC 2047 encoded words, leniently read
 * (inside quotes, without blanks between them, with blanks inside them, characters split across
 * words), and raw 8-bit text. Output is bounded; what cannot be decoded becomes U+FFFD.
 */
#include <config.h>

#include "facts/facts_private.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"

enum { CHARSET_MAX = 40, OUT_MAX = FACTS_BODY_MAX };

struct out {
	char data[OUT_MAX];
	size_t len;
};

static const char replacement[] = "\xef\xbf\xbd";

static void put(struct out *out, const char *s, size_t len)
{
	if (len <= OUT_MAX - out->len) {
		memcpy(out->data + out->len, s, len);
		out->len += len;
	}
}

/* Bytes that claim to be UTF-8. */
static void put_utf8(struct out *out, const char *s, size_t len)
{
	while (len > 0) {
		const char *end;
		g_utf8_validate_len(s, len, &end);
		size_t good = (size_t)(end - s);
		if (good > OUT_MAX - out->len) {
			good = OUT_MAX - out->len;
			while (good > 0 && ((unsigned char)s[good] & 0xc0) == 0x80)
				good--;
			put(out, s, good);
			return;
		}
		put(out, s, good);
		s += good;
		len -= good;
		if (len > 0) {
			put(out, replacement, 3);
			s++;
			len--;
		}
	}
}

/* What senders write, and what they mean by it: supersets of the charset that they name, as the
 * WHATWG Encoding Standard has them. */
static const char *charset_meant(const char *charset)
{
	static const struct {
		const char *name, *meant;
	} rows[] = {
	    {"us-ascii", "windows-1252"},
	    {"ascii", "windows-1252"},
	    {"iso-8859-1", "windows-1252"},
	    {"latin1", "windows-1252"},
	    {"iso-8859-9", "windows-1254"},
	    {"iso-8859-11", "windows-874"},
	    {"gb2312", "gb18030"},
	    {"gbk", "gb18030"},
	    {"x-gbk", "gb18030"},
	    {"shift_jis", "cp932"},
	    {"shift-jis", "cp932"},
	    {"x-sjis", "cp932"},
	    {"ks_c_5601-1987", "cp949"},
	    {"euc-kr", "cp949"},
	    {"unicode-1-1-utf-7", "utf-7"},
	    {"iso-8859-8-i", "iso-8859-8"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (g_ascii_strcasecmp(charset, rows[i].name) == 0)
			return rows[i].meant;
	return charset;
}

static bool charset_is_utf8(const char *charset)
{
	return g_ascii_strcasecmp(charset, "utf-8") == 0 ||
	    g_ascii_strcasecmp(charset, "utf8") == 0;
}

/* Converters at rest. Opening one may load a module from disk, a hundred times the work of a
 * message; so a few are kept for the life of the process. Whoever uses one takes it out. */
static struct {
	GMutex lock;
	struct {
		char charset[CHARSET_MAX];
		iconv_t cd;
	} slots[16];
	size_t used;
} pool;

static bool converter_open(const char *charset, iconv_t *cd_out)
{
	g_mutex_lock(&pool.lock);
	for (size_t i = 0; i < pool.used; i++) {
		if (g_ascii_strcasecmp(pool.slots[i].charset, charset) == 0) {
			*cd_out = pool.slots[i].cd;
			pool.slots[i] = pool.slots[--pool.used];
			g_mutex_unlock(&pool.lock);
			return true;
		}
	}
	g_mutex_unlock(&pool.lock);
	*cd_out = iconv_open("UTF-8", charset);
	return *cd_out != (iconv_t)-1; /* NOLINT: so the manual says */
}

static void converter_close(const char *charset, iconv_t cd)
{
	iconv(cd, NULL, NULL, NULL, NULL); /* back to the initial state */
	g_mutex_lock(&pool.lock);
	bool room = pool.used < G_N_ELEMENTS(pool.slots);
	if (room) {
		str_copy(pool.slots[pool.used].charset, CHARSET_MAX, charset);
		pool.slots[pool.used++].cd = cd;
	}
	g_mutex_unlock(&pool.lock);
	if (!room)
		iconv_close(cd);
}

/* Returns false if iconv does not know the charset. */
static bool put_iconv(struct out *out, const char *s, size_t len, const char *named)
{
	iconv_t cd;
	const char *charset = charset_meant(named);
	if (!converter_open(charset, &cd))
		return false;
	char *in = (char *)(uintptr_t)s, buf[512];
	bool flushed = false;
	/* Each turn takes a byte or ends; the count is a guard against a converter that does
	 * neither. */
	for (size_t turns = 0; turns < 2 * OUT_MAX && !flushed; turns++) {
		char *o = buf;
		size_t room = sizeof(buf);
		flushed = len == 0;
		size_t n = iconv(cd, flushed ? NULL : &in, flushed ? NULL : &len, &o, &room);
		put_utf8(out, buf, (size_t)(o - buf));
		if (n != (size_t)-1 || flushed || errno == E2BIG)
			continue;
		put(out, replacement, 3);
		if (errno == EINVAL)
			len = 0;
		if (len > 0) {
			in++;
			len--;
		}
	}
	converter_close(charset, cd);
	return true;
}

static void put_charset(struct out *out, const char *s, size_t len, const char *charset)
{
	if (len == 0)
		return;
	if (charset != NULL && !charset_is_utf8(charset) && put_iconv(out, s, len, charset))
		return;
	if ((charset != NULL && charset_is_utf8(charset)) || g_utf8_validate_len(s, len, NULL))
		put_utf8(out, s, len);
	else if (!put_iconv(out, s, len, "windows-1252"))
		put_utf8(out, s, len);
}

/* Text outside encoded words. RFC 5322 allows ASCII, RFC 6532 UTF-8; what is neither is in the
 * charset that the message's body has, if it says so. */
static void put_raw(struct out *out, const char *s, size_t len, const char *charset)
{
	bool escapes = memchr(s, '\x1b', len) != NULL;
	if (escapes)
		put_charset(out, s, len, "ISO-2022-JP");
	else if (charset == NULL || g_utf8_validate_len(s, len, NULL))
		put_charset(out, s, len, NULL);
	else
		put_charset(out, s, len, charset);
}

static int hex(char c)
{
	return g_ascii_isxdigit(c) ? g_ascii_xdigit_value(c) : -1;
}

static size_t q_decode(const char *s, size_t len, char *to)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '=' && i + 2 < len && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			to[n++] = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
			i += 2;
		} else {
			to[n++] = s[i] == '_' ? ' ' : s[i];
		}
	}
	return n;
}

static size_t b_decode(const char *s, size_t len, char *to)
{
	gint state = 0;
	guint save = 0;
	return g_base64_decode_step(s, len, (guchar *)to, &state, &save);
}

struct word {
	char charset[CHARSET_MAX];
	const char *text, *end; /* of the encoded text; of the whole word */
	size_t len;
	bool base64;
};

/* RFC 2047 section 2: "=?" charset "?" encoding "?" encoded-text "?=" at s. */
static bool word_parse(const char *s, const char *end, struct word *word)
{
	const char *p = s + 2;
	size_t n = 0;
	if (end - s < 8 || s[0] != '=' || s[1] != '?')
		return false;
	/* Only what charset names are made of: "/" would start iconv's own options. RFC 2231
	 * section 5 allows "*" and a language behind it. */
	for (; p < end && (g_ascii_isalnum(*p) || strchr("-_.:+", *p) != NULL); p++) {
		if (n + 1 >= sizeof(word->charset) || *p == '\0')
			return false;
		word->charset[n++] = *p;
	}
	word->charset[n] = '\0';
	if (p < end && *p == '*')
		while (p < end && *p != '?')
			p++;
	if (n == 0 || end - p < 5 || p[0] != '?' || p[2] != '?')
		return false;
	char encoding = g_ascii_tolower(p[1]);
	if (encoding != 'b' && encoding != 'q')
		return false;
	word->base64 = encoding == 'b';
	word->text = p + 3;
	const char *close = g_strstr_len(word->text, end - word->text, "?=");
	if (close == NULL)
		return false;
	word->len = (size_t)(close - word->text);
	word->end = close + 2;
	return true;
}

/* Decodes a run of words in one charset as one text: many senders split characters across words. */
static const char *put_words(struct out *out, const char *s, const char *end)
{
	char bytes[FACTS_BODY_MAX];
	size_t n = 0;
	struct word word, next;
	if (!word_parse(s, end, &word))
		return NULL;
	for (;;) {
		n += word.base64 ? b_decode(word.text, word.len, bytes + n)
				 : q_decode(word.text, word.len, bytes + n);
		s = word.end;
		const char *p = s;
		while (p < end && *p == ' ')
			p++;
		if (!word_parse(p, end, &next))
			break;
		s = p; /* blanks between encoded words do not count (RFC 2047 section 6.2) */
		if (g_ascii_strcasecmp(next.charset, word.charset) != 0)
			break;
		word = next;
	}
	put_charset(out, bytes, n, word.charset);
	return s;
}

/* Whether there are marks that follow their letter as characters of their own: U+0300 to U+036F,
 * and those of kana. */
static bool has_marks(const struct out *out)
{
	for (size_t i = 0; i + 1 < out->len; i++) {
		unsigned char c = (unsigned char)out->data[i];
		if (c == 0xcc || c == 0xcd ||
		    (c == 0xe3 && i + 2 < out->len && (unsigned char)out->data[i + 1] == 0x82 &&
			((unsigned char)out->data[i + 2] | 3) == 0x9b))
			return true;
	}
	return false;
}

/* Letters with their marks in one character each, as nearly everybody writes them and as the
 * expressions of rules expect. */
static void compose(struct out *out)
{
	char *nfc = g_utf8_normalize(out->data, (gssize)out->len, G_NORMALIZE_NFC);
	if (nfc == NULL)
		return;
	out->len = str_cut(nfc, OUT_MAX); /* a few characters grow */
	memcpy(out->data, nfc, out->len);
	g_free(nfc);
}

/* No control characters, C1 among them, nor line breaks that an encoded word smuggled in. */
static const char *finish(struct facts *facts, struct out *out)
{
	if (has_marks(out))
		compose(out);
	char *to = facts_alloc(facts, out->len + 1), *p = to;
	for (size_t i = 0; i < out->len; i++) {
		unsigned char c = (unsigned char)out->data[i];
		if (c == '\t' || c == '\n' || c == '\r') {
			c = ' ';
		} else if (c < ' ' || c == 0x7f) {
			c = '?';
		} else if (c == 0xc2 && i + 1 < out->len &&
		    (unsigned char)out->data[i + 1] < 0xa0) {
			c = '?';
			i++;
		}
		if (c != ' ' || p > to)
			*p++ = (char)c;
	}
	while (p > to && p[-1] == ' ')
		p--;
	*p = '\0';
	return to;
}

const char *facts_decode(struct facts *facts, const char *bytes, size_t len, const char *charset)
{
	struct out out;
	const char *end = bytes + MIN(len, (size_t)FACTS_BODY_MAX), *plain = bytes;
	out.len = 0;
	for (const char *p = bytes; p < end;) {
		const char *next = NULL;
		if (p[0] == '=' && p + 1 < end && p[1] == '?') {
			struct word word;
			if (word_parse(p, end, &word)) {
				put_raw(&out, plain, (size_t)(p - plain), charset);
				next = put_words(&out, p, end);
			}
		}
		if (next != NULL)
			plain = p = next;
		else
			p++;
	}
	put_raw(&out, plain, (size_t)(end - plain), charset);
	return finish(facts, &out);
}

const char *facts_decode_raw(
    struct facts *facts, const char *bytes, size_t len, const char *charset)
{
	struct out out;
	out.len = 0;
	put_raw(&out, bytes, MIN(len, (size_t)FACTS_BODY_MAX), charset);
	return finish(facts, &out);
}
