/* SPDX-License-Identifier: Apache-2.0 */
#include "job_checkpoint.h"

#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "config.h"
#include "merkle.h"
#include "rules.h"
#include "state.h"
#include "store_checkpoint.h"
#include "store_log.h"

#define ARENA_MAX (1U << 20)

static void root_of(const struct log_end *end, struct hash *root_out)
{
	struct merkle_tree tree = {.size = end->size};

	memcpy(tree.peaks, end->peaks, sizeof(tree.peaks));
	merkle_root(&tree, root_out);
}

/* The stored nodes must prove that the new head continues the last one: no leaf under it was changed or dropped. */
static enum err check_growth(struct store *store, const struct head_row *last, uint64_t size, const struct hash *root)
{
	struct hash nodes[MERKLE_NEEDS_MAX], proof[MERKLE_PROOF_MAX];
	int64_t places[MERKLE_NEEDS_MAX];
	struct merkle_plan plan;
	enum err err;

	if (last->size == 0)
		return OK;
	if (merkle_plan_consistency(last->size, size, &plan) != OK)
		return ERR_INTERNAL;
	for (size_t i = 0; i < plan.need_count; i++)
		places[i] = (int64_t)plan.needs[i].place;
	if ((err = store_log_nodes(store, places, plan.need_count, nodes)) != OK)
		return err;
	merkle_prove(&plan, nodes, proof);
	return merkle_verify_consistency(last->size, &last->root, size, root, proof, plan.proof_len) ? OK
	                                                                                             : ERR_INTERNAL;
}

static enum err sign(struct store *store, const struct signer *signer, struct head_row *head)
{
	enum err err;

	if ((err = note_sign(signer, head)) != OK)
		return err;
	CRASH_POINT("audit.checkpoint.signed");
	if ((err = store_checkpoint_append(store, head)) != OK || (err = store_commit(store)) != OK)
		return err;
	CRASH_POINT("audit.checkpoint.stored");
	return OK;
}

enum err job_checkpoint_once(struct db *jobs, struct arena *arena, const struct signer *signer, struct str origin,
	instant_us now, uint64_t *size_out)
{
	struct head_row last, head = {.origin = origin, .at = now};
	struct store store = {0};
	struct log_end end;
	bool has_last;
	enum err err;

	if ((err = store_begin_jobs(jobs, arena, &store)) != OK)
		goto done;
	/* The head first: the log only grows, so its end, read later, is not behind it. */
	if ((err = store_checkpoint_newest(&store, &last)) != OK && err != ERR_NOT_FOUND)
		goto done;
	has_last = err == OK;
	if ((err = store_log_end(&store, &end)) != OK)
		goto done;
	*size_out = last.size;
	switch (rules_head_step(has_last, last.size, end.size)) {
	case HEAD_CURRENT:
		goto done;
	case HEAD_LOST:
		err = ERR_INTERNAL;
		goto done;
	case HEAD_DUE:
		break;
	}
	head.size = end.size;
	root_of(&end, &head.root);
	if (has_last && (err = check_growth(&store, &last, head.size, &head.root)) != OK)
		goto done;
	if ((err = sign(&store, signer, &head)) == OK)
		*size_out = head.size;
done:
	store_release(&store);
	return err;
}

static void tick(struct context *context, struct db *jobs, struct arena *arena)
{
	struct state *state = context_state(context);
	uint64_t size = atomic_load(&state->signed_size);
	enum err err = job_checkpoint_once(jobs, arena, state->signer, str_from(state->origin), clock_now_us(), &size);
	bool bad = err == ERR_INTERNAL;

	arena_reset(arena);
	atomic_store(&state->signed_size, size);
	if (err != OK && !bad)
		return;
	if (atomic_exchange(&state->inconsistent, bad) != bad)
		log_event(bad ? LOG_ERROR : LOG_INFO, bad ? "audit_log_inconsistent" : "audit_log_consistent",
			LOG_I("signed_size", size));
}

void job_checkpoint_run(struct context *context)
{
	const struct audit_config *config = context_config(context);
	struct arena *arena = arena_new(ARENA_MAX);
	struct db *jobs = NULL;

	if (!arena || context_db_jobs(context, &jobs) != OK) {
		log_event(LOG_ERROR, "job_failed", LOG_C("job", "checkpoint"));
		goto done;
	}
	while (!context_stopping(context)) {
		tick(context, jobs, arena);
		context_wait(context, (uint64_t)config->checkpoint_ms);
	}
done:
	db_free(&jobs);
	arena_free(&arena);
}
