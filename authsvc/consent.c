/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"

#include "store_grant.h"

/* Whether the person has agreed to all of the scope; what was agreed to stands until the transaction ends. */
static enum err is_agreed(
	struct store *store, int64_t person_row_id, int64_t client_row_id, struct str scope, bool *agreed_out)
{
	struct str agreed;
	enum err err = store_consent_read(store, person_row_id, client_row_id, &agreed);

	*agreed_out = err == OK && rules_scope_within(scope, agreed);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err consent_needed(
	struct store *store, const struct consent_case *of, const struct session_record *session, bool *needed_out)
{
	struct person_record person;
	struct rights reach;
	bool agreed;
	enum err err;

	*needed_out = true;
	if (of->ask->prompt.consent)
		return OK;
	if (!of->third_party) {
		if ((err = store_person_read(store, &session->person_id, &person)) != OK)
			return err;
		*needed_out = clients_is_exceeded(false, of->vouched, &person, &reach);
		if (!*needed_out)
			return OK;
	}
	if ((err = is_agreed(store, session->person_row_id, of->client_row_id, of->ask->scope, &agreed)) == OK)
		*needed_out = !agreed;
	return err;
}

enum err consent_bound(struct store *store, const struct client_record *client, const struct person_record *person,
	struct str scope, struct rights *reach_out, const struct rights **bound_out)
{
	bool agreed;
	enum err err;

	*bound_out = NULL;
	if (!clients_is_exceeded(client->third_party, client->vouched, person, reach_out))
		return OK;
	if ((err = is_agreed(store, person->row_id, client->row_id, scope, &agreed)) == OK && !agreed)
		*bound_out = reach_out;
	return err;
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
