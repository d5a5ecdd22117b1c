/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>

#include "base/log.h"
#include "contract/envelope.h"
#include "service/context.h"

#define CALL_ATTEMPTS 3
/* For callers to hear that this process drains, and to go. */
#define DRAIN_US (2 * US_PER_S)

void context_link_key(const char *verb, enum peer peer, enum lane lane, char key_out[CONTEXT_LINK_KEY_MAX])
{
	snprintf(key_out, CONTEXT_LINK_KEY_MAX, "BERTH_%s_%s_%s", verb, peer_name(peer), lane_name(lane));
	for (char *c = key_out; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
}

const char *context_link_url(const char *verb, enum peer peer, enum lane lane)
{
	char key[CONTEXT_LINK_KEY_MAX];

	context_link_key(verb, peer, lane, key);
	return config_get(key);
}

enum err context_dialer(struct context *context, enum peer callee, enum lane lane, const struct link_ready *ready,
	struct link_dialer **dialer_out)
{
	const char *urls = context_link_url("DIAL", callee, lane);
	const struct link_dialer_config config = {
		.identity = context->identity, .callee = callee, .lane = lane, .urls = urls, .ready = ready};
	char key[CONTEXT_LINK_KEY_MAX];
	enum err err;

	/* The configuration was checked: each declared arrow has its URL. */
	INVARIANT(arrow_declared(context->service->self, callee, lane) && urls != NULL);
	if ((err = link_dialer_new(&config, dialer_out)) == OK)
		return OK;
	context_link_key("DIAL", callee, lane, key);
	return config_refuse(key, err);
}

static enum err open_dialer(struct context *context, enum peer callee, enum lane lane)
{
	if (!arrow_declared(context->service->self, callee, lane))
		return OK;
	return context_dialer(context, callee, lane, NULL, &context->dialers[callee][lane]);
}

static enum err open_listener(struct context *context, enum peer caller, enum lane lane)
{
	const char *url = context_link_url("LISTEN", caller, lane);
	const struct link_listener_config config = {
		.identity = context->identity, .caller = caller, .lane = lane, .url = url};
	char key[CONTEXT_LINK_KEY_MAX];
	enum err err;

	if (!arrow_declared(caller, context->service->self, lane))
		return OK;
	INVARIANT(url != NULL && context->listener_count < SERVICE_LISTENERS_MAX);
	err = link_listener_new(&config, &context->listeners[context->listener_count]);
	if (err == OK) {
		context->listener_count++;
		return OK;
	}
	context_link_key("LISTEN", caller, lane, key);
	return config_refuse(key, err);
}

enum err context_open_listeners(struct context *context)
{
	enum err err = OK;

	for (enum peer peer = PEER_NONE + 1; peer < PEER_COUNT && err == OK; peer++)
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT && err == OK; lane++)
			err = open_listener(context, peer, lane);
	return err;
}

enum err context_open_links(struct context *context)
{
	const struct common_config *common = &context->common;
	enum err err;

	err = link_identity_new(context->service->self, common->link_cert_file, common->link_key_file,
		common->link_ca_dir, &context->identity);
	for (enum peer peer = PEER_NONE + 1; peer < PEER_COUNT && err == OK; peer++)
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT && err == OK; lane++)
			err = open_dialer(context, peer, lane);
	if (err == OK && !handover_follows(context->handover))
		err = context_open_listeners(context);
	return err;
}

void context_drain_links(struct context *context)
{
	const uint64_t deadline_us = clock_monotonic_us() + DRAIN_US;

	for (size_t i = 0; i < context->listener_count; i++) {
		if (!link_listener_wait_gone(context->listeners[i], deadline_us))
			log_event(LOG_WARN, "callers_stayed",
				LOG_C("caller", peer_name(link_listener_caller(context->listeners[i]))));
	}
}

void context_close_links(struct context *context)
{
	for (size_t i = 0; i < context->listener_count; i++)
		link_listener_free(&context->listeners[i]);
	context->listener_count = 0;
	for (size_t i = 0; i < PEER_COUNT; i++)
		for (size_t j = 0; j < LANE_COUNT; j++)
			link_dialer_free(&context->dialers[i][j]);
	link_identity_free(&context->identity);
}

static enum err call_encode(const struct call *call, const struct operation *operation, const void *request,
	uint64_t timeout_ms, struct str traceparent, struct buf *message)
{
	struct request_item item = {.operation = operation->number, .deadline_ms = (uint32_t)timeout_ms};
	struct buf body;

	item.request_id = call != NULL ? call->request_id : uuid_new();
	item.token = call != NULL && call->has_token ? call->token_text : STR_NONE;
	item.traceparent = traceparent;
	buf_init(&body, BATCH_BYTES_MAX);
	binary_encode(operation->request(), request, &body);
	item.body = buf_str(&body);
	request_batch_begin(message);
	request_batch_add(message, &item);
	if (!buf_ok(&body))
		message->failed = true;
	buf_release(&body);
	return buf_ok(message) ? OK : ERR_TOO_LARGE;
}

static enum err call_decode(const struct operation *operation, struct arena *arena, struct str message, void *reply_out)
{
	struct reply_item *items = NULL;
	struct fault fault = {0};
	size_t count = 0;
	enum err err;

	/* The reply's strings borrow from the message, which ends with this call. */
	message = arena_copy(arena, message);
	if (message.p == NULL)
		return ERR_OVERLOADED;
	if ((err = reply_batch_decode(arena, message, &items, &count)) != OK)
		return err;
	if (count != 1)
		return ERR_BAD_GATEWAY;
	if (items[0].err != OK)
		return items[0].err;
	err = binary_decode_reply(operation->reply(), items[0].body, arena, reply_out, &fault);
	return err == OK ? OK : ERR_BAD_GATEWAY;
}

/* Sends again what was provably not executed, as long as a live peer and time are left. */
static enum err call_send(struct link_dialer *dialer, struct str message, uint64_t deadline_us, struct buf *reply)
{
	enum err err;

	for (int attempt = 1;; attempt++) {
		buf_reset(reply);
		err = link_call_wait(dialer, message, deadline_us, reply);
		if ((err != ERR_UNAVAILABLE && err != ERR_DRAINING) || attempt == CALL_ATTEMPTS ||
			(link_live(dialer) == 0 && !link_returns(dialer)))
			return err;
	}
}

enum err context_call(struct context *context, const struct call *call, enum operation_id operation_id,
	const void *request, uint64_t timeout_ms, struct arena *arena, void *reply_out)
{
	const struct operation *operation = &operation_table[operation_id];
	struct link_dialer *dialer = context->dialers[operation->callee][operation->lane];
	const uint64_t now_us = clock_monotonic_us();
	uint64_t deadline_us = now_us + timeout_ms * 1000;
	char traceparent[TRACE_TEXT_LEN + 1] = "";
	struct trace_place below;
	struct trace_span span;
	struct buf message, reply;
	enum err err;

	INVARIANT(dialer != NULL && (operation->callers & (1U << context->service->self)) != 0);
	if (call != NULL && call->deadline_us < deadline_us)
		deadline_us = call->deadline_us;
	if (deadline_us <= now_us + 1000)
		return ERR_DEADLINE;
	span = trace_begin(trace_current(), TRACE_CLIENT, operation->name, &below);
	if (below.sampled)
		trace_format(&below, traceparent);
	buf_init(&message, BATCH_BYTES_MAX);
	buf_init(&reply, LINK_BYTES_MAX);
	err = call_encode(call, operation, request, (deadline_us - now_us) / 1000,
		below.sampled ? str_from(traceparent) : STR_NONE, &message);
	if (err != OK)
		goto done;
	if ((err = call_send(dialer, buf_str(&message), deadline_us, &reply)) != OK)
		goto done;
	err = call_decode(operation, arena, buf_str(&reply), reply_out);
done:
	trace_end(&span, err != OK ? err_code(err) : NULL);
	buf_release(&message);
	buf_release(&reply);
	return err;
}
