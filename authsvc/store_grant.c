/* SPDX-License-Identifier: Apache-2.0 */
#include "store_grant.h"

#include "authsvc_sql.h"

#define REVOKED_AT_ONCE_MAX 1000
#define RECORDS_MAX 1000
/* Planning a statement for its values costs as much as a few that are prepared. */
#define ROTATED_TOGETHER_MIN 4

/* A clock that is a little behind must not let a token through that was issued meanwhile. */
#define REVOCATION_SLACK_US (60 * US_PER_S)
#define CALL_US (10 * US_PER_S) /* no call lives longer */

static const char *const kind_names[REVOKED_KINDS] = {
	[REVOKED_SESSION] = "session",
	[REVOKED_TOKEN] = "token",
	[REVOKED_PERSON] = "person",
	[REVOKED_CLIENT] = "client",
	[REVOKED_TENANT] = "tenant",
};

enum err store_code_insert(struct store *store, const struct code_record *code, struct str code_hash, instant_us now)
{
	return tx_exec(store->tx, &sql_code_insert,
		PARAMS(db_uuid(&store->tenant_id), db_bytes(code_hash), db_i64(code->client_row_id),
			db_i64(code->person_row_id), db_i64(code->session_row_id), db_str(code->redirect_uri),
			db_str(code->scope), db_str(code->nonce), db_str(code->code_challenge), db_time(code->auth_at),
			db_time(now), db_time(now + CODE_LIFE_US), db_c(acr_name(code->proof.acr)),
			db_str(code->proof.methods), db_uuid_or_null(&code->proof.factor_id),
			db_str(store_text(code->resource)), db_str(code->jkt)),
		NULL);
}

enum err store_code_lock(struct store *store, struct str code_hash, struct code_record *code_out)
{
	struct rows *rows = NULL;
	enum err err;

	*code_out = (struct code_record){0};
	err = store_one(store->tx, &sql_code_lock, PARAMS(db_uuid(&store->tenant_id), db_bytes(code_hash)), &rows);
	if (err != OK)
		return err;
	*code_out = (struct code_record){
		.row_id = rows_i64(rows, 0),
		.client_row_id = rows_i64(rows, 1),
		.person_row_id = rows_i64(rows, 2),
		.session_row_id = rows_i64(rows, 3),
		.redirect_uri = rows_copy(rows, 4, store->arena),
		.scope = rows_copy(rows, 5, store->arena),
		.nonce = rows_copy(rows, 6, store->arena),
		.code_challenge = rows_copy(rows, 7, store->arena),
		.auth_at = rows_time(rows, 8),
		.expires_at = rows_time(rows, 9),
		.used = !rows_is_null(rows, 10),
		.family_row_id = rows_i64(rows, 11),
		.session_ended = !rows_is_null(rows, 12) || !rows_bool(rows, 13),
		.family_id = rows_uuid(rows, 14),
		.resource = rows_copy(rows, 18, store->arena),
		.session_id = rows_uuid(rows, 19),
		.jkt = rows_copy(rows, 20, store->arena),
	};
	err = store_proof(rows, 15, store->arena, &code_out->proof);
	rows_free(&rows);
	if (err != OK)
		return err;
	return code_out->code_challenge.p != NULL && code_out->resource.p != NULL ? OK : ERR_TOO_LARGE;
}

enum err store_code_alive(struct store *store, const struct code_record *code, bool *alive_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(
		store->tx, &sql_session_hold, PARAMS(db_uuid(&store->tenant_id), db_i64(code->session_row_id)), &rows);
	*alive_out = err == OK;
	rows_free(&rows);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err store_code_use(struct store *store, const struct code_record *code, int64_t family_row_id, instant_us now)
{
	return tx_queue_quiet(store->tx, &sql_code_use,
		PARAMS(db_uuid(&store->tenant_id), db_i64(code->row_id), db_i64(family_row_id), db_time(now)));
}

enum err store_family_insert(struct store *store, struct family_record *family, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	family->created_at = family->state.rotated_at = now;
	family->state.generation = 1;
	family->state.has_refresh = family->refresh_salt.p != NULL;
	family->state.expires_at = now + FAMILY_LIFE_US;
	err = store_one(store->tx, &sql_family_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&family->id), db_i64(family->person_row_id),
			db_i64(family->client_row_id),
			db_i64_or_null(family->session_row_id != 0 ? &family->session_row_id : NULL),
			db_str(family->scope), db_time(family->auth_at), db_time(now), db_bytes(family->refresh_salt),
			db_time(family->state.expires_at), db_c(acr_name(family->proof.acr)),
			db_str(family->proof.methods), db_uuid_or_null(&family->proof.factor_id),
			db_str(store_text(family->resource)), db_str(family->jkt)),
		&rows);
	if (err == OK)
		family->row_id = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

static enum err read_family(
	const struct rows *rows, struct arena *arena, const struct uuid *id, struct family_record *family_out)
{
	enum err err;

	*family_out = (struct family_record){
		.row_id = rows_i64(rows, 0),
		.id = *id,
		.person_row_id = rows_i64(rows, 1),
		.client_row_id = rows_i64(rows, 2),
		.scope = rows_copy(rows, 3, arena),
		.auth_at = rows_time(rows, 4),
		.jkt = rows_copy(rows, 15, arena),
		.refresh_salt = rows_copy(rows, 5, arena),
		.state = {.has_refresh = !rows_is_null(rows, 5),
			.generation = rows_i64(rows, 6),
			.rotated_at = rows_time(rows, 7),
			.expires_at = rows_time(rows, 8),
			.revoked = !rows_is_null(rows, 9)},
		.resource = rows_copy(rows, 13, arena),
		.session_id = rows_uuid(rows, 14),
	};
	if ((err = store_proof(rows, 10, arena, &family_out->proof)) != OK)
		return err;
	return family_out->scope.p != NULL && family_out->resource.p != NULL ? OK : ERR_TOO_LARGE;
}

enum err store_family_lock(struct store *store, const struct uuid *id, struct family_record *family_out)
{
	struct rows *rows = NULL;
	enum err err;

	*family_out = (struct family_record){0};
	err = store_one(store->tx, &sql_family_lock, PARAMS(db_uuid(&store->tenant_id), db_uuid(id)), &rows);
	if (err == OK)
		err = read_family(rows, store->arena, id, family_out);
	rows_free(&rows);
	return err;
}

enum err store_family_lock_many_queue(struct store *store, const struct uuid *ids, size_t count)
{
	return tx_queue(store->tx, &sql_family_lock_many, PARAMS(db_uuid(&store->tenant_id), db_uuids(ids, count)));
}

enum err store_family_lock_many_next(
	struct store *store, size_t limit, struct family_record *families_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_next(store->tx, &rows, NULL);
	while (err == OK && *count_out < limit && rows_next(rows)) {
		struct uuid id = rows_uuid(rows, 16);

		err = read_family(rows, store->arena, &id, &families_out[(*count_out)++]);
	}
	rows_free(&rows);
	return err;
}

enum err store_family_rotate(struct store *store, struct family_record *family, instant_us now)
{
	enum err err;

	/* Queued: the row is locked, so it cannot but match. It travels with the commit. */
	err = tx_queue_quiet(store->tx, &sql_family_rotate,
		PARAMS(db_uuid(&store->tenant_id), db_i64(family->row_id), db_i64(family->state.generation),
			db_time(now)));
	if (err == OK) {
		family->state.generation++;
		family->state.rotated_at = now;
	}
	return err;
}

static enum err plan(struct store *store, const char *mode)
{
	return tx_queue_quiet(store->tx, &sql_plan_cache_mode, PARAMS(db_c(mode)));
}

static enum err rotate_together(
	struct store *store, struct family_record *const *families, size_t count, instant_us now)
{
	int64_t *row_ids = arena_take_array(store->arena, count, sizeof(*row_ids));
	enum err err;

	if (row_ids == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++) {
		row_ids[i] = families[i]->row_id;
		families[i]->state.generation++;
		families[i]->state.rotated_at = now;
	}
	if ((err = plan(store, "force_custom_plan")) != OK)
		return err;
	err = tx_queue_quiet(store->tx, &sql_family_rotate_many,
		PARAMS(db_uuid(&store->tenant_id), db_i64s(row_ids, count), db_time(now)));
	return err == OK ? plan(store, "auto") : err;
}

enum err store_family_rotate_many(
	struct store *store, struct family_record *const *families, size_t count, instant_us now)
{
	enum err err = OK;

	if (count >= ROTATED_TOGETHER_MIN)
		return rotate_together(store, families, count, now);
	for (size_t i = 0; i < count && err == OK; i++)
		err = store_family_rotate(store, families[i], now);
	return err;
}

/* Puts the access tokens of the families that `rows` name on the list. */
static enum err revoke_tokens(struct store *store, struct rows *rows, instant_us now)
{
	struct uuid ids[REVOKED_AT_ONCE_MAX];
	size_t count = 0;
	enum err err = OK;

	while (err == OK && rows_next(rows)) {
		ids[count++] = rows_uuid(rows, 0);
		if (count == REVOKED_AT_ONCE_MAX) {
			err = store_revocation_add(store, REVOKED_SESSION, ids, count, now);
			count = 0;
		}
	}
	if (err == OK && count > 0)
		err = store_revocation_add(store, REVOKED_SESSION, ids, count, now);
	return err;
}

enum err store_family_revoke_pair(
	struct store *store, int64_t person_row_id, int64_t client_row_id, const char *reason, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = tx_query(store->tx, &sql_family_revoke_pair,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_time(now), db_c(reason),
			db_i64(client_row_id)),
		&rows);
	if (err == OK)
		err = revoke_tokens(store, rows, now);
	rows_free(&rows);
	return err;
}

enum err store_family_revoke(
	struct store *store, enum family_of of, int64_t row_id, const char *reason, instant_us now, size_t *count_out)
{
	static const struct db_statement *const statements[] = {
		[FAMILY_ITSELF] = &sql_family_revoke,
		[FAMILY_OF_SESSION] = &sql_family_revoke_session,
		[FAMILY_OF_PERSON] = &sql_family_revoke_person,
		[FAMILY_OF_CLIENT] = &sql_family_revoke_client,
	};
	struct rows *rows = NULL;
	enum err err;

	/* What a person agreed to for a device that has not come for it yet would be a new family later on. */
	if (of == FAMILY_OF_PERSON && (err = tx_exec(store->tx, &sql_device_delete_person,
					       PARAMS(db_uuid(&store->tenant_id), db_i64(row_id)), NULL)) != OK)
		return err;
	err = tx_query(store->tx, statements[of],
		PARAMS(db_uuid(&store->tenant_id), db_i64(row_id), db_time(now), db_c(reason)), &rows);
	if (count_out != NULL)
		*count_out = err == OK ? rows_count(rows) : 0;
	if (err == OK)
		err = revoke_tokens(store, rows, now);
	rows_free(&rows);
	return err;
}

enum err store_family_list(
	struct store *store, int64_t person_row_id, size_t limit, struct family_view *families_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_family_list,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows))
		families_out[(*count_out)++] =
			(struct family_view){rows_uuid(rows, 0), rows_uuid(rows, 1), rows_copy(rows, 2, store->arena),
				rows_time(rows, 3), rows_time(rows, 4), rows_time(rows, 5), rows_time(rows, 6)};
	rows_free(&rows);
	return err;
}

enum err store_revocation_add(
	struct store *store, enum revoked_kind kind, const struct uuid *objects, size_t count, instant_us now)
{
	const instant_us until = now + ACCESS_LIFE_US + REVOCATION_SLACK_US;

	store->wakes = true;
	return tx_exec(store->tx, &sql_revocation_insert,
		PARAMS(db_uuid(&store->tenant_id), db_c(kind_names[kind]), db_uuids(objects, count),
			db_time(kind == REVOKED_CLIENT ? until : now), db_time(until)),
		NULL);
}

enum err store_revocation_narrowed(struct store *store, const struct uuid *client_id, instant_us now)
{
	store->wakes = true;
	return tx_exec(store->tx, &sql_revocation_insert,
		PARAMS(db_uuid(&store->tenant_id), db_c(kind_names[REVOKED_CLIENT]), db_uuids(client_id, 1),
			db_time(now + CALL_US), db_time(now + CALL_US + ACCESS_LIFE_US + REVOCATION_SLACK_US)),
		NULL);
}

enum err store_code_delete_client(struct store *store, int64_t client_row_id)
{
	return tx_exec(
		store->tx, &sql_code_delete_client, PARAMS(db_uuid(&store->tenant_id), db_i64(client_row_id)), NULL);
}

enum err store_revocation_hit(struct store *store, const struct revocation_query *query, instant_us now, bool *hit_out)
{
	struct rows *rows = NULL;
	enum err err;

	*hit_out = true;
	err = store_one(store->tx, &sql_revocation_hits,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&query->session_id), db_uuid(&query->token_id),
			db_uuid(&query->person_id), db_uuid(&query->client_id), db_time(query->issued_at),
			db_time(now)),
		&rows);
	if (err == OK)
		*hit_out = rows_i64(rows, 0) > 0;
	rows_free(&rows);
	return err;
}

static enum err read_records(struct rows *rows, size_t limit, struct revocation_record *records_out, size_t *count_out)
{
	while (*count_out < limit && rows_next(rows)) {
		struct revocation_record *record = &records_out[*count_out];
		int kind = 0;

		while (kind < REVOKED_KINDS && !str_eq_c(rows_str(rows, 1), kind_names[kind]))
			kind++;
		if (kind == REVOKED_KINDS)
			return ERR_INTERNAL;
		*record = (struct revocation_record){rows_i64(rows, 0), (enum revoked_kind)kind, rows_uuid(rows, 2),
			rows_time(rows, 3), rows_time(rows, 4)};
		(*count_out)++;
	}
	return OK;
}

enum err store_revocation_unpublished(
	struct tx *jobs_tx, size_t limit, struct revocation_record *records_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(jobs_tx, &sql_revocation_unpublished, PARAMS(db_i64((int64_t)limit)), &rows);
	if (err == OK)
		err = read_records(rows, limit, records_out, count_out);
	rows_free(&rows);
	return err;
}

enum err store_revocation_live(struct tx *jobs_tx, int64_t after_row_id, instant_us now, size_t limit,
	struct revocation_record *records_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(jobs_tx, &sql_revocation_live,
		PARAMS(db_i64(after_row_id), db_time(now), db_i64((int64_t)limit)), &rows);
	if (err == OK)
		err = read_records(rows, limit, records_out, count_out);
	rows_free(&rows);
	return err;
}

enum err store_revocation_published(
	struct tx *jobs_tx, const struct revocation_record *records, size_t count, instant_us now)
{
	int64_t ids[RECORDS_MAX];

	if (count > RECORDS_MAX)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < count; i++)
		ids[i] = records[i].row_id;
	return tx_exec(jobs_tx, &sql_revocation_published, PARAMS(db_i64s(ids, count), db_time(now)), NULL);
}
