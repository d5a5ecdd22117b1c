/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "seal/seal.h"
#include "seal/seal_private.h"
#include "seal_sql.h"

#define LOAD_MAX (SEAL_KEYS_MAX / 2)

/* One load: where each key goes, and what is known of it. */
struct load {
	struct seal *seal;
	size_t count;
	const struct uuid *tenants; /* one for all; `across`: one for each */
	bool across;
	const struct uuid *subjects;
	struct seal_key **keys;
	bool *rows; /* there is a row, with a key or without */
};

static struct seal_owner owner_of(const struct load *load, size_t i)
{
	return (struct seal_owner){load->tenants[load->across ? i : 0], load->subjects[i]};
}

/* Rows of (place from 1, epoch, wrapped). */
static enum err read_rows(struct load *load, struct rows *rows)
{
	size_t good = 0, bad = 0;
	enum err err;

	while (rows_next(rows)) {
		int64_t i = rows_i64(rows, 0) - 1;
		struct seal_owner owner;

		INVARIANT(i >= 0 && (size_t)i < load->count && !load->keys[i]);
		load->rows[i] = true;
		if (rows_is_null(rows, 2))
			continue;
		if (!(load->keys[i] = seal_key_take(load->seal)))
			return ERR_OVERLOADED;
		owner = owner_of(load, (size_t)i);
		err = seal_unwrap(load->seal, &owner, rows_i64(rows, 1), rows_bytes(rows, 2), load->keys[i]->key);
		if (err != OK && !load->across)
			return err;
		good += err == OK;
		bad += err != OK;
		if (err != OK)
			seal_key_free(&load->keys[i]);
	}
	/*
	 * One damaged row must not stop a job over all tenants; if none opens, our master key is wrong.
	 */
	return bad && !good ? ERR_INTERNAL : OK;
}

/* Wrapped keys on their way to the table. */
struct parcel {
	struct uuid tenants[LOAD_MAX], subjects[LOAD_MAX];
	struct str wrapped[LOAD_MAX];
	uint8_t bytes[LOAD_MAX][SEAL_WRAPPED_LEN];
	size_t places[LOAD_MAX];
	size_t count;
};

static void parcel_add(struct parcel *parcel, const struct seal *seal, const struct seal_owner *owner,
	const uint8_t *key, size_t place)
{
	size_t n = parcel->count++;

	INVARIANT(n < LOAD_MAX);
	seal_wrap(seal, owner, key, parcel->bytes[n]);
	parcel->tenants[n] = owner->tenant_id;
	parcel->subjects[n] = owner->subject_id;
	parcel->wrapped[n] = (struct str){(const char *)parcel->bytes[n], SEAL_WRAPPED_LEN};
	parcel->places[n] = place;
}

/* A new key for each that has no row. */
static void pack_missing(const struct load *load, struct parcel *parcel)
{
	uint8_t *fresh = load->seal->vault->scratch;

	for (size_t i = 0; i < load->count; i++) {
		struct seal_owner owner = owner_of(load, i);

		if (load->rows[i])
			continue;
		random_bytes(fresh, SEAL_KEY_LEN);
		parcel_add(parcel, load->seal, &owner, fresh, i);
	}
	sodium_memzero(fresh, SEAL_KEY_LEN);
}

static enum err read_again(const struct load *load, const struct parcel *parcel, struct rows *rows)
{
	struct seal_key *keys[LOAD_MAX] = {0};
	bool seen[LOAD_MAX] = {false};
	struct load again = {.seal = load->seal,
		.count = parcel->count,
		.tenants = load->tenants,
		.subjects = parcel->subjects,
		.keys = keys,
		.rows = seen};
	enum err err = read_rows(&again, rows);

	for (size_t i = 0; i < parcel->count; i++)
		load->keys[parcel->places[i]] = keys[i];
	return err;
}

/* Who comes first wins: what stands in the end is read again, in the same round trip. */
static enum err create_missing(struct tx *tx, const struct load *load)
{
	struct parcel *parcel = NULL;
	struct rows *rows = NULL;
	size_t n = 0;
	enum err err = ERR_OVERLOADED;

	while (n < load->count && load->rows[n])
		n++;
	if (n == load->count)
		return OK;
	if (!(parcel = calloc(1, sizeof(*parcel))))
		goto done;
	pack_missing(load, parcel);
	n = parcel->count;
	err = tx_queue_quiet(tx, &sql_person_keys_put,
		PARAMS(db_uuid(load->tenants), db_uuids(parcel->subjects, n), db_bytess(parcel->wrapped, n),
			db_i64(seal_epoch(load->seal)), db_time(clock_now_us())));
	if (err != OK)
		goto done;
	err = tx_query(tx, &sql_person_keys_get, PARAMS(db_uuid(load->tenants), db_uuids(parcel->subjects, n)), &rows);
	if (err == OK)
		err = read_again(load, parcel, rows);
done:
	rows_free(&rows);
	free(parcel);
	return err;
}

static enum err load_all(struct tx *tx, struct load *load, bool create)
{
	struct rows *rows = NULL;
	enum err err;

	if (load->across)
		err = tx_query(tx, &sql_person_keys_get_jobs,
			PARAMS(db_uuids(load->tenants, load->count), db_uuids(load->subjects, load->count)), &rows);
	else
		err = tx_query(tx, &sql_person_keys_get,
			PARAMS(db_uuid(load->tenants), db_uuids(load->subjects, load->count)), &rows);
	if (err == OK)
		err = read_rows(load, rows);
	rows_free(&rows);
	if (err == OK && create)
		err = create_missing(tx, load);
	if (err != OK)
		seal_keys_free(load->keys, load->count);
	return err;
}

static bool is_scoped(const struct tx *tx, const struct uuid *tenant_id)
{
	return uuid_eq(tx_tenant(tx), tenant_id);
}

enum err seal_subjects_load(struct tx *tx, struct seal *seal, const struct uuid *tenant_id, const struct uuid *subjects,
	size_t count, bool create, struct seal_key **keys_out)
{
	bool rows[LOAD_MAX] = {false};
	struct load load = {.seal = seal,
		.count = count,
		.tenants = tenant_id,
		.subjects = subjects,
		.keys = keys_out,
		.rows = rows};

	INVARIANT(is_scoped(tx, tenant_id));
	memset(keys_out, 0, count * sizeof(struct seal_key *));
	if (count > LOAD_MAX)
		return ERR_TOO_LARGE;
	return count ? load_all(tx, &load, create) : OK;
}

enum err seal_subjects_queue(struct tx *tx, const struct uuid *tenant_id, const struct uuid *subjects, size_t count)
{
	INVARIANT(is_scoped(tx, tenant_id));
	if (count > LOAD_MAX)
		return ERR_TOO_LARGE;
	if (count == 1)
		return tx_queue(tx, &sql_person_key_get, PARAMS(db_uuid(tenant_id), db_uuid(subjects)));
	return tx_queue(tx, &sql_person_keys_get, PARAMS(db_uuid(tenant_id), db_uuids(subjects, count)));
}

enum err seal_subjects_next(struct tx *tx, struct seal *seal, const struct uuid *tenant_id, const struct uuid *subjects,
	size_t count, struct seal_key **keys_out)
{
	bool seen[LOAD_MAX] = {false};
	struct load load = {.seal = seal,
		.count = count,
		.tenants = tenant_id,
		.subjects = subjects,
		.keys = keys_out,
		.rows = seen};
	struct rows *rows = NULL;
	enum err err;

	INVARIANT(count <= LOAD_MAX);
	memset(keys_out, 0, count * sizeof(struct seal_key *));
	if ((err = tx_next(tx, &rows, NULL)) == OK)
		err = read_rows(&load, rows);
	rows_free(&rows);
	if (err != OK)
		seal_keys_free(keys_out, count);
	return err;
}

enum err seal_jobs_load(struct tx *jobs_tx, struct seal *seal, const struct uuid *tenants, const struct uuid *subjects,
	size_t count, struct seal_key **keys_out)
{
	bool rows[LOAD_MAX] = {false};
	struct load load = {.seal = seal,
		.count = count,
		.tenants = tenants,
		.across = true,
		.subjects = subjects,
		.keys = keys_out,
		.rows = rows};

	memset(keys_out, 0, count * sizeof(struct seal_key *));
	if (count > LOAD_MAX)
		return ERR_TOO_LARGE;
	return count ? load_all(jobs_tx, &load, false) : OK;
}

enum err seal_subject_load(struct tx *tx, struct seal *seal, const struct uuid *tenant_id,
	const struct uuid *subject_id, bool create, struct seal_key **key_out)
{
	struct uuid subject = subject_id ? *subject_id : UUID_NIL;
	enum err err = seal_subjects_load(tx, seal, tenant_id, &subject, 1, create, key_out);

	return err == OK && !*key_out ? ERR_GONE : err;
}

enum err seal_erase(struct tx *tx, const struct uuid *tenant_id, const struct uuid *subject_id)
{
	/* The tenant's own key is not a person's to take along. */
	INVARIANT(is_scoped(tx, tenant_id) && !uuid_is_nil(subject_id));
	return tx_exec(tx, &sql_person_keys_destroy,
		PARAMS(db_uuid(tenant_id), db_uuid(subject_id), db_time(clock_now_us())), NULL);
}

static enum err rewrap_rows(const struct seal *seal, struct rows *rows, struct parcel *parcel)
{
	uint8_t *scratch = seal->vault->scratch;
	enum err err;

	while (rows_next(rows)) {
		struct seal_owner owner = {rows_uuid(rows, 0), rows_uuid(rows, 1)};

		err = seal_unwrap(seal, &owner, rows_i64(rows, 2), rows_bytes(rows, 3), scratch);
		if (err != OK)
			return err;
		parcel_add(parcel, seal, &owner, scratch, 0);
	}
	sodium_memzero(scratch, SEAL_KEY_LEN);
	return OK;
}

enum err seal_rewrap(struct tx *jobs_tx, struct seal *seal, size_t limit, uint64_t *count_out)
{
	struct parcel *parcel = calloc(1, sizeof(*parcel));
	struct rows *rows = NULL;
	size_t n;
	enum err err = ERR_OVERLOADED;

	*count_out = 0;
	if (!parcel)
		goto done;
	if (limit > LOAD_MAX)
		limit = LOAD_MAX;
	err = tx_query(jobs_tx, &sql_person_keys_old, PARAMS(db_i64(seal_epoch(seal)), db_i64((int64_t)limit)), &rows);
	if (err != OK || (err = rewrap_rows(seal, rows, parcel)) != OK)
		goto done;
	if ((n = parcel->count) == 0)
		goto done;
	err = tx_exec(jobs_tx, &sql_person_keys_rewrap,
		PARAMS(db_uuids(parcel->tenants, n), db_uuids(parcel->subjects, n), db_bytess(parcel->wrapped, n),
			db_i64(seal_epoch(seal))),
		count_out);
done:
	rows_free(&rows);
	free(parcel);
	return err;
}
