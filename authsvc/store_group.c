/* SPDX-License-Identifier: Apache-2.0 */
#include "store_group.h"

#include "authsvc_sql.h"

static enum err read_group(const struct rows *rows, struct arena *arena, struct group_record *group_out)
{
	*group_out = (struct group_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.name = rows_copy(rows, 2, arena),
		.version = rows_i64(rows, 3),
		.created_at = rows_time(rows, 4),
	};
	return group_out->name.p != NULL ? OK : ERR_TOO_LARGE;
}

enum err store_group_insert(struct store *store, struct group_record *group, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_group_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&group->id), db_str(group->name), db_time(now)), &rows);
	if (err == OK) {
		group->row_id = rows_i64(rows, 0);
		group->version = 1;
		group->created_at = now;
	}
	rows_free(&rows);
	return err;
}

enum err store_group_count(struct store *store, int64_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	if ((err = store_one(store->tx, &sql_group_count, PARAMS(db_uuid(&store->tenant_id)), &rows)) == OK)
		*count_out = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_group_list(
	struct store *store, const struct uuid *after, size_t limit, struct group_record *groups_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_group_list,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(after), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows))
		err = read_group(rows, store->arena, &groups_out[(*count_out)++]);
	rows_free(&rows);
	return err;
}

static enum err one_group(struct store *store, const struct db_statement *statement, const struct uuid *id,
	struct group_record *group_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, statement, PARAMS(db_uuid(&store->tenant_id), db_uuid(id)), &rows);
	if (err == OK)
		err = read_group(rows, store->arena, group_out);
	rows_free(&rows);
	return err;
}

enum err store_group_read(struct store *store, const struct uuid *id, struct group_record *group_out)
{
	return one_group(store, &sql_group_read, id, group_out);
}

enum err store_group_lock(struct store *store, const struct uuid *id, struct group_record *group_out)
{
	return one_group(store, &sql_group_lock, id, group_out);
}

static enum err read_ids(struct rows *rows, struct uuid *ids_out, size_t limit, size_t *count_out)
{
	*count_out = 0;
	while (*count_out < limit && rows_next(rows))
		ids_out[(*count_out)++] = rows_uuid(rows, 0);
	return OK;
}

enum err store_group_members(struct store *store, struct group_record *group)
{
	struct rows *rows = NULL;
	enum err err;

	group->members = arena_take_array(store->arena, GROUP_MEMBERS_MAX, sizeof(*group->members));
	if (group->members == NULL)
		return ERR_OVERLOADED;
	err = tx_query(store->tx, &sql_group_members, PARAMS(db_uuid(&store->tenant_id), db_i64(group->row_id)), &rows);
	if (err == OK)
		err = read_ids(rows, group->members, GROUP_MEMBERS_MAX, &group->member_count);
	rows_free(&rows);
	return err;
}

enum err store_group_update(struct store *store, struct group_record *group, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_group_update,
		PARAMS(db_uuid(&store->tenant_id), db_i64(group->row_id), db_str(group->name), db_time(now)), &rows);
	if (err == OK)
		group->version = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_group_set_members(struct store *store, const struct group_record *group, const struct uuid *members,
	size_t count, instant_us now, struct uuid *gone_out, size_t *gone_count_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_group_member_insert,
		PARAMS(db_uuid(&store->tenant_id), db_i64(group->row_id), db_uuids(members, count), db_time(now)),
		&rows);
	if (err == OK && rows_i64(rows, 0) != (int64_t)count)
		err = ERR_NOT_FOUND;
	rows_free(&rows);
	if (err != OK)
		return err;
	err = tx_query(store->tx, &sql_group_member_delete,
		PARAMS(db_uuid(&store->tenant_id), db_i64(group->row_id), db_uuids(members, count)), &rows);
	if (err == OK)
		err = read_ids(rows, gone_out, GROUP_MEMBERS_MAX, gone_count_out);
	rows_free(&rows);
	return err;
}

enum err store_group_delete(struct store *store, const struct group_record *group)
{
	enum err err;

	err = tx_exec(store->tx, &sql_role_grant_delete_group,
		PARAMS(db_uuid(&store->tenant_id), db_i64(group->row_id)), NULL);
	if (err != OK)
		return err;
	return tx_exec(store->tx, &sql_group_delete, PARAMS(db_uuid(&store->tenant_id), db_i64(group->row_id)), NULL);
}

enum err store_group_hold(struct store *store, const struct uuid *people, size_t count)
{
	struct rows *rows = NULL;
	enum err err;

	err = tx_query(
		store->tx, &sql_group_members_hold, PARAMS(db_uuid(&store->tenant_id), db_uuids(people, count)), &rows);
	rows_free(&rows);
	return err;
}

enum err store_group_of_person(
	struct store *store, int64_t person_row_id, size_t limit, struct group_record *groups_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(
		store->tx, &sql_group_of_person, PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows)) {
		struct group_record *group = &groups_out[(*count_out)++];

		*group = (struct group_record){.id = rows_uuid(rows, 0), .name = rows_copy(rows, 1, store->arena)};
		if (group->name.p == NULL)
			err = ERR_TOO_LARGE;
	}
	rows_free(&rows);
	return err;
}
