/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <arpa/inet.h>
#include <string.h>

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

enum err guard_of(struct call *call, const struct uuid *tenant_id, struct str normal_email, struct guard *guard_out)
{
	struct str network = network_of(call);

	if (network.p == NULL)
		return ERR_OVERLOADED;
	guard_out->pair = name_of(call, "pair", tenant_id, normal_email, network);
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
	guard_out->keys[0] = (struct throttle_key){THROTTLE_PAIR, guard_out->pair};
	*wait_s_out = (attempt_ms(call, guard_out->keys, guard_out->count, &guard_out->pair) + MS_PER_S - 1) / MS_PER_S;
	return OK;
}

void guard_succeed(struct call *call, const struct guard *guard)
{
	struct cache_counter counters[3];

	for (size_t i = 0; i < guard->count; i++)
		counters[i] = (struct cache_counter){guard->keys[i].kind, vault_hash_str(&guard->keys[i].id)};
	if (store_cache_succeed(desk_of(call)->cache, counters, guard->count, vault_hash_str(&guard->pair)) != OK)
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
