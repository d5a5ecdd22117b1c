/* SPDX-License-Identifier: Apache-2.0 */
#include "store_tenant.h"

#include "authsvc_sql.h"

static enum err read_tenant(const struct rows *rows, struct arena *arena, struct tenant_record *tenant_out)
{
	*tenant_out = (struct tenant_record){
		.id = rows_uuid(rows, 0),
		.slug = rows_copy(rows, 1, arena),
		.name = rows_copy(rows, 2, arena),
		.registration_domain = rows_copy(rows, 4, arena),
		.version = rows_i64(rows, 5),
		.two_person_rule = rows_bool(rows, 7),
		.rule_off_by = rows_uuid(rows, 8),
		.rule_off_at = rows_time(rows, 9),
		.factor_roles = rows_copy(rows, 10, arena),
	};
	if (!rules_locale_parse(rows_str(rows, 3), &tenant_out->locale) ||
		!demand_parse(rows_str(rows, 6), &tenant_out->second_factor))
		return ERR_INTERNAL;
	return tenant_out->name.p != NULL && tenant_out->factor_roles.p != NULL ? OK : ERR_TOO_LARGE;
}

enum err store_tenant_by_slug(struct db *jobs, struct arena *arena, struct str slug, struct tenant_record *tenant_out)
{
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	enum err err;

	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	if ((err = store_one(tx, &sql_tenant_by_slug, PARAMS(db_str(slug)), &rows)) != OK)
		goto done;
	err = read_tenant(rows, arena, tenant_out);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_tenant_of_client(struct db *jobs, const struct uuid *client_id, struct uuid *tenant_id_out)
{
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	enum err err;

	*tenant_id_out = UUID_NIL;
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	if ((err = store_one(tx, &sql_client_directory, PARAMS(db_uuid(client_id)), &rows)) != OK)
		goto done;
	*tenant_id_out = rows_uuid(rows, 0);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_tenant_list(struct db *jobs, struct arena *arena, const struct uuid *after, size_t limit,
	struct tenant_record *tenants_out, size_t *count_out)
{
	struct rows *rows = NULL;
	struct tx *tx = NULL;
	enum err err;

	*count_out = 0;
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	err = tx_query(tx, &sql_tenant_list, PARAMS(db_uuid(after), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows)) {
		struct tenant_record *tenant = &tenants_out[(*count_out)++];

		err = read_tenant(rows, arena, tenant);
		tenant->created_at = rows_time(rows, 11);
	}
	if (err == OK)
		err = tx_commit(&tx);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

static enum err one_tenant(struct store *store, const struct db_statement *statement, struct tenant_record *tenant_out)
{
	struct rows *rows = NULL;
	enum err err;

	if ((err = store_one(store->tx, statement, PARAMS(db_uuid(&store->tenant_id)), &rows)) == OK)
		err = read_tenant(rows, store->arena, tenant_out);
	rows_free(&rows);
	return err;
}

enum err store_tenant_read(struct store *store, struct tenant_record *tenant_out)
{
	return one_tenant(store, &sql_tenant_read, tenant_out);
}

enum err store_tenant_lock(struct store *store, struct tenant_record *tenant_out)
{
	return one_tenant(store, &sql_tenant_lock, tenant_out);
}

enum err store_tenant_insert(struct store *store, const struct tenant_record *tenant, instant_us now)
{
	return tx_exec(store->tx, &sql_tenant_insert,
		PARAMS(db_uuid(&tenant->id), db_str(tenant->slug), db_str(tenant->name),
			db_c(rules_locale_name(tenant->locale)), db_time(now),
			db_c(demand_name(tenant->second_factor))),
		NULL);
}

enum err store_tenant_update(struct store *store, const struct tenant_record *tenant, instant_us now)
{
	return tx_exec(store->tx, &sql_tenant_update,
		PARAMS(db_uuid(&store->tenant_id), db_str(tenant->name), db_c(rules_locale_name(tenant->locale)),
			db_str(tenant->registration_domain), db_time(now), db_c(demand_name(tenant->second_factor)),
			db_bool(tenant->two_person_rule), db_uuid_or_null(&tenant->rule_off_by),
			db_time_or_null(tenant->rule_off_at != 0 ? &tenant->rule_off_at : NULL),
			db_str(tenant->factor_roles)),
		NULL);
}

static enum err read_client(const struct rows *rows, struct arena *arena, struct client_record *client_out)
{
	*client_out = (struct client_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.name = rows_copy(rows, 2, arena),
		.confidential = str_eq_c(rows_str(rows, 3), "confidential"),
		.secret_hash = rows_copy(rows, 4, arena),
		.redirect_uris = rows_copy(rows, 5, arena),
		.grants = rows_copy(rows, 6, arena),
		.permissions = rows_copy(rows, 7, arena),
		.id_token_alg = rows_copy(rows, 8, arena),
		.created_at = rows_time(rows, 9),
		.allowed_origins = rows_copy(rows, 10, arena),
		.jwks = rows_copy(rows, 11, arena),
		.require_pushed = rows_bool(rows, 12),
		.third_party = rows_bool(rows, 13),
		.post_logout_uris = rows_copy(rows, 14, arena),
		.dpop_bound = rows_bool(rows, 15),
		.backchannel_uri = rows_copy(rows, 16, arena),
		.backchannel_session = rows_bool(rows, 17),
		.version = rows_i64(rows, 18),
		.vouched = rows_copy(rows, 19, arena),
	};
	return client_out->allowed_origins.p != NULL ? OK : ERR_TOO_LARGE;
}

static enum err one_client(struct store *store, const struct db_statement *statement, const struct uuid *id,
	struct client_record *client_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, statement, PARAMS(db_uuid(&store->tenant_id), db_uuid(id)), &rows);
	if (err == OK)
		err = read_client(rows, store->arena, client_out);
	rows_free(&rows);
	return err;
}

enum err store_client_read(struct store *store, const struct uuid *id, struct client_record *client_out)
{
	return one_client(store, &sql_client_read, id, client_out);
}

enum err store_client_lock(struct store *store, const struct uuid *id, struct client_record *client_out)
{
	return one_client(store, &sql_client_lock, id, client_out);
}

enum err store_client_queue(struct store *store, const struct uuid *id)
{
	return tx_queue(store->tx, &sql_client_read, PARAMS(db_uuid(&store->tenant_id), db_uuid(id)));
}

enum err store_client_next(struct store *store, struct client_record *client_out)
{
	struct rows *rows = NULL;
	enum err err;

	if ((err = store_next(store->tx, &rows)) == OK)
		err = read_client(rows, store->arena, client_out);
	rows_free(&rows);
	return err;
}

enum err store_client_list(struct store *store, const struct uuid *after, size_t limit,
	struct client_record *clients_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_client_list,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(after), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows))
		err = read_client(rows, store->arena, &clients_out[(*count_out)++]);
	rows_free(&rows);
	return err;
}

enum err store_client_insert(struct store *store, struct client_record *client)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_client_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&client->id), db_str(client->name),
			db_c(client->confidential ? "confidential" : "public"), db_bytes(client->secret_hash),
			db_str(client->redirect_uris), db_str(client->grants), db_str(client->permissions),
			db_str(client->id_token_alg), db_time(client->created_at),
			db_str(store_text(client->allowed_origins)), db_str(client->jwks),
			db_bool(client->require_pushed), db_bool(client->third_party),
			db_str(store_text(client->post_logout_uris)), db_bool(client->dpop_bound),
			db_str(client->backchannel_uri), db_bool(client->backchannel_session),
			db_str(store_text(client->vouched))),
		&rows);
	if (err == OK)
		client->row_id = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_client_update(struct store *store, struct client_record *client)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_client_update,
		PARAMS(db_uuid(&store->tenant_id), db_i64(client->row_id), db_str(client->name),
			db_str(client->redirect_uris), db_str(client->grants), db_str(client->permissions),
			db_str(client->id_token_alg), db_str(store_text(client->allowed_origins)), db_str(client->jwks),
			db_bool(client->require_pushed), db_bool(client->third_party),
			db_str(store_text(client->post_logout_uris)), db_bool(client->dpop_bound),
			db_str(client->backchannel_uri), db_bool(client->backchannel_session),
			db_str(store_text(client->vouched))),
		&rows);
	if (err == OK)
		client->version = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_client_origins(struct db *jobs, struct arena *arena, const struct uuid *after, size_t limit,
	struct client_record *clients_out, size_t *count_out)
{
	struct rows *rows = NULL;
	struct tx *tx = NULL;
	enum err err;

	*count_out = 0;
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	err = tx_query(tx, &sql_client_origins_all, PARAMS(db_uuid(after), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows)) {
		struct client_record *client = &clients_out[(*count_out)++];

		*client =
			(struct client_record){.id = rows_uuid(rows, 0), .allowed_origins = rows_copy(rows, 1, arena)};
		if (client->allowed_origins.p == NULL)
			err = ERR_TOO_LARGE;
	}
	if (err == OK)
		err = tx_commit(&tx);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_assertion_use(struct store *store, int64_t client_row_id, struct str jti_hash, instant_us expires_at)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_assertion_insert,
		PARAMS(db_uuid(&store->tenant_id), db_i64(client_row_id), db_bytes(jti_hash), db_time(expires_at)),
		&rows);
	rows_free(&rows);
	return err == ERR_NOT_FOUND ? ERR_CONFLICT : err;
}

enum err store_client_delete(struct store *store, const struct uuid *id, instant_us now, int64_t *row_id_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(
		store->tx, &sql_client_delete, PARAMS(db_uuid(&store->tenant_id), db_uuid(id), db_time(now)), &rows);
	if (err == OK)
		*row_id_out = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}
