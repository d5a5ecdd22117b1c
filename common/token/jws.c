/* SPDX-License-Identifier: Apache-2.0 */
#include "token/jws.h"

#include <sodium.h>
#include <string.h>

#include "base/encode.h"

#define HEADER_TEXT_MAX 2048   /* base64url */
#define SIGNATURE_TEXT_MAX 684 /* base64url of JWK_SIGNATURE_MAX bytes, and a little */

const char jws_unknown_key[] = "kid names no key that is known";

/*
 * Header members that bring a key, point to one, or change what the signature covers. None is needed for our tokens,
 * so their presence alone is the refusal (RFC 8725 sections 3.1 and 3.10, RFC 7515 section 4.1.11, RFC 7797).
 */
static const struct {
	const char *member, *reason;
} forbidden[] = {
	{"crit", "crit is not supported"},
	{"jku", "jku is not allowed"},
	{"x5u", "x5u is not allowed"},
	{"x5c", "x5c is not allowed"},
	{"b64", "b64 is not supported"},
	{"zip", "zip is not allowed"},
	{"enc", "enc is not allowed"},
};

struct parts {
	struct str header;
	struct str payload;
	struct str signature;
	struct str signed_bytes; /* header, dot and payload */
};

static const char *split(struct str compact, size_t len_max, struct parts *parts_out)
{
	struct str rest = compact;

	if (compact.p == NULL || compact.len == 0)
		return "the text is empty";
	if (compact.len > len_max)
		return "the text is too long";
	if (!str_cut(&rest, '.', &parts_out->header) || !str_cut(&rest, '.', &parts_out->payload))
		return "the text has not three parts";
	parts_out->signature = rest;
	if (memchr(rest.p, '.', rest.len) != NULL)
		return "the text has not three parts";
	if (parts_out->header.len == 0 || parts_out->header.len > HEADER_TEXT_MAX)
		return "the header is empty or too long";
	if (rest.len == 0 || rest.len > SIGNATURE_TEXT_MAX)
		return "the signature is empty or too long";
	parts_out->signed_bytes = (struct str){compact.p, parts_out->header.len + 1 + parts_out->payload.len};
	return NULL;
}

/* `within`: the header must bring the key; otherwise it must not (RFC 8725 section 3.10). */
static const char *check_header(const struct jws_rules *rules, bool within, struct jws *jws_out)
{
	const struct json *header = jws_out->header;
	const struct json *typ = json_get(header, "typ");
	struct str alg = json_get_str(header, "alg");

	if (header->kind != JSON_OBJECT)
		return "the header is no object";
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		if (json_get(header, forbidden[i].member) != NULL)
			return forbidden[i].reason;
	}
	if (within != (json_get(header, "jwk") != NULL))
		return within ? "jwk is missing" : "jwk is not allowed";
	if (alg.p == NULL)
		return "alg is missing or no string";
	if (!jwk_alg_from_name(alg, &jws_out->alg))
		return "alg is not supported";
	if ((rules->algs_allowed & JWS_ALLOW(jws_out->alg)) == 0)
		return "alg is not allowed here";
	if (typ != NULL && (typ->kind != JSON_STRING || typ->text.len > JWS_TYP_MAX))
		return "typ is no string or too long";
	jws_out->typ = typ != NULL ? typ->text : STR_NONE;
	return NULL;
}

static const char *find_key(const struct jws_rules *rules, const struct keyset *keys, struct jws *jws_out)
{
	const struct json *kid = json_get(jws_out->header, "kid");

	if (kid == NULL && !rules->kid_optional)
		return "kid is missing";
	if (kid == NULL) {
		jws_out->key = keyset_only(keys, jws_out->alg);
		return jws_out->key != NULL ? NULL : "without kid, no single key fits";
	}
	if (kid->kind != JSON_STRING || !jwk_kid_ok(kid->text))
		return "kid is not 1 to 64 safe characters";
	if ((jws_out->key = keyset_find(keys, kid->text)) == NULL)
		return jws_unknown_key;
	/* The key says how it is used; a header that says otherwise is an attack on that. */
	return jwk_algorithm(jws_out->key) == jws_out->alg ? NULL : "alg is not the key's";
}

/* The key that the header brings; the caller's to free, whatever follows. */
static const char *read_key(struct jws *jws_out, struct jwk **own_out)
{
	const char *reason = NULL;

	if (jwk_parse(json_get(jws_out->header, "jwk"), own_out, &reason) != OK)
		return reason;
	if ((jws_out->key = *own_out) == NULL)
		return "jwk is none of Ed25519, P-256 or RSA for signatures";
	return jwk_algorithm(*own_out) == jws_out->alg ? NULL : "alg is not the key's";
}

/*
 * Runs the checks in the order of their cost; the reason of the first that fails, or NULL. The key is one of `keys`,
 * or without these the text's own.
 */
static const char *verify(struct arena *arena, const struct jws_rules *rules, const struct keyset *keys,
	struct str compact, struct jws *jws_out, struct jwk **own_out)
{
	struct parts parts;
	struct str signature;
	const char *reason;

	if ((reason = split(compact, rules->len_max != 0 ? rules->len_max : JWS_COMPACT_MAX, &parts)) != NULL)
		return reason;
	if ((jws_out->header_text = base64url_decode(arena, parts.header)).p == NULL)
		return "the header is no base64url";
	if (json_parse(arena, jws_out->header_text, &jws_out->header, &reason) != OK)
		return "the header is no JSON without duplicates";
	if ((reason = check_header(rules, keys == NULL, jws_out)) != NULL)
		return reason;
	reason = keys != NULL ? find_key(rules, keys, jws_out) : read_key(jws_out, own_out);
	if (reason != NULL)
		return reason;
	if ((signature = base64url_decode(arena, parts.signature)).p == NULL)
		return "the signature is no base64url";
	if (!jwk_verify(jws_out->key, parts.signed_bytes, signature))
		return "the signature is wrong";
	jws_out->payload = base64url_decode(arena, parts.payload);
	return jws_out->payload.p != NULL ? NULL : "the payload is no base64url";
}

enum err jws_verify(struct arena *arena, const struct jws_rules *rules, const struct keyset *keys, struct str compact,
	struct jws *jws_out, const char **reason_out)
{
	*jws_out = (struct jws){0};
	/* Without keys of ours the key in the header would be believed. */
	*reason_out = keys != NULL ? verify(arena, rules, keys, compact, jws_out, NULL) : "there are no keys";
	if (*reason_out == NULL)
		return OK;
	*jws_out = (struct jws){0};
	return ERR_UNAUTHENTICATED;
}

enum err jws_verify_own(struct arena *arena, const struct jws_rules *rules, struct str compact, struct jws *jws_out,
	struct jwk **key_out, const char **reason_out)
{
	*key_out = NULL;
	*jws_out = (struct jws){0};
	*reason_out = verify(arena, rules, NULL, compact, jws_out, key_out);
	if (*reason_out == NULL)
		return OK;
	*jws_out = (struct jws){0};
	jwk_free(key_out);
	return ERR_UNAUTHENTICATED;
}

static void put_base64url(struct buf *buf, struct str bytes)
{
	size_t room = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text;

	if (bytes.len > JWS_COMPACT_MAX) {
		buf->failed = true;
		return;
	}
	if ((text = buf_reserve(buf, room)) == NULL)
		return;
	(void)sodium_bin2base64(
		text, room, (const unsigned char *)bytes.p, bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	buf_commit(buf, room - 1); /* less the NUL */
}

enum err jws_sign(const struct signing_key *key, const char *typ, struct str payload, struct buf *compact_out)
{
	uint8_t signature[JWK_SIGNATURE_MAX];
	struct json_writer w;
	struct buf header;
	struct str written;
	size_t signature_len = 0;
	size_t start = compact_out->len;
	enum err err;

	buf_init(&header, HEADER_TEXT_MAX / 2);
	w = json_writer_over(&header);
	json_begin_object(&w);
	json_key(&w, "alg");
	json_put_c(&w, jwk_alg_name(signing_key_algorithm(key)));
	if (typ != NULL) {
		json_key(&w, "typ");
		json_put_c(&w, typ);
	}
	json_key(&w, "kid");
	json_put_c(&w, signing_key_kid(key));
	json_end_object(&w);
	put_base64url(compact_out, buf_str(&header));
	buf_put_byte(compact_out, '.');
	put_base64url(compact_out, payload);
	err = ERR_TOO_LARGE;
	if (!buf_ok(&header) || !buf_ok(compact_out))
		goto done;
	written = buf_str(compact_out);
	err = signing_key_sign(key, (struct str){written.p + start, written.len - start}, signature, &signature_len);
	if (err != OK)
		goto done;
	buf_put_byte(compact_out, '.');
	put_base64url(compact_out, (struct str){(const char *)signature, signature_len});
	err = buf_ok(compact_out) ? OK : ERR_TOO_LARGE;
done:
	buf_release(&header);
	return err;
}
