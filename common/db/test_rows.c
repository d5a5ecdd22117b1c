/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "db/db.h"
#include "db/testpg.h"

/* Parameters and rows in binary, against a real server. */

static struct testpg *pg;
static struct db *db;

static const char values_table[] =
	"create table v (id uuid, i2 smallint, i4 integer, i8 bigint, t text, vc varchar(20),"
	" j jsonb, b bytea, at timestamptz, yes boolean);"
	"grant all on v to :app_role;";
static const struct db_migration migrations[] = {{10, "values", values_table, sizeof(values_table) - 1, {0}}};

#define SQL(name, text) static const struct db_statement name = {#name, text, sizeof(text) - 1}

SQL(put, "insert into v values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10)");
SQL(get, "select id, i2, i4, i8, t, vc, j, b, at, yes, t::name, j::json, '1970-01-02'::date from v");
SQL(clear, "delete from v");

static int set_up(void **state)
{
	struct db_config config;

	(void)state;
	pg = testpg_start();
	testpg_migrate(pg, "shop", migrations, 1);
	config = testpg_config(pg, "shop", "app");
	return db_open(&config, &db) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	db_free(&db);
	testpg_stop(&pg);
	return 0;
}

static struct tx *begin(void)
{
	struct uuid tenant = uuid_new();
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(db, &tenant, &tx), OK);
	return tx;
}

struct value_case {
	const char *name;
	int64_t i2, i4, i8;
	struct str t, vc, j, b;
	instant_us at;
	bool yes;
};

static const struct value_case value_cases[] = {
	{"zeros and empty strings come back", 0, 0, 0, STR(""), STR(""), STR("{}"), STR(""), 0, false},
	{"the largest integers come back", INT16_MAX, INT32_MAX, INT64_MAX, STR("x"), STR("y"), STR("[1]"),
		STR("\0\377"), INSTANT_MAX, true},
	{"the smallest integers come back", INT16_MIN, INT32_MIN, INT64_MIN, STR("\303\251\360\237\232\227"),
		STR("'; --"), STR("\"\\u00e9\""), STR("\\x00"), -US_PER_DAY, true},
	{"microseconds stay", 1, 2, 3, STR("a\tb\nc\\d"), STR("%s%n"), STR("null"), STR("\0"), 1700000000123457, false},
};

static void check_row(const struct value_case *c, const struct uuid *id, struct rows *rows)
{
	struct uuid got = UUID_NIL;

	assert_int_equal(rows_count(rows), 1);
	assert_true(rows_next(rows));
	got = rows_uuid(rows, 0);
	CHECK(c->name, uuid_eq(&got, id));
	CHECK(c->name, rows_i64(rows, 1) == c->i2 && rows_i64(rows, 2) == c->i4 && rows_i64(rows, 3) == c->i8);
	CHECK(c->name, str_eq(rows_str(rows, 4), c->t) && str_eq(rows_str(rows, 5), c->vc));
	CHECK(c->name, rows_str(rows, 6).len >= 2 && str_eq(rows_str(rows, 6), rows_str(rows, 11)));
	CHECK(c->name, str_eq(rows_bytes(rows, 7), c->b));
	CHECK(c->name, rows_time(rows, 8) == c->at);
	CHECK(c->name, rows_bool(rows, 9) == c->yes);
	CHECK(c->name, str_eq(rows_str(rows, 10), c->t));
	CHECK(c->name, rows_time(rows, 12) == US_PER_DAY);
	assert_false(rows_next(rows));
	assert_false(rows_next(rows));
}

static void test_scalars(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(value_cases); i++) {
		const struct value_case *c = &value_cases[i];
		struct uuid id = uuid_new();
		struct rows *rows = NULL;
		struct tx *tx = begin();
		uint64_t n = 0;

		CHECK(c->name,
			tx_exec(tx, &put,
				PARAMS(db_uuid(&id), db_i64(c->i2), db_i64(c->i4), db_i64(c->i8), db_str(c->t),
					db_str(c->vc), db_str(c->j), db_bytes(c->b), db_time(c->at), db_bool(c->yes)),
				&n) == OK);
		CHECK(c->name, n == 1);
		CHECK(c->name, tx_query(tx, &get, NO_PARAMS, &rows) == OK);
		tx_free(&tx);
		check_row(c, &id, rows); /* rows outlive their transaction */
		rows_free(&rows);
	}
}

static void test_nulls(void **state)
{
	struct arena *arena = arena_new(1 << 16);
	struct uuid nil = UUID_NIL;
	struct rows *rows = NULL;
	struct tx *tx = begin();

	(void)state;
	assert_int_equal(
		tx_exec(tx, &put,
			PARAMS(db_uuid_or_null(&nil), db_null(), db_i64_or_null(NULL), db_null(), db_str(STR_NONE),
				db_c(NULL), db_str(STR_NONE), db_bytes(STR_NONE), db_time_or_null(NULL), db_null()),
			NULL),
		OK);
	assert_int_equal(tx_query(tx, &get, NO_PARAMS, &rows), OK);
	assert_true(rows_next(rows));
	for (int column = 0; column < 10; column++)
		assert_true(rows_is_null(rows, column));
	assert_true(uuid_is_nil(&(struct uuid){0}) && rows_i64(rows, 1) == 0 && rows_i64(rows, 3) == 0);
	assert_null(rows_str(rows, 4).p);
	assert_null(rows_bytes(rows, 7).p);
	assert_null(rows_copy(rows, 4, arena).p);
	assert_int_equal(rows_time(rows, 8), 0);
	assert_false(rows_bool(rows, 9));
	rows_free(&rows);
	tx_free(&tx);
	arena_free(&arena);
}

SQL(either, "select $1::integer is null, coalesce($2, -1), coalesce($3, '-')");

/* A parameter whose type was not said at first is prepared again once it is known. */
static void test_null_first(void **state)
{
	const struct {
		const char *name;
		struct db_param a, b, c;
		bool null_a;
		int64_t got_b;
		struct str got_c;
	} cases[] = {
		{"nothing is said", db_null(), db_null(), db_null(), true, -1, STR("-")},
		{"an integer is said for what was inferred", db_i64(7), db_null(), db_null(), false, -1, STR("-")},
		{"then a bigger one and a text", db_null(), db_i64(1LL << 31), db_c("x"), true, 1LL << 31, STR("x")},
		{"and nothing again", db_null(), db_null(), db_null(), true, -1, STR("-")},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rows *rows = NULL;
		struct tx *tx = begin();
		enum err err = tx_query(tx, &either, PARAMS(cases[i].a, cases[i].b, cases[i].c), &rows);

		CHECK(cases[i].name, err == OK && rows_next(rows));
		CHECK(cases[i].name, rows_bool(rows, 0) == cases[i].null_a);
		CHECK(cases[i].name, rows_i64(rows, 1) == cases[i].got_b);
		CHECK(cases[i].name, str_eq(rows_str(rows, 2), cases[i].got_c));
		rows_free(&rows);
		tx_free(&tx);
	}
}

SQL(arrays, "select a, b, c, d, e, f from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::timestamptz[],"
	    " $6::boolean[]) as u (a, b, c, d, e, f)");

static void test_arrays(void **state)
{
	const struct uuid ids[3] = {{{1}}, UUID_NIL, {{3}}};
	const int64_t numbers[3] = {1, -2, INT64_MAX};
	const struct str texts[3] = {STR("one"), STR_NONE, STR("")};
	const struct str bytes[3] = {STR("\0\1"), STR(""), STR_NONE};
	const instant_us times[3] = {0, 1700000000000001, 5};
	const bool flags[3] = {true, false, true};
	const bool nulls[3] = {false, false, true};
	struct rows *rows = NULL;
	struct tx *tx = begin();
	(void)state;

	assert_int_equal(
		tx_query(tx, &arrays,
			PARAMS(db_uuids_or_null(ids, 3), db_i64s(numbers, 3), db_strs(texts, 3), db_bytess(bytes, 3),
				db_with_nulls(db_times(times, 3), nulls), db_with_nulls(db_bools(flags, 3), nulls)),
			&rows),
		OK);
	assert_int_equal(rows_count(rows), 3);
	for (int i = 0; i < 3; i++) {
		struct uuid id;

		assert_true(rows_next(rows));
		id = rows_uuid(rows, 0);
		assert_true(uuid_eq(&id, &ids[i]) && rows_is_null(rows, 0) == (i == 1));
		assert_int_equal(rows_i64(rows, 1), numbers[i]);
		assert_true(rows_is_null(rows, 2) == (i == 1) && str_eq(rows_str(rows, 2), texts[i]));
		assert_true(rows_is_null(rows, 3) == (i == 2) && str_eq(rows_bytes(rows, 3), bytes[i]));
		assert_true(rows_is_null(rows, 4) == (i == 2) && rows_time(rows, 4) == (i == 2 ? 0 : times[i]));
		assert_true(rows_is_null(rows, 5) == (i == 2) && rows_bool(rows, 5) == (i == 0));
	}
	rows_free(&rows);
	assert_int_equal(tx_query(tx, &arrays,
				 PARAMS(db_uuids(NULL, 0), db_i64s(NULL, 0), db_strs(NULL, 0), db_bytess(NULL, 0),
					 db_times(NULL, 0), db_bools(NULL, 0)),
				 &rows),
		OK);
	assert_int_equal(rows_count(rows), 0);
	rows_free(&rows);
	tx_free(&tx);
}

SQL(echo, "select $1::text");

static void test_hostile(void **state)
{
	static char big[DB_PARAM_BYTES_MAX + 1];
	const struct {
		const char *name;
		struct db_param param;
		enum err want;
	} cases[] = {
		{"a text with U+0000 is refused here", db_str(STR("a\0b")), ERR_BAD_FIELD},
		{"an overlong form is refused", db_str(STR("\300\200")), ERR_BAD_FIELD},
		{"a surrogate is refused", db_str(STR("\355\240\200")), ERR_BAD_FIELD},
		{"a cut character is refused", db_str(STR("\303")), ERR_BAD_FIELD},
		{"a text over the cap is too large", db_str((struct str){big, sizeof(big)}), ERR_TOO_LARGE},
		{"SQL in a value is a value", db_c("'; drop table v; --"), OK},
	};
	(void)state;

	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rows *rows = NULL;
		struct tx *tx = begin();

		CHECK(cases[i].name, tx_query(tx, &echo, PARAMS(cases[i].param), &rows) == cases[i].want);
		if (cases[i].want == OK) {
			CHECK(cases[i].name, rows_next(rows) && str_eq(rows_str(rows, 0), cases[i].param.v.str));
		} else {
			CHECK(cases[i].name, tx_exec(tx, &clear, NO_PARAMS, NULL) == cases[i].want);
		}
		rows_free(&rows);
		tx_free(&tx);
	}
	assert_int_equal(db_ping(db), OK);
}

SQL(infinite, "select 'infinity'::timestamptz, '-infinity'::timestamptz, '0001-01-01'::timestamptz");

static void test_far_times(void **state)
{
	struct rows *rows = NULL;
	struct tx *tx = begin();
	(void)state;

	assert_int_equal(tx_query(tx, &infinite, NO_PARAMS, &rows), OK);
	assert_true(rows_next(rows));
	assert_int_equal(rows_time(rows, 0), INSTANT_MAX);
	assert_true(rows_time(rows, 1) < rows_time(rows, 2));
	rows_free(&rows);
	tx_free(&tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_nulls),
		cmocka_unit_test(test_null_first),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_far_times),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
