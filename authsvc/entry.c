/* SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include "base/crash.h"
#include "guard.h"
#include "rules_web.h"
#include "store_person.h"
#include "ticket.h"

enum err entry_find(struct call *call, struct store *store, struct str resume, struct entry *entry_out)
{
	struct ticket ticket;
	enum err err;

	*entry_out = (struct entry){0};
	if (resume.len == 0)
		return OK;
	entry_out->resume = resume;
	if (!ticket_parse(desk_state(call)->vault, VAULT_REQUEST, call->arena, resume, &ticket))
		return ERR_GONE;
	if ((err = desk_begin_in(call, &ticket.tenant_id, store)) != OK)
		return err;
	err = store_request_read(store, vault_hash_str(&ticket.hash), clock_now_us(), &entry_out->request);
	if (err == ERR_NOT_FOUND)
		return ERR_GONE;
	if (err != OK || (err = store_tenant_read(store, &entry_out->tenant)) != OK)
		return err;
	entry_out->has_request = true;
	if (entry_out->request.client_row_id != 0)
		err = ask_restore(call, entry_out->request.parameters, &entry_out->ask);
	return err;
}

enum locale entry_locale(const struct call *call, const struct entry *entry, struct str ui_locales)
{
	struct str wanted = ui_locales.len > 0 ? ui_locales : entry->ask.ui_locales;

	return rules_locale_choose(
		wanted, call->languages, uuid_is_nil(&entry->tenant.id) ? LOCALE_EN : entry->tenant.locale);
}

void entry_form_action(const struct entry *entry, struct web_reply *reply)
{
	if (entry->ask.redirect_uri.p == NULL)
		return;
	reply->form_action = rules_redirect_origin(entry->ask.redirect_uri);
	reply->has_form_action = reply->form_action.p != NULL;
}

struct consent_case entry_case(const struct entry *entry)
{
	return (struct consent_case){.ask = &entry->ask,
		.client_row_id = entry->request.client_row_id,
		.client_id = entry->request.client_id,
		.third_party = entry->request.third_party,
		.vouched = entry->request.client_vouched};
}

bool entry_fresh(const struct entry *entry, const struct session_record *session)
{
	if (!ask_suits(&entry->ask, &session->proof))
		return false;
	if (session->auth_at >= entry->request.created_at)
		return true;
	return !entry->ask.prompt.login && rules_auth_fresh(session->auth_at, entry->ask.max_age_s, clock_now_us());
}

/* Where the browser goes from the sign-in; a request that is answered by it is over. */
static enum err find_way(struct call *call, struct store *store, const struct entry *entry,
	const struct session_record *session, struct str *location)
{
	const struct consent_case of = entry_case(entry);
	bool asks = false;
	enum err err;

	if (!entry->has_request)
		return OK;
	if (entry->ask.redirect_uri.p != NULL && (err = consent_needed(store, &of, session, &asks)) != OK)
		return err;
	/* Nobody lets a device in without having been asked. */
	if (asks || entry->ask.device.p != NULL) {
		*location = arena_printf(call->arena, "/consent?resume=%.*s", STR_ARG(entry->resume));
		return OK;
	}
	if ((err = store_request_delete(store, &entry->request)) != OK || entry->ask.redirect_uri.p == NULL)
		return err;
	return ask_grant(call, store, &entry->ask, entry->request.client_row_id, session, location);
}

enum err entry_settle(struct call *call, struct store *store, const struct entry *entry,
	const struct session_record *session, struct str home, struct web_reply *reply)
{
	struct str location = home;
	struct person_record person;
	struct str email;
	enum err err;

	/* Signed in, but not as well as the client asked: the request waits until a second factor is set up. */
	if (!ask_suits(&entry->ask, &session->proof))
		location = arena_printf(call->arena, "/account/factors?resume=%.*s", STR_ARG(entry->resume));
	else if ((err = find_way(call, store, entry, session, &location)) != OK)
		return err;
	if ((err = store_person_read(store, &session->person_id, &person)) != OK)
		return err;
	if ((email = rules_email_normal(call->arena, person.email)).p == NULL)
		return ERR_OVERLOADED;
	if ((err = guard_remember(call, reply, &store->tenant_id, email)) != OK)
		return err;
	CRASH_POINT("login.before_commit");
	if ((err = desk_commit(call, store)) != OK)
		return err;
	CRASH_POINT("login.after_commit");
	/* Nothing of the browser from before the sign-in is good for anything after it. */
	if ((err = web_cookie(call, reply, COOKIE_LOGIN, STR_NONE)) != OK)
		return err;
	return web_see_other(reply, location);
}

enum err entry_begin(struct call *call, struct store *store, const struct uuid *tenant_id, struct web_reply *reply)
{
	struct request_record record = {.id = uuid_new()};
	struct ticket ticket;
	struct str handle;
	enum err err;

	ticket = ticket_new(desk_state(call)->vault, VAULT_REQUEST, tenant_id, call->arena, &handle);
	if (handle.p == NULL)
		return ERR_OVERLOADED;
	if ((err = desk_begin_in(call, tenant_id, store)) != OK)
		return err;
	if ((err = store_request_insert(store, &record, vault_hash_str(&ticket.hash), clock_now_us())) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	return web_see_other(reply, arena_printf(call->arena, "/login?resume=%.*s", STR_ARG(handle)));
}
