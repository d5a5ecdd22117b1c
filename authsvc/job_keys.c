/* SPDX-License-Identifier: Apache-2.0 */
#include "job_keys.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "state.h"
#include "store_key.h"
#include "token/keyring.h"

#define TURN_GAP_MS 5000
#define KEYS_ARENA_BYTES (1U << 20)
#define STEPS_MAX 4 /* of one algorithm in one turn */
#define COUNT_OF_ALGS (sizeof(algs) / sizeof(algs[0]))

static const enum jwk_alg algs[] = {JWK_EDDSA, JWK_ES256, JWK_RS256};

/* Each process of ours signs by the keys of its last turn, and all others have fetched them since. */
_Static_assert(KEY_KNOWN_US >= (KEYRING_REFRESH_MS + 2 * TURN_GAP_MS) * US_PER_MS, "a key is known before it signs");

static struct str public_jwk_of(struct arena *arena, const struct signing_key *key)
{
	struct json_writer w;
	struct str text;
	struct buf buf;

	buf_init(&buf, 8192);
	w = json_writer_over(&buf);
	jwk_write(signing_key_public(key), &w);
	text = buf_ok(&buf) ? arena_copy(arena, buf_str(&buf)) : STR_NONE;
	buf_release(&buf);
	return text;
}

static enum err make_key(struct store *store, enum jwk_alg alg, enum key_state state, instant_us now)
{
	struct signing_key *key = NULL;
	struct secret *der = NULL;
	struct key_record record;
	enum err err;

	if ((err = signing_key_generate(alg, &key)) != OK)
		goto done;
	if ((err = signing_key_export(key, &der)) != OK)
		goto done;
	record = (struct key_record){
		.id = uuid_new(),
		.kid = str_from(signing_key_kid(key)),
		.alg = str_from(jwk_alg_name(alg)),
		.state = state,
		.public_jwk = public_jwk_of(store->arena, key),
		.private_der = secret_str(der),
		.created_at = now,
		.activated_at = state == KEY_ACTIVE ? now : 0,
	};
	if (record.public_jwk.p == NULL) {
		err = ERR_OVERLOADED;
		goto done;
	}
	err = store_key_insert(store, &record);
	log_event(LOG_INFO, "signing_key_made", LOG_C("alg", jwk_alg_name(alg)), LOG_S("kid", record.kid),
		LOG_C("state", rules_key_state_name(state)));
done:
	secret_free(&der);
	signing_key_free(&key);
	return err;
}

static struct key_ages ages_of(const struct key_record *records, size_t count, enum jwk_alg alg)
{
	struct key_ages ages = {0};

	for (size_t i = 0; i < count; i++) {
		if (!str_eq_c(records[i].alg, jwk_alg_name(alg)))
			continue;
		if (records[i].state == KEY_NEXT)
			ages.next_made_at = records[i].created_at;
		if (records[i].state == KEY_ACTIVE)
			ages.active_since = records[i].activated_at;
	}
	return ages;
}

/* Carries out one step for the algorithm; *step_out KEY_STEP_NONE: nothing is left to do. */
static enum err one_step(struct store *store, enum jwk_alg alg, bool force, instant_us now, enum key_step *step_out)
{
	struct key_record records[KEY_RECORDS_MAX];
	struct key_ages ages;
	size_t count;
	enum err err;

	if ((err = store_key_list(store, false, records, &count)) != OK)
		return err;
	ages = ages_of(records, count, alg);
	*step_out = rules_key_decide(&ages, force, now);
	switch (*step_out) {
	case KEY_STEP_NONE:
		return OK;
	case KEY_STEP_MAKE_ACTIVE:
		return make_key(store, alg, KEY_ACTIVE, now);
	case KEY_STEP_MAKE_NEXT:
		return make_key(store, alg, KEY_NEXT, now);
	case KEY_STEP_PROMOTE:
		log_event(LOG_INFO, "signing_key_promoted", LOG_C("alg", jwk_alg_name(alg)));
		return store_key_promote(store, str_from(jwk_alg_name(alg)), now);
	}
	return ERR_INTERNAL;
}

/* Whether a turn would do anything: asked without the lock. */
static bool is_due(const struct key_record *records, size_t count, bool force, instant_us now)
{
	for (size_t i = 0; i < COUNT_OF_ALGS; i++) {
		struct key_ages ages = ages_of(records, count, algs[i]);

		if (rules_key_decide(&ages, force, now) != KEY_STEP_NONE)
			return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (records[i].state == KEY_RETIRED && rules_key_gone(records[i].retired_at, now))
			return true;
	}
	return false;
}

/* Whether another rotation fits among the keys that a process holds at once, once the oldest are forgotten. */
static enum err check_room(struct store *store)
{
	struct key_record records[KEY_RECORDS_MAX];
	size_t count;
	enum err err = store_key_list(store, false, records, &count);

	return err == OK && count + COUNT_OF_ALGS > KEY_RECORDS_MAX ? ERR_TOO_LARGE : err;
}

static enum err change(struct store *store, bool force, instant_us now)
{
	enum err err;

	if ((err = store_key_lock(store)) != OK)
		return err;
	if ((err = store_key_forget(store, now - KEY_OVERLAP_US)) != OK)
		return err;
	if (force && (err = check_room(store)) != OK)
		return err;
	for (size_t i = 0; i < COUNT_OF_ALGS; i++) {
		enum key_step step = KEY_STEP_NONE;
		bool forcing = force;

		for (int turn = 0; turn < STEPS_MAX; turn++) {
			if ((err = one_step(store, algs[i], forcing, now, &step)) != OK)
				return err;
			if (step == KEY_STEP_NONE)
				break;
			if (step == KEY_STEP_PROMOTE)
				forcing = false;
		}
	}
	return OK;
}

static enum err add_key(struct key_set *set, const struct key_record *record)
{
	struct signing_key *key = NULL;
	enum err err = OK;

	if (record->state == KEY_ACTIVE)
		err = signing_key_load(record->private_der, &key);
	if (err == OK)
		err = keys_set_add(set, record->public_jwk, &key);
	if (record->private_der.p != NULL)
		sodium_memzero((void *)(uintptr_t)record->private_der.p, record->private_der.len);
	signing_key_free(&key);
	return err;
}

static enum err load(struct state *state, struct store *store)
{
	struct key_record records[KEY_RECORDS_MAX];
	struct key_set *set = keys_set_new();
	size_t count;
	enum err err;

	if (set == NULL)
		return ERR_OVERLOADED;
	err = store_key_list(store, true, records, &count);
	for (size_t i = 0; err == OK && i < count; i++)
		err = add_key(set, &records[i]);
	if (err == OK)
		err = keys_replace(state->keys, &set);
	keys_set_free(&set);
	return err;
}

/* What turns need; kept between them by the job. */
struct turner {
	struct db *db;
	struct seal *seal;
	struct arena *arena;
	uint8_t loaded[32]; /* digest of the list that the process signs with */
};

static enum err turner_open(struct context *context, struct turner *turner)
{
	enum err err;

	*turner = (struct turner){.arena = arena_new(KEYS_ARENA_BYTES)};
	if (turner->arena == NULL)
		return ERR_OVERLOADED;
	if ((err = context_seal(context, &turner->seal)) != OK)
		return err;
	return context_db_app(context, &turner->db);
}

static void turner_close(struct turner *turner)
{
	db_free(&turner->db);
	seal_free(&turner->seal);
	arena_free(&turner->arena);
}

static bool is_news(struct turner *turner, const struct key_record *records, size_t count)
{
	uint8_t digest[32];
	struct str text = STR("");
	bool news;

	for (size_t i = 0; i < count; i++)
		text = arena_printf(turner->arena, "%.*s%.*s:%s;", STR_ARG(text), STR_ARG(records[i].kid),
			rules_key_state_name(records[i].state));
	sha256(text, digest);
	news = text.p == NULL || memcmp(digest, turner->loaded, sizeof(digest)) != 0;
	memcpy(turner->loaded, digest, sizeof(digest));
	return news;
}

static enum err take_turn(struct context *context, struct turner *turner, bool force)
{
	struct key_record records[KEY_RECORDS_MAX];
	struct store store = {0};
	bool news;
	size_t count;
	enum err err;

	arena_reset(turner->arena);
	if ((err = store_begin(turner->db, turner->seal, turner->arena, &STORE_NO_TENANT, &store)) != OK)
		goto done;
	if ((err = store_key_list(&store, false, records, &count)) != OK)
		goto done;
	if (is_due(records, count, force, clock_now_us())) {
		if ((err = change(&store, force, clock_now_us())) != OK)
			goto done;
		if ((err = store_key_list(&store, false, records, &count)) != OK)
			goto done;
	}
	news = is_news(turner, records, count);
	if (news && (err = load(state_of(context), &store)) != OK)
		goto done;
	err = store_commit(&store);
	/* The process checks tokens too; a command of an operator does not. */
	if (err == OK && news && context_keyring(context) != NULL)
		err = keyring_refresh(context_keyring(context));
done:
	store_release(&store);
	if (err != OK) {
		memset(turner->loaded, 0, sizeof(turner->loaded));
		log_event(LOG_WARN, "signing_keys_turn_failed", LOG_C("code", err_code(err)));
	}
	return err;
}

enum err job_keys_turn(struct context *context)
{
	struct turner turner;
	enum err err = turner_open(context, &turner);

	if (err == OK)
		err = take_turn(context, &turner, false);
	turner_close(&turner);
	return err;
}

void job_keys_run(struct context *context)
{
	struct turner turner;

	if (turner_open(context, &turner) != OK)
		log_event(LOG_ERROR, "signing_keys_job_failed");
	while (turner.db != NULL && !context_stopping(context)) {
		uint64_t next_us = clock_monotonic_us() + TURN_GAP_MS * 1000ULL;

		if (take_turn(context, &turner, false) != OK)
			next_us -= TURN_GAP_MS * 800ULL; /* soon again */
		while (!context_stopping(context) && clock_monotonic_us() < next_us)
			context_wait(context, TURN_GAP_MS / 5); /* pokes are meant for other jobs */
	}
	turner_close(&turner);
}

/* How long until the next keys may sign, and when there is room for another rotation at the latest. */
static enum err look(struct turner *turner, int64_t *wait_us_out, instant_us *room_at_out)
{
	struct key_record records[KEY_RECORDS_MAX];
	const instant_us now = clock_now_us();
	struct store store = {0};
	size_t count;
	enum err err;

	*wait_us_out = *room_at_out = 0;
	arena_reset(turner->arena);
	if ((err = store_begin(turner->db, turner->seal, turner->arena, &STORE_NO_TENANT, &store)) == OK)
		err = store_key_list(&store, false, records, &count);
	store_release(&store);
	if (err != OK)
		return err;
	for (size_t i = 0; i < COUNT_OF_ALGS; i++) {
		struct key_ages ages = ages_of(records, count, algs[i]);
		int64_t wait_us = rules_key_wait_us(&ages, now);

		*wait_us_out = wait_us > *wait_us_out ? wait_us : *wait_us_out;
	}
	/* The oldest of one rotation are forgotten together. */
	if (count > 0 && records[count - 1].state == KEY_RETIRED)
		*room_at_out = records[count - 1].retired_at + KEY_OVERLAP_US;
	return OK;
}

static void tell_no_room(instant_us room_at)
{
	char when[INSTANT_TEXT_MAX];

	instant_format(room_at, when);
	(void)fprintf(stderr,
		"not rotated: the keys were rotated so often that %d are needed to check the tokens that live, and no "
		"process holds more; there is room again at %s\n",
		KEY_RECORDS_MAX, when);
}

/* Waits until the next keys are known everywhere, and hands over to them. */
static enum err rotate(struct context *context, struct turner *turner)
{
	instant_us room_at = 0;
	int64_t wait_us;
	enum err err;

	while ((err = take_turn(context, turner, false)) == OK && (err = look(turner, &wait_us, &room_at)) == OK &&
		wait_us > 0) {
		(void)fprintf(stderr, "the next keys are new: they sign in %jd s, when every process knows them\n",
			(intmax_t)(wait_us / US_PER_S + 1));
		context_wait(context, (uint64_t)(wait_us / US_PER_MS + 1));
		if (context_stopping(context))
			return ERR_DRAINING;
	}
	if (err == OK && (err = take_turn(context, turner, true)) == ERR_TOO_LARGE)
		tell_no_room(room_at);
	return err;
}

int job_keys_rotate(struct context *context, int argc, char **argv)
{
	struct turner turner = {0};
	enum err err;

	(void)argv;
	if (argc > 0) {
		(void)fprintf(stderr, "--rotate-keys takes no argument\n");
		return 2;
	}
	if ((err = state_open(context)) == OK && (err = turner_open(context, &turner)) == OK)
		err = rotate(context, &turner);
	turner_close(&turner);
	state_close(context);
	return err == OK ? 0 : 1;
}

enum err job_keys_fetch(struct context *context, struct buf *document_out)
{
	struct key_set *set = keys_hold(state_of(context)->keys);

	if (set == NULL)
		return ERR_UNAVAILABLE;
	buf_put_str(document_out, keys_document(set));
	keys_set_free(&set);
	return buf_ok(document_out) ? OK : ERR_TOO_LARGE;
}
