/* SPDX-License-Identifier: Apache-2.0 */
#include "auth.h"

#include "base/log.h"
#include "http/http.h"
#include "loop.h"
#include "proofs.h"
#include "replay.h"
#include "store_cache.h"
#include "token/dpop.h"
#include "token/keyring.h"

static struct str token_behind(struct str authorization, struct str wanted)
{
	struct str scheme, rest = authorization;

	if (!str_cut(&rest, ' ', &scheme) || !str_eq_nocase(scheme, wanted))
		return STR_NONE;
	rest = str_trim(rest);
	return rest.len > 0 && rest.len <= TOKEN_BYTES_MAX ? rest : STR_NONE;
}

struct str auth_bearer(struct str authorization)
{
	return token_behind(authorization, STR("Bearer"));
}

struct str auth_token(struct str authorization, bool *proven_out)
{
	struct str token = token_behind(authorization, STR("Bearer"));

	*proven_out = false;
	if (token.p != NULL)
		return token;
	token = token_behind(authorization, STR("DPoP"));
	*proven_out = token.p != NULL;
	return token;
}

static void keys_refresh(struct loop *loop, struct keyring *ring)
{
	if (keyring_generation(ring) == loop->keys_generation)
		return;
	keyset_free(&loop->keys);
	loop->keys = keyring_keys(ring, &loop->keys_generation);
}

/* A token that the cache does not hold. */
static enum err auth_verify(struct exchange *exchange, struct str compact, struct token *fresh)
{
	struct loop *loop = exchange->loop;
	const struct conn *conn = exchange->conn;
	struct context *context = loop->gateway->context;
	struct rate_answer taken = rate_answer_init();
	const char *reason = NULL;
	enum err err;

	rate_look(
		loop->gateway->rates, RATE_BAD_TOKEN, conn->network, conn->network_len, loop->now_us, &exchange->rate);
	if (exchange->rate.refused)
		return ERR_RATE_LIMITED;
	err = token_verify(context_token_rules(context), loop->keys, compact, loop->wall_us, fresh, &reason);
	if (err == OK)
		return OK;
	exchange->fault = reason;
	if (reason == jws_unknown_key)
		keyring_miss(context_keyring(context), loop->keys_generation);
	/* Its signature was good once: whoever holds it was let in by us. */
	if (err != ERR_TOKEN_EXPIRED)
		rate_take(loop->gateway->rates, RATE_BAD_TOKEN, conn->network, conn->network_len, loop->now_us, &taken);
	return err;
}

enum err auth_check(struct exchange *exchange, struct str compact, const struct token **token_out)
{
	struct loop *loop = exchange->loop;
	const struct token_cache_key key = token_cache_key_of(loop->tokens, compact);
	static _Thread_local struct token fresh;
	const struct token *token;
	enum err err;

	keys_refresh(loop, context_keyring(loop->gateway->context));
	/* Before the revocations in force are known, a revoked token could not be told from a good one. */
	if (loop->keys == NULL || !store_cache_primed(loop->gateway->cache))
		return ERR_UNAVAILABLE;
	token = token_cache_find(loop->tokens, &key, loop->keys_generation, loop->wall_us);
	if (token == NULL) {
		if ((err = auth_verify(exchange, compact, &fresh)) != OK)
			return err;
		token_cache_put(loop->tokens, &key, loop->keys_generation, &fresh, loop->wall_us);
		token = &fresh;
	}
	if (revocation_hit(loop->gateway->revocations, token))
		return ERR_TOKEN_REVOKED;
	*token_out = token;
	return OK;
}

/* NULL, or a constant reason. */
static const char *proof_fault(struct exchange *exchange, const struct http_parser *parser, struct str compact,
	const struct token *token, struct dpop_proof *proof)
{
	struct loop *loop = exchange->loop;
	const struct dpop_request request = {
		.method = http_method(parser),
		.origin = str_from(context_public_url(loop->gateway->context)),
		.path = http_path(parser),
		.token = compact,
	};
	struct str text = STR_NONE;
	const char *reason = NULL;

	if (http_find(parser, "dpop", &text) != 1)
		return "there is not one proof";
	if (dpop_verify(exchange->arena, &request, text, loop->wall_us, proof, &reason) != OK)
		return reason;
	return str_eq_c(str_from(proof->jkt), token->jkt) ? NULL : "the proof is of another key";
}

void auth_count_proof(struct exchange *exchange)
{
	struct loop *loop = exchange->loop;
	const struct conn *conn = exchange->conn;
	struct rate_answer taken = rate_answer_init();

	edge_count(&loop->counts.refused_proofs);
	if (conn != NULL)
		rate_take(loop->gateway->rates, RATE_BAD_TOKEN, conn->network, conn->network_len, loop->now_us, &taken);
}

enum err auth_prove(
	struct exchange *exchange, const struct http_parser *parser, struct str compact, const struct token *token)
{
	struct loop *loop = exchange->loop;
	const struct conn *conn = exchange->conn;
	struct dpop_proof proof;
	enum err err = ERR_CONFLICT;

	if (token->jkt[0] == '\0' && !exchange->proven)
		return OK;
	exchange->challenge = CHALLENGE_TOKEN;
	exchange->fault = "a bound token comes under DPoP, and no other does";
	if (token->jkt[0] == '\0' || !exchange->proven)
		return ERR_UNAUTHENTICATED;
	exchange->fault = NULL;
	/* A proof costs a signature check each time: whoever sends bad ones pays as for bad tokens. */
	rate_look(
		loop->gateway->rates, RATE_BAD_TOKEN, conn->network, conn->network_len, loop->now_us, &exchange->rate);
	if (exchange->rate.refused)
		return ERR_RATE_LIMITED;
	exchange->challenge = CHALLENGE_PROOF;
	if ((exchange->fault = proof_fault(exchange, parser, compact, token, &proof)) == NULL)
		err = replay_spend(loop->gateway->replays, proof.use, proof.expires_at, loop->wall_us);
	if (err == OK) {
		proofs_note(exchange, &proof);
		exchange->challenge = CHALLENGE_TOKEN; /* should a service find fault with it */
	}
	if (err != ERR_CONFLICT)
		return err;
	if (exchange->fault == NULL)
		exchange->fault = PROOFS_USED;
	auth_count_proof(exchange);
	return ERR_UNAUTHENTICATED;
}
