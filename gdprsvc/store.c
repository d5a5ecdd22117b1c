/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <stdio.h>

#include "base/crash.h"
#include "gdprsvc_sql.h"

static void erasure_row(const struct rows *rows, const struct uuid *tenant_id, struct erasure_record *erasure_out)
{
	*erasure_out = (struct erasure_record){
		.key = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.tenant_id = *tenant_id,
		.person_id = rows_uuid(rows, 2),
		.requested_at = rows_time(rows, 3),
		.completed_at = rows_time(rows, 4),
		.pending = (unsigned)rows_i64(rows, 5),
		.actor_id = rows_uuid(rows, 6),
		.accepted_at = rows_time(rows, 7),
	};
}

static enum err put_event(struct tx *tx, const struct store *store, const struct store_origin *origin,
	const char *action, const char *object_type, const struct uuid *object_id, struct str after)
{
	const struct event event = {
		.at = origin->now,
		.actor_id = origin->actor_id,
		.client_id = origin->client_id,
		.object_id = *object_id,
		.action = action,
		.object_type = object_type,
		.after = after,
		.request_id = origin->request_id,
	};

	return outbox_put(tx, store->seal, tx_tenant(tx), &event, 1);
}

static enum err put_erasure_event(struct tx *tx, const struct store *store, const struct store_origin *origin,
	const char *action, const struct erasure_record *erasure)
{
	char person[UUID_TEXT_LEN + 1], text[96];
	int len;

	uuid_format(&erasure->person_id, person);
	len = snprintf(text, sizeof text, "{\"person_id\":\"%s\",\"pending\":%u}", person, erasure->pending);
	return put_event(tx, store, origin, action, "erasure", &erasure->id, (struct str){text, (size_t)len});
}

static enum err erasure_one(struct tx *tx, const struct db_statement *statement, const struct uuid *tenant_id,
	const struct uuid *id, struct erasure_record *erasure_out)
{
	struct rows *rows = NULL;
	enum err err;

	if ((err = tx_query(tx, statement, PARAMS(db_uuid(tenant_id), db_uuid(id)), &rows)) != OK)
		return err;
	if (rows_next(rows))
		erasure_row(rows, tenant_id, erasure_out);
	else
		err = ERR_NOT_FOUND;
	rows_free(&rows);
	return err;
}

enum err store_erasure_begin(const struct store *store, const struct store_origin *origin, const struct uuid *tenant_id,
	const struct uuid *person_id, bool accepted, struct erasure_record *erasure_out)
{
	const struct uuid id = uuid_new();
	struct tx *tx = NULL;
	uint64_t inserted = 0;
	enum err err;

	if ((err = tx_begin(store->db, tenant_id, &tx)) != OK)
		goto done;
	err = tx_exec(tx, &sql_erasure_insert,
		PARAMS(db_uuid(&id), db_uuid(tenant_id), db_uuid(person_id), db_uuid_or_null(&origin->actor_id),
			db_time(origin->now), db_time_or_null(accepted ? &origin->now : NULL)),
		&inserted);
	if (err != OK)
		goto done;
	if ((err = erasure_one(tx, &sql_erasure_by_person, tenant_id, person_id, erasure_out)) != OK)
		goto done;
	if (inserted > 0 && accepted)
		err = put_erasure_event(tx, store, origin, "erasure.request", erasure_out);
	if (err != OK)
		goto done;
	CRASH_POINT("erasure.before_begin");
	err = tx_commit(&tx);
	CRASH_POINT("erasure.after_begin");
done:
	tx_free(&tx);
	return err;
}

enum err store_erasure_accept(
	const struct store *store, const struct store_origin *origin, struct erasure_record *erasure)
{
	struct tx *tx = NULL;
	uint64_t accepted = 0;
	enum err err;

	if ((err = tx_begin(store->db, &erasure->tenant_id, &tx)) != OK)
		goto done;
	err = tx_exec(tx, &sql_erasure_accept,
		PARAMS(db_uuid(&erasure->tenant_id), db_uuid(&erasure->id), db_time(origin->now)), &accepted);
	if (err != OK)
		goto done;
	if (accepted > 0 && (err = put_erasure_event(tx, store, origin, "erasure.request", erasure)) != OK)
		goto done;
	CRASH_POINT("erasure.before_accept");
	if ((err = tx_commit(&tx)) == OK)
		erasure->accepted_at = origin->now;
	CRASH_POINT("erasure.after_accept");
done:
	tx_free(&tx);
	return err;
}

enum err store_erasure_confirm(const struct store *store, const struct store_origin *origin, enum erasure_step step,
	struct erasure_record *erasure)
{
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	enum err err;

	if ((err = tx_begin(store->db, &erasure->tenant_id, &tx)) != OK)
		goto done;
	err = tx_query(tx, &sql_erasure_confirm,
		PARAMS(db_uuid(&erasure->tenant_id), db_uuid(&erasure->id), db_i64((int64_t)step),
			db_time(origin->now)),
		&rows);
	if (err != OK)
		goto done;
	/* Only one of two runners sees the last bit go, and so the event is put once. */
	if (rows_next(rows)) {
		erasure->pending = (unsigned)rows_i64(rows, 0);
		if (erasure->pending == 0)
			err = put_erasure_event(tx, store, origin, "erasure.complete", erasure);
		if (err != OK)
			goto done;
	}
	CRASH_POINT("erasure.before_confirm");
	if ((err = tx_commit(&tx)) != OK)
		goto done;
	CRASH_POINT("erasure.after_confirm");
	err = store_erasure_read(store, &erasure->tenant_id, &erasure->id, erasure);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_erasure_withdraw(const struct store *store, const struct erasure_record *erasure)
{
	struct tx *tx = NULL;
	enum err err;

	if ((err = tx_begin(store->db, &erasure->tenant_id, &tx)) == OK)
		err = tx_commit_with(&tx, &sql_erasure_withdraw,
			PARAMS(db_uuid(&erasure->tenant_id), db_uuid(&erasure->id)), NULL, NULL);
	tx_free(&tx);
	return err;
}

enum err store_erasure_read(const struct store *store, const struct uuid *tenant_id, const struct uuid *id,
	struct erasure_record *erasure_out)
{
	struct tx *tx = NULL;
	enum err err;

	if ((err = tx_begin(store->db, tenant_id, &tx)) != OK)
		goto done;
	if ((err = erasure_one(tx, &sql_erasure_by_id, tenant_id, id, erasure_out)) != OK)
		goto done;
	err = tx_commit(&tx);
done:
	tx_free(&tx);
	return err;
}

enum err store_erasure_page(const struct store *store, const struct uuid *tenant_id, int64_t before_key,
	struct erasure_record *erasures_out, size_t cap, size_t *count_out)
{
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	if ((err = tx_begin(store->db, tenant_id, &tx)) != OK)
		goto done;
	err = tx_commit_with(&tx, &sql_erasure_page,
		PARAMS(db_uuid(tenant_id), db_i64(before_key), db_i64((int64_t)cap)), &rows, NULL);
	if (err != OK)
		goto done;
	while (*count_out < cap && rows_next(rows))
		erasure_row(rows, tenant_id, &erasures_out[(*count_out)++]);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_export_event(const struct store *store, const struct store_origin *origin, const struct uuid *tenant_id,
	const struct uuid *person_id)
{
	struct tx *tx = NULL;
	enum err err;

	if ((err = tx_begin(store->db, tenant_id, &tx)) != OK)
		goto done;
	if ((err = put_event(tx, store, origin, "person.export", "person", person_id, STR_NONE)) != OK)
		goto done;
	err = tx_commit(&tx);
done:
	tx_free(&tx);
	return err;
}

enum err store_erasures_due(
	struct db *jobs, instant_us now, struct erasure_record *erasures_out, size_t cap, size_t *count_out)
{
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	err = tx_commit_with(&tx, &sql_erasure_due, PARAMS(db_time(now), db_i64((int64_t)cap)), &rows, NULL);
	if (err != OK)
		goto done;
	while (*count_out < cap && rows_next(rows)) {
		const struct uuid tenant_id = rows_uuid(rows, 8);

		erasure_row(rows, &tenant_id, &erasures_out[(*count_out)++]);
	}
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_erasures_waiting(struct db *jobs, int64_t *count_out, instant_us *oldest_out)
{
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	enum err err;

	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	if ((err = tx_commit_with(&tx, &sql_erasure_waiting, NO_PARAMS, &rows, NULL)) != OK)
		goto done;
	if (rows_next(rows)) {
		*count_out = rows_i64(rows, 0);
		*oldest_out = rows_time(rows, 1);
	}
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}
