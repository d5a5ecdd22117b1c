/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A planted bug, linked into the gateway by tests/chaos alone: a message whose peer was lost is sent again until its
 * deadline, whatever it asks for, as nng's REQ does by default. What was executed before the peer died is asked again.
 */
#include <stdlib.h>

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "link/link.h"

#define AGAIN_EVERY_US 20000

const char chaos_plant[] = "berth-chaos-plant resend";

enum err __real_link_send(
	struct link_dialer *dialer, struct str message, uint64_t deadline_us, link_done_fn *done, void *ctx);
enum err __wrap_link_send(
	struct link_dialer *dialer, struct str message, uint64_t deadline_us, link_done_fn *done, void *ctx);

struct sending {
	struct link_dialer *dialer;
	struct buf message;
	uint64_t deadline_us;
	link_done_fn *done;
	void *ctx;
};

static void on_done(void *ctx, enum err err, struct str reply);

static void finish(struct sending *sending, enum err err, struct str reply)
{
	sending->done(sending->ctx, err, reply);
	buf_release(&sending->message);
	free(sending);
}

static void *send_again(void *ctx)
{
	struct sending *sending = ctx;

	while (clock_monotonic_us() < sending->deadline_us) {
		if (__real_link_send(
			    sending->dialer, buf_str(&sending->message), sending->deadline_us, on_done, sending) == OK)
			return NULL;
		usleep(AGAIN_EVERY_US);
	}
	finish(sending, ERR_DEADLINE, STR_NONE);
	return NULL;
}

static void on_done(void *ctx, enum err err, struct str reply)
{
	struct sending *sending = ctx;
	pthread_t thread;

	/* Lost, not late. */
	if (err == ERR_DEADLINE && clock_monotonic_us() < sending->deadline_us &&
		pthread_create(&thread, NULL, send_again, sending) == 0)
		pthread_detach(thread);
	else
		finish(sending, err, reply);
}

enum err __wrap_link_send(
	struct link_dialer *dialer, struct str message, uint64_t deadline_us, link_done_fn *done, void *ctx)
{
	struct sending *sending = calloc(1, sizeof(*sending));
	enum err err;

	if (!sending)
		return ERR_OVERLOADED;
	*sending = (struct sending){.dialer = dialer, .deadline_us = deadline_us, .done = done, .ctx = ctx};
	buf_init(&sending->message, LINK_BYTES_MAX);
	buf_put(&sending->message, message.p, message.len);
	err = __real_link_send(dialer, message, deadline_us, on_done, sending);
	if (err != OK) {
		buf_release(&sending->message);
		free(sending);
	}
	return err;
}
