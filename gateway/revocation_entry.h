/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_REVOCATION_ENTRY_H
#define BERTH_GATEWAY_REVOCATION_ENTRY_H

#include "token/revocation.h"

/*
 * One entry of the stream of revocations (contract/revocations.h), field by field. What Redis holds is as hostile as
 * any input.
 */
struct revocation_entry {
	struct revocation revocation;
	struct str id;
	bool has_kind, broken;
};

/* Where an entry stands: its id, "<milliseconds>-<number>". */
struct revocation_place {
	uint64_t ms, sequence;
};
#define REVOCATION_PLACE_FIRST ((struct revocation_place){0, 0})

/* False, and nothing out, when that is no id. */
bool revocation_entry_place(struct str id, struct revocation_place *place_out);
bool revocation_entry_is_behind(struct revocation_place place, struct revocation_place other);

void revocation_entry_field(struct revocation_entry *entry, struct str name, struct str value); /* borrows */
/* False when the entry is not whole, or a field that has to be is none. Borrows what the fields were of. */
bool revocation_entry_whole(struct revocation_entry *entry);

#endif
