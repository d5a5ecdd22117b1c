/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_REGION_H
#define BERTH_SERVICE_REGION_H

#include "base/str.h"

/*
 * Whether a deployment's region lies inside the European Union: the name of one that is known, or of a zone in it
 * ("eu-west-1", "eu-west-1b"). A name that only sounds European (London is eu-west-2) is not enough.
 */
bool region_is_eu(struct str region);

#endif
