/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_ZIGZAG_H
#define BERTH_CONTRACT_ZIGZAG_H

#include <stdint.h>

/*
 * Inside common/contract: signed numbers as varints, small ones of either sign short: 0, -1, 1, -2 become 0, 1,
 * 2, 3.
 */
static inline uint64_t zigzag_from(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t zigzag_to(uint64_t value)
{
	return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

#endif
