/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "gdprsvc_sql.h"
#include "job_erasure.h"
#include "job_retention.h"

#define SERVICE_DEF "contract/gdprsvc.def"
#define SERVICE_HANDLER_TABLE gdpr_handlers
#include "service/handlers.h"

static void metrics(struct context *context, struct buf *out)
{
	(void)context;
	job_erasure_metrics(out);
	job_retention_metrics(out);
}

static const struct job jobs[] = {
	{.name = "erasure", .run = job_erasure_run},
	{.name = "retention", .run = job_retention_run},
	{0},
};

int main(int argc, char **argv)
{
	const struct service service = {
		.self = PEER_gdprsvc,
		.schema = "gdpr",
		.config_keys = gdprsvc_config_keys,
		.config_size = sizeof(struct gdprsvc_config),
		.handlers = gdpr_handlers,
		.migrations = gdprsvc_migrations,
		.migration_count = gdprsvc_migrations_count,
		.jobs = jobs,
		.metrics = metrics,
		.outbox = true,
		.workers_fast = 2,
		.workers_slow = 3,
	};

	return service_main(&service, argc, argv);
}
