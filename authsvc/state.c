/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "breached_own.h"
#include "egress/egress_address.h"
#include "job_keys.h"

#define THROTTLE_ENTRIES 65536
#define REDIS_USER "authsvc"

struct state *state_of(struct context *context)
{
	return context_state(context);
}

struct cache *state_cache(struct context *context)
{
	const struct auth_config *config = context_config(context);

	return store_cache_new(config->redis_socket, REDIS_USER, config->redis_password);
}

static enum err open_egress(struct context *context, struct state *state)
{
	const struct auth_config *config = state->config;
	struct egress_config egress = {
		.allow_list_path = config->egress_allow_file,
		.smtp_url = config->smtp_url,
		.smtp_user = config->smtp_user,
		.smtp_password = config->smtp_password,
		.ca_file = config->smtp_ca_file,
		.proxy = config->egress_proxy,
		/*
		 * A sink on the loopback of a developer's machine speaks no TLS; nothing else is ever sent in the
		 * clear.
		 */
		.smtp_plain_ok = strcmp(context_environment(context), "development") == 0,
	};

	if (!egress_address_ok(str_from(config->mail_from)))
		return config_refuse("BERTH_MAIL_FROM", ERR_BAD_FIELD);
	if (config->trace_url != NULL && !egress_url_ok(str_from(config->trace_url)))
		return config_refuse("BERTH_TRACE_URL", ERR_BAD_FIELD);
	return egress_new(&egress, &state->egress);
}

/* Before the process is filtered: nothing is opened later. */
static enum err open_lists(struct state *state)
{
	const char *path = state->config->breached_file;
	const char *reason;
	enum err err;

	err = breached_over(
		(struct str){(const char *)breached_own_bytes, breached_own_len}, &state->breached[0], &reason);
	if (err == OK && path != NULL)
		err = breached_open(path, &state->breached[1], &reason);
	if (err == OK)
		return OK;
	log_event(LOG_ERROR, "breached_passwords_refused", LOG_C("reason", reason));
	return config_refuse("BERTH_BREACHED_PASSWORDS_FILE", err);
}

static enum err fill(struct context *context, struct state *state)
{
	enum err err;

	state->config = context_config(context);
	if ((err = open_lists(state)) != OK)
		return err;
	if ((err = vault_new(state->config->client_secret_key, &state->vault)) != OK)
		return config_refuse("BERTH_CLIENT_SECRET_KEY_FILE", err);
	if ((err = hasher_new(state->config->peppers, (size_t)state->config->argon2_parallel,
		     (size_t)state->config->argon2_queue, &state->hasher)) != OK)
		return config_refuse("BERTH_PEPPERS_FILE", err);
	state->keys = keys_new();
	state->throttle = throttle_new(THROTTLE_ENTRIES);
	state->directory = directory_new();
	if (state->keys == NULL || state->throttle == NULL || state->directory == NULL)
		return ERR_OVERLOADED;
	return open_egress(context, state);
}

static void state_free(struct state **state)
{
	if (*state == NULL)
		return;
	egress_free(&(*state)->egress);
	breached_release(&(*state)->breached[0]);
	breached_release(&(*state)->breached[1]);
	directory_free(&(*state)->directory);
	throttle_free(&(*state)->throttle);
	keys_free(&(*state)->keys);
	hasher_free(&(*state)->hasher);
	vault_free(&(*state)->vault);
	free(*state);
	*state = NULL;
}

enum err state_open(struct context *context)
{
	struct state *state = calloc(1, sizeof(*state));
	enum err err;

	if (state == NULL)
		return ERR_OVERLOADED;
	context_set_state(context, state);
	if ((err = fill(context, state)) != OK) {
		context_set_state(context, NULL);
		state_free(&state);
		return err;
	}
	/* The first process to come makes the first keys. While the database is away the job goes on trying. */
	if (job_keys_turn(context) != OK)
		log_event(LOG_WARN, "signing_keys_awaited");
	return OK;
}

void state_close(struct context *context)
{
	struct state *state = state_of(context);

	context_set_state(context, NULL);
	state_free(&state);
}

enum err state_worker_open(struct worker *worker)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	enum err err;

	worker->state = desk;
	if (desk == NULL || (desk->cache = state_cache(worker->context)) == NULL)
		return ERR_OVERLOADED;
	err = context_db_jobs(worker->context, &desk->jobs);
	if (err == OK)
		worker_connect(worker->context, desk->jobs);
	return err;
}

void state_worker_close(struct worker *worker)
{
	struct desk *desk = worker->state;

	worker->state = NULL;
	if (desk == NULL)
		return;
	store_cache_free(&desk->cache);
	db_free(&desk->jobs);
	free(desk);
}

const char *state_missing(struct context *context)
{
	struct key_set *set = keys_hold(state_of(context)->keys);
	bool none = set == NULL;

	keys_set_free(&set);
	return none ? "signing_keys" : NULL;
}

const char *state_degraded(struct context *context)
{
	struct state *state = state_of(context);

	if (state->cache_away)
		return "redis";
	return state->mail_away ? "mail" : NULL;
}

static void put_one(struct buf *out, const char *name, const char *help, const char *type, uint64_t value)
{
	buf_printf(out, "# HELP berth_auth_%s %s\n# TYPE berth_auth_%s %s\nberth_auth_%s %llu\n", name, help, name,
		type, name, (unsigned long long)value);
}

void state_metrics(struct context *context, struct buf *out)
{
	struct state *state = state_of(context);
	struct hasher_counts hasher = hasher_counts(state->hasher);
	struct egress_counts egress = egress_counts(state->egress);
	const struct {
		const char *name, *help;
		uint64_t value;
	} rows[] = {
		{"sign_ins_total", "Sign-ins that succeeded.", state->counts.sign_ins},
		{"sign_ins_refused_total", "Sign-ins with wrong credentials.", state->counts.sign_ins_refused},
		{"sign_ins_delayed_total", "Sign-ins told to wait.", state->counts.sign_ins_delayed},
		{"tokens_total", "Access tokens issued.", state->counts.tokens},
		{"refresh_repeats_total", "Refreshes answered again.", state->counts.refresh_repeats},
		{"refresh_thefts_total", "Families revoked for a reused refresh token.", state->counts.refresh_thefts},
		{"assertions_refused_total", "Assertions of clients that did not hold.",
			state->counts.assertions_refused},
		{"proofs_refused_total", "Proofs of possession that did not hold.", state->counts.proofs_refused},
		{"code_replays_total", "Authorization codes presented again.", state->counts.code_replays},
		{"password_hashes_total", "Argon2id computations.", hasher.done},
		{"password_hashes_refused_total", "Computations refused for want of room.", hasher.refused},
		{"mails_sent_total", "Mails handed to the SMTP hop.", egress.mail_sent},
		{"mails_failed_total", "Attempts to send a mail that failed.", egress.mail_failed},
		{"mails_dropped_total", "Mails given up.", state->counts.mails_dropped},
		{"logouts_sent_total", "Clients told of a sign-out.", state->counts.logouts_sent},
		{"logouts_failed_total", "Attempts to tell a client of a sign-out that failed.",
			state->counts.logouts_failed},
		{"logouts_dropped_total", "Sign-outs that a client was not told of.", state->counts.logouts_dropped},
		{"spans_exported_total", "Spans handed to the collector.", state->counts.spans_exported},
		{"spans_lost_total", "Spans that could not be handed over.", state->counts.spans_lost},
		{"egress_refused_total", "Destinations not on the allow-list.", egress.refused},
		{"revocations_published_total", "Revocations told to the edge.", state->counts.revocations_published},
		{"cache_fallbacks_total", "Attempts counted in memory for want of Redis.",
			state->counts.cache_fallbacks},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put_one(out, rows[i].name, rows[i].help, "counter", rows[i].value);
	put_one(out, "password_hashes_running", "Argon2id computations now.", "gauge", hasher.running);
	put_one(out, "password_hashes_waiting", "Computations that wait for room.", "gauge", hasher.waiting);
}
