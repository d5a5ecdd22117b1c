/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_DEVICE_H
#define BERTH_AUTHSVC_STORE_DEVICE_H

#include "store.h"

/* Devices that wait for a person (RFC 8628). Codes come as their keyed hashes. */
struct device_record {
	int64_t row_id;
	struct uuid id;
	int64_t client_row_id;
	struct str scope, resource;
	instant_us expires_at, polled_at; /* polled_at 0: never */
	int64_t interval_s;
	bool decided;
	int64_t person_row_id; /* 0: nobody agreed */
	instant_us auth_at;
	struct proof proof;
};

/* ERR_CONFLICT: another device has that user code, or that device code; the transaction goes on. */
MUST_USE enum err store_device_insert(struct store *store, const struct device_record *device,
	struct str device_code_hash, struct str user_code_hash, instant_us now);
/* Before a tenant is known: with a connection of the jobs role. ERR_NOT_FOUND. */
MUST_USE enum err store_device_tenant(
	struct db *jobs, struct str user_code_hash, instant_us now, struct uuid *tenant_id_out);
/* One that waits for a decision: its id, client and scope. */
MUST_USE enum err store_device_find(
	struct store *store, struct str user_code_hash, instant_us now, struct device_record *device_out);
/* person_row_id 0: refused. ERR_GONE: somebody decided before, or it is too late. */
MUST_USE enum err store_device_decide(struct store *store, const struct device_record *device, instant_us now);
/* By its device code, for its client. Waits for another who asks for the same. */
MUST_USE enum err store_device_lock(
	struct store *store, struct str device_code_hash, int64_t client_row_id, struct device_record *device_out);
MUST_USE enum err store_device_polled(
	struct store *store, const struct device_record *device, int64_t interval_s, instant_us now);
MUST_USE enum err store_device_delete(struct store *store, const struct device_record *device);

#endif
