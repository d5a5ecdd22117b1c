/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/log.h"
#include "service/context.h"

struct migrate_config {
	const char *env, *host, *dbname;
	int64_t port;
	struct secret *password;
};

#define AT(member) .offset = offsetof(struct migrate_config, member)

static const struct config_key keys[] = {
	{.key = "BERTH_ENV",
		.kind = CONFIG_STR,
		.required = true,
		AT(env),
		.help = "stamped on the database the first time, compared afterwards"},
	{.key = "BERTH_PG_HOST",
		.kind = CONFIG_STR,
		.required = true,
		AT(host),
		.help = "folder of PostgreSQL's Unix socket, or a host name"},
	{.key = "BERTH_PG_PORT",
		.kind = CONFIG_I64,
		.min = 1,
		.max = 65535,
		.fallback = "5432",
		AT(port),
		.help = "default 5432"},
	{.key = "BERTH_PG_DBNAME", .kind = CONFIG_STR, .required = true, AT(dbname), .help = "database"},
	{.key = "BERTH_PG_OWNER_PASSWORD_FILE",
		.kind = CONFIG_SECRET,
		.required = true,
		.max = 1024,
		AT(password),
		.help = "file with the password of the role <process>_owner"},
	{0},
};

int context_migrate(const struct service *service)
{
	struct migrate_config config = {0};
	const char *name = peer_name(service->self);
	char owner[64], app[64], jobs[64];
	const struct db_roles roles = {.app = app, .jobs = jobs};
	struct db_config db;
	enum err err;

	if (config_read(keys, &config) != OK)
		return 2;
	snprintf(owner, sizeof owner, "%s_owner", name);
	snprintf(app, sizeof app, "%s_app", name);
	snprintf(jobs, sizeof jobs, "%s_jobs", name);
	db = (struct db_config){.host = config.host,
		.port = config.port,
		.dbname = config.dbname,
		.user = owner,
		.password = config.password,
		.schema = service->schema,
		.application_name = name,
		.env = config.env,
		.statement_timeout_ms = 600000};
	err = db_migrate(&db, &roles, service->migrations, service->migration_count);
	if (err != OK)
		log_event(LOG_ERROR, "migration_failed", LOG_C("code", err_code(err)));
	secret_free(&config.password);
	return err == OK ? 0 : 1;
}
