/* SPDX-License-Identifier: Apache-2.0 */
#include "store_factor.h"

#include "authsvc_sql.h"
#include "store_grant.h"
#include "store_logout.h"

static enum err seal_data(
	struct store *store, const struct uuid *person_id, const struct factor_record *factor, struct str *sealed_out)
{
	struct seal_place place = store_place(store, "factor", "data", &factor->id);
	struct seal_key *key = NULL;
	enum err err;

	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, person_id, false, &key)) != OK)
		return err;
	err = seal_field(key, &place, factor->data, store->arena, sealed_out);
	seal_key_free(&key);
	return err;
}

enum err store_passkey_insert(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	struct factor_record *factor, instant_us now)
{
	struct rows *rows = NULL;
	struct str sealed;
	enum err err;

	if ((err = seal_data(store, person_id, factor, &sealed)) != OK)
		return err;
	err = store_one(store->tx, &sql_passkey_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&factor->id), db_i64(person_row_id), db_bytes(sealed),
			db_bytes(factor->credential_hash), db_i64(factor->counter), db_bool(factor->backup_eligible),
			db_bool(factor->backed_up), db_time(now)),
		&rows);
	if (err == OK)
		factor->row_id = rows_i64(rows, 0);
	factor->created_at = factor->confirmed_at = factor->used_at = now;
	rows_free(&rows);
	return err == ERR_NOT_FOUND ? ERR_CONFLICT : err;
}

enum err store_passkey_use(struct store *store, const struct factor_record *factor, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_passkey_use,
		PARAMS(db_uuid(&store->tenant_id), db_i64(factor->row_id), db_i64(factor->counter),
			db_bool(factor->backed_up), db_time(now)),
		&rows);
	rows_free(&rows);
	return err;
}

enum err store_passkey_spend(struct store *store, struct str challenge_hash, instant_us expires_at)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_passkey_spend,
		PARAMS(db_uuid(&store->tenant_id), db_bytes(challenge_hash), db_time(expires_at)), &rows);
	rows_free(&rows);
	return err == ERR_NOT_FOUND ? ERR_CONFLICT : err;
}

enum err store_factor_insert(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	struct factor_record *factor, instant_us now)
{
	struct rows *rows = NULL;
	struct str sealed;
	enum err err;

	if ((err = seal_data(store, person_id, factor, &sealed)) != OK)
		return err;
	err = store_one(store->tx, &sql_factor_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&factor->id), db_i64(person_row_id),
			db_c(rules_factor_kind_name(factor->kind)), db_bytes(sealed), db_time(now)),
		&rows);
	if (err == OK)
		factor->row_id = rows_i64(rows, 0);
	factor->created_at = now;
	rows_free(&rows);
	return err;
}

static enum err read_factor(
	struct store *store, const struct seal_key *key, const struct rows *rows, struct factor_record *factor_out)
{
	struct seal_place place;

	*factor_out = (struct factor_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.counter = rows_i64(rows, 4),
		.created_at = rows_time(rows, 5),
		.confirmed_at = rows_time(rows, 6),
		.used_at = rows_time(rows, 7),
	};
	if (!rules_factor_kind_parse(rows_str(rows, 2), &factor_out->kind))
		return ERR_INTERNAL;
	factor_out->credential_hash = rows_copy(rows, 8, store->arena);
	factor_out->backup_eligible = !rows_is_null(rows, 9) && rows_bool(rows, 9);
	factor_out->backed_up = !rows_is_null(rows, 10) && rows_bool(rows, 10);
	place = store_place(store, "factor", "data", &factor_out->id);
	return seal_open(key, &place, rows_bytes(rows, 3), store->arena, &factor_out->data);
}

enum err store_factor_list(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	struct factor_record *factors_out, size_t *count_out)
{
	struct seal_key *key = NULL;
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_factor_list,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64(FACTORS_MAX)), &rows);
	if (err == OK && rows_count(rows) > 0)
		err = seal_subject_load(store->tx, store->seal, &store->tenant_id, person_id, false, &key);
	while (err == OK && *count_out < FACTORS_MAX && rows_next(rows))
		err = read_factor(store, key, rows, &factors_out[(*count_out)++]);
	seal_key_free(&key);
	rows_free(&rows);
	return err;
}

enum err store_factor_use(struct store *store, const struct factor_record *factor, int64_t counter, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_factor_use,
		PARAMS(db_uuid(&store->tenant_id), db_i64(factor->row_id), db_i64(counter), db_time(now)), &rows);
	rows_free(&rows);
	return err;
}

enum err store_factor_delete(struct store *store, const struct factor_record *factor)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(
		store->tx, &sql_factor_delete, PARAMS(db_uuid(&store->tenant_id), db_i64(factor->row_id)), &rows);
	rows_free(&rows);
	return err;
}

enum err store_factor_delete_person(struct store *store, int64_t person_row_id)
{
	enum err err;

	err = tx_exec(
		store->tx, &sql_factor_delete_person, PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)), NULL);
	if (err != OK)
		return err;
	return tx_exec(store->tx, &sql_recovery_delete_person,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)), NULL);
}

/* A device that a session let in and that has not come yet asks again: after the sessions, before the grants. */
static enum err end_devices(struct store *store, int64_t person_row_id)
{
	return tx_exec(
		store->tx, &sql_device_delete_person, PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)), NULL);
}

/* Without a password there is nothing that they could drop to. */
static enum err end_resting(struct store *store, int64_t person_row_id, const struct uuid *factor_id, instant_us now)
{
	static const struct db_statement *const steps[] = {
		&sql_session_end_factor, &sql_code_void_factor, &sql_family_revoke_factor};
	enum err err = OK;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == OK; i++) {
		err = tx_exec(store->tx, steps[i],
			PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_uuid(factor_id), db_time(now)),
			NULL);
		if (err == OK && i == 0)
			err = store_logout_put(store, person_row_id, now);
		if (err == OK && i == 0)
			err = end_devices(store, person_row_id);
	}
	return err;
}

enum err store_factor_lower(
	struct store *store, int64_t person_row_id, const struct uuid *person_id, const struct uuid *factor_id)
{
	/* Each is handed on to the next under its own row: what is made meanwhile is found one step later. */
	static const struct db_statement *const steps[] = {&sql_session_lower, &sql_code_lower, &sql_family_lower};
	instant_us now = clock_now_us();
	enum err err = end_resting(store, person_row_id, factor_id, now);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == OK; i++) {
		err = tx_exec(store->tx, steps[i],
			PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_uuid(factor_id)), NULL);
		if (err == OK && i == 0)
			err = end_devices(store, person_row_id);
	}
	if (err != OK)
		return err;
	/* The clock after the wait for their rows: a refresh may just have given a token. */
	return store_revocation_add(store, REVOKED_PERSON, person_id, 1, clock_now_us());
}

enum err store_factor_standing(struct store *store, int64_t person_row_id, struct factor_standing *standing_out)
{
	struct rows *rows = NULL;
	enum err err;

	*standing_out = (struct factor_standing){0};
	err = store_one(
		store->tx, &sql_factor_standing, PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)), &rows);
	if (err != OK)
		return err;
	*standing_out =
		(struct factor_standing){rows_i64(rows, 0), rows_i64(rows, 1), rows_copy(rows, 2, store->arena)};
	rows_free(&rows);
	return standing_out->encoded.p != NULL ? OK : ERR_TOO_LARGE;
}

enum err store_recovery_replace(
	struct store *store, int64_t person_row_id, const struct str *hashes, size_t count, instant_us now)
{
	enum err err;

	err = tx_exec(store->tx, &sql_recovery_delete_person, PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)),
		NULL);
	if (err != OK)
		return err;
	return tx_exec(store->tx, &sql_recovery_insert,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_strs(hashes, count), db_time(now)), NULL);
}

enum err store_recovery_use(struct store *store, int64_t person_row_id, struct str hash, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_recovery_use,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_bytes(hash), db_time(now)), &rows);
	rows_free(&rows);
	return err;
}

enum err store_recovery_list(
	struct store *store, int64_t person_row_id, size_t limit, struct recovery_view *codes_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_recovery_list,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows))
		codes_out[(*count_out)++] = (struct recovery_view){rows_time(rows, 0), rows_time(rows, 1)};
	rows_free(&rows);
	return err;
}
