/* SPDX-License-Identifier: Apache-2.0 */
#include "mailed.h"
#include "people.h"
#include "service/crash.h"
#include "store_mail.h"
#include "store_session.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define FORM_INVITATION "invitation"

/* Whose invitation it is, unless it was used, has expired or never was: ERR_GONE, all alike. */
static enum err find_invited(
	struct store *store, const struct ticket *ticket, bool take, struct person_record *person_out)
{
	int64_t row_id;
	enum err err;

	err = store_link_find(store, LINK_INVITATION, vault_hash_str(&ticket->hash), take, clock_now_us(), &row_id);
	if (err == ERR_NOT_FOUND)
		return ERR_GONE;
	if (err != OK || (err = store_person_lock_row(store, row_id, person_out)) != OK)
		return err;
	return person_out->status == PERSON_INVITED ? OK : ERR_GONE;
}

static enum err write_accepted(
	struct call *call, struct store *store, struct person_record *person, const struct hash *hash)
{
	struct trail trail = {.action = "person.accept",
		.object_type = "person",
		.object_id = person->id,
		.subject_id = person->id,
		.actor_id = person->id};
	instant_us now = clock_now_us();
	enum err err;

	if ((trail.before = people_json(call, person)).p == NULL)
		return ERR_OVERLOADED;
	person->status = PERSON_ACTIVE;
	/* The link came by mail: who follows it has the address. */
	if (person->email_verified_at == 0)
		person->email_verified_at = now;
	if ((err = store_person_update(store, person, now)) != OK)
		return err;
	if ((err = store_credential_put(store, person->row_id, str_from(hash->text), hash->pepper_epoch, now)) != OK)
		return err;
	if ((trail.after = people_json(call, person)).p == NULL)
		return ERR_OVERLOADED;
	trail.version = person->version;
	return desk_put_event(call, store, &trail);
}

static const struct mailed invitation = {.purpose = VAULT_INVITATION,
	.form = FORM_INVITATION,
	.crash = "invitation_accept",
	.password_first = true,
	.gone_help = TEXT_INVITATION_GONE_HELP,
	.page = pages_invitation,
	.find = find_invited,
	.write = write_accepted};

enum err handle_invitation_accept(
	struct call *call, const struct invitation_accept_request *request_in, struct accepted *reply_out)
{
	struct ticket ticket;

	CRASH_COMMIT("invitation_accept");
	reply_out->status = STR("accepted");
	reply_out->has_status = true;
	return mailed_set(call, &invitation, request_in->token, request_in->password, &ticket);
}

enum err handle_invitation_page(
	struct call *call, const struct link_page_request *request_in, struct web_reply *reply_out)
{
	return mailed_show(call, &invitation, request_in, reply_out);
}

enum err handle_invitation_submit(
	struct call *call, const struct invitation_submit_request *request_in, struct web_reply *reply_out)
{
	return mailed_submit(call, &invitation, request_in, reply_out);
}
