/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

enum err store_begin(
	struct db *db, struct seal *seal, struct arena *arena, const struct uuid *tenant_id, struct store *store_out)
{
	*store_out = (struct store){.seal = seal, .arena = arena, .tenant_id = *tenant_id};
	return tx_begin(db, tenant_id, &store_out->tx);
}

enum err store_switch(struct store *store, const struct uuid *tenant_id)
{
	store->tenant_id = *tenant_id;
	return tx_set_tenant(store->tx, tenant_id);
}

enum err store_commit(struct store *store)
{
	return tx_commit(&store->tx);
}

void store_release(struct store *store)
{
	tx_free(&store->tx);
}

struct seal_place store_place(const struct store *store, const char *table, const char *column, const struct uuid *id)
{
	return (struct seal_place){.tenant_id = &store->tenant_id, .table = table, .column = column, .row_id = id};
}

enum err store_one(struct tx *tx, const struct db_statement *statement, const struct db_param *params, size_t count,
	struct rows **rows_out)
{
	enum err err = tx_query(tx, statement, params, count, rows_out);

	if (err != OK)
		return err;
	if (rows_next(*rows_out))
		return OK;
	rows_free(rows_out);
	return ERR_NOT_FOUND;
}

enum err store_next(struct tx *tx, struct rows **rows_out)
{
	enum err err = tx_next(tx, rows_out, NULL);

	if (err != OK)
		return err;
	if (rows_next(*rows_out))
		return OK;
	rows_free(rows_out);
	return ERR_NOT_FOUND;
}

struct str store_text(struct str text)
{
	return text.p != NULL ? text : STR("");
}

enum err store_proof(const struct rows *rows, int column, struct arena *arena, struct proof *proof_out)
{
	proof_out->methods = rows_copy(rows, column + 1, arena);
	proof_out->factor_id = rows_is_null(rows, column + 2) ? UUID_NIL : rows_uuid(rows, column + 2);
	if (!acr_parse(rows_str(rows, column), &proof_out->acr))
		return ERR_INTERNAL;
	return proof_out->methods.p != NULL ? OK : ERR_TOO_LARGE;
}
