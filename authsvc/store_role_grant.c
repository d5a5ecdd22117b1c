/* SPDX-License-Identifier: Apache-2.0 */
#include "store_role_grant.h"

#include "authsvc_sql.h"

#define PAGE_MAX 200

static struct seal_place reason_place(const struct store *store, const struct uuid *id)
{
	return store_place(store, "role_grant", "reason", id);
}

enum err store_role_grant_insert(struct store *store, struct role_grant_record *record, instant_us now)
{
	struct seal_place place = reason_place(store, &record->id);
	struct seal_key *key = NULL;
	struct rows *rows = NULL;
	struct str sealed;
	enum err err;

	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, &record->subject_id, false, &key)) !=
		OK)
		return err;
	err = seal_field(key, &place, record->reason, store->arena, &sealed);
	seal_key_free(&key);
	if (err != OK)
		return err;
	err = store_one(store->tx, &sql_role_grant_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&record->id),
			db_i64_or_null(record->person_row_id != 0 ? &record->person_row_id : NULL),
			db_i64_or_null(record->group_row_id != 0 ? &record->group_row_id : NULL), db_str(record->role),
			db_c(rules_grant_scope_name(record->scope)), db_uuid_or_null(&record->scope_id),
			db_time(record->starts_at), db_time_or_null(record->over_at != 0 ? &record->over_at : NULL),
			db_c(rules_grant_status_name(record->status)), db_uuid(&record->subject_id), db_bytes(sealed),
			db_uuid(&record->granted_by), db_time(now)),
		&rows);
	if (err == OK) {
		record->row_id = rows_i64(rows, 0);
		record->version = 1;
		record->created_at = now;
	}
	rows_free(&rows);
	return err;
}

/* The reason is still sealed. */
static enum err read_grant(const struct rows *rows, struct arena *arena, struct role_grant_record *record_out)
{
	*record_out = (struct role_grant_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.person_id = rows_uuid(rows, 2),
		.group_id = rows_uuid(rows, 3),
		.role = rows_copy(rows, 4, arena),
		.scope_id = rows_uuid(rows, 6),
		.starts_at = rows_time(rows, 7),
		.over_at = rows_time(rows, 8),
		.subject_id = rows_uuid(rows, 10),
		.reason = rows_copy(rows, 11, arena),
		.granted_by = rows_uuid(rows, 12),
		.decided_by = rows_uuid(rows, 13),
		.version = rows_i64(rows, 14),
		.created_at = rows_time(rows, 15),
		.person_row_id = rows_i64(rows, 16),
		.group_row_id = rows_i64(rows, 17),
	};
	if (record_out->role.p == NULL || record_out->reason.p == NULL)
		return ERR_TOO_LARGE;
	return rules_grant_scope_parse(rows_str(rows, 5), &record_out->scope) &&
	                       rules_grant_status_parse(rows_str(rows, 9), &record_out->status)
	               ? OK
	               : ERR_INTERNAL;
}

static enum err open_reason(struct store *store, const struct seal_key *key, struct role_grant_record *record)
{
	struct seal_place place = reason_place(store, &record->id);
	enum err err = seal_open(key, &place, record->reason, store->arena, &record->reason);

	if (err != ERR_GONE)
		return err;
	record->reason = STR_NONE;
	return OK;
}

enum err store_role_grant_list(struct store *store, const struct uuid *after, size_t limit,
	const struct uuid *person_id, const struct uuid *group_id, struct role_grant_record *records_out,
	size_t *count_out)
{
	struct seal_key *keys[PAGE_MAX + 1] = {NULL};
	struct uuid subjects[PAGE_MAX + 1];
	struct rows *rows = NULL;
	size_t count = 0;
	enum err err;

	*count_out = 0;
	if (limit > PAGE_MAX + 1)
		return ERR_TOO_LARGE;
	err = tx_query(store->tx, &sql_role_grant_list,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(after), db_i64((int64_t)limit), db_uuid_or_null(person_id),
			db_uuid_or_null(group_id)),
		&rows);
	while (err == OK && count < limit && rows_next(rows)) {
		if ((err = read_grant(rows, store->arena, &records_out[count])) == OK) {
			subjects[count] = records_out[count].subject_id;
			count++;
		}
	}
	if (err != OK || count == 0)
		goto done;
	err = seal_subjects_load(store->tx, store->seal, &store->tenant_id, subjects, count, false, keys);
	for (size_t i = 0; i < count && err == OK; i++)
		err = open_reason(store, keys[i], &records_out[i]);
	*count_out = err == OK ? count : 0;
done:
	seal_keys_free(keys, count);
	rows_free(&rows);
	return err;
}

static enum err one_grant(struct store *store, const struct db_statement *statement, const struct uuid *id,
	struct role_grant_record *record_out)
{
	struct seal_key *key = NULL;
	struct rows *rows = NULL;
	enum err err;

	if ((err = store_one(store->tx, statement, PARAMS(db_uuid(&store->tenant_id), db_uuid(id)), &rows)) != OK)
		return err;
	err = read_grant(rows, store->arena, record_out);
	rows_free(&rows);
	if (err != OK)
		return err;
	err = seal_subject_load(store->tx, store->seal, &store->tenant_id, &record_out->subject_id, false, &key);
	if (err == OK || err == ERR_GONE)
		err = open_reason(store, key, record_out);
	seal_key_free(&key);
	return err;
}

enum err store_role_grant_read(struct store *store, const struct uuid *id, struct role_grant_record *record_out)
{
	return one_grant(store, &sql_role_grant_read, id, record_out);
}

enum err store_role_grant_lock(struct store *store, const struct uuid *id, struct role_grant_record *record_out)
{
	return one_grant(store, &sql_role_grant_lock, id, record_out);
}

enum err store_role_grant_decide(struct store *store, struct role_grant_record *record)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_role_grant_decide,
		PARAMS(db_uuid(&store->tenant_id), db_i64(record->row_id),
			db_c(rules_grant_status_name(record->status)),
			db_time_or_null(record->over_at != 0 ? &record->over_at : NULL),
			db_uuid_or_null(&record->decided_by)),
		&rows);
	if (err == OK)
		record->version = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_role_grant_open(
	struct store *store, int64_t person_row_id, int64_t group_row_id, struct str role, int64_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = store_one(store->tx, &sql_role_grant_open,
		PARAMS(db_uuid(&store->tenant_id), db_time(clock_now_us()),
			db_i64_or_null(person_row_id != 0 ? &person_row_id : NULL),
			db_i64_or_null(group_row_id != 0 ? &group_row_id : NULL), db_str(role)),
		&rows);
	if (err == OK)
		*count_out = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

static struct str joined(struct arena *arena, struct str words, struct str more)
{
	return arena_printf(arena, "%.*s%s%.*s", STR_ARG(words), words.len > 0 ? " " : "", STR_ARG(more));
}

static enum err hold(struct store *store, const struct rows *rows, struct held *held)
{
	struct held_place place = {.id = rows_uuid(rows, 1),
		.role = rows_copy(rows, 2, store->arena),
		.permissions = rows_is_null(rows, 3) ? STR("") : rows_copy(rows, 3, store->arena)};
	instant_us over_at = rows_time(rows, 4);

	if (place.role.p == NULL || place.permissions.p == NULL)
		return ERR_TOO_LARGE;
	if (!rules_grant_scope_parse(rows_str(rows, 0), &place.scope))
		return ERR_INTERNAL;
	if (over_at != 0 && (held->until == 0 || over_at < held->until))
		held->until = over_at;
	if (place.scope != GRANT_TENANT) {
		held->places[held->place_count++] = place;
		return OK;
	}
	held->roles = joined(store->arena, held->roles, place.role);
	held->permissions = joined(store->arena, held->permissions, place.permissions);
	return held->roles.p != NULL && held->permissions.p != NULL ? OK : ERR_TOO_LARGE;
}

enum err store_role_grant_held(struct store *store, int64_t person_row_id, struct held *held_out)
{
	instant_us now = clock_now_us();
	struct rows *rows = NULL;
	size_t count = 0;
	enum err err;

	*held_out = (struct held){.roles = STR(""), .permissions = STR("")};
	err = tx_query(store->tx, &sql_role_grant_held,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_time(now), db_i64(HELD_MAX),
			db_time(now + GRANT_SHORTEST_US)),
		&rows);
	if (err == OK && rows_count(rows) > 0 &&
		(held_out->places = arena_take_array(store->arena, HELD_MAX, sizeof(*held_out->places))) == NULL)
		err = ERR_OVERLOADED;
	while (err == OK && count++ < HELD_MAX && rows_next(rows))
		err = hold(store, rows, held_out);
	rows_free(&rows);
	return err;
}

/* Role and permissions of each row; takes the rows. */
static enum err hold_all(struct store *store, enum err err, struct rows **rows, struct held *held_out)
{
	*held_out = (struct held){.roles = STR(""), .permissions = STR("")};
	while (err == OK && rows_next(*rows)) {
		held_out->roles = joined(store->arena, held_out->roles, rows_str(*rows, 0));
		if (!rows_is_null(*rows, 1))
			held_out->permissions = joined(store->arena, held_out->permissions, rows_str(*rows, 1));
		if (held_out->roles.p == NULL || held_out->permissions.p == NULL)
			err = ERR_TOO_LARGE;
	}
	rows_free(rows);
	return err;
}

enum err store_role_grant_of_group(struct store *store, int64_t group_row_id, struct held *held_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = tx_query(store->tx, &sql_role_grant_of_group,
		PARAMS(db_uuid(&store->tenant_id), db_i64(group_row_id), db_time(clock_now_us()), db_i64(HELD_MAX)),
		&rows);
	return hold_all(store, err, &rows, held_out);
}

enum err store_role_grant_lasting(struct store *store, int64_t person_row_id, instant_us until, struct held *held_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = tx_query(store->tx, &sql_role_grant_lasting,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_time(clock_now_us()), db_i64(HELD_MAX),
			db_time_or_null(until != 0 ? &until : NULL)),
		&rows);
	return hold_all(store, err, &rows, held_out);
}

enum err store_role_grant_over_group(struct store *store, const struct uuid *group_id, struct held *held_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = tx_query(store->tx, &sql_role_grant_over_group,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(group_id), db_time(clock_now_us()), db_i64(HELD_MAX)),
		&rows);
	return hold_all(store, err, &rows, held_out);
}
