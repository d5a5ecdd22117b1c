/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_GRANT_H
#define BERTH_AUTHSVC_STORE_GRANT_H

#include "store.h"

/* Authorization codes, the grant families that come of them, and what ended before its time. */
struct code_record {
	int64_t row_id;
	int64_t client_row_id, person_row_id, session_row_id; /* session 0: long gone */
	struct str redirect_uri, scope, nonce, code_challenge, resource;
	struct str jkt; /* whose proof its exchange needs; p == NULL: none */
	instant_us auth_at, expires_at;
	struct proof proof;
	bool used, session_ended;
	int64_t family_row_id; /* of a used one; 0: gone */
	struct uuid family_id;
	struct uuid session_id; /* nil: long gone */
};
MUST_USE enum err store_code_insert(
	struct store *store, const struct code_record *code, struct str code_hash, instant_us now);
/* Waits for another exchange of the same code. */
MUST_USE enum err store_code_lock(struct store *store, struct str code_hash, struct code_record *code_out);
/* Whether the session that a locked one came of still goes on. */
MUST_USE enum err store_code_alive(struct store *store, const struct code_record *code, bool *alive_out);
/* Of a locked one; queued. */
MUST_USE enum err store_code_use(
	struct store *store, const struct code_record *code, int64_t family_row_id, instant_us now);

struct family_record {
	int64_t row_id;
	struct uuid id;         /* what its access tokens name */
	struct uuid session_id; /* of the browser, the `sid` of its ID tokens; nil: none, or long gone */
	int64_t client_row_id, person_row_id, session_row_id; /* session 0: none, of a device */
	struct str scope, resource;
	instant_us auth_at, created_at;
	struct proof proof;
	struct str refresh_salt; /* p == NULL: gives no refresh tokens */
	struct str jkt;          /* whose proof its refresh tokens need; p == NULL: none */
	struct family_state state;
};
MUST_USE enum err store_family_insert(struct store *store, struct family_record *family, instant_us now);
MUST_USE enum err store_family_lock(struct store *store, const struct uuid *id, struct family_record *family_out);
/*
 * Several of one tenant in one statement of a pipeline, each with its person held, in the order in which they are
 * given: that of their ids, and tenants in the order of theirs, or two batches stop each other. Those that are there
 * come out, at most `limit`.
 */
MUST_USE enum err store_family_lock_many_queue(struct store *store, const struct uuid *ids, size_t count);
MUST_USE enum err store_family_lock_many_next(
	struct store *store, size_t limit, struct family_record *families_out, size_t *count_out);
/* The next generation of a locked family; queued. */
MUST_USE enum err store_family_rotate(struct store *store, struct family_record *family, instant_us now);
/* The same of several of one tenant. */
MUST_USE enum err store_family_rotate_many(
	struct store *store, struct family_record *const *families, size_t count, instant_us now);

enum family_of { FAMILY_ITSELF, FAMILY_OF_SESSION, FAMILY_OF_PERSON, FAMILY_OF_CLIENT };
/*
 * Revokes all live families of the thing with that internal number, those that a device would begin by a person's word
 * among them, and puts their access tokens on the list of revocations. count_out may be NULL.
 */
MUST_USE enum err store_family_revoke(
	struct store *store, enum family_of of, int64_t row_id, const char *reason, instant_us now, size_t *count_out);

/* The same for what one person let one client do. */
MUST_USE enum err store_family_revoke_pair(
	struct store *store, int64_t person_row_id, int64_t client_row_id, const char *reason, instant_us now);

struct family_view {
	struct uuid id, client_id;
	struct str scope;
	instant_us created_at, rotated_at, expires_at, revoked_at;
};
MUST_USE enum err store_family_list(
	struct store *store, int64_t person_row_id, size_t limit, struct family_view *families_out, size_t *count_out);

/* -- revocations of access tokens -- */
enum revoked_kind { REVOKED_SESSION, REVOKED_TOKEN, REVOKED_PERSON, REVOKED_CLIENT, REVOKED_TENANT, REVOKED_KINDS };
/*
 * Refuses what was issued to these up to now, as long as such tokens live. A client is deleted for good, and is read
 * without a lock: what is being signed for it meanwhile is refused too.
 */
MUST_USE enum err store_revocation_add(
	struct store *store, enum revoked_kind kind, const struct uuid *objects, size_t count, instant_us now);

/*
 * What a client got before it was narrowed. Whoever still reads it as it was signs for as long as a call may take: what
 * is issued in these moments is refused too.
 */
MUST_USE enum err store_revocation_narrowed(struct store *store, const struct uuid *client_id, instant_us now);
/* Codes of the client that nobody has exchanged. */
MUST_USE enum err store_code_delete_client(struct store *store, int64_t client_row_id);

struct revocation_query {
	struct uuid session_id, token_id, person_id, client_id;
	instant_us issued_at;
};
MUST_USE enum err store_revocation_hit(
	struct store *store, const struct revocation_query *query, instant_us now, bool *hit_out);

/* For the job that publishes, with the jobs role. */
struct revocation_record {
	int64_t row_id;
	enum revoked_kind kind;
	struct uuid object_id;
	instant_us before, until;
};
MUST_USE enum err store_revocation_unpublished(
	struct tx *jobs_tx, size_t limit, struct revocation_record *records_out, size_t *count_out);
MUST_USE enum err store_revocation_live(struct tx *jobs_tx, int64_t after_row_id, instant_us now, size_t limit,
	struct revocation_record *records_out, size_t *count_out);
MUST_USE enum err store_revocation_published(
	struct tx *jobs_tx, const struct revocation_record *records, size_t count, instant_us now);

#endif
