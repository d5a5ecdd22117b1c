/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "peer.h"

#define REPLY_MAX (64U << 10)
#define CURSOR_LEN 25 /* kind, time, id */

static enum reach_where where_of(enum token_scope scope)
{
	switch (scope) {
	case TOKEN_SITE:
		return REACH_SITE;
	case TOKEN_AREA:
		return REACH_AREA;
	case TOKEN_GROUP:
		return REACH_GROUP;
	case TOKEN_PRINCIPAL:
	default:
		return REACH_PERSON;
	}
}

static struct reach reach_of(const struct token *token, const struct token_grant *grant)
{
	const enum token_scope scope = (enum token_scope)grant->scope;

	return (struct reach){.where = where_of(scope),
		.id = grant->id,
		.act_for = token_has_at(token, PERM_BOOKING_ACT_FOR, scope, &grant->id),
		.manage = token_has_at(token, PERM_BOOKING_MANAGE, scope, &grant->id),
		.read_all = token_has_at(token, PERM_BOOKING_READ_ALL, scope, &grant->id),
		.site_manage = token_has_at(token, PERM_SITE_MANAGE, scope, &grant->id)};
}

struct caller handle_caller(const struct call *call)
{
	const struct token *token = &call->token;
	struct caller caller = {.person_id = token->person_id,
		.act_for = token_has(token, PERM_BOOKING_ACT_FOR),
		.manage = token_has(token, PERM_BOOKING_MANAGE),
		.read_all = token_has(token, PERM_BOOKING_READ_ALL),
		.site_manage = token_has(token, PERM_SITE_MANAGE)};

	_Static_assert(REACH_MAX == TOKEN_GRANTS_MAX, "a reach for each grant of a token");
	for (; caller.reach_count < token->grant_count; caller.reach_count++)
		caller.reach[caller.reach_count] = reach_of(token, &token->grants[caller.reach_count]);
	return caller;
}

enum err handle_caller_whole(struct call *call, struct caller *caller_out)
{
	enum err err = OK;

	*caller_out = handle_caller(call);
	for (size_t i = 0; i < caller_out->reach_count && err == OK; i++) {
		struct reach *reach = &caller_out->reach[i];

		if (reach->where == REACH_GROUP)
			err = peer_group_members(call, &reach->id, &reach->members, &reach->member_count);
	}
	return err;
}

enum err handle_need_place(struct call *call, const struct uuid *site_id, const struct uuid *area_id)
{
	const struct caller caller = handle_caller(call);

	if (rules_caller_at(&caller, site_id, area_id, NULL).site_manage)
		return OK;
	return call_refuse(call, ERR_FORBIDDEN, NULL, permission_name(PERM_SITE_MANAGE), NULL);
}

struct uuid handle_client_id(const struct call *call)
{
	struct uuid id;

	return uuid_parse(str_from(call->token.client_id), &id) == OK ? id : UUID_NIL;
}

enum err handle_need_person(struct call *call)
{
	if (!uuid_is_nil(&call->token.person_id))
		return OK;
	return call_refuse(call, ERR_FORBIDDEN, NULL, "person_required",
		"A client that acts for itself has no such things of its own.");
}

enum err handle_refuse(struct call *call, const struct verdict *verdict)
{
	return call_refuse(call, verdict->err, verdict->field, verdict->reason, verdict->detail);
}

enum err handle_not_found(struct call *call, const char *field)
{
	return call_refuse(call, ERR_NOT_FOUND, field, NULL, NULL);
}

enum err handle_begin(const struct call *call, struct tx **tx_out)
{
	return tx_begin(call->worker->db, &call->token.tenant_id, tx_out);
}

/* -- idempotency keys -- */

struct keyed handle_keyed(const struct call *call)
{
	struct keyed keyed = {.used = call->idempotency_key.p != NULL};
	struct uuid who = call->token.person_id;

	if (!keyed.used)
		return keyed;
	if (uuid_is_nil(&who))
		who = handle_client_id(call);
	keyed.claim = idempotency_claim(
		&call->token.tenant_id, &who, call->operation->number, call->idempotency_key, call->request_bytes);
	return keyed;
}

enum err handle_encode(struct call *call, const void *reply, struct str *bytes_out)
{
	struct buf buf;

	buf_init(&buf, REPLY_MAX);
	binary_encode(call->operation->reply(), reply, &buf);
	*bytes_out = buf_ok(&buf) ? arena_copy(call->arena, buf_str(&buf)) : STR_NONE;
	buf_release(&buf);
	return bytes_out->p ? OK : ERR_OVERLOADED;
}

enum err handle_decode(struct call *call, struct str bytes, void *reply_out)
{
	struct fault fault;
	enum err err = binary_decode(call->operation->reply(), bytes, call->arena, reply_out, &fault);

	if (err == OK || err == ERR_OVERLOADED || err == ERR_TOO_LARGE)
		return err;
	log_event(LOG_ERROR, "stored_reply_unreadable", LOG_C("operation", call->operation->name));
	return ERR_INTERNAL;
}

enum err handle_claimed(struct call *call, const struct idempotency_answer *answer, void *reply_out, bool *found_out)
{
	*found_out = false;
	if (answer->err == ERR_KEY_REUSED)
		return call_refuse(call, ERR_KEY_REUSED, "Idempotency-Key", "idempotency_key_reused",
			"This key was used before with another request; use a new key for a new request.");
	if (answer->err != OK || !answer->found)
		return answer->err;
	*found_out = true;
	return handle_decode(call, answer->reply, reply_out);
}

enum err handle_claim(struct call *call, struct tx *tx, const struct keyed *keyed, void *reply_out, bool *found_out)
{
	struct idempotency_answer answer = {.err = OK};
	enum err err;

	*found_out = false;
	if (!keyed->used)
		return OK;
	err = idempotency_begin(tx, call->worker->seal, &keyed->claim, call->arena, &answer);
	if (err != OK)
		answer.err = err;
	return handle_claimed(call, &answer, reply_out, found_out);
}

enum err handle_answer(
	struct call *call, struct tx *tx, const struct keyed *keyed, const struct seal_key *key, const void *reply)
{
	struct str bytes;
	enum err err;

	if (!keyed->used)
		return OK;
	if ((err = handle_encode(call, reply, &bytes)) != OK)
		return err;
	return idempotency_finish(
		tx, call->worker->seal, &keyed->claim, key, call->operation->success_status, bytes, call->arena);
}

/* -- events -- */

struct event handle_event(const struct call *call, const char *action, const char *object_type,
	const struct uuid *object_id, int64_t version)
{
	return (struct event){.at = clock_now_us(),
		.actor_id = call->token.person_id,
		.client_id = handle_client_id(call),
		.action = action,
		.object_type = object_type,
		.object_id = *object_id,
		.object_version = version,
		.request_id = call->request_id};
}

enum err handle_document(struct call *call, const struct shape *shape, const void *object, struct str *document_out)
{
	struct buf buf;

	buf_init(&buf, REPLY_MAX);
	json_encode(shape, object, &buf);
	*document_out = buf_ok(&buf) ? arena_copy(call->arena, buf_str(&buf)) : STR_NONE;
	buf_release(&buf);
	return document_out->p ? OK : ERR_OVERLOADED;
}

enum err handle_put_event(struct call *call, struct tx *tx, const struct event *event, const struct seal_key *key)
{
	return outbox_put_with(tx, call->worker->seal, &call->token.tenant_id, event, &key, 1);
}

/* -- pages -- */

enum err handle_cursor_read(struct call *call, enum cursor_kind kind, struct str text, struct cursor *cursor_out)
{
	struct str bytes;
	struct reader reader;

	*cursor_out = (struct cursor){0};
	if (!text.p)
		return OK;
	bytes = base64url_decode(call->arena, text);
	if (!bytes.p || bytes.len != CURSOR_LEN || bytes.p[0] != (char)kind)
		return call_refuse(call, ERR_BAD_CURSOR, "cursor", "bad_cursor",
			"Give next_cursor of the page before, unchanged.");
	reader = reader_over((struct str){bytes.p + 1, bytes.len - 1});
	cursor_out->at = (instant_us)reader_u64(&reader);
	memcpy(cursor_out->id.b, bytes.p + 9, sizeof(cursor_out->id.b));
	if (cursor_out->at < INSTANT_MIN || cursor_out->at > INSTANT_MAX)
		return call_refuse(call, ERR_BAD_CURSOR, "cursor", "bad_cursor",
			"Give next_cursor of the page before, unchanged.");
	return OK;
}

struct str handle_cursor_text(struct call *call, enum cursor_kind kind, const struct cursor *cursor)
{
	char bytes[CURSOR_LEN];

	bytes[0] = (char)kind;
	for (size_t i = 0; i < 8; i++)
		bytes[1 + i] = (char)((uint64_t)cursor->at >> (56 - 8 * i));
	memcpy(bytes + 9, cursor->id.b, sizeof(cursor->id.b));
	return base64url_encode(call->arena, (struct str){bytes, sizeof(bytes)});
}

size_t handle_limit(bool has_limit, int64_t limit)
{
	return has_limit && limit >= 1 && limit <= PAGE_MAX ? (size_t)limit : PAGE_DEFAULT;
}
