/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config.h"
#include "base/log.h"

#define EPOCHS_MAX 4

/* Files of keys: what is taken is newest first and none twice. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secret *secret = secret_new(data, size);
	struct key_epoch epochs[EPOCHS_MAX];
	size_t count;

	if (secret != NULL && secret_to_keys(secret, epochs, EPOCHS_MAX, &count) == OK) {
		INVARIANT(count > 0 && count <= EPOCHS_MAX);
		for (size_t i = 1; i < count; i++)
			INVARIANT(epochs[i].epoch < epochs[i - 1].epoch);
	}
	secret_free(&secret);
	return 0;
}
