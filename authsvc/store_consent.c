/* SPDX-License-Identifier: Apache-2.0 */
#include "store_consent.h"

#include "authsvc_sql.h"
#include "store_grant.h"

enum err store_consent_read(struct store *store, int64_t person_row_id, int64_t client_row_id, struct str *scope_out)
{
	struct rows *rows = NULL;
	enum err err;

	*scope_out = STR_NONE;
	err = store_one(store->tx, &sql_consent_read,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64(client_row_id)), &rows);
	if (err == OK) {
		*scope_out = rows_copy(rows, 0, store->arena);
		err = scope_out->p != NULL ? OK : ERR_TOO_LARGE;
	}
	rows_free(&rows);
	return err;
}

enum err store_consent_put(struct store *store, int64_t person_row_id, int64_t client_row_id, struct str scope,
	instant_us now, struct uuid *id_out)
{
	const struct uuid id = uuid_new();
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_consent_put,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&id), db_i64(person_row_id), db_i64(client_row_id),
			db_str(scope), db_time(now)),
		&rows);
	if (err == OK)
		*id_out = rows_uuid(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_consent_list(struct store *store, int64_t person_row_id, size_t limit,
	struct consent_record *consents_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_consent_list,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows)) {
		consents_out[*count_out] = (struct consent_record){rows_uuid(rows, 0), rows_uuid(rows, 1),
			rows_copy(rows, 2, store->arena), rows_copy(rows, 3, store->arena), rows_time(rows, 4),
			rows_time(rows, 5)};
		if (consents_out[(*count_out)++].scope.p == NULL)
			err = ERR_TOO_LARGE;
	}
	rows_free(&rows);
	return err;
}

enum err store_consent_withdraw(struct store *store, int64_t person_row_id, const struct uuid *id, instant_us now)
{
	struct rows *rows = NULL;
	int64_t client_row_id;
	enum err err;

	/* In this order: what is being given by the consent is waited for, then found and ended. */
	err = store_one(store->tx, &sql_consent_delete,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(id), db_i64(person_row_id)), &rows);
	if (err != OK)
		goto done;
	client_row_id = rows_i64(rows, 0);
	err = tx_exec(store->tx, &sql_code_delete_pair,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64(client_row_id)), NULL);
	if (err == OK)
		err = tx_exec(store->tx, &sql_device_delete_pair,
			PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64(client_row_id)), NULL);
	if (err == OK)
		err = store_family_revoke_pair(store, person_row_id, client_row_id, "consent_withdrawn", now);
done:
	rows_free(&rows);
	return err;
}

enum err store_consent_delete_person(struct store *store, int64_t person_row_id)
{
	return tx_exec(
		store->tx, &sql_consent_delete_person, PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)), NULL);
}
