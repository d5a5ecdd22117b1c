/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_RULES_PLATE_H
#define BERTH_BOOKINGSVC_RULES_PLATE_H

#include "base/arena.h"

/*
 * Registration plates. Pure. The normal form is what is shown, stored and compared: capitals and digits without
 * separators, so that "ab-123-cd" and "AB 123 CD" are one plate. Countries differ in length and letters; how a
 * plate is made up inside is not judged: old series, dealers' and diplomats' plates are all on the road.
 */
#define PLATE_BYTES_MAX 20
#define PLATE_NORMAL_MAX 12 /* characters */

/* ISO 3166-1 alpha-2, either case, into two capitals. */
bool rules_plate_country(struct str country, char country_out[3]);
/*
 * `country`: two capitals. NULL on success, else the reason: plate_malformed (a character that no plate has),
 * plate_too_short, plate_too_long. *normal_out is in the arena; p is NULL when it is full.
 */
const char *rules_plate_normalise(struct arena *arena, struct str plate, const char country[3], struct str *normal_out);

#endif
