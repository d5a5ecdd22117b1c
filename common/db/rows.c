/* SPDX-License-Identifier: Apache-2.0 */
#include "db/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/db_conn.h"

enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_JSON = 114,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_DATE = 1082,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950,
	OID_JSONB = 3802,
};

#define PG_EPOCH_US INT64_C(946684800000000)

struct rows {
	PGresult *result;
	int count;
	int row; /* -1 before the first */
};

struct rows *rows_over(PGresult **result)
{
	struct rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return NULL;
	*rows = (struct rows){.result = *result, .count = PQntuples(*result), .row = -1};
	*result = NULL;
	return rows;
}

void rows_free(struct rows **rows)
{
	if (!rows || !*rows)
		return;
	PQclear((*rows)->result);
	free(*rows);
	*rows = NULL;
}

size_t rows_count(const struct rows *rows)
{
	return (size_t)rows->count;
}

bool rows_next(struct rows *rows)
{
	if (rows->row < rows->count)
		rows->row++;
	return rows->row < rows->count;
}

bool rows_is_null(const struct rows *rows, int column)
{
	INVARIANT(rows->row >= 0 && rows->row < rows->count);
	INVARIANT(column >= 0 && column < PQnfields(rows->result));
	return PQgetisnull(rows->result, rows->row, column);
}

static struct reader value(const struct rows *rows, int column)
{
	return reader_over((struct str){
		PQgetvalue(rows->result, rows->row, column), (size_t)PQgetlength(rows->result, rows->row, column)});
}

struct uuid rows_uuid(const struct rows *rows, int column)
{
	struct uuid id = UUID_NIL;

	if (rows_is_null(rows, column))
		return id;
	INVARIANT(PQftype(rows->result, column) == OID_UUID);
	INVARIANT(PQgetlength(rows->result, rows->row, column) == (int)sizeof(id.b));
	memcpy(id.b, PQgetvalue(rows->result, rows->row, column), sizeof(id.b));
	return id;
}

int64_t rows_i64(const struct rows *rows, int column)
{
	struct reader reader;

	if (rows_is_null(rows, column))
		return 0;
	reader = value(rows, column);
	switch (PQftype(rows->result, column)) {
	case OID_INT2:
		return (int16_t)reader_u16(&reader);
	case OID_INT4:
		return (int32_t)reader_u32(&reader);
	default:
		INVARIANT(PQftype(rows->result, column) == OID_INT8);
		return (int64_t)reader_u64(&reader);
	}
}

instant_us rows_time(const struct rows *rows, int column)
{
	struct reader reader;
	int64_t at;

	if (rows_is_null(rows, column))
		return 0;
	reader = value(rows, column);
	if (PQftype(rows->result, column) == OID_DATE)
		return (int64_t)(int32_t)reader_u32(&reader) * US_PER_DAY + PG_EPOCH_US;
	INVARIANT(PQftype(rows->result, column) == OID_TIMESTAMPTZ);
	at = (int64_t)reader_u64(&reader);
	/* infinity and -infinity are the ends of int64. */
	if (at > INSTANT_MAX - PG_EPOCH_US)
		return INSTANT_MAX;
	return at < INT64_MIN + PG_EPOCH_US ? INT64_MIN + PG_EPOCH_US : at + PG_EPOCH_US;
}

bool rows_bool(const struct rows *rows, int column)
{
	if (rows_is_null(rows, column))
		return false;
	INVARIANT(PQftype(rows->result, column) == OID_BOOL);
	return *PQgetvalue(rows->result, rows->row, column) != 0;
}

struct str rows_str(const struct rows *rows, int column)
{
	struct str s;

	if (rows_is_null(rows, column))
		return STR_NONE;
	s = (struct str){
		PQgetvalue(rows->result, rows->row, column), (size_t)PQgetlength(rows->result, rows->row, column)};
	switch (PQftype(rows->result, column)) {
	case OID_TEXT:
	case OID_VARCHAR:
	case OID_BPCHAR:
	case OID_NAME:
	case OID_JSON:
		return s;
	default:
		/* jsonb's binary form is a version byte and the text. */
		INVARIANT(PQftype(rows->result, column) == OID_JSONB && s.len > 0 && s.p[0] == 1);
		return (struct str){s.p + 1, s.len - 1};
	}
}

struct str rows_bytes(const struct rows *rows, int column)
{
	if (rows_is_null(rows, column))
		return STR_NONE;
	INVARIANT(PQftype(rows->result, column) == OID_BYTEA);
	return (struct str){
		PQgetvalue(rows->result, rows->row, column), (size_t)PQgetlength(rows->result, rows->row, column)};
}

struct str rows_copy(const struct rows *rows, int column, struct arena *arena)
{
	if (rows_is_null(rows, column))
		return STR_NONE;
	if (PQftype(rows->result, column) == OID_BYTEA)
		return arena_copy(arena, rows_bytes(rows, column));
	return arena_copy(arena, rows_str(rows, column));
}
