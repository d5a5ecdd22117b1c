/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_H
#define BERTH_AUTHSVC_STORE_H

#include "db/db.h"
#include "rules.h"
#include "seal/seal.h"

/*
 * One transaction of one tenant and what its statements need. The files store_*.c are the only ones that know
 * tables; what they give lies in the arena. Errors are those of db/tx.h; ERR_NOT_FOUND where a row was asked for by
 * name.
 */
struct store {
	struct tx *tx;
	struct seal *seal;
	struct arena *arena;
	struct uuid tenant_id;
	bool wakes; /* wrote something that a job is waiting for */
};

/* A reserved id that no tenant has: scope of what is the deployment's own, and of look-ups that must find nobody. */
#define STORE_NO_TENANT \
	((struct uuid){ \
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}})

MUST_USE enum err store_begin(
	struct db *db, struct seal *seal, struct arena *arena, const struct uuid *tenant_id, struct store *store_out);
/* What follows is another tenant's; queued. For batches over several tenants in one transaction. */
MUST_USE enum err store_switch(struct store *store, const struct uuid *tenant_id);
MUST_USE enum err store_commit(struct store *store);
void store_release(struct store *store); /* rolls back unless committed; a zeroed one is fine */

/* Where sealed columns live: `table`.`column` of the row `id` of this tenant. */
struct seal_place store_place(const struct store *store, const char *table, const char *column, const struct uuid *id);

/* One row or none: ERR_NOT_FOUND without one. The row is current. */
MUST_USE enum err store_one(struct tx *tx, const struct db_statement *statement, const struct db_param *params,
	size_t count, struct rows **rows_out);
/* The same of what was queued and flushed, in order. */
MUST_USE enum err store_next(struct tx *tx, struct rows **rows_out);

/* For a column that is never null: an absent text is an empty one. */
struct str store_text(struct str text);

/* The columns acr, amr and factor_id, at `column` and behind it. */
MUST_USE enum err store_proof(const struct rows *rows, int column, struct arena *arena, struct proof *proof_out);

#endif
