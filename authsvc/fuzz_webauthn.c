/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation.h"
#include "base/log.h"
#include "cbor.h"
#include "cose.h"
#include "webauthn.h"

#define CLIENT_DATA(type)                                                           \
	"{\"type\":\"webauthn." type "\",\"challenge\":\"AAAAAAAAAAAAAAAAAAAAAA\"," \
	"\"origin\":\"https://example.org\"}"

static const char zeros[16];
static const struct webauthn_rules rules = {
	.rp_id = {"example.org", 11},
	.origin = {"https://example.org", 19},
	.challenge = {zeros, sizeof(zeros)},
};

static void check_within(struct str whole, struct str part)
{
	INVARIANT(part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

/* Attestation objects, authenticator data, COSE keys and DER signatures as browsers of strangers send them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str bytes = {(const char *)data, size};
	struct arena *arena = arena_new(1 << 20);
	struct reader reader = reader_over(bytes);
	struct webauthn_known known = {.public_key = bytes};
	struct webauthn_assertion assertion = {STR(CLIENT_DATA("get")), bytes, bytes};
	struct webauthn_credential credential;
	struct webauthn_state state;
	const char *reason = NULL;
	struct cose_key *key = NULL;
	enum err err;

	if (arena == NULL)
		return 0;
	err = webauthn_register(arena, &rules, STR(CLIENT_DATA("create")), bytes, &credential, &reason);
	INVARIANT((err == OK) == (reason == NULL));
	if (err == OK) {
		check_within(bytes, credential.id);
		check_within(bytes, credential.public_key);
		INVARIANT(credential.id.len > 0 && credential.id.len <= WEBAUTHN_CREDENTIAL_ID_MAX);
		known.public_key = credential.public_key;
		INVARIANT(webauthn_authenticate(arena, &rules, &known, &assertion, &state, &reason) != OK);
	}
	INVARIANT(webauthn_authenticate(arena, &rules, &known, &assertion, &state, &reason) != OK && reason != NULL);
	err = cose_key_read(&reader, &key, &reason);
	INVARIANT((err == OK) == (key != NULL));
	if (key != NULL)
		(void)cose_verify(key, STR("signed"), bytes);
	cose_key_free(&key);
	arena_free(&arena);
	return 0;
}
