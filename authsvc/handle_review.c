/* SPDX-License-Identifier: Apache-2.0 */
#include "grants.h"
#include "issue.h"
#include "once.h"
#include "people.h"
#include "service/crash.h"
#include "store_review.h"
#include "store_role.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define LIST_REVIEWS "reviews"

static void view(const struct review_record *review, struct access_review *view_out)
{
	*view_out = (struct access_review){
		.id = review->id,
		.has_id = true,
		.status = review->closed_at == 0 ? STR("open") : STR("closed"),
		.has_status = true,
		.opened_by = review->opened_by,
		.has_opened_by = true,
		.opened_at = review->opened_at,
		.has_opened_at = true,
		.closed_by = review->closed_by,
		.has_closed_by = review->closed_at != 0,
		.closed_at = review->closed_at,
		.has_closed_at = review->closed_at != 0,
		.version = review->version,
		.has_version = true,
	};
}

static void view_item(const struct review_item *item, struct access_item *view_out)
{
	*view_out = (struct access_item){
		.id = item->id,
		.has_id = true,
		.person_id = item->person_id,
		.has_person_id = !uuid_is_nil(&item->person_id),
		.role = item->role,
		.has_role = true,
		.grant_id = item->grant_id,
		.has_grant_id = !uuid_is_nil(&item->grant_id),
		.certified_by = item->certified_by,
		.has_certified_by = item->certified_at != 0,
		.certified_at = item->certified_at,
		.has_certified_at = item->certified_at != 0,
		.outcome = item->outcome,
		.has_outcome = item->outcome.p != NULL,
	};
}

/* With its items as they are in the store; *items_out lie in the arena. */
static enum err view_whole(struct call *call, struct store *store, const struct review_record *review,
	struct access_review *view_out, struct review_item **items_out)
{
	struct review_item *items = arena_take_array(call->arena, REVIEW_ITEMS_MAX, sizeof(*items));
	size_t count;
	enum err err;

	view(review, view_out);
	view_out->items.items = arena_take_array(call->arena, REVIEW_ITEMS_MAX, sizeof(*view_out->items.items));
	if (items == NULL || view_out->items.items == NULL)
		return ERR_OVERLOADED;
	if ((err = store_review_items(store, review, items, &count)) != OK)
		return err;
	for (size_t i = 0; i < count; i++)
		view_item(&items[i], &view_out->items.items[i]);
	view_out->items.count = count;
	view_out->has_items = true;
	call->version = review->version;
	*items_out = items;
	return OK;
}

/* The event names the review; what it takes away has events of its own. */
static enum err put_event(
	struct call *call, struct store *store, const char *action, const struct review_record *review)
{
	struct trail trail = {
		.action = action, .object_type = "access_review", .object_id = review->id, .version = review->version};
	struct access_review bare;

	view(review, &bare);
	trail.after = desk_json(call, shape_access_review(), &bare);
	return trail.after.p != NULL ? desk_put_event(call, store, &trail) : ERR_OVERLOADED;
}

static enum err need_person(struct call *call)
{
	if (!uuid_is_nil(&call->token.person_id))
		return OK;
	return call_refuse(call, ERR_FORBIDDEN, NULL, "person_required",
		"People review what people may do; the token is a client's.");
}

/* -- opening -- */

static bool is_staff(const struct rights *rights)
{
	for (unsigned bit = 0; bit < PERMISSION_BITS_MAX; bit++) {
		if ((rights->bits[bit / 8] >> bit % 8 & 1) != 0 && permission_is_staff((enum permission)bit))
			return true;
	}
	return false;
}

/* All roles of the tenant that reach other people or change what binds them. */
static enum err reviewed_roles(struct call *call, struct store *store, struct texts *names_out)
{
	struct role_record own[ROLES_OWN_MAX];
	const struct role *role;
	size_t count;
	enum err err;

	*names_out = (struct texts){arena_take_array(call->arena, 2 * ROLES_OWN_MAX, sizeof(struct str)), 0};
	if (names_out->items == NULL)
		return ERR_OVERLOADED;
	if ((err = store_role_list(store, own, &count)) != OK)
		return err;
	for (size_t i = 0; (role = role_at(i)) != NULL && i < ROLES_OWN_MAX; i++) {
		struct rights rights = issue_rights_of_roles(str_from(role->name));

		if (is_staff(&rights))
			names_out->items[names_out->count++] = str_from(role->name);
	}
	for (size_t i = 0; i < count; i++) {
		struct rights rights = issue_rights_of_names(own[i].permissions);

		if (is_staff(&rights))
			names_out->items[names_out->count++] = own[i].name;
	}
	return OK;
}

static enum err create(struct call *call, const struct access_review_create_request *request, struct store *store,
	struct access_review *reply)
{
	struct review_record review = {
		.id = uuid_new(), .opened_by = call->token.person_id, .opened_at = clock_now_us()};
	struct texts names = request->roles;
	struct review_item *items;
	uint64_t count;
	enum err err;

	if ((err = need_person(call)) != OK)
		return err;
	if (!request->has_roles && (err = reviewed_roles(call, store, &names)) != OK)
		return err;
	if ((err = store_review_insert(store, &review)) != OK)
		return err;
	if ((err = store_review_fill(store, &review, names.items, names.count, &count)) != OK)
		return err;
	if (count > REVIEW_ITEMS_MAX)
		return call_refuse(call, ERR_CONFLICT, "roles", "too_many_items",
			"A review has at most 500 items; name fewer roles.");
	if ((err = view_whole(call, store, &review, reply, &items)) != OK)
		return err;
	return put_event(call, store, "access_review.open", &review);
}

enum err handle_access_review_create(
	struct call *call, const struct access_review_create_request *request_in, struct access_review *reply_out)
{
	struct once once;

	CRASH_COMMIT("access_review_create");
	if (once_open(call, reply_out, &once))
		once.err = create(call, request_in, &once.store, reply_out);
	return once_close(call, &once, reply_out);
}

/* -- looking -- */

enum err handle_access_review_list(
	struct call *call, const struct page_request *request_in, struct access_review_page *reply_out)
{
	struct review_record *records;
	struct access_review *items;
	struct store store = {0};
	struct desk_list list;
	size_t count;
	enum err err;

	err = desk_page(call, LIST_REVIEWS, request_in->has_limit, request_in->limit, request_in->cursor,
		sizeof(*records), sizeof(*items), &list);
	if (err != OK)
		return err;
	records = list.records;
	items = list.items;
	if ((err = desk_begin(call, &store)) == OK)
		err = store_review_list(&store, &list.after, list.fetch, records, &count);
	store_release(&store);
	if (err != OK)
		return err;
	*reply_out = (struct access_review_page){.has_items = true, .has_next_cursor = true};
	reply_out->items.items = items;
	reply_out->items.count = desk_page_shown(&list, count);
	for (size_t i = 0; i < reply_out->items.count; i++)
		view(&records[i], &items[i]);
	reply_out->next_cursor = desk_page_next(call, &list, count, &records[list.limit - 1].id);
	return OK;
}

enum err handle_access_review_read(
	struct call *call, const struct access_review_ref *request_in, struct access_review *reply_out)
{
	struct review_record review;
	struct review_item *items;
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_review_read(&store, &request_in->id, &review)) == OK)
		err = view_whole(call, &store, &review, reply_out, &items);
done:
	store_release(&store);
	return err;
}

/* -- certifying -- */

static enum err lock_open(
	struct call *call, struct store *store, const struct uuid *id, struct review_record *review_out)
{
	enum err err;

	if ((err = store_review_lock(store, id, review_out)) != OK)
		return err;
	return review_out->closed_at == 0
	               ? need_person(call)
	               : call_refuse(call, ERR_CONFLICT, NULL, "review_closed", "The review is closed.");
}

static enum err certify(struct call *call, const struct access_review_certify_request *request, struct store *store,
	struct access_review *reply)
{
	struct review_record review;
	struct review_item *items;
	bool own;
	enum err err;

	if ((err = lock_open(call, store, &request->id, &review)) != OK)
		return err;
	err = store_review_certify(store, &review, request->item_ids.items, request->item_ids.count,
		&call->token.person_id, clock_now_us(), &own);
	if (err == ERR_NOT_FOUND)
		return call_refuse(call, err, "item_ids", NULL, NULL);
	if (err == OK && own)
		return call_refuse(call, ERR_FORBIDDEN, "item_ids", "own_access",
			"Nobody certifies what they have themselves, be it by a group.");
	if (err != OK || (err = view_whole(call, store, &review, reply, &items)) != OK)
		return err;
	return put_event(call, store, "access_review.certify", &review);
}

enum err handle_access_review_certify(
	struct call *call, const struct access_review_certify_request *request_in, struct access_review *reply_out)
{
	struct once once;

	CRASH_COMMIT("access_review_certify");
	if (once_open(call, reply_out, &once))
		once.err = certify(call, request_in, &once.store, reply_out);
	return once_close(call, &once, reply_out);
}

/* -- closing: what nobody certified goes -- */

/* ERR_FORBIDDEN and ERR_CONFLICT say that the item stays, and why. */
static enum err take_role(struct call *call, struct store *store, const struct review_item *item)
{
	struct person_record old, record;
	struct texts had, kept;
	struct str before;
	enum err err;

	if ((err = store_person_lock(store, &item->person_id, &old)) != OK)
		return err;
	had = desk_words(call->arena, old.roles);
	kept = (struct texts){arena_take_array(call->arena, had.count + 1, sizeof(struct str)), 0};
	if (had.items == NULL || kept.items == NULL || (before = people_json(call, &old)).p == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < had.count; i++) {
		if (!str_eq(had.items[i], item->role))
			kept.items[kept.count++] = had.items[i];
	}
	if (kept.count == had.count)
		return ERR_NOT_FOUND;
	if ((err = people_check_outranks(call, &old)) != OK)
		return err;
	record = old;
	if ((err = people_check_roles(call, store, &kept, &record)) != OK)
		return err;
	if ((err = people_check_not_last(call, store, &old, &record)) != OK)
		return err;
	if ((err = store_person_update(store, &record, clock_now_us())) != OK)
		return err;
	if ((err = people_set_roles(call, store, &record)) != OK)
		return err;
	if ((err = people_take_away(store, &old, &record)) != OK)
		return err;
	return people_put_event(call, store, "person.update", &record, before);
}

static enum err take_grant(struct call *call, struct store *store, const struct review_item *item)
{
	struct role_grant_record record;
	struct role_grant ended;
	enum err err;

	if ((err = store_role_grant_lock(store, &item->grant_id, &record)) != OK)
		return err;
	if (!str_eq_c(str_from(grants_status(&record)), "active"))
		return ERR_NOT_FOUND;
	if ((err = grants_check_rank(call, store, &record)) != OK)
		return err;
	return grants_revoke(call, store, &record, &ended);
}

static enum err take(struct call *call, struct store *store, const struct review_item *item)
{
	const char *outcome;
	enum err err = OK;

	if (item->certified_at != 0)
		return store_review_decide(store, item, "certified");
	err = uuid_is_nil(&item->grant_id) ? take_role(call, store, item) : take_grant(call, store, item);
	switch (err) {
	case OK:
		outcome = "revoked";
		break;
	case ERR_NOT_FOUND:
		outcome = "gone";
		break;
	case ERR_CONFLICT:
		outcome = "last";
		break;
	case ERR_FORBIDDEN:
		outcome = "above";
		break;
	default:
		return err;
	}
	call->field = call->reason = call->detail = STR_NONE;
	return store_review_decide(store, item, outcome);
}

static enum err close_review(struct call *call, const struct uuid *id, struct store *store, struct access_review *reply)
{
	struct tenant_record tenant;
	struct review_record review;
	struct review_item *items;
	enum err err;

	if ((err = store_tenant_lock(store, &tenant)) != OK)
		return err;
	if ((err = lock_open(call, store, id, &review)) != OK)
		return err;
	if ((err = view_whole(call, store, &review, reply, &items)) != OK)
		return err;
	for (size_t i = 0; i < reply->items.count; i++) {
		if ((err = take(call, store, &items[i])) != OK)
			return err;
	}
	review.closed_by = call->token.person_id;
	review.closed_at = clock_now_us();
	if ((err = store_review_close(store, &review)) != OK)
		return err;
	if ((err = view_whole(call, store, &review, reply, &items)) != OK)
		return err;
	return put_event(call, store, "access_review.close", &review);
}

enum err handle_access_review_close(
	struct call *call, const struct access_review_ref *request_in, struct access_review *reply_out)
{
	struct once once;

	CRASH_COMMIT("access_review_close");
	if (once_open(call, reply_out, &once))
		once.err = close_review(call, &request_in->id, &once.store, reply_out);
	return once_close(call, &once, reply_out);
}
