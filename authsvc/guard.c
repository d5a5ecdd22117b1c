/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>

#include "rules_web.h"
#include "ticket.h"

#define MS_PER_S 1000

/* An IPv6 customer has a whole /64. */
static struct str network_of(const struct call *call)
{
	char text[INET6_ADDRSTRLEN] = {0};
	struct in6_addr address;

	if (call->client_address.len == 0 || call->client_address.len >= sizeof(text))
		return STR("?");
	memcpy(text, call->client_address.p, call->client_address.len);
	if (inet_pton(AF_INET6, text, &address) != 1 || IN6_IS_ADDR_V4MAPPED(&address))
		return call->client_address;
	return arena_copy(call->arena, (struct str){(const char *)address.s6_addr, 8});
}

static struct vault_hash name_of(
	struct call *call, const char *kind, const struct uuid *tenant_id, struct str a, struct str b)
{
	struct str parts[4] = {str_from(kind), {(const char *)tenant_id->b, 16}, a, b};

	return vault_hash_parts(desk_state(call)->vault, VAULT_THROTTLE, parts, 4);
}

/* Redis first; without it the counters of this process. */
static int64_t attempt_ms(
	struct call *call, const struct throttle_key *keys, size_t count, const struct vault_hash *trusted)
{
	struct cache_counter counters[3];
	int64_t wait_ms = 0;

	for (size_t i = 0; i < count; i++)
		counters[i] = (struct cache_counter){keys[i].kind, vault_hash_str(&keys[i].id)};
	if (store_cache_attempt(desk_of(call)->cache, counters, count, vault_hash_str(trusted), &wait_ms) == OK)
		return wait_ms;
	atomic_fetch_add(&desk_state(call)->counts.cache_fallbacks, 1);
	return throttle_attempt_ms(desk_state(call)->throttle, keys, count, clock_monotonic_us());
}

/* What stands in a browser's cookie for the account. */
static void tag_of(
	struct call *call, const struct uuid *tenant_id, struct str normal_email, uint8_t tag_out[TICKET_TAG_LEN])
{
	struct str parts[3] = {STR("account"), {(const char *)tenant_id->b, 16}, normal_email};
	struct vault_hash hash = vault_hash_parts(desk_state(call)->vault, VAULT_BROWSER, parts, 3);

	memcpy(tag_out, hash.b, TICKET_TAG_LEN);
}

/* Whether this browser has signed in to the account within DEVICE_LIFE_S. */
static bool is_known(
	struct call *call, const struct uuid *tenant_id, struct str normal_email, struct device_ticket *device_out)
{
	struct str cookie = rules_cookie_get(call->cookie, COOKIE_DEVICE);
	int64_t now_s = clock_now_us() / US_PER_S;
	uint8_t tag[TICKET_TAG_LEN];

	if (!ticket_device_parse(desk_state(call)->vault, call->arena, cookie, device_out))
		return false;
	tag_of(call, tenant_id, normal_email, tag);
	return sodium_memcmp(tag, device_out->account, sizeof(tag)) == 0 && device_out->issued_s <= now_s &&
	       now_s - device_out->issued_s <= DEVICE_LIFE_S;
}

enum err guard_of(struct call *call, const struct uuid *tenant_id, struct str normal_email, struct guard *guard_out)
{
	struct str network = network_of(call);
	struct device_ticket device;

	if (network.p == NULL)
		return ERR_OVERLOADED;
	guard_out->pair = name_of(call, "pair", tenant_id, normal_email, network);
	if (is_known(call, tenant_id, normal_email, &device)) {
		guard_out->count = 1;
		guard_out->keys[0] = (struct throttle_key){
			THROTTLE_DEVICE, name_of(call, "device", tenant_id, normal_email,
						 (struct str){(const char *)device.nonce, sizeof(device.nonce)})};
		return OK;
	}
	guard_out->count = 3;
	guard_out->keys[0] = (struct throttle_key){THROTTLE_PAIR, guard_out->pair};
	guard_out->keys[1] =
		(struct throttle_key){THROTTLE_ACCOUNT, name_of(call, "account", tenant_id, normal_email, STR(""))};
	guard_out->keys[2] =
		(struct throttle_key){THROTTLE_ADDRESS, name_of(call, "address", tenant_id, STR(""), network)};
	return OK;
}

enum err guard_attempt(struct call *call, const struct uuid *tenant_id, struct str normal_email,
	struct guard *guard_out, int64_t *wait_s_out)
{
	enum err err = guard_of(call, tenant_id, normal_email, guard_out);

	if (err != OK)
		return err;
	*wait_s_out = (attempt_ms(call, guard_out->keys, guard_out->count, &guard_out->pair) + MS_PER_S - 1) / MS_PER_S;
	return OK;
}

enum err guard_knock(struct call *call, const char *door, struct guard *guard_out, int64_t *wait_s_out)
{
	struct str network = network_of(call);

	if (network.p == NULL)
		return ERR_OVERLOADED;
	guard_out->pair = name_of(call, door, &UUID_NIL, STR(""), network);
	guard_out->count = 1;
	guard_out->keys[0] = (struct throttle_key){THROTTLE_KNOCK, guard_out->pair};
	*wait_s_out = (attempt_ms(call, guard_out->keys, guard_out->count, &guard_out->pair) + MS_PER_S - 1) / MS_PER_S;
	return OK;
}

enum err guard_remember(
	struct call *call, struct web_reply *reply, const struct uuid *tenant_id, struct str normal_email)
{
	struct device_ticket device = {.issued_s = clock_now_us() / US_PER_S};
	struct str text;

	tag_of(call, tenant_id, normal_email, device.account);
	random_bytes(device.nonce, sizeof(device.nonce));
	text = ticket_device_new(desk_state(call)->vault, &device, call->arena);
	return text.p != NULL ? web_cookie_kept(call, reply, COOKIE_DEVICE, text, DEVICE_LIFE_S) : ERR_OVERLOADED;
}

bool guard_tells(struct call *call, const struct uuid *tenant_id, struct str normal_email)
{
	struct str network = network_of(call);
	struct throttle_key keys[2];

	if (network.p == NULL)
		return false;
	keys[0] = (struct throttle_key){THROTTLE_TOLD, name_of(call, "told", tenant_id, normal_email, STR(""))};
	keys[1] = (struct throttle_key){THROTTLE_TOLD, name_of(call, "told-network", &UUID_NIL, STR(""), network)};
	return attempt_ms(call, keys, 2, &keys[0].id) == 0;
}

bool guard_tells_refusal(
	struct call *call, const struct uuid *tenant_id, const struct uuid *client_id, const char *reason)
{
	const struct str client = {(const char *)client_id->b, sizeof client_id->b};
	const struct throttle_key key = {
		THROTTLE_TOLD, name_of(call, "told-client", tenant_id, client, str_from(reason))};

	return attempt_ms(call, &key, 1, &key.id) == 0;
}

void guard_succeed(struct call *call, const struct guard *guard)
{
	struct cache_counter counters[3];

	for (size_t i = 0; i < guard->count; i++)
		counters[i] = (struct cache_counter){guard->keys[i].kind, vault_hash_str(&guard->keys[i].id)};
	if (store_cache_succeed(desk_of(call)->cache, counters, guard->count, vault_hash_str(&guard->pair)) != OK &&
		guard->keys[0].kind != THROTTLE_KNOCK)
		throttle_forget(desk_state(call)->throttle, &guard->keys[0]);
}

enum err guard_reset(struct call *call, const struct uuid *tenant_id, struct str normal_email, int64_t *wait_s_out,
	bool *may_mail_out)
{
	struct str network = network_of(call);
	struct throttle_key asker, account;

	*may_mail_out = false;
	if (network.p == NULL)
		return ERR_OVERLOADED;
	asker = (struct throttle_key){THROTTLE_ASKER, name_of(call, "asker", &UUID_NIL, STR(""), network)};
	*wait_s_out = (attempt_ms(call, &asker, 1, &asker.id) + MS_PER_S - 1) / MS_PER_S;
	if (*wait_s_out > 0)
		return OK;
	account = (struct throttle_key){THROTTLE_RESET, name_of(call, "reset", tenant_id, normal_email, STR(""))};
	*may_mail_out = attempt_ms(call, &account, 1, &account.id) == 0;
	return OK;
}

bool guard_may_mail(struct call *call, const struct uuid *tenant_id, struct str normal_email)
{
	struct throttle_key key = {THROTTLE_MAIL, name_of(call, "mail", tenant_id, normal_email, STR(""))};

	return attempt_ms(call, &key, 1, &key.id) == 0;
}
