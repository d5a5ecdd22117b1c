/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_HANDLE_BOOKING_MANY_H
#define BERTH_BOOKINGSVC_HANDLE_BOOKING_MANY_H

#include "service/service.h"

/*
 * The set-based form of booking_create (handler_many_fn). Outcomes are those of the single form over the items one
 * by one: first what names a spot, tenant by tenant in the order (spot, start), then the rest as it came. What collides
 * with the spot's stays and with the person's is told the one or the other.
 */
enum err handle_booking_create_many(
	struct call **calls, const void *const *requests, void **replies, enum err *errs_out, size_t count);

#endif
