/* SPDX-License-Identifier: Apache-2.0 */
#include "store_session.h"

#include "authsvc_sql.h"
#include "base/clock.h"
#include "store_logout.h"

static enum err seal_browser(struct store *store, const struct session_record *session, struct str *sealed_out)
{
	struct seal_place place = store_place(store, "session", "browser", &session->id);
	struct seal_key *key = NULL;
	enum err err;

	*sealed_out = STR_NONE;
	if (session->browser.p == NULL)
		return OK;
	err = seal_subject_load(store->tx, store->seal, &store->tenant_id, &session->person_id, false, &key);
	if (err == OK)
		err = seal_field(key, &place, session->browser, store->arena, sealed_out);
	seal_key_free(&key);
	return err;
}

enum err store_session_insert(
	struct store *store, struct session_record *session, struct str handle_hash, instant_us now)
{
	struct rows *rows = NULL;
	struct str browser;
	enum err err;

	if ((err = seal_browser(store, session, &browser)) != OK)
		return err;
	session->auth_at = session->seen_at = now;
	session->expires_at = now + SESSION_LIFE_US;
	err = store_one(store->tx, &sql_session_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&session->id), db_i64(session->person_row_id),
			db_bytes(handle_hash), db_time(now), db_time(session->expires_at),
			db_c(acr_name(session->proof.acr)), db_str(session->proof.methods), db_bytes(browser),
			db_uuid_or_null(&session->proof.factor_id)),
		&rows);
	if (err == OK)
		session->row_id = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_session_read(struct store *store, struct str handle_hash, struct session_record *session_out)
{
	struct rows *rows = NULL;
	enum err err;

	*session_out = (struct session_record){0};
	err = store_one(store->tx, &sql_session_read, PARAMS(db_uuid(&store->tenant_id), db_bytes(handle_hash)), &rows);
	if (err != OK)
		return err;
	*session_out = (struct session_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.person_row_id = rows_i64(rows, 2),
		.person_id = rows_uuid(rows, 3),
		.auth_at = rows_time(rows, 4),
		.seen_at = rows_time(rows, 5),
		.expires_at = rows_time(rows, 6),
		.ended = !rows_is_null(rows, 7),
	};
	if (!rules_status_parse(rows_str(rows, 8), &session_out->person_status))
		err = ERR_INTERNAL;
	if (err == OK)
		err = store_proof(rows, 9, store->arena, &session_out->proof);
	rows_free(&rows);
	return err;
}

enum err store_session_seen(struct store *store, struct session_record *session, instant_us now)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_session_seen,
		PARAMS(db_uuid(&store->tenant_id), db_i64(session->row_id), db_time(now)), &rows);
	if (err == OK)
		err = store_proof(rows, 0, store->arena, &session->proof);
	rows_free(&rows);
	return err;
}

enum err store_session_renew(
	struct store *store, const struct session_record *session, struct str handle_hash, instant_us now)
{
	return tx_exec(store->tx, &sql_session_renew,
		PARAMS(db_uuid(&store->tenant_id), db_i64(session->row_id), db_bytes(handle_hash), db_time(now),
			db_time(now + SESSION_LIFE_US), db_c(acr_name(session->proof.acr)),
			db_str(session->proof.methods), db_uuid_or_null(&session->proof.factor_id)),
		NULL);
}

enum err store_session_end(struct store *store, const struct session_record *session, instant_us now)
{
	enum err err = tx_exec(store->tx, &sql_session_end,
		PARAMS(db_uuid(&store->tenant_id), db_i64(session->row_id), db_time(now)), NULL);

	/* A statement of its own, for it sees the tokens that the first one waited for. */
	return err == OK ? store_logout_put(store, session->person_row_id, now) : err;
}

enum err store_session_end_person(struct store *store, int64_t person_row_id, instant_us now)
{
	enum err err = tx_exec(store->tx, &sql_session_end_person,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_time(now)), NULL);

	return err == OK ? store_logout_put(store, person_row_id, now) : err;
}

static enum err read_view(
	struct store *store, const struct seal_key *key, const struct rows *rows, struct session_view *view_out)
{
	struct seal_place place;
	enum err err;

	*view_out = (struct session_view){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.created_at = rows_time(rows, 2),
		.auth_at = rows_time(rows, 3),
		.seen_at = rows_time(rows, 4),
		.expires_at = rows_time(rows, 5),
		.ended_at = rows_time(rows, 6),
	};
	if ((err = store_proof(rows, 7, store->arena, &view_out->proof)) != OK || rows_is_null(rows, 10))
		return err;
	place = store_place(store, "session", "browser", &view_out->id);
	return seal_open(key, &place, rows_bytes(rows, 10), store->arena, &view_out->browser);
}

enum err store_session_list(struct store *store, int64_t person_row_id, const struct uuid *person_id, bool live_only,
	size_t limit, struct session_view *sessions_out, size_t *count_out)
{
	instant_us now = clock_now_us();
	struct seal_key *key = NULL;
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = live_only ? tx_query(store->tx, &sql_session_live,
				  PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64((int64_t)limit),
					  db_time(now), db_time(now - SESSION_IDLE_US)),
				  &rows)
	                : tx_query(store->tx, &sql_session_list,
				  PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64((int64_t)limit)),
				  &rows);
	if (err == OK && rows_count(rows) > 0)
		err = seal_subject_load(store->tx, store->seal, &store->tenant_id, person_id, false, &key);
	while (err == OK && *count_out < limit && rows_next(rows))
		err = read_view(store, key, rows, &sessions_out[(*count_out)++]);
	seal_key_free(&key);
	rows_free(&rows);
	return err;
}

enum err store_session_lock(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	const struct uuid *id, struct session_record *session_out)
{
	instant_us now = clock_now_us();
	struct rows *rows = NULL;
	enum err err;

	*session_out = (struct session_record){.id = *id, .person_row_id = person_row_id, .person_id = *person_id};
	err = store_one(store->tx, &sql_session_lock,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_uuid(id), db_time(now),
			db_time(now - SESSION_IDLE_US)),
		&rows);
	if (err == OK)
		session_out->row_id = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_session_of_grant(struct store *store, const struct uuid *sid, int64_t *row_id_out)
{
	struct rows *rows = NULL;
	enum err err;

	*row_id_out = 0;
	err = store_one(store->tx, &sql_session_of_family, PARAMS(db_uuid(&store->tenant_id), db_uuid(sid)), &rows);
	if (err == OK)
		*row_id_out = rows_i64(rows, 0);
	rows_free(&rows);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* A login_hint is an address, and what a client keeps in its state is unknown: all of it is sealed. */
static enum err seal_parameters(struct store *store, const struct request_record *request, struct str *sealed_out)
{
	struct seal_place place = store_place(store, "authorization_request", "parameters", &request->id);
	struct seal_key *key = NULL;
	enum err err;

	*sealed_out = STR_NONE;
	if (request->parameters.p == NULL)
		return OK;
	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, NULL, true, &key)) != OK)
		return err;
	err = seal_field(key, &place, request->parameters, store->arena, sealed_out);
	seal_key_free(&key);
	return err;
}

enum err store_request_insert(
	struct store *store, const struct request_record *request, struct str handle_hash, instant_us now)
{
	struct str sealed;
	enum err err;

	if ((err = seal_parameters(store, request, &sealed)) != OK)
		return err;
	return tx_exec(store->tx, &sql_request_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&request->id), db_bytes(handle_hash),
			db_i64_or_null(request->client_row_id != 0 ? &request->client_row_id : NULL), db_bytes(sealed),
			db_time(now), db_time(now + (request->life_us != 0 ? request->life_us : REQUEST_LIFE_US))),
		NULL);
}

static enum err open_parameters(
	struct store *store, const struct rows *rows, int column, struct request_record *request)
{
	struct seal_place place = store_place(store, "authorization_request", "parameters", &request->id);
	struct seal_key *key = NULL;
	enum err err;

	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, NULL, false, &key)) != OK)
		return err;
	err = seal_open(key, &place, rows_bytes(rows, column), store->arena, &request->parameters);
	seal_key_free(&key);
	return err;
}

enum err store_request_take(struct store *store, struct str handle_hash, int64_t client_row_id, instant_us now,
	struct request_record *request_out)
{
	struct rows *rows = NULL;
	enum err err;

	*request_out = (struct request_record){0};
	err = store_one(store->tx, &sql_request_take,
		PARAMS(db_uuid(&store->tenant_id), db_bytes(handle_hash), db_i64(client_row_id), db_time(now)), &rows);
	if (err == OK) {
		*request_out = (struct request_record){
			.row_id = rows_i64(rows, 0), .id = rows_uuid(rows, 1), .client_row_id = client_row_id};
		err = open_parameters(store, rows, 2, request_out);
	}
	rows_free(&rows);
	return err;
}

enum err store_request_read(
	struct store *store, struct str handle_hash, instant_us now, struct request_record *request_out)
{
	struct rows *rows = NULL;
	enum err err;

	*request_out = (struct request_record){0};
	err = store_one(store->tx, &sql_request_read,
		PARAMS(db_uuid(&store->tenant_id), db_bytes(handle_hash), db_time(now)), &rows);
	if (err != OK)
		goto done;
	*request_out = (struct request_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.client_row_id = rows_i64(rows, 3),
		.client_id = rows_uuid(rows, 4),
		.client_name = rows_copy(rows, 5, store->arena),
		.created_at = rows_time(rows, 6),
		.third_party = rows_bool(rows, 7),
		.client_grants = rows_copy(rows, 8, store->arena),
		.client_vouched = rows_copy(rows, 9, store->arena),
	};
	if (!rows_is_null(rows, 2))
		err = open_parameters(store, rows, 2, request_out);
done:
	rows_free(&rows);
	return err;
}

enum err store_request_delete(struct store *store, const struct request_record *request)
{
	return tx_exec(
		store->tx, &sql_request_delete, PARAMS(db_uuid(&store->tenant_id), db_i64(request->row_id)), NULL);
}

enum err store_request_end(struct store *store, const struct request_record *request)
{
	uint64_t rows = 0;
	enum err err;

	err = tx_exec(
		store->tx, &sql_request_delete, PARAMS(db_uuid(&store->tenant_id), db_i64(request->row_id)), &rows);
	return err == OK && rows == 0 ? ERR_GONE : err;
}

enum err store_request_delete_client(struct store *store, int64_t client_row_id)
{
	return tx_exec(
		store->tx, &sql_request_delete_client, PARAMS(db_uuid(&store->tenant_id), db_i64(client_row_id)), NULL);
}
