/* SPDX-License-Identifier: Apache-2.0 */
#include "store_checkpoint.h"

#include <string.h>

#include "auditsvc_sql.h"

static bool copy_exactly(struct str from, uint8_t *to, size_t len)
{
	if (from.len != len)
		return false;
	memcpy(to, from.p, len);
	return true;
}

enum err store_checkpoint_newest(struct store *store, struct head_row *head_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(store->tx, &sql_checkpoint_newest, NO_PARAMS, &rows);

	*head_out = (struct head_row){0};
	if (err == OK && !rows_next(rows))
		err = ERR_NOT_FOUND;
	if (err != OK)
		goto done;
	head_out->size = (uint64_t)rows_i64(rows, 0);
	head_out->origin = rows_copy(rows, 1, store->arena);
	head_out->at = rows_time(rows, 3);
	if (!head_out->origin.p)
		err = ERR_OVERLOADED;
	else if (!copy_exactly(rows_bytes(rows, 2), head_out->root.b, HASH_LEN) ||
		 !copy_exactly(rows_bytes(rows, 4), head_out->signature, SIGNATURE_LEN) ||
		 !copy_exactly(rows_bytes(rows, 5), head_out->public_key, PUBLIC_KEY_LEN))
		err = ERR_INTERNAL;
done:
	rows_free(&rows);
	return err;
}

enum err store_checkpoint_append(struct store *store, const struct head_row *head)
{
	return tx_queue_quiet(store->tx, &sql_checkpoint_append,
		PARAMS(db_i64((int64_t)head->size), db_str(head->origin),
			db_bytes((struct str){(const char *)head->root.b, HASH_LEN}), db_time(head->at),
			db_bytes((struct str){(const char *)head->signature, SIGNATURE_LEN}),
			db_bytes((struct str){(const char *)head->public_key, PUBLIC_KEY_LEN})));
}
