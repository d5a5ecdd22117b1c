/* SPDX-License-Identifier: Apache-2.0 */
#include "service/admit.h"

/* A client that acts for itself is no person: it shows its own secret or key, and whoever gave it rights was staff. */
static bool lacks_factor(const struct token *token)
{
	return !uuid_is_nil(&token->person_id) && token->acr < ACR_2FA && token->demand != DEMAND_OPTIONAL;
}

static bool wants_factor(const struct token *token, enum permission permission)
{
	if (token->demand == DEMAND_ALL)
		return permission != PERM_SELF; /* which says who one is, and reaches nothing */
	return permission_is_staff(permission);
}

enum err admit_token(const struct operation *operation, const struct token *token, struct str *reason_out)
{
	const enum permission permission = operation->permission;

	if (!token->email_verified && (operation->flags & OP_UNVERIFIED) == 0)
		return ERR_EMAIL_UNVERIFIED;
	if (permission != PERM_SELF && !token_has(token, (unsigned)permission)) {
		*reason_out = str_from(permission_name(permission));
		return ERR_FORBIDDEN;
	}
	if (lacks_factor(token) && wants_factor(token, permission)) {
		*reason_out = str_from(permission_name(permission));
		return ERR_SECOND_FACTOR;
	}
	return OK;
}

bool admit_limit(struct token *token)
{
	bool limited = false;

	if (!lacks_factor(token))
		return false;
	for (unsigned bit = 0; bit < PERMISSION_BITS_MAX; bit++) {
		if (!token_has(token, bit) || !permission_is_staff((enum permission)bit))
			continue;
		token->permissions[bit / 8] &= (uint8_t) ~(1U << bit % 8);
		limited = true;
	}
	return limited;
}
