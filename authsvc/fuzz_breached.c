/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "breached.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As it is, and with a sum that fits, so that what lies behind the sum is reached too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = {(const char *)data, size};
	struct breached breached = {.bits = data};
	uint8_t head[BREACHED_HEAD];
	const char *reason;
	uint8_t *copy;

	if (breached_over(bytes, &breached, &reason) == OK)
		(void)breached_has(&breached, bytes);
	else
		INVARIANT(reason != NULL && breached.bits == NULL);
	if (size < BREACHED_HEAD || (size - BREACHED_HEAD) % 8 != 0 || size == BREACHED_HEAD)
		return 0;
	if ((copy = malloc(size)) == NULL)
		return 0;
	memcpy(copy, data, size);
	breached = (struct breached){.bits = copy + BREACHED_HEAD,
		.bit_count = (size - BREACHED_HEAD) * 8,
		.entries = data[16],
		.hashes = data[24] % BREACHED_HASHES_MAX + 1U};
	breached_head_put(&breached, head);
	memcpy(copy, head, sizeof(head));
	INVARIANT(breached_over((struct str){(const char *)copy, size}, &breached, &reason) == OK);
	(void)breached_has(&breached, bytes);
	/* One bit anywhere else makes it another file. */
	copy[(size_t)data[8] % size] ^= (uint8_t)(1U << data[9] % 8);
	INVARIANT(breached_over((struct str){(const char *)copy, size}, &breached, &reason) != OK);
	free(copy);
	return 0;
}
