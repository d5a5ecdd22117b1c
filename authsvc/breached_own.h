/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_BREACHED_OWN_H
#define BERTH_AUTHSVC_BREACHED_OWN_H

#include <stddef.h>
#include <stdint.h>

/* The list that every authsvc holds, made at build time from passwords/common.txt. */
extern const uint8_t breached_own_bytes[];
extern const size_t breached_own_len;

#endif
