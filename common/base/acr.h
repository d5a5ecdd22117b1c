/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_ACR_H
#define BERTH_BASE_ACR_H

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

/*
 * How well a person proved who they are: the authentication context class of OpenID Connect Core section 2, in rising
 * order. A client that acts for itself has none.
 */
enum acr {
	ACR_NONE,
	ACR_1FA, /* "1fa": one factor, a password or what stands for it */
	ACR_2FA, /* "2fa": a second one as well */
	ACR_PHR  /* "phr": a factor that cannot be phished (OpenID Connect Extended Authentication Profile) */
};

const char *acr_name(enum acr acr); /* "" of ACR_NONE; never NULL */
/* False, and ACR_NONE, for any other name. */
bool acr_parse(struct str name, enum acr *acr_out);

/*
 * Of whom a tenant demands a second factor: of those who use permissions for staff (contract/permissions.def), of
 * everybody, or of nobody. The first is what counts where nothing is said.
 */
enum demand { DEMAND_STAFF, DEMAND_ALL, DEMAND_OPTIONAL };

const char *demand_name(enum demand demand); /* "staff", "all", "optional"; "" of any other */
/* False, and DEMAND_STAFF, for any other name. */
bool demand_parse(struct str name, enum demand *demand_out);

/*
 * The methods that were used (`amr`, RFC 8176): words of a-z and 0-9, one blank between, at most AMR_MAX bytes. Empty:
 * nothing is known.
 */
#define AMR_MAX 47
bool acr_methods_ok(struct str methods);

/* The claims acr, auth_time and amr (OpenID Connect Core section 2), as far as they are known. */
void acr_put(struct json_writer *w, enum acr acr, instant_us auth_at, struct str methods);

#endif
