/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "db/db_conn.h"

/* PostgreSQL's catalogue numbers (src/include/catalog/pg_type.dat): fixed for ever. */
#define OID_BOOL 16
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_TEXT 25
#define OID_TIMESTAMPTZ 1184
#define OID_UUID 2950

/* Its timestamps count from 2000-01-01T00:00:00Z. */
#define PG_EPOCH_US INT64_C(946684800000000)

static const struct {
	Oid scalar, array;
} oids[] = {
	[DB_ANY] = {0, 0},
	[DB_UUID] = {OID_UUID, 2951},
	[DB_I64] = {OID_INT8, 1016},
	[DB_STR] = {OID_TEXT, 1009},
	[DB_BYTES] = {OID_BYTEA, 1001},
	[DB_TIME] = {OID_TIMESTAMPTZ, 1185},
	[DB_BOOL] = {OID_BOOL, 1000},
};

Oid db_param_oid(const struct db_param *param)
{
	return param->is_array ? oids[param->type].array : oids[param->type].scalar;
}

static enum err put_str(struct buf *buf, enum db_type type, struct str s)
{
	if (s.len > DB_PARAM_BYTES_MAX)
		return ERR_TOO_LARGE;
	if (type == DB_STR && (memchr(s.p, '\0', s.len) || !str_is_utf8(s)))
		return ERR_BAD_FIELD;
	buf_put_str(buf, s);
	return OK;
}

static enum err put_scalar(struct buf *buf, const struct db_param *param)
{
	switch (param->type) {
	case DB_UUID:
		buf_put(buf, param->v.uuid.b, sizeof(param->v.uuid.b));
		return OK;
	case DB_I64:
		buf_put_u64(buf, (uint64_t)param->v.i64);
		return OK;
	case DB_TIME:
		buf_put_u64(buf, (uint64_t)(param->v.i64 - PG_EPOCH_US));
		return OK;
	case DB_BOOL:
		buf_put_byte(buf, param->v.flag);
		return OK;
	case DB_STR:
	case DB_BYTES:
		return put_str(buf, param->type, param->v.str);
	case DB_ANY:
		break;
	}
	return ERR_INTERNAL;
}

/* Element i of an array as a scalar. */
static struct db_param element(const struct db_param *array, size_t i)
{
	struct db_param e = {.type = array->type};

	switch (array->type) {
	case DB_UUID:
		e.v.uuid = ((const struct uuid *)array->v.items)[i];
		e.is_null = array->nil_is_null && uuid_is_nil(&e.v.uuid);
		break;
	case DB_I64:
	case DB_TIME:
		e.v.i64 = ((const int64_t *)array->v.items)[i];
		break;
	case DB_BOOL:
		e.v.flag = ((const bool *)array->v.items)[i];
		break;
	case DB_STR:
	case DB_BYTES:
		e.v.str = ((const struct str *)array->v.items)[i];
		e.is_null = !e.v.str.p;
		break;
	case DB_ANY:
		e.is_null = true;
		break;
	}
	if (array->nulls && array->nulls[i])
		e.is_null = true;
	return e;
}

static bool has_null(const struct db_param *array)
{
	for (size_t i = 0; i < array->count; i++)
		if (element(array, i).is_null)
			return true;
	return false;
}

static size_t element_len(const struct db_param *e)
{
	switch (e->type) {
	case DB_UUID:
		return 16;
	case DB_BOOL:
		return 1;
	case DB_STR:
	case DB_BYTES:
		return e->v.str.len;
	case DB_I64:
	case DB_TIME:
	case DB_ANY:
		break;
	}
	return 8;
}

/* array_recv: dimensions, has-null flag, element type, then size and lower bound, then each element with its length. */
static enum err put_array(struct buf *buf, const struct db_param *array)
{
	enum err err;

	if (array->count > DB_PARAM_BYTES_MAX / 4)
		return ERR_TOO_LARGE;
	buf_put_u32(buf, array->count ? 1 : 0);
	buf_put_u32(buf, has_null(array));
	buf_put_u32(buf, oids[array->type].scalar);
	if (!array->count)
		return OK;
	buf_put_u32(buf, (uint32_t)array->count);
	buf_put_u32(buf, 1);
	for (size_t i = 0; i < array->count; i++) {
		struct db_param e = element(array, i);

		if (e.is_null) {
			buf_put_u32(buf, UINT32_MAX);
			continue;
		}
		if (element_len(&e) > DB_PARAM_BYTES_MAX)
			return ERR_TOO_LARGE;
		buf_put_u32(buf, (uint32_t)element_len(&e));
		if ((err = put_scalar(buf, &e)) != OK)
			return err;
	}
	return OK;
}

enum err db_param_encode(struct buf *buf, const struct db_param *param, int *len_out)
{
	size_t before = buf->len;
	enum err err;

	*len_out = -1;
	if (param->is_null)
		return OK;
	err = param->is_array ? put_array(buf, param) : put_scalar(buf, param);
	if (err != OK)
		return err;
	if (!buf_ok(buf))
		return ERR_TOO_LARGE;
	*len_out = (int)(buf->len - before);
	return OK;
}
