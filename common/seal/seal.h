/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SEAL_SEAL_H
#define BERTH_SEAL_SEAL_H

#include "base/config.h"
#include "db/tx.h"

/*
 * Personal fields: XChaCha20-Poly1305 under a key per person (and one per tenant, subject nil), each wrapped by the
 * service's master key and kept in the table person_keys. A sealed value names nothing but its version; what it
 * belongs to (tenant, table, column, row) is associated data, so a value moved elsewhere does not open. Erasing a
 * person destroys the key.
 *
 * A `struct seal` belongs to one worker and is not thread-safe. Keys are never kept between loads: each load reads
 * the row in the caller's transaction, so none outlives an erasure.
 */
struct seal;
struct seal_key; /* in locked memory, wiped when freed */

#define SEAL_OVERHEAD 41U /* version, nonce, tag */
#define SEAL_PLAIN_MAX (1U << 20)
#define SEAL_KEYS_MAX 512 /* alive at once per struct seal */
#define SEAL_INDEX_LEN 32

/*
 * `service` separates the services' derived values. `masters` newest first (the first wraps, all unwrap), count ≥ 1;
 * index_key is for blind indexes. Copies all into locked memory.
 */
MUST_USE enum err seal_new(const char *service, const struct key_epoch *masters, size_t count,
	const struct key_epoch *index_key, struct seal **seal_out);
void seal_free(struct seal **seal); /* after all its keys */

/*
 * The key of a person, or of the tenant itself (subject nil or NULL). The transaction must be scoped to `tenant_id`.
 * One indexed read. `create`: made when there is none yet (one more round trip). ERR_GONE: destroyed, or absent
 * without `create`.
 */
MUST_USE enum err seal_subject_load(struct tx *tx, struct seal *seal, const struct uuid *tenant_id,
	const struct uuid *subject_id, bool create, struct seal_key **key_out);
/*
 * Set-based: keys_out[i] for subjects[i], each to be freed; NULL where the single form would give ERR_GONE. Subjects
 * may repeat: each gets an own handle. count ≤ SEAL_KEYS_MAX / 2.
 */
MUST_USE enum err seal_subjects_load(struct tx *tx, struct seal *seal, const struct uuid *tenant_id,
	const struct uuid *subjects, size_t count, bool create, struct seal_key **keys_out);
/* The same in a pipeline, never creating: NULL is to be asked for again by the form above. */
MUST_USE enum err seal_subjects_queue(
	struct tx *tx, const struct uuid *tenant_id, const struct uuid *subjects, size_t count);
MUST_USE enum err seal_subjects_next(struct tx *tx, struct seal *seal, const struct uuid *tenant_id,
	const struct uuid *subjects, size_t count, struct seal_key **keys_out);
/* Across tenants, for the jobs role; never creates. NULL also for a damaged key, as long as others of the load open. */
MUST_USE enum err seal_jobs_load(struct tx *jobs_tx, struct seal *seal, const struct uuid *tenants,
	const struct uuid *subjects, size_t count, struct seal_key **keys_out);
void seal_key_free(struct seal_key **key);
void seal_keys_free(struct seal_key **keys, size_t count);

/* Where a value lives. `row_id` is the row's own public id. */
struct seal_place {
	const struct uuid *tenant_id;
	const char *table;
	const char *column;
	const struct uuid *row_id;
};

/*
 * Both results lie in the arena. plain.p == NULL gives STR_NONE, so absent fields stay NULL; key NULL gives
 * ERR_GONE.
 */
MUST_USE enum err seal_field(const struct seal_key *key, const struct seal_place *place, struct str plain,
	struct arena *arena, struct str *sealed_out);
/*
 * ERR_GONE: key is NULL (destroyed). ERR_INTERNAL: not sealed for this place under this key, or damaged (logged,
 * an alarm).
 */
MUST_USE enum err seal_open(const struct seal_key *key, const struct seal_place *place, struct str sealed,
	struct arena *arena, struct str *plain_out);

/*
 * Destroys the key for ever: the row stays without it, so that a late request cannot make a new one for an erased
 * person. OK too when there was none. First let the person's outbox rows drain (outbox_pending_for).
 */
MUST_USE enum err seal_erase(struct tx *tx, const struct uuid *tenant_id, const struct uuid *subject_id);

/*
 * Keyed BLAKE2b blind index of a normalised value, for equality look-ups; differs per service, tenant and column
 * name. tenant_id NULL: for look-ups before a tenant is known.
 */
void seal_index(const struct seal *seal, const struct uuid *tenant_id, const char *column, struct str normalised,
	uint8_t index_out[SEAL_INDEX_LEN]);

/*
 * For the jobs role: rewraps at most `limit` keys of older epochs under the newest. *count_out 0: all done, old
 * epochs may be destroyed.
 */
MUST_USE enum err seal_rewrap(struct tx *jobs_tx, struct seal *seal, size_t limit, uint64_t *count_out);

#endif
