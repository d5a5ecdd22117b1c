/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_TEST_FIXTURE_H
#define BERTH_BOOKINGSVC_TEST_FIXTURE_H

#include "base/log.h"
#include "base/test.h"
#include "config.h"
#include "db/testpg.h"
#include "service/service.h"
#include "state.h"

/*
 * Tests of handlers and statements: a real PostgreSQL cluster with the real migrations, the app role, sealed
 * fields, and calls as the skeleton makes them. Only authsvc is played: everyone is active but people whose id
 * starts with 0xee.
 */
struct desk {
	struct worker worker;
	struct state state;
	struct config config;
};

extern struct testpg *fixture_pg;

/* For cmocka_run_group_tests. */
int fixture_start(void **state);
int fixture_stop(void **state);

/* A worker of one's own; for a thread, or the one that most tests share. */
struct desk *desk_new(void);
void desk_free(struct desk **desk);

/* The roles of contract/roles.def by their permissions. */
struct call fixture_call(struct desk *desk, enum operation_id operation, const struct uuid *tenant,
	const struct uuid *person, const char *role);
/* Gives the call an idempotency key; `bytes` stand for the request. */
void fixture_key(struct call *call, const char *key, const char *bytes);

/* A site, an area and its spots, made through the handlers by an Admin. */
struct ground {
	struct uuid tenant, site, area;
	struct uuid spots[64];
	size_t spot_count;
};
struct ground fixture_ground(struct desk *desk, const struct uuid *tenant, size_t spots);
struct uuid fixture_pool(struct desk *desk, const struct ground *ground, int64_t capacity);
struct uuid fixture_uuid(unsigned n);

/* Hours from the next full hour on; rules know no clock, handlers do. */
instant_us fixture_hour(int hours);

struct booking_create_request fixture_wish(const struct uuid *spot, int from_hour, int to_hour);
enum err fixture_book(struct desk *desk, const struct uuid *tenant, const struct uuid *person, const char *role,
	const struct booking_create_request *wish, struct booking *reply);

int64_t fixture_count(const char *sql);

#endif
