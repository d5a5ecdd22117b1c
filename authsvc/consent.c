/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"

#include "store_grant.h"

enum err consent_needed(struct store *store, const struct consent_case *of, int64_t person_row_id, bool *needed_out)
{
	struct str scope;
	enum err err;

	*needed_out = true;
	if (of->ask->prompt.consent)
		return OK;
	if (!of->third_party) {
		*needed_out = false;
		return OK;
	}
	err = store_consent_read(store, person_row_id, of->client_row_id, &scope);
	if (err == OK)
		*needed_out = !rules_scope_within(of->ask->scope, scope);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err consent_give(struct call *call, struct store *store, const struct consent_case *of, int64_t person_row_id,
	const struct uuid *person_id)
{
	struct trail trail = {.action = "consent.give",
		.object_type = "consent",
		.subject_id = *person_id,
		.actor_id = *person_id,
		.client_id = of->client_id,
		.version = 1};
	char client[UUID_TEXT_LEN + 1];
	struct str scope;
	enum err err;

	if ((err = store_consent_read(store, person_row_id, of->client_row_id, &scope)) != OK && err != ERR_NOT_FOUND)
		return err;
	if ((scope = rules_scope_join(call->arena, scope, of->ask->scope)).p == NULL)
		return ERR_OVERLOADED;
	err = store_consent_put(store, person_row_id, of->client_row_id, scope, clock_now_us(), &trail.object_id);
	if (err != OK)
		return err;
	uuid_format(&of->client_id, client);
	trail.after = arena_printf(call->arena, "{\"client_id\":\"%s\",\"scope\":\"%.*s\"}", client, STR_ARG(scope));
	return trail.after.p != NULL ? desk_put_event(call, store, &trail) : ERR_OVERLOADED;
}

enum err consent_withdraw(struct call *call, struct store *store, int64_t person_row_id, const struct uuid *person_id,
	const struct uuid *consent_id)
{
	struct trail trail = {.action = "consent.withdraw",
		.object_type = "consent",
		.object_id = *consent_id,
		.subject_id = *person_id,
		.actor_id = *person_id,
		.version = 2};
	enum err err;

	if ((err = store_consent_withdraw(store, person_row_id, consent_id, clock_now_us())) != OK)
		return err;
	return desk_put_event(call, store, &trail);
}
