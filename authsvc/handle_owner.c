/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"
#include "once.h"
#include "people.h"
#include "rules_oauth.h"
#include "service/crash.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define LIST_TENANTS "tenants"

/* `words` without the one, or with it behind the others. */
static struct str words_changed(struct call *call, struct str words, struct str word, bool add)
{
	struct texts old = desk_words(call->arena, words);
	struct texts kept = {arena_take_array(call->arena, old.count + 1, sizeof(*kept.items)), 0};

	if (old.items == NULL || kept.items == NULL)
		return STR_NONE;
	for (size_t i = 0; i < old.count; i++) {
		if (!str_eq(old.items[i], word))
			kept.items[kept.count++] = old.items[i];
	}
	if (add)
		kept.items[kept.count++] = word;
	return desk_join(call->arena, &kept);
}

/* One of the two changes of a transfer, with its event. */
static enum err give_roles(struct call *call, struct store *store, struct person_record *record, struct str words)
{
	struct person_record old = *record;
	struct texts roles;
	struct str before;
	enum err err;

	if (words.p == NULL || (before = people_json(call, &old)).p == NULL)
		return ERR_OVERLOADED;
	record->roles = words;
	roles = desk_words(call->arena, words);
	if (roles.count > TOKEN_ROLES_MAX)
		return call_refuse(call, ERR_CONFLICT, "person_id", "too_many_roles",
			"The person has as many roles as there can be; take one away first.");
	if ((err = people_set_roles(call, store, record)) != OK)
		return err;
	if ((err = store_person_update(store, record, clock_now_us())) != OK)
		return err;
	if ((err = people_take_away(store, &old, record)) != OK)
		return err;
	return people_put_event(call, store, "ownership.transfer", record, before);
}

/* An Owner hands over what is theirs; while nobody owns the tenant an Admin names the first. The tenant is locked. */
static enum err check_giver(struct call *call, struct store *store, const struct person_record *giver)
{
	const struct person_record admin = {.roles = STR(ROLE_ADMIN)};
	struct rights none = {{0}}, rights;
	int64_t others;
	enum err err;

	if (giver->status != PERSON_ACTIVE)
		return ERR_FORBIDDEN;
	if (rules_word_listed(giver->roles, ROLE_OWNER))
		return token_has(&call->token, PERM_TENANT_OWN)
		               ? OK
		               : call_refuse(call, ERR_FORBIDDEN, NULL, permission_name(PERM_TENANT_OWN), NULL);
	if ((err = store_person_others(store, giver, ROLE_OWNER, &others)) != OK)
		return err;
	if (others > 0)
		return call_refuse(call, ERR_FORBIDDEN, NULL, permission_name(PERM_TENANT_OWN),
			"The tenant has an Owner, who alone hands it over.");
	if ((err = people_check_outranks(call, &admin)) != OK)
		return err;
	rights = issue_rights_of_roles(admin.roles);
	return people_check_lasting(call, store, &none, &rights, 0);
}

static enum err check_taker(struct call *call, const struct person_record *taker)
{
	if (taker->status == PERSON_ERASED)
		return ERR_NOT_FOUND;
	if (taker->status != PERSON_ACTIVE || taker->email_verified_at == 0)
		return call_refuse(call, ERR_CONFLICT, "person_id", "person_not_active",
			"Only somebody who can sign in and whose address is proved can own the tenant.");
	if (rules_word_listed(taker->roles, ROLE_OWNER))
		return call_refuse(
			call, ERR_CONFLICT, "person_id", "already_owner", "This person owns the tenant already.");
	return OK;
}

static enum err transfer(
	struct call *call, const struct ownership_request *request, struct store *store, struct person *reply)
{
	struct person_record giver, taker;
	struct tenant_record tenant;
	struct str words;
	enum err err;

	if (uuid_is_nil(&call->token.person_id))
		return call_refuse(call, ERR_FORBIDDEN, NULL, "person_required",
			"Only a person hands a tenant over; the token is a client's.");
	if ((err = store_tenant_lock(store, &tenant)) != OK)
		return err;
	if ((err = store_person_lock(store, &call->token.person_id, &giver)) != OK)
		return err;
	if ((err = check_giver(call, store, &giver)) != OK)
		return err;
	if ((err = store_person_lock(store, &request->person_id, &taker)) != OK)
		return err;
	if ((err = check_taker(call, &taker)) != OK)
		return err;
	if (tenant.two_person_rule && !rules_word_listed(taker.roles, ROLE_ADMIN))
		return call_refuse(call, ERR_FORBIDDEN, "person_id", "second_person_required",
			"With the two-person rule a tenant is handed to an Admin, whom two people made one.");
	words = words_changed(call, taker.roles, STR(ROLE_OWNER), true);
	if ((err = give_roles(call, store, &taker, words)) != OK)
		return err;
	if (rules_word_listed(giver.roles, ROLE_OWNER)) {
		/* Whoever hands over stays an Admin. */
		words = words_changed(call, giver.roles, STR(ROLE_OWNER), false);
		if (words.p != NULL)
			words = words_changed(call, words, STR(ROLE_ADMIN), true);
		if ((err = give_roles(call, store, &giver, words)) != OK)
			return err;
	}
	people_view(call, &taker, reply);
	call->version = taker.version;
	return OK;
}

enum err handle_ownership_transfer(
	struct call *call, const struct ownership_request *request_in, struct person *reply_out)
{
	struct once once;

	CRASH_COMMIT("ownership_transfer");
	if (once_open(call, reply_out, &once))
		once.err = transfer(call, request_in, &once.store, reply_out);
	return once_close(call, &once, reply_out);
}

enum err handle_platform_tenant_list(
	struct call *call, const struct page_request *request_in, struct platform_tenant_page *reply_out)
{
	struct platform_tenant *items;
	struct tenant_record *records;
	struct desk_list list;
	size_t count;
	enum err err;

	err = desk_page(call, LIST_TENANTS, request_in->has_limit, request_in->limit, request_in->cursor,
		sizeof(*records), sizeof(*items), &list);
	if (err != OK)
		return err;
	records = list.records;
	items = list.items;
	db_set_deadline(desk_of(call)->jobs, call->deadline_us);
	err = store_tenant_list(desk_of(call)->jobs, call->arena, &list.after, list.fetch, records, &count);
	if (err != OK)
		return err;
	*reply_out = (struct platform_tenant_page){.has_items = true, .has_next_cursor = true};
	reply_out->items.items = items;
	reply_out->items.count = desk_page_shown(&list, count);
	for (size_t i = 0; i < reply_out->items.count; i++)
		items[i] = (struct platform_tenant){
			.id = records[i].id,
			.has_id = true,
			.slug = records[i].slug,
			.has_slug = true,
			.name = records[i].name,
			.has_name = true,
			.locale = str_from(rules_locale_name(records[i].locale)),
			.has_locale = true,
			.created_at = records[i].created_at,
			.has_created_at = true,
		};
	reply_out->next_cursor = desk_page_next(call, &list, count, &records[list.limit - 1].id);
	return OK;
}
