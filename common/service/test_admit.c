/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "service/admit.h"

#define NOW (1800000000 * US_PER_S)
#define AGE(seconds) (NOW - (seconds)*US_PER_S)
#define LEEWAY_S (TOKEN_LEEWAY_US / US_PER_S)

static const struct {
	const char *name;
	enum operation_id operation;
	enum permission permission; /* that the token holds */
	bool person, verified;
	enum acr acr;
	enum demand demand;
	instant_us auth_at;
	enum err wanted;
} cases[] = {
	{"one's own, by a password", OPID_vehicle_list, PERM_VEHICLE_MANAGE, true, true, ACR_1FA, DEMAND_STAFF, AGE(0),
		OK},
	{"one's own, where all are asked", OPID_vehicle_list, PERM_VEHICLE_MANAGE, true, true, ACR_1FA, DEMAND_ALL,
		AGE(0), ERR_SECOND_FACTOR},
	{"one's own, where all are asked, by two", OPID_vehicle_list, PERM_VEHICLE_MANAGE, true, true, ACR_2FA,
		DEMAND_ALL, AGE(0), OK},
	{"who one is, where all are asked", OPID_whoami_read, PERM_VEHICLE_MANAGE, true, true, ACR_1FA, DEMAND_ALL,
		AGE(0), OK},
	{"staff, by a password", OPID_person_list, PERM_PERSON_READ, true, true, ACR_1FA, DEMAND_STAFF, AGE(0),
		ERR_SECOND_FACTOR},
	{"staff, by two, long ago", OPID_person_list, PERM_PERSON_READ, true, true, ACR_2FA, DEMAND_STAFF, AGE(9999),
		OK},
	{"staff, by a passkey", OPID_person_list, PERM_PERSON_READ, true, true, ACR_PHR, DEMAND_STAFF, AGE(0), OK},
	{"staff, where nobody is asked", OPID_person_list, PERM_PERSON_READ, true, true, ACR_1FA, DEMAND_OPTIONAL,
		AGE(9999), OK},
	{"a right that is missing is told first", OPID_person_list, PERM_VEHICLE_MANAGE, true, true, ACR_1FA,
		DEMAND_STAFF, AGE(0), ERR_FORBIDDEN},
	{"an address that is not verified, before all", OPID_person_list, PERM_PERSON_READ, true, false, ACR_1FA,
		DEMAND_STAFF, AGE(0), ERR_EMAIL_UNVERIFIED},
	{"a client for itself", OPID_person_list, PERM_PERSON_READ, false, true, ACR_NONE, DEMAND_STAFF, 0, OK},
	{"dangerous, by a client for itself", OPID_client_delete, PERM_CLIENT_MANAGE, false, true, ACR_NONE,
		DEMAND_STAFF, 0, OK},
	{"dangerous, by a password", OPID_client_delete, PERM_CLIENT_MANAGE, true, true, ACR_1FA, DEMAND_STAFF, AGE(0),
		ERR_STEP_UP},
	{"dangerous, by two, just now", OPID_client_delete, PERM_CLIENT_MANAGE, true, true, ACR_2FA, DEMAND_STAFF,
		AGE(0), OK},
	{"dangerous, by two, at the last moment", OPID_client_delete, PERM_CLIENT_MANAGE, true, true, ACR_2FA,
		DEMAND_STAFF, AGE(STEP_UP_MAX_AGE_S + LEEWAY_S), OK},
	{"dangerous, by two, a moment too late", OPID_client_delete, PERM_CLIENT_MANAGE, true, true, ACR_2FA,
		DEMAND_STAFF, AGE(STEP_UP_MAX_AGE_S + LEEWAY_S + 1), ERR_STEP_UP},
	{"dangerous, by two, nobody knows when", OPID_client_delete, PERM_CLIENT_MANAGE, true, true, ACR_2FA,
		DEMAND_STAFF, 0, ERR_STEP_UP},
	{"dangerous, where nobody is asked", OPID_client_delete, PERM_CLIENT_MANAGE, true, true, ACR_1FA,
		DEMAND_OPTIONAL, 0, OK},
	{"dangerous, without the right", OPID_client_delete, PERM_PERSON_READ, true, true, ACR_1FA, DEMAND_STAFF,
		AGE(0), ERR_FORBIDDEN},
};

static struct token token_of(size_t i)
{
	struct token token = {.acr = cases[i].acr,
		.demand = cases[i].demand,
		.auth_at = cases[i].auth_at,
		.email_verified = cases[i].verified,
		.person_id = cases[i].person ? uuid_new() : UUID_NIL};

	token_grant(&token, (unsigned)cases[i].permission);
	return token;
}

static void a_token_is_admitted_as_its_tenant_demands(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct token token = token_of(i);
		struct str reason = STR_NONE;
		enum err err = admit_token(&operation_table[cases[i].operation], &token, NOW, &reason);

		CHECK(cases[i].name, err == cases[i].wanted);
		CHECK(cases[i].name, (reason.len > 0) == (err != OK && err != ERR_EMAIL_UNVERIFIED));
	}
}

/* Of every permission: who lacks the factor keeps what is one's own, who has it or is not asked keeps all. */
static void rights_of_staff_are_taken_where_the_factor_is_missing(void **state)
{
	struct token all = {.acr = ACR_1FA, .person_id = uuid_new()};
	struct token cut, client = {0};

	(void)state;
	all.grant_count = 1;
	all.grants[0] = (struct token_grant){{{1}}, TOKEN_SITE, {0xff, 0xff, 0xff, 0xff}};
	memset(all.permissions, 0xff, sizeof(all.permissions));
	memset(client.permissions, 0xff, sizeof(client.permissions));
	cut = all;
	assert_true(admit_limit(&cut));
	for (unsigned bit = 0; bit < PERMISSION_BITS_MAX; bit++)
		CHECK(permission_name((enum permission)bit),
			token_has(&cut, bit) != permission_is_staff((enum permission)bit));
	for (unsigned bit = 0; bit < TOKEN_GRANT_BYTES * 8; bit++)
		CHECK(permission_name((enum permission)bit), token_has_at(&cut, bit, TOKEN_SITE, &all.grants[0].id) !=
								     permission_is_staff((enum permission)bit));
	assert_false(admit_limit(&cut));
	assert_false(admit_limit(&client));
	assert_true(token_has(&client, PERM_PERSON_READ));
	cut = all;
	cut.demand = DEMAND_OPTIONAL;
	assert_false(admit_limit(&cut));
	cut.demand = DEMAND_ALL;
	assert_true(admit_limit(&cut));
	cut = all;
	cut.acr = ACR_2FA;
	assert_false(admit_limit(&cut));
	assert_true(token_has(&cut, PERM_PERSON_READ));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_admitted_as_its_tenant_demands),
		cmocka_unit_test(rights_of_staff_are_taken_where_the_factor_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
