/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_ACR_H
#define BERTH_BASE_ACR_H

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
 * The methods that were used (`amr`, RFC 8176): words of a-z and 0-9, one blank between, at most AMR_MAX bytes. Empty:
 * nothing is known.
 */
#define AMR_MAX 47
bool acr_methods_ok(struct str methods);

#endif
