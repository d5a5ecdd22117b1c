/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_RULES_H
#define BERTH_AUDITSVC_RULES_H

#include "types.h"

/* Pure decisions: no I/O, no clock. */

#define RULES_PAGE_DEFAULT 50
#define RULES_PAGE_MAX 200

/*
 * A cursor is the place at which its page ended; lists by leaf and by time have each their own. ERR_BAD_CURSOR for
 * anything that rules_cursor did not write for such a list.
 */
MUST_USE enum err rules_cursor_parse(
	struct arena *arena, struct str cursor, bool by_time, struct event_place *place_out);
/* p is NULL when the arena is full. */
struct str rules_cursor(struct arena *arena, bool by_time, const struct event_place *place);

/* Whether documents that the event once had can no longer be read. */
bool rules_event_is_erased(const struct event_row *event);

/* Whether `person` may be given the documents of an event: what an actor did to others' data is not the actor's own. */
bool rules_event_is_about(const struct event_row *event, const struct uuid *person_id);

/* Documents appended before this instant were kept long enough. */
instant_us rules_retention_edge(instant_us now, int64_t days);

/* How a signed head relates to the end of the log. */
enum head_step {
	HEAD_CURRENT, /* signed already */
	HEAD_DUE,     /* to be signed */
	HEAD_LOST     /* the log is shorter than what was signed: rows are missing */
};
enum head_step rules_head_step(bool has_signed, uint64_t signed_size, uint64_t size);

#endif
