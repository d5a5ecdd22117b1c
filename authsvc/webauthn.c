/* SPDX-License-Identifier: Apache-2.0 */
#include "webauthn.h"

#include <string.h>

#include "attestation.h"
#include "base/buf.h"
#include "base/encode.h"
#include "base/json.h"
#include "cbor.h"
#include "cose.h"

/* Section 6.1; bits 1 and 5 are reserved, and say nothing. */
enum { FLAG_UP = 0x01, FLAG_UV = 0x04, FLAG_BE = 0x08, FLAG_BS = 0x10, FLAG_AT = 0x40, FLAG_ED = 0x80 };

#define HASH_LEN 32

static const char no_memory[] = "out of memory";

struct auth_data {
	struct str rp_id_hash;
	uint8_t flags;
	struct webauthn_credential credential;
	struct cose_key *key; /* owned, of the attested credential */
};

static const char *client_data_check(
	struct arena *arena, const struct webauthn_rules *rules, const char *type, struct str client_data)
{
	const struct json *root = NULL, *cross;
	const char *reason;
	struct str challenge;

	if (client_data.p == NULL || client_data.len > WEBAUTHN_CLIENT_DATA_MAX)
		return "the client data are absent or too long";
	if (json_parse(arena, client_data, &root, &reason) != OK || root->kind != JSON_OBJECT)
		return "the client data are no JSON object";
	if (!str_eq_c(json_get_str(root, "type"), type))
		return "type is of another ceremony";
	challenge = base64url_decode(arena, json_get_str(root, "challenge"));
	if (rules->challenge.len < WEBAUTHN_CHALLENGE_MIN || rules->challenge.len > WEBAUTHN_CHALLENGE_MAX ||
		challenge.p == NULL || !str_eq_secret(challenge, rules->challenge))
		return "challenge is not the one that was given";
	if (rules->origin.len == 0 || !str_eq(json_get_str(root, "origin"), rules->origin))
		return "origin is another site";
	cross = json_get(root, "crossOrigin");
	if ((cross != NULL && cross->kind != JSON_FALSE) || json_get(root, "topOrigin") != NULL)
		return "crossOrigin: the page was inside another site's";
	return NULL;
}

/* Section 6.5.1: the part that is there with AT. */
static const char *attested_read(struct reader *reader, struct auth_data *data)
{
	struct webauthn_credential *credential = &data->credential;
	struct str aaguid = reader_bytes(reader, WEBAUTHN_AAGUID_LEN);
	size_t id_len = reader_u16(reader);
	const char *reason;

	if (reader->failed || id_len == 0 || id_len > WEBAUTHN_CREDENTIAL_ID_MAX)
		return "the credential id is absent or too long";
	memcpy(credential->aaguid, aaguid.p, WEBAUTHN_AAGUID_LEN);
	credential->id = reader_bytes(reader, id_len);
	credential->public_key = (struct str){(const char *)reader->p, reader->len};
	if (reader->failed)
		return "the authenticator data are cut short";
	if (cose_key_read(reader, &data->key, &reason) != OK)
		return reason;
	credential->public_key.len -= reader->len;
	return credential->public_key.len <= COSE_KEY_MAX ? NULL : "the public key is too long";
}

static const char *auth_data_read(struct str bytes, struct auth_data *data)
{
	struct reader reader = reader_over(bytes);
	const char *reason;

	if (bytes.p == NULL || bytes.len > WEBAUTHN_AUTH_DATA_MAX)
		return "the authenticator data are absent or too long";
	data->rp_id_hash = reader_bytes(&reader, HASH_LEN);
	data->flags = reader_u8(&reader);
	data->credential.state = (struct webauthn_state){
		.sign_count = reader_u32(&reader),
		.user_verified = (data->flags & FLAG_UV) != 0,
		.backup_eligible = (data->flags & FLAG_BE) != 0,
		.backed_up = (data->flags & FLAG_BS) != 0,
	};
	if (reader.failed)
		return "the authenticator data are cut short";
	if ((data->flags & FLAG_AT) != 0 && (reason = attested_read(&reader, data)) != NULL)
		return reason;
	if ((data->flags & FLAG_ED) != 0) {
		struct reader kind = reader;

		(void)cbor_map(&kind, CBOR_ITEMS_MAX);
		cbor_skip(&reader);
		reader.failed |= kind.failed;
	}
	if (reader.failed)
		return "the extensions are malformed";
	return reader_done(&reader) ? NULL : "bytes are left behind the authenticator data";
}

/* What both ceremonies ask of the authenticator. */
static const char *auth_data_check(const struct webauthn_rules *rules, const struct auth_data *data)
{
	uint8_t hash[HASH_LEN];

	sha256(rules->rp_id, hash);
	if (rules->rp_id.len == 0 || !str_eq(data->rp_id_hash, (struct str){(const char *)hash, sizeof(hash)}))
		return "rpIdHash is another site's";
	if ((data->flags & FLAG_UP) == 0)
		return "flags: nobody was present";
	if (rules->user_verification && (data->flags & FLAG_UV) == 0)
		return "flags: the user was not verified";
	if ((data->flags & (FLAG_BE | FLAG_BS)) == FLAG_BS)
		return "flags: backed up, though not eligible for it";
	return NULL;
}

/* What is signed: authenticator data and the hash of the client data. p is NULL when the arena is full. */
static struct str signed_bytes(struct arena *arena, struct str authenticator_data, struct str client_data)
{
	char *p = arena_take(arena, authenticator_data.len + HASH_LEN);

	if (p == NULL)
		return STR_NONE;
	memcpy(p, authenticator_data.p, authenticator_data.len);
	sha256(client_data, (uint8_t *)p + authenticator_data.len);
	return (struct str){p, authenticator_data.len + HASH_LEN};
}

static const char *registration_check(struct arena *arena, const struct webauthn_rules *rules, struct str client_data,
	struct str object, struct auth_data *data)
{
	struct attestation attestation;
	struct attested attested;
	const char *reason;

	if ((reason = client_data_check(arena, rules, "webauthn.create", client_data)) != NULL)
		return reason;
	if (object.p == NULL || object.len > WEBAUTHN_ATTESTATION_MAX)
		return "the attestation object is absent or too long";
	if ((reason = attestation_read(object, &attestation)) != NULL)
		return reason;
	if ((reason = auth_data_read(attestation.authenticator_data, data)) != NULL)
		return reason;
	if ((reason = auth_data_check(rules, data)) != NULL)
		return reason;
	if (data->key == NULL)
		return "flags: no credential is attested";
	attested = (struct attested){
		.key = data->key,
		.signed_bytes = signed_bytes(arena, attestation.authenticator_data, client_data),
		.aaguid = data->credential.aaguid,
	};
	return attested.signed_bytes.p != NULL ? attestation_check(&attestation, &attested) : no_memory;
}

enum err webauthn_register(struct arena *arena, const struct webauthn_rules *rules, struct str client_data,
	struct str attestation_object, struct webauthn_credential *credential_out, const char **reason_out)
{
	struct auth_data data = {0};

	*reason_out = registration_check(arena, rules, client_data, attestation_object, &data);
	cose_key_free(&data.key);
	*credential_out = *reason_out == NULL ? data.credential : (struct webauthn_credential){0};
	if (*reason_out == NULL)
		return OK;
	return *reason_out == no_memory ? ERR_OVERLOADED : ERR_BAD_FIELD;
}

static const char *signature_check(
	struct arena *arena, const struct webauthn_known *known, const struct webauthn_assertion *assertion)
{
	struct reader reader = reader_over(known->public_key);
	struct str bytes = signed_bytes(arena, assertion->authenticator_data, assertion->client_data);
	struct cose_key *key = NULL;
	const char *reason;

	if (bytes.p == NULL)
		return no_memory;
	if (known->public_key.p == NULL || known->public_key.len > COSE_KEY_MAX)
		return "the public key is absent or too long";
	if (cose_key_read(&reader, &key, &reason) != OK)
		return reason;
	if (!reader_done(&reader))
		reason = "bytes are left behind the public key";
	else if (!cose_verify(key, bytes, assertion->signature))
		reason = "the signature is wrong";
	cose_key_free(&key);
	return reason;
}

static const char *assertion_check(struct arena *arena, const struct webauthn_rules *rules,
	const struct webauthn_known *known, const struct webauthn_assertion *assertion, struct auth_data *data)
{
	const struct webauthn_state *state = &data->credential.state;
	const char *reason;

	if ((reason = client_data_check(arena, rules, "webauthn.get", assertion->client_data)) != NULL)
		return reason;
	if ((reason = auth_data_read(assertion->authenticator_data, data)) != NULL)
		return reason;
	if ((reason = auth_data_check(rules, data)) != NULL)
		return reason;
	if ((data->flags & FLAG_AT) != 0)
		return "flags: a credential is attested in a sign-in";
	if (known->backup_eligible != NULL && *known->backup_eligible != state->backup_eligible)
		return "flags: eligibility for backup changed";
	if (assertion->signature.p == NULL || assertion->signature.len > WEBAUTHN_SIGNATURE_MAX)
		return "the signature is absent or too long";
	if ((reason = signature_check(arena, known, assertion)) != NULL)
		return reason;
	/* Section 6.1.1: both 0 is an authenticator that does not count; else a copy of the key may be about. */
	if ((state->sign_count != 0 || known->sign_count != 0) && state->sign_count <= known->sign_count)
		return "the sign counter did not rise";
	return NULL;
}

enum err webauthn_authenticate(struct arena *arena, const struct webauthn_rules *rules,
	const struct webauthn_known *known, const struct webauthn_assertion *assertion,
	struct webauthn_state *state_out, const char **reason_out)
{
	struct auth_data data = {0};

	*reason_out = assertion_check(arena, rules, known, assertion, &data);
	cose_key_free(&data.key);
	*state_out = *reason_out == NULL ? data.credential.state : (struct webauthn_state){0};
	if (*reason_out == NULL)
		return OK;
	return *reason_out == no_memory ? ERR_OVERLOADED : ERR_UNAUTHENTICATED;
}
