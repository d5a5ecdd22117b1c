/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_OPERATION_H
#define BERTH_CONTRACT_OPERATION_H

#include "contract/shapes.h"

enum peer {
	PEER_NONE = 0,
#define PEER(name, number) PEER_##name = (number),
#include "contract/peers.def"
#undef PEER
	PEER_COUNT
};

enum lane { LANE_FAST, LANE_SLOW, LANE_COUNT };

enum permission {
#define PERMISSION(name, bit, text, whose, help) PERM_##name = (bit),
#include "contract/permissions.def"
#undef PERMISSION
	PERM_SELF = 1000,   /* a valid token is enough */
	PERM_PUBLIC = 1001, /* no token */
	PERM_PEER = 1002    /* only another process of the suite */
};

#define PERMISSION_BITS_MAX 256

/* Where people set up what ERR_SECOND_FACTOR asks for. */
#define SECOND_FACTOR_PATH "/account/factors"

/*
 * What ERR_STEP_UP asks for (RFC 9470): at least that class (base/acr.h), proved no longer ago. Of OP_STEP_UP, from
 * people whose tenant demands a second factor for it.
 */
#define STEP_UP_ACR "2fa"
#define STEP_UP_MAX_AGE_S 900

/* Built-in roles and what they grant; the bitmap has the layout of a token's `perm`. */
struct permission_set {
	uint8_t bits[PERMISSION_BITS_MAX / 8];
};

struct role {
	const char *name;
	const char *help;
	struct permission_set permissions;
};

/* Whether a person uses it with a second factor only; neither of the three above is. */
bool permission_is_staff(enum permission permission);
const char *permission_name(enum permission permission); /* never NULL */
MUST_USE enum err permission_parse(struct str name, enum permission *permission_out);
bool permission_set_has(const struct permission_set *set, enum permission permission);
void permission_set_add(struct permission_set *set, enum permission permission);
void permission_set_merge(struct permission_set *set, const struct permission_set *other); /* union */
void permission_set_limit(struct permission_set *set, const struct permission_set *other); /* intersection */
/* With one of these a person can give rights to oneself or others, or take what is everybody's away. */
struct permission_set permission_set_weighty(const struct permission_set *set);
/* What of a set can be held in one place, or for one person, alone: those permissions that handlers look for there. */
struct permission_set permission_set_of_place(const struct permission_set *set);
struct permission_set permission_set_of_principal(const struct permission_set *set);
const struct role *role_by_name(struct str name); /* NULL when unknown */
const struct role *role_at(size_t index);         /* NULL past the last */

/*
 * Operations are declared beside their shapes, in <callee>.def:
 *
 *   OPERATION(name, number, METHOD, "/path/{id}", LANE, permission, flags, body_cap, request shape, reply shape,
 *             success status, summary)
 *   INTERNAL (name, number, callers, LANE, flags, request shape, reply shape, summary)
 *
 * CALLEE is defined by the file. The number travels between processes: append-only. body_cap is in bytes, at the edge.
 */
enum operation_flag {
	OP_PLAIN = 0,
	OP_SAFE = 1,         /* changes nothing: may be retried */
	OP_IDEMPOTENT = 2,   /* repeating it changes nothing more: may be retried */
	OP_KEYED = 4,        /* takes an Idempotency-Key, and with one may be retried */
	OP_VERSIONED = 8,    /* needs If-Match */
	OP_CRITICAL = 16,    /* no change without its audit event */
	OP_WEB = 32,         /* takes a form or a query, answers with struct web_reply */
	OP_OAUTH = 64,       /* OP_WEB whose errors have the form of RFC 6749 section 5.2 */
	OP_UNVERIFIED = 128, /* open to people whose e-mail address is not verified */
	OP_LOCAL = 256,      /* answered by the gateway itself */
	OP_PLACED = 1024,    /* looks at the place: a permission that is held there only will do */
	OP_PAGE = 512,       /* for people: no script of another origin may read it */
	OP_STEP_UP = 2048,   /* what it does is done soon after a sign-in: see STEP_UP_ACR */
	OP_EVEN = 4096       /* when its answer comes tells nothing: the edge lets it go at whole steps of time */
};

struct operation {
	const char *name;
	uint16_t number;
	const char *method; /* NULL: internal */
	const char *path;
	enum peer callee;
	uint32_t callers; /* 1u << enum peer */
	enum lane lane;
	enum permission permission;
	unsigned flags;
	size_t body_cap;
	const struct shape *(*request)(void);
	const struct shape *(*reply)(void);
	int success_status;
	const char *summary;
};

/* OP_<name> indexes operation_table; OP_COUNT ends it. */
enum operation_id {
#include "contract/no_shapes.h"
#define OPERATION(name, ...) OPID_##name,
#define INTERNAL(name, ...) OPID_##name,
#include "contract/all.def"
#include "contract/undef.h"
	OPERATION_COUNT
};

extern const struct operation operation_table[OPERATION_COUNT];

const struct operation *operation_by_number(uint16_t number); /* NULL when unknown */
const struct operation *operation_by_name(const char *name);
/*
 * Resources (RFC 8707): a path of whole segments, without parameters, under which operations take a token. "/v1" and
 * "/v1/bookings" are, "/v1/book", "/login" and "" are not.
 */
bool operation_is_resource(struct str path);
/* Whether the operation lies under it; "" holds all, and an internal operation lies under each. */
bool operation_within(const struct operation *operation, struct str resource);
const char *peer_name(enum peer peer);
enum peer peer_by_name(const char *name); /* PEER_NONE when unknown */
const char *lane_name(enum lane lane);    /* "FAST", "SLOW" */
bool arrow_declared(enum peer caller, enum peer callee, enum lane lane);

#endif
