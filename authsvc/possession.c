/* SPDX-License-Identifier: Apache-2.0 */
#include "possession.h"

#include "base/log.h"
#include "refusal.h"
#include "token/dpop.h"

static enum err refuse(struct call *call, struct store *store, struct web_reply *reply,
	const struct client_record *client, const char *reason, const char *description)
{
	enum err err;

	atomic_fetch_add(&desk_state(call)->counts.proofs_refused, 1);
	log_event(LOG_INFO, "proof_refused", LOG_C("reason", reason), LOG_ID("client_id", &client->id));
	err = refusal_answer(call, store, client, reply, 400, "invalid_dpop_proof", description);
	return err == OK ? ERR_UNAUTHENTICATED : err;
}

enum err possession_shown(struct call *call, struct store *store, const struct client_record *client,
	struct web_reply *reply, struct str *jkt_out)
{
	const struct dpop_request request = {
		.method = STR("POST"),
		.origin = str_from(context_public_url(call->worker->context)),
		.path = str_from(call->operation->path),
	};
	struct dpop_proof proof;
	const char *reason;
	enum err err;

	*jkt_out = STR_NONE;
	if (call->proof.p == NULL)
		return OK;
	if (dpop_verify(call->arena, &request, call->proof, clock_now_us(), &proof, &reason) != OK)
		return refuse(call, store, reply, client, reason, reason);
	/* Among the client's assertions (0131), whose digests are of other texts. */
	err = store_assertion_use(
		store, client->row_id, (struct str){(const char *)proof.use, sizeof(proof.use)}, proof.expires_at);
	if (err == ERR_CONFLICT)
		return refuse(call, store, reply, client, "it was used before", "the proof was used before");
	if (err != OK)
		return err;
	*jkt_out = arena_copy(call->arena, str_from(proof.jkt));
	return jkt_out->p != NULL ? OK : ERR_OVERLOADED;
}

enum err possession_take(struct call *call, struct store *store, const struct client_record *client,
	struct web_reply *reply, struct str *jkt_out)
{
	*jkt_out = STR_NONE;
	if (call->proof.p == NULL && client->dpop_bound)
		return refuse(call, store, reply, client, "there is none", "the client is to send a DPoP proof");
	return possession_shown(call, store, client, reply, jkt_out);
}
