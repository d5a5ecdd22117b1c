/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_RULES_OAUTH_H
#define BERTH_AUTHSVC_RULES_OAUTH_H

#include "rules.h"

/* What OAuth 2.0 and OpenID Connect say about strings from strangers. Pure. */

/* -- redirect URIs -- */
#define REDIRECT_URI_MAX 500
#define ORIGIN_MAX 255
/*
 * May be registered: https, or http on a loopback host; lower-case host; no user, fragment, backslash, dot segment,
 * wild card or anything that browsers and servers read differently. *reason_out is a constant.
 */
bool rules_redirect_ok(struct str uri, const char **reason_out);
/*
 * May this text be registered as a web origin? As RFC 6454 section 6.2 writes one and browsers send it: https, or http
 * on a loopback address, a host in small letters, a port only where it is not the scheme's own, and nothing behind it.
 */
bool rules_origin_ok(struct str origin);
/* `list` is separated by blanks. Equal to the byte (RFC 9700 section 2.1), loopback ports included. */
bool rules_redirect_listed(struct str list, struct str uri);
struct str rules_redirect_origin(struct str uri); /* scheme://host:port of one that may be registered; borrows */

/* One word of a list that is separated by blanks. */
bool rules_word_listed(struct str list, const char *word);

/* -- PKCE (RFC 7636), S256 only -- */
bool rules_challenge_ok(struct str challenge);
bool rules_verifier_matches(struct str challenge, struct str verifier);

/* -- scope (RFC 6749 section 3.3) -- */
#define SCOPE_BYTES_MAX 255 /* what a token holds */
typedef bool rules_permission_bit(struct str name, unsigned *bit_out);

struct scope {
	struct str text; /* the words that are understood, once each, in the order asked */
	bool openid, profile, email, offline, berth;
	struct rights named; /* permissions asked for by name */
};
/*
 * Words that are not understood are left out (OpenID Connect Core section 3.1.2.1). False: malformed, nothing
 * understood, or longer than a token holds. An absent scope asks for `berth`.
 */
bool rules_scope_parse(struct arena *arena, struct str text, rules_permission_bit *lookup, struct scope *scope_out);
/* Every word of `inner` stands in `outer`. */
bool rules_scope_within(struct str inner, struct str outer);
/* The words of both, once each; p is NULL when the arena is full. */
struct str rules_scope_join(struct arena *arena, struct str a, struct str b);
/* The rights of `whole` that the scope asks for. */
struct rights rules_scope_limit(const struct scope *scope, const struct rights *whole);

/* -- resource (RFC 8707) -- */
/* Both are paths behind the issuer: whether all of `inner` lies in `outer`; "" is all there is. */
bool rules_resource_within(struct str inner, struct str outer);

/* -- user codes (RFC 8628 section 6.1) -- */
#define GRANT_DEVICE "urn:ietf:params:oauth:grant-type:device_code"
#define USER_CODE_LEN 8      /* of 20 consonants: no word comes about, nothing looks like a digit */
#define USER_CODE_TEXT_LEN 9 /* with a hyphen in the middle */
#define USER_CODE_TYPED_MAX 64
/* What a person typed, in capitals and with the hyphen; p is NULL when it is no user code. */
struct str rules_user_code_normal(struct arena *arena, struct str typed);
/* Of random bytes, evenly; p is NULL when there are too few good ones among them. */
struct str rules_user_code_make(struct arena *arena, struct str random);
/* How long a device has to wait from now on: the interval, and five seconds more when it asked before its time. */
int64_t rules_device_interval_s(int64_t interval_s, instant_us polled_at, instant_us now);

/* -- the authorization request -- */
struct prompt {
	bool none, login, consent;
};
/* False: malformed, or `none` beside others. An account is selected by signing in. */
bool rules_prompt_parse(struct str text, struct prompt *prompt_out);
/* The least of the known classes in acr_values (OpenID Connect Core section 3.1.2.1); ACR_NONE: none is named. */
enum acr rules_acr_wanted(struct str acr_values);
/* Seconds; an absent one gives -1. */
bool rules_max_age_parse(struct str text, int64_t *max_age_s_out);

/* -- client authentication (RFC 6749 section 2.3.1) -- */
#define CLIENT_SECRET_MAX 200
struct basic {
	struct str user, password; /* decoded */
};
/* The value of an Authorization header. False: not well-formed Basic credentials. */
bool rules_basic_parse(struct arena *arena, struct str header, struct basic *basic_out);

#endif
