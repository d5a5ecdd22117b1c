/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket.h"

#include <sodium.h>
#include <string.h>

#include "base/test.h"

#define KEY_1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_2 "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct arena *arena;
static struct vault *vault, *other_vault;
static const struct uuid acme = {{1}}, globex = {{2}}, family = {{3}};

static int set_up(void **state)
{
	struct secret *secret = secret_new(KEY_1, 64);
	struct secret *other = secret_new(KEY_2, 64);

	(void)state;
	assert_true(sodium_init() >= 0);
	arena = arena_new(1U << 20);
	assert_int_equal(vault_new(secret, &vault), OK);
	assert_int_equal(vault_new(other, &other_vault), OK);
	secret_free(&secret);
	secret_free(&other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	vault_free(&vault);
	vault_free(&other_vault);
	arena_free(&arena);
	return 0;
}

static void a_ticket_is_found_again_by_its_hash_alone(void **state)
{
	struct ticket made, read;
	struct str text;

	(void)state;
	made = ticket_new(vault, VAULT_CODE, &acme, arena, &text);
	assert_int_equal(text.len, TICKET_TEXT_LEN);
	assert_true(ticket_parse(vault, VAULT_CODE, arena, text, &read));
	assert_true(uuid_eq(&read.tenant_id, &acme));
	assert_true(vault_hash_eq(&read.hash, vault_hash_str(&made.hash)));
}

static void a_ticket_is_worthless_as_another_kind_with_another_key_or_tenant(void **state)
{
	struct ticket made, read;
	struct str text;
	char bent[TICKET_TEXT_LEN];

	(void)state;
	made = ticket_new(vault, VAULT_CODE, &acme, arena, &text);
	assert_true(ticket_parse(vault, VAULT_SESSION, arena, text, &read));
	assert_false(vault_hash_eq(&read.hash, vault_hash_str(&made.hash)));
	assert_true(ticket_parse(other_vault, VAULT_CODE, arena, text, &read));
	assert_false(vault_hash_eq(&read.hash, vault_hash_str(&made.hash)));
	memcpy(bent, text.p, sizeof(bent));
	bent[0] = bent[0] == 'A' ? 'B' : 'A';
	assert_true(ticket_parse(vault, VAULT_CODE, arena, (struct str){bent, sizeof(bent)}, &read));
	assert_false(uuid_eq(&read.tenant_id, &acme));
	assert_false(vault_hash_eq(&read.hash, vault_hash_str(&made.hash)));
}

static void what_is_no_ticket_is_refused(void **state)
{
	static const struct {
		const char *name;
		struct str text;
	} cases[] = {
		{"nothing", STR("")},
		{"absent", STR_NONE},
		{"too short", STR("AAAA")},
		{"a letter less", STR("AaIKso93dhiEpGUFAqeYNwGiCrP56ncFhB3cRxQRuvgAAAAAAAAAAYnZ6ZPKasi")},
		{"a letter more", STR("AaIKso93dhiEpGUFAqeYNwGiCrP56ncFhB3cRxQRuvgAAAAAAAAAAYnZ6ZPKasiGL")},
		{"a foreign letter", STR("AaIKso93dhiEpGUFAqeYNwGiCrP56ncFhB3cRxQRuvgAAAAAAAAAAYnZ6ZPKasi+")},
		{"padding", STR("AaIKso93dhiEpGUFAqeYNwGiCrP56ncFhB3cRxQRuvgAAAAAAAAAAYnZ6ZPKas==")},
		{"no tenant", STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")},
	};
	struct ticket ticket;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name, !ticket_parse(vault, VAULT_CODE, arena, cases[i].text, &ticket));
}

static void a_refresh_token_is_the_same_each_time_and_changes_with_all_it_says(void **state)
{
	struct str salt = STR("0123456789abcdef0123456789abcdef");
	struct str first = ticket_refresh_new(vault, &acme, &family, 7, salt, arena);
	struct refresh_ticket ticket;

	(void)state;
	assert_true(str_eq(first, ticket_refresh_new(vault, &acme, &family, 7, salt, arena)));
	assert_false(str_eq(first, ticket_refresh_new(vault, &acme, &family, 8, salt, arena)));
	assert_true(ticket_refresh_parse(arena, first, &ticket));
	assert_true(uuid_eq(&ticket.tenant_id, &acme) && uuid_eq(&ticket.family_id, &family));
	assert_int_equal(ticket.generation, 7);
	assert_true(ticket_refresh_genuine(vault, &ticket, salt));
	assert_false(ticket_refresh_genuine(other_vault, &ticket, salt));
	assert_false(ticket_refresh_genuine(vault, &ticket, STR("1123456789abcdef0123456789abcdef")));
	assert_false(ticket_refresh_genuine(vault, &ticket, STR_NONE));
	ticket.generation = 8;
	assert_false(ticket_refresh_genuine(vault, &ticket, salt));
	ticket.generation = 7;
	ticket.tenant_id = globex;
	assert_false(ticket_refresh_genuine(vault, &ticket, salt));
}

static void every_bit_of_a_refresh_token_counts(void **state)
{
	struct str salt = STR("0123456789abcdef0123456789abcdef");
	struct str text = ticket_refresh_new(vault, &acme, &family, 7, salt, arena);
	struct refresh_ticket ticket;
	char bent[96];

	(void)state;
	for (size_t i = 0; i < sizeof(bent); i++) {
		memcpy(bent, text.p, sizeof(bent));
		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		assert_false(ticket_refresh_parse(arena, (struct str){bent, sizeof(bent)}, &ticket) &&
			     ticket_refresh_genuine(vault, &ticket, salt));
	}
}

static void a_cursor_belongs_to_its_list_and_tenant(void **state)
{
	struct str text = ticket_cursor_new(vault, &acme, "people", &family, arena);
	struct uuid id;

	(void)state;
	assert_true(ticket_cursor_parse(vault, &acme, "people", arena, text, &id));
	assert_true(uuid_eq(&id, &family));
	assert_false(ticket_cursor_parse(vault, &acme, "clients", arena, text, &id));
	assert_false(ticket_cursor_parse(vault, &globex, "people", arena, text, &id));
	assert_false(ticket_cursor_parse(vault, &acme, "people", arena, STR("AAAA"), &id));
	assert_false(ticket_cursor_parse(vault, &acme, "people", arena, STR(""), &id));
	assert_false(ticket_cursor_parse(vault, &acme, "people", arena, (struct str){text.p, text.len - 1}, &id));
}

static void parts_do_not_run_into_each_other(void **state)
{
	struct str ab_c[2] = {STR("ab"), STR("c")}, a_bc[2] = {STR("a"), STR("bc")};
	struct vault_hash one = vault_hash_parts(vault, VAULT_CSRF, ab_c, 2);
	struct vault_hash two = vault_hash_parts(vault, VAULT_CSRF, a_bc, 2);

	(void)state;
	assert_false(vault_hash_eq(&one, vault_hash_str(&two)));
}

static void a_devices_cookie_is_its_accounts_and_cannot_be_changed(void **state)
{
	struct device_ticket device = {.account = {1, 2, 3}, .nonce = {4, 5, 6}, .issued_s = 1700000000};
	struct device_ticket found;
	struct str text;
	char changed[128];

	(void)state;
	arena_reset(arena);
	text = ticket_device_new(vault, &device, arena);
	assert_int_equal(text.len, 96);
	assert_true(ticket_device_parse(vault, arena, text, &found));
	assert_memory_equal(&found, &device, sizeof(device));
	for (size_t i = 0; i < text.len; i++) {
		memcpy(changed, text.p, text.len);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_false(ticket_device_parse(vault, arena, (struct str){changed, text.len}, &found));
	}
	assert_false(ticket_device_parse(vault, arena, (struct str){text.p, text.len - 1}, &found));
	assert_false(ticket_device_parse(vault, arena, STR_NONE, &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_is_found_again_by_its_hash_alone),
		cmocka_unit_test(a_ticket_is_worthless_as_another_kind_with_another_key_or_tenant),
		cmocka_unit_test(what_is_no_ticket_is_refused),
		cmocka_unit_test(a_refresh_token_is_the_same_each_time_and_changes_with_all_it_says),
		cmocka_unit_test(every_bit_of_a_refresh_token_counts),
		cmocka_unit_test(a_cursor_belongs_to_its_list_and_tenant),
		cmocka_unit_test(a_devices_cookie_is_its_accounts_and_cannot_be_changed),
		cmocka_unit_test(parts_do_not_run_into_each_other),
	};

	return cmocka_run_group_tests_name("ticket", tests, set_up, tear_down);
}
