/* SPDX-License-Identifier: Apache-2.0 */
#include "job_mail.h"

#include "base/log.h"
#include "service/crash.h"
#include "state.h"
#include "store_mail.h"

#define IDLE_MS 1000
#define LEASE_US (120 * US_PER_S) /* longer than one attempt takes; whoever dies in it is followed by another */
#define ARENA_BYTES (1U << 20)

struct postman {
	struct db *db;
	struct seal *seal;
	struct arena *arena;
};

static enum err postman_open(struct context *context, struct postman *postman)
{
	enum err err;

	*postman = (struct postman){.arena = arena_new(ARENA_BYTES)};
	if (postman->arena == NULL)
		return ERR_OVERLOADED;
	if ((err = context_seal(context, &postman->seal)) != OK)
		return err;
	return context_db_jobs(context, &postman->db);
}

static void postman_close(struct postman *postman)
{
	db_free(&postman->db);
	seal_free(&postman->seal);
	arena_free(&postman->arena);
}

static enum err hand_over(struct state *state, const struct mail_record *record)
{
	struct mail mail = {
		.to = record->recipient,
		.from = str_from(state->config->mail_from),
		.from_name = str_from(state->config->mail_from_name),
		.subject = record->subject,
		.text = record->text,
	};

	return egress_send_mail(state->egress, &mail);
}

/* A mail of an erased person, one whose link has run out, and one that the hop refuses for good are given up. */
static enum err settle(struct postman *postman, struct state *state, const struct mail_record *record, enum err sent)
{
	instant_us now = clock_now_us();

	if (sent == OK)
		return store_mail_delete(postman->db, record->row_id);
	if (sent == ERR_UNAVAILABLE && now < record->expires_at)
		return store_mail_defer(postman->db, record->row_id, now + rules_mail_backoff_us(record->attempts));
	atomic_fetch_add(&state->counts.mails_dropped, 1);
	log_event(LOG_ERROR, "mail_dropped", LOG_C("code", err_code(sent)), LOG_I("attempts", record->attempts));
	return store_mail_delete(postman->db, record->row_id);
}

/* ERR_NOT_FOUND: nothing is due. */
static enum err send_one(struct context *context, struct postman *postman)
{
	struct mail_record record;
	enum err err, sent;

	arena_reset(postman->arena);
	err = store_mail_claim(postman->db, postman->seal, postman->arena, clock_now_us(), LEASE_US, &record);
	if (err != OK)
		return err;
	CRASH_POINT("mail.claimed");
	sent = record.recipient.p != NULL ? hand_over(state_of(context), &record) : ERR_GONE;
	atomic_store(&state_of(context)->mail_away, sent == ERR_UNAVAILABLE);
	CRASH_POINT("mail.sent");
	return settle(postman, state_of(context), &record, sent);
}

void job_mail_run(struct context *context)
{
	struct postman postman;

	if (postman_open(context, &postman) != OK)
		log_event(LOG_ERROR, "mail_job_failed");
	while (postman.db != NULL && !context_stopping(context)) {
		if (send_one(context, &postman) != OK)
			context_wait(context, IDLE_MS);
	}
	postman_close(&postman);
}
