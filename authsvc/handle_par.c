/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"
#include "possession.h"
#include "pushed.h"
#include "refusal.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

static enum err answer(struct call *call, struct str request_uri, struct web_reply *reply)
{
	struct json_writer w;
	struct buf buf;
	enum err err;

	buf_init(&buf, 512);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	json_key(&w, "request_uri");
	json_put_str(&w, request_uri);
	json_key(&w, "expires_in");
	json_put_i64(&w, PUSHED_LIFE_US / US_PER_S);
	json_end_object(&w);
	err = web_json(call, reply, 201, &buf);
	buf_release(&buf);
	return err;
}

/* The same judgement as at the authorization endpoint (RFC 9126 section 2.1); what fails is told here and now. */
static enum err push(struct call *call, struct store *store, const struct authorize_request *request,
	const struct client_record *client, struct web_reply *reply)
{
	const char *description = "", *error;
	struct str request_uri, jkt;
	struct ask ask;
	enum err err;

	if (request->has_request_uri)
		return refusal_answer(
			call, store, client, reply, 400, "invalid_request", "request_uri does not belong here");
	if (!rules_redirect_listed(client->redirect_uris, request->redirect_uri))
		return refusal_answer(call, store, client, reply, 400, "invalid_request",
			"redirect_uri is not one that is registered");
	if ((error = ask_read(call, request, client, &ask, &description)) != NULL)
		return refusal_answer(call, store, client, reply, 400, error, description);
	/* A proof binds the code to its key, as dpop_jkt does (RFC 9449 section 10.1). */
	if ((err = possession_shown(call, store, client, reply, &jkt)) != OK)
		return err == ERR_UNAUTHENTICATED ? OK : err;
	if (jkt.p != NULL && ask.jkt.p != NULL && !str_eq(jkt, ask.jkt))
		return refusal_answer(call, store, client, reply, 400, "invalid_dpop_proof",
			"the proof is not of the key that dpop_jkt names");
	ask.jkt = jkt.p != NULL ? jkt : ask.jkt;
	if ((err = pushed_keep(call, store, client, &ask, &request_uri)) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	return answer(call, request_uri, reply);
}

enum err handle_par_push(struct call *call, const struct par_request *request_in, struct web_reply *reply_out)
{
	struct caller_claim claim = {request_in->client_id, request_in->client_secret, true,
		request_in->client_assertion_type, request_in->client_assertion};
	struct authorize_request request = {0};
	struct client_record client;
	struct store store = {0};
	enum err err;

	if ((err = caller_authenticate(call, &claim, reply_out, &store, &client)) == OK) {
		shape_carry(shape_par_request(), request_in, shape_authorize_request(), &request);
		err = push(call, &store, &request, &client, reply_out);
	} else if (err == ERR_UNAUTHENTICATED) {
		err = OK;
	}
	store_release(&store);
	return err;
}
