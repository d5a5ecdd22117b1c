/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <string.h>

#include "auditsvc_sql.h"
#include "base/encode.h"
#include "base/log.h"
#include "store_place.h"

enum err store_begin(
	struct db *db, struct seal *seal, struct arena *arena, const struct uuid *tenant_id, struct store *store_out)
{
	*store_out = (struct store){.seal = seal, .arena = arena, .tenant_id = *tenant_id};
	return tx_begin(db, tenant_id, &store_out->tx);
}

enum err store_begin_jobs(struct db *jobs, struct arena *arena, struct store *store_out)
{
	*store_out = (struct store){.arena = arena};
	return tx_begin_jobs(jobs, &store_out->tx);
}

enum err store_for(struct store *store, const struct uuid *tenant_id)
{
	if (uuid_eq(&store->tenant_id, tenant_id))
		return OK;
	store->tenant_id = *tenant_id;
	return tx_set_tenant(store->tx, tenant_id);
}

enum err store_commit(struct store *store)
{
	return tx_commit(&store->tx);
}

void store_release(struct store *store)
{
	tx_free(&store->tx);
}

/* ---- reading ---- */

#define COUNT_BY_LEAF 7
#define COUNT_BY_TIME 9

static struct hash read_hash(const struct rows *rows, int column)
{
	struct str bytes = rows_bytes(rows, column);
	struct hash hash = {{0}};

	if (bytes.len == HASH_LEN)
		memcpy(hash.b, bytes.p, HASH_LEN);
	return hash;
}

static enum err read_content(
	const struct rows *rows, int digest, int sealed, struct arena *arena, struct content *content_out)
{
	*content_out = (struct content){.present = !rows_is_null(rows, digest), .digest = read_hash(rows, digest)};
	content_out->sealed = rows_copy(rows, sealed, arena);
	return content_out->sealed.p || rows_is_null(rows, sealed) ? OK : ERR_TOO_LARGE;
}

/* The columns of event_list, event_read and event_of_person. */
static enum err read_event(const struct store *store, const struct rows *rows, struct event_row *event_out)
{
	enum err err;

	*event_out = (struct event_row){
		.leaf_index = rows_i64(rows, 0),
		.leaf_hash = read_hash(rows, 1),
		.tenant_id = store->tenant_id,
		.id = rows_uuid(rows, 2),
		.at = rows_time(rows, 3),
		.service = rows_copy(rows, 4, store->arena),
		.action = rows_copy(rows, 5, store->arena),
		.object_type = rows_copy(rows, 6, store->arena),
		.object_id = rows_uuid(rows, 7),
		.object_version = rows_i64(rows, 8),
		.actor_id = rows_uuid(rows, 9),
		.client_id = rows_uuid(rows, 10),
		.on_behalf_id = rows_uuid(rows, 11),
		.subject_id = rows_uuid(rows, 12),
		.request_id = rows_uuid(rows, 13),
		.erased = rows_bool(rows, 16),
	};
	if (!event_out->service.p || !event_out->action.p || !event_out->object_type.p)
		return ERR_TOO_LARGE;
	if ((err = read_content(rows, 14, 17, store->arena, &event_out->before)) != OK)
		return err;
	return read_content(rows, 15, 18, store->arena, &event_out->after);
}

static enum err read_events(struct store *store, struct rows *rows, struct event_row **events_out, size_t *count_out)
{
	size_t n = 0;
	enum err err;

	*count_out = 0;
	if (!(*events_out = arena_take_array(store->arena, rows_count(rows) + 1, sizeof(**events_out))))
		return ERR_TOO_LARGE;
	while (rows_next(rows)) {
		if ((err = read_event(store, rows, &(*events_out)[n])) != OK)
			return err;
		n++;
	}
	*count_out = n;
	return OK;
}

enum err store_event_list(
	struct store *store, const struct event_filter *filter, struct event_row **events_out, size_t *count_out)
{
	const struct db_param params[COUNT_BY_TIME] = {
		db_uuid(&store->tenant_id),
		db_i64(filter->behind.leaf_index),
		db_i64(filter->limit),
		db_uuid_or_null(&filter->actor_id),
		db_uuid_or_null(&filter->object_id),
		db_str(filter->object_type),
		db_str(filter->action),
		db_time(filter->behind.at),
		db_time(filter->from),
	};
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	if ((err = tx_queue_quiet(store->tx, &sql_plan_custom, NO_PARAMS)) != OK)
		return err;
	err = tx_query(store->tx, filter->by_time ? &sql_event_list_time : &sql_event_list, params,
		filter->by_time ? COUNT_BY_TIME : COUNT_BY_LEAF, &rows);
	if (err == OK)
		err = read_events(store, rows, events_out, count_out);
	rows_free(&rows);
	return err;
}

enum err store_event_read(struct store *store, const struct uuid *id, struct event_row *event_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(store->tx, &sql_event_read, PARAMS(db_uuid(&store->tenant_id), db_uuid(id)), &rows);

	if (err == OK)
		err = rows_next(rows) ? read_event(store, rows, event_out) : ERR_NOT_FOUND;
	rows_free(&rows);
	return err;
}

enum err store_event_of_person(struct store *store, const struct uuid *person_id, int64_t below, int64_t limit,
	struct event_row **events_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(store->tx, &sql_event_of_person,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(person_id), db_i64(below), db_i64(limit)), &rows);

	*count_out = 0;
	if (err == OK)
		err = read_events(store, rows, events_out, count_out);
	rows_free(&rows);
	return err;
}

/* ---- opening ---- */

struct seal_place store_place(const struct event_row *event, const char *column)
{
	return (struct seal_place){&event->tenant_id, "content", column, &event->id};
}

static enum err open_content(const struct store *store, const struct event_row *event, const struct seal_key *key,
	const char *column, struct content *content)
{
	struct seal_place place = store_place(event, column);
	struct hash digest;
	enum err err;

	if (!content->present || !content->sealed.p || !key)
		return OK;
	sha256(content->sealed, digest.b);
	if (memcmp(digest.b, content->digest.b, HASH_LEN) != 0)
		err = ERR_INTERNAL;
	else
		err = seal_open(key, &place, content->sealed, store->arena, &content->plain);
	if (err != ERR_INTERNAL)
		return err;
	/* One damaged document must not hide the rest of the trail. */
	log_event(LOG_ERROR, "audit_content_damaged", LOG_I("leaf", event->leaf_index), LOG_C("column", column));
	content->plain = STR_NONE;
	return OK;
}

enum err store_event_open(struct store *store, struct event_row *events, size_t count)
{
	struct seal_key *keys[STORE_EVENTS_MAX] = {0};
	struct uuid subjects[STORE_EVENTS_MAX] = {0};
	size_t at[STORE_EVENTS_MAX];
	size_t n = 0;
	enum err err;

	INVARIANT(count <= STORE_EVENTS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!events[i].before.sealed.p && !events[i].after.sealed.p)
			continue;
		subjects[n] = events[i].subject_id;
		at[n++] = i;
	}
	if (n == 0)
		return OK;
	err = seal_subjects_load(store->tx, store->seal, &store->tenant_id, subjects, n, false, keys);
	for (size_t k = 0; k < n && err == OK; k++) {
		struct event_row *event = &events[at[k]];

		if ((err = open_content(store, event, keys[k], "before", &event->before)) == OK)
			err = open_content(store, event, keys[k], "after", &event->after);
	}
	seal_keys_free(keys, n);
	return err;
}

/* ---- going ---- */

enum err store_person_erase(struct store *store, const struct uuid *person_id, int64_t *events_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(
		store->tx, &sql_event_count_subject, PARAMS(db_uuid(&store->tenant_id), db_uuid(person_id)), &rows);

	*events_out = err == OK && rows_next(rows) ? rows_i64(rows, 0) : 0;
	rows_free(&rows);
	return err == OK ? seal_erase(store->tx, &store->tenant_id, person_id) : err;
}

enum err store_content_retain(struct store *store, instant_us before, int64_t limit, int64_t *rows_out)
{
	uint64_t affected = 0;
	enum err err = tx_exec(store->tx, &sql_content_retain, PARAMS(db_time(before), db_i64(limit)), &affected);

	*rows_out = (int64_t)affected;
	return err;
}
