/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_TENANT_H
#define BERTH_AUTHSVC_STORE_TENANT_H

#include "store.h"

struct tenant_record {
	struct uuid id;
	struct str slug, name;
	enum locale locale;
	struct str registration_domain; /* p == NULL: nobody may register */
	bool two_person_rule;
	struct uuid rule_off_by; /* who asked for its end; nil: nobody */
	instant_us rule_off_at;
	int64_t version;
	enum demand second_factor;
	struct str factor_roles; /* of whose holders it is demanded besides; names separated by blanks */
	instant_us created_at;   /* in lists */
};

struct client_record {
	int64_t row_id;
	struct uuid id;
	struct str name;
	bool confidential;
	struct str secret_hash; /* p == NULL: a public client, or one with keys */
	struct str jwks;        /* p == NULL: none */
	struct str redirect_uris, grants, permissions, allowed_origins; /* words separated by blanks */
	struct str id_token_alg;
	struct str post_logout_uris; /* words separated by blanks */
	bool third_party;            /* people are asked before it is given anything */
	bool require_pushed;         /* begins by a pushed request only */
	bool dpop_bound;             /* gets no other access tokens */
	struct str backchannel_uri;  /* where it is told of sign-outs; p == NULL: nowhere */
	bool backchannel_session;    /* asked for `sid` there, which it gets anyway */
	instant_us created_at;
	int64_t version;
	struct str vouched; /* permissions beyond an Admin's that whoever registered it had, separated by blanks */
};

/* Before a tenant is known: with a connection of the jobs role. ERR_NOT_FOUND. */
MUST_USE enum err store_tenant_by_slug(
	struct db *jobs, struct arena *arena, struct str slug, struct tenant_record *tenant_out);
MUST_USE enum err store_tenant_of_client(struct db *jobs, const struct uuid *client_id, struct uuid *tenant_id_out);

/* Over all tenants, by id, after `after`; at most `limit`. */
MUST_USE enum err store_tenant_list(struct db *jobs, struct arena *arena, const struct uuid *after, size_t limit,
	struct tenant_record *tenants_out, size_t *count_out);

MUST_USE enum err store_tenant_read(struct store *store, struct tenant_record *tenant_out);
/* Until the transaction ends: for changes of the tenant itself or of who administers it. */
MUST_USE enum err store_tenant_lock(struct store *store, struct tenant_record *tenant_out);
MUST_USE enum err store_tenant_insert(struct store *store, const struct tenant_record *tenant, instant_us now);
MUST_USE enum err store_tenant_update(struct store *store, const struct tenant_record *tenant, instant_us now);

MUST_USE enum err store_client_read(struct store *store, const struct uuid *id, struct client_record *client_out);
/* The same in a pipeline. */
MUST_USE enum err store_client_queue(struct store *store, const struct uuid *id);
MUST_USE enum err store_client_next(struct store *store, struct client_record *client_out);
/* In the order of their making, after `after`; at most `limit` into `clients_out`, which has room for them. */
MUST_USE enum err store_client_list(struct store *store, const struct uuid *after, size_t limit,
	struct client_record *clients_out, size_t *count_out);
MUST_USE enum err store_client_insert(struct store *store, struct client_record *client);
/* Until the transaction ends: to change it. */
MUST_USE enum err store_client_lock(struct store *store, const struct uuid *id, struct client_record *client_out);
/* Of a locked one, all that can change; gives it its next version. */
MUST_USE enum err store_client_update(struct store *store, struct client_record *client);
/*
 * Over all tenants, with a connection of the jobs role: id and allowed_origins of clients that have any, by id, after
 * `after`; at most `limit`.
 */
MUST_USE enum err store_client_origins(struct db *jobs, struct arena *arena, const struct uuid *after, size_t limit,
	struct client_record *clients_out, size_t *count_out);
/* An assertion of the client, spent: ERR_CONFLICT when it was before. Only good once committed. */
MUST_USE enum err store_assertion_use(
	struct store *store, int64_t client_row_id, struct str jti_hash, instant_us expires_at);
MUST_USE enum err store_client_delete(struct store *store, const struct uuid *id, instant_us now, int64_t *row_id_out);

#endif
