/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_EDGE_LIMITS_H
#define BERTH_GATEWAY_EDGE_LIMITS_H

#include "base/clock.h"

/* Every cap of the edge by its name. README.md says what a client gets when it meets one. */
#define EDGE_LOOPS_MAX 32
#define EDGE_LISTEN_MAX 8
#define EDGE_CERTS_MAX 4
#define EDGE_CERT_ALARM_DAYS 14 /* fewer left: degraded, and said once a day */
#define EDGE_BACKLOG 1024
#define EDGE_EVENTS_PER_TICK 256
#define EDGE_ACCEPTS_PER_TICK 64
#define EDGE_WARM_MAX 128 /* connections, a loop, that keep the buffers of their TLS sessions */

#define EDGE_CONNECTIONS "20000" /* of the process, unless configured; an idle one goes for a new one */
#define EDGE_FILES_KEPT 256      /* descriptors that connections leave to links, Redis, files */
#define EDGE_ACCEPT_REST_US 100000
#define EDGE_HEAD_BYTES_MAX (32U << 10) /* request line and header section: 431 */
#define EDGE_HEADERS_MAX 100            /* 431 */
#define EDGE_TARGET_MAX (8U << 10)      /* 414 */
#define EDGE_BODY_MAX (256U << 10)      /* above any operation's own cap: 413 */
#define EDGE_IN_FIRST (4U << 10)        /* first size of an input buffer */
#define EDGE_OUT_MAX (4U << 20)         /* one answer */
#define EDGE_ARENA_MAX (8U << 20)       /* one exchange, decoded both ways */

#define EDGE_HANDSHAKE_US (5 * US_PER_S)
#define EDGE_HEAD_US (10 * US_PER_S) /* from its first byte to its last: 408 */
#define EDGE_BODY_US (20 * US_PER_S) /* the whole body: 408 */
#define EDGE_IDLE_US (60 * US_PER_S)
#define EDGE_WRITE_US (10 * US_PER_S)     /* without any byte taken by the client */
#define EDGE_DRAIN_US (16 * US_PER_S)     /* from SIGTERM to the end, whatever is under way */
#define EDGE_DRAIN_IDLE_US (1 * US_PER_S) /* who is silent while the process drains */
#define EDGE_TURN_STEPS 96                /* reads and messages of one client before the others have their turn */

#define EDGE_DEADLINE_FAST_US (5 * US_PER_S) /* an exchange, by lane: 504 */
#define EDGE_DEADLINE_SLOW_US (15 * US_PER_S)
#define EDGE_QUEUE_US US_PER_S /* to wait for one arrow, by what its callee answers lately: 503 */
#define EDGE_QUEUE_MAX 8192    /* exchanges waiting for one arrow, a loop: 503 */
#define EDGE_BATCH_SPREAD 32   /* a tick's exchanges are spread over messages of at least so many */
#define EDGE_HOLD_ITEMS 16     /* what a further message waits for, with each that is under way */
#define EDGE_HOLD_SHARED 4     /* items of a message after which the next may expect company */
#define EDGE_HOLD_US 500       /* and no longer */
#define EDGE_LOOK_US 1000      /* in a long tick, answers are looked for so often */
#define EDGE_SHAKE_US 4000     /* of a tick for handshakes, and one at least */
#define EDGE_SHAKE_LINE 64     /* waiting for one: nobody more is accepted, or their time would run out in the line */
#define EDGE_EVEN_US 250000 /* an answer that must not tell by its time leaves whole steps of this behind its request */
#define EDGE_RETRY_AFTER_S 1
#define EDGE_PREFLIGHT_S 600 /* for which browsers remember what a preflight was told */

#define EDGE_TOKEN_CACHE 8192 /* verified tokens, a loop */
#define EDGE_REVOCATIONS_MAX 65536
#define EDGE_REPLAYS_MAX 524288     /* uses of proofs, a minute's: 503 */
#define EDGE_RATE_BUCKETS_MAX 65536 /* bounded whatever arrives; the least recent goes first */

#endif
