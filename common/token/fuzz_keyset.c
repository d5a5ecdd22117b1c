/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "token/keyset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Any JWK Set: what is read must come back from what is written of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct keyset *keys = NULL;
	struct keyset *again = NULL;
	const char *reason = NULL;
	struct json_writer w;
	struct buf doc;

	if (keyset_parse((struct str){(const char *)data, len}, &keys, &reason) != OK) {
		if (keys != NULL || reason == NULL)
			abort();
		return 0;
	}
	buf_init(&doc, KEYSET_DOC_MAX);
	w = json_writer_over(&doc);
	keyset_write(keys, &w);
	if (!buf_ok(&doc) || keyset_parse(buf_str(&doc), &again, &reason) != OK || !keyset_eq(keys, again))
		abort();
	for (size_t i = 0; i < keyset_count(keys); i++)
		(void)jwk_verify(keyset_at(keys, i), STR("text"), (struct str){(const char *)data, len});
	buf_release(&doc);
	keyset_free(&keys);
	keyset_free(&again);
	return 0;
}
