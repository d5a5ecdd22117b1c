/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"
#include "once.h"
#include "people.h"
#include "service/crash.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define LIST_PEOPLE "people"

/* What somebody holds for a time only counts as nothing that was there before. */
static enum err check_gain(
	struct call *call, struct store *store, const struct person_record *old, const struct person_record *record)
{
	struct rights before = issue_rights_of_role(old->roles, old->permissions);
	struct rights after = issue_rights_of_role(record->roles, record->permissions);
	enum err err = people_check_lasting(call, store, &before, &after, 0);

	return err == OK ? people_check_second(call, store, &before, &after) : err;
}

static enum err refuse_taken(struct call *call)
{
	return call_refuse(
		call, ERR_CONFLICT, "email", "email_taken", "Somebody in this tenant has this address already.");
}

/* A new person, or one who never answered and is invited again with what is said now. */
static enum err write_invited(struct call *call, struct store *store, struct person_record *record,
	struct str normal_email, struct str *before_out)
{
	struct person_record known;
	instant_us now = clock_now_us();
	enum err err;

	*before_out = STR_NONE;
	if ((err = store_person_by_email(store, normal_email, &known)) == ERR_NOT_FOUND)
		return store_person_insert(store, record, normal_email, now);
	if (err != OK)
		return err;
	if (known.status != PERSON_INVITED)
		return refuse_taken(call);
	if ((err = store_person_lock(store, &known.id, &known)) != OK)
		return err;
	/* Again: whoever accepts meanwhile was waited for. */
	if (known.status != PERSON_INVITED)
		return refuse_taken(call);
	if ((err = people_check_outranks(call, &known)) != OK)
		return err;
	if ((*before_out = people_json(call, &known)).p == NULL)
		return ERR_OVERLOADED;
	known.given_name = record->given_name;
	known.family_name = record->family_name;
	known.locale = record->locale;
	*record = known;
	return store_person_update(store, record, now);
}

static enum err invite(
	struct call *call, const struct person_invite_request *request, struct store *store, struct person *reply)
{
	struct person_record record = {.id = uuid_new(),
		.status = PERSON_INVITED,
		.email = request->email,
		.given_name = request->given_name,
		.family_name = request->family_name};
	struct str user_role = STR(ROLE_USER);
	struct texts user_roles = {&user_role, 1};
	struct str normal_email, before;
	const struct person_record nobody = {.roles = STR(""), .permissions = STR("")};
	struct person_record wanted = {0};
	struct tenant_record tenant;
	enum err err;

	if ((err = people_check_email(call, request->email, &normal_email)) != OK)
		return err;
	if ((err = people_check_roles(call, store, request->has_roles ? &request->roles : &user_roles, &wanted)) != OK)
		return err;
	if ((err = check_gain(call, store, &nobody, &wanted)) != OK)
		return err;
	if ((err = store_tenant_read(store, &tenant)) != OK)
		return err;
	record.locale = tenant.locale;
	if (request->has_locale && !rules_locale_parse(request->locale, &record.locale))
		return ERR_BAD_FIELD;
	if ((err = write_invited(call, store, &record, normal_email, &before)) != OK)
		return err;
	record.roles = wanted.roles;
	record.permissions = wanted.permissions;
	if ((err = people_set_roles(call, store, &record)) != OK)
		return err;
	if ((err = people_mail_invitation(call, store, &record, &tenant)) != OK)
		return err;
	people_view(call, &record, reply);
	call->version = record.version;
	return people_put_event(call, store, "person.invite", &record, before);
}

enum err handle_person_invite(
	struct call *call, const struct person_invite_request *request_in, struct person *reply_out)
{
	struct once once;
	enum err err;

	CRASH_COMMIT("person_invite");
	if (once_open(call, reply_out, &once))
		once.err = invite(call, request_in, &once.store, reply_out);
	err = once_close(call, &once, reply_out);
	/* Two invitations of one address at once: the second finds the first. */
	if (err == ERR_CONFLICT && call->reason.p == NULL)
		err = refuse_taken(call);
	return err;
}

/* One or none. */
static enum err list_by_email(struct call *call, struct store *store, struct str email, struct person_page *reply)
{
	struct person_record record;
	struct str normal_email = rules_email_normal(call->arena, email);
	enum err err;

	reply->items.items = arena_take_array(call->arena, 1, sizeof(*reply->items.items));
	if (normal_email.p == NULL || reply->items.items == NULL)
		return ERR_OVERLOADED;
	if ((err = store_person_by_email(store, normal_email, &record)) == ERR_NOT_FOUND)
		return OK;
	if (err == OK)
		people_view(call, &record, &reply->items.items[reply->items.count++]);
	return err;
}

static enum err list_page(
	struct call *call, const struct person_list_request *request, struct store *store, struct person_page *reply)
{
	struct person_record *records;
	struct desk_list list;
	size_t count;
	enum err err;

	err = desk_page(call, LIST_PEOPLE, request->has_limit, request->limit, request->cursor, sizeof(*records),
		sizeof(*reply->items.items), &list);
	if (err != OK)
		return err;
	records = list.records;
	if ((err = store_person_list(store, &list.after, list.fetch, records, &count)) != OK)
		return err;
	reply->items.items = list.items;
	reply->items.count = desk_page_shown(&list, count);
	for (size_t i = 0; i < reply->items.count; i++)
		people_view(call, &records[i], &reply->items.items[i]);
	reply->next_cursor = desk_page_next(call, &list, count, &records[list.limit - 1].id);
	return OK;
}

enum err handle_person_list(
	struct call *call, const struct person_list_request *request_in, struct person_page *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	reply_out->has_items = reply_out->has_next_cursor = true;
	err = request_in->has_email ? list_by_email(call, &store, request_in->email, reply_out)
	                            : list_page(call, request_in, &store, reply_out);
done:
	store_release(&store);
	return err;
}

enum err handle_person_read(struct call *call, const struct person_ref *request_in, struct person *reply_out)
{
	struct person_record record;
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_person_read(&store, &request_in->id, &record)) != OK)
		goto done;
	people_view(call, &record, reply_out);
	call->version = record.version;
done:
	store_release(&store);
	return err;
}

/* Status and roles as they shall be: allowed from here, by this caller? */
static enum err decide(struct call *call, const struct person_update_request *request, struct store *store,
	const struct person_record *old, struct person_record *record)
{
	bool weighty = request->has_status || request->has_roles;
	enum err err;

	if (weighty && (err = people_check_outranks(call, old)) != OK)
		return err;
	if (request->has_status) {
		enum person_status to;

		if (!rules_status_parse(request->status, &to))
			return ERR_BAD_FIELD;
		if (!rules_status_may_become(old->status, to))
			return call_refuse(call, ERR_CONFLICT, "status", "status_impossible",
				"A person who is invited or erased can be neither active nor suspended.");
		record->status = to;
	}
	if (request->has_roles && (err = people_check_roles(call, store, &request->roles, record)) != OK)
		return err;
	if (request->has_roles && (err = check_gain(call, store, old, record)) != OK)
		return err;
	return people_check_not_last(call, store, old, record);
}

/* The person as they are, locked; with the tenant when it matters who administers it. */
static enum err lock(struct call *call, const struct person_update_request *request, struct store *store,
	struct person_record *old_out)
{
	struct tenant_record tenant;
	enum err err;

	if ((request->has_status || request->has_roles) && (err = store_tenant_lock(store, &tenant)) != OK)
		return err;
	if ((err = store_person_lock(store, &request->id, old_out)) != OK)
		return err;
	if (old_out->status == PERSON_ERASED)
		return ERR_NOT_FOUND;
	return desk_check_version(call, old_out->version);
}

static enum err update(
	struct call *call, const struct person_update_request *request, struct store *store, struct person *reply)
{
	struct person_record old, record;
	struct str before;
	enum err err;

	if ((err = lock(call, request, store, &old)) != OK)
		return err;
	if ((before = people_json(call, &old)).p == NULL)
		return ERR_OVERLOADED;
	record = old;
	if (request->has_given_name)
		record.given_name = request->given_name;
	if (request->has_family_name)
		record.family_name = request->family_name;
	if (request->has_locale && !rules_locale_parse(request->locale, &record.locale))
		return ERR_BAD_FIELD;
	if ((err = decide(call, request, store, &old, &record)) != OK)
		return err;
	if ((err = store_person_update(store, &record, clock_now_us())) != OK)
		return err;
	if (request->has_roles && (err = people_set_roles(call, store, &record)) != OK)
		return err;
	if ((err = people_take_away(store, &old, &record)) != OK)
		return err;
	people_view(call, &record, reply);
	call->version = record.version;
	return people_put_event(call, store, "person.update", &record, before);
}

enum err handle_person_update(
	struct call *call, const struct person_update_request *request_in, struct person *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = update(call, request_in, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("person_update.before_commit");
	if ((err = desk_commit(call, &store)) != OK)
		goto done;
	CRASH_POINT("person_update.after_commit");
done:
	store_release(&store);
	return err;
}

enum err handle_people_exist(
	struct call *call, const struct people_exist_request *request_in, struct people_exist_reply *reply_out)
{
	struct store store = {0};
	enum err err;

	/* The person for whom bookingsvc asks is of that tenant: it cannot ask on its own account. */
	if (!call->has_token || !uuid_eq(&call->token.tenant_id, &request_in->tenant_id))
		return ERR_FORBIDDEN;
	reply_out->ids.items = arena_take_array(call->arena, request_in->ids.count + 1, sizeof(*reply_out->ids.items));
	reply_out->has_ids = true;
	if (reply_out->ids.items == NULL)
		return ERR_OVERLOADED;
	if ((err = desk_begin_in(call, &request_in->tenant_id, &store)) == OK)
		err = store_person_active(&store, request_in->ids.items, request_in->ids.count, reply_out->ids.items,
			&reply_out->ids.count);
	store_release(&store);
	return err;
}
