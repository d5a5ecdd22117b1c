/* SPDX-License-Identifier: Apache-2.0 */
#include "service/dispatch.h"

#include <string.h>

#include "base/log.h"
#include "service/admit.h"
#include "service/context.h"

#define TOKENS_PER_WORKER 2048
#define KEY_WAIT_MS 300
#define DEADLINE_LEAST_US (2 * US_PER_MS) /* with less left nobody would hear of it in time */

/* One item on its way. */
struct item {
	const struct request_item *in;
	struct call call;
	void *request, *reply;
	enum err err;
	bool ready;   /* passed every check; the handler decides */
	bool limited; /* by the lack of a second factor */
	uint64_t started_us;
	struct trace_span span;
};

enum err dispatcher_init(
	struct dispatcher *dispatcher, struct worker *worker, enum peer caller, enum lane lane, struct metrics *metrics)
{
	*dispatcher = (struct dispatcher){.worker = worker, .caller = caller, .lane = lane, .metrics = metrics};
	dispatcher->tokens = token_cache_new(TOKENS_PER_WORKER);
	return dispatcher->tokens != NULL ? OK : ERR_OVERLOADED;
}

void dispatcher_release(struct dispatcher *dispatcher)
{
	token_cache_free(&dispatcher->tokens);
	keyset_free(&dispatcher->keys);
}

struct uuid call_client(const struct call *call)
{
	struct uuid client_id = UUID_NIL;

	if (call->has_token && uuid_parse(str_from(call->token.client_id), &client_id) != OK)
		return UUID_NIL;
	return client_id;
}

enum err call_refuse(struct call *call, enum err err, const char *field, const char *reason, const char *detail)
{
	call->field = str_from(field);
	call->reason = str_from(reason);
	call->detail = str_from(detail);
	return err;
}

/*
 * -- tokens
 * -------------------------------------------------------------------------------------------------------------
 */

static void keys_refresh(struct dispatcher *dispatcher, struct keyring *ring)
{
	if (keyring_generation(ring) == dispatcher->generation)
		return;
	keyset_free(&dispatcher->keys);
	dispatcher->keys = keyring_keys(ring, &dispatcher->generation);
}

static enum err token_verify_once(
	struct dispatcher *dispatcher, struct str compact, struct token *token_out, bool *unknown_key_out)
{
	const struct token_rules *rules = context_token_rules(dispatcher->worker->context);
	const char *reason = NULL;
	enum err err;

	*unknown_key_out = false;
	if (dispatcher->keys == NULL)
		return ERR_UNAVAILABLE;
	err = token_verify(rules, dispatcher->keys, compact, clock_now_us(), token_out, &reason);
	*unknown_key_out = err != OK && reason == jws_unknown_key;
	return err;
}

static enum err token_check(struct dispatcher *dispatcher, struct str compact, struct token *token_out)
{
	struct keyring *ring = context_keyring(dispatcher->worker->context);
	const struct token_cache_key key = token_cache_key_of(dispatcher->tokens, compact);
	const struct token *cached;
	bool unknown;
	enum err err;

	keys_refresh(dispatcher, ring);
	cached = token_cache_find(dispatcher->tokens, &key, dispatcher->generation, clock_now_us());
	if (cached != NULL) {
		*token_out = *cached;
		return OK;
	}
	err = token_verify_once(dispatcher, compact, token_out, &unknown);
	if (unknown || dispatcher->keys == NULL) {
		/* The gateway knows this key already, or it would not have forwarded the token. */
		keyring_miss(ring, dispatcher->generation);
		if (keyring_wait_newer(ring, dispatcher->generation, KEY_WAIT_MS)) {
			keys_refresh(dispatcher, ring);
			err = token_verify_once(dispatcher, compact, token_out, &unknown);
		}
	}
	if (err == OK)
		token_cache_put(dispatcher->tokens, &key, dispatcher->generation, token_out, clock_now_us());
	return err;
}

static void tokens_count(struct dispatcher *dispatcher)
{
	const struct token_cache_counts counts = token_cache_counts(dispatcher->tokens);

	__atomic_store_n(&dispatcher->metrics->token_hits, counts.hits, __ATOMIC_RELAXED);
	__atomic_store_n(&dispatcher->metrics->token_misses, counts.misses, __ATOMIC_RELAXED);
}

static enum err item_authorize(struct dispatcher *dispatcher, struct item *item)
{
	const struct operation *operation = item->call.operation;
	const bool token_optional = operation->permission == PERM_PUBLIC || operation->permission == PERM_PEER;
	struct call *call = &item->call;
	enum err err;

	if (item->in->token.p != NULL && item->in->token.len > 0) {
		err = token_check(dispatcher, item->in->token, &call->token);
		/* What needs no token is not refused for one that has just expired; it then has none. */
		if (err != OK && !token_optional)
			return err;
		call->has_token = err == OK;
		call->token_text = err == OK ? item->in->token : STR_NONE;
	}
	if (token_optional)
		return OK;
	if (!call->has_token || !operation_within(operation, str_from(call->token.resource)))
		return ERR_UNAUTHENTICATED;
	if ((err = admit_token(operation, &call->token, clock_now_us(), &call->reason)) != OK)
		return err;
	item->limited = admit_limit(&call->token);
	return OK;
}

/* A right that the handler missed, and that the person has once a second factor is shown. */
static void item_explain(struct item *item)
{
	enum permission missed;

	if (item->limited && item->err == ERR_FORBIDDEN && permission_parse(item->call.reason, &missed) == OK &&
		permission_is_staff(missed))
		item->err = ERR_SECOND_FACTOR;
}

/*
 * -- one item
 * -----------------------------------------------------------------------------------------------------------
 */

/* The arrow says who may ask for what; a peer that asks for something else is broken or captured. */
static enum err item_check_arrow(struct dispatcher *dispatcher, const struct operation *operation)
{
	const struct context *context = dispatcher->worker->context;

	if (operation != NULL && operation->callee == context->service->self && operation->lane == dispatcher->lane &&
		(operation->callers & (1U << dispatcher->caller)) != 0)
		return OK;
	metrics_add(&dispatcher->metrics->forbidden_arrow, 1);
	log_event(LOG_ERROR, "operation_undeclared", LOG_C("caller", peer_name(dispatcher->caller)),
		LOG_C("operation", operation != NULL ? operation->name : "unknown"));
	/* A caller that was upgraded first may know one that is not here yet. */
	return operation != NULL ? ERR_FORBIDDEN : ERR_NOT_IMPLEMENTED;
}

static enum err item_decode(struct item *item)
{
	struct call *call = &item->call;
	const struct shape *request = call->operation->request(), *reply = call->operation->reply();
	struct fault fault = {0};
	enum err err;

	item->request = arena_take(call->arena, request->size + 1);
	item->reply = arena_take(call->arena, reply->size + 1);
	if (item->request == NULL || item->reply == NULL)
		return ERR_OVERLOADED;
	err = binary_decode(request, item->in->body, call->arena, item->request, &fault);
	if (err != OK)
		call->field = arena_copy(call->arena, str_from(fault.field));
	return err;
}

/* Answers what nobody waits for any more without executing it. */
static bool item_expired(struct item *item)
{
	if (item->call.deadline_us > clock_monotonic_us() + DEADLINE_LEAST_US)
		return false;
	item->err = ERR_DEADLINE;
	item->ready = false;
	return true;
}

/* Who asks says whether it is recorded; how often that is believed is bounded here too. */
static void item_trace(struct item *item)
{
	struct trace_place above;

	if (!trace_on() || item->in->traceparent.p == NULL || !trace_parse(item->in->traceparent, &above))
		return;
	above.sampled = above.sampled && trace_allow();
	item->span = trace_begin(&above, TRACE_SERVER, item->call.operation->name, &item->call.trace);
	trace_remember(&item->call.request_id, &item->call.trace);
}

static void item_prepare(
	struct dispatcher *dispatcher, const struct request_item *in, uint64_t came_us, struct item *item)
{
	const uint64_t now_us = clock_monotonic_us();
	const struct operation *operation = operation_by_number(in->operation);

	*item = (struct item){.in = in, .started_us = now_us};
	item->call = (struct call){.operation = operation,
		.worker = dispatcher->worker,
		.arena = dispatcher->worker->arena,
		.request_id = in->request_id,
		.deadline_us = came_us + (uint64_t)in->deadline_ms * 1000,
		.caller = dispatcher->caller,
		.idempotency_key = in->idempotency_key,
		.if_match = in->if_match,
		.client_address = in->client_address,
		.cookie = in->cookie,
		.authorization = in->authorization,
		.languages = in->languages,
		.browser = in->browser,
		.proof = in->proof,
		.form_fault = in->form_fault,
		.request_bytes = in->body};
	log_set_request(&item->call.request_id);
	if ((item->err = item_check_arrow(dispatcher, operation)) != OK)
		return;
	item_trace(item);
	if (item_expired(item))
		return;
	if ((item->err = item_authorize(dispatcher, item)) != OK)
		return;
	if ((operation->flags & OP_VERSIONED) != 0 && in->if_match == 0) {
		item->err = ERR_VERSION_REQUIRED;
		return;
	}
	if ((item->err = item_decode(item)) == OK)
		item->ready = true;
}

static void item_run(struct dispatcher *dispatcher, struct item *item)
{
	const struct context *context = dispatcher->worker->context;
	const struct handler *handler = context->handlers[item->call.operation - operation_table];
	struct call *call = &item->call;

	if (item_expired(item))
		return;
	item->ready = false;
	log_set_request(&call->request_id);
	if (dispatcher->worker->db != NULL)
		db_set_deadline(dispatcher->worker->db, call->deadline_us);
	/* A set-based attempt may have left something. */
	memset(item->reply, 0, call->operation->reply()->size);
	call->version = 0;
	call->field = call->reason = call->detail = STR_NONE;
	call->retry_after_s = 0;
	trace_set_current(&call->trace);
	item->err = handler != NULL ? handler->handle(call, item->request, item->reply) : ERR_NOT_IMPLEMENTED;
	trace_set_current(NULL);
	item_explain(item);
}

/* -- batches -- */

/* What the set-based form of one operation takes, and whose it is. */
struct group {
	struct item **items;
	struct call **calls;
	const void **requests;
	void **replies;
	enum err *errs;
	size_t count;
};

static bool group_fill(
	struct arena *arena, struct item *items, size_t count, const struct operation *operation, struct group *group)
{
	group->items = arena_take_array(arena, count, sizeof(void *));
	group->calls = arena_take_array(arena, count, sizeof(void *));
	group->requests = arena_take_array(arena, count, sizeof(void *));
	group->replies = arena_take_array(arena, count, sizeof(void *));
	group->errs = arena_take_array(arena, count, sizeof *group->errs);
	if (group->items == NULL || group->calls == NULL || group->requests == NULL || group->replies == NULL ||
		group->errs == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!items[i].ready || items[i].call.operation != operation || item_expired(&items[i]))
			continue;
		group->items[group->count] = &items[i];
		group->calls[group->count] = &items[i].call;
		group->requests[group->count] = items[i].request;
		group->replies[group->count++] = items[i].reply;
	}
	return true;
}

/* What they do together stands in the trace of the first that has one. */
static void group_set_trace(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (!group->calls[i]->trace.sampled)
			continue;
		trace_set_current(&group->calls[i]->trace);
		return;
	}
}

/* True when the group was decided as a whole; else each is to be done alone. */
static bool group_run(struct dispatcher *dispatcher, handler_many_fn many, struct group *group)
{
	uint64_t deadline_us = 0;
	enum err err;

	if (group->count < 2)
		return false;
	/* The latest of all: one that is nearly over must not spoil the others. */
	for (size_t i = 0; i < group->count; i++)
		if (group->calls[i]->deadline_us > deadline_us)
			deadline_us = group->calls[i]->deadline_us;
	if (dispatcher->worker->db != NULL)
		db_set_deadline(dispatcher->worker->db, deadline_us);
	log_set_request(NULL);
	group_set_trace(group);
	err = many(group->calls, group->requests, group->replies, group->errs, group->count);
	trace_set_current(NULL);
	if (err != OK) {
		metrics_add(&dispatcher->metrics->batches_redone, 1);
		return false;
	}
	for (size_t i = 0; i < group->count; i++) {
		group->items[i]->err = group->errs[i];
		item_explain(group->items[i]);
		group->items[i]->ready = false;
	}
	return true;
}

static void run_all(struct dispatcher *dispatcher, struct item *items, size_t count)
{
	const struct context *context = dispatcher->worker->context;

	for (size_t i = 0; i < count; i++) {
		const struct operation *operation = items[i].call.operation;
		struct group group = {.count = 0};
		handler_many_fn many;

		if (!items[i].ready)
			continue;
		many = context->many[operation - operation_table];
		if (many == NULL || !group_fill(dispatcher->worker->arena, items + i, count - i, operation, &group)) {
			item_run(dispatcher, &items[i]);
			continue;
		}
		if (group_run(dispatcher, many, &group))
			continue;
		for (size_t k = 0; k < group.count; k++)
			item_run(dispatcher, group.items[k]);
	}
}

/* -- replies -- */

/* Room that a reply item takes beside its body. */
#define REPLY_ITEM_ROOM 2048

static void item_log(const struct item *item, uint64_t duration_us)
{
	const struct call *call = &item->call;
	const enum log_level level = err_status(item->err) >= 500 ? LOG_WARN : LOG_DEBUG;

	log_set_request(&call->request_id);
	log_event(level, level == LOG_WARN ? "operation_failed" : "operation",
		LOG_C("operation", call->operation->name), LOG_C("code", err_code(item->err)),
		LOG_I("duration_us", duration_us));
}

static void item_reply(struct dispatcher *dispatcher, struct item *item, struct buf *body, struct buf *reply)
{
	const struct call *call = &item->call;
	struct reply_item out = {.err = item->err,
		.field = call->field,
		.reason = call->reason,
		.detail = call->detail,
		.retry_after_s = call->retry_after_s,
		.version = call->version};
	struct fault fault = {0};
	uint64_t duration_us;

	buf_reset(body);
	if (item->err == OK && shape_check(call->operation->reply(), item->reply, &fault) != OK) {
		log_event(LOG_ERROR, "reply_out_of_shape", LOG_C("operation", call->operation->name),
			LOG_C("field", fault.field));
		out = (struct reply_item){.err = ERR_INTERNAL};
		item->err = ERR_INTERNAL;
	}
	if (item->err == OK)
		binary_encode(call->operation->reply(), item->reply, body);
	/* A reply that does not fit beside the others is asked for again; the effect, if any, stands. */
	if (!buf_ok(body) || reply->len + body->len + REPLY_ITEM_ROOM > LINK_BYTES_MAX) {
		item->err = ERR_OVERLOADED;
		out = (struct reply_item){.err = ERR_OVERLOADED, .retry_after_s = 1};
	} else {
		out.body = buf_str(body);
	}
	reply_batch_add(reply, &out);
	if (call->operation == NULL)
		return;
	trace_end(&item->span, item->err != OK ? err_code(item->err) : NULL);
	duration_us = clock_monotonic_us() - item->started_us;
	metrics_answer(dispatcher->metrics, call->operation, item->err, duration_us);
	item_log(item, duration_us);
}

static bool is_critical(const struct item *item)
{
	return item->err == OK && (item->call.operation->flags & OP_CRITICAL) != 0;
}

/* True when something was changed that the audit log is to hear of. */
static bool letter_reply(struct dispatcher *dispatcher, struct letter *letter, struct item *items, struct buf *body)
{
	bool critical = false;

	reply_batch_begin(&letter->reply, letter->count);
	for (size_t i = 0; i < letter->count; i++) {
		item_reply(dispatcher, &items[i], body, &letter->reply);
		critical = critical || is_critical(&items[i]);
	}
	return critical;
}

static void letter_open(struct dispatcher *dispatcher, struct letter *letter)
{
	letter->in = NULL;
	letter->count = 0;
	letter->err = request_batch_decode(dispatcher->worker->arena, letter->message, &letter->in, &letter->count);
	if (letter->err == OK && letter->count > 0)
		return;
	letter->err = ERR_BAD_GATEWAY;
	letter->count = 0;
	metrics_add(&dispatcher->metrics->malformed, 1);
	log_event(LOG_ERROR, "message_malformed", LOG_C("caller", peer_name(dispatcher->caller)));
}

void dispatch_letters(struct dispatcher *dispatcher, struct letter *letters, size_t count)
{
	struct item *items;
	struct buf body;
	size_t total = 0, n = 0;
	bool critical = false;

	INVARIANT(count <= DISPATCH_MESSAGES_MAX);
	for (size_t i = 0; i < count; i++) {
		letter_open(dispatcher, &letters[i]);
		total += letters[i].count;
	}
	if (total == 0)
		return;
	items = arena_take_array(dispatcher->worker->arena, total, sizeof *items);
	for (size_t i = 0; i < count && items == NULL; i++)
		letters[i].err = ERR_OVERLOADED;
	if (items == NULL)
		return;
	tokens_count(dispatcher);
	metrics_add(&dispatcher->metrics->batches, 1);
	metrics_add(&dispatcher->metrics->items, total);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < letters[i].count; k++)
			item_prepare(dispatcher, &letters[i].in[k], letters[i].came_us, &items[n++]);
	run_all(dispatcher, items, total);
	buf_init(&body, BATCH_BYTES_MAX);
	n = 0;
	for (size_t i = 0; i < count; i++) {
		if (letters[i].err == OK)
			critical = letter_reply(dispatcher, &letters[i], items + n, &body) || critical;
		n += letters[i].count;
	}
	buf_release(&body);
	if (critical)
		outbox_poke(context_relay(dispatcher->worker->context));
}
