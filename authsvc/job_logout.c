/* SPDX-License-Identifier: Apache-2.0 */
#include "job_logout.h"

#include "base/json.h"
#include "base/log.h"
#include "service/crash.h"
#include "state.h"
#include "store_logout.h"
#include "token/jws.h"

#define IDLE_MS 1000
#define LEASE_US (20 * US_PER_S) /* longer than one attempt takes; whoever dies in it is followed by another */
#define ARENA_BYTES (1U << 20)
#define CLAIMS_MAX 2048
#define BODY_MAX 8192
#define TOKEN_TYPE "logout+jwt"
#define EVENT "http://schemas.openid.net/event/backchannel-logout"

struct teller {
	struct context *context;
	struct db *jobs, *app;
	struct seal *seal;
	struct arena *arena;
};

static enum err teller_open(struct context *context, struct teller *teller)
{
	enum err err;

	*teller = (struct teller){.context = context, .arena = arena_new(ARENA_BYTES)};
	if (teller->arena == NULL)
		return ERR_OVERLOADED;
	if ((err = context_seal(context, &teller->seal)) != OK)
		return err;
	if ((err = context_db_app(context, &teller->app)) != OK)
		return err;
	return context_db_jobs(context, &teller->jobs);
}

static void teller_close(struct teller *teller)
{
	db_free(&teller->jobs);
	db_free(&teller->app);
	seal_free(&teller->seal);
	arena_free(&teller->arena);
}

static void put_id(struct json_writer *w, const char *claim, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(id, text);
	json_key(w, claim);
	json_put_c(w, text);
}

/* Section 2.4; `nonce` is forbidden there. Each attempt has a token of its own: a client may have seen the last one. */
static void put_claims(struct teller *teller, const struct logout_record *notice, struct json_writer *w)
{
	const struct uuid id = uuid_new();
	instant_us now = clock_now_us();

	json_begin_object(w);
	json_key(w, "iss");
	json_put_c(w, context_public_url(teller->context));
	put_id(w, "aud", &notice->client_id);
	json_key(w, "iat");
	json_put_i64(w, now / US_PER_S);
	json_key(w, "exp");
	json_put_i64(w, (now + LOGOUT_TOKEN_LIFE_US) / US_PER_S);
	put_id(w, "jti", &id);
	put_id(w, "sub", &notice->person_id);
	put_id(w, "sid", &notice->session_id);
	json_key(w, "events");
	json_begin_object(w);
	json_key(w, EVENT);
	json_begin_object(w);
	json_end_object(w);
	json_end_object(w);
	json_end_object(w);
}

static enum err sign(struct teller *teller, const struct logout_record *notice, struct buf *body)
{
	const enum jwk_alg alg = str_eq_c(notice->id_token_alg, "RS256") ? JWK_RS256 : JWK_ES256;
	struct key_set *keys = keys_hold(state_of(teller->context)->keys);
	struct json_writer w;
	struct buf claims;
	enum err err = ERR_UNAVAILABLE;

	buf_init(&claims, CLAIMS_MAX);
	w = json_writer_over(&claims);
	put_claims(teller, notice, &w);
	buf_put_c(body, "logout_token=");
	if (keys != NULL)
		err = buf_ok(&claims) ? jws_sign(keys_active(keys, alg), TOKEN_TYPE, buf_str(&claims), body)
		                      : ERR_TOO_LARGE;
	buf_release(&claims);
	keys_set_free(&keys);
	return err;
}

static enum err tell(struct teller *teller, const struct logout_record *notice)
{
	const struct str uri = arena_printf(teller->arena, "%.*s", STR_ARG(notice->uri));
	struct buf body;
	enum err err;

	if (uri.p == NULL)
		return ERR_OVERLOADED;
	buf_init(&body, BODY_MAX);
	if ((err = sign(teller, notice, &body)) == OK)
		err = egress_post(state_of(teller->context)->egress, uri.p, LOGOUT_PURPOSE,
			"application/x-www-form-urlencoded", buf_str(&body));
	buf_release(&body);
	return err;
}

/* The row goes with the event that says so. */
static enum err give_up(struct teller *teller, const struct logout_record *notice, enum err sent)
{
	struct event event = {.at = clock_now_us(),
		.client_id = notice->client_id,
		.subject_id = notice->person_id,
		.object_id = notice->session_id,
		.action = "logout.give_up",
		.object_type = "session",
		.object_version = 1};
	struct state *state = state_of(teller->context);
	struct store store = {0};
	enum err err;

	event.after = arena_printf(
		teller->arena, "{\"reason\":\"%s\",\"attempts\":%lld}", err_code(sent), (long long)notice->attempts);
	if (event.after.p == NULL)
		return ERR_OVERLOADED;
	if ((err = store_begin(teller->app, teller->seal, teller->arena, &notice->tenant_id, &store)) != OK)
		goto done;
	if ((err = store_logout_give_up(&store, notice->row_id)) != OK)
		goto done;
	if ((err = outbox_put(store.tx, store.seal, &store.tenant_id, &event, 1)) != OK)
		goto done;
	CRASH_POINT("logout_give_up.before_commit");
	if ((err = store_commit(&store)) != OK)
		goto done;
	CRASH_POINT("logout_give_up.after_commit");
	outbox_poke(context_relay(teller->context));
	atomic_fetch_add(&state->counts.logouts_dropped, 1);
	log_event(LOG_ERROR, "logout_dropped", LOG_C("code", err_code(sent)), LOG_ID("client_id", &notice->client_id),
		LOG_I("attempts", notice->attempts));
done:
	store_release(&store);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* What the allow-list or an address forbids stays forbidden: that is told at once. */
static enum err settle(struct teller *teller, const struct logout_record *notice, enum err sent)
{
	struct state *state = state_of(teller->context);
	instant_us now = clock_now_us();

	if (sent == OK)
		atomic_fetch_add(&state->counts.logouts_sent, 1);
	else
		atomic_fetch_add(&state->counts.logouts_failed, 1);
	if (sent == OK)
		return store_logout_delete(teller->jobs, notice->row_id);
	if (sent == ERR_FORBIDDEN || sent == ERR_BAD_FIELD || now >= notice->expires_at)
		return give_up(teller, notice, sent);
	return store_logout_defer(
		teller->jobs, notice, sent == ERR_UNAVAILABLE, now + rules_logout_backoff_us(notice->attempts));
}

/* ERR_NOT_FOUND: nothing is due. */
static enum err tell_one(struct teller *teller)
{
	struct logout_record notice;
	enum err err, sent;

	arena_reset(teller->arena);
	err = store_logout_claim(teller->jobs, teller->arena, clock_now_us(), LEASE_US, &notice);
	if (err != OK)
		return err;
	if (notice.uri.p == NULL)
		return store_logout_delete(teller->jobs, notice.row_id);
	CRASH_POINT("logout_notice.claimed");
	sent = tell(teller, &notice);
	CRASH_POINT("logout_notice.sent");
	return settle(teller, &notice, sent);
}

void job_logout_run(struct context *context)
{
	struct teller teller;

	if (teller_open(context, &teller) != OK)
		log_event(LOG_ERROR, "logout_job_failed");
	while (teller.jobs != NULL && !context_stopping(context)) {
		if (tell_one(&teller) != OK)
			context_wait(context, IDLE_MS);
	}
	teller_close(&teller);
}
