/* SPDX-License-Identifier: Apache-2.0 */
#include "store_device.h"

#include "authsvc_sql.h"

enum err store_device_insert(struct store *store, const struct device_record *device, struct str device_code_hash,
	struct str user_code_hash, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_device_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&device->id), db_i64(device->client_row_id),
			db_bytes(device_code_hash), db_bytes(user_code_hash), db_str(device->scope),
			db_str(store_text(device->resource)), db_time(now), db_time(now + DEVICE_LIFE_US),
			db_i64(DEVICE_INTERVAL_S)),
		&rows);
	rows_free(&rows);
	return err == ERR_NOT_FOUND ? ERR_CONFLICT : err;
}

enum err store_device_tenant(struct db *jobs, struct str user_code_hash, instant_us now, struct uuid *tenant_id_out)
{
	struct rows *rows = NULL;
	struct tx *tx = NULL;
	enum err err;

	*tenant_id_out = UUID_NIL;
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	err = store_one(tx, &sql_device_directory, PARAMS(db_bytes(user_code_hash), db_time(now)), &rows);
	if (err == OK)
		*tenant_id_out = rows_uuid(rows, 0);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_device_find(
	struct store *store, struct str user_code_hash, instant_us now, struct device_record *device_out)
{
	struct rows *rows = NULL;
	enum err err;

	*device_out = (struct device_record){0};
	err = store_one(store->tx, &sql_device_find,
		PARAMS(db_uuid(&store->tenant_id), db_bytes(user_code_hash), db_time(now)), &rows);
	if (err == OK) {
		*device_out = (struct device_record){.id = rows_uuid(rows, 0),
			.client_row_id = rows_i64(rows, 1),
			.scope = rows_copy(rows, 2, store->arena)};
		err = device_out->scope.p != NULL ? OK : ERR_TOO_LARGE;
	}
	rows_free(&rows);
	return err;
}

enum err store_device_decide(struct store *store, const struct device_record *device, instant_us now)
{
	const bool agreed = device->person_row_id != 0;
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_device_decide,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&device->id), db_time(now),
			db_i64_or_null(agreed ? &device->person_row_id : NULL),
			db_time_or_null(agreed ? &device->auth_at : NULL),
			db_str(agreed ? str_from(acr_name(device->proof.acr)) : STR_NONE),
			db_str(agreed ? device->proof.methods : STR_NONE),
			db_uuid_or_null(agreed ? &device->proof.factor_id : &UUID_NIL)),
		&rows);
	rows_free(&rows);
	return err == ERR_NOT_FOUND ? ERR_GONE : err;
}

enum err store_device_lock(
	struct store *store, struct str device_code_hash, int64_t client_row_id, struct device_record *device_out)
{
	struct rows *rows = NULL;
	enum err err;

	*device_out = (struct device_record){0};
	err = store_one(store->tx, &sql_device_lock,
		PARAMS(db_uuid(&store->tenant_id), db_bytes(device_code_hash), db_i64(client_row_id)), &rows);
	if (err != OK)
		return err;
	*device_out = (struct device_record){
		.row_id = rows_i64(rows, 0),
		.client_row_id = client_row_id,
		.scope = rows_copy(rows, 1, store->arena),
		.resource = rows_copy(rows, 2, store->arena),
		.expires_at = rows_time(rows, 3),
		.polled_at = rows_time(rows, 4),
		.interval_s = rows_i64(rows, 5),
		.decided = !rows_is_null(rows, 6),
		.person_row_id = rows_i64(rows, 7),
		.auth_at = rows_time(rows, 8),
	};
	if (device_out->person_row_id != 0)
		err = store_proof(rows, 9, store->arena, &device_out->proof);
	rows_free(&rows);
	if (err != OK)
		return err;
	return device_out->scope.p != NULL && device_out->resource.p != NULL ? OK : ERR_TOO_LARGE;
}

enum err store_device_polled(
	struct store *store, const struct device_record *device, int64_t interval_s, instant_us now)
{
	return tx_exec(store->tx, &sql_device_polled,
		PARAMS(db_uuid(&store->tenant_id), db_i64(device->row_id), db_time(now), db_i64(interval_s)), NULL);
}

enum err store_device_delete(struct store *store, const struct device_record *device)
{
	return tx_exec(store->tx, &sql_device_delete, PARAMS(db_uuid(&store->tenant_id), db_i64(device->row_id)), NULL);
}
