/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_ISSUE_H
#define BERTH_AUTHSVC_ISSUE_H

#include "desk.h"
#include "rules_oauth.h"
#include "store_person.h"
#include "store_tenant.h"
#include "token/id_token.h"

/* Rights of roles and scopes, and the tokens that carry them. */
bool issue_permission_bit(struct str name, unsigned *bit_out); /* for rules_scope_parse */
struct rights issue_rights_of_roles(struct str roles);       /* names separated by blanks; unknown ones grant nothing */
struct rights issue_rights_of_names(struct str permissions); /* the same for names of permissions */
/* What a person may do: by built-in roles, and by the tenant's own. */
struct rights issue_rights_of_person(const struct person_record *person);
/* Of roles, built in and not: `permissions` is what those of the tenant's own among them grant. */
struct rights issue_rights_of_role(struct str roles, struct str permissions);
/* What of them can be held there. */
struct rights issue_rights_at(enum grant_scope scope, const struct rights *rights);
bool issue_rights_are_weighty(const struct rights *rights); /* any of them */
/* Names of permissions, in the order of their bits. */
MUST_USE enum err issue_names_of_rights(struct arena *arena, const struct rights *rights, struct texts *names_out);

/*
 * RFC 8707: the path of a resource indicator behind the issuer, "" for the issuer itself; an absent one gives
 * `granted`. False: no resource of ours, or more than `granted`.
 */
bool issue_resource(const struct call *call, struct str indicator, struct str granted, struct str *path_out);

/* An ID token that a client shows again. ERR_UNAUTHENTICATED: it is none of ours, or its key is gone. */
MUST_USE enum err issue_hint(struct call *call, struct str compact, struct id_token *id_token_out);

struct issue {
	struct uuid tenant_id;
	const struct client_record *client;
	const struct person_record *person; /* NULL: the client acts for itself */
	const struct scope *scope;
	const struct rights *bound; /* no right beyond these; NULL: none is held back */
	struct uuid grant_id;       /* family that access tokens name, by which they are revoked */
	struct uuid session_id;     /* sid of ID tokens: the browser's session; nil: none */
	instant_us auth_at;
	struct proof proof;
	struct str resource; /* path behind the issuer; absent or "": all */
	struct str nonce;    /* of the authorization request; absent: none */
	struct str refresh_token;
	struct str jkt; /* of the key that the access token is bound to; absent: none */
};
/* Signs, and answers by RFC 6749 section 5.1; an ID token goes along when scope says openid. */
MUST_USE enum err issue_tokens(struct call *call, const struct issue *issue, struct web_reply *reply);

#endif
