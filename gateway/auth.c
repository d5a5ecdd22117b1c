/* SPDX-License-Identifier: Apache-2.0 */
#include "auth.h"

#include "base/log.h"
#include "loop.h"
#include "store_cache.h"
#include "token/keyring.h"

struct str auth_bearer(struct str authorization)
{
	struct str scheme, rest = authorization;

	if (!str_cut(&rest, ' ', &scheme) || !str_eq_nocase(scheme, STR("Bearer")))
		return STR_NONE;
	rest = str_trim(rest);
	return rest.len > 0 && rest.len <= TOKEN_BYTES_MAX ? rest : STR_NONE;
}

static void keys_refresh(struct loop *loop, struct keyring *ring)
{
	if (keyring_generation(ring) == loop->keys_generation)
		return;
	keyset_free(&loop->keys);
	loop->keys = keyring_keys(ring, &loop->keys_generation);
}

enum err auth_check(struct loop *loop, struct str compact, const struct token **token_out)
{
	struct context *context = loop->gateway->context;
	struct keyring *ring = context_keyring(context);
	const struct token_cache_key key = token_cache_key_of(loop->tokens, compact);
	static _Thread_local struct token fresh;
	const struct token *token;
	const char *reason = NULL;
	enum err err;

	keys_refresh(loop, ring);
	/* Before the revocations in force are known, a revoked token could not be told from a good one. */
	if (loop->keys == NULL || !store_cache_primed(loop->gateway->cache))
		return ERR_UNAVAILABLE;
	token = token_cache_find(loop->tokens, &key, loop->keys_generation, loop->wall_us);
	if (token == NULL) {
		err = token_verify(context_token_rules(context), loop->keys, compact, loop->wall_us, &fresh, &reason);
		if (err != OK && reason == jws_unknown_key)
			keyring_miss(ring, loop->keys_generation);
		if (err != OK)
			return err;
		token_cache_put(loop->tokens, &key, loop->keys_generation, &fresh, loop->wall_us);
		token = &fresh;
	}
	if (revocation_hit(loop->gateway->revocations, token))
		return ERR_TOKEN_REVOKED;
	*token_out = token;
	return OK;
}
