/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_DB_PARAM_H
#define BERTH_DB_PARAM_H

#include "base/clock.h"
#include "base/id.h"
#include "base/str.h"

/*
 * Values for $1, $2, … of a statement. They travel in binary and with their PostgreSQL type said, so SQL needs a
 * cast only where the column has another kind of type: int8 goes into any integer column, text into text and
 * varchar; write $1::jsonb for jsonb. Scalars are held inside; strings and arrays *borrow* until the call that takes
 * them returns.
 */
enum db_type { DB_ANY, DB_UUID, DB_I64, DB_STR, DB_BYTES, DB_TIME, DB_BOOL };

struct db_param {
	enum db_type type;
	bool is_array;
	bool is_null;      /* scalars */
	bool nil_is_null;  /* array of uuid: a nil id is sent as NULL */
	const bool *nulls; /* arrays: element i is NULL when nulls[i]; NULL pointer: as the items say */
	size_t count;      /* arrays */
	union {
		struct uuid uuid;
		int64_t i64;
		bool flag;
		struct str str;
		const void *items;
	} v;
};

/* Two arguments at once: tx_exec(tx, &sql_x, PARAMS(db_uuid(&id), db_i64(3)), &affected). */
#define PARAMS(...)                               \
	((const struct db_param[]){__VA_ARGS__}), \
		(sizeof((const struct db_param[]){__VA_ARGS__}) / sizeof(struct db_param))
#define NO_PARAMS NULL, (size_t)0

/* An untyped NULL: the statement must cast its parameter ($3::uuid). The typed ones below need no cast. */
static inline struct db_param db_null(void)
{
	return (struct db_param){.type = DB_ANY, .is_null = true};
}

static inline struct db_param db_uuid(const struct uuid *id)
{
	return (struct db_param){.type = DB_UUID, .v.uuid = *id};
}

/* NULL or the nil id gives NULL. */
static inline struct db_param db_uuid_or_null(const struct uuid *id)
{
	struct db_param param = {.type = DB_UUID, .is_null = !id || uuid_is_nil(id)};

	if (!param.is_null)
		param.v.uuid = *id;
	return param;
}

static inline struct db_param db_i64(int64_t value)
{
	return (struct db_param){.type = DB_I64, .v.i64 = value};
}

static inline struct db_param db_i64_or_null(const int64_t *value)
{
	return (struct db_param){.type = DB_I64, .is_null = !value, .v.i64 = value ? *value : 0};
}

/* text; must be UTF-8 without U+0000, else the call gives ERR_BAD_FIELD. p == NULL gives NULL. */
static inline struct db_param db_str(struct str s)
{
	return (struct db_param){.type = DB_STR, .is_null = !s.p, .v.str = s};
}

static inline struct db_param db_c(const char *cstr)
{
	return db_str(str_from(cstr));
}

/* bytea; p == NULL gives NULL. */
static inline struct db_param db_bytes(struct str s)
{
	return (struct db_param){.type = DB_BYTES, .is_null = !s.p, .v.str = s};
}

static inline struct db_param db_time(instant_us at)
{
	return (struct db_param){.type = DB_TIME, .v.i64 = at};
}

static inline struct db_param db_time_or_null(const instant_us *at)
{
	return (struct db_param){.type = DB_TIME, .is_null = !at, .v.i64 = at ? *at : 0};
}

static inline struct db_param db_bool(bool value)
{
	return (struct db_param){.type = DB_BOOL, .v.flag = value};
}

/* Arrays, for set-based statements over unnest($1::uuid[], …). */
static inline struct db_param db_uuids(const struct uuid *ids, size_t count)
{
	return (struct db_param){.type = DB_UUID, .is_array = true, .count = count, .v.items = ids};
}

/* Nil ids are sent as NULL. */
static inline struct db_param db_uuids_or_null(const struct uuid *ids, size_t count)
{
	return (struct db_param){
		.type = DB_UUID, .is_array = true, .nil_is_null = true, .count = count, .v.items = ids};
}

static inline struct db_param db_i64s(const int64_t *values, size_t count)
{
	return (struct db_param){.type = DB_I64, .is_array = true, .count = count, .v.items = values};
}

/* Elements with p == NULL are NULL, here and in db_bytess. */
static inline struct db_param db_strs(const struct str *strs, size_t count)
{
	return (struct db_param){.type = DB_STR, .is_array = true, .count = count, .v.items = strs};
}

static inline struct db_param db_bytess(const struct str *strs, size_t count)
{
	return (struct db_param){.type = DB_BYTES, .is_array = true, .count = count, .v.items = strs};
}

static inline struct db_param db_times(const instant_us *times, size_t count)
{
	return (struct db_param){.type = DB_TIME, .is_array = true, .count = count, .v.items = times};
}

static inline struct db_param db_bools(const bool *values, size_t count)
{
	return (struct db_param){.type = DB_BOOL, .is_array = true, .count = count, .v.items = values};
}

/* The array with element i NULL where nulls[i]. */
static inline struct db_param db_with_nulls(struct db_param array, const bool *nulls)
{
	array.nulls = nulls;
	return array;
}

#endif
