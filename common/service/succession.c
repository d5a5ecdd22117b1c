/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "service/context.h"

#define EQUIPPED_US (60 * US_PER_S)
#define STEP_MS 20
#define ADDRESS_MAX 300

static void stop(void *ctx)
{
	(void)ctx;
	/* As an operator would: the thread that takes signals also bounds the drain. */
	(void)kill(getpid(), SIGTERM);
}

enum err context_meet(struct context *context)
{
	const struct handover_config config = {
		.path = context->common.handover_socket, .key_file = context->common.link_key_file, .stop = stop};

	return config.path != NULL ? handover_new(&config, &context->handover) : OK;
}

enum err context_succeed(struct context *context)
{
	const uint64_t until_us = clock_monotonic_us() + EQUIPPED_US;
	enum err err;

	if (!handover_follows(context->handover))
		return OK;
	while (!context_is_equipped(context, NULL)) {
		if (context_stopping(context) || clock_monotonic_us() >= until_us) {
			log_event(LOG_ERROR, "succession_failed");
			return ERR_UNAVAILABLE;
		}
		context_wait(context, STEP_MS);
	}
	if ((err = handover_finish(context->handover)) != OK || (err = context_open_listeners(context)) != OK)
		return err;
	return http_admin_start(context->admin);
}

enum err context_await_successor(struct context *context)
{
	if (context->handover == NULL)
		return OK;
	handover_offer(context->handover, http_admin_fd(context->admin));
	return handover_start(context->handover);
}

int context_inherit(struct context *context, const char *address)
{
	char host[ADDRESS_MAX], *colon, *start = host;

	if (context->handover == NULL || strlen(address) >= sizeof(host))
		return -1;
	memcpy(host, address, strlen(address) + 1);
	colon = strrchr(host, ':');
	if (colon == NULL)
		return -1;
	*colon = '\0';
	if (start[0] == '[' && colon > start && colon[-1] == ']') {
		start++;
		colon[-1] = '\0';
	}
	return handover_take(context->handover, start, colon + 1);
}

void context_offer(struct context *context, int fd)
{
	handover_offer(context->handover, fd);
}

bool context_is_succeeded(const struct context *context)
{
	return handover_is_over(context->handover);
}

void context_yield(struct context *context)
{
	const bool succeeded = context_is_succeeded(context);

	/* A successor answers there. Without one /readyz says until the end that this process drains. */
	if (succeeded)
		http_admin_stop(context->admin);
	for (size_t i = 0; i < context->listener_count; i++)
		link_listener_drain(context->listeners[i], succeeded);
	handover_yield(context->handover);
}
