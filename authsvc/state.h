/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STATE_H
#define BERTH_AUTHSVC_STATE_H

#include <stdatomic.h>

#include "breached.h"
#include "config.h"
#include "directory.h"
#include "egress/egress.h"
#include "hasher.h"
#include "keys.h"
#include "service/service.h"
#include "store_cache.h"
#include "throttle.h"
#include "vault.h"

/* What the workers and jobs of the process share. Each part guards itself. */
struct state {
	const struct auth_config *config;
	struct vault *vault;
	struct hasher *hasher;
	struct keys *keys;
	struct throttle *throttle;
	struct directory *directory;
	struct egress *egress;
	struct breached breached[2];       /* the list of one's own, the operator's */
	atomic_bool cache_away, mail_away; /* as the jobs last found them */
	struct {
		atomic_uint_fast64_t sign_ins, sign_ins_refused, sign_ins_delayed, tokens, refresh_repeats,
			refresh_thefts, assertions_refused, proofs_refused, code_replays, mails_dropped,
			revocations_published, cache_fallbacks, spans_exported, spans_lost, logouts_sent,
			logouts_failed, logouts_dropped;
	} counts;
};

/* What one worker owns beside the skeleton's own. */
struct desk {
	struct db *jobs; /* for look-ups before a tenant is known */
	struct cache *cache;
};

MUST_USE enum err state_open(struct context *context);
void state_close(struct context *context);
MUST_USE enum err state_worker_open(struct worker *worker);
void state_worker_close(struct worker *worker);
const char *state_missing(struct context *context);
const char *state_degraded(struct context *context);
void state_metrics(struct context *context, struct buf *out);
struct state *state_of(struct context *context);
/* A cache of one's own; NULL without memory. Gives: store_cache_free. */
struct cache *state_cache(struct context *context);

#endif
