/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_CERTIFIED_H
#define BERTH_GATEWAY_CERTIFIED_H

#include "contract/operation.h"
#include "tls.h"

/*
 * Operations that ask for a client certificate, as the deployment lists them. It is a barrier before who asks, and says
 * nothing of who that is: tokens do.
 */
struct certified {
	bool asks[OPERATION_COUNT]; /* by place in operation_table */
};

/*
 * Names, comma-separated; NULL: none. ERR_BAD_FIELD, logged, for a name that no operation of the public port has, and
 * for names without a file of authorities or such a file without names: whoever gave one meant both.
 */
MUST_USE enum err certified_read(const char *names, const char *authorities, struct certified *certified_out);
/* Whether the operation asks for none, or this session has one that holds now (tls.h). */
bool certified_suffices(const struct certified *certified, const struct operation *operation, struct tls_store *store,
	const SSL *ssl, struct tls_client_verdict *verdict);

#endif
