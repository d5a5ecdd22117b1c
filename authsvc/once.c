/* SPDX-License-Identifier: Apache-2.0 */
#include "once.h"

static enum err read_answer(struct call *call, struct str bytes, void *reply)
{
	struct reader reader = reader_over(bytes);
	struct fault fault;

	call->version = (int64_t)reader_u64(&reader);
	if (reader.failed)
		return ERR_INTERNAL;
	return binary_decode(
		call->operation->reply(), (struct str){(const char *)reader.p, reader.len}, call->arena, reply, &fault);
}

enum err once_begin(struct call *call, struct store *store, void *reply, struct once *once_out, bool *repeated_out)
{
	struct uuid actor = desk_actor(call);
	struct idempotency_answer answer;
	enum err err;

	*repeated_out = false;
	*once_out = (struct once){.keyed = call->idempotency_key.p != NULL};
	if (!once_out->keyed)
		return OK;
	once_out->claim = idempotency_claim(
		&store->tenant_id, &actor, call->operation->number, call->idempotency_key, call->request_bytes);
	if ((err = idempotency_begin(store->tx, store->seal, &once_out->claim, call->arena, &answer)) != OK)
		return err;
	*repeated_out = answer.found;
	return answer.found ? read_answer(call, answer.reply, reply) : OK;
}

enum err once_finish(struct call *call, struct store *store, const struct once *once, const void *reply)
{
	struct buf buf;
	enum err err;

	if (!once->keyed)
		return OK;
	buf_init(&buf, IDEMPOTENCY_REPLY_MAX);
	buf_put_u64(&buf, (uint64_t)call->version);
	binary_encode(call->operation->reply(), reply, &buf);
	err = buf_ok(&buf) ? idempotency_finish(store->tx, store->seal, &once->claim, NULL,
				     call->operation->success_status, buf_str(&buf), call->arena)
	                   : ERR_TOO_LARGE;
	buf_release(&buf);
	return err;
}
