/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define BASE64_COMMON "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char base64_std[] = BASE64_COMMON "+/";
static const char base64_url[] = BASE64_COMMON "-_";

/* Value of a digit, or 64 and above for a byte that is none; `c62` and `c63` are the alphabet's last two. */
static unsigned base64_value(unsigned char c, char c62, char c63)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26U;
	if (c >= '0' && c <= '9')
		return c - '0' + 52U;
	if (c == (unsigned char)c62)
		return 62;
	return c == (unsigned char)c63 ? 63 : 64;
}

static struct str encode64(struct arena *arena, struct str bytes, const char *alphabet, bool padded)
{
	const unsigned char *in = (const unsigned char *)bytes.p;
	size_t rest = bytes.len % 3;
	size_t at = 0;
	char *text, *out;

	if (bytes.len > SIZE_MAX / 2 || (text = arena_take(arena, (bytes.len + 2) / 3 * 4 + 1)) == NULL)
		return STR_NONE;
	out = text;
	for (; at + 3 <= bytes.len; at += 3) {
		uint32_t bits = (uint32_t)in[at] << 16 | (uint32_t)in[at + 1] << 8 | in[at + 2];

		*out++ = alphabet[bits >> 18];
		*out++ = alphabet[bits >> 12 & 63];
		*out++ = alphabet[bits >> 6 & 63];
		*out++ = alphabet[bits & 63];
	}
	if (rest > 0) {
		uint32_t bits = (uint32_t)in[at] << 16 | (rest == 2 ? (uint32_t)in[at + 1] << 8 : 0);

		*out++ = alphabet[bits >> 18];
		*out++ = alphabet[bits >> 12 & 63];
		if (rest == 2)
			*out++ = alphabet[bits >> 6 & 63];
		for (size_t i = rest; padded && i < 3; i++)
			*out++ = '=';
	}
	return (struct str){text, (size_t)(out - text)};
}

/* `text` without padding; the bits left over at the end must be zero, or two texts would mean the same bytes. */
static struct str decode64(struct arena *arena, struct str text, const char *alphabet)
{
	size_t rest = text.len % 4;
	uint32_t bits = 0;
	unsigned bad = 0;
	char *bytes, *out;

	if (rest == 1 || (bytes = arena_take(arena, text.len / 4 * 3 + 3)) == NULL)
		return STR_NONE;
	out = bytes;
	for (size_t i = 0; i < text.len; i++) {
		unsigned value = base64_value((unsigned char)text.p[i], alphabet[62], alphabet[63]);

		bad |= value;
		bits = bits << 6 | (value & 63);
		if (i % 4 == 3) {
			*out++ = (char)(bits >> 16);
			*out++ = (char)(bits >> 8 & 255);
			*out++ = (char)(bits & 255);
			bits = 0;
		}
	}
	if (bad > 63 || (rest == 2 && (bits & 15) != 0) || (rest == 3 && (bits & 3) != 0))
		return STR_NONE;
	if (rest == 2) {
		*out++ = (char)(bits >> 4);
	} else if (rest == 3) {
		*out++ = (char)(bits >> 10);
		*out++ = (char)(bits >> 2 & 255);
	}
	return (struct str){bytes, (size_t)(out - bytes)};
}

struct str base64url_encode(struct arena *arena, struct str bytes)
{
	return encode64(arena, bytes, base64_url, false);
}

struct str base64url_decode(struct arena *arena, struct str text)
{
	return decode64(arena, text, base64_url);
}

struct str base64_encode(struct arena *arena, struct str bytes)
{
	return encode64(arena, bytes, base64_std, true);
}

struct str base64_decode(struct arena *arena, struct str text)
{
	if (text.len % 4 != 0)
		return STR_NONE;
	for (int i = 0; i < 2 && text.len > 0 && text.p[text.len - 1] == '='; i++)
		text.len--;
	return decode64(arena, text, base64_std);
}

struct str hex_encode(struct arena *arena, struct str bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *text;

	if (bytes.len > SIZE_MAX / 4 || (text = arena_take(arena, bytes.len * 2 + 1)) == NULL)
		return STR_NONE;
	for (size_t i = 0; i < bytes.len; i++) {
		text[i * 2] = digits[(unsigned char)bytes.p[i] >> 4];
		text[i * 2 + 1] = digits[(unsigned char)bytes.p[i] & 15];
	}
	return (struct str){text, bytes.len * 2};
}

/* Both digits at p as a byte, or -1. */
static int hex_pair(const char *p)
{
	int value = 0;

	for (int i = 0; i < 2; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

struct str hex_decode(struct arena *arena, struct str text)
{
	char *bytes;

	if (text.len % 2 != 0 || (bytes = arena_take(arena, text.len / 2 + 1)) == NULL)
		return STR_NONE;
	for (size_t i = 0; i < text.len; i += 2) {
		int value = hex_pair(text.p + i);

		if (value < 0)
			return STR_NONE;
		bytes[i / 2] = (char)value;
	}
	return (struct str){bytes, text.len / 2};
}

static struct str decode_escapes(struct arena *arena, struct str text, bool plus_is_space)
{
	size_t len = 0;
	char *bytes;

	if (text.len == SIZE_MAX || (bytes = arena_take(arena, text.len + 1)) == NULL)
		return STR_NONE;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (c == '%') {
			int value = text.len - i > 2 ? hex_pair(text.p + i + 1) : -1;

			if (value < 0)
				return STR_NONE;
			c = (char)value;
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		bytes[len++] = c;
	}
	return (struct str){bytes, len};
}

struct str form_decode(struct arena *arena, struct str text)
{
	return decode_escapes(arena, text, true);
}

struct str percent_decode(struct arena *arena, struct str text)
{
	return decode_escapes(arena, text, false);
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

struct str percent_encode(struct arena *arena, struct str text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t len = 0;
	char *out;

	if (text.len > SIZE_MAX / 4 || (out = arena_take(arena, text.len * 3 + 1)) == NULL)
		return STR_NONE;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (is_unreserved((char)c)) {
			out[len++] = (char)c;
			continue;
		}
		out[len++] = '%';
		out[len++] = digits[c >> 4];
		out[len++] = digits[c & 15];
	}
	return (struct str){out, len};
}

static struct str html_entity(char c)
{
	switch (c) {
	case '&':
		return STR("&amp;");
	case '<':
		return STR("&lt;");
	case '>':
		return STR("&gt;");
	case '"':
		return STR("&quot;");
	case '\'':
		return STR("&#39;");
	default:
		return STR_NONE;
	}
}

struct str html_escape(struct arena *arena, struct str text)
{
	size_t len = 0;
	char *out;

	for (size_t i = 0; i < text.len; i++) {
		struct str entity = html_entity(text.p[i]);

		if (__builtin_add_overflow(len, entity.p != NULL ? entity.len : 1, &len))
			return STR_NONE;
	}
	if (len == SIZE_MAX || (out = arena_take(arena, len + 1)) == NULL)
		return STR_NONE;
	len = 0;
	for (size_t i = 0; i < text.len; i++) {
		struct str entity = html_entity(text.p[i]);

		if (entity.p == NULL) {
			out[len++] = text.p[i];
			continue;
		}
		memcpy(out + len, entity.p, entity.len);
		len += entity.len;
	}
	return (struct str){out, len};
}

bool hmac_sha1(struct str key, struct str bytes, uint8_t mac_out[20])
{
	unsigned len = 0;

	return HMAC(EVP_sha1(), key.p, (int)key.len, (const uint8_t *)bytes.p, bytes.len, mac_out, &len) != NULL &&
	       len == 20;
}

bool sha1(struct str bytes, uint8_t digest_out[20])
{
	return EVP_Digest(bytes.p, bytes.len, digest_out, NULL, EVP_sha1(), NULL) == 1;
}

static EVP_MD *sha256_md;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void sha256_fetch(void)
{
	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* OpenSSL uses the processor's instructions for it, ten times as fast; libsodium needs no memory and cannot fail. */
void sha256(struct str bytes, uint8_t digest_out[32])
{
	(void)pthread_once(&sha256_once, sha256_fetch);
	if (sha256_md == NULL || EVP_Digest(bytes.p, bytes.len, digest_out, NULL, sha256_md, NULL) != 1)
		(void)crypto_hash_sha256(digest_out, (const unsigned char *)bytes.p, bytes.len);
}
