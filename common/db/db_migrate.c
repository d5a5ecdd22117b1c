/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/db_conn.h"
#include "db_sql.h"

#define APPLIED_MAX 1024
#define SCRIPT_MAX (4U << 20)
#define WAIT_FOR_OTHERS "60s"

/* A run of its own, so plain blocking calls and no pipeline. */
struct run {
	struct db *db; /* for its configuration and dialling */
	PGconn *pg;
	char app[64], jobs[64];
	const struct db_migration *own;
	size_t own_count;
	int applied[APPLIED_MAX];
	size_t applied_count;
};

/*
 * NULL without an answer; `step` is a constant for the log. Messages of a failed migration may quote rows: class 42
 * cannot.
 */
static PGresult *ask(struct run *run, const char *step, const char *sql, int count, const char *const *values)
{
	PGresult *result =
		count ? PQexecParams(run->pg, sql, count, NULL, values, NULL, NULL, 0) : PQexec(run->pg, sql);
	ExecStatusType status = PQresultStatus(result);
	const char *sqlstate, *message;

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return result;
	sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	log_event(LOG_ERROR, "migration_failed", LOG_C("step", step), LOG_C("sqlstate", sqlstate ? sqlstate : ""),
		LOG_C("reason", sqlstate && message && strncmp(sqlstate, "42", 2) == 0 ? message : ""));
	PQclear(result);
	return NULL;
}

static enum err tell(struct run *run, const char *step, const char *sql, int count, const char *const *values)
{
	PGresult *result = ask(run, step, sql, count, values);
	enum err err = result ? OK : ERR_INTERNAL;

	PQclear(result);
	return err;
}

/* One row, one column; ERR_NOT_FOUND without a row. */
static enum err ask_text(struct run *run, const char *step, const char *sql, int count, const char *const *values,
	char *out, size_t room)
{
	PGresult *result = ask(run, step, sql, count, values);
	enum err err = OK;

	if (!result)
		return ERR_INTERNAL;
	if (PQntuples(result) == 0)
		err = ERR_NOT_FOUND;
	else
		snprintf(out, room, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	return err;
}

static enum err lock_and_prepare(struct run *run)
{
	const char *const schema[] = {run->db->config.schema};
	char sql[512];
	char found[8];
	enum err err;

	if ((err = tell(run, "lock", "set statement_timeout = 0; set lock_timeout = '" WAIT_FOR_OTHERS "'", 0, NULL)) !=
		OK)
		return err;
	if ((err = tell(run, "lock", "select pg_advisory_lock(hashtextextended('berth.migrate.' || $1, 0))", 1,
		     schema)) != OK)
		return err;
	if ((err = tell(run, "lock", "set lock_timeout = '10s'", 0, NULL)) != OK)
		return err;
	err = ask_text(run, "schema", "select 1 from pg_namespace where nspname = $1", 1, schema, found, sizeof(found));
	if (err == ERR_NOT_FOUND) {
		snprintf(sql, sizeof(sql), "create schema \"%s\"", run->db->config.schema);
		err = tell(run, "schema", sql, 0, NULL);
	}
	if (err != OK)
		return err;
	return tell(run, "schema_version",
		"create table if not exists schema_version (number integer primary key, name text not null,"
		" sha256 bytea not null, applied_at timestamptz not null)",
		0, NULL);
}

static void hex(const uint8_t digest[32], char out[65])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static const struct db_migration *find(const struct run *run, int number)
{
	const struct db_migration *m = number < DB_MIGRATION_FIRST ? db_migrations : run->own;
	size_t count = number < DB_MIGRATION_FIRST ? db_migrations_count : run->own_count;

	for (size_t i = 0; i < count; i++)
		if (m[i].number == number)
			return &m[i];
	return NULL;
}

static int newest(const struct run *run, int number)
{
	if (number < DB_MIGRATION_FIRST)
		return db_migrations[db_migrations_count - 1].number;
	return run->own_count ? run->own[run->own_count - 1].number : 0;
}

/* What stands in the database must stand here, unchanged; newer than all of ours is another release's. */
static enum err compare_one(const struct run *run, int number, const char *sha256)
{
	const struct db_migration *m = find(run, number);
	char ours[65];

	if (!m && number > newest(run, number))
		return OK;
	if (m)
		hex(m->sha256, ours);
	if (m && strcmp(ours, sha256) == 0)
		return OK;
	log_event(LOG_ERROR, m ? "migration_changed" : "migration_missing", LOG_I("number", number));
	return ERR_CONFLICT;
}

static enum err compare(struct run *run)
{
	PGresult *result = ask(run, "schema_version",
		"select number, encode(sha256, 'hex') from schema_version order by number", 0, NULL);
	enum err err = OK;

	if (!result)
		return ERR_INTERNAL;
	for (int i = 0; i < PQntuples(result) && err == OK; i++) {
		if (run->applied_count == APPLIED_MAX) {
			err = ERR_TOO_LARGE;
			break;
		}
		run->applied[run->applied_count] = (int)strtol(PQgetvalue(result, i, 0), NULL, 10);
		err = compare_one(run, run->applied[run->applied_count++], PQgetvalue(result, i, 1));
	}
	PQclear(result);
	return err;
}

static bool is_applied(const struct run *run, int number)
{
	for (size_t i = 0; i < run->applied_count; i++)
		if (run->applied[i] == number)
			return true;
	return false;
}

/* A service's migration that would run behind a later one was written against another history. */
static bool is_late(const struct run *run, int number)
{
	for (size_t i = 0; i < run->applied_count; i++)
		if (number >= DB_MIGRATION_FIRST && run->applied[i] > number)
			return true;
	return false;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The length of `:word` when it stands at the head of rest as a whole word; 0 when not. */
static size_t match(struct str rest, char before, const char *word)
{
	size_t len = strlen(word);

	if (before == ':' || rest.len < len || memcmp(rest.p, word, len) != 0)
		return 0;
	return rest.len > len && is_word(rest.p[len]) ? 0 : len;
}

static void substitute(const struct run *run, const struct db_migration *m, struct buf *buf)
{
	const struct {
		const char *word, *name;
	} words[] = {
		{":schema", run->db->config.schema},
		{":app_role", run->app},
		{":jobs_role", run->jobs},
	};

	for (size_t at = 0; at < m->sql_len;) {
		struct str rest = {m->sql + at, m->sql_len - at};
		size_t len = 0;

		for (size_t w = 0; w < sizeof(words) / sizeof(words[0]) && !len; w++) {
			len = match(rest, at ? m->sql[at - 1] : '\0', words[w].word);
			if (len)
				buf_printf(buf, "\"%s\"", words[w].name);
		}
		if (!len) {
			buf_put_byte(buf, (uint8_t)m->sql[at]);
			len = 1;
		}
		at += len;
	}
	buf_put_byte(buf, '\0');
}

static enum err apply(struct run *run, const struct db_migration *m)
{
	char number[12], digest[65], at[INSTANT_TEXT_MAX];
	const char *const row[] = {number, m->name, digest, at};
	struct buf script;
	enum err err;

	if (is_late(run, m->number)) {
		log_event(LOG_ERROR, "migration_out_of_order", LOG_I("number", m->number));
		return ERR_CONFLICT;
	}
	buf_init(&script, SCRIPT_MAX);
	substitute(run, m, &script);
	if (!buf_ok(&script)) {
		err = ERR_TOO_LARGE;
		goto done;
	}
	snprintf(number, sizeof(number), "%d", m->number);
	hex(m->sha256, digest);
	instant_format(clock_now_us(), at);
	if ((err = tell(run, "begin", "begin", 0, NULL)) != OK)
		goto done;
	if ((err = tell(run, m->name, script.p, 0, NULL)) != OK)
		goto done;
	if ((err = tell(run, "schema_version",
		     "insert into schema_version (number, name, sha256, applied_at)"
		     " values ($1::integer, $2, decode($3, 'hex'), $4::timestamptz)",
		     4, row)) != OK)
		goto done;
	if ((err = tell(run, "commit", "commit", 0, NULL)) == OK)
		log_event(LOG_INFO, "migration_applied", LOG_C("schema", run->db->config.schema),
			LOG_I("number", m->number), LOG_C("name", m->name));
done:
	buf_release(&script);
	return err;
}

static enum err apply_missing(struct run *run, const struct db_migration *migrations, size_t count)
{
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++)
		if (!is_applied(run, migrations[i].number))
			err = apply(run, &migrations[i]);
	return err;
}

/* 001 has made the table: empty the first time. */
static enum err stamp(struct run *run)
{
	const char *const env[] = {run->db->config.env};
	char found[128];
	enum err err;

	err = tell(run, "deployment", "insert into deployment (env) values ($1) on conflict do nothing", 1, env);
	if (err != OK)
		return err;
	if ((err = ask_text(run, "deployment", "select env from deployment", 0, NULL, found, sizeof(found))) != OK)
		return err;
	if (strcmp(found, run->db->config.env) == 0)
		return OK;
	log_event(LOG_ERROR, "db_of_another_environment", LOG_C("schema", run->db->config.schema));
	return ERR_CONFLICT;
}

/* Another environment's database is not to be migrated at all: looked at first, when the stamp is there. */
static enum err check_stamp(struct run *run)
{
	char found[8];
	enum err err = ask_text(run, "deployment", "select 1 where to_regclass('deployment') is not null", 0, NULL,
		found, sizeof(found));

	if (err == ERR_NOT_FOUND)
		return OK;
	return err == OK ? stamp(run) : err;
}

static enum err check_order(const struct db_migration *migrations, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (migrations[i].number < DB_MIGRATION_FIRST ||
			(i && migrations[i].number <= migrations[i - 1].number))
			return ERR_BAD_FIELD;
	return OK;
}

static enum err set_roles(struct run *run, const struct db_roles *roles)
{
	const char *schema = run->db->config.schema;
	int a = roles && roles->app ? snprintf(run->app, sizeof(run->app), "%s", roles->app)
	                            : snprintf(run->app, sizeof(run->app), "%s_app", schema);
	int j = roles && roles->jobs ? snprintf(run->jobs, sizeof(run->jobs), "%s", roles->jobs)
	                             : snprintf(run->jobs, sizeof(run->jobs), "%s_jobs", schema);

	if (a >= (int)sizeof(run->app) || j >= (int)sizeof(run->jobs))
		return ERR_BAD_FIELD;
	return db_conn_name_ok(run->app) && db_conn_name_ok(run->jobs) ? OK : ERR_BAD_FIELD;
}

static enum err migrate(struct run *run)
{
	enum err err;

	if ((err = db_conn_open(run->db, &run->pg)) != OK)
		return err;
	if ((err = lock_and_prepare(run)) != OK)
		return err;
	if ((err = check_stamp(run)) != OK)
		return err;
	if ((err = compare(run)) != OK)
		return err;
	if ((err = apply_missing(run, db_migrations, db_migrations_count)) != OK)
		return err;
	if ((err = stamp(run)) != OK)
		return err;
	return apply_missing(run, run->own, run->own_count);
}

enum err db_migrate(const struct db_config *owner, const struct db_roles *roles, const struct db_migration *migrations,
	size_t count)
{
	struct run run = {.own = migrations, .own_count = count};
	enum err err;

	if ((err = check_order(migrations, count)) != OK)
		return err;
	if ((err = db_open(owner, &run.db)) != OK)
		return err;
	if ((err = set_roles(&run, roles)) == OK)
		err = migrate(&run);
	PQfinish(run.pg); /* with it go an open transaction and the lock */
	db_free(&run.db);
	return err;
}
