/* SPDX-License-Identifier: Apache-2.0 */
#include "db/idempotency.h"
#include "issue.h"
#include "passkey.h"
#include "people.h"
#include "service/crash.h"
#include "store_consent.h"
#include "store_email.h"
#include "store_factor.h"
#include "store_grant.h"
#include "store_group.h"
#include "store_logout.h"
#include "store_review.h"
#include "store_role_grant.h"
#include "store_session.h"
#include "store_sweep.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define EXPORT_MAX 1000000
#define EXPORT_ROWS_MAX 1000
#define EXPORT_GRANTS_MAX 200

static void put_time(struct json_writer *w, struct arena *arena, const char *key, instant_us at)
{
	json_key(w, key);
	if (at == 0)
		json_put_null(w);
	else
		json_put_str(w, instant_text(arena, at));
}

static void put_id(struct json_writer *w, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(id, text);
	json_key(w, key);
	json_put_c(w, text);
}

static enum err put_sessions(
	struct call *call, struct store *store, const struct person_record *person, struct json_writer *w)
{
	struct session_view *sessions = arena_take_array(call->arena, EXPORT_ROWS_MAX, sizeof(*sessions));
	size_t count;
	enum err err;

	if (sessions == NULL)
		return ERR_OVERLOADED;
	err = store_session_list(store, person->row_id, &person->id, false, EXPORT_ROWS_MAX, sessions, &count);
	if (err != OK)
		return err;
	json_key(w, "sessions");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_id(w, "id", &sessions[i].id);
		put_time(w, call->arena, "created_at", sessions[i].created_at);
		put_time(w, call->arena, "authenticated_at", sessions[i].auth_at);
		put_time(w, call->arena, "last_used_at", sessions[i].seen_at);
		put_time(w, call->arena, "expires_at", sessions[i].expires_at);
		put_time(w, call->arena, "ended_at", sessions[i].ended_at);
		json_key(w, "acr");
		json_put_c(w, acr_name(sessions[i].proof.acr));
		json_key(w, "amr");
		json_put_str(w, sessions[i].proof.methods);
		json_key(w, "browser");
		if (sessions[i].browser.p != NULL)
			json_put_str(w, sessions[i].browser);
		else
			json_put_null(w);
		json_end_object(w);
	}
	json_end_array(w);
	return OK;
}

static enum err put_grants(struct call *call, struct store *store, int64_t person_row_id, struct json_writer *w)
{
	struct family_view *families = arena_take_array(call->arena, EXPORT_ROWS_MAX, sizeof(*families));
	size_t count;
	enum err err;

	if (families == NULL)
		return ERR_OVERLOADED;
	if ((err = store_family_list(store, person_row_id, EXPORT_ROWS_MAX, families, &count)) != OK)
		return err;
	json_key(w, "grants");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_id(w, "id", &families[i].id);
		put_id(w, "client_id", &families[i].client_id);
		json_key(w, "scope");
		json_put_str(w, families[i].scope);
		put_time(w, call->arena, "created_at", families[i].created_at);
		put_time(w, call->arena, "last_used_at", families[i].rotated_at);
		put_time(w, call->arena, "expires_at", families[i].expires_at);
		put_time(w, call->arena, "revoked_at", families[i].revoked_at);
		json_end_object(w);
	}
	json_end_array(w);
	return OK;
}

static enum err put_consents(struct call *call, struct store *store, int64_t person_row_id, struct json_writer *w)
{
	struct consent_record *consents = arena_take_array(call->arena, CONSENTS_MAX, sizeof(*consents));
	size_t count;
	enum err err;

	if (consents == NULL)
		return ERR_OVERLOADED;
	if ((err = store_consent_list(store, person_row_id, CONSENTS_MAX, consents, &count)) != OK)
		return err;
	json_key(w, "consents");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_id(w, "id", &consents[i].id);
		put_id(w, "client_id", &consents[i].client_id);
		json_key(w, "client_name");
		json_put_str(w, consents[i].client_name);
		json_key(w, "scope");
		json_put_str(w, consents[i].scope);
		put_time(w, call->arena, "created_at", consents[i].created_at);
		put_time(w, call->arena, "changed_at", consents[i].changed_at);
		json_end_object(w);
	}
	json_end_array(w);
	return OK;
}

/* Clients that are still to be told of a session's end. */
static enum err put_logouts(
	struct call *call, struct store *store, const struct person_record *person, struct json_writer *w)
{
	struct logout_view *notices = arena_take_array(call->arena, EXPORT_ROWS_MAX, sizeof(*notices));
	size_t count;
	enum err err;

	if (notices == NULL)
		return ERR_OVERLOADED;
	if ((err = store_logout_list(store, &person->id, EXPORT_ROWS_MAX, notices, &count)) != OK)
		return err;
	json_key(w, "logout_notices");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_id(w, "client_id", &notices[i].client_id);
		put_id(w, "session_id", &notices[i].session_id);
		put_time(w, call->arena, "created_at", notices[i].created_at);
		json_end_object(w);
	}
	json_end_array(w);
	return OK;
}

/* Which there are and when they were used; never what they are made of. */
static enum err put_factors(
	struct call *call, struct store *store, const struct person_record *person, struct json_writer *w)
{
	struct factor_record factors[FACTORS_MAX];
	size_t count;
	enum err err;

	if ((err = store_factor_list(store, person->row_id, &person->id, factors, &count)) != OK)
		return err;
	json_key(w, "second_factors");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_id(w, "id", &factors[i].id);
		json_key(w, "kind");
		json_put_c(w, rules_factor_kind_name(factors[i].kind));
		put_time(w, call->arena, "created_at", factors[i].created_at);
		put_time(w, call->arena, "confirmed_at", factors[i].confirmed_at);
		put_time(w, call->arena, "last_used_at", factors[i].used_at);
		if (factors[i].kind == FACTOR_PASSKEY) {
			json_key(w, "name");
			json_put_str(w, passkey_name(call, &factors[i]));
			json_key(w, "backed_up");
			json_put_bool(w, factors[i].backed_up);
		}
		json_end_object(w);
	}
	json_end_array(w);
	return OK;
}

/* When they were made and used; a code itself is known to its person alone. */
static enum err put_recovery_codes(struct call *call, struct store *store, int64_t person_row_id, struct json_writer *w)
{
	struct recovery_view *codes = arena_take_array(call->arena, EXPORT_ROWS_MAX, sizeof(*codes));
	size_t count;
	enum err err;

	if (codes == NULL)
		return ERR_OVERLOADED;
	if ((err = store_recovery_list(store, person_row_id, EXPORT_ROWS_MAX, codes, &count)) != OK)
		return err;
	json_key(w, "recovery_codes");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_time(w, call->arena, "created_at", codes[i].created_at);
		put_time(w, call->arena, "used_at", codes[i].used_at);
		json_end_object(w);
	}
	json_end_array(w);
	return OK;
}

/* The roles that were granted to the person, and the groups they are in. */
static enum err put_role_grants(
	struct call *call, struct store *store, const struct person_record *person, struct json_writer *w)
{
	struct role_grant_record *grants = arena_take_array(call->arena, EXPORT_GRANTS_MAX, sizeof(*grants));
	struct group_record *groups = arena_take_array(call->arena, GROUPS_MAX, sizeof(*groups));
	size_t grant_count, group_count;
	enum err err;

	if (grants == NULL || groups == NULL)
		return ERR_OVERLOADED;
	err = store_role_grant_list(store, &UUID_NIL, EXPORT_GRANTS_MAX, &person->id, NULL, grants, &grant_count);
	if (err != OK)
		return err;
	if ((err = store_group_of_person(store, person->row_id, GROUPS_MAX, groups, &group_count)) != OK)
		return err;
	json_key(w, "role_grants");
	json_begin_array(w);
	for (size_t i = 0; i < grant_count; i++) {
		json_begin_object(w);
		put_id(w, "id", &grants[i].id);
		json_key(w, "role");
		json_put_str(w, grants[i].role);
		json_key(w, "scope");
		json_put_c(w, rules_grant_scope_name(grants[i].scope));
		put_id(w, "scope_id", &grants[i].scope_id);
		put_time(w, call->arena, "starts_at", grants[i].starts_at);
		put_time(w, call->arena, "ends_at", grants[i].over_at);
		json_key(w, "status");
		json_put_c(w, rules_grant_status_name(grants[i].status));
		json_key(w, "reason");
		json_put_str(w, grants[i].reason.p != NULL ? grants[i].reason : STR(""));
		json_end_object(w);
	}
	json_end_array(w);
	json_key(w, "groups");
	json_begin_array(w);
	for (size_t i = 0; i < group_count; i++)
		json_put_str(w, groups[i].name);
	json_end_array(w);
	return OK;
}

static enum err put_reviews(struct call *call, struct store *store, int64_t person_row_id, struct json_writer *w)
{
	struct review_line *lines = arena_take_array(call->arena, EXPORT_ROWS_MAX, sizeof(*lines));
	size_t count;
	enum err err;

	if (lines == NULL)
		return ERR_OVERLOADED;
	if ((err = store_review_of_person(store, person_row_id, EXPORT_ROWS_MAX, lines, &count)) != OK)
		return err;
	json_key(w, "access_reviews");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		put_id(w, "review_id", &lines[i].review_id);
		put_time(w, call->arena, "opened_at", lines[i].opened_at);
		json_key(w, "role");
		json_put_str(w, lines[i].role);
		put_time(w, call->arena, "certified_at", lines[i].certified_at);
		json_key(w, "outcome");
		json_put_str(w, lines[i].outcome.p != NULL ? lines[i].outcome : STR("open"));
		json_end_object(w);
	}
	json_end_array(w);
	return OK;
}

/* One that waits for its confirmations. */
static enum err put_email_change(
	struct call *call, struct store *store, const struct person_record *person, struct json_writer *w)
{
	struct email_change change;
	enum err err;

	if ((err = store_email_read(store, person->row_id, &person->id, &change)) == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return err;
	json_key(w, "email_change");
	json_begin_object(w);
	json_key(w, "email");
	json_put_str(w, change.email);
	put_time(w, call->arena, "created_at", change.created_at);
	put_time(w, call->arena, "expires_at", change.expires_at);
	json_end_object(w);
	return OK;
}

static enum err put_export(struct call *call, struct store *store, const struct person_record *person, struct buf *out)
{
	struct json_writer w = json_writer_over(out);
	struct str profile = people_json(call, person);
	enum err err;

	if (profile.p == NULL)
		return ERR_OVERLOADED;
	json_begin_object(&w);
	json_key(&w, "profile");
	json_put_raw(&w, profile);
	put_time(&w, call->arena, "email_verified_at", person->email_verified_at);
	if ((err = put_sessions(call, store, person, &w)) != OK)
		return err;
	if ((err = put_grants(call, store, person->row_id, &w)) != OK)
		return err;
	if ((err = put_consents(call, store, person->row_id, &w)) != OK)
		return err;
	if ((err = put_logouts(call, store, person, &w)) != OK)
		return err;
	if ((err = put_factors(call, store, person, &w)) != OK)
		return err;
	if ((err = put_email_change(call, store, person, &w)) != OK)
		return err;
	if ((err = put_recovery_codes(call, store, person->row_id, &w)) != OK)
		return err;
	if ((err = put_role_grants(call, store, person, &w)) != OK)
		return err;
	if ((err = put_reviews(call, store, person->row_id, &w)) != OK)
		return err;
	json_end_object(&w);
	return buf_ok(out) ? OK : ERR_TOO_LARGE;
}

enum err handle_auth_export(
	struct call *call, const struct subject_request *request_in, struct subject_export *reply_out)
{
	struct person_record person;
	struct store store = {0};
	struct buf buf;
	enum err err;

	buf_init(&buf, EXPORT_MAX);
	if ((err = desk_begin_in(call, &request_in->tenant_id, &store)) != OK)
		goto done;
	if ((err = store_person_read(&store, &request_in->person_id, &person)) != OK)
		goto done;
	if (person.status == PERSON_ERASED) {
		err = ERR_NOT_FOUND;
		goto done;
	}
	if ((err = put_export(call, &store, &person, &buf)) != OK)
		goto done;
	reply_out->data = arena_copy(call->arena, buf_str(&buf));
	reply_out->has_data = true;
	err = reply_out->data.p != NULL ? OK : ERR_OVERLOADED;
done:
	store_release(&store);
	buf_release(&buf);
	return err;
}

/*
 * Nobody erases who may do more. Whoever asked is known here by id alone; a client without a person counts as an Admin,
 * who is the most that one can be without owning the tenant.
 */
static enum err check_rank(
	const struct subject_request *request, struct store *store, const struct person_record *person)
{
	struct rights inner = issue_rights_of_person(person);
	struct rights outer = issue_rights_of_roles(STR(ROLE_ADMIN));
	struct person_record actor;
	enum err err;

	if (request->has_actor_id && uuid_eq(&request->actor_id, &person->id))
		return OK;
	if (request->has_actor_id && !uuid_is_nil(&request->actor_id)) {
		if ((err = store_person_read(store, &request->actor_id, &actor)) != OK)
			return err == ERR_NOT_FOUND ? ERR_FORBIDDEN : err;
		if (actor.status != PERSON_ACTIVE)
			return ERR_FORBIDDEN;
		outer = issue_rights_of_person(&actor);
	}
	return rules_rights_within(&inner, &outer) ? OK : ERR_FORBIDDEN;
}

/* All rows go at once, and everything that is open ends; the key stays for the events that are still on their way. */
static enum err erase_rows(struct call *call, const struct subject_request *request, struct store *store,
	struct person_record *person, int64_t *rows_out)
{
	struct trail trail = {.action = "person.erase",
		.object_type = "person",
		.object_id = person->id,
		.actor_id = request->has_actor_id ? request->actor_id : UUID_NIL};
	instant_us now = clock_now_us();
	enum err err;

	if ((err = check_rank(request, store, person)) != OK)
		return err;
	if ((err = people_check_not_last(call, store, person, NULL)) != OK)
		return err;
	if ((err = people_lock_out(store, person, "erased")) != OK)
		return err;
	if ((err = store_person_erase(store, person, now, rows_out)) != OK)
		return err;
	if ((err = idempotency_forget(store->tx, &store->tenant_id, &person->id)) != OK)
		return err;
	trail.version = person->version;
	return desk_put_event(call, store, &trail);
}

static enum err erase(
	struct call *call, const struct subject_request *request, struct store *store, struct subject_erased *reply)
{
	struct tenant_record tenant;
	struct person_record person;
	uint64_t pending;
	enum err err;

	reply->has_done = reply->has_rows = true;
	if ((err = store_tenant_lock(store, &tenant)) != OK)
		return err;
	if ((err = store_person_lock(store, &request->person_id, &person)) != OK)
		return err;
	if (person.status != PERSON_ERASED)
		return erase_rows(call, request, store, &person, &reply->rows);
	if ((err = outbox_pending_for(store->tx, &store->tenant_id, &person.id, &pending)) != OK)
		return err;
	if (pending > 0)
		return OK;
	reply->done = true;
	return seal_erase(store->tx, &store->tenant_id, &person.id);
}

enum err handle_auth_erase(
	struct call *call, const struct subject_request *request_in, struct subject_erased *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin_in(call, &request_in->tenant_id, &store)) != OK)
		goto done;
	if ((err = erase(call, request_in, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("auth_erase.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("auth_erase.after_commit");
done:
	store_release(&store);
	return err;
}

enum err handle_auth_retain(
	struct call *call, const struct retention_request *request_in, struct retention_reply *reply_out)
{
	enum err err;

	reply_out->has_rows = reply_out->has_more = true;
	db_set_deadline(desk_of(call)->jobs, call->deadline_us);
	err = store_sweep(desk_of(call)->jobs, clock_now_us(), request_in->limit, &reply_out->rows);
	reply_out->more = reply_out->rows >= request_in->limit;
	return err;
}
