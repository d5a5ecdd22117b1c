/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include "clients.h"
#include "rules_oauth.h"

enum err caller_tenant(struct call *call, struct str client_id, struct uuid *id_out, struct uuid *tenant_id_out)
{
	struct directory *directory = desk_state(call)->directory;
	enum err err;

	*tenant_id_out = UUID_NIL;
	if (uuid_parse(client_id, id_out) != OK)
		return ERR_NOT_FOUND;
	if (directory_find(directory, id_out, tenant_id_out))
		return OK;
	db_set_deadline(desk_of(call)->jobs, call->deadline_us);
	if ((err = store_tenant_of_client(desk_of(call)->jobs, id_out, tenant_id_out)) == OK)
		directory_put(directory, id_out, tenant_id_out);
	return err;
}

/*
 * *fault_out: RFC 6749's error, or NULL with the credentials in `basic_out`, the password absent for a public
 * client.
 */
static const char *read_credentials(
	struct call *call, const struct caller_claim *claim, struct basic *basic_out, const char **description_out)
{
	*basic_out = (struct basic){claim->client_id, claim->client_secret};
	if (call->authorization.p == NULL) {
		*description_out = "the client did not say who it is";
		return claim->client_id.p != NULL ? NULL : "invalid_client";
	}
	*description_out = "more than one way of client authentication";
	if (claim->client_secret.p != NULL)
		return "invalid_request";
	*description_out = "the Authorization header is no Basic credentials";
	if (!rules_basic_parse(call->arena, call->authorization, basic_out))
		return "invalid_client";
	*description_out = "client_id differs from the Authorization header";
	return claim->client_id.p == NULL || str_eq(claim->client_id, basic_out->user) ? NULL : "invalid_request";
}

static bool secret_matches(struct call *call, const struct client_record *client, struct str secret)
{
	struct vault_hash hash = clients_secret_hash(desk_state(call)->vault, &client->id, secret);

	return vault_hash_eq(&hash, client->secret_hash);
}

static enum err refuse(struct call *call, struct web_reply *reply, const char *error, const char *description)
{
	int status = str_eq_c(str_from(error), "invalid_client") ? 401 : 400;
	enum err err = web_oauth_error(call, reply, status, error, description);

	return err == OK ? ERR_UNAUTHENTICATED : err;
}

enum err caller_authenticate(struct call *call, const struct caller_claim *claim, struct web_reply *reply,
	struct store *store_out, struct client_record *client_out)
{
	const char *description = "";
	struct uuid id, tenant_id;
	struct basic basic;
	const char *error;
	enum err err;

	if (call->form_fault.p != NULL)
		return refuse(call, reply, "invalid_request", "a parameter is repeated, too long or malformed");
	if ((error = read_credentials(call, claim, &basic, &description)) != NULL)
		return refuse(call, reply, error, description);
	err = caller_tenant(call, basic.user, &id, &tenant_id);
	if (err == OK && (err = desk_begin_in(call, &tenant_id, store_out)) == OK)
		err = store_client_read(store_out, &id, client_out);
	if (err == ERR_NOT_FOUND)
		return refuse(call, reply, "invalid_client", "client authentication failed");
	if (err != OK)
		return err;
	if (client_out->confidential ? !secret_matches(call, client_out, basic.password)
				     : (!claim->public_ok || basic.password.p != NULL))
		return refuse(call, reply, "invalid_client", "client authentication failed");
	return OK;
}
