/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_dialer_private.h"

struct wait {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;
	enum err err;
	struct buf *reply;
};

static void wake(void *ctx, enum err err, struct str reply)
{
	struct wait *wait = ctx;

	pthread_mutex_lock(&wait->lock);
	wait->err = err;
	if (err == OK) {
		buf_put_str(wait->reply, reply);
		if (!buf_ok(wait->reply))
			wait->err = ERR_TOO_LARGE;
	}
	wait->over = true;
	pthread_cond_signal(&wait->ended);
	/* The waiter may be gone as soon as this returns. */
	pthread_mutex_unlock(&wait->lock);
}

enum err link_call_wait(struct link_dialer *dialer, struct str message, uint64_t deadline_us, struct buf *reply_out)
{
	struct wait wait = {.reply = reply_out};
	enum err err;

	pthread_mutex_init(&wait.lock, NULL);
	wait_init(&wait.ended);
	/* Others may take the room first: ask again as long as there is time. */
	while ((err = link_send(dialer, message, deadline_us, wake, &wait)) == ERR_OVERLOADED) {
		if (!link_dialer_wait_room(dialer, deadline_us))
			break;
	}
	if (err == OK) {
		/* Without a time-out: link_send promises the end, and until then `wait` belongs to it. */
		pthread_mutex_lock(&wait.lock);
		while (!wait.over)
			pthread_cond_wait(&wait.ended, &wait.lock);
		pthread_mutex_unlock(&wait.lock);
		err = wait.err;
	}
	pthread_cond_destroy(&wait.ended);
	pthread_mutex_destroy(&wait.lock);
	return err;
}
