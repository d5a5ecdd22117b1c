/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"
#include "people.h"
#include "service/admit.h"
#include "store_factor.h"
#include "store_group.h"
#include "store_role.h"
#include "store_role_grant.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define NAMES_MAX 100

/* One question: may this person do that there? */
struct question {
	struct call *call;
	const struct operation *operation;                    /* NULL: anything at all */
	const struct uuid *site_id, *area_id, *for_person_id; /* NULL: not asked */
	struct person_record person;
	struct role_record own[ROLES_OWN_MAX]; /* the tenant's roles */
	size_t own_count;
	bool mine; /* asked by the person, whose sign-in the token tells of */
	enum demand demand;
	struct factor_standing standing;
	struct access_verdict *reply;
};

static struct rights rights_of(const struct question *question, struct str role)
{
	for (size_t i = 0; i < question->own_count; i++) {
		if (str_eq(question->own[i].name, role))
			return issue_rights_of_names(question->own[i].permissions);
	}
	return issue_rights_of_roles(role);
}

static bool has(const struct rights *rights, enum permission permission)
{
	unsigned bit = (unsigned)permission;

	return bit < PERMISSION_BITS_MAX && (rights->bits[bit / 8] >> bit % 8 & 1) != 0;
}

static void add_name(struct texts *names, struct str name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (str_eq(names->items[i], name))
			return;
	}
	if (names->count < NAMES_MAX)
		names->items[names->count++] = name;
}

/* Those of the words that grant it everywhere. */
static void add_granting(const struct question *question, struct str words, enum permission permission)
{
	struct str word;
	bool more;

	do {
		struct rights rights;

		more = str_cut(&words, ' ', &word);
		rights = rights_of(question, word);
		if (word.len > 0 && has(&rights, permission))
			add_name(&question->reply->granted_by, word);
	} while (more);
}

static bool is_there(const struct question *question, const struct held_place *place)
{
	const struct uuid *id = place->scope == GRANT_SITE        ? question->site_id
	                        : place->scope == GRANT_AREA      ? question->area_id
	                        : place->scope == GRANT_PRINCIPAL ? question->for_person_id
	                                                          : NULL;

	return id != NULL && uuid_eq(id, &place->id);
}

/* Roles granted in one place, or for one person: *elsewhere_out when only for others than asked. */
static void add_placed(const struct question *question, enum permission permission, bool *elsewhere_out)
{
	const struct held *held = &question->person.held;

	*elsewhere_out = false;
	for (size_t i = 0; i < held->place_count; i++) {
		struct rights rights = rights_of(question, held->places[i].role);

		rights = issue_rights_at(held->places[i].scope, &rights);
		if (!has(&rights, permission))
			continue;
		if (is_there(question, &held->places[i]))
			add_name(&question->reply->granted_by, held->places[i].role);
		else
			*elsewhere_out = true;
	}
}

static void add_possible(const struct question *question, enum permission permission)
{
	const struct role *role;

	for (size_t i = 0; (role = role_at(i)) != NULL; i++) {
		if (permission_set_has(&role->permissions, permission))
			add_name(&question->reply->would_allow, str_from(role->name));
	}
	for (size_t i = 0; i < question->own_count; i++) {
		struct rights rights = issue_rights_of_names(question->own[i].permissions);

		if (has(&rights, permission))
			add_name(&question->reply->would_allow, question->own[i].name);
	}
}

static enum err say(const struct question *question, bool allowed, const char *rule, const char *explanation)
{
	question->reply->allowed = allowed;
	question->reply->has_rule = rule != NULL;
	question->reply->rule = rule != NULL ? str_from(rule) : STR_NONE;
	question->reply->explanation = str_from(explanation);
	question->reply->has_explanation = true;
	return OK;
}

static enum err need(const struct question *question, enum permission permission, bool placed)
{
	bool elsewhere = false;

	question->reply->permission = str_from(permission_name(permission));
	question->reply->has_permission = true;
	question->reply->granted_by.count = 0;
	add_granting(question, question->person.roles, permission);
	add_granting(question, question->person.held.roles, permission);
	if (placed)
		add_placed(question, permission, &elsewhere);
	if (question->reply->granted_by.count > 0)
		return say(question, true, NULL, "Roles of the person grant it.");
	add_possible(question, permission);
	if (elsewhere)
		return say(question, false, "held_elsewhere",
			"A grant gives it in another place or for another person; say which is meant.");
	return say(question, false, "permission_missing", "No role and no grant of the person gives this permission.");
}

/* What the tenant demands beside the permission: of everybody what the roles allow, of whoever asks what they did. */
static enum err need_factor(const struct question *question, enum permission permission)
{
	const struct token *token = &question->call->token;
	enum admit_factor wanted =
		admit_factor(permission, (question->operation->flags & OP_STEP_UP) != 0, question->demand);

	question->reply->has_second_factor = wanted != ADMIT_NO_FACTOR;
	question->reply->second_factor = wanted == ADMIT_FACTOR_FRESH ? STR("fresh") : STR("shown");
	if (wanted == ADMIT_NO_FACTOR)
		return OK;
	if (question->standing.factors == 0 && !(question->mine && token->acr >= ACR_2FA))
		return say(question, false, "second_factor_missing",
			"It takes a second factor, and the person has set none up.");
	if (question->mine && token->acr < ACR_2FA)
		return say(question, false, "second_factor_not_shown",
			"It takes a second factor, which this sign-in has not shown.");
	if (question->mine && wanted == ADMIT_FACTOR_FRESH && !admit_is_fresh(token->auth_at, clock_now_us()))
		return say(question, false, "second_factor_stale",
			"It takes a second factor of the last quarter of an hour; this sign-in is older.");
	return OK;
}

/* The permission, the factor that using it takes, and of whoever asks that their application was given it. */
static enum err need_all(const struct question *question, enum permission permission, bool placed)
{
	enum err err = need(question, permission, placed);

	if (err == OK && question->reply->allowed)
		err = need_factor(question, permission);
	if (err != OK || !question->reply->allowed || !question->mine ||
		token_may(&question->call->token, permission, true))
		return err;
	return say(question, false, "not_in_token",
		"The person may, and this application was not given it: by its scope, or since it gets no more "
		"than whoever registered it could do.");
}

/* What is another's: bookings may be those of a principal or of a place. */
static enum err need_for_other(const struct question *question)
{
	enum err err = need_all(question, question->operation->permission, false);

	if (err != OK || !question->reply->allowed)
		return err;
	if ((err = need_all(question, PERM_BOOKING_MANAGE, true)) != OK || question->reply->allowed)
		return err;
	if ((err = need_all(question, PERM_BOOKING_ACT_FOR, true)) != OK || !question->reply->allowed)
		return err == OK ? need_all(question, PERM_BOOKING_MANAGE, true) : err;
	for (size_t i = 0; i < question->person.held.place_count; i++) {
		const struct held_place *place = &question->person.held.places[i];

		if (place->scope == GRANT_PRINCIPAL && is_there(question, place))
			return OK;
	}
	return say(question, false, "delegation_needed",
		"An assistant books for those who made them their assistant: there must be a delegation.");
}

static bool is_of_bookings(const struct operation *operation)
{
	return operation->permission == PERM_BOOKING_CREATE || operation->permission == PERM_BOOKING_READ ||
	       operation->permission == PERM_BOOKING_CHANGE;
}

static enum err answer(const struct question *question)
{
	const struct person_record *person = &question->person;
	const struct operation *operation = question->operation;

	if (person->status == PERSON_INVITED)
		return say(question, false, "person_invited", "The invitation has not been accepted yet.");
	if (person->status != PERSON_ACTIVE)
		return say(question, false, "person_suspended", "The person is suspended.");
	if (person->email_verified_at == 0 && (operation == NULL || (operation->flags & OP_UNVERIFIED) == 0))
		return say(question, false, "email_unverified", "The person's address has not been proved yet.");
	if (operation == NULL)
		return say(question, true, NULL, "The person can sign in and act.");
	if (operation->permission == PERM_PUBLIC || operation->permission == PERM_SELF)
		return say(question, true, NULL, "It takes no permission.");
	if (question->for_person_id != NULL && !uuid_eq(question->for_person_id, &person->id) &&
		is_of_bookings(operation))
		return need_for_other(question);
	return need_all(question, operation->permission, (operation->flags & OP_PLACED) != 0);
}

/* What is held for the people of a group is held for the person asked about, when that is one of them. */
static enum err find_in_groups(struct question *question, struct store *store)
{
	enum err err = OK;

	for (size_t i = 0; i < question->person.held.place_count && question->for_person_id != NULL && err == OK; i++) {
		struct held_place *place = &question->person.held.places[i];
		struct group_record group;

		if (place->scope != GRANT_GROUP)
			continue;
		if ((err = store_group_read(store, &place->id, &group)) == OK)
			err = store_group_members(store, &group);
		for (size_t k = 0; err == OK && k < group.member_count; k++) {
			if (uuid_eq(&group.members[k], question->for_person_id)) {
				place->scope = GRANT_PRINCIPAL;
				place->id = *question->for_person_id;
			}
		}
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	return err;
}

/* What the person is, holds and has to show. */
static enum err read_person(struct question *question, struct store *store, const struct uuid *id)
{
	struct tenant_record tenant;
	enum err err;

	if ((err = store_person_read(store, id, &question->person)) != OK)
		return err;
	if (question->person.status == PERSON_ERASED)
		return ERR_NOT_FOUND;
	if ((err = store_role_grant_held(store, question->person.row_id, &question->person.held)) != OK)
		return err;
	if ((err = find_in_groups(question, store)) != OK)
		return err;
	if ((err = store_factor_standing(store, question->person.row_id, &question->standing)) != OK)
		return err;
	if ((err = store_tenant_read(store, &tenant)) != OK)
		return err;
	question->demand = store_person_demand(&question->person, tenant.second_factor, tenant.factor_roles);
	return store_role_list(store, question->own, &question->own_count);
}

static enum err ask(struct question *question, const struct uuid *id, struct str operation)
{
	struct call *call = question->call;
	struct store store = {0};
	enum err err;

	question->reply->has_allowed = question->reply->has_granted_by = question->reply->has_would_allow = true;
	question->reply->granted_by.items = arena_take_array(call->arena, NAMES_MAX, sizeof(struct str));
	question->reply->would_allow.items = arena_take_array(call->arena, NAMES_MAX, sizeof(struct str));
	if (question->reply->granted_by.items == NULL || question->reply->would_allow.items == NULL)
		return ERR_OVERLOADED;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = read_person(question, &store, id)) != OK)
		goto done;
	if (operation.p != NULL) {
		question->operation = operation_by_name(arena_printf(call->arena, "%.*s", STR_ARG(operation)).p);
		if (question->operation == NULL || question->operation->method == NULL) {
			err = call_refuse(call, ERR_BAD_FIELD, "operation", "unknown_operation",
				"The API has no operation of this name.");
			goto done;
		}
	}
	err = answer(question);
done:
	store_release(&store);
	return err;
}

enum err handle_person_access_read(
	struct call *call, const struct person_access_request *request_in, struct access_verdict *reply_out)
{
	struct question question = {.call = call,
		.site_id = request_in->has_site_id ? &request_in->site_id : NULL,
		.area_id = request_in->has_area_id ? &request_in->area_id : NULL,
		.for_person_id = request_in->has_for_person_id ? &request_in->for_person_id : NULL,
		.reply = reply_out};

	return ask(&question, &request_in->id, request_in->operation);
}

enum err handle_me_access_read(
	struct call *call, const struct me_access_request *request_in, struct access_verdict *reply_out)
{
	struct question question = {.call = call,
		.mine = true,
		.site_id = request_in->has_site_id ? &request_in->site_id : NULL,
		.area_id = request_in->has_area_id ? &request_in->area_id : NULL,
		.for_person_id = request_in->has_for_person_id ? &request_in->for_person_id : NULL,
		.reply = reply_out};

	if (uuid_is_nil(&call->token.person_id))
		return call_refuse(call, ERR_FORBIDDEN, NULL, "person_required",
			"This belongs to a person; the token is a client's.");
	return ask(&question, &call->token.person_id, request_in->operation);
}
