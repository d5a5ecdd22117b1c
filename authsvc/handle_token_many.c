/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_token_many.h"

#include <stdlib.h>

#include "base/crash.h"
#include "base/log.h"
#include "clients.h"
#include "handle_token.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define TOGETHER_MAX 128 /* in one transaction; a pipeline has room for four times as many statements */

/* One request. */
struct asking {
	struct exchange exchange;
	struct store place; /* of the exchange: its tenant, and no transaction */
	struct uuid tenant_id, client_id;
	struct str secret;
	const struct asking *first; /* the first of its client in the batch */
	bool refresh;
	struct refresh_ticket ticket;
	struct family_record family;
	struct person_record person;
	struct scope scope;
	bool rotate;
	bool alone; /* left to the single form */
	bool decided;
	enum err err;
};

/* What shares one transaction, ordered by tenant and family. */
struct together {
	struct asking *items[TOGETHER_MAX];
	size_t count;
	bool refreshes; /* any */
	struct store store;
	/* Of one tenant, on their way to and from a statement. */
	struct uuid ids[TOGETHER_MAX];
	int64_t row_ids[TOGETHER_MAX];
	struct family_record families[TOGETHER_MAX];
	struct family_record *rotating[TOGETHER_MAX];
	struct person_record people[TOGETHER_MAX];
};

static bool is_open(const struct asking *asking)
{
	return !asking->alone && !asking->decided;
}

static void decide(struct asking *asking, enum err err)
{
	asking->decided = true;
	asking->err = err;
}

/* -- before a store is asked -- */

static bool read_grant(struct asking *asking)
{
	const struct token_request *request = asking->exchange.request;

	if (str_eq_c(request->grant_type, "client_credentials"))
		return true;
	asking->refresh = true;
	return str_eq_c(request->grant_type, "refresh_token") && request->has_refresh_token &&
	       ticket_refresh_parse(asking->exchange.call->arena, request->refresh_token, &asking->ticket) &&
	       uuid_eq(&asking->ticket.tenant_id, &asking->tenant_id);
}

static void read_one(struct asking *asking)
{
	const struct caller_claim claim = handle_token_claim(asking->exchange.request);

	asking->exchange.store = &asking->place;
	asking->alone = asking->exchange.call->proof.p != NULL ||
	                !caller_claimed(asking->exchange.call, &claim, &asking->client_id, &asking->tenant_id,
				&asking->secret) ||
	                !read_grant(asking);
	asking->place.tenant_id = asking->tenant_id;
}

/* Families are locked in this order everywhere. */
static int by_tenant_and_family(const void *left, const void *right)
{
	const struct asking *a = *(struct asking *const *)left, *b = *(struct asking *const *)right;
	int order = uuid_cmp(&a->tenant_id, &b->tenant_id);

	if (order == 0)
		order = uuid_cmp(&a->ticket.family_id, &b->ticket.family_id);
	return order != 0 ? order : (a > b) - (a < b);
}

/* The second of one family is decided by what becomes of the first. */
static bool is_second(const struct together *together, const struct asking *asking)
{
	const struct asking *before = together->count > 0 ? together->items[together->count - 1] : NULL;

	return before != NULL && asking->refresh && before->refresh &&
	       uuid_eq(&before->ticket.family_id, &asking->ticket.family_id);
}

/* -- the steps; an error means that nothing is decided -- */

/* Clients are few, and stand close together. */
static const struct asking *first_of_client(const struct together *together, size_t i)
{
	const struct asking *asking = together->items[i];

	for (size_t k = i; k-- > 0 && uuid_eq(&together->items[k]->tenant_id, &asking->tenant_id);)
		if (uuid_eq(&together->items[k]->client_id, &asking->client_id))
			return together->items[k]->first;
	return asking;
}

static enum err read_clients(struct together *together)
{
	struct store *store = &together->store;
	enum err err = OK;

	for (size_t i = 0; i < together->count && err == OK; i++) {
		struct asking *asking = together->items[i];

		asking->first = first_of_client(together, i);
		if (asking->first == asking && (err = store_switch(store, &asking->tenant_id)) == OK)
			err = store_client_queue(store, &asking->client_id);
	}
	if (err == OK)
		err = together->refreshes ? tx_flush(store->tx) : tx_flush_commit(store->tx);
	for (size_t i = 0; i < together->count && err == OK; i++) {
		struct asking *asking = together->items[i];

		if (asking->first != asking) {
			asking->exchange.client = asking->first->exchange.client;
			asking->alone = asking->exchange.client.row_id == 0;
		} else if ((err = store_client_next(store, &asking->exchange.client)) == ERR_NOT_FOUND) {
			asking->exchange.client = (struct client_record){.row_id = 0};
			asking->alone = true;
			err = OK;
		}
	}
	return err;
}

/* What is refused is left to the single form, which tells of it. */
static void decide_for_client(struct asking *asking)
{
	enum err err = handle_token_for_client(&asking->exchange);

	if (asking->exchange.error != NULL)
		asking->alone = true;
	else
		decide(asking, err);
}

static void check_clients(struct together *together)
{
	for (size_t i = 0; i < together->count; i++) {
		struct asking *asking = together->items[i];
		const struct client_record *client = &asking->exchange.client;

		asking->alone =
			asking->alone || client->dpop_bound ||
			!caller_is(asking->exchange.call, client, asking->secret) ||
			!rules_word_listed(client->grants, asking->refresh ? "refresh_token" : "client_credentials");
		if (is_open(asking) && !asking->refresh)
			decide_for_client(asking);
	}
}

static bool is_good(struct asking *asking)
{
	const struct family_record *family = &asking->family;
	const struct state *state = desk_state(asking->exchange.call);
	enum refresh_verdict verdict;

	if (family->row_id == 0 || family->jkt.p != NULL || family->client_row_id != asking->exchange.client.row_id ||
		!ticket_refresh_genuine(state->vault, &asking->ticket, family->refresh_salt))
		return false;
	verdict = rules_refresh_decide(&family->state, asking->ticket.generation, clock_now_us());
	asking->rotate = verdict == REFRESH_ROTATE;
	return (asking->rotate || verdict == REFRESH_REPEAT) &&
	       handle_token_narrow(&asking->exchange, family, &asking->scope) &&
	       handle_token_target(&asking->exchange, family->resource);
}

/* Those of one tenant are asked for in one statement: where they end. */
static size_t tenant_end(const struct together *together, size_t first)
{
	size_t end = first + 1;

	while (end < together->count && uuid_eq(&together->items[end]->tenant_id, &together->items[first]->tenant_id))
		end++;
	return end;
}

static bool any_open(const struct together *together, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (is_open(together->items[i]))
			return true;
	return false;
}

/* What all tenants queue, in one round trip, before any takes its part. Whoever has nothing open asks nothing. */
static enum err ask(struct together *together, enum err (*queue)(struct together *, size_t, size_t),
	enum err (*take)(struct together *, size_t, size_t))
{
	enum err err = OK;
	size_t end;

	for (size_t i = 0; i < together->count && err == OK; i = end) {
		end = tenant_end(together, i);
		if (any_open(together, i, end) &&
			(err = store_switch(&together->store, &together->items[i]->tenant_id)) == OK)
			err = queue(together, i, end);
	}
	if (err == OK)
		err = tx_flush(together->store.tx);
	for (size_t i = 0; i < together->count && err == OK; i = end) {
		end = tenant_end(together, i);
		if (any_open(together, i, end))
			err = take(together, i, end);
	}
	return err;
}

static enum err queue_families(struct together *together, size_t first, size_t end)
{
	size_t n = 0;

	for (size_t i = first; i < end; i++)
		if (is_open(together->items[i]))
			together->ids[n++] = together->items[i]->ticket.family_id;
	return store_family_lock_many_queue(&together->store, together->ids, n);
}

/* One that is not there is left as it is: good for nothing. */
static enum err take_families(struct together *together, size_t first, size_t end)
{
	size_t count;
	enum err err;

	err = store_family_lock_many_next(&together->store, TOGETHER_MAX, together->families, &count);
	for (size_t i = first; i < end && err == OK; i++) {
		struct asking *asking = together->items[i];

		if (!is_open(asking))
			continue;
		for (size_t k = 0; k < count; k++)
			if (uuid_eq(&together->families[k].id, &asking->ticket.family_id))
				asking->family = together->families[k];
		asking->alone = !is_good(asking);
	}
	return err;
}

/* Whether its person has agreed to that is read by the single form. */
static bool is_exceeded(const struct asking *asking)
{
	const struct client_record *client = &asking->exchange.client;
	struct rights reach;

	return clients_is_exceeded(client->third_party, client->vouched, &asking->person, &reach);
}

static enum err queue_people(struct together *together, size_t first, size_t end)
{
	size_t n = 0;

	for (size_t i = first; i < end; i++)
		if (is_open(together->items[i]))
			together->row_ids[n++] = together->items[i]->family.person_row_id;
	return store_person_standing_many_queue(&together->store, together->row_ids, n);
}

/* What a role of the tenant's own grants is held by the single form. */
static bool is_plain(const struct asking *asking)
{
	return asking->person.row_id != 0 && asking->person.status == PERSON_ACTIVE && !asking->person.has_more &&
	       !is_exceeded(asking);
}

/* Several families may be one person's. */
static enum err take_people(struct together *together, size_t first, size_t end)
{
	size_t count;
	enum err err;

	err = store_person_standing_many_next(&together->store, TOGETHER_MAX, together->people, &count);
	for (size_t i = first; i < end && err == OK; i++) {
		struct asking *asking = together->items[i];

		if (!is_open(asking))
			continue;
		for (size_t k = 0; k < count; k++)
			if (together->people[k].row_id == asking->family.person_row_id)
				asking->person = together->people[k];
		asking->alone = !is_plain(asking);
	}
	return err;
}

/* Travels with the commit. */
static enum err queue_rotations(struct together *together, size_t first, size_t end)
{
	size_t n = 0;
	enum err err;

	for (size_t i = first; i < end; i++)
		if (is_open(together->items[i]) && together->items[i]->rotate)
			together->rotating[n++] = &together->items[i]->family;
	if (n == 0)
		return OK;
	if ((err = store_switch(&together->store, &together->items[first]->tenant_id)) != OK)
		return err;
	return store_family_rotate_many(&together->store, together->rotating, n, clock_now_us());
}

static enum err rotate_and_sign(struct together *together)
{
	enum err err = OK;
	size_t end;

	for (size_t i = 0; i < together->count && err == OK; i = end) {
		end = tenant_end(together, i);
		err = queue_rotations(together, i, end);
	}
	for (size_t i = 0; i < together->count && err == OK; i++) {
		struct asking *asking = together->items[i];

		if (!is_open(asking))
			continue;
		err = handle_token_sign(
			&asking->exchange, &asking->family, &asking->person, NULL, &asking->scope, STR_NONE);
		decide(asking, OK);
	}
	return err;
}

static enum err run(struct together *together)
{
	enum err err;

	if ((err = read_clients(together)) != OK)
		return err;
	check_clients(together);
	if (!any_open(together, 0, together->count))
		return OK; /* nothing was written */
	/* Locks families with their people; what is read of these is of after whatever was waited for. */
	if ((err = ask(together, queue_families, take_families)) != OK)
		return err;
	if ((err = ask(together, queue_people, take_people)) != OK)
		return err;
	if ((err = rotate_and_sign(together)) != OK)
		return err;
	CRASH_POINT("token_many.before_commit");
	err = store_commit(&together->store);
	CRASH_POINT("token_many.after_commit");
	return err;
}

/* What was to be together and could not be is done one by one. */
static void run_together(struct together *together)
{
	struct call *call;
	enum err err;

	if (together->count == 0)
		return;
	call = together->items[0]->exchange.call;
	err = store_begin(
		call->worker->db, call->worker->seal, call->arena, &together->items[0]->tenant_id, &together->store);
	if (err == OK)
		err = run(together);
	store_release(&together->store);
	for (size_t i = 0; i < together->count && err != OK; i++) {
		together->items[i]->alone = true;
		together->items[i]->decided = false;
	}
	together->count = 0;
	together->refreshes = false;
}

static void run_alone(struct asking *asking)
{
	struct call *call = asking->exchange.call;

	log_set_request(&call->request_id);
	*asking->exchange.reply = (struct web_reply){0};
	decide(asking, handle_token_issue(call, asking->exchange.request, asking->exchange.reply));
}

static void run_all(struct asking **order, size_t count, struct together *together)
{
	*together = (struct together){.count = 0};
	qsort(order, count, sizeof(struct asking *), by_tenant_and_family);
	for (size_t i = 0; i < count; i++) {
		if (is_second(together, order[i])) {
			order[i]->alone = true;
			continue;
		}
		together->items[together->count++] = order[i];
		together->refreshes = together->refreshes || order[i]->refresh;
		if (together->count == TOGETHER_MAX)
			run_together(together);
	}
	run_together(together);
}

enum err handle_token_issue_many(
	struct call **calls, const void *const *requests, void **replies, enum err *errs_out, size_t count)
{
	struct arena *arena = calls[0]->worker->arena;
	struct asking *items = arena_take_array(arena, count, sizeof(*items));
	struct asking **order = arena_take_array(arena, count, sizeof(struct asking *));
	struct together *together = arena_take(arena, sizeof(*together));
	size_t order_count = 0;

	if (items == NULL || order == NULL || together == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++) {
		items[i] = (struct asking){.exchange = {.call = calls[i], .request = requests[i], .reply = replies[i]}};
		read_one(&items[i]);
		if (!items[i].alone)
			order[order_count++] = &items[i];
	}
	run_all(order, order_count, together);
	for (size_t i = 0; i < count; i++) {
		if (!items[i].decided)
			run_alone(&items[i]);
		errs_out[i] = items[i].err;
	}
	return OK;
}
