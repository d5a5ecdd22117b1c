/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/outbox_private.h"
#include "outbox_sql.h"

/* Asked once for each connection: the lock lives and dies with it. */
static enum err lead(struct outbox_relay *relay, struct tx *tx, bool *leading_out)
{
	struct rows *rows = NULL;
	enum err err = OK;

	*leading_out = relay->lock_generation == db_generation(relay->db);
	if (*leading_out)
		return OK;
	relay->lock_generation = 0;
	if ((err = tx_query(tx, &sql_outbox_lock, NO_PARAMS, &rows)) == OK && rows_next(rows) && rows_bool(rows, 0)) {
		relay->lock_generation = db_generation(relay->db);
		*leading_out = true;
	}
	rows_free(&rows);
	return err;
}

static const char *copy_name(struct arena *arena, const struct rows *rows, int column)
{
	return rows_copy(rows, column, arena).p;
}

static void read_row(const struct rows *rows, struct arena *arena, struct outbox_event *e)
{
	*e = (struct outbox_event){
		.seq = rows_i64(rows, 0),
		.tenant_id = rows_uuid(rows, 2),
		.erased = rows_bool(rows, 13),
		.event = {.id = rows_uuid(rows, 1),
			.at = rows_time(rows, 3),
			.actor_id = rows_uuid(rows, 4),
			.on_behalf_id = rows_uuid(rows, 5),
			.subject_id = rows_uuid(rows, 6),
			.object_id = rows_uuid(rows, 7),
			.action = copy_name(arena, rows, 8),
			.object_type = copy_name(arena, rows, 9),
			.object_version = rows_i64(rows, 10),
			.request_id = rows_uuid(rows, 11),
			.client_id = rows_uuid(rows, 14)},
	};
}

static enum err read_rows(struct outbox_relay *relay, struct rows *rows, struct outbox_page *page)
{
	size_t n = rows_count(rows);

	page->events = arena_take_array(relay->arena, n + 1, sizeof(*page->events));
	page->sealed = arena_take_array(relay->arena, n + 1, sizeof(*page->sealed));
	if (!page->events || !page->sealed)
		return ERR_OVERLOADED;
	page->full = n == relay->config.batch_max;
	while (rows_next(rows)) {
		struct outbox_event *e = &page->events[page->count];

		read_row(rows, relay->arena, e);
		if (!e->event.action || !e->event.object_type)
			return ERR_OVERLOADED;
		page->last_seq = e->seq;
		if (outbox_relay_holds(relay, &e->event))
			continue;
		page->sealed[page->count++] = rows_bytes(rows, 12);
	}
	return OK;
}

/* A document that does not open any more must not stop the others. */
static enum err open_payload(
	struct outbox_relay *relay, const struct seal_key *key, struct str sealed, struct outbox_event *e)
{
	struct seal_place place = outbox_place(&e->tenant_id, &e->event.id);
	struct str plain;
	enum err err;

	if (!sealed.p)
		return OK;
	err = seal_open(key, &place, sealed, relay->arena, &plain);
	if (err == OK)
		err = outbox_payload_decode(plain, &e->event.before, &e->event.after);
	if (err == ERR_OVERLOADED)
		return err;
	e->erased = err != OK;
	return OK;
}

static enum err open_all(struct outbox_relay *relay, struct tx *tx, struct outbox_page *page)
{
	struct uuid tenants[OUTBOX_EVENTS_MAX] = {0}, subjects[OUTBOX_EVENTS_MAX] = {0};
	struct seal_key *keys[OUTBOX_EVENTS_MAX] = {0};
	enum err err;

	for (size_t i = 0; i < page->count; i++) {
		tenants[i] = page->events[i].tenant_id;
		subjects[i] = page->events[i].event.subject_id;
	}
	if ((err = seal_jobs_load(tx, relay->config.seal, tenants, subjects, page->count, keys)) != OK)
		return err;
	for (size_t i = 0; i < page->count && err == OK; i++)
		err = open_payload(relay, keys[i], page->sealed[i], &page->events[i]);
	seal_keys_free(keys, page->count);
	return err;
}

enum err outbox_page_load(struct outbox_relay *relay, int64_t after_seq, struct outbox_page *page, bool *leading_out)
{
	struct rows *rows = NULL;
	struct tx *tx = NULL;
	enum err err;

	*leading_out = false;
	*page = (struct outbox_page){.last_seq = after_seq};
	arena_reset(relay->arena);
	if ((err = outbox_relay_begin(relay, &tx)) != OK)
		goto done;
	if ((err = lead(relay, tx, leading_out)) != OK || !*leading_out)
		goto done;
	err = tx_query(
		tx, &sql_outbox_page, PARAMS(db_i64(after_seq), db_i64((int64_t)relay->config.batch_max)), &rows);
	if (err != OK)
		goto done;
	if ((err = read_rows(relay, rows, page)) != OK)
		goto done;
	if (page->count && (err = open_all(relay, tx, page)) != OK)
		goto done;
	err = tx_commit(&tx);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}
