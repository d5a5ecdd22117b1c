/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/outbox.h"

#include <string.h>

#include "base/log.h"
#include "outbox/outbox_private.h"
#include "outbox_sql.h"

#define HAS_BEFORE 1U
#define HAS_AFTER 2U
/* Two lengths and the flags around a document. */
#define PAYLOAD_MAX (OUTBOX_DOC_MAX + 16U)
/* The columns, and the sealed payloads up to what one statement takes anyway. */
#define SCRATCH_MAX (DB_PARAM_BYTES_MAX + (1U << 20))

/* Events turned into the columns that the statement unnests: as many as there are, for most are few. */
struct columns {
	struct uuid *ids, *actors, *principals, *clients, *subjects, *objects, *requests;
	instant_us *ats;
	struct str *actions, *types, *payloads;
	int64_t *versions;
	bool *erased;
};

static bool columns_init(struct columns *c, struct arena *arena, size_t count)
{
	struct uuid *ids = arena_take_array(arena, count, 7 * sizeof(*ids));
	instant_us *times = arena_take_array(arena, count, sizeof(*times));
	struct str *texts = arena_take_array(arena, count, 3 * sizeof(*texts));
	int64_t *versions = arena_take_array(arena, count, sizeof(*versions));
	bool *erased = arena_take_array(arena, count, sizeof(*erased));

	if (!ids || !times || !texts || !versions || !erased)
		return false;
	*c = (struct columns){.ids = ids,
		.actors = ids + count,
		.principals = ids + 2 * count,
		.clients = ids + 3 * count,
		.subjects = ids + 4 * count,
		.objects = ids + 5 * count,
		.requests = ids + 6 * count,
		.ats = times,
		.actions = texts,
		.types = texts + count,
		.payloads = texts + 2 * count,
		.versions = versions,
		.erased = erased};
	return true;
}

void outbox_payload_encode(struct buf *buf, struct str before, struct str after)
{
	buf_put_byte(buf, (uint8_t)((before.p ? HAS_BEFORE : 0) | (after.p ? HAS_AFTER : 0)));
	if (before.p)
		buf_put_blob(buf, before);
	if (after.p)
		buf_put_blob(buf, after);
}

enum err outbox_payload_decode(struct str plain, struct str *before_out, struct str *after_out)
{
	struct reader reader = reader_over(plain);
	uint8_t flags = reader_u8(&reader);

	*before_out = flags & HAS_BEFORE ? reader_blob(&reader, OUTBOX_DOC_MAX) : STR_NONE;
	*after_out = flags & HAS_AFTER ? reader_blob(&reader, OUTBOX_DOC_MAX) : STR_NONE;
	if (flags <= (HAS_BEFORE | HAS_AFTER) && reader_done(&reader))
		return OK;
	*before_out = STR_NONE;
	*after_out = STR_NONE;
	return ERR_INTERNAL;
}

struct seal_place outbox_place(const struct uuid *tenant_id, const struct uuid *event_id)
{
	return (struct seal_place){tenant_id, "outbox", "payload", event_id};
}

static bool has_documents(const struct event *event)
{
	return event->before.p || event->after.p;
}

static bool is_name(const char *name)
{
	size_t len = name ? strnlen(name, OUTBOX_NAME_MAX + 1) : 0;

	return len > 0 && len <= OUTBOX_NAME_MAX;
}

static enum err check(const struct event *events, size_t count)
{
	if (count > OUTBOX_EVENTS_MAX)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < count; i++) {
		const struct event *e = &events[i];

		if (!is_name(e->action) || !is_name(e->object_type) || e->at < INSTANT_MIN || e->at > INSTANT_MAX)
			return ERR_BAD_FIELD;
		if (e->before.len > OUTBOX_DOC_MAX || e->after.len > OUTBOX_DOC_MAX - e->before.len)
			return ERR_TOO_LARGE;
	}
	return OK;
}

static enum err seal_payload(const struct seal_key *key, const struct uuid *tenant_id, const struct uuid *id,
	const struct event *event, struct arena *arena, struct str *sealed_out)
{
	struct seal_place place = outbox_place(tenant_id, id);
	struct buf plain;
	enum err err;

	buf_init(&plain, PAYLOAD_MAX);
	outbox_payload_encode(&plain, event->before, event->after);
	err = buf_ok(&plain) ? seal_field(key, &place, buf_str(&plain), arena, sealed_out) : ERR_OVERLOADED;
	buf_release(&plain);
	return err;
}

static enum err fill(struct columns *c, size_t i, const struct uuid *tenant_id, const struct event *event,
	const struct seal_key *key, struct arena *arena)
{
	c->ids[i] = uuid_is_nil(&event->id) ? uuid_new() : event->id;
	c->ats[i] = event->at;
	c->actors[i] = event->actor_id;
	c->principals[i] = event->on_behalf_id;
	c->clients[i] = event->client_id;
	c->subjects[i] = event->subject_id;
	c->objects[i] = event->object_id;
	c->actions[i] = str_from(event->action);
	c->types[i] = str_from(event->object_type);
	c->versions[i] = event->object_version;
	c->requests[i] = event->request_id;
	c->payloads[i] = STR_NONE;
	c->erased[i] = has_documents(event) && !key;
	return has_documents(event) && key ? seal_payload(key, tenant_id, &c->ids[i], event, arena, &c->payloads[i])
	                                   : OK;
}

/* Of one tenant; `across`: tenants[i] for events[i]. */
static enum err put(struct tx *tx, const struct uuid *tenants, bool across, const struct event *events,
	const struct seal_key *const *keys, size_t count)
{
	struct arena *arena = arena_new(SCRATCH_MAX);
	struct columns c;
	enum err err = arena && columns_init(&c, arena, count) ? OK : ERR_OVERLOADED;

	for (size_t i = 0; i < count && err == OK; i++)
		err = fill(&c, i, &tenants[across ? i : 0], &events[i], keys[i], arena);
	if (err == OK)
		err = tx_queue_quiet(tx, across ? &sql_outbox_put_across : &sql_outbox_put,
			PARAMS(across ? db_uuids(tenants, count) : db_uuid(tenants), db_uuids(c.ids, count),
				db_times(c.ats, count), db_uuids_or_null(c.actors, count),
				db_uuids_or_null(c.principals, count), db_uuids_or_null(c.subjects, count),
				db_uuids_or_null(c.objects, count), db_strs(c.actions, count), db_strs(c.types, count),
				db_i64s(c.versions, count), db_uuids_or_null(c.requests, count),
				db_bytess(c.payloads, count), db_bools(c.erased, count),
				db_uuids_or_null(c.clients, count)));
	arena_free(&arena);
	return err;
}

enum err outbox_put_with(struct tx *tx, struct seal *seal, const struct uuid *tenant_id, const struct event *events,
	const struct seal_key *const *keys, size_t count)
{
	struct uuid subjects[OUTBOX_EVENTS_MAX] = {0};
	struct seal_key *loaded[OUTBOX_EVENTS_MAX] = {0};
	const struct seal_key *used[OUTBOX_EVENTS_MAX] = {0};
	size_t places[OUTBOX_EVENTS_MAX] = {0};
	size_t n = 0;
	enum err err;

	INVARIANT(uuid_eq(tx_tenant(tx), tenant_id));
	if (count == 0)
		return OK;
	if ((err = check(events, count)) != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		used[i] = keys ? keys[i] : NULL;
		if (used[i] || !has_documents(&events[i]))
			continue;
		subjects[n] = events[i].subject_id;
		places[n++] = i;
	}
	if ((err = seal_subjects_load(tx, seal, tenant_id, subjects, n, true, loaded)) != OK)
		return err;
	for (size_t k = 0; k < n; k++)
		used[places[k]] = loaded[k];
	err = put(tx, tenant_id, false, events, used, count);
	seal_keys_free(loaded, n);
	return err;
}

enum err outbox_put_across(struct tx *tx, const struct uuid *tenants, const struct event *events,
	const struct seal_key *const *keys, size_t count)
{
	enum err err;

	if (count == 0)
		return OK;
	if ((err = check(events, count)) != OK)
		return err;
	return put(tx, tenants, true, events, keys, count);
}

enum err outbox_put(
	struct tx *tx, struct seal *seal, const struct uuid *tenant_id, const struct event *events, size_t count)
{
	return outbox_put_with(tx, seal, tenant_id, events, NULL, count);
}

enum err outbox_pending_for(
	struct tx *tx, const struct uuid *tenant_id, const struct uuid *subject_id, uint64_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_outbox_pending, PARAMS(db_uuid(tenant_id), db_uuid(subject_id)), &rows);

	*count_out = err == OK && rows_next(rows) ? (uint64_t)rows_i64(rows, 0) : 0;
	rows_free(&rows);
	return err;
}
