/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_HANDLE_BOOTSTRAP_H
#define BERTH_AUTHSVC_HANDLE_BOOTSTRAP_H

#include "service/service.h"

/*
 * `authsvc --bootstrap FILE`: the first step of a new deployment, when nobody can sign in yet. FILE holds
 *   {"tenants":[{"slug","name","locale"?,"admin":{"email","password","given_name","family_name","locale"?},
 *                "client":{"name","redirect_uris":[…]}}]}
 * Prints {"tenants":[{"slug","id","admin_id","client":{"id","secret"}}]}. A tenant that is there already is left as
 * it is and printed without a secret. The Admins' addresses count as proved.
 */
int handle_bootstrap(struct context *context, int argc, char **argv);

#endif
