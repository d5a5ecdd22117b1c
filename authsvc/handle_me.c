/* SPDX-License-Identifier: Apache-2.0 */
#include "people.h"
#include "service/crash.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

/* A client that acts for itself has no profile. */
static enum err require_person(struct call *call)
{
	if (!uuid_is_nil(&call->token.person_id))
		return OK;
	return call_refuse(
		call, ERR_FORBIDDEN, NULL, "person_required", "This belongs to a person; the token is a client's.");
}

enum err handle_me_read(struct call *call, const struct empty *request_in, struct person *reply_out)
{
	struct person_record record;
	struct store store = {0};
	enum err err;

	(void)request_in;
	if ((err = require_person(call)) != OK)
		goto done;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_person_read(&store, &call->token.person_id, &record)) != OK)
		goto done;
	people_view(call, &record, reply_out);
	call->version = record.version;
done:
	store_release(&store);
	return err;
}

static enum err update(
	struct call *call, const struct me_update_request *request, struct store *store, struct person *reply)
{
	struct person_record record;
	struct trail trail = {.action = "person.update", .object_type = "person"};
	enum err err;

	if ((err = store_person_lock(store, &call->token.person_id, &record)) != OK)
		return err;
	if (record.status != PERSON_ACTIVE)
		return ERR_NOT_FOUND;
	if ((err = desk_check_version(call, record.version)) != OK)
		return err;
	trail.before = people_json(call, &record);
	if (request->has_given_name)
		record.given_name = request->given_name;
	if (request->has_family_name)
		record.family_name = request->family_name;
	if (request->has_locale && !rules_locale_parse(request->locale, &record.locale))
		return ERR_BAD_FIELD;
	if ((err = store_person_update(store, &record, clock_now_us())) != OK)
		return err;
	people_view(call, &record, reply);
	call->version = record.version;
	trail.after = people_json(call, &record);
	trail.object_id = trail.subject_id = record.id;
	trail.version = record.version;
	if (trail.before.p == NULL || trail.after.p == NULL)
		return ERR_OVERLOADED;
	return desk_put_event(call, store, &trail);
}

enum err handle_me_update(struct call *call, const struct me_update_request *request_in, struct person *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = require_person(call)) != OK)
		goto done;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = update(call, request_in, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("me_update.before_commit");
	if ((err = desk_commit(call, &store)) != OK)
		goto done;
	CRASH_POINT("me_update.after_commit");
done:
	store_release(&store);
	return err;
}
