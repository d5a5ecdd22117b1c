/* SPDX-License-Identifier: Apache-2.0 */
#include "store_email.h"

#include "authsvc_sql.h"

static enum err seal_one(struct store *store, const char *table, const struct uuid *person_id, const struct uuid *row,
	struct str email, struct str *sealed_out)
{
	struct seal_place place = store_place(store, table, "email", row);
	struct seal_key *key = NULL;
	enum err err;

	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, person_id, false, &key)) != OK)
		return err;
	err = seal_field(key, &place, email, store->arena, sealed_out);
	seal_key_free(&key);
	return err;
}

enum err store_email_insert(struct store *store, const struct uuid *person_id, struct email_change *change,
	struct str old_token_hash, struct str new_token_hash, instant_us now)
{
	struct str sealed;
	enum err err;

	change->created_at = now;
	change->expires_at = now + EMAIL_CHANGE_LIFE_US;
	if ((err = store_email_delete(store, change->person_row_id)) != OK)
		return err;
	if ((err = seal_one(store, "email_change", person_id, &change->id, change->email, &sealed)) != OK)
		return err;
	return tx_exec(store->tx, &sql_email_change_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&change->id), db_i64(change->person_row_id),
			db_bytes(sealed), db_bytes(old_token_hash), db_bytes(new_token_hash), db_time(now),
			db_time(change->expires_at)),
		NULL);
}

static void read_change(const struct rows *rows, struct email_change *change_out)
{
	*change_out = (struct email_change){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.person_row_id = rows_i64(rows, 2),
		.created_at = rows_time(rows, 4),
		.expires_at = rows_time(rows, 5),
		.old_confirmed = !rows_is_null(rows, 6),
		.new_confirmed = !rows_is_null(rows, 7),
	};
}

enum err store_email_find(struct store *store, enum email_side side, struct str token_hash, instant_us now,
	struct email_change *change_out)
{
	struct rows *rows = NULL;
	enum err err;

	*change_out = (struct email_change){0};
	err = store_one(store->tx, side == EMAIL_OLD ? &sql_email_change_old : &sql_email_change_new,
		PARAMS(db_uuid(&store->tenant_id), db_bytes(token_hash), db_time(now)), &rows);
	if (err == OK)
		read_change(rows, change_out);
	rows_free(&rows);
	return err;
}

enum err store_email_read(
	struct store *store, int64_t person_row_id, const struct uuid *person_id, struct email_change *change_out)
{
	struct seal_key *key = NULL;
	struct seal_place place;
	struct rows *rows = NULL;
	enum err err;

	*change_out = (struct email_change){0};
	err = store_one(
		store->tx, &sql_email_change_read, PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)), &rows);
	if (err != OK)
		goto done;
	read_change(rows, change_out);
	place = store_place(store, "email_change", "email", &change_out->id);
	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, person_id, false, &key)) != OK)
		goto done;
	err = seal_open(key, &place, rows_bytes(rows, 3), store->arena, &change_out->email);
done:
	seal_key_free(&key);
	rows_free(&rows);
	return err;
}

enum err store_email_confirm(struct store *store, struct email_change *change, enum email_side side, instant_us now)
{
	change->old_confirmed = change->old_confirmed || side == EMAIL_OLD;
	change->new_confirmed = change->new_confirmed || side == EMAIL_NEW;
	return tx_exec(store->tx, &sql_email_change_confirm,
		PARAMS(db_uuid(&store->tenant_id), db_i64(change->row_id), db_bool(side == EMAIL_OLD), db_time(now)),
		NULL);
}

enum err store_email_delete(struct store *store, int64_t person_row_id)
{
	return tx_exec(store->tx, &sql_email_change_delete_person,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id)), NULL);
}

enum err store_email_swap(
	struct store *store, struct person_record *person, struct str email, struct str normal_email, instant_us now)
{
	uint8_t index[SEAL_INDEX_LEN];
	struct rows *rows = NULL;
	struct str sealed;
	enum err err;

	if ((err = seal_one(store, "person", &person->id, &person->id, email, &sealed)) != OK)
		return err;
	store_person_index(store->seal, &store->tenant_id, normal_email, index);
	err = store_one(store->tx, &sql_person_email_update,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person->row_id), db_bytes(sealed),
			db_bytes((struct str){(const char *)index, sizeof(index)}), db_time(now)),
		&rows);
	if (err == OK) {
		person->email = email;
		person->email_verified_at = now;
		person->version = rows_i64(rows, 0);
	}
	rows_free(&rows);
	return err;
}
