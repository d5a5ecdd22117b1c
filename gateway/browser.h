/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_BROWSER_H
#define BERTH_GATEWAY_BROWSER_H

#include "base/str.h"

/*
 * The family of a browser by its User-Agent (RFC 9110 section 10.1.5): one of seven words that live for ever. No more
 * of the field reaches a service, so that nobody is told apart by it.
 */
struct str browser_family(struct str user_agent);

#endif
