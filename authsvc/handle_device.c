/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"
#include "caller.h"
#include "csrf.h"
#include "guard.h"
#include "issue.h"
#include "pages.h"
#include "refusal.h"
#include "rules_web.h"
#include "store_device.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_DEVICE "device"
#define RANDOM_LEN 32
#define TRIES 5

static struct vault_hash user_code_hash(struct call *call, struct str user_code)
{
	return vault_hash(desk_state(call)->vault, VAULT_USER_CODE, user_code);
}

/* A device with codes of its own: those of the record that was stored. */
static enum err make_device(struct call *call, struct store *store, const struct device_record *device,
	struct str *device_code_out, struct str *user_code_out)
{
	uint8_t random[RANDOM_LEN];
	struct ticket ticket;
	struct vault_hash hash;
	enum err err = ERR_CONFLICT;

	ticket = ticket_new(desk_state(call)->vault, VAULT_DEVICE, &store->tenant_id, call->arena, device_code_out);
	if (device_code_out->p == NULL)
		return ERR_OVERLOADED;
	for (int i = 0; i < TRIES && err == ERR_CONFLICT; i++) {
		random_bytes(random, sizeof(random));
		*user_code_out = rules_user_code_make(call->arena, (struct str){(const char *)random, sizeof(random)});
		if (user_code_out->p == NULL)
			continue;
		hash = user_code_hash(call, *user_code_out);
		err = store_device_insert(
			store, device, vault_hash_str(&ticket.hash), vault_hash_str(&hash), clock_now_us());
	}
	return err == ERR_CONFLICT ? ERR_OVERLOADED : err;
}

/* RFC 8628 section 3.2 */
static enum err answer(struct call *call, struct str device_code, struct str user_code, struct web_reply *reply)
{
	const char *url = context_public_url(call->worker->context);
	struct json_writer w;
	struct buf buf;
	enum err err;

	buf_init(&buf, 2048);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	json_key(&w, "device_code");
	json_put_str(&w, device_code);
	json_key(&w, "user_code");
	json_put_str(&w, user_code);
	json_key(&w, "verification_uri");
	json_put_str(&w, arena_printf(call->arena, "%s/device", url));
	json_key(&w, "verification_uri_complete");
	json_put_str(&w, arena_printf(call->arena, "%s/device?user_code=%.*s", url, STR_ARG(user_code)));
	json_key(&w, "expires_in");
	json_put_i64(&w, DEVICE_LIFE_US / US_PER_S);
	json_key(&w, "interval");
	json_put_i64(&w, DEVICE_INTERVAL_S);
	json_end_object(&w);
	err = web_json(call, reply, 200, &buf);
	buf_release(&buf);
	return err;
}

static enum err authorize(struct call *call, const struct device_request *request, struct store *store,
	const struct client_record *client, struct web_reply *reply)
{
	struct device_record device = {.id = uuid_new(), .client_row_id = client->row_id};
	struct str device_code, user_code;
	struct scope scope;
	enum err err;

	if (!rules_word_listed(client->grants, GRANT_DEVICE))
		return refusal_answer(
			call, store, client, reply, 400, "unauthorized_client", "the client may not use this grant");
	if (!rules_scope_parse(
		    call->arena, request->has_scope ? request->scope : STR_NONE, issue_permission_bit, &scope))
		return refusal_answer(call, store, client, reply, 400, "invalid_scope",
			"the scope is malformed or holds nothing that is known");
	if (!issue_resource(call, request->has_resource ? request->resource : STR_NONE, STR_NONE, &device.resource))
		return refusal_answer(call, store, client, reply, 400, "invalid_target",
			"resource is not the issuer or the path of operations behind it");
	device.scope = scope.text;
	if ((err = make_device(call, store, &device, &device_code, &user_code)) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	return answer(call, device_code, user_code, reply);
}

enum err handle_device_authorize(
	struct call *call, const struct device_request *request_in, struct web_reply *reply_out)
{
	struct caller_claim claim = {request_in->client_id, request_in->client_secret, true,
		request_in->client_assertion_type, request_in->client_assertion};
	struct client_record client;
	struct store store = {0};
	enum err err;

	if ((err = caller_authenticate(call, &claim, reply_out, &store, &client)) == OK)
		err = authorize(call, request_in, &store, &client, reply_out);
	else if (err == ERR_UNAUTHENTICATED)
		err = OK;
	store_release(&store);
	return err;
}

struct shown {
	int status;
	struct str user_code, ui_locales;
	enum text alert; /* TEXT_COUNT: none */
	int64_t wait_s;
};

static enum err show_form(struct call *call, const struct shown *shown, struct web_reply *reply)
{
	struct page page = {
		.arena = call->arena, .locale = rules_locale_choose(shown->ui_locales, call->languages, LOCALE_EN)};
	struct str seed;
	struct buf html;
	enum err err;

	if ((err = csrf_seed(call, reply, &seed)) != OK)
		return err;
	pages_alert(&page, shown->alert, shown->wait_s);
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_device(&page, shown->user_code, csrf_token(call, seed, FORM_DEVICE, STR_NONE));
	err = web_page(call, reply, shown->status, &html);
	buf_release(&html);
	return err;
}

/* A code in the address fills the form and no more: whoever sent the link must not have the last word. */
enum err handle_device_page(
	struct call *call, const struct device_page_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {
		200, rules_user_code_normal(call->arena, request_in->user_code), request_in->ui_locales, TEXT_COUNT, 0};

	return show_form(call, &shown, reply_out);
}

/* ERR_NOT_FOUND: no device waits under this code. */
static enum err find_device(
	struct call *call, struct str user_code, struct store *store, struct device_record *device_out)
{
	struct vault_hash hash = user_code_hash(call, user_code);
	struct uuid tenant_id;
	enum err err;

	db_set_deadline(desk_of(call)->jobs, call->deadline_us);
	err = store_device_tenant(desk_of(call)->jobs, vault_hash_str(&hash), clock_now_us(), &tenant_id);
	if (err != OK)
		return err;
	if ((err = desk_begin_in(call, &tenant_id, store)) != OK)
		return err;
	return store_device_find(store, vault_hash_str(&hash), clock_now_us(), device_out);
}

/* Keeps what is asked, and sends the person to the page that asks it. */
static enum err send_to_consent(struct call *call, struct store *store, const struct device_record *device,
	struct str user_code, struct web_reply *reply)
{
	char id[UUID_TEXT_LEN + 1];
	struct ask ask = {.scope = device->scope, .user_code = user_code, .max_age_s = -1};
	struct request_record record = {.id = uuid_new(), .client_row_id = device->client_row_id};
	struct ticket ticket;
	struct str handle;
	enum err err;

	uuid_format(&device->id, id);
	ask.device = str_from(id);
	record.parameters = ask_write(call, &ask);
	ticket = ticket_new(desk_state(call)->vault, VAULT_REQUEST, &store->tenant_id, call->arena, &handle);
	if (handle.p == NULL || record.parameters.p == NULL)
		return ERR_OVERLOADED;
	if ((err = store_request_insert(store, &record, vault_hash_str(&ticket.hash), clock_now_us())) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	return web_see_other(reply, arena_printf(call->arena, "/consent?resume=%.*s", STR_ARG(handle)));
}

/* ERR_UNAUTHENTICATED: the page is shown again, with what was wrong. */
static enum err try_code(struct call *call, const struct device_submit_request *request, struct store *store,
	struct shown *shown, struct web_reply *reply)
{
	struct str user_code = rules_user_code_normal(call->arena, request->user_code);
	struct device_record device;
	struct guard guard;
	enum err err;

	if ((err = guard_knock(call, FORM_DEVICE, &guard, &shown->wait_s)) != OK)
		return err;
	if (shown->wait_s > 0) {
		shown->status = 429;
		shown->alert = TEXT_WAIT_FMT;
		return ERR_UNAUTHENTICATED;
	}
	shown->alert = TEXT_DEVICE_CODE_WRONG;
	if (user_code.p == NULL || (err = find_device(call, user_code, store, &device)) == ERR_NOT_FOUND)
		return ERR_UNAUTHENTICATED;
	if (err != OK || (err = send_to_consent(call, store, &device, user_code, reply)) != OK)
		return err;
	guard_succeed(call, &guard);
	return OK;
}

enum err handle_device_submit(
	struct call *call, const struct device_submit_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {403, request_in->user_code, request_in->ui_locales, TEXT_FORM_EXPIRED, 0};
	struct store store = {0};
	enum err err = ERR_UNAUTHENTICATED;

	if (call->form_fault.p == NULL &&
		csrf_matches(call, csrf_sent_seed(call), FORM_DEVICE, STR_NONE, request_in->csrf))
		err = try_code(call, request_in, &store, &shown, reply_out);
	store_release(&store);
	if (err != ERR_UNAUTHENTICATED)
		return err;
	*reply_out = (struct web_reply){0};
	return show_form(call, &shown, reply_out);
}
