/* SPDX-License-Identifier: Apache-2.0 */
#include "csrf.h"

#include "base/encode.h"
#include "desk.h"
#include "rules_web.h"

#define SEED_LEN 32
#define SEED_TEXT_LEN 43

struct str csrf_sent_seed(const struct call *call)
{
	struct str seed = rules_cookie_get(call->cookie, COOKIE_LOGIN);

	return seed.len == SEED_TEXT_LEN ? seed : STR_NONE;
}

enum err csrf_seed(struct call *call, struct web_reply *reply, struct str *seed_out)
{
	uint8_t random[SEED_LEN];

	*seed_out = csrf_sent_seed(call);
	if (seed_out->p != NULL)
		return OK;
	random_bytes(random, sizeof(random));
	*seed_out = base64url_encode(call->arena, (struct str){(const char *)random, sizeof(random)});
	return seed_out->p != NULL ? web_cookie(call, reply, COOKIE_LOGIN, *seed_out) : ERR_OVERLOADED;
}

struct str csrf_token(struct call *call, struct str seed, const char *purpose, struct str about)
{
	struct str parts[3] = {seed, str_from(purpose), about.p != NULL ? about : STR("")};
	struct vault_hash hash = vault_hash_parts(desk_state(call)->vault, VAULT_CSRF, parts, 3);

	return base64url_encode(call->arena, vault_hash_str(&hash));
}

bool csrf_matches(struct call *call, struct str seed, const char *purpose, struct str about, struct str token)
{
	return seed.p != NULL && str_eq_secret(csrf_token(call, seed, purpose, about), token);
}
