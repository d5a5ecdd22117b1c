/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_TOKEN_H
#define BERTH_TOKEN_TOKEN_H

#include "base/acr.h"
#include "base/clock.h"
#include "base/id.h"
#include "token/jws.h"

/*
 * Our access token: a JWT of RFC 9068, signed with EdDSA. Header {"alg":"EdDSA","typ":"at+jwt","kid"}. Claims: iss,
 * aud, sub, client_id, iat, exp, jti, scope; and private ones: `tid` tenant, `sid` grant or session family, `env`
 * environment stamp, `ev` e-mail verified, `roles`, `perm` (base64url of a little-endian bitmap; bit n is row n of
 * contract/permissions.def), `ims` (milliseconds of iat, 0 to 999: NumericDate has whole seconds, and a revocation
 * must not hit the token issued just after it). For a client without a person, sub is the client_id (RFC 9068 section
 * 2.2). `aud` is the audience of the deployment, or that and the path of one of its resources (RFC 8707). `grants`:
 * rights in one place or for one person only, each a letter of enum token_scope and base64url of the id's 16 bytes and
 * 1 to 4 of such a bitmap. How and when the person signed in: acr, amr, auth_time (RFC 9068 section 2.2.1); without acr
 * it was one factor.
 * `mfa`: of whom the person's tenant demands a second factor (base/acr.h); without it, of staff.
 * `cnf` with `jkt` alone binds it to a key (RFC 9449 section 6.1).
 */
#define TOKEN_LEN_MAX 4096
#define TOKEN_LIFE_MAX_US (3600 * US_PER_S)
#define TOKEN_LEEWAY_US (5 * US_PER_S)
#define TOKEN_PERMISSIONS_MAX 256
#define TOKEN_CLIENT_ID_MAX 64
#define TOKEN_SCOPE_MAX 255
#define TOKEN_ROLES_MAX 8
#define TOKEN_ROLE_MAX 23
#define TOKEN_RESOURCE_MAX 63
#define TOKEN_AUDIENCE_MAX 512
#define TOKEN_GRANTS_MAX 8
#define TOKEN_GRANT_BYTES 4 /* of the bitmap: permissions 0 to 31 */

enum token_scope { TOKEN_SITE = 's', TOKEN_AREA = 'a', TOKEN_PRINCIPAL = 'p', TOKEN_GROUP = 'g' };
struct token_grant {
	struct uuid id;
	char scope; /* enum token_scope */
	uint8_t permissions[TOKEN_GRANT_BYTES];
};

/* No pointers, so it may be copied and cached; strings are NUL-terminated. */
struct token {
	struct uuid person_id; /* nil when a client acts for itself */
	struct uuid tenant_id;
	struct uuid session_id;
	struct uuid token_id; /* jti */
	instant_us issued_at;
	instant_us expires_at;
	uint8_t permissions[TOKEN_PERMISSIONS_MAX / 8];
	instant_us auth_at; /* whole seconds; 0: not said */
	enum acr acr;       /* ACR_NONE exactly when a client acts for itself */
	enum demand demand; /* of a person's tenant */
	bool email_verified;
	uint8_t role_count;
	char roles[TOKEN_ROLES_MAX][TOKEN_ROLE_MAX + 1];
	uint8_t grant_count;
	struct token_grant grants[TOKEN_GRANTS_MAX];
	char client_id[TOKEN_CLIENT_ID_MAX + 1];
	char scope[TOKEN_SCOPE_MAX + 1];       /* space-separated; "" when none */
	char methods[AMR_MAX + 1];             /* amr, space-separated; "" when none */
	char resource[TOKEN_RESOURCE_MAX + 1]; /* what of the audience it is for: "/v1/bookings"; "": all of it */
	char jkt[JWK_THUMBPRINT_LEN + 1];      /* good only beside a proof of this key (dpop.h); "": whoever bears it */
};

struct token_rules {
	struct str issuer;
	struct str audience;
	struct str env;                       /* STR_NONE: any (the offline probe only) */
	instant_us leeway_us;                 /* for iat and nbf in the future; exp has none */
	bool (*is_resource)(struct str path); /* which paths behind the audience name a resource; NULL: none */
};

/*
 * Verifies signature, typ (at+jwt), times and every claim. ERR_TOKEN_EXPIRED when all is right but the time,
 * ERR_UNAUTHENTICATED for the rest, each with a constant reason for logs and probes, never for clients
 * (jws_unknown_key among them: tell keyring_miss); ERR_OVERLOADED without memory. *token_out is zeroed on failure.
 * Thread-safe.
 */
MUST_USE enum err token_verify(const struct token_rules *rules, const struct keyset *keys, struct str compact,
	instant_us now, struct token *token_out, const char **reason_out);
/*
 * Appends the signed token. ERR_BAD_FIELD when `token` or the rules would not verify (life over the cap, a bad
 * role…). The key is Ed25519.
 */
MUST_USE enum err token_sign(const struct token_rules *rules, const struct signing_key *key, const struct token *token,
	struct buf *compact_out);

/* Whether sub could mean the client as well as the person (RFC 9068 section 5): neither signed nor taken then. */
bool token_is_ambiguous(const struct token *token);
bool token_has(const struct token *token, unsigned permission); /* false out of range */
void token_grant(struct token *token, unsigned permission);     /* out of range is a broken invariant */
/* Held there, though not everywhere. */
bool token_has_at(const struct token *token, unsigned permission, enum token_scope scope, const struct uuid *id);
/* Held everywhere or, where the operation itself looks at the place, somewhere. */
bool token_may(const struct token *token, unsigned permission, bool looks_at_place);
/*
 * Joins what is there for the same place. ERR_BAD_FIELD: nothing that can be held in a place, or an id or scope that is
 * none; ERR_TOO_LARGE: full.
 */
MUST_USE enum err token_add_grant(struct token *token, const struct token_grant *grant);
bool token_has_scope(const struct token *token, const char *scope); /* one whole word of scope */
/* False, and nothing changes, when `scope` is not words of RFC 6749 section 3.3 with single spaces. */
bool token_set_scope(struct token *token, struct str scope);
/* The same by acr_methods_ok. */
bool token_set_methods(struct token *token, struct str methods);
/* The same by the rules. */
bool token_set_resource(struct token *token, const struct token_rules *rules, struct str path);
bool token_has_role(const struct token *token, const char *role);
/* ERR_BAD_FIELD when full or not 1 to TOKEN_ROLE_MAX of a-z A-Z 0-9 _ - */
MUST_USE enum err token_add_role(struct token *token, struct str role);

#endif
