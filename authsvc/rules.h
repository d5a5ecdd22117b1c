/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_RULES_H
#define BERTH_AUTHSVC_RULES_H

#include "base/acr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"

/* Decisions about people, sessions, grants and keys. Pure: what they need comes in, no I/O, no clock. */

enum locale { LOCALE_EN, LOCALE_FR, LOCALE_NL, LOCALE_COUNT };
const char *rules_locale_name(enum locale locale); /* "en" */
bool rules_locale_parse(struct str name, enum locale *locale_out);

/* -- people and passwords -- */
#define PASSWORD_CHARS_MIN 15 /* without a second factor: NIST SP 800-63B-4 section 3.1.1.2 */
#define PASSWORD_BYTES_MAX 1024
#define PASSWORD_PIECES_MIN 7
#define EMAIL_BYTES_MAX 254

enum person_status { PERSON_INVITED, PERSON_ACTIVE, PERSON_SUSPENDED, PERSON_ERASED };
const char *rules_status_name(enum person_status status);
bool rules_status_parse(struct str name, enum person_status *status_out);
/* What an Admin may ask for: active and suspended into each other; invited and erased only come about otherwise. */
bool rules_status_may_become(enum person_status from, enum person_status to);

/* The form that is compared and indexed: lower case (ASCII). p is NULL when the arena is full. */
struct str rules_email_normal(struct arena *arena, struct str email);
bool rules_email_in_domain(struct str normal_email, struct str domain);
bool rules_domain_ok(struct str domain); /* lower case, two labels or more */
bool rules_slug_ok(struct str slug);

enum password_verdict { PASSWORD_OK, PASSWORD_SHORT, PASSWORD_LONG, PASSWORD_TRIVIAL };
/*
 * No rule of composition. Trivial: so much of it is runs, keyboard rows, words that everybody takes, the person's own
 * address or repetition that fewer than PASSWORD_PIECES_MIN pieces are left to guess.
 */
enum password_verdict rules_password_check(struct str password, struct str normal_email);

/* A bitmap of permissions, laid out as in a token. */
#define RIGHTS_BYTES 32
struct rights {
	uint8_t bits[RIGHTS_BYTES];
};
bool rules_rights_within(const struct rights *inner, const struct rights *outer);
struct rights rules_rights_join(const struct rights *a, const struct rights *b);
struct rights rules_rights_meet(const struct rights *a, const struct rights *b);  /* what both have */
struct rights rules_rights_minus(const struct rights *a, const struct rights *b); /* what only `a` has */
/* Where a granted role holds: everywhere, or at one site, in one area, for one person, for the people of a group. */
enum grant_scope { GRANT_TENANT, GRANT_SITE, GRANT_AREA, GRANT_PRINCIPAL, GRANT_GROUP, GRANT_SCOPES };
const char *rules_grant_scope_name(enum grant_scope scope);
bool rules_grant_scope_parse(struct str name, enum grant_scope *scope_out);
enum grant_status { GRANT_PENDING, GRANT_ACTIVE, GRANT_REFUSED, GRANT_REVOKED, GRANT_STATUSES };
const char *rules_grant_status_name(enum grant_status status);
bool rules_grant_status_parse(struct str name, enum grant_status *status_out);
#define GRANT_SHORTEST_US (2 * US_PER_S) /* a token lives for whole seconds: what ends sooner is over */
#define GRANT_WAITS_US (7 * US_PER_DAY)  /* for a second person */
#define GRANT_KEEP_US (90 * US_PER_DAY)  /* once it is over */
#define GRANT_LONGEST_US (366 * US_PER_DAY)
/* Of whoever has these roles: of all that they do when one of them is among `factor_roles`, else as of anybody. */
enum demand rules_demand_of(enum demand of_tenant, struct str factor_roles, struct str roles);
#define ROLE_NAME_MAX 23
bool rules_role_name_ok(struct str name); /* 1 to 23 of a-z A-Z 0-9 _ - */

/* -- sign-in attempts -- */
enum throttle_kind {
	THROTTLE_PAIR,
	THROTTLE_ACCOUNT,
	THROTTLE_ADDRESS,
	THROTTLE_MAIL,
	THROTTLE_RESET,
	THROTTLE_ASKER,
	THROTTLE_DEVICE,
	THROTTLE_TOLD,
	THROTTLE_KNOCK,
	THROTTLE_KINDS
};
struct throttle_curve {
	int64_t free;    /* attempts without delay */
	int64_t base_ms; /* after the first that is not free; doubles with each */
	int64_t cap_ms;
	int64_t keep_ms; /* a counter is forgotten after this long without an attempt */
};
extern const struct throttle_curve rules_throttle_curves[THROTTLE_KINDS];
/* How long to wait after the count-th attempt. */
int64_t rules_throttle_delay_ms(enum throttle_kind kind, int64_t count);

/* -- sessions and grants -- */
#define DEVICE_LIFE_S (180LL * 86400)
#define SESSION_LIFE_US (12 * 3600 * US_PER_S)
#define SESSION_IDLE_US (2 * 3600 * US_PER_S)
#define ACCESS_LIFE_US (600 * US_PER_S)
#define ID_TOKEN_LIFE_US (3600 * US_PER_S)
#define CODE_LIFE_US (60 * US_PER_S)
#define CODE_KEEP_US (30 * US_PER_DAY) /* a used code, for telling a replay */
#define REQUEST_LIFE_US (1800 * US_PER_S)
#define DEVICE_LIFE_US (600 * US_PER_S)
#define DEVICE_KEEP_US (3600 * US_PER_S) /* to tell a device that it is too late */
#define DEVICE_INTERVAL_S 5
#define PUSHED_LIFE_US (60 * US_PER_S)
#define FAMILY_LIFE_US (30 * US_PER_DAY)
#define FAMILY_IDLE_US (7 * US_PER_DAY)
#define REFRESH_RETRY_US (10 * US_PER_S)
#define LOGOUT_TOKEN_LIFE_US (120 * US_PER_S)
#define LOGOUT_NOTICE_LIFE_US US_PER_DAY /* a client is told of a sign-out so long */
#define INVITATION_LIFE_US (7 * US_PER_DAY)
#define VERIFICATION_LIFE_US US_PER_DAY
#define RESET_LIFE_US (1800 * US_PER_S)
#define EMAIL_CHANGE_LIFE_US US_PER_DAY
#define NOTICE_LIFE_US (3 * US_PER_DAY) /* a mail that tells of a change */
#define MAIL_BACKOFF_MAX_US (3600 * US_PER_S)

/* How a person proved who they are; the methods as base/acr.h has them. */
struct proof {
	enum acr acr;
	struct str methods;
	struct uuid factor_id; /* nil: none, or a recovery code */
};
extern const struct proof rules_proof_password;

bool rules_session_alive(instant_us seen_at, instant_us expires_at, bool ended, instant_us now);
/* Whether a live session satisfies max_age (seconds, -1: none asked). */
bool rules_auth_fresh(instant_us auth_at, int64_t max_age_s, instant_us now);

struct family_state {
	bool revoked;
	bool has_refresh;
	int64_t generation;
	instant_us rotated_at, expires_at;
};
enum refresh_verdict {
	REFRESH_ROTATE,  /* the newest: give the next generation */
	REFRESH_REPEAT,  /* the answer was lost, or two tabs asked at once: give the same next one again */
	REFRESH_EXPIRED, /* refuse, nothing more */
	REFRESH_THEFT    /* refuse and revoke the family */
};
enum refresh_verdict rules_refresh_decide(const struct family_state *family, int64_t presented, instant_us now);

/* -- signing keys -- */
#define KEY_ACTIVE_US (30 * US_PER_DAY)
#define KEY_PUBLISHED_US (3600 * US_PER_S) /* a new key is published this long before it signs */
#define KEY_KNOWN_US (30 * US_PER_S)       /* the same when an operator is in a hurry: until every process has it */
#define KEY_OVERLAP_US (ID_TOKEN_LIFE_US + 3600 * US_PER_S)
enum key_state { KEY_NEXT, KEY_ACTIVE, KEY_RETIRED };
const char *rules_key_state_name(enum key_state state);
bool rules_key_state_parse(struct str name, enum key_state *state_out);

struct key_ages { /* of one algorithm; 0: there is none */
	instant_us next_made_at;
	instant_us active_since;
};
enum key_step { KEY_STEP_NONE, KEY_STEP_MAKE_ACTIVE, KEY_STEP_MAKE_NEXT, KEY_STEP_PROMOTE };
/*
 * What is to be done now; ask again after doing it. `force`: an operator wants the next key as soon as everybody knows
 * it.
 */
enum key_step rules_key_decide(const struct key_ages *ages, bool force, instant_us now);
int64_t rules_key_wait_us(
	const struct key_ages *ages, instant_us now);       /* until the next one may sign, at the soonest */
bool rules_key_gone(instant_us retired_at, instant_us now); /* a retired key may be forgotten */

/* -- mails -- */
int64_t rules_mail_backoff_us(int64_t attempts); /* 10 s, doubling up to MAIL_BACKOFF_MAX_US */

/* -- telling clients of sign-outs -- */
int64_t rules_logout_backoff_us(int64_t attempts); /* 2 s, doubling up to ten minutes */

#endif
