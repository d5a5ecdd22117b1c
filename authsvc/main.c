/* SPDX-License-Identifier: Apache-2.0 */
#include "authsvc_sql.h"
#include "breached_build.h"
#include "config.h"
#include "handle_bootstrap.h"
#include "handle_token_many.h"
#include "job_hashes.h"
#include "job_keys.h"
#include "job_logout.h"
#include "job_mail.h"
#include "job_revocation.h"
#include "job_trace.h"
#include "state.h"

#define SERVICE_DEF "contract/authsvc.def"
#define SERVICE_HANDLER_TABLE handlers
#include "service/handlers.h"

static const struct handler handlers_many[] = {
	{OPID_token_issue, NULL, handle_token_issue_many}, {OPERATION_COUNT, NULL, NULL}};

static const struct job jobs[] = {
	{"hashes", job_hashes_run},
	{"keys", job_keys_run},
	{"logout", job_logout_run},
	{"mail", job_mail_run},
	{"revocation", job_revocation_run},
	{"traces", job_trace_run},
	{NULL, NULL},
};

static const struct command commands[] = {
	{"--bootstrap",
		"FILE: makes the tenants that the file names, each with an Admin and a client; prints their ids",
		handle_bootstrap},
	{"--rotate-keys", "hands over to the next signing keys, once every process knows them (half a minute at most)",
		job_keys_rotate},
	{NULL, NULL, NULL},
};

static const struct tool tools[] = {
	{"--build-password-filter",
		"text|sha1 LIST OUT: makes the file that BERTH_BREACHED_PASSWORDS_FILE names from a list of passwords, "
		"or of their SHA-1 with or without `:count`",
		breached_build},
	{NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	const struct service service = {
		.self = PEER_authsvc,
		.schema = "auth",
		.config_keys = config_keys,
		.config_size = sizeof(struct auth_config),
		.handlers = handlers,
		.handlers_many = handlers_many,
		.migrations = authsvc_migrations,
		.migration_count = authsvc_migrations_count,
		.jobs = jobs,
		.commands = commands,
		.tools = tools,
		.open = state_open,
		.close = state_close,
		.worker_open = state_worker_open,
		.worker_close = state_worker_close,
		.missing = state_missing,
		.degraded = state_degraded,
		.metrics = state_metrics,
		.outbox = true,
		.fetch_keys = job_keys_fetch,
		.workers_fast = 2,
		.workers_slow = 4,
	};

	return service_main(&service, argc, argv);
}
