/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "consent.h"
#include "csrf.h"
#include "pages.h"
#include "rules_web.h"
#include "signin.h"
#include "store_person.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 524288
#define FORM_CONSENTS "consents"

/* The session of the browser: ERR_NOT_FOUND without one. */
static enum err find_owner(struct call *call, struct store *store, struct session_record *session_out)
{
	struct uuid tenant_id = signin_tenant(call);
	enum err err;

	if (uuid_is_nil(&tenant_id))
		return ERR_NOT_FOUND;
	if ((err = desk_begin_in(call, &tenant_id, store)) != OK)
		return err;
	return signin_current(call, store, session_out);
}

enum err handle_account_consents(
	struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct consent_record *consents = arena_take_array(call->arena, CONSENTS_MAX, sizeof(*consents));
	struct page page = {.arena = call->arena,
		.locale = rules_locale_choose(request_in->ui_locales, call->languages, LOCALE_EN)};
	struct consents_page view = {.consents = consents};
	struct session_record session;
	struct store store = {0};
	struct buf html;
	enum err err;

	buf_init(&html, PAGE_MAX);
	if ((err = find_owner(call, &store, &session)) != OK)
		goto done;
	if (consents == NULL) {
		err = ERR_OVERLOADED;
		goto done;
	}
	if ((err = store_consent_list(&store, session.person_row_id, CONSENTS_MAX, consents, &view.count)) != OK)
		goto done;
	view.csrf = csrf_token(call, rules_cookie_get(call->cookie, COOKIE_SESSION), FORM_CONSENTS, STR_NONE);
	page.out = &html;
	pages_consents(&page, &view);
	err = web_page(call, reply_out, 200, &html);
done:
	buf_release(&html);
	store_release(&store);
	return err == ERR_NOT_FOUND ? web_see_other(reply_out, STR("/login")) : err;
}

static enum err withdraw(struct call *call, struct store *store, int64_t person_row_id, const struct uuid *person_id,
	const struct uuid *consent_id)
{
	enum err err;

	if ((err = consent_withdraw(call, store, person_row_id, person_id, consent_id)) != OK)
		return err;
	CRASH_POINT("consent_withdraw.before_commit");
	err = desk_commit(call, store);
	CRASH_POINT("consent_withdraw.after_commit");
	return err;
}

enum err handle_account_consents_submit(
	struct call *call, const struct consents_submit_request *request_in, struct web_reply *reply_out)
{
	struct str handle = rules_cookie_get(call->cookie, COOKIE_SESSION);
	struct session_record session;
	struct store store = {0};
	struct uuid consent_id;
	enum err err;

	if (!csrf_matches(call, handle, FORM_CONSENTS, STR_NONE, request_in->csrf) ||
		uuid_parse(request_in->consent, &consent_id) != OK)
		return web_see_other(reply_out, STR("/account/consents"));
	if ((err = find_owner(call, &store, &session)) == OK)
		err = withdraw(call, &store, session.person_row_id, &session.person_id, &consent_id);
	store_release(&store);
	/* What is gone already is gone; without a session the page sends to the sign-in. */
	return err == OK || err == ERR_NOT_FOUND ? web_see_other(reply_out, STR("/account/consents")) : err;
}

static void fill_view(struct call *call, const struct consent_record *consent, struct consent_view *view_out)
{
	*view_out = (struct consent_view){
		.id = consent->id,
		.has_id = true,
		.client_id = consent->client_id,
		.has_client_id = true,
		.client_name = consent->client_name,
		.has_client_name = true,
		.scopes = desk_words(call->arena, consent->scope),
		.has_scopes = true,
		.created_at = consent->created_at,
		.has_created_at = true,
		.changed_at = consent->changed_at,
		.has_changed_at = true,
	};
}

enum err handle_me_consent_list(struct call *call, const struct empty *request_in, struct consent_list *reply_out)
{
	struct consent_record *consents = arena_take_array(call->arena, CONSENTS_MAX, sizeof(*consents));
	struct person_record person;
	struct store store = {0};
	enum err err;

	(void)request_in;
	reply_out->has_items = reply_out->has_next_cursor = true;
	reply_out->items.items = arena_take_array(call->arena, CONSENTS_MAX, sizeof(*reply_out->items.items));
	if (consents == NULL || reply_out->items.items == NULL)
		return ERR_OVERLOADED;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_person_read(&store, &call->token.person_id, &person)) != OK)
		goto done;
	err = store_consent_list(&store, person.row_id, CONSENTS_MAX, consents, &reply_out->items.count);
	for (size_t i = 0; err == OK && i < reply_out->items.count; i++)
		fill_view(call, &consents[i], &reply_out->items.items[i]);
done:
	store_release(&store);
	return err;
}

enum err handle_me_consent_delete(struct call *call, const struct consent_ref *request_in, struct empty *reply_out)
{
	struct person_record person;
	struct store store = {0};
	enum err err;

	(void)reply_out;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_person_read(&store, &call->token.person_id, &person)) != OK)
		goto done;
	err = withdraw(call, &store, person.row_id, &person.id, &request_in->id);
done:
	store_release(&store);
	return err;
}
