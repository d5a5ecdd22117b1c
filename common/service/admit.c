/* SPDX-License-Identifier: Apache-2.0 */
#include "service/admit.h"

/* A client that acts for itself is no person: it shows its own secret or key, and whoever gave it rights was staff. */
static bool is_asked(const struct token *token)
{
	return !uuid_is_nil(&token->person_id) && token->demand != DEMAND_OPTIONAL;
}

static bool lacks_factor(const struct token *token)
{
	return is_asked(token) && token->acr < ACR_2FA;
}

enum admit_factor admit_factor(enum permission permission, bool step_up, enum demand demand)
{
	/* PERM_SELF says who one is, and reaches nothing. */
	bool asked = demand == DEMAND_ALL ? permission != PERM_SELF
	                                  : demand == DEMAND_STAFF && permission_is_staff(permission);

	if (!asked)
		return ADMIT_NO_FACTOR;
	return step_up ? ADMIT_FACTOR_FRESH : ADMIT_FACTOR_SHOWN;
}

bool admit_is_fresh(instant_us auth_at, instant_us now)
{
	return now - auth_at <= STEP_UP_MAX_AGE_S * US_PER_S + TOKEN_LEEWAY_US;
}

enum err admit_token(
	const struct operation *operation, const struct token *token, instant_us now, struct str *reason_out)
{
	const enum permission permission = operation->permission;
	const enum admit_factor wanted =
		is_asked(token) ? admit_factor(permission, (operation->flags & OP_STEP_UP) != 0, token->demand)
				: ADMIT_NO_FACTOR;

	if (!token->email_verified && (operation->flags & OP_UNVERIFIED) == 0)
		return ERR_EMAIL_UNVERIFIED;
	*reason_out = str_from(permission_name(permission));
	if (permission != PERM_SELF && !token_may(token, (unsigned)permission, (operation->flags & OP_PLACED) != 0))
		return ERR_FORBIDDEN;
	if (wanted == ADMIT_FACTOR_FRESH && (token->acr < ACR_2FA || !admit_is_fresh(token->auth_at, now)))
		return ERR_STEP_UP;
	if (wanted == ADMIT_FACTOR_SHOWN && token->acr < ACR_2FA)
		return ERR_SECOND_FACTOR;
	*reason_out = STR_NONE;
	return OK;
}

/* The same of what is held in places. */
static bool limit_grants(struct token *token)
{
	bool limited = false;

	for (unsigned i = 0; i < token->grant_count; i++) {
		for (unsigned bit = 0; bit < TOKEN_GRANT_BYTES * 8; bit++) {
			uint8_t *byte = &token->grants[i].permissions[bit / 8];

			if ((*byte >> bit % 8 & 1) == 0 || !permission_is_staff((enum permission)bit))
				continue;
			*byte &= (uint8_t) ~(1U << bit % 8);
			limited = true;
		}
	}
	return limited;
}

bool admit_limit(struct token *token)
{
	bool limited;

	if (!lacks_factor(token))
		return false;
	limited = limit_grants(token);
	for (unsigned bit = 0; bit < PERMISSION_BITS_MAX; bit++) {
		if (!token_has(token, bit) || !permission_is_staff((enum permission)bit))
			continue;
		token->permissions[bit / 8] &= (uint8_t) ~(1U << bit % 8);
		limited = true;
	}
	return limited;
}
