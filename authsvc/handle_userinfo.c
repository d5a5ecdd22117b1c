/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"
#include "web.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define REPLY_MAX 4096

static void put_str(struct json_writer *w, const char *claim, struct str value)
{
	if (value.len == 0)
		return;
	json_key(w, claim);
	json_put_str(w, value);
}

/* OpenID Connect Core section 5.4 */
static void put_claims(struct call *call, const struct person_record *person, struct json_writer *w)
{
	char id[UUID_TEXT_LEN + 1];

	uuid_format(&person->id, id);
	json_begin_object(w);
	json_key(w, "sub");
	json_put_c(w, id);
	if (token_has_scope(&call->token, "profile")) {
		put_str(w, "name",
			str_trim(arena_printf(
				call->arena, "%.*s %.*s", STR_ARG(person->given_name), STR_ARG(person->family_name))));
		put_str(w, "given_name", person->given_name);
		put_str(w, "family_name", person->family_name);
		put_str(w, "locale", str_from(rules_locale_name(person->locale)));
	}
	if (token_has_scope(&call->token, "email")) {
		put_str(w, "email", person->email);
		json_key(w, "email_verified");
		json_put_bool(w, person->email_verified_at != 0);
	}
	json_end_object(w);
}

static enum err answer(struct call *call, struct web_reply *reply)
{
	struct person_record person;
	struct store store = {0};
	struct json_writer w;
	struct buf buf;
	enum err err;

	buf_init(&buf, REPLY_MAX);
	if (!token_has_scope(&call->token, "openid")) {
		err = call_refuse(call, ERR_FORBIDDEN, NULL, "openid", "The token was not granted the scope openid.");
		goto done;
	}
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	err = store_person_read(&store, &call->token.person_id, &person);
	if (err == ERR_NOT_FOUND || (err == OK && person.status != PERSON_ACTIVE))
		err = ERR_UNAUTHENTICATED;
	if (err != OK)
		goto done;
	w = json_writer_over(&buf);
	put_claims(call, &person, &w);
	err = web_json(call, reply, 200, &buf);
done:
	store_release(&store);
	buf_release(&buf);
	return err;
}

/* RFC 6750 section 2: a second way to send a token, be it the same one. The only field that can be at fault is it. */
static enum err answer_one_way(struct call *call, bool has_second, struct web_reply *reply_out)
{
	if (!has_second && call->form_fault.p == NULL)
		return answer(call, reply_out);
	return call_refuse(call, ERR_BAD_REQUEST, "access_token", "token_sent_twice",
		"A token comes in the Authorization header, and in no other way.");
}

enum err handle_userinfo_read(struct call *call, const struct userinfo_query *request_in, struct web_reply *reply_out)
{
	return answer_one_way(call, request_in->has_access_token, reply_out);
}

enum err handle_userinfo_post(struct call *call, const struct userinfo_form *request_in, struct web_reply *reply_out)
{
	return answer_one_way(call, request_in->has_access_token, reply_out);
}
