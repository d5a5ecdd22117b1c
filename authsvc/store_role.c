/* SPDX-License-Identifier: Apache-2.0 */
#include "store_role.h"

#include "authsvc_sql.h"

static enum err read_role(const struct rows *rows, struct arena *arena, struct role_record *record_out)
{
	*record_out = (struct role_record){
		.id = rows_uuid(rows, 0),
		.name = rows_copy(rows, 1, arena),
		.help = rows_copy(rows, 2, arena),
		.permissions = rows_copy(rows, 3, arena),
		.version = rows_i64(rows, 4),
		.created_at = rows_time(rows, 5),
	};
	return record_out->name.p != NULL && record_out->help.p != NULL && record_out->permissions.p != NULL
	               ? OK
	               : ERR_TOO_LARGE;
}

enum err store_role_list(struct store *store, struct role_record *records_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_role_list, PARAMS(db_uuid(&store->tenant_id), db_i64(ROLES_OWN_MAX)), &rows);
	while (err == OK && *count_out < ROLES_OWN_MAX && rows_next(rows))
		err = read_role(rows, store->arena, &records_out[(*count_out)++]);
	rows_free(&rows);
	return err;
}

static enum err one_role(struct store *store, const struct db_statement *statement, const struct uuid *id,
	struct role_record *record_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, statement, PARAMS(db_uuid(&store->tenant_id), db_uuid(id)), &rows);
	if (err == OK)
		err = read_role(rows, store->arena, record_out);
	rows_free(&rows);
	return err;
}

enum err store_role_read(struct store *store, const struct uuid *id, struct role_record *record_out)
{
	return one_role(store, &sql_role_read, id, record_out);
}

enum err store_role_lock(struct store *store, const struct uuid *id, struct role_record *record_out)
{
	return one_role(store, &sql_role_lock, id, record_out);
}

enum err store_role_insert(struct store *store, const struct role_record *record, instant_us now)
{
	return tx_exec(store->tx, &sql_role_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&record->id), db_str(record->name), db_str(record->help),
			db_str(record->permissions), db_time(now)),
		NULL);
}

enum err store_role_update(struct store *store, struct role_record *record, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_role_update,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&record->id), db_str(record->help),
			db_str(record->permissions), db_time(now)),
		&rows);
	if (err == OK)
		record->version = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_role_delete(struct store *store, const struct role_record *record)
{
	return tx_exec(store->tx, &sql_role_delete, PARAMS(db_uuid(&store->tenant_id), db_uuid(&record->id)), NULL);
}

enum err store_role_take(
	struct store *store, const struct str *names, size_t count, struct str *permissions_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	*permissions_out = STR("");
	err = tx_query(store->tx, &sql_role_take, PARAMS(db_uuid(&store->tenant_id), db_strs(names, count)), &rows);
	while (err == OK && rows_next(rows)) {
		*permissions_out = arena_printf(store->arena, "%.*s%s%.*s", STR_ARG(*permissions_out),
			permissions_out->len > 0 ? " " : "", STR_ARG(rows_str(rows, 0)));
		(*count_out)++;
		if (permissions_out->p == NULL)
			err = ERR_TOO_LARGE;
	}
	rows_free(&rows);
	return err;
}

enum err store_role_holders(struct store *store, struct str name, size_t limit, struct uuid *ids_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_role_holders,
		PARAMS(db_uuid(&store->tenant_id), db_str(name), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows))
		ids_out[(*count_out)++] = rows_uuid(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_role_mixes(struct store *store, struct str name, struct role_mix *mixes_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_role_mixes,
		PARAMS(db_uuid(&store->tenant_id), db_str(name), db_i64(ROLE_MIXES_MAX)), &rows);
	while (err == OK && *count_out < ROLE_MIXES_MAX && rows_next(rows)) {
		struct role_mix *mix = &mixes_out[(*count_out)++];

		*mix = (struct role_mix){.roles = rows_copy(rows, 0, store->arena),
			.permissions = rows_copy(rows, 1, store->arena),
			.people = rows_i64(rows, 2)};
		if (mix->roles.p == NULL || mix->permissions.p == NULL)
			err = ERR_TOO_LARGE;
	}
	rows_free(&rows);
	return err;
}
