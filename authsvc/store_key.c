/* SPDX-License-Identifier: Apache-2.0 */
#include "store_key.h"

#include "authsvc_sql.h"

enum err store_key_lock(struct store *store)
{
	return tx_query(store->tx, &sql_signing_key_lock, NO_PARAMS, NULL);
}

static enum err read_record(
	struct store *store, const struct seal_key *key, const struct rows *rows, struct key_record *record_out)
{
	struct seal_place place;

	*record_out = (struct key_record){
		.id = rows_uuid(rows, 0),
		.kid = rows_copy(rows, 1, store->arena),
		.alg = rows_copy(rows, 2, store->arena),
		.public_jwk = rows_copy(rows, 4, store->arena),
		.created_at = rows_time(rows, 6),
		.activated_at = rows_time(rows, 7),
		.retired_at = rows_time(rows, 8),
	};
	if (!rules_key_state_parse(rows_str(rows, 3), &record_out->state))
		return ERR_INTERNAL;
	if (record_out->public_jwk.p == NULL)
		return ERR_TOO_LARGE;
	if (key == NULL || rows_is_null(rows, 5))
		return OK;
	place = store_place(store, "signing_key", "private_key", &record_out->id);
	return seal_open(key, &place, rows_bytes(rows, 5), store->arena, &record_out->private_der);
}

enum err store_key_list(
	struct store *store, bool open, struct key_record records_out[KEY_RECORDS_MAX], size_t *count_out)
{
	struct seal_key *key = NULL;
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	if ((err = tx_query(store->tx, &sql_signing_key_list, PARAMS(db_uuid(&store->tenant_id)), &rows)) != OK)
		goto done;
	if (open && rows_count(rows) > 0 &&
		(err = seal_subject_load(store->tx, store->seal, &store->tenant_id, NULL, false, &key)) != OK)
		goto done;
	while (err == OK && *count_out < KEY_RECORDS_MAX && rows_next(rows))
		err = read_record(store, key, rows, &records_out[(*count_out)++]);
done:
	seal_key_free(&key);
	rows_free(&rows);
	return err;
}

enum err store_key_insert(struct store *store, const struct key_record *record)
{
	struct seal_place place = store_place(store, "signing_key", "private_key", &record->id);
	struct seal_key *key = NULL;
	struct str sealed;
	enum err err;

	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, NULL, true, &key)) != OK)
		goto done;
	if ((err = seal_field(key, &place, record->private_der, store->arena, &sealed)) != OK)
		goto done;
	err = tx_exec(store->tx, &sql_signing_key_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&record->id), db_str(record->kid), db_str(record->alg),
			db_c(rules_key_state_name(record->state)), db_str(record->public_jwk), db_bytes(sealed),
			db_time(record->created_at),
			db_time_or_null(record->activated_at != 0 ? &record->activated_at : NULL)),
		NULL);
done:
	seal_key_free(&key);
	return err;
}

enum err store_key_promote(struct store *store, struct str alg, instant_us now)
{
	enum err err;

	err = tx_queue_quiet(
		store->tx, &sql_signing_key_retire, PARAMS(db_uuid(&store->tenant_id), db_str(alg), db_time(now)));
	if (err != OK)
		return err;
	return tx_exec(store->tx, &sql_signing_key_promote,
		PARAMS(db_uuid(&store->tenant_id), db_str(alg), db_time(now)), NULL);
}

enum err store_key_forget(struct store *store, instant_us retired_before)
{
	return tx_exec(
		store->tx, &sql_signing_key_delete, PARAMS(db_uuid(&store->tenant_id), db_time(retired_before)), NULL);
}
