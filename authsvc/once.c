/* SPDX-License-Identifier: Apache-2.0 */
#include "once.h"

#include "service/crash.h"

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

static enum err claim(struct call *call, struct once *once, void *reply)
{
	struct uuid actor = desk_actor(call);
	struct idempotency_answer answer;
	enum err err;

	once->to_do = true;
	once->keyed = call->idempotency_key.p != NULL;
	if (!once->keyed)
		return OK;
	once->claim = idempotency_claim(
		&once->store.tenant_id, &actor, call->operation->number, call->idempotency_key, call->request_bytes);
	if ((err = idempotency_begin(once->store.tx, once->store.seal, &once->claim, call->arena, &answer)) != OK)
		return err;
	once->to_do = !answer.found;
	return answer.found ? read_answer(call, answer.reply, reply) : OK;
}

bool once_open(struct call *call, void *reply, struct once *once_out)
{
	*once_out = (struct once){.to_do = false};
	if ((once_out->err = desk_begin(call, &once_out->store)) == OK)
		once_out->err = claim(call, once_out, reply);
	return once_out->err == OK && once_out->to_do;
}

static enum err keep_answer(struct call *call, const struct once *once, const void *reply)
{
	struct buf buf;
	enum err err;

	if (!once->keyed)
		return OK;
	buf_init(&buf, IDEMPOTENCY_REPLY_MAX);
	buf_put_u64(&buf, (uint64_t)call->version);
	binary_encode(call->operation->reply(), reply, &buf);
	err = buf_ok(&buf) ? idempotency_finish(once->store.tx, once->store.seal, &once->claim, NULL,
				     call->operation->success_status, buf_str(&buf), call->arena)
	                   : ERR_TOO_LARGE;
	buf_release(&buf);
	return err;
}

enum err once_close(struct call *call, struct once *once, const void *reply)
{
	enum err err = once->err;

	if (err == OK && once->to_do && (err = keep_answer(call, once, reply)) == OK) {
		CRASH_POINT_OF(call->operation->name, "before_commit");
		err = desk_commit(call, &once->store);
		CRASH_POINT_OF(call->operation->name, "after_commit");
	}
	store_release(&once->store);
	return err;
}
