/* SPDX-License-Identifier: Apache-2.0 */
#include "test_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bookingsvc_sql.h"
#include "peer.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

#define MUST(call) assert_int_equal((call), OK)

struct testpg *fixture_pg;

/* Instead of peer.c. */
enum err peer_people_active(struct call *call, const struct uuid *people, size_t count, bool *active_out)
{
	(void)call;
	for (size_t i = 0; i < count; i++)
		active_out[i] = people[i].b[0] != 0xee;
	return OK;
}

enum err peer_group_members(
	struct call *call, const struct uuid *group_id, const struct uuid **members_out, size_t *count_out)
{
	(void)call;
	*members_out = group_id;
	*count_out = 0;
	return OK;
}

int fixture_start(void **state)
{
	(void)state;
	log_init("bookingsvc", LOG_ERROR);
	fixture_pg = testpg_start();
	testpg_sql(fixture_pg, "create extension btree_gist");
	testpg_migrate(fixture_pg, "booking", bookingsvc_migrations, bookingsvc_migrations_count);
	return 0;
}

int fixture_stop(void **state)
{
	(void)state;
	testpg_stop(&fixture_pg);
	return 0;
}

/* These tests are of outcomes: on a busy machine nothing shall come out otherwise for having taken long. */
#define PATIENCE_MS 30000

struct desk *desk_new(void)
{
	const struct key_epoch master = {.epoch = 1, .key = {1, 2, 3}}, index = {.epoch = 0, .key = {4, 5, 6}};
	struct desk *desk = calloc(1, sizeof(*desk));
	struct db_config app = testpg_config(fixture_pg, "booking", "app");
	struct db_config jobs = testpg_config(fixture_pg, "booking", "jobs");

	assert_non_null(desk);
	app.connect_timeout_ms = jobs.connect_timeout_ms = PATIENCE_MS;
	app.statement_timeout_ms = jobs.statement_timeout_ms = PATIENCE_MS;
	app.lock_timeout_ms = jobs.lock_timeout_ms = PATIENCE_MS;
	desk->config.retention_days = 180;
	desk->state = (struct state){.config = &desk->config};
	MUST(db_open(&app, &desk->worker.db));
	MUST(db_open(&jobs, &desk->state.jobs));
	MUST(seal_new("bookingsvc", &master, 1, &index, &desk->worker.seal));
	desk->worker.arena = arena_new(32U << 20);
	desk->worker.state = &desk->state;
	assert_non_null(desk->worker.arena);
	return desk;
}

void desk_free(struct desk **desk)
{
	if (!*desk)
		return;
	db_free(&(*desk)->worker.db);
	db_free(&(*desk)->state.jobs);
	seal_free(&(*desk)->worker.seal);
	arena_free(&(*desk)->worker.arena);
	free(*desk);
	*desk = NULL;
}

struct call fixture_call(struct desk *desk, enum operation_id operation, const struct uuid *tenant,
	const struct uuid *person, const char *role)
{
	const struct role *found = role_by_name(str_from(role));
	struct call call = {.operation = &operation_table[operation],
		.worker = &desk->worker,
		.arena = desk->worker.arena,
		.request_id = uuid_new(),
		.deadline_us = clock_monotonic_us() + 60 * (uint64_t)US_PER_S,
		.caller = PEER_gateway,
		.has_token = true};

	call.token.tenant_id = *tenant;
	call.token.person_id = *person;
	call.token.expires_at = clock_now_us() + 600 * US_PER_S;
	snprintf(call.token.client_id, sizeof(call.token.client_id), "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b");
	for (unsigned bit = 0; found && bit < PERMISSION_BITS_MAX; bit++)
		if (permission_set_has(&found->permissions, (enum permission)bit))
			token_grant(&call.token, bit);
	return call;
}

void fixture_key(struct call *call, const char *key, const char *bytes)
{
	call->idempotency_key = str_from(key);
	call->request_bytes = str_from(bytes);
}

struct uuid fixture_uuid(unsigned n)
{
	struct uuid id = {{0x01, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0x70}};

	for (size_t i = 0; i < 4; i++)
		id.b[12 + i] = (uint8_t)(n >> (24 - 8 * i));
	return id;
}

struct ground fixture_ground(struct desk *desk, const struct uuid *tenant, size_t spots)
{
	const struct uuid admin = fixture_uuid(999999);
	struct ground ground = {.tenant = *tenant, .spot_count = spots};
	struct call call = fixture_call(desk, OPID_site_create, tenant, &admin, "Admin");
	struct site_create_request site_wish = {
		.name = STR("Paris"), .has_name = true, .time_zone = STR("Europe/Paris"), .has_time_zone = true};
	struct site site = {0};
	struct area area = {0};

	MUST(handle_site_create(&call, &site_wish, &site));
	ground.site = site.id;
	call = fixture_call(desk, OPID_area_create, tenant, &admin, "Admin");
	{
		const struct area_create_request wish = {
			.site_id = site.id, .has_site_id = true, .name = STR("P1"), .has_name = true};

		MUST(handle_area_create(&call, &wish, &area));
	}
	ground.area = area.id;
	for (size_t i = 0; i < spots; i++) {
		struct spot spot = {0};
		struct str name = arena_printf(desk->worker.arena, "%02zu", i + 1);
		const struct spot_create_request wish = {
			.area_id = area.id, .has_area_id = true, .name = name, .has_name = true};

		call = fixture_call(desk, OPID_spot_create, tenant, &admin, "Admin");
		MUST(handle_spot_create(&call, &wish, &spot));
		ground.spots[i] = spot.id;
	}
	return ground;
}

struct uuid fixture_pool(struct desk *desk, const struct ground *ground, int64_t capacity)
{
	const struct uuid admin = fixture_uuid(999999);
	struct call call = fixture_call(desk, OPID_area_create, &ground->tenant, &admin, "Admin");
	const struct area_create_request wish = {.site_id = ground->site,
		.has_site_id = true,
		.name = STR("Pool"),
		.has_name = true,
		.inventory = STR("pooled"),
		.has_inventory = true,
		.capacity = capacity,
		.has_capacity = true};
	struct area area = {0};

	MUST(handle_area_create(&call, &wish, &area));
	return area.id;
}

instant_us fixture_hour(int hours)
{
	const instant_us hour = 3600 * US_PER_S;
	static instant_us first;

	if (!first)
		first = (clock_now_us() / hour + 1) * hour;
	return first + hours * hour;
}

struct booking_create_request fixture_wish(const struct uuid *spot, int from_hour, int to_hour)
{
	struct booking_create_request wish = {.starts_at = fixture_hour(from_hour),
		.has_starts_at = true,
		.ends_at = fixture_hour(to_hour),
		.has_ends_at = true};

	if (spot) {
		wish.spot_id = *spot;
		wish.has_spot_id = true;
	}
	return wish;
}

enum err fixture_book(struct desk *desk, const struct uuid *tenant, const struct uuid *person, const char *role,
	const struct booking_create_request *wish, struct booking *reply)
{
	struct call call = fixture_call(desk, OPID_booking_create, tenant, person, role);

	*reply = (struct booking){0};
	return handle_booking_create(&call, wish, reply);
}

int64_t fixture_count(const char *sql)
{
	return strtoll(testpg_value(fixture_pg, sql), NULL, 10);
}
