/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_RULES_FACTOR_H
#define BERTH_AUTHSVC_RULES_FACTOR_H

#include "rules.h"

/* Second factors: which there are, and what their codes are. Pure. */
enum factor_kind { FACTOR_TOTP, FACTOR_PASSKEY, FACTOR_KINDS };
const char *rules_factor_kind_name(enum factor_kind kind);
bool rules_factor_kind_parse(struct str name, enum factor_kind *kind_out);

/* RFC 6238 as authenticator apps have it: SHA-1, six digits, 30 seconds. */
#define TOTP_SECRET_LEN 20
#define TOTP_DIGITS 6
#define TOTP_STEP_S 30
#define TOTP_DRIFT 1 /* steps, each way */

/* The last `digits` (1 to 8) of the code at a time step; UINT32_MAX, which is none, without memory. */
uint32_t rules_totp_code(struct str secret, int64_t step, int digits);
int64_t rules_totp_step(instant_us now);
/*
 * The step of which `code` is the code, within the drift around `now` and after `used`; the newest of them when several
 * are. 0: none.
 */
int64_t rules_totp_match(struct str secret, struct str code, int64_t used, instant_us now);
/* RFC 4648 section 6 without padding; the text of a secret. p is NULL when the arena is full. */
struct str rules_base32(struct arena *arena, struct str bytes);

/* Recovery codes: ten, of 80 bits each, shown as four groups of four letters. */
#define RECOVERY_CODES 10
#define RECOVERY_BYTES 10
#define RECOVERY_KEEP_US (30 * US_PER_DAY) /* a used one */
struct str rules_recovery_text(struct arena *arena, struct str bytes);
/* As typed, without blanks and dashes and in capitals. STR_NONE: no recovery code by its shape. */
struct str rules_recovery_normal(struct arena *arena, struct str typed);

/* What is changed about factors needs a sign-in of the last quarter of an hour. */
#define FACTOR_FRESH_US (900 * US_PER_S)
/* A sign-in that waits for its second factor. */
#define PENDING_LIFE_US (600 * US_PER_S)

extern const struct proof rules_proof_totp, rules_proof_recovery;
/* By a passkey: behind a password, or alone, which then verified its user. `synced`: its key may leave the device. */
struct proof rules_proof_passkey(bool password, bool synced);
/* Whether a password was among the methods. */
bool rules_proof_has_password(const struct proof *proof);
/* A challenge that waits for a passkey. */
#define CHALLENGE_LIFE_US (300 * US_PER_S)
/* The name of a passkey, as its owner typed it. */
#define PASSKEY_NAME_MAX 60

#endif
