/* SPDX-License-Identifier: Apache-2.0 */
#include "revocation_entry.h"

#include "contract/revocations.h"

static bool kind_parse(struct str text, enum revocation_kind *kind_out)
{
	static const struct {
		const char *text;
		enum revocation_kind kind;
	} kinds[] = {
		{REVOCATIONS_KIND_SESSION, REVOCATION_SESSION},
		{REVOCATIONS_KIND_TOKEN, REVOCATION_TOKEN},
		{REVOCATIONS_KIND_PERSON, REVOCATION_PERSON},
		{REVOCATIONS_KIND_CLIENT, REVOCATION_CLIENT},
		{REVOCATIONS_KIND_TENANT, REVOCATION_TENANT},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!str_eq_c(text, kinds[i].text))
			continue;
		*kind_out = kinds[i].kind;
		return true;
	}
	return false;
}

static bool instant_read(struct str text, instant_us *at_out)
{
	uint64_t at = 0;

	if (str_to_u64(text, INSTANT_MAX, &at) != OK)
		return false;
	*at_out = (instant_us)at;
	return true;
}

bool revocation_entry_place(struct str id, struct revocation_place *place_out)
{
	struct revocation_place place;
	struct str rest = id, ms;

	if (!str_cut(&rest, '-', &ms) || str_to_u64(ms, UINT64_MAX, &place.ms) != OK ||
		str_to_u64(rest, UINT64_MAX, &place.sequence) != OK)
		return false;
	*place_out = place;
	return true;
}

bool revocation_entry_is_behind(struct revocation_place place, struct revocation_place other)
{
	return place.ms > other.ms || (place.ms == other.ms && place.sequence > other.sequence);
}

void revocation_entry_field(struct revocation_entry *entry, struct str name, struct str value)
{
	struct revocation *revocation = &entry->revocation;

	if (str_eq_c(name, REVOCATIONS_FIELD_KIND))
		entry->has_kind = kind_parse(value, &revocation->kind);
	else if (str_eq_c(name, REVOCATIONS_FIELD_ID))
		entry->id = value;
	else if (str_eq_c(name, REVOCATIONS_FIELD_BEFORE) && !instant_read(value, &revocation->issued_before))
		entry->broken = true;
	else if (str_eq_c(name, REVOCATIONS_FIELD_UNTIL) && !instant_read(value, &revocation->until))
		entry->broken = true;
}

bool revocation_entry_whole(struct revocation_entry *entry)
{
	struct revocation *revocation = &entry->revocation;

	revocation->client_id = entry->id;
	return !entry->broken && entry->has_kind && revocation->until > 0 &&
	       (revocation->kind == REVOCATION_CLIENT ? entry->id.len > 0
						      : uuid_parse(entry->id, &revocation->id) == OK);
}
