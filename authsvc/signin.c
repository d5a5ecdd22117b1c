/* SPDX-License-Identifier: Apache-2.0 */
#include "signin.h"

#include "base/log.h"
#include "rules_web.h"
#include "store_grant.h"
#include "ticket.h"

static bool sent_ticket(const struct call *call, struct ticket *ticket_out)
{
	struct str cookie = rules_cookie_get(call->cookie, COOKIE_SESSION);

	return cookie.p != NULL &&
	       ticket_parse(desk_state(call)->vault, VAULT_SESSION, call->arena, cookie, ticket_out);
}

struct uuid signin_tenant(const struct call *call)
{
	struct ticket ticket;

	return sent_ticket(call, &ticket) ? ticket.tenant_id : UUID_NIL;
}

enum err signin_known(struct call *call, struct store *store, struct session_record *session_out)
{
	struct ticket ticket;
	enum err err;

	*session_out = (struct session_record){0};
	if (!sent_ticket(call, &ticket) || !uuid_eq(&ticket.tenant_id, &store->tenant_id))
		return ERR_NOT_FOUND;
	if ((err = store_session_read(store, vault_hash_str(&ticket.hash), session_out)) != OK)
		return err;
	return session_out->ended ? ERR_NOT_FOUND : OK;
}

bool signin_is_live(const struct session_record *session)
{
	return session->person_status == PERSON_ACTIVE &&
	       rules_session_alive(session->seen_at, session->expires_at, session->ended, clock_now_us());
}

enum err signin_current(struct call *call, struct store *store, struct session_record *session_out)
{
	enum err err = signin_known(call, store, session_out);

	return err != OK || signin_is_live(session_out) ? err : ERR_NOT_FOUND;
}

static enum err put_event(struct call *call, struct store *store, const struct session_record *session,
	const char *action, const char *reason)
{
	struct trail trail = {
		.action = action,
		.object_type = "session",
		.object_id = session->id,
		.subject_id = session->person_id,
		.actor_id = session->person_id,
		.version = 1,
		.after = arena_printf(call->arena, "{\"reason\":\"%s\"}", reason),
	};

	return desk_put_event(call, store, &trail);
}

enum err signin_end(struct call *call, struct store *store, const struct session_record *session, const char *reason)
{
	instant_us now = clock_now_us();
	enum err err;

	if ((err = store_session_end(store, session, now)) != OK)
		return err;
	if ((err = store_family_revoke(store, FAMILY_OF_SESSION, session->row_id, reason, now, NULL)) != OK)
		return err;
	return put_event(call, store, session, "session.end", reason);
}

enum err signin_begin(struct call *call, struct store *store, struct web_reply *reply, int64_t person_row_id,
	const struct uuid *person_id, const struct proof *proof, struct session_record *session_out)
{
	struct session_record old;
	struct ticket ticket;
	struct str handle;
	instant_us now = clock_now_us();
	enum err err;

	if ((err = signin_known(call, store, &old)) != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == OK && old.person_row_id != person_row_id &&
		(err = signin_end(call, store, &old, "another_person")) != OK)
		return err;
	ticket = ticket_new(desk_state(call)->vault, VAULT_SESSION, &store->tenant_id, call->arena, &handle);
	if (handle.p == NULL)
		return ERR_OVERLOADED;
	if (err == OK && old.person_row_id == person_row_id) {
		*session_out = old;
		session_out->auth_at = now;
		session_out->proof = *proof;
		if ((err = store_session_renew(store, session_out, vault_hash_str(&ticket.hash), now)) == OK)
			err = put_event(call, store, session_out, "session.renew", acr_name(proof->acr));
	} else {
		*session_out = (struct session_record){.id = uuid_new(),
			.person_row_id = person_row_id,
			.person_id = *person_id,
			.proof = *proof,
			.browser = call->browser};
		if ((err = store_session_insert(store, session_out, vault_hash_str(&ticket.hash), now)) == OK)
			err = put_event(call, store, session_out, "session.create", acr_name(proof->acr));
	}
	return err == OK ? web_cookie(call, reply, COOKIE_SESSION, handle) : err;
}

void signin_leave_elsewhere(struct call *call, const struct uuid *tenant_id)
{
	struct uuid elsewhere = signin_tenant(call);
	struct session_record session;
	struct store store = {0};

	if (uuid_is_nil(&elsewhere) || uuid_eq(&elsewhere, tenant_id))
		return;
	if (desk_begin_in(call, &elsewhere, &store) == OK && signin_known(call, &store, &session) == OK &&
		signin_end(call, &store, &session, "another_sign_in") == OK && desk_commit(call, &store) != OK)
		log_event(LOG_WARN, "session_left_behind");
	store_release(&store);
}
