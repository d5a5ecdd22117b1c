/* SPDX-License-Identifier: Apache-2.0 */
#include "desk.h"

#include <string.h>

#include "ticket.h"

#define DOCUMENT_MAX (64U * 1024U)
#define PAGE_DEFAULT 50

struct state *desk_state(const struct call *call)
{
	return state_of(call->worker->context);
}

struct desk *desk_of(const struct call *call)
{
	return call->worker->state;
}

enum err desk_begin(struct call *call, struct store *store_out)
{
	return desk_begin_in(call, &call->token.tenant_id, store_out);
}

enum err desk_begin_in(struct call *call, const struct uuid *tenant_id, struct store *store_out)
{
	db_set_deadline(call->worker->db, call->deadline_us);
	return store_begin(call->worker->db, call->worker->seal, call->arena, tenant_id, store_out);
}

enum err desk_check_version(const struct call *call, int64_t version)
{
	return call->if_match == -1 || call->if_match == version ? OK : ERR_VERSION_STALE;
}

enum err desk_commit(struct call *call, struct store *store)
{
	enum err err = store_commit(store);

	if (err == OK) {
		outbox_poke(context_relay(call->worker->context));
		if (store->wakes)
			context_poke(call->worker->context);
	}
	return err;
}

static struct uuid token_client(const struct call *call)
{
	struct uuid client = UUID_NIL;

	return uuid_parse(str_from(call->token.client_id), &client) == OK ? client : UUID_NIL;
}

struct uuid desk_actor(const struct call *call)
{
	if (!call->has_token)
		return UUID_NIL;
	return uuid_is_nil(&call->token.person_id) ? token_client(call) : call->token.person_id;
}

struct rights desk_rights(const struct call *call)
{
	_Static_assert(sizeof(struct rights) == sizeof(call->token.permissions), "the bitmap of a token");
	struct rights rights;

	memcpy(rights.bits, call->token.permissions, sizeof(rights.bits));
	return rights;
}

enum err desk_put_event(struct call *call, struct store *store, const struct trail *trail)
{
	struct event event = {
		.at = clock_now_us(),
		.actor_id = trail->actor_id,
		.client_id = trail->client_id,
		.subject_id = trail->subject_id,
		.object_id = trail->object_id,
		.action = trail->action,
		.object_type = trail->object_type,
		.before = trail->before,
		.after = trail->after,
		.request_id = call->request_id,
		.object_version = trail->version,
	};

	if (call->has_token && uuid_is_nil(&trail->actor_id) && uuid_is_nil(&trail->client_id)) {
		event.actor_id = call->token.person_id;
		event.client_id = token_client(call);
	}
	return outbox_put(store->tx, store->seal, &store->tenant_id, &event, 1);
}

struct str desk_json(struct call *call, const struct shape *shape, const void *object)
{
	struct str text;
	struct buf buf;

	buf_init(&buf, DOCUMENT_MAX);
	json_encode(shape, object, &buf);
	text = buf_ok(&buf) ? arena_copy(call->arena, buf_str(&buf)) : STR_NONE;
	buf_release(&buf);
	return text;
}

enum err desk_page(struct call *call, const char *name, bool has_limit, int64_t limit, struct str cursor,
	size_t record_size, size_t item_size, struct desk_list *list_out)
{
	*list_out =
		(struct desk_list){.name = name, .after = UUID_NIL, .limit = has_limit ? (size_t)limit : PAGE_DEFAULT};
	if (cursor.p != NULL && !ticket_cursor_parse(desk_state(call)->vault, &call->token.tenant_id, name, call->arena,
					cursor, &list_out->after))
		return ERR_BAD_CURSOR;
	list_out->fetch = list_out->limit + 1;
	list_out->records = arena_take_array(call->arena, list_out->fetch, record_size);
	list_out->items = arena_take_array(call->arena, list_out->fetch, item_size);
	return list_out->records != NULL && list_out->items != NULL ? OK : ERR_OVERLOADED;
}

size_t desk_page_shown(const struct desk_list *list, size_t found)
{
	return found < list->limit ? found : list->limit;
}

struct str desk_page_next(const struct call *call, const struct desk_list *list, size_t found, const struct uuid *last)
{
	if (found <= list->limit)
		return STR_NONE;
	return ticket_cursor_new(desk_state(call)->vault, &call->token.tenant_id, list->name, last, call->arena);
}

struct texts desk_words(struct arena *arena, struct str words)
{
	struct texts texts = {NULL, 0};
	struct str rest = words;
	size_t count = words.len > 0;
	bool more;

	for (size_t i = 0; i < words.len; i++)
		count += words.p[i] == ' ';
	texts.items = arena_take_array(arena, count > 0 ? count : 1, sizeof(*texts.items));
	if (texts.items == NULL || words.len == 0)
		return texts;
	do {
		more = str_cut(&rest, ' ', &texts.items[texts.count]);
		texts.count++;
	} while (more);
	return texts;
}

struct str desk_join(struct arena *arena, const struct texts *texts)
{
	size_t len = 0;
	size_t room = 1;
	char *p;

	for (size_t i = 0; i < texts->count; i++)
		room += texts->items[i].len + 1;
	if ((p = arena_take(arena, room)) == NULL)
		return STR_NONE;
	for (size_t i = 0; i < texts->count; i++) {
		if (i > 0)
			p[len++] = ' ';
		memcpy(p + len, texts->items[i].p, texts->items[i].len);
		len += texts->items[i].len;
	}
	return (struct str){p, len};
}
