/* SPDX-License-Identifier: Apache-2.0 */
#include "leaf.h"

#include "merkle.h"

#define FLAG_BEFORE 1
#define FLAG_AFTER 2
#define FLAG_ERASED 4

static void put_id(struct buf *out, const struct uuid *id)
{
	buf_put(out, id->b, sizeof(id->b));
}

void leaf_encode(const struct event_row *event, struct buf *out)
{
	const struct uuid *const optional[] = {
		&event->actor_id, &event->client_id, &event->on_behalf_id, &event->subject_id, &event->request_id};

	buf_put_byte(out, LEAF_VERSION);
	put_id(out, &event->tenant_id);
	put_id(out, &event->id);
	buf_put_u64(out, (uint64_t)event->at);
	buf_put_blob(out, event->service);
	buf_put_blob(out, event->action);
	buf_put_blob(out, event->object_type);
	put_id(out, &event->object_id);
	buf_put_u64(out, (uint64_t)event->object_version);
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		put_id(out, optional[i]);
	buf_put_byte(out, (uint8_t)((event->before.present ? FLAG_BEFORE : 0) |
				    (event->after.present ? FLAG_AFTER : 0) | (event->erased ? FLAG_ERASED : 0)));
	if (event->before.present)
		buf_put(out, event->before.digest.b, HASH_LEN);
	if (event->after.present)
		buf_put(out, event->after.digest.b, HASH_LEN);
}

enum err leaf_hash(const struct event_row *event, struct hash *hash_out)
{
	struct buf leaf;
	enum err err;

	buf_init(&leaf, LEAF_LEN_MAX);
	leaf_encode(event, &leaf);
	err = buf_ok(&leaf) ? merkle_leaf(buf_str(&leaf), hash_out) : ERR_TOO_LARGE;
	buf_release(&leaf);
	return err;
}
