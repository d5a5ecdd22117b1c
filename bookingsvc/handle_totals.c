/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"
#include "store_stay.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

enum err handle_totals_read(struct call *call, const struct totals_request *request, struct totals *reply)
{
	struct totals_row totals = {0};
	struct site_row site;
	struct tx *tx = NULL;
	enum err err;

	if (request->from >= request->to)
		return call_refuse(
			call, ERR_BAD_FIELD, "to", "ends_before_start", "The period ends after it has started.");
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_site_read(tx, &request->site_id, false, call->arena, &site)) != OK) {
		err = err == ERR_NOT_FOUND ? handle_not_found(call, "site_id") : err;
		goto done;
	}
	if ((err = store_stay_totals(tx, site.no, request->from, request->to, &totals)) != OK)
		goto done;
	*reply = (struct totals){.bookings = totals.bookings,
		.has_bookings = true,
		.cancelled = totals.cancelled,
		.has_cancelled = true,
		.arrived = totals.arrived,
		.has_arrived = true,
		.booked_minutes = totals.booked_minutes,
		.has_booked_minutes = true};
done:
	tx_free(&tx);
	return err;
}
