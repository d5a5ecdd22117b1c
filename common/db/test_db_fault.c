/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/testpg.h"

/* What PostgreSQL's errors become, and that no value of a row or parameter reaches the log. */

static struct testpg *pg;
static struct db *db;
static const struct uuid tenant_a = {{0xa}};

static const char shop_table[] =
	"create table item (id bigint not null, tenant_id uuid not null, name text not null constraint item_short check"
	" (length(name) < 40), during int8range, primary key (tenant_id, id), parent bigint,"
	" constraint item_parent foreign key (tenant_id, parent) references item,"
	" constraint item_alone exclude using gist (during with &&));"
	"create unique index item_name on item (tenant_id, name);"
	"alter table item enable row level security; alter table item force row level security;"
	"create policy tenant on item to :app_role"
	" using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)"
	" with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);"
	"create policy jobs on item for select to :jobs_role using (true);"
	"grant select, insert, update, delete on item to :app_role; grant select on item to :jobs_role;";
static const struct db_migration migrations[] = {{10, "shop", shop_table, sizeof(shop_table) - 1, {0}}};

#define SQL(name, text) static const struct db_statement name = {#name, text, sizeof(text) - 1}

SQL(put, "insert into item (id, tenant_id, name) values ($1, $2, $3)");
SQL(put_during, "insert into item (id, tenant_id, name, during) values ($1, $2, $3, int8range($4, $5))");
SQL(put_parent, "insert into item (id, tenant_id, name, parent) values ($1, $2, $3, $4)");
SQL(bad_syntax, "selec 1");
SQL(sleep_long, "select pg_sleep(30)");
SQL(count_all, "select count(*) from item");
SQL(bad_number, "select $1::text::integer");

static int set_up(void **state)
{
	struct db_config config;

	(void)state;
	pg = testpg_start();
	testpg_migrate(pg, "shop", migrations, 1);
	config = testpg_config(pg, "shop", "app");
	config.statement_timeout_ms = 500;
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
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(db, &tenant_a, &tx), OK);
	return tx;
}

static enum err add(struct tx *tx, int64_t id, const struct uuid *tenant, const char *name)
{
	return tx_exec(tx, &put, PARAMS(db_i64(id), db_uuid(tenant), db_c(name)), NULL);
}

static int64_t count(void)
{
	struct rows *rows = NULL;
	struct tx *tx = begin();
	int64_t number;

	assert_int_equal(tx_query(tx, &count_all, NO_PARAMS, &rows), OK);
	assert_true(rows_next(rows));
	number = rows_i64(rows, 0);
	rows_free(&rows);
	tx_free(&tx);
	return number;
}

static enum err clash_key(struct tx *tx)
{
	return add(tx, 1, &tenant_a, "other");
}

static enum err clash_name(struct tx *tx)
{
	return add(tx, 2, &tenant_a, "one");
}

static enum err clash_check(struct tx *tx)
{
	return add(tx, 2, &tenant_a, "a name of more than forty characters, canary-4711");
}

static enum err clash_parent(struct tx *tx)
{
	return tx_exec(tx, &put_parent, PARAMS(db_i64(2), db_uuid(&tenant_a), db_c("two"), db_i64(99)), NULL);
}

static enum err clash_range(struct tx *tx)
{
	enum err err = tx_exec(
		tx, &put_during, PARAMS(db_i64(2), db_uuid(&tenant_a), db_c("two"), db_i64(1), db_i64(5)), NULL);

	assert_int_equal(err, OK);
	return tx_exec(
		tx, &put_during, PARAMS(db_i64(3), db_uuid(&tenant_a), db_c("three"), db_i64(4), db_i64(6)), NULL);
}

static enum err wrong_null(struct tx *tx)
{
	return add(tx, 2, &tenant_a, NULL);
}

static enum err wrong_value(struct tx *tx)
{
	return tx_exec(tx, &bad_number, PARAMS(db_c("canary-4711")), NULL);
}

static enum err wrong_syntax(struct tx *tx)
{
	return tx_exec(tx, &bad_syntax, NO_PARAMS, NULL);
}

static enum err wrong_range(struct tx *tx)
{
	return tx_exec(tx, &put_during,
		PARAMS(db_i64(2), db_uuid(&tenant_a), db_c("canary-4711"), db_i64(5), db_i64(1)), NULL);
}

static enum err too_slow(struct tx *tx)
{
	return tx_exec(tx, &sleep_long, NO_PARAMS, NULL);
}

/* Everything that stderr gets while `f` runs. */
static size_t captured(enum err (*f)(struct tx *), struct tx *tx, char *text, size_t room, enum err *err_out)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	*err_out = f(tx);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	n = fread(text, 1, room - 1, file);
	text[n] = '\0';
	fclose(file);
	return n;
}

static void test_errors(void **state)
{
	const struct {
		const char *name;
		enum err (*run)(struct tx *);
		enum err err;
		const char *sqlstate, *constraint;
		bool logged;
	} cases[] = {
		{"a second row of one key is a conflict", clash_key, ERR_CONFLICT, "23505", "item_pkey", false},
		{"a second row of one name names its index", clash_name, ERR_CONFLICT, "23505", "item_name", false},
		{"a check is a conflict", clash_check, ERR_CONFLICT, "23514", "item_short", false},
		{"a missing parent is a conflict", clash_parent, ERR_CONFLICT, "23503", "item_parent", false},
		{"an exclusion is a conflict", clash_range, ERR_CONFLICT, "23P01", "item_alone", false},
		{"a missing value is our fault", wrong_null, ERR_INTERNAL, "23502", "", true},
		{"a bad value is our fault and stays out of the log", wrong_value, ERR_INTERNAL, "22P02", "", true},
		{"another bad value stays out of the log", wrong_range, ERR_INTERNAL, "22000", "", true},
		{"bad SQL is our fault", wrong_syntax, ERR_INTERNAL, "42601", "", true},
		{"a statement over its time is given up", too_slow, ERR_UNAVAILABLE, "57014", "", true},
	};
	char text[4096];
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tx *tx = begin();
		uint64_t generation = db_generation(db);
		size_t len;
		enum err err;

		assert_int_equal(add(tx, 1, &tenant_a, "one"), OK);
		len = captured(cases[i].run, tx, text, sizeof(text), &err);
		CHECK(cases[i].name, err == cases[i].err);
		CHECK(cases[i].name, strcmp(tx_sqlstate(tx), cases[i].sqlstate) == 0);
		CHECK(cases[i].name, strcmp(tx_constraint(tx), cases[i].constraint) == 0);
		CHECK(cases[i].name, (len > 0) == cases[i].logged && !strstr(text, "canary"));
		CHECK(cases[i].name, !cases[i].logged || strstr(text, cases[i].sqlstate));
		CHECK(cases[i].name, !tx_retryable(tx));
		CHECK(cases[i].name, tx_commit(&tx) == cases[i].err);
		tx_free(&tx);
		CHECK(cases[i].name, count() == 0);
		CHECK(cases[i].name, db_generation(db) == generation);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
