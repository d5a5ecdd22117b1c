/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define CONNECT_TIMEOUT_MS 400
#define STATEMENT_TIMEOUT_MS 5000
#define LOCK_TIMEOUT_MS 2000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 1000

static const struct db_statement read_env = {"db_read_env", "select env from deployment", 26};

bool db_conn_name_ok(const char *name)
{
	size_t len = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

	return len > 0 && len <= 63 && name[len] == '\0' && !(name[0] >= '0' && name[0] <= '9');
}

static enum err split_hosts(struct db *db)
{
	struct str rest = str_from(db->config.host);
	struct str head;
	bool more = true;

	while (more) {
		more = str_cut(&rest, ',', &head);
		if (head.len == 0 || head.len >= CONN_HOST_LEN_MAX || db->host_count == CONN_HOSTS_MAX)
			return ERR_BAD_FIELD;
		memcpy(db->hosts[db->host_count], head.p, head.len);
		db->hosts[db->host_count++][head.len] = '\0';
	}
	return OK;
}

enum err db_conn_init(struct db *db, const struct db_config *config)
{
	db->config = *config;
	if (!config->host || !config->dbname || !config->user || !config->env || !config->env[0])
		return ERR_BAD_FIELD;
	if (!db_conn_name_ok(config->schema) || config->port < 0 || config->port > 65535)
		return ERR_BAD_FIELD;
	if (config->connect_timeout_ms < 0 || config->statement_timeout_ms < 0 || config->lock_timeout_ms < 0)
		return ERR_BAD_FIELD;
	if (!db->config.connect_timeout_ms)
		db->config.connect_timeout_ms = CONNECT_TIMEOUT_MS;
	if (!db->config.statement_timeout_ms)
		db->config.statement_timeout_ms = STATEMENT_TIMEOUT_MS;
	if (!db->config.lock_timeout_ms)
		db->config.lock_timeout_ms = LOCK_TIMEOUT_MS;
	db->backoff_ms = BACKOFF_FIRST_MS;
	buf_init(&db->scratch, DB_PARAM_BYTES_MAX);
	return split_hosts(db);
}

void db_conn_release(struct db *db)
{
	db_conn_drop(db);
	db_prepared_release(db);
	buf_release(&db->scratch);
}

/* Notices can quote values of a row: none is printed. */
static void ignore_notice(void *ctx, const PGresult *result)
{
	(void)ctx;
	(void)result;
}

static int remaining_ms(uint64_t until_us)
{
	uint64_t now = clock_monotonic_us();
	uint64_t left = until_us > now ? (until_us - now + 999) / 1000 : 0;

	return left > 60000 ? 60000 : (int)left;
}

/* 1 ready, 0 time is up, -1 failed. */
static int wait_socket(const PGconn *pg, short events, uint64_t until_us)
{
	for (;;) {
		struct pollfd pfd = {.fd = PQsocket(pg), .events = events};
		int left = remaining_ms(until_us);
		int n;

		if (pfd.fd < 0)
			return -1;
		n = poll(&pfd, 1, left);
		if (n > 0)
			return 1;
		if (n == 0 && left < 60000)
			return 0;
		if (n < 0 && errno != EINTR)
			return -1;
	}
}

static PGconn *dial_start(const struct db *db, const char *host)
{
	const struct db_config *c = &db->config;
	char port[8];
	char options[512];
	bool tls = c->tls_ca_file != NULL;

	snprintf(port, sizeof(port), "%d", c->port ? (int)c->port : 5432);
	snprintf(options, sizeof(options),
		"-c search_path=%s,pg_temp -c TimeZone=UTC -c statement_timeout=%lld -c lock_timeout=%lld"
		" -c idle_in_transaction_session_timeout=%lld -c client_min_messages=error -c jit=off"
		" -c client_connection_check_interval=500"
		" -c default_transaction_isolation=read\\ committed",
		c->schema, (long long)c->statement_timeout_ms, (long long)c->lock_timeout_ms,
		(long long)c->statement_timeout_ms * 2);
	{
		const char *const keys[] = {"host", "port", "dbname", "user", "password", "application_name", "options",
			"client_encoding", "target_session_attrs", "gssencmode", "sslmode", "sslrootcert", "sslcert",
			"sslkey", "ssl_min_protocol_version", "passfile", "keepalives_idle", "keepalives_interval",
			"keepalives_count", "tcp_user_timeout", NULL};
		const char *const values[] = {host, port, c->dbname, c->user,
			c->password ? secret_str(c->password).p : NULL, c->application_name, options, "UTF8",
			"read-write", "disable", tls ? "verify-full" : "disable", tls ? c->tls_ca_file : NULL,
			tls ? c->tls_cert_file : NULL, tls ? c->tls_key_file : NULL, "TLSv1.2", "/dev/null/none", "5",
			"2", "3", "5000", NULL};

		return PQconnectStartParams(keys, values, 0);
	}
}

enum err db_conn_dial(struct db *db, const char *host, uint64_t until_us, PGconn **pg_out)
{
	PGconn *pg = dial_start(db, host);
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	*pg_out = pg;
	if (!pg || PQstatus(pg) == CONNECTION_BAD)
		return ERR_UNAVAILABLE;
	PQsetNoticeReceiver(pg, ignore_notice, NULL);
	while (status != PGRES_POLLING_OK) {
		short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;

		if (wait_socket(pg, events, until_us) <= 0)
			return ERR_UNAVAILABLE;
		status = PQconnectPoll(pg);
		if (status == PGRES_POLLING_FAILED)
			return ERR_UNAVAILABLE;
	}
	return OK;
}

/* Releases with the row-security and memory faults of 2023–2025 repaired (CVE-2023-2455, 2024-10976, 2025-8713). */
static bool version_ok(int version)
{
	if (version >= 180000)
		return true;
	if (version >= 170000)
		return version >= 170006;
	if (version >= 160000)
		return version >= 160010;
	return version >= 150014;
}

/* libpq's message names host, user and database, never a password. Its first line says what matters. */
static void complain(struct db *db, const PGconn *pg)
{
	struct str rest = str_from(pg ? PQerrorMessage(pg) : "out of memory");
	struct str line;

	if (db->complained)
		return;
	db->complained = true;
	(void)str_cut(&rest, '\n', &line);
	log_event(LOG_WARN, "db_unavailable", LOG_C("schema", db->config.schema),
		LOG_S("reason", line.len == 0 ? STR("time-out") : line));
}

enum err db_conn_open(struct db *db, PGconn **pg_out)
{
	int64_t each_ms = db->config.connect_timeout_ms / (int64_t)db->host_count;
	PGconn *pg = NULL;
	enum err err = ERR_UNAVAILABLE;

	*pg_out = NULL;
	if (each_ms < CONN_ATTEMPT_MIN_MS)
		each_ms = CONN_ATTEMPT_MIN_MS;
	for (size_t i = 0; i < db->host_count && err != OK; i++) {
		uint64_t until_us = clock_monotonic_us() + (uint64_t)(each_ms * US_PER_MS);

		if (db->deadline_us && until_us > db->deadline_us)
			until_us = db->deadline_us;
		PQfinish(pg);
		err = db_conn_dial(db, db->hosts[db->host_next], until_us, &pg);
		if (err == OK)
			break;
		/* The host that answered last stays the first to be tried. */
		db->host_next = (db->host_next + 1) % db->host_count;
	}
	if (err != OK) {
		complain(db, pg);
		goto done;
	}
	if (!version_ok(PQserverVersion(pg))) {
		log_event(LOG_ERROR, "db_server_too_old", LOG_I("version", PQserverVersion(pg)));
		err = ERR_CONFLICT;
		goto done;
	}
	*pg_out = pg;
	pg = NULL;
done:
	PQfinish(pg);
	return err;
}

/* The environment stamp, read with the machinery that everything else uses. */
static enum err check_env(struct db *db)
{
	struct db_fault fault = {0};
	struct item *item;
	enum err err;
	bool same;

	db_pipeline_reset(db);
	if ((err = db_pipeline_queue(db, ITEM_RUN, &read_env, NULL, 0)) != OK)
		return err;
	if (!db_pipeline_flush(db, db_pipeline_until(db), &fault)) {
		if (strcmp(fault.sqlstate, "42P01") == 0 || strcmp(fault.sqlstate, "42501") == 0)
			return ERR_UNAVAILABLE; /* not migrated yet; db_fault_read has logged it */
		return fault.err;
	}
	item = &db->items[db->item_count - 1];
	if (PQntuples(item->result) != 1)
		return ERR_UNAVAILABLE;
	same = str_eq_c(
		(struct str){PQgetvalue(item->result, 0, 0), (size_t)PQgetlength(item->result, 0, 0)}, db->config.env);
	db_pipeline_reset(db);
	if (same)
		return OK;
	if (!db->complained)
		log_event(LOG_ERROR, "db_of_another_environment", LOG_C("schema", db->config.schema));
	db->complained = true;
	return ERR_CONFLICT;
}

static void back_off(struct db *db)
{
	uint8_t jitter;

	random_bytes(&jitter, sizeof(jitter));
	db->retry_at_us = clock_monotonic_us() + (uint64_t)(db->backoff_ms * US_PER_MS * (192 + jitter / 2) / 256);
	db->backoff_ms = db->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : db->backoff_ms * 2;
}

static enum err connect_now(struct db *db)
{
	enum err err;

	if (clock_monotonic_us() < db->retry_at_us)
		return ERR_UNAVAILABLE;
	if ((err = db_conn_open(db, &db->pg)) != OK)
		goto done;
	db->generation++;
	if (PQsetnonblocking(db->pg, 1) != 0 || PQenterPipelineMode(db->pg) != 1) {
		err = ERR_UNAVAILABLE;
		goto done;
	}
	if ((err = check_env(db)) != OK)
		goto done;
	db->backoff_ms = BACKOFF_FIRST_MS;
	db->retry_at_us = 0;
	log_event(LOG_INFO, "db_connected", LOG_C("schema", db->config.schema), LOG_I("count", db->generation));
	db->complained = false;
done:
	if (err != OK) {
		db_conn_drop(db);
		back_off(db);
	}
	return err;
}

/* A server that has gone since the last transaction shows by what it left to be read: last words, then the end. */
static bool is_alive(const struct db *db)
{
	for (int i = 0; i < 4; i++) {
		struct pollfd pfd = {.fd = PQsocket(db->pg), .events = POLLIN};
		int n = poll(&pfd, 1, 0);

		if (n == 0)
			return PQstatus(db->pg) == CONNECTION_OK && PQtransactionStatus(db->pg) == PQTRANS_IDLE;
		if (n < 0 || !PQconsumeInput(db->pg) || PQisBusy(db->pg))
			return false;
	}
	return false;
}

enum err db_conn_ready(struct db *db)
{
	if (db->pg && is_alive(db))
		return OK;
	db_conn_drop(db);
	return connect_now(db);
}

void db_conn_drop(struct db *db)
{
	db_pipeline_reset(db);
	PQfinish(db->pg);
	db->pg = NULL;
}

enum err db_conn_wait(struct db *db, uint64_t until_us)
{
	for (;;) {
		int unsent = PQflush(db->pg);
		int n;

		if (!PQisBusy(db->pg))
			return OK;
		if (unsent < 0)
			return ERR_UNAVAILABLE;
		n = wait_socket(db->pg, (short)(POLLIN | (unsent ? POLLOUT : 0)), until_us);
		if (n <= 0)
			return n == 0 ? ERR_DEADLINE : ERR_UNAVAILABLE;
		if (!PQconsumeInput(db->pg))
			return ERR_UNAVAILABLE;
	}
}
