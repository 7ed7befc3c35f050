/*
 * token.c: see token.h. A token is 43 characters of signature, then its content, both in base64url
 * (RFC 4648 section 5) without padding. The content is a byte of version, a byte of verb, expiry
 * (8 bytes) and nonce (4 bytes), big-endian, and the object. Signed is the content as it is written
 * here, so that no second spelling of it is good; for the user, in front of it.
 */
#include <config.h>

#include "command/token.h"

#include <string.h>

#include <glib.h>

#include "base/hmac.h"
#include "base/str.h"
#include "command/keys.h"

enum {
	FORMAT = 1,
	FIXED_BYTES = 14,
	CONTENT_BYTES_MAX = FIXED_BYTES + COMMAND_OBJECT_MAX - 1,
	SIGNATURE_CHARS = 43, /* of 32 bytes */
	CONTENT_CHARS_MIN = (FIXED_BYTES * 4 + 2) / 3,
};

_Static_assert(SIGNATURE_CHARS + (CONTENT_BYTES_MAX * 4 + 2) / 3 < COMMAND_TOKEN_MAX,
    "the longest token must fit");

const char *command_verb_name(enum command_verb verb)
{
	static const char *const names[COMMAND_VERBS + 1] = {
	    [COMMAND_ALLOW] = "allow",
	    [COMMAND_HOLD] = "hold",
	    [COMMAND_FORGET] = "forget",
	    [COMMAND_SEND] = "send",
	    [COMMAND_ALL] = "all",
	    [COMMAND_TIMES] = "times",
	    [COMMAND_PAUSE] = "pause",
	    [COMMAND_RESUME] = "resume",
	    [COMMAND_LISTS] = "lists",
	    [COMMAND_HELP] = "help",
	    [COMMAND_UNDO] = "undo",
	    [COMMAND_VERBS] = "none",
	};
	return names[MIN(verb, COMMAND_VERBS)];
}

/* g_free. */
static char *encode(const unsigned char *bytes, size_t len)
{
	char *text = g_base64_encode(bytes, len);
	text[strcspn(text, "=")] = '\0';
	g_strdelimit(text, "+", '-');
	g_strdelimit(text, "/", '_');
	return text;
}

/* NULL if it is no base64url; g_free. */
static unsigned char *decode(const char *text, size_t *len_out)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = strlen(text);
	if (strspn(text, alphabet) != len || len % 4 == 1)
		return NULL;
	char *padded = g_strconcat(text, len % 4 == 2 ? "==" : len % 4 == 3 ? "=" : "", NULL);
	g_strdelimit(padded, "-", '+');
	g_strdelimit(padded, "_", '/');
	unsigned char *bytes = g_base64_decode(padded, len_out);
	g_free(padded);
	return bytes;
}

static void put(unsigned char *out, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)(value >> (8 * (n - 1 - i)));
}

static uint64_t get(const unsigned char *in, size_t n)
{
	uint64_t value = 0;
	for (size_t i = 0; i < n; i++)
		value = value << 8 | in[i];
	return value;
}

/* g_free. The first word keeps what is signed here apart from whatever else such a key may sign. */
static char *sign(const struct command_key *key, const char *user, const char *content)
{
	unsigned char digest[HMAC_KEY_BYTES];
	gsize len = sizeof(digest);
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, key->bytes, sizeof(key->bytes));
	char *text = g_strconcat("command\n", user, "\n", content, NULL);
	g_hmac_update(hmac, (const guchar *)text, -1);
	g_hmac_get_digest(hmac, digest, &len);
	g_hmac_unref(hmac);
	g_free(text);
	return encode(digest, len);
}

void command_token_make(const struct command_keys *keys, const char *user,
    const struct command_token *token, char out[COMMAND_TOKEN_MAX])
{
	unsigned char bytes[CONTENT_BYTES_MAX];
	size_t len = strnlen(token->object, COMMAND_OBJECT_MAX - 1);
	bytes[0] = FORMAT;
	bytes[1] = (unsigned char)token->verb;
	put(bytes + 2, (uint64_t)token->expires, 8);
	put(bytes + 10, token->nonce, 4);
	memcpy(bytes + FIXED_BYTES, token->object, len);
	char *content = encode(bytes, FIXED_BYTES + len);
	char *signature = sign(&keys->rows[keys->n - 1], user, content);
	g_strlcpy(out, signature, COMMAND_TOKEN_MAX);
	g_strlcat(out, content, COMMAND_TOKEN_MAX);
	g_free(signature);
	g_free(content);
}

uint32_t command_nonce(
    const struct command_keys *keys, const char *seed, enum command_verb verb, const char *object)
{
	char hex[HMAC_HEX_SIZE];
	char *text = g_strdup_printf("nonce\n%s\n%s\n%s", seed, command_verb_name(verb), object);
	hmac_hex(keys->rows[keys->n - 1].bytes, text, hex);
	g_free(text);
	hex[8] = '\0';
	return (uint32_t)g_ascii_strtoull(hex, NULL, 16);
}

static bool parse(const char *content, struct command_token *token)
{
	size_t len;
	unsigned char *bytes = decode(content, &len);
	bool good = bytes != NULL && len >= FIXED_BYTES && len <= CONTENT_BYTES_MAX &&
	    bytes[0] == FORMAT && bytes[1] < COMMAND_VERBS;
	for (size_t i = FIXED_BYTES; good && i < len; i++)
		good = bytes[i] >= ' ' && bytes[i] != 0x7f;
	if (good) {
		memset(token, 0, sizeof(*token));
		token->verb = bytes[1];
		token->expires = (int64_t)get(bytes + 2, 8);
		token->nonce = (uint32_t)get(bytes + 10, 4);
		memcpy(token->object, bytes + FIXED_BYTES, len - FIXED_BYTES);
	}
	g_free(bytes);
	return good;
}

/* The content part of a text that is long enough to have one; NULL for any other. */
static const char *content_of(const char *text)
{
	size_t len = strnlen(text, COMMAND_TOKEN_MAX);
	bool fits = len >= SIGNATURE_CHARS + CONTENT_CHARS_MIN && len < COMMAND_TOKEN_MAX;
	return fits ? text + SIGNATURE_CHARS : NULL;
}

enum command_check command_token_check(const struct command_keys *keys, const char *user,
    const char *text, int64_t now, struct command_token *token_out)
{
	struct command_token token;
	const char *content = content_of(text);
	bool good = false;
	if (content == NULL)
		return COMMAND_FORGED;
	char *signature = g_strndup(text, SIGNATURE_CHARS);
	for (size_t i = 0; i < keys->n; i++) {
		char *want = sign(&keys->rows[i], user, content);
		good |= hmac_equal(signature, want);
		g_free(want);
	}
	g_free(signature);
	if (!good || !parse(content, &token))
		return COMMAND_FORGED;
	*token_out = token;
	return token.expires < now ? COMMAND_EXPIRED : COMMAND_GOOD;
}

enum command_verb command_token_claims(const char *text)
{
	struct command_token token;
	const char *content = content_of(text);
	return content != NULL && parse(content, &token) ? token.verb : COMMAND_VERBS;
}

void command_token_name(const char *text, char name_out[COMMAND_NAME_MAX])
{
	const char *content = content_of(text);
	char *name =
	    g_compute_checksum_for_string(G_CHECKSUM_SHA256, content == NULL ? text : content, -1);
	g_strlcpy(name_out, name, COMMAND_NAME_MAX);
	g_free(name);
}
