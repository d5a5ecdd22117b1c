/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_REVOCATIONS_H
#define BERTH_CONTRACT_REVOCATIONS_H

/*
 * How authsvc tells the edge, through Redis, which access tokens ended before their time. The truth is a table of
 * authsvc; this stream is a copy that can be rebuilt at any moment.
 *
 * One entry says: refuse every access token of `kind` `id` that was issued at or before `before_us`, until `until_us`,
 * when the last of them has run out by itself. Instants are microseconds since 1970 in decimal, ids are UUID text in
 * lower case. An entry may come more than once and in any order. Unknown kinds and fields are skipped.
 *
 *   XADD berth:revocations MINID ~ <ms> * kind session id 0197… before_us 1760000000000000 until_us 1760003600000000
 *
 * Reading: take all from the start ("0"), then wait for more with XREAD BLOCK. The marker is set after every
 * revocation still in force has been written, and goes with the stream when Redis loses its memory: authsvc then
 * writes all of them again and sets it anew. So a reader that starts and finds no marker knows nothing yet: it must
 * wait for the marker and not take silence for consent. A reader that was running keeps what it has.
 */
#define REVOCATIONS_STREAM "berth:revocations"
#define REVOCATIONS_MARKER "berth:revocations:complete"

#define REVOCATIONS_FIELD_KIND "kind"
#define REVOCATIONS_FIELD_ID "id"
#define REVOCATIONS_FIELD_BEFORE "before_us"
#define REVOCATIONS_FIELD_UNTIL "until_us"

#define REVOCATIONS_KIND_SESSION "session" /* id is the token's `sid` */
#define REVOCATIONS_KIND_TOKEN "token"     /* `jti` */
#define REVOCATIONS_KIND_PERSON "person"   /* `sub` of a person */
#define REVOCATIONS_KIND_CLIENT "client"   /* `client_id` */
#define REVOCATIONS_KIND_TENANT "tenant"   /* `tid` */

/* Entries older than this are trimmed: longer than any access token lives. */
#define REVOCATIONS_KEEP_MS (2 * 3600 * 1000LL)

#endif
