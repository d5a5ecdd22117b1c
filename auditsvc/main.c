/* SPDX-License-Identifier: Apache-2.0 */
#include "auditsvc_sql.h"
#include "config.h"
#include "job_checkpoint.h"
#include "state.h"

#define SERVICE_DEF "contract/auditsvc.def"
#define SERVICE_HANDLER_TABLE handlers
#include "service/handlers.h"

static const struct job jobs[] = {{"checkpoint", job_checkpoint_run}, {NULL, NULL}};

int main(int argc, char **argv)
{
	const struct service service = {
		.self = PEER_auditsvc,
		.schema = "audit",
		.config_keys = config_keys,
		.config_size = sizeof(struct audit_config),
		.handlers = handlers,
		.migrations = auditsvc_migrations,
		.migration_count = auditsvc_migrations_count,
		.jobs = jobs,
		.open = state_open,
		.close = state_close,
		.worker_open = state_worker_open,
		.worker_close = state_worker_close,
		.metrics = state_metrics,
		.workers_fast = 2,
		.workers_slow = 1,
	};

	return service_main(&service, argc, argv);
}
