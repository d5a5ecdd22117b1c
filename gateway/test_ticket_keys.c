/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket_keys.h"

#include <string.h>

#include "base/test.h"

#define BEGUN (UINT64_C(7) * US_PER_S)
#define LIFE TICKET_KEYS_LIFE_US

static bool is_wiped(const struct ticket_key *key)
{
	static const struct ticket_key none;

	return memcmp(key->name, none.name, sizeof none.name) == 0 &&
	       memcmp(key->aes, none.aes, sizeof none.aes) == 0 && memcmp(key->mac, none.mac, sizeof none.mac) == 0 &&
	       key->made_us == 0;
}

static void a_ticket_is_opened_for_two_lives_of_its_key_and_not_longer(void **state)
{
	static const struct {
		const char *name;
		uint64_t after_us;
		bool opens, old;
	} cases[] = {
		{"at once", 0, true, false},
		{"to the end of its life", LIFE - 1, true, false},
		{"behind the next key", LIFE, true, true},
		{"to the end of the next key's life", 2 * LIFE - 1, true, true},
		{"after two lives", 2 * LIFE, false, true},
		{"after a week of silence", 168 * LIFE, false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ticket_keys keys = {0};
		const struct ticket_key sealed = *ticket_keys_sealing(&keys, BEGUN);
		bool old = false;
		const struct ticket_key *key = ticket_keys_opening(&keys, sealed.name, BEGUN + cases[i].after_us, &old);

		CHECK(cases[i].name, (key != NULL) == cases[i].opens && old == cases[i].old);
		CHECK(cases[i].name, key == NULL || memcmp(key, &sealed, sizeof sealed) == 0);
	}
}

static void each_key_is_another(void **state)
{
	struct ticket_keys keys = {0};
	const struct ticket_key first = *ticket_keys_sealing(&keys, BEGUN);
	const struct ticket_key second = *ticket_keys_sealing(&keys, BEGUN + LIFE);

	(void)state;
	assert_memory_not_equal(first.name, second.name, sizeof first.name);
	assert_memory_not_equal(first.aes, second.aes, sizeof first.aes);
	assert_memory_not_equal(first.mac, second.mac, sizeof first.mac);
}

static void what_no_ticket_may_be_opened_with_is_gone_from_memory(void **state)
{
	struct ticket_keys keys = {0};

	(void)state;
	assert_true(ticket_keys_age(&keys, BEGUN));
	assert_true(ticket_keys_age(&keys, BEGUN + LIFE));
	assert_false(is_wiped(&keys.before));
	assert_true(ticket_keys_age(&keys, BEGUN + 2 * LIFE));
	assert_int_equal(keys.before.made_us, BEGUN + LIFE);
	assert_true(ticket_keys_age(&keys, BEGUN + 20 * LIFE));
	assert_true(is_wiped(&keys.before));
	ticket_keys_wipe(&keys);
	assert_true(is_wiped(&keys.now));
}

static void a_name_of_nobody_opens_nothing(void **state)
{
	struct ticket_keys keys = {0};
	const uint8_t zeros[TICKET_KEYS_NAME_LEN] = {0};
	bool old = false;

	(void)state;
	assert_true(ticket_keys_age(&keys, BEGUN));
	assert_null(ticket_keys_opening(&keys, zeros, BEGUN, &old));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_is_opened_for_two_lives_of_its_key_and_not_longer),
		cmocka_unit_test(each_key_is_another),
		cmocka_unit_test(what_no_ticket_may_be_opened_with_is_gone_from_memory),
		cmocka_unit_test(a_name_of_nobody_opens_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
