/* SPDX-License-Identifier: Apache-2.0 */
#include "grants.h"
#include "issue.h"
#include "once.h"
#include "people.h"
#include "service/crash.h"
#include "store_group.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

/* The second person of a grant that waits for one. */

/* Somebody else than who asked, and not for oneself. */
static enum err check_second_person(struct call *call, struct store *store, const struct role_grant_record *record)
{
	struct group_record group = {.row_id = record->group_row_id};
	bool own = uuid_eq(&record->person_id, &call->token.person_id);
	enum err err;

	if (uuid_is_nil(&call->token.person_id))
		return call_refuse(call, ERR_FORBIDDEN, NULL, "person_required",
			"A person answers for a grant; the token is a client's.");
	if (record->group_row_id != 0 && (err = store_group_members(store, &group)) != OK)
		return err;
	for (size_t i = 0; i < group.member_count; i++)
		own = own || uuid_eq(&group.members[i], &call->token.person_id);
	if (own)
		return call_refuse(call, ERR_FORBIDDEN, NULL, "own_grant", "Nobody approves what is for themselves.");
	if (uuid_eq(&record->granted_by, &call->token.person_id))
		return call_refuse(call, ERR_FORBIDDEN, NULL, "second_person_required",
			"You asked for this grant; somebody else approves it.");
	return OK;
}

/* Whoever asked must still be one who may give it. */
static enum err check_asker(struct call *call, struct store *store, const struct role_grant_record *record)
{
	struct person_record asker;
	struct rights rights, outer;
	enum err err;

	if ((err = grants_rights(store, record, &rights)) != OK)
		return err;
	err = store_person_read(store, &record->granted_by, &asker);
	if (err == OK && asker.status == PERSON_ACTIVE &&
		(err = store_role_grant_held(store, asker.row_id, &asker.held)) == OK) {
		outer = issue_rights_of_person(&asker);
		if (rules_rights_within(&rights, &outer))
			return OK;
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return call_refuse(
		call, ERR_CONFLICT, NULL, "asker_gone", "Who asked for this grant could not ask for it any more.");
}

static enum err decide(struct call *call, const struct uuid *id, struct store *store, enum grant_status status,
	struct role_grant *reply)
{
	struct role_grant_record record;
	struct str before;
	enum err err;

	if ((err = store_role_grant_lock(store, id, &record)) != OK)
		return err;
	if ((err = grants_check_rank(call, store, &record)) != OK)
		return err;
	if (!str_eq_c(str_from(grants_status(&record)), "pending"))
		return call_refuse(call, ERR_CONFLICT, NULL, "not_pending", "The grant waits for nobody.");
	if (status == GRANT_ACTIVE && (err = check_second_person(call, store, &record)) != OK)
		return err;
	if (status == GRANT_ACTIVE && (err = check_asker(call, store, &record)) != OK)
		return err;
	if ((err = grants_view(call, &record, reply)) != OK)
		return err;
	if ((before = desk_json(call, shape_role_grant(), reply)).p == NULL)
		return ERR_OVERLOADED;
	record.status = status;
	record.over_at = status == GRANT_REFUSED ? clock_now_us() : record.over_at;
	record.decided_by = call->token.person_id;
	if ((err = store_role_grant_decide(store, &record)) != OK)
		return err;
	return grants_put_event(call, store, status == GRANT_ACTIVE ? "role_grant.approve" : "role_grant.refuse",
		&record, before, reply);
}

static enum err decide_once(
	struct call *call, const struct uuid *id, enum grant_status status, struct role_grant *reply)
{
	struct once once;

	if (once_open(call, reply, &once))
		once.err = decide(call, id, &once.store, status, reply);
	return once_close(call, &once, reply);
}

enum err handle_role_grant_approve(
	struct call *call, const struct role_grant_ref *request_in, struct role_grant *reply_out)
{
	CRASH_COMMIT("role_grant_approve");
	return decide_once(call, &request_in->id, GRANT_ACTIVE, reply_out);
}

enum err handle_role_grant_refuse(
	struct call *call, const struct role_grant_ref *request_in, struct role_grant *reply_out)
{
	CRASH_COMMIT("role_grant_refuse");
	return decide_once(call, &request_in->id, GRANT_REFUSED, reply_out);
}
