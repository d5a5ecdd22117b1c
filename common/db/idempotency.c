/* SPDX-License-Identifier: Apache-2.0 */
#include "db/idempotency.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/log.h"
#include "idempotency_sql.h"

#define LIFE_US US_PER_DAY

/* The claims as the columns that the statements unnest. */
struct columns {
	struct uuid people[IDEMPOTENCY_BATCH_MAX];
	int64_t operations[IDEMPOTENCY_BATCH_MAX];
	struct str keys[IDEMPOTENCY_BATCH_MAX];
	struct str bodies[IDEMPOTENCY_BATCH_MAX];
	int64_t statuses[IDEMPOTENCY_BATCH_MAX];
	struct str replies[IDEMPOTENCY_BATCH_MAX];
	size_t places[IDEMPOTENCY_BATCH_MAX];
	size_t count;
};

#define KEY_COLUMNS(c) \
	db_uuids((c)->people, (c)->count), db_i64s((c)->operations, (c)->count), db_bytess((c)->keys, (c)->count)

static size_t columns_add(struct columns *c, const struct idempotency_claim *claim, size_t place)
{
	size_t n = c->count++;

	INVARIANT(n < IDEMPOTENCY_BATCH_MAX);
	c->people[n] = claim->person_id;
	c->operations[n] = claim->operation;
	c->keys[n] = (struct str){(const char *)claim->key_hash, sizeof(claim->key_hash)};
	c->bodies[n] = (struct str){(const char *)claim->body_hash, sizeof(claim->body_hash)};
	c->places[n] = place;
	return n;
}

struct idempotency_claim idempotency_claim(
	const struct uuid *tenant_id, const struct uuid *person_id, int operation, struct str key, struct str body)
{
	struct idempotency_claim claim = {.tenant_id = *tenant_id, .person_id = *person_id, .operation = operation};

	sha256(key, claim.key_hash);
	sha256(body, claim.body_hash);
	return claim;
}

/* A stored answer belongs to one claim: its place's row is made of what names the claim beside tenant and person. */
static struct uuid row_of(const struct idempotency_claim *claim)
{
	uint8_t bytes[36], digest[32];
	struct uuid id;

	for (size_t i = 0; i < 4; i++)
		bytes[i] = (uint8_t)((uint32_t)claim->operation >> (24 - 8 * i));
	memcpy(bytes + 4, claim->key_hash, sizeof(claim->key_hash));
	sha256((struct str){(const char *)bytes, sizeof(bytes)}, digest);
	memcpy(id.b, digest, sizeof(id.b));
	return id;
}

static bool is_same(const struct idempotency_claim *a, const struct idempotency_claim *b)
{
	return a->operation == b->operation && uuid_eq(&a->person_id, &b->person_id) &&
	       memcmp(a->key_hash, b->key_hash, sizeof(a->key_hash)) == 0;
}

/* The claims that the insert has made: each for the first of the batch that bears it. */
static void mark_new(
	const struct idempotency_claim *claims, size_t count, struct rows *rows, struct idempotency_answer *answers)
{
	while (rows_next(rows)) {
		struct idempotency_claim made = {.person_id = rows_uuid(rows, 0), .operation = (int)rows_i64(rows, 1)};
		struct str hash = rows_bytes(rows, 2);
		size_t i = 0;

		INVARIANT(hash.len == sizeof(made.key_hash));
		memcpy(made.key_hash, hash.p, hash.len);
		while (i < count && !is_same(&claims[i], &made))
			i++;
		INVARIANT(i < count);
		answers[i].err = OK;
	}
}

/* One stored row against its claim; leaves the sealed reply to be opened. */
static void judge(const struct idempotency_claim *claim, const struct rows *rows, struct arena *arena,
	struct idempotency_answer *answer)
{
	struct str body = rows_bytes(rows, 1);

	if (!str_eq(body, (struct str){(const char *)claim->body_hash, sizeof(claim->body_hash)})) {
		answer->err = ERR_KEY_REUSED;
		return;
	}
	if (rows_is_null(rows, 2))
		return; /* in progress: claimed in this very batch */
	answer->status = (int)rows_i64(rows, 2);
	answer->reply = rows_copy(rows, 3, arena);
	answer->found = true;
	answer->err = answer->reply.p || rows_is_null(rows, 3) ? OK : ERR_OVERLOADED;
}

static enum err open_one(const struct seal_key *key, const struct idempotency_claim *claim, struct arena *arena,
	struct idempotency_answer *answer)
{
	struct uuid row = row_of(claim);
	struct seal_place place = {&claim->tenant_id, "idempotency", "reply", &row};
	struct str sealed = answer->reply;
	enum err err = seal_open(key, &place, sealed, arena, &answer->reply);

	answer->err = err;
	answer->found = err == OK;
	/* An erased or damaged answer is this item's alone. */
	return err == ERR_OVERLOADED ? err : OK;
}

static enum err open_found(struct tx *tx, struct seal *seal, const struct idempotency_claim *claims, size_t count,
	struct arena *arena, struct idempotency_answer *answers)
{
	struct uuid people[IDEMPOTENCY_BATCH_MAX] = {0};
	struct seal_key *keys[IDEMPOTENCY_BATCH_MAX] = {0};
	size_t places[IDEMPOTENCY_BATCH_MAX] = {0};
	size_t n = 0;
	enum err err;

	for (size_t i = 0; i < count; i++) {
		if (!answers[i].found || answers[i].err != OK || !answers[i].reply.p)
			continue;
		people[n] = claims[i].person_id;
		places[n++] = i;
	}
	if ((err = seal_subjects_load(tx, seal, &claims[0].tenant_id, people, n, false, keys)) != OK)
		return err;
	for (size_t k = 0; k < n && err == OK; k++)
		err = open_one(keys[k], &claims[places[k]], arena, &answers[places[k]]);
	seal_keys_free(keys, n);
	return err;
}

/* What stood there before, for the claims that were not made. */
static enum err read_old(struct tx *tx, struct seal *seal, const struct idempotency_claim *claims, size_t count,
	struct columns *c, struct arena *arena, struct idempotency_answer *answers)
{
	struct rows *rows = NULL;
	enum err err;

	c->count = 0;
	for (size_t i = 0; i < count; i++)
		if (answers[i].err != OK)
			columns_add(c, &claims[i], i);
	if (c->count == 0)
		return OK;
	err = tx_query(tx, &sql_idempotency_read, PARAMS(db_uuid(&claims[0].tenant_id), KEY_COLUMNS(c)), &rows);
	if (err != OK)
		return err;
	while (rows_next(rows)) {
		int64_t k = rows_i64(rows, 0) - 1;

		INVARIANT(k >= 0 && (size_t)k < c->count);
		judge(&claims[c->places[k]], rows, arena, &answers[c->places[k]]);
	}
	rows_free(&rows);
	return open_found(tx, seal, claims, count, arena, answers);
}

enum err idempotency_begin_many(struct tx *tx, struct seal *seal, const struct idempotency_claim *claims, size_t count,
	struct arena *arena, struct idempotency_answer *answers_out)
{
	struct columns *c;
	struct rows *rows = NULL;
	enum err err;

	if (count == 0)
		return OK;
	if (count > IDEMPOTENCY_BATCH_MAX)
		return ERR_TOO_LARGE;
	if (!(c = arena_take(arena, sizeof(*c))))
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++) {
		INVARIANT(uuid_eq(&claims[i].tenant_id, &claims[0].tenant_id));
		columns_add(c, &claims[i], i);
		answers_out[i] = (struct idempotency_answer){.err = ERR_IN_PROGRESS};
	}
	err = tx_query(tx, &sql_idempotency_claim,
		PARAMS(db_uuid(&claims[0].tenant_id), KEY_COLUMNS(c), db_bytess(c->bodies, count),
			db_time(clock_now_us())),
		&rows);
	if (err != OK) /* the other request is still at it after the whole lock time-out */
		return strcmp(tx_sqlstate(tx), "55P03") == 0 ? ERR_IN_PROGRESS : err;
	mark_new(claims, count, rows, answers_out);
	rows_free(&rows);
	return read_old(tx, seal, claims, count, c, arena, answers_out);
}

enum err idempotency_begin(struct tx *tx, struct seal *seal, const struct idempotency_claim *claim, struct arena *arena,
	struct idempotency_answer *answer_out)
{
	enum err err = idempotency_begin_many(tx, seal, claim, 1, arena, answer_out);

	return err != OK ? err : answer_out->err;
}

static enum err seal_reply(const struct seal_key *key, const struct idempotency_claim *claim, struct str reply,
	struct arena *arena, struct str *sealed_out)
{
	struct uuid row = row_of(claim);
	struct seal_place place = {&claim->tenant_id, "idempotency", "reply", &row};

	*sealed_out = STR_NONE;
	if (reply.len > IDEMPOTENCY_REPLY_MAX)
		return ERR_TOO_LARGE;
	return seal_field(key, &place, reply, arena, sealed_out);
}

/* Those to be answered go to `kept`, the others to `dropped`; a person without a key (erased) has no answer to keep. */
static enum err sort_out(const struct idempotency_claim *claims, const struct seal_key *const *keys,
	const int *statuses, const struct str *replies, size_t count, struct columns *kept, struct columns *dropped,
	struct arena *arena)
{
	struct str sealed;
	enum err err;

	for (size_t i = 0; i < count; i++) {
		size_t n;

		if (!replies[i].p || !keys[i]) {
			columns_add(dropped, &claims[i], i);
			continue;
		}
		if ((err = seal_reply(keys[i], &claims[i], replies[i], arena, &sealed)) != OK)
			return err;
		n = columns_add(kept, &claims[i], i);
		kept->statuses[n] = statuses[i];
		kept->replies[n] = sealed;
	}
	return OK;
}

static enum err finish_with(struct tx *tx, const struct idempotency_claim *claims, const struct seal_key *const *keys,
	const int *statuses, const struct str *replies, size_t count, struct arena *arena)
{
	struct columns *kept = arena_take(arena, sizeof(*kept));
	struct columns *dropped = arena_take(arena, sizeof(*dropped));
	const struct uuid *tenant = &claims[0].tenant_id;
	enum err err;

	if (!kept || !dropped)
		return ERR_OVERLOADED;
	if ((err = sort_out(claims, keys, statuses, replies, count, kept, dropped, arena)) != OK)
		return err;
	if (kept->count)
		err = tx_queue_quiet(tx, &sql_idempotency_answer,
			PARAMS(db_uuid(tenant), KEY_COLUMNS(kept), db_bytess(kept->bodies, kept->count),
				db_i64s(kept->statuses, kept->count), db_bytess(kept->replies, kept->count),
				db_time(clock_now_us())));
	for (size_t i = 0; i < dropped->count && err == OK; i++)
		err = tx_queue_quiet(tx, &sql_idempotency_drop,
			PARAMS(db_uuid(tenant), db_uuid(&dropped->people[i]), db_i64(dropped->operations[i]),
				db_bytes(dropped->keys[i])));
	return err;
}

enum err idempotency_finish_many(struct tx *tx, struct seal *seal, const struct idempotency_claim *claims,
	const struct seal_key *const *keys, const int *statuses, const struct str *replies, size_t count,
	struct arena *arena)
{
	struct uuid people[IDEMPOTENCY_BATCH_MAX] = {0};
	struct seal_key *loaded[IDEMPOTENCY_BATCH_MAX] = {0};
	const struct seal_key *used[IDEMPOTENCY_BATCH_MAX] = {0};
	size_t places[IDEMPOTENCY_BATCH_MAX] = {0};
	size_t n = 0;
	enum err err;

	if (count == 0)
		return OK;
	if (count > IDEMPOTENCY_BATCH_MAX)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < count; i++) {
		used[i] = keys ? keys[i] : NULL;
		if (used[i] || !replies[i].p)
			continue;
		people[n] = claims[i].person_id;
		places[n++] = i;
	}
	if ((err = seal_subjects_load(tx, seal, &claims[0].tenant_id, people, n, true, loaded)) != OK)
		return err;
	for (size_t k = 0; k < n; k++)
		used[places[k]] = loaded[k];
	err = finish_with(tx, claims, used, statuses, replies, count, arena);
	seal_keys_free(loaded, n);
	return err;
}

enum err idempotency_finish(struct tx *tx, struct seal *seal, const struct idempotency_claim *claim,
	const struct seal_key *key, int status, struct str reply, struct arena *arena)
{
	/* Even an empty reply is an answer. */
	struct str answer = reply.p ? reply : STR("");

	return idempotency_finish_many(tx, seal, claim, key ? &key : NULL, &status, &answer, 1, arena);
}

enum err idempotency_sweep(struct tx *jobs_tx, instant_us now, size_t limit, uint64_t *deleted_out)
{
	return tx_exec(
		jobs_tx, &sql_idempotency_sweep, PARAMS(db_time(now - LIFE_US), db_i64((int64_t)limit)), deleted_out);
}

enum err idempotency_forget(struct tx *tx, const struct uuid *tenant_id, const struct uuid *person_id)
{
	return tx_exec(tx, &sql_idempotency_forget, PARAMS(db_uuid(tenant_id), db_uuid(person_id)), NULL);
}
