/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <stdlib.h>

#include "state.h"

enum err worker_open(struct worker *worker)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return ERR_OVERLOADED;
	state->config = context_config(worker->context);
	worker->state = state;
	return OK;
}

void worker_close(struct worker *worker)
{
	struct state *state = worker->state;

	if (state)
		db_free(&state->jobs);
	free(state);
	worker->state = NULL;
}
