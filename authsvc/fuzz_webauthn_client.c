/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "webauthn.h"

static const char zeros[16];
static const struct webauthn_rules rules = {
	.rp_id = {"example.org", 11},
	.origin = {"https://example.org", 19},
	.challenge = {zeros, sizeof(zeros)},
};

/* Client data as strangers write them: taken or not, what is refused next is a reason of its own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str bytes = {(const char *)data, size};
	struct arena *arena = arena_new(1 << 20);
	struct webauthn_credential credential;
	const char *reason = NULL;

	if (arena == NULL)
		return 0;
	INVARIANT(webauthn_register(arena, &rules, bytes, STR(""), &credential, &reason) == ERR_BAD_FIELD);
	INVARIANT(reason != NULL && credential.id.p == NULL);
	if (strcmp(reason, "the attestation object is malformed") == 0)
		INVARIANT(size >= strlen("webauthn.create") && size <= WEBAUTHN_CLIENT_DATA_MAX);
	arena_free(&arena);
	return 0;
}
