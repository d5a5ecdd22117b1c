/* SPDX-License-Identifier: Apache-2.0 */
#include "job_revocation.h"

#include <stdio.h>

#include "base/log.h"
#include "contract/revocations.h"
#include "state.h"
#include "store_grant.h"

#define IDLE_MS 200
#define BATCH 256

struct herald {
	struct db *db;
	struct cache *cache;
	uint64_t generation; /* of the connection on which all was written; 0: none yet */
};

static const char *const kinds[REVOKED_KINDS] = {
	[REVOKED_SESSION] = REVOCATIONS_KIND_SESSION,
	[REVOKED_TOKEN] = REVOCATIONS_KIND_TOKEN,
	[REVOKED_PERSON] = REVOCATIONS_KIND_PERSON,
	[REVOKED_CLIENT] = REVOCATIONS_KIND_CLIENT,
	[REVOKED_TENANT] = REVOCATIONS_KIND_TENANT,
};

static enum err publish(struct herald *herald, const struct revocation_record *record)
{
	char id[UUID_TEXT_LEN + 1], before[24], until[24];
	struct cache_field fields[] = {
		{REVOCATIONS_FIELD_KIND, str_from(kinds[record->kind])},
		{REVOCATIONS_FIELD_ID, {id, UUID_TEXT_LEN}},
		{REVOCATIONS_FIELD_BEFORE, STR_NONE},
		{REVOCATIONS_FIELD_UNTIL, STR_NONE},
	};

	uuid_format(&record->object_id, id);
	(void)snprintf(before, sizeof(before), "%lld", (long long)record->before);
	(void)snprintf(until, sizeof(until), "%lld", (long long)record->until);
	fields[2].value = str_from(before);
	fields[3].value = str_from(until);
	return store_cache_append(herald->cache, REVOCATIONS_STREAM, clock_now_us() / US_PER_MS - REVOCATIONS_KEEP_MS,
		fields, sizeof(fields) / sizeof(fields[0]));
}

/* Written first, marked published after: a crash between says it twice, never not at all. */
static enum err publish_new(struct context *context, struct herald *herald, size_t *count_out)
{
	struct revocation_record records[BATCH];
	struct tx *tx = NULL;
	size_t told = 0;
	enum err err;

	*count_out = 0;
	if ((err = tx_begin_jobs(herald->db, &tx)) != OK)
		goto done;
	if ((err = store_revocation_unpublished(tx, BATCH, records, count_out)) != OK || *count_out == 0)
		goto done;
	while (told < *count_out && (err = publish(herald, &records[told])) == OK)
		told++;
	if (told == 0)
		goto done;
	if ((err = store_revocation_published(tx, records, told, clock_now_us())) != OK)
		goto done;
	if ((err = tx_commit(&tx)) == OK)
		atomic_fetch_add(&state_of(context)->counts.revocations_published, told);
done:
	tx_free(&tx);
	return err;
}

static enum err publish_live(struct herald *herald)
{
	struct revocation_record records[BATCH];
	struct tx *tx = NULL;
	int64_t after = 0;
	size_t count = 0;
	enum err err;

	if ((err = tx_begin_jobs(herald->db, &tx)) != OK)
		goto done;
	do {
		if ((err = store_revocation_live(tx, after, clock_now_us(), BATCH, records, &count)) != OK)
			goto done;
		for (size_t i = 0; i < count; i++) {
			if ((err = publish(herald, &records[i])) != OK)
				goto done;
			after = records[i].row_id;
		}
	} while (count == BATCH);
	err = store_cache_mark(herald->cache, REVOCATIONS_MARKER);
done:
	tx_free(&tx);
	return err;
}

/* A new connection may be one to a Redis that came back with less; a missing mark says that it lost all. */
static enum err restore(struct herald *herald)
{
	bool marked;
	enum err err;

	if ((err = store_cache_marked(herald->cache, REVOCATIONS_MARKER, &marked)) != OK)
		return err;
	if (marked && herald->generation == store_cache_generation(herald->cache))
		return OK;
	log_event(LOG_INFO, "revocations_restored", LOG_I("marked", marked));
	if ((err = publish_live(herald)) == OK)
		herald->generation = store_cache_generation(herald->cache);
	return err;
}

void job_revocation_run(struct context *context)
{
	struct herald herald = {.cache = state_cache(context)};
	size_t count;
	enum err err;

	if (herald.cache == NULL || context_db_jobs(context, &herald.db) != OK)
		log_event(LOG_ERROR, "revocation_job_failed");
	while (herald.cache != NULL && herald.db != NULL && !context_stopping(context)) {
		count = 0;
		if ((err = restore(&herald)) == OK)
			err = publish_new(context, &herald, &count);
		atomic_store(&state_of(context)->cache_away, err != OK);
		if (err != OK || count < BATCH)
			context_wait(context, IDLE_MS);
	}
	store_cache_free(&herald.cache);
	db_free(&herald.db);
}
