/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "config.h"

/* "host[:port]/audit/environment", from https://host[:port][/…]. */
static enum err origin_default(const struct context *context, char *origin_out, size_t room)
{
	struct str rest = str_from(context_public_url(context)), scheme, host;
	int len;

	if (!str_cut(&rest, ':', &scheme) || !str_starts(rest, "//"))
		return ERR_BAD_FIELD;
	rest = (struct str){rest.p + 2, rest.len - 2};
	(void)str_cut(&rest, '/', &host);
	len = snprintf(origin_out, room, "%.*s/audit/%s", STR_ARG(host), context_environment(context));
	return host.len > 0 && len > 0 && (size_t)len < room ? OK : ERR_BAD_FIELD;
}

/* A line of its own in the signed text. */
static bool is_origin(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0 && len <= 200;
}

static enum err origin_set(const struct context *context, const char *given, struct state *state)
{
	enum err err = OK;

	if (given && is_origin(given))
		memcpy(state->origin, given, strlen(given) + 1);
	else if (given)
		err = ERR_BAD_FIELD;
	else
		err = origin_default(context, state->origin, sizeof(state->origin));
	return err == OK ? OK : config_refuse("BERTH_LOG_ORIGIN", err);
}

enum err state_open(struct context *context)
{
	const struct audit_config *config = context_config(context);
	struct state *state = calloc(1, sizeof(*state));
	enum err err;

	if (!state)
		return ERR_OVERLOADED;
	context_set_state(context, state);
	if ((err = origin_set(context, config->log_origin, state)) != OK)
		return err;
	err = note_signer_new(config->log_signing_key, &state->signer);
	return err == OK ? OK : config_refuse("BERTH_LOG_SIGNING_KEY_FILE", err);
}

void state_close(struct context *context)
{
	struct audit_config *config = context_config(context);
	struct state *state = context_state(context);

	if (state)
		note_signer_free(&state->signer);
	free(state);
	context_set_state(context, NULL);
	if (config)
		secret_free(&config->log_signing_key);
}

void state_metrics(struct context *context, struct buf *out)
{
	struct state *state = context_state(context);

	buf_put_c(out, "# HELP berth_audit_signed_leaves Leaves under the newest signed head.\n"
		       "# TYPE berth_audit_signed_leaves gauge\n");
	buf_printf(out, "berth_audit_signed_leaves %llu\n", (unsigned long long)atomic_load(&state->signed_size));
	buf_put_c(out, "# HELP berth_audit_log_inconsistent 1 when the log contradicts what was signed.\n"
		       "# TYPE berth_audit_log_inconsistent gauge\n");
	buf_printf(out, "berth_audit_log_inconsistent %d\n", atomic_load(&state->inconsistent) ? 1 : 0);
}

enum err state_worker_open(struct worker *worker)
{
	struct db *jobs = NULL;
	enum err err = context_db_jobs(worker->context, &jobs);

	worker->state = jobs;
	if (err == OK)
		worker_connect(worker->context, jobs);
	return err;
}

void state_worker_close(struct worker *worker)
{
	struct db *jobs = worker->state;

	db_free(&jobs);
	worker->state = NULL;
}
