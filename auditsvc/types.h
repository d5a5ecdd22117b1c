/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_TYPES_H
#define BERTH_AUDITSVC_TYPES_H

#include "base/clock.h"
#include "base/id.h"

/* What the files of this service hand to each other. Optional ids are nil, optional strings have p == NULL. */

#define HASH_LEN 32U

struct hash {
	uint8_t b[HASH_LEN];
};

/* One JSON document of an event. */
struct content {
	bool present;       /* the event has it; digest is set */
	struct hash digest; /* SHA-256 of `sealed`: what the leaf binds */
	struct str plain;   /* readable, where somebody opened it or is about to seal it */
	struct str sealed;  /* as stored; absent: destroyed by retention */
};

/* One row of the log. */
struct event_row {
	int64_t leaf_index;
	struct hash leaf_hash;
	struct uuid tenant_id, id;
	instant_us at;
	struct str service, action, object_type;
	struct uuid object_id;
	int64_t object_version;
	struct uuid actor_id, client_id, on_behalf_id, subject_id, request_id;
	struct content before, after;
	bool erased; /* it came without its documents, or its subject was erased already when it came */
};

/* Where a page begins: behind this place, in the order that its list has. */
struct event_place {
	int64_t leaf_index;
	instant_us at; /* lists by time only */
};

struct event_filter {
	bool by_time; /* newest by `at`, from `from` on; else by leaf */
	struct event_place behind;
	instant_us from;
	int64_t limit;
	struct uuid actor_id, object_id;
	struct str object_type, action;
};

/* A signed tree head. */
#define SIGNATURE_LEN 64U
#define PUBLIC_KEY_LEN 32U

struct head_row {
	struct str origin;
	uint64_t size;
	struct hash root;
	instant_us at;
	uint8_t signature[SIGNATURE_LEN];
	uint8_t public_key[PUBLIC_KEY_LEN];
};

#endif
