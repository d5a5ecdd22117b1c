/* SPDX-License-Identifier: Apache-2.0 */
#include "store_review.h"

#include "authsvc_sql.h"

enum err store_review_insert(struct store *store, struct review_record *review)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_access_review_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&review->id), db_uuid(&review->opened_by),
			db_time(review->opened_at)),
		&rows);
	if (err == OK) {
		review->row_id = rows_i64(rows, 0);
		review->version = 1;
	}
	rows_free(&rows);
	return err;
}

enum err store_review_fill(struct store *store, const struct review_record *review, const struct str *roles,
	size_t count, uint64_t *count_out)
{
	uint64_t own = 0, granted = 0;
	enum err err;

	err = tx_exec(store->tx, &sql_access_review_add_roles,
		PARAMS(db_uuid(&store->tenant_id), db_i64(review->row_id), db_strs(roles, count)), &own);
	if (err == OK)
		err = tx_exec(store->tx, &sql_access_review_add_grants,
			PARAMS(db_uuid(&store->tenant_id), db_i64(review->row_id), db_strs(roles, count),
				db_time(review->opened_at)),
			&granted);
	*count_out = own + granted;
	return err;
}

static void read_review(const struct rows *rows, struct review_record *review_out)
{
	*review_out = (struct review_record){
		.row_id = rows_i64(rows, 0),
		.id = rows_uuid(rows, 1),
		.opened_by = rows_uuid(rows, 2),
		.opened_at = rows_time(rows, 3),
		.closed_by = rows_uuid(rows, 4),
		.closed_at = rows_time(rows, 5),
		.version = rows_i64(rows, 6),
	};
}

enum err store_review_list(struct store *store, const struct uuid *after, size_t limit,
	struct review_record *reviews_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_access_review_list,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(after), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows))
		read_review(rows, &reviews_out[(*count_out)++]);
	rows_free(&rows);
	return err;
}

static enum err one_review(struct store *store, const struct db_statement *statement, const struct uuid *id,
	struct review_record *review_out)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, statement, PARAMS(db_uuid(&store->tenant_id), db_uuid(id)), &rows);
	if (err == OK)
		read_review(rows, review_out);
	rows_free(&rows);
	return err;
}

enum err store_review_read(struct store *store, const struct uuid *id, struct review_record *review_out)
{
	return one_review(store, &sql_access_review_read, id, review_out);
}

enum err store_review_lock(struct store *store, const struct uuid *id, struct review_record *review_out)
{
	return one_review(store, &sql_access_review_lock, id, review_out);
}

enum err store_review_items(
	struct store *store, const struct review_record *review, struct review_item *items_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_access_review_items,
		PARAMS(db_uuid(&store->tenant_id), db_i64(review->row_id), db_i64(REVIEW_ITEMS_MAX)), &rows);
	while (err == OK && *count_out < REVIEW_ITEMS_MAX && rows_next(rows)) {
		struct review_item *item = &items_out[(*count_out)++];

		*item = (struct review_item){
			.row_id = rows_i64(rows, 0),
			.id = rows_uuid(rows, 1),
			.person_id = rows_uuid(rows, 2),
			.role = rows_copy(rows, 3, store->arena),
			.grant_id = rows_uuid(rows, 4),
			.certified_by = rows_uuid(rows, 5),
			.certified_at = rows_time(rows, 6),
			.outcome = rows_copy(rows, 7, store->arena),
		};
		if (item->role.p == NULL)
			err = ERR_TOO_LARGE;
	}
	rows_free(&rows);
	return err;
}

enum err store_review_certify(struct store *store, const struct review_record *review, const struct uuid *items,
	size_t count, const struct uuid *by, instant_us now, bool *own_out)
{
	struct rows *rows = NULL;
	enum err err;

	*own_out = false;
	err = tx_query(store->tx, &sql_access_review_certify,
		PARAMS(db_uuid(&store->tenant_id), db_i64(review->row_id), db_uuids(items, count), db_uuid(by),
			db_time(now)),
		&rows);
	if (err == OK && rows_count(rows) != count)
		err = ERR_NOT_FOUND;
	while (err == OK && rows_next(rows))
		*own_out = *own_out || rows_bool(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_review_decide(struct store *store, const struct review_item *item, const char *outcome)
{
	return tx_exec(store->tx, &sql_access_review_decide,
		PARAMS(db_uuid(&store->tenant_id), db_i64(item->row_id), db_c(outcome)), NULL);
}

enum err store_review_close(struct store *store, struct review_record *review)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_access_review_close,
		PARAMS(db_uuid(&store->tenant_id), db_i64(review->row_id), db_uuid(&review->closed_by),
			db_time(review->closed_at)),
		&rows);
	if (err == OK)
		review->version = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_review_of_person(
	struct store *store, int64_t person_row_id, size_t limit, struct review_line *lines_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_access_review_of_person,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows)) {
		struct review_line *line = &lines_out[(*count_out)++];

		*line = (struct review_line){.review_id = rows_uuid(rows, 0),
			.opened_at = rows_time(rows, 1),
			.role = rows_copy(rows, 2, store->arena),
			.certified_at = rows_time(rows, 3),
			.outcome = rows_copy(rows, 4, store->arena)};
		if (line->role.p == NULL)
			err = ERR_TOO_LARGE;
	}
	rows_free(&rows);
	return err;
}
