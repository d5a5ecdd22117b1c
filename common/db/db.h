/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_DB_DB_H
#define BERTH_DB_DB_H

/*
 * PostgreSQL, and the only place that calls libpq. README.md shows a migration and a statement. A connection
 * (`struct db`) belongs to one worker and is not thread-safe. It connects when first used and again after a loss.
 */
#include "base/config.h"
#include "db/param.h"
#include "db/rows.h"
#include "db/tx.h"

struct db_config {
	const char *host; /* directory of a Unix socket, or a name; comma-separated: the first that takes writes */
	int64_t port;     /* 0: 5432 */
	const char *dbname;
	const char *user;
	const struct secret *password; /* NULL: none */
	const char *schema;            /* the service's own, and its whole search_path */
	const char *application_name;
	const char *env;         /* environment this process belongs to: must equal the database's stamp */
	const char *tls_ca_file; /* set: TLS with verify-full */
	const char *tls_cert_file, *tls_key_file; /* with tls_ca_file: client certificate, or NULL */
	int64_t connect_timeout_ms;               /* 0: 400 */
	int64_t statement_timeout_ms;             /* 0: 5000; the client side gives up half a second later */
	int64_t lock_timeout_ms;                  /* 0: 2000 */
};

struct db;

/*
 * Borrows config's strings and password for its life. Does not connect. ERR_BAD_FIELD: a required member is
 * missing or odd.
 */
MUST_USE enum err db_open(const struct db_config *config, struct db **db_out);
void db_free(struct db **db);

/*
 * A round trip. ERR_UNAVAILABLE within connect_timeout_ms while PostgreSQL is away, and at once during the back-
 * off (50 ms to 1 s).
 */
MUST_USE enum err db_ping(struct db *db);
/*
 * At start: server release, environment stamp. ERR_UNAVAILABLE: cannot tell yet, ask again; ERR_CONFLICT: not this
 * process's database (logged). Every new connection is held to the same test by itself.
 */
MUST_USE enum err db_check(struct db *db);
/*
 * At start: ERR_CONFLICT when the schema is older than migration `newest` of this build (logged). Newer ones are
 * served too.
 */
MUST_USE enum err db_check_version(struct db *db, int newest);

/*
 * No call waits past this clock_monotonic_us (0: none; the statement time-out bounds it anyway). Stays until
 * changed.
 */
void db_set_deadline(struct db *db, uint64_t deadline_us);
/* Counts connections made; a change means that session state (advisory locks) was lost. */
uint64_t db_generation(const struct db *db);
bool db_is_connected(const struct db *db); /* as last seen, no I/O */

/* One file schema/NNN_name.sql. 000–009 are common to all services (embedded here), services start at 010. */
struct db_migration {
	int number;
	const char *name;
	const char *sql;
	size_t sql_len;
	uint8_t sha256[32];
};

#define DB_MIGRATION_FIRST 10

struct db_roles {
	const char *app;  /* NULL: <schema>_app */
	const char *jobs; /* NULL: <schema>_jobs */
};

/*
 * The separate run, with the owner's connection: under an advisory lock applies what is missing, the common ones
 * first, each in a transaction with its row of schema_version; stamps the database with config->env the first time.
 * In the text, :schema, :app_role and :jobs_role become quoted identifiers. Blocks; prints a log line for each.
 * ERR_CONFLICT: a migration that was applied has changed or is missing here, or the stamp is another environment's.
 * `roles` may be NULL.
 */
MUST_USE enum err db_migrate(const struct db_config *owner, const struct db_roles *roles,
	const struct db_migration *migrations, size_t count);

#endif
