/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "limit_file.h"

/* A file of limits that somebody writes while it is read: taken whole, or refused with a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rate_policy base[RATE_CLASS_COUNT];
	struct rate_policy policies[RATE_CLASS_COUNT];
	struct limit_file_fault fault = {0};

	if (limit_file_parse((struct str){(const char *)data, size}, base, policies, &fault) != OK)
		INVARIANT(fault.reason != NULL && fault.line <= LIMIT_FILE_LINES_MAX + 1);
	return 0;
}
