/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_REVOCATION_H
#define BERTH_TOKEN_REVOCATION_H

#include "token/token.h"

/*
 * What was revoked before its time, asked after the signature or the cache said yes. Bounded; when it would overflow
 * every token issued up to that instant is refused instead, until those have expired by themselves. One writer at a
 * time or several; any number of readers.
 */
enum revocation_kind {
	REVOCATION_SESSION, /* `sid` */
	REVOCATION_TOKEN,   /* `jti` */
	REVOCATION_PERSON,  /* all of a person's issued up to issued_before */
	REVOCATION_CLIENT,  /* all of a client's issued up to issued_before */
	REVOCATION_TENANT   /* all of a tenant's issued up to issued_before */
};

struct revocation {
	enum revocation_kind kind;
	struct uuid id;           /* all but CLIENT */
	struct str client_id;     /* CLIENT */
	instant_us issued_before; /* PERSON, CLIENT, TENANT: inclusive, to the millisecond */
	instant_us until;         /* kept until then: when the last token it covers has expired */
};

struct revocations;

struct revocations *revocation_new(size_t cap); /* NULL without memory */
void revocation_free(struct revocations **set);
/* Adds, or widens what is there. ERR_BAD_FIELD when it says nothing; OK on overflow too (see above). */
MUST_USE enum err revocation_add(struct revocations *set, const struct revocation *revocation, instant_us now);
/* Whether the token is revoked. Cheap: no lock while the set is empty. */
bool revocation_hit(const struct revocations *set, const struct token *token);
/*
 * From now on refuse everything issued up to `at`: overflow, or a source that lost its history (then name the loss).
 */
void revocation_distrust(struct revocations *set, instant_us at);
/* Drops what has run out. Call now and then (a second apart is plenty). */
void revocation_sweep(struct revocations *set, instant_us now);
size_t revocation_count(const struct revocations *set);
/* The instant up to which everything is refused; 0 when nothing is. A metric and an alarm. */
instant_us revocation_overflowed(const struct revocations *set);

#endif
