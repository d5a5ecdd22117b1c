/* SPDX-License-Identifier: Apache-2.0 */
#include "bookingsvc_sql.h"
#include "config.h"
#include "handle_booking_many.h"
#include "job_sweep.h"
#include "worker.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#define SERVICE_HANDLER_TABLE handlers
#include "service/handlers.h"

static const struct handler handlers_many[] = {
	{OPID_booking_create, NULL, handle_booking_create_many}, {OPERATION_COUNT, NULL, NULL}};
static const struct job jobs[] = {{"sweep", job_sweep_run}, {NULL, NULL}};

int main(int argc, char **argv)
{
	const struct service service = {.self = PEER_bookingsvc,
		.schema = "booking",
		.config_keys = config_keys,
		.config_size = sizeof(struct config),
		.handlers = handlers,
		.handlers_many = handlers_many,
		.migrations = bookingsvc_migrations,
		.migration_count = bookingsvc_migrations_count,
		.jobs = jobs,
		.worker_open = worker_open,
		.worker_close = worker_close,
		.outbox = true,
		.workers_fast = 2,
		.workers_slow = 1};

	return service_main(&service, argc, argv);
}
