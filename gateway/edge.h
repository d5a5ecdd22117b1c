/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_EDGE_H
#define BERTH_GATEWAY_EDGE_H

#include "base/buf.h"
#include "certified.h"
#include "config.h"
#include "contract/router.h"
#include "edge_limits.h"
#include "rate.h"
#include "service/service.h"
#include "token/revocation.h"

/* What all loops of the process share. Written before they start; the pointers do not change while they run. */
struct gateway {
	struct context *context;
	const struct gateway_config *config;
	struct tls_store *tls;
	struct certified certified;
	struct limit_file *limits;
	struct rate_limiter *rates;
	struct revocations *revocations;
	struct replay *replays;
	struct store_proofs *proofs;
	struct store_cache *cache; /* NULL: without Redis */
	struct origins *origins;   /* NULL: none is allowed */
	struct buf openapi, docs;  /* written once */
	char docs_csp[512], page_csp[512];
	char page_style_hash[DOCS_STYLE_HASH_MAX];
	struct loop *loops[EDGE_LOOPS_MAX];
	size_t loop_count;
	size_t conns_per_loop;
	struct access_writer *log_writer;
	bool draining; /* atomic */
	bool joined;   /* atomic: every loop has had each of its links, once */
};

#endif
