/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_DB_ROWS_H
#define BERTH_DB_ROWS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"

/*
 * What a statement returned. *Owned* by the caller until rows_free; independent of the transaction and its
 * connection.
 *
 *	while (rows_next(rows)) {
 *		booking.id = rows_uuid(rows, 0);
 *		booking.note = rows_copy(rows, 1, arena);
 *	}
 *	rows_free(&rows);
 *
 * Getters read the current row by column number from 0. A NULL value gives nil, 0, false or STR_NONE. A column that
 * does not exist or is of another type than the getter's is a broken invariant and aborts: it depends on the SQL
 * text alone.
 */
struct rows;

void rows_free(struct rows **rows);
size_t rows_count(const struct rows *rows);
bool rows_next(struct rows *rows); /* steps to the first, then each next row; false behind the last */

bool rows_is_null(const struct rows *rows, int column);
struct uuid rows_uuid(const struct rows *rows, int column);
int64_t rows_i64(const struct rows *rows, int column);     /* int2, int4, int8 */
instant_us rows_time(const struct rows *rows, int column); /* timestamptz; date gives its midnight UTC */
bool rows_bool(const struct rows *rows, int column);
struct str rows_str(const struct rows *rows, int column);   /* text, varchar, name, json; borrows until rows_free */
struct str rows_bytes(const struct rows *rows, int column); /* bytea; borrows until rows_free */
/* Any of the two above, copied; p is NULL for NULL and when the arena is full (rows_is_null tells). */
struct str rows_copy(const struct rows *rows, int column, struct arena *arena);

#endif
