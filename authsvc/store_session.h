/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_SESSION_H
#define BERTH_AUTHSVC_STORE_SESSION_H

#include "store.h"

/*
 * Sign-ins of browsers, and authorization requests that wait for one. Handles and tokens come as their keyed hashes.
 */
struct session_record {
	int64_t row_id;
	struct uuid id;
	int64_t person_row_id;
	struct uuid person_id;
	enum person_status person_status;
	instant_us auth_at, seen_at, expires_at;
	struct proof proof;
	struct str browser; /* its family; absent: not told. Only when it is begun */
	bool ended;
};

MUST_USE enum err store_session_insert(
	struct store *store, struct session_record *session, struct str handle_hash, instant_us now);
MUST_USE enum err store_session_read(struct store *store, struct str handle_hash, struct session_record *session_out);
/* Holds it until the transaction ends, and reads its proof again. ERR_NOT_FOUND: it ended meanwhile. */
MUST_USE enum err store_session_seen(struct store *store, struct session_record *session, instant_us now);
/* The same session under a new handle, just authenticated. */
MUST_USE enum err store_session_renew(
	struct store *store, const struct session_record *session, struct str handle_hash, instant_us now);
/* Both see to it that clients are told. */
MUST_USE enum err store_session_end(struct store *store, const struct session_record *session, instant_us now);
MUST_USE enum err store_session_end_person(struct store *store, int64_t person_row_id, instant_us now);

struct session_view {
	int64_t row_id;
	struct uuid id;
	instant_us created_at, auth_at, seen_at, expires_at, ended_at; /* ended_at 0: not */
	struct proof proof;
	struct str browser; /* opened; absent: not told */
};
#define SESSIONS_SHOWN_MAX 100
/* Newest first, for the data subject: all that stand there, or only those that are good for something now. */
MUST_USE enum err store_session_list(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	bool live_only, size_t limit, struct session_view *sessions_out, size_t *count_out);
/* A live session of the person, locked: ERR_NOT_FOUND. Only what ending it takes is filled in. */
MUST_USE enum err store_session_lock(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	const struct uuid *id, struct session_record *session_out);
/* The row of the session that a grant came of; 0: it is gone. */
MUST_USE enum err store_session_of_grant(struct store *store, const struct uuid *sid, int64_t *row_id_out);

struct request_record {
	int64_t row_id;
	struct uuid id;
	int64_t client_row_id; /* 0: a sign-in for its own sake */
	struct uuid client_id;
	struct str client_name, client_grants, client_vouched;
	bool third_party;
	instant_us created_at;
	struct str parameters; /* opened; absent without a client */
	int64_t life_us;       /* of a new one; 0: as long as a sign-in may take */
};
/* `parameters` is sealed under the tenant's key. */
MUST_USE enum err store_request_insert(
	struct store *store, const struct request_record *request, struct str handle_hash, instant_us now);
MUST_USE enum err store_request_read(
	struct store *store, struct str handle_hash, instant_us now, struct request_record *request_out);
/* Reads and deletes one of this client; the reading is current. The client's own columns stay empty. */
MUST_USE enum err store_request_take(struct store *store, struct str handle_hash, int64_t client_row_id, instant_us now,
	struct request_record *request_out);
/* The same, for one of several who would end it: ERR_GONE when another was first. */
MUST_USE enum err store_request_end(struct store *store, const struct request_record *request);
MUST_USE enum err store_request_delete(struct store *store, const struct request_record *request);
/* All of one client. */
MUST_USE enum err store_request_delete_client(struct store *store, int64_t client_row_id);

#endif
