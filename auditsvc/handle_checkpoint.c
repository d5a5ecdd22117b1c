/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "store_checkpoint.h"

#define SERVICE_DEF "contract/auditsvc.def"
#include "service/handlers.h"

static struct str text_of(struct arena *arena, const uint8_t *bytes, size_t len)
{
	return base64url_encode(arena, (struct str){(const char *)bytes, len});
}

enum err handle_checkpoint_read(struct call *call, const struct empty *request, struct checkpoint *reply_out)
{
	struct store store = {0};
	struct head_row head;
	enum err err;

	(void)request;
	err = store_begin(call->worker->db, call->worker->seal, call->arena, &call->token.tenant_id, &store);
	if (err != OK)
		goto done;
	if ((err = store_checkpoint_newest(&store, &head)) != OK) {
		/* The first head is signed at start. */
		err = err == ERR_NOT_FOUND ? ERR_UNAVAILABLE : err;
		goto done;
	}
	*reply_out = (struct checkpoint){
		.origin = head.origin,
		.has_origin = true,
		.size = (int64_t)head.size,
		.has_size = true,
		.root_hash = text_of(call->arena, head.root.b, HASH_LEN),
		.has_root_hash = true,
		.at = head.at,
		.has_at = true,
		.signature = text_of(call->arena, head.signature, SIGNATURE_LEN),
		.has_signature = true,
		.public_key = text_of(call->arena, head.public_key, PUBLIC_KEY_LEN),
		.has_public_key = true,
	};
	if (!reply_out->root_hash.p || !reply_out->signature.p || !reply_out->public_key.p)
		err = ERR_OVERLOADED;
done:
	store_release(&store);
	return err;
}
