/* SPDX-License-Identifier: Apache-2.0 */
#include "store_log.h"

#include <string.h>

#include "auditsvc_sql.h"
#include "base/encode.h"
#include "base/log.h"
#include "store_place.h"

static struct str hash_str(const struct hash *hash)
{
	return (struct str){(const char *)hash->b, HASH_LEN};
}

/* ---- sealing ---- */

static enum err seal_one(const struct store *store, const struct event_row *event, const struct seal_key *key,
	const char *column, struct content *content)
{
	struct seal_place place = store_place(event, column);
	enum err err;

	if (!content->plain.p)
		return OK;
	if ((err = seal_field(key, &place, content->plain, store->arena, &content->sealed)) != OK)
		return err;
	sha256(content->sealed, content->digest.b);
	content->present = true;
	return OK;
}

static enum err seal_event(const struct store *store, struct event_row *event, const struct seal_key *key)
{
	enum err err;

	if (!key) {
		event->before = (struct content){0};
		event->after = (struct content){0};
		event->erased = true;
		return OK;
	}
	if ((err = seal_one(store, event, key, "before", &event->before)) != OK)
		return err;
	return seal_one(store, event, key, "after", &event->after);
}

/* What has documents, group by group, and the keys for it. */
struct sealing {
	struct event_row *events[STORE_EVENTS_MAX];
	struct uuid subjects[STORE_EVENTS_MAX];
	struct seal_key *keys[STORE_EVENTS_MAX];
	size_t firsts[STORE_EVENTS_MAX + 1]; /* of each group, and the end of the last */
};

static enum err queue_keys(struct store *store, const struct event_group *groups, size_t count, struct sealing *sealing)
{
	size_t n = 0;
	enum err err;

	for (size_t g = 0; g < count; g++) {
		const size_t first = n;

		sealing->firsts[g] = first;
		for (size_t i = 0; i < groups[g].count; i++) {
			struct event_row *event = groups[g].events[i];

			if (!event->before.plain.p && !event->after.plain.p)
				continue;
			sealing->events[n] = event;
			sealing->subjects[n++] = event->subject_id;
		}
		if (n == first)
			continue;
		if ((err = store_for(store, &groups[g].tenant_id)) != OK)
			return err;
		err = seal_subjects_queue(store->tx, &groups[g].tenant_id, &sealing->subjects[first], n - first);
		if (err != OK)
			return err;
	}
	sealing->firsts[count] = n;
	return tx_flush(store->tx);
}

static enum err take_keys(
	const struct store *store, const struct event_group *groups, size_t count, struct sealing *sealing)
{
	enum err err = OK;

	for (size_t g = 0; g < count && err == OK; g++) {
		const size_t first = sealing->firsts[g], n = sealing->firsts[g + 1] - first;

		if (n > 0)
			err = seal_subjects_next(store->tx, store->seal, &groups[g].tenant_id,
				&sealing->subjects[first], n, &sealing->keys[first]);
	}
	return err;
}

/* Whoever has none yet gets one; what stays without is erased. */
static enum err make_keys(struct store *store, const struct event_group *groups, size_t count, struct sealing *sealing)
{
	enum err err;

	for (size_t g = 0; g < count; g++) {
		const size_t first = sealing->firsts[g], n = sealing->firsts[g + 1] - first;
		bool all = true;

		for (size_t i = 0; i < n; i++)
			all = all && sealing->keys[first + i] != NULL;
		if (all)
			continue;
		seal_keys_free(&sealing->keys[first], n);
		if ((err = store_for(store, &groups[g].tenant_id)) != OK)
			return err;
		err = seal_subjects_load(store->tx, store->seal, &groups[g].tenant_id, &sealing->subjects[first], n,
			true, &sealing->keys[first]);
		if (err != OK)
			return err;
	}
	return OK;
}

enum err store_log_seal(struct store *store, const struct event_group *groups, size_t count)
{
	struct sealing *sealing = arena_take(store->arena, sizeof(*sealing));
	size_t total = 0;
	enum err err;

	for (size_t g = 0; g < count; g++)
		total += groups[g].count;
	INVARIANT(total <= STORE_EVENTS_MAX && count <= total);
	if (!sealing)
		return ERR_OVERLOADED;
	if ((err = queue_keys(store, groups, count, sealing)) == OK &&
		(err = take_keys(store, groups, count, sealing)) == OK)
		err = make_keys(store, groups, count, sealing);
	for (size_t i = 0; i < sealing->firsts[count] && err == OK; i++)
		err = seal_event(store, sealing->events[i], sealing->keys[i]);
	seal_keys_free(sealing->keys, STORE_EVENTS_MAX);
	return err;
}

/* ---- the end of the log ---- */

static enum err read_end(struct rows *rows, struct log_end *end_out)
{
	struct str peaks;

	*end_out = (struct log_end){0};
	if (!rows_next(rows))
		return ERR_INTERNAL;
	end_out->size = (uint64_t)rows_i64(rows, 0);
	peaks = rows_bytes(rows, 1);
	end_out->count = peaks.len / HASH_LEN;
	if (end_out->count > STORE_PEAKS_MAX || peaks.len % HASH_LEN != 0 ||
		end_out->count != (size_t)__builtin_popcountll(end_out->size)) {
		log_event(LOG_ERROR, "audit_log_inconsistent", LOG_C("where", "log_head"));
		return ERR_INTERNAL;
	}
	if (peaks.len > 0)
		memcpy(end_out->peaks, peaks.p, peaks.len);
	return OK;
}

static enum err queue_known(struct store *store, const struct event_group *group)
{
	struct uuid ids[STORE_EVENTS_MAX];
	enum err err;

	if ((err = store_for(store, &group->tenant_id)) != OK)
		return err;
	for (size_t i = 0; i < group->count; i++)
		ids[i] = group->events[i]->id;
	return tx_queue(store->tx, &sql_event_known, PARAMS(db_uuid(&group->tenant_id), db_uuids(ids, group->count)));
}

static enum err take_known(struct store *store, struct uuid *known, size_t *count)
{
	struct rows *rows = NULL;
	enum err err = tx_next(store->tx, &rows, NULL);

	while (err == OK && rows_next(rows))
		known[(*count)++] = rows_uuid(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_log_lock(struct store *store, const struct event_group *groups, size_t count, struct log_end *end_out,
	struct uuid **known_out, size_t *known_count_out)
{
	struct rows *rows = NULL;
	size_t total = 0;
	enum err err;

	*known_count_out = 0;
	for (size_t i = 0; i < count; i++)
		total += groups[i].count;
	if (!(*known_out = arena_take_array(store->arena, total + 1, sizeof(**known_out))))
		return ERR_OVERLOADED;
	if ((err = tx_queue(store->tx, &sql_head_lock, NO_PARAMS)) != OK)
		goto done;
	for (size_t i = 0; i < count; i++)
		if ((err = queue_known(store, &groups[i])) != OK)
			goto done;
	if ((err = tx_flush(store->tx)) != OK || (err = tx_next(store->tx, &rows, NULL)) != OK)
		goto done;
	err = read_end(rows, end_out);
	for (size_t i = 0; i < count && err == OK; i++)
		err = take_known(store, *known_out, known_count_out);
done:
	rows_free(&rows);
	return err;
}

enum err store_log_end(struct store *store, struct log_end *end_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(store->tx, &sql_head_read, NO_PARAMS, &rows);

	if (err == OK)
		err = read_end(rows, end_out);
	rows_free(&rows);
	return err;
}

/* ---- appending ---- */

/* Events turned into the columns that event_append and content_append unnest. */
struct columns {
	int64_t leaves[STORE_EVENTS_MAX], versions[STORE_EVENTS_MAX], content_leaves[STORE_EVENTS_MAX];
	struct uuid ids[STORE_EVENTS_MAX], objects[STORE_EVENTS_MAX], actors[STORE_EVENTS_MAX];
	struct uuid clients[STORE_EVENTS_MAX], principals[STORE_EVENTS_MAX], subjects[STORE_EVENTS_MAX];
	struct uuid requests[STORE_EVENTS_MAX], tenants[STORE_EVENTS_MAX], content_tenants[STORE_EVENTS_MAX];
	instant_us ats[STORE_EVENTS_MAX];
	struct str services[STORE_EVENTS_MAX], actions[STORE_EVENTS_MAX], types[STORE_EVENTS_MAX];
	struct str before_digests[STORE_EVENTS_MAX], after_digests[STORE_EVENTS_MAX], hashes[STORE_EVENTS_MAX];
	struct str befores[STORE_EVENTS_MAX], afters[STORE_EVENTS_MAX];
	bool erased[STORE_EVENTS_MAX];
	size_t contents;
};

static void fill(struct columns *c, size_t i, const struct event_row *event)
{
	c->tenants[i] = event->tenant_id;
	c->leaves[i] = event->leaf_index;
	c->ids[i] = event->id;
	c->ats[i] = event->at;
	c->services[i] = event->service;
	c->actions[i] = event->action;
	c->types[i] = event->object_type;
	c->objects[i] = event->object_id;
	c->versions[i] = event->object_version;
	c->actors[i] = event->actor_id;
	c->clients[i] = event->client_id;
	c->principals[i] = event->on_behalf_id;
	c->subjects[i] = event->subject_id;
	c->requests[i] = event->request_id;
	c->before_digests[i] = event->before.present ? hash_str(&event->before.digest) : STR_NONE;
	c->after_digests[i] = event->after.present ? hash_str(&event->after.digest) : STR_NONE;
	c->erased[i] = event->erased;
	c->hashes[i] = hash_str(&event->leaf_hash);
	if (!event->before.present && !event->after.present)
		return;
	c->content_tenants[c->contents] = event->tenant_id;
	c->content_leaves[c->contents] = event->leaf_index;
	c->befores[c->contents] = event->before.sealed;
	c->afters[c->contents++] = event->after.sealed;
}

/* Only these tenants' rows can be written from here on. */
static enum err name_tenants(struct store *store, const struct event_group *groups, size_t count)
{
	struct uuid tenants[STORE_EVENTS_MAX];

	INVARIANT(count <= STORE_EVENTS_MAX);
	for (size_t i = 0; i < count; i++)
		tenants[i] = groups[i].tenant_id;
	return tx_set_tenants(store->tx, tenants, count);
}

enum err store_log_append(struct store *store, const struct event_group *groups, size_t group_count,
	struct event_row *const *events, size_t n, instant_us now)
{
	struct columns *c = arena_take(store->arena, sizeof(*c));
	enum err err;

	INVARIANT(n <= STORE_EVENTS_MAX);
	if (!c)
		return ERR_OVERLOADED;
	c->contents = 0;
	if ((err = name_tenants(store, groups, group_count)) != OK)
		return err;
	for (size_t i = 0; i < n; i++)
		fill(c, i, events[i]);
	err = tx_queue_quiet(store->tx, &sql_event_append,
		PARAMS(db_uuids(c->tenants, n), db_time(now), db_i64s(c->leaves, n), db_uuids(c->ids, n),
			db_times(c->ats, n), db_strs(c->services, n), db_strs(c->actions, n), db_strs(c->types, n),
			db_uuids(c->objects, n), db_i64s(c->versions, n), db_uuids_or_null(c->actors, n),
			db_uuids_or_null(c->clients, n), db_uuids_or_null(c->principals, n),
			db_uuids_or_null(c->subjects, n), db_uuids_or_null(c->requests, n),
			db_bytess(c->before_digests, n), db_bytess(c->after_digests, n), db_bools(c->erased, n),
			db_bytess(c->hashes, n)));
	if (err != OK || c->contents == 0)
		return err;
	return tx_queue_quiet(store->tx, &sql_content_append,
		PARAMS(db_uuids(c->content_tenants, c->contents), db_time(now), db_i64s(c->content_leaves, c->contents),
			db_bytess(c->befores, c->contents), db_bytess(c->afters, c->contents)));
}

enum err store_log_advance(struct store *store, const struct log_end *end, uint64_t first_place,
	const struct hash *nodes, size_t node_count)
{
	enum err err = tx_queue_quiet(store->tx, &sql_nodes_append,
		PARAMS(db_i64((int64_t)first_place),
			db_bytes((struct str){(const char *)nodes->b, node_count * HASH_LEN})));

	if (err != OK)
		return err;
	return tx_queue_quiet(store->tx, &sql_head_advance,
		PARAMS(db_i64((int64_t)end->size),
			db_bytes((struct str){(const char *)end->peaks[0].b, end->count * HASH_LEN})));
}

enum err store_log_nodes(struct store *store, const int64_t *places, size_t count, struct hash *hashes_out)
{
	struct rows *rows = NULL;
	size_t n = 0;
	enum err err = tx_query(store->tx, &sql_nodes_read, PARAMS(db_i64s(places, count)), &rows);

	while (err == OK && rows_next(rows)) {
		struct str hash = rows_bytes(rows, 0);

		if (hash.len != HASH_LEN || n == count)
			err = ERR_INTERNAL;
		else
			memcpy(hashes_out[n++].b, hash.p, HASH_LEN);
	}
	rows_free(&rows);
	return err == OK && n != count ? ERR_INTERNAL : err;
}
