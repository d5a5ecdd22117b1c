/* SPDX-License-Identifier: Apache-2.0 */
#include "store_person.h"

#include "authsvc_sql.h"
#include "store_role_grant.h"

#define PEOPLE_PAGE_MAX 200

/* The personal fields are still sealed. */
static enum err read_person(const struct rows *rows, struct arena *arena, struct person_record *person_out)
{
	*person_out = (struct person_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.email = rows_copy(rows, 2, arena),
		.given_name = rows_copy(rows, 3, arena),
		.family_name = rows_copy(rows, 4, arena),
		.email_verified_at = rows_time(rows, 7),
		.version = rows_i64(rows, 8),
		.created_at = rows_time(rows, 9),
		.roles = rows_is_null(rows, 10) ? STR("") : rows_copy(rows, 10, arena),
		.permissions = rows_is_null(rows, 11) ? STR("") : rows_copy(rows, 11, arena),
	};
	if (person_out->roles.p == NULL || person_out->permissions.p == NULL)
		return ERR_TOO_LARGE;
	return rules_locale_parse(rows_str(rows, 5), &person_out->locale) &&
	                       rules_status_parse(rows_str(rows, 6), &person_out->status)
	               ? OK
	               : ERR_INTERNAL;
}

static enum err open_person(struct store *store, const struct seal_key *key, struct person_record *person)
{
	struct {
		const char *name;
		struct str *field;
	} const fields[] = {
		{"email", &person->email},
		{"given_name", &person->given_name},
		{"family_name", &person->family_name},
	};
	enum err err = OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && err == OK; i++) {
		struct seal_place place = store_place(store, "person", fields[i].name, &person->id);

		err = seal_open(key, &place, *fields[i].field, store->arena, fields[i].field);
	}
	return err;
}

static enum err one_person(struct store *store, const struct db_statement *statement, struct db_param wanted,
	struct person_record *person_out)
{
	struct rows *rows = NULL;
	struct seal_key *key = NULL;
	enum err err;

	*person_out = (struct person_record){0};
	if ((err = store_one(store->tx, statement, PARAMS(db_uuid(&store->tenant_id), wanted), &rows)) != OK)
		goto done;
	if ((err = read_person(rows, store->arena, person_out)) != OK || person_out->status == PERSON_ERASED)
		goto done;
	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, &person_out->id, false, &key)) != OK)
		goto done;
	err = open_person(store, key, person_out);
done:
	seal_key_free(&key);
	rows_free(&rows);
	return err;
}

enum err store_person_read(struct store *store, const struct uuid *id, struct person_record *person_out)
{
	return one_person(store, &sql_person_read, db_uuid(id), person_out);
}

enum err store_person_lock(struct store *store, const struct uuid *id, struct person_record *person_out)
{
	enum err err = one_person(store, &sql_person_lock, db_uuid(id), person_out);

	return err == OK ? store_role_grant_held(store, person_out->row_id, &person_out->held) : err;
}

enum err store_person_lock_row(struct store *store, int64_t row_id, struct person_record *person_out)
{
	return one_person(store, &sql_person_by_row, db_i64(row_id), person_out);
}

enum err store_person_hold(struct store *store, int64_t row_id)
{
	return tx_queue_quiet(store->tx, &sql_person_hold, PARAMS(db_uuid(&store->tenant_id), db_i64(row_id)));
}

enum demand store_person_demand(const struct person_record *person, enum demand of_tenant, struct str factor_roles)
{
	enum demand demand = rules_demand_of(of_tenant, factor_roles, person->roles);

	demand = rules_demand_of(demand, factor_roles, person->held.roles);
	for (size_t i = 0; i < person->held.place_count; i++)
		demand = rules_demand_of(demand, factor_roles, person->held.places[i].role);
	return demand;
}

static enum err read_standing(const struct rows *rows, struct arena *arena, struct person_record *person_out)
{
	*person_out = (struct person_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.email_verified_at = rows_time(rows, 3),
		.roles = rows_is_null(rows, 5) ? STR("") : rows_copy(rows, 5, arena),
		.permissions = rows_is_null(rows, 7) ? STR("") : rows_copy(rows, 7, arena),
		.factor_roles = rows_copy(rows, 9, arena),
	};
	if (!rules_status_parse(rows_str(rows, 2), &person_out->status) ||
		!rules_locale_parse(rows_str(rows, 4), &person_out->locale) ||
		!demand_parse(rows_str(rows, 6), &person_out->demand))
		return ERR_INTERNAL;
	if (person_out->roles.p == NULL || person_out->permissions.p == NULL || person_out->factor_roles.p == NULL)
		return ERR_TOO_LARGE;
	person_out->has_more = person_out->permissions.len > 0 || rows_bool(rows, 8);
	person_out->demand = store_person_demand(person_out, person_out->demand, person_out->factor_roles);
	return OK;
}

static enum err one_standing(struct store *store, int64_t row_id, struct person_record *person_out)
{
	struct rows *rows = NULL;
	enum err err;

	*person_out = (struct person_record){0};
	err = store_one(store->tx, &sql_person_standing, PARAMS(db_uuid(&store->tenant_id), db_i64(row_id)), &rows);
	if (err == OK)
		err = read_standing(rows, store->arena, person_out);
	rows_free(&rows);
	return err;
}

enum err store_person_standing(struct store *store, int64_t row_id, struct person_record *person_out)
{
	enum err err;

	*person_out = (struct person_record){0};
	/* Two statements: the second sees what the first had to wait for. */
	if ((err = store_person_hold(store, row_id)) == OK)
		err = one_standing(store, row_id, person_out);
	/* The same for what the tenant's own roles grant, where the person has any. */
	if (err != OK || !person_out->has_more)
		return err;
	err = tx_queue_quiet(store->tx, &sql_person_roles_hold, PARAMS(db_uuid(&store->tenant_id), db_i64(row_id)));
	if (err == OK)
		err = one_standing(store, row_id, person_out);
	person_out->has_more = false;
	if (err == OK)
		err = store_role_grant_held(store, row_id, &person_out->held);
	person_out->demand = store_person_demand(person_out, person_out->demand, person_out->factor_roles);
	return err;
}

enum err store_person_standing_many_queue(struct store *store, const int64_t *row_ids, size_t count)
{
	return tx_queue(
		store->tx, &sql_person_standing_many, PARAMS(db_uuid(&store->tenant_id), db_i64s(row_ids, count)));
}

enum err store_person_standing_many_next(
	struct store *store, size_t limit, struct person_record *people_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_next(store->tx, &rows, NULL);
	while (err == OK && *count_out < limit && rows_next(rows))
		err = read_standing(rows, store->arena, &people_out[(*count_out)++]);
	rows_free(&rows);
	return err;
}

void store_person_index(const struct seal *seal, const struct uuid *tenant_id, struct str normal_email,
	uint8_t index_out[SEAL_INDEX_LEN])
{
	seal_index(seal, tenant_id, "person.email", normal_email, index_out);
}

enum err store_person_by_email(struct store *store, struct str normal_email, struct person_record *person_out)
{
	uint8_t index[SEAL_INDEX_LEN];

	store_person_index(store->seal, &store->tenant_id, normal_email, index);
	return one_person(
		store, &sql_person_by_email, db_bytes((struct str){(const char *)index, sizeof(index)}), person_out);
}

enum err store_person_list(struct store *store, const struct uuid *after, size_t limit,
	struct person_record *people_out, size_t *count_out)
{
	struct seal_key *keys[PEOPLE_PAGE_MAX + 1] = {NULL};
	struct uuid ids[PEOPLE_PAGE_MAX + 1];
	struct rows *rows = NULL;
	size_t count = 0;
	enum err err;

	*count_out = 0;
	if (limit > PEOPLE_PAGE_MAX + 1)
		return ERR_TOO_LARGE;
	err = tx_query(store->tx, &sql_person_list,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(after), db_i64((int64_t)limit)), &rows);
	while (err == OK && count < limit && rows_next(rows)) {
		if ((err = read_person(rows, store->arena, &people_out[count])) == OK) {
			ids[count] = people_out[count].id;
			count++;
		}
	}
	if (err != OK || count == 0)
		goto done;
	if ((err = seal_subjects_load(store->tx, store->seal, &store->tenant_id, ids, count, false, keys)) != OK)
		goto done;
	for (size_t i = 0; i < count && err == OK; i++)
		err = open_person(store, keys[i], &people_out[i]);
	*count_out = err == OK ? count : 0;
done:
	seal_keys_free(keys, count);
	rows_free(&rows);
	return err;
}

enum err store_person_active(
	struct store *store, const struct uuid *ids, size_t count, struct uuid *ids_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_person_active, PARAMS(db_uuid(&store->tenant_id), db_uuids(ids, count)), &rows);
	while (err == OK && *count_out < count && rows_next(rows))
		ids_out[(*count_out)++] = rows_uuid(rows, 0);
	rows_free(&rows);
	return err;
}

struct sealed_person {
	struct str email, given_name, family_name;
};

static enum err seal_person(struct store *store, const struct seal_key *key, const struct person_record *person,
	struct sealed_person *sealed_out)
{
	struct {
		const char *name;
		struct str plain;
		struct str *sealed;
	} const fields[] = {
		{"email", person->email, &sealed_out->email},
		{"given_name", person->given_name, &sealed_out->given_name},
		{"family_name", person->family_name, &sealed_out->family_name},
	};
	enum err err = OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && err == OK; i++) {
		struct seal_place place = store_place(store, "person", fields[i].name, &person->id);

		err = seal_field(key, &place, fields[i].plain, store->arena, fields[i].sealed);
	}
	return err;
}

enum err store_person_insert(struct store *store, struct person_record *person, struct str normal_email, instant_us now)
{
	uint8_t index[SEAL_INDEX_LEN];
	struct sealed_person sealed;
	struct seal_key *key = NULL;
	struct rows *rows = NULL;
	enum err err;

	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, &person->id, true, &key)) != OK)
		goto done;
	if ((err = seal_person(store, key, person, &sealed)) != OK)
		goto done;
	store_person_index(store->seal, &store->tenant_id, normal_email, index);
	err = store_one(store->tx, &sql_person_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&person->id), db_bytes(sealed.email),
			db_bytes((struct str){(const char *)index, sizeof(index)}), db_bytes(sealed.given_name),
			db_bytes(sealed.family_name), db_c(rules_locale_name(person->locale)),
			db_c(rules_status_name(person->status)),
			db_time_or_null(person->email_verified_at != 0 ? &person->email_verified_at : NULL),
			db_time(now)),
		&rows);
	if (err != OK)
		goto done;
	person->row_id = rows_i64(rows, 0);
	person->version = 1;
	person->created_at = now;
done:
	rows_free(&rows);
	seal_key_free(&key);
	return err;
}

enum err store_person_update(struct store *store, struct person_record *person, instant_us now)
{
	struct sealed_person sealed;
	struct seal_key *key = NULL;
	struct rows *rows = NULL;
	enum err err;

	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, &person->id, false, &key)) != OK)
		goto done;
	if ((err = seal_person(store, key, person, &sealed)) != OK)
		goto done;
	err = store_one(store->tx, &sql_person_update,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person->row_id), db_bytes(sealed.given_name),
			db_bytes(sealed.family_name), db_c(rules_locale_name(person->locale)),
			db_c(rules_status_name(person->status)),
			db_time_or_null(person->email_verified_at != 0 ? &person->email_verified_at : NULL),
			db_time(now)),
		&rows);
	if (err == OK)
		person->version = rows_i64(rows, 0);
done:
	rows_free(&rows);
	seal_key_free(&key);
	return err;
}

enum err store_person_set_roles(struct store *store, const struct person_record *person, const struct str *roles,
	size_t count, const struct uuid *granted_by, instant_us now)
{
	enum err err;

	err = tx_queue_quiet(store->tx, &sql_person_role_delete,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person->row_id), db_strs(roles, count)));
	if (err != OK)
		return err;
	return tx_exec(store->tx, &sql_person_role_insert,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person->row_id), db_strs(roles, count), db_time(now),
			db_uuid_or_null(granted_by)),
		NULL);
}

enum err store_person_others(
	struct store *store, const struct person_record *person, const char *role, int64_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = store_one(store->tx, &sql_person_others,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person->row_id), db_c(role)), &rows);
	if (err == OK)
		*count_out = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

/* Appends one deletion by person to the pipeline. */
static enum err erase_rows(struct store *store, const struct db_statement *statement, int64_t person_row_id)
{
	return tx_queue(store->tx, statement, PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)));
}

enum err store_person_erase(struct store *store, struct person_record *person, instant_us now, int64_t *rows_out)
{
	/* Codes point to families and sessions, families to sessions. */
	const struct db_statement *const deletions[] = {&sql_code_delete_person, &sql_family_delete_person,
		&sql_session_delete_person, &sql_consent_delete_person, &sql_device_delete_person,
		&sql_credential_delete, &sql_mail_link_delete, &sql_factor_delete_person, &sql_recovery_delete_person,
		&sql_role_grant_delete_person, &sql_group_delete_person, &sql_access_review_delete_person,
		&sql_email_change_delete_person};
	struct rows *rows = NULL;
	uint64_t affected;
	enum err err = OK;

	*rows_out = 1;
	for (size_t i = 0; i < sizeof(deletions) / sizeof(deletions[0]) && err == OK; i++)
		err = erase_rows(store, deletions[i], person->row_id);
	if (err == OK)
		err = tx_queue(store->tx, &sql_mail_forget, PARAMS(db_uuid(&store->tenant_id), db_uuid(&person->id)));
	if (err == OK)
		err = tx_queue(store->tx, &sql_role_grant_of_principal,
			PARAMS(db_uuid(&store->tenant_id), db_uuid(&person->id)));
	if (err == OK)
		err = tx_queue(store->tx, &sql_person_role_delete,
			PARAMS(db_uuid(&store->tenant_id), db_i64(person->row_id), db_strs(NULL, 0)));
	if (err == OK)
		err = tx_flush(store->tx);
	for (size_t i = 0; i < sizeof(deletions) / sizeof(deletions[0]) + 3 && err == OK; i++) {
		if ((err = tx_next(store->tx, NULL, &affected)) == OK)
			*rows_out += (int64_t)affected;
	}
	if (err != OK)
		return err;
	err = store_one(store->tx, &sql_person_erase,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person->row_id), db_time(now)), &rows);
	if (err == OK) {
		person->version = rows_i64(rows, 0);
		person->status = PERSON_ERASED;
		person->email = person->given_name = person->family_name = STR_NONE;
		person->roles = person->permissions = STR("");
		person->held = (struct held){0};
		person->email_verified_at = 0;
	}
	rows_free(&rows);
	return err;
}

enum err store_person_sign_in(struct store *store, struct str normal_email, struct sign_in_record *out)
{
	uint8_t index[SEAL_INDEX_LEN];
	struct rows *rows = NULL;
	enum err err;

	*out = (struct sign_in_record){0};
	store_person_index(store->seal, &store->tenant_id, normal_email, index);
	err = store_one(store->tx, &sql_person_sign_in,
		PARAMS(db_uuid(&store->tenant_id), db_bytes((struct str){(const char *)index, sizeof(index)})), &rows);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return err;
	*out = (struct sign_in_record){
		.found = true,
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.encoded = rows_copy(rows, 4, store->arena),
		.pepper_epoch = rows_i64(rows, 5),
	};
	if (!rules_status_parse(rows_str(rows, 2), &out->status))
		err = ERR_INTERNAL;
	if (out->encoded.p == NULL)
		err = ERR_TOO_LARGE;
	rows_free(&rows);
	return err;
}

enum err store_credential_put(
	struct store *store, int64_t person_row_id, struct str encoded, int64_t pepper_epoch, instant_us now)
{
	return tx_exec(store->tx, &sql_credential_put,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_str(encoded), db_i64(pepper_epoch),
			db_time(now)),
		NULL);
}

enum err store_credential_rehash(
	struct store *store, const struct sign_in_record *old, struct str encoded, int64_t pepper_epoch, instant_us now)
{
	return tx_exec(store->tx, &sql_credential_rehash,
		PARAMS(db_uuid(&store->tenant_id), db_i64(old->row_id), db_str(encoded), db_i64(pepper_epoch),
			db_time(now), db_str(old->encoded)),
		NULL);
}
