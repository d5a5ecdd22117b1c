/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_GUARD_H
#define BERTH_AUTHSVC_GUARD_H

#include "desk.h"
#include "web.h"

/*
 * A browser that has signed in to the account before carries a cookie that says so and is counted for itself: whatever
 * strangers do, from wherever, its owner does not wait for them, and it guesses no faster than they.
 *
 * Slows guessing. What counts is what was asked for, not what exists, so answers and delays are the same for
 * accounts that are not there. Counters are keyed hashes in Redis, in memory while Redis is away.
 */
struct guard {
	struct throttle_key keys[3];
	size_t count;
	struct vault_hash pair; /* account and address */
};

/* Counts one attempt to sign in. *wait_s_out 0: go on; else nothing was counted and the attempt is refused. */
MUST_USE enum err guard_attempt(struct call *call, const struct uuid *tenant_id, struct str normal_email,
	struct guard *guard_out, int64_t *wait_s_out);
/* The account's browser from now on: a fresh cookie, bound to the account. */
MUST_USE enum err guard_remember(
	struct call *call, struct web_reply *reply, const struct uuid *tenant_id, struct str normal_email);
/* Whether the log is to be told that an attempt had to wait: once in a while for each account and each network. */
bool guard_tells(struct call *call, const struct uuid *tenant_id, struct str normal_email);
/* Whether it is to be told that a request of the client was refused for this reason: once in a while for each. */
bool guard_tells_refusal(
	struct call *call, const struct uuid *tenant_id, const struct uuid *client_id, const char *reason);
/* The same counters without an attempt, for guard_succeed by who asked for nothing: a sign-in in two steps. */
MUST_USE enum err guard_of(
	struct call *call, const struct uuid *tenant_id, struct str normal_email, struct guard *guard_out);
/* The sign-in is complete: its failures are forgotten. A right password that a factor must follow is no success yet. */
void guard_succeed(struct call *call, const struct guard *guard);
/*
 * The same for guessing at something that belongs to no account; what counts is where it comes from, and whoever knows
 * one of what is guessed does not start anew by it.
 */
MUST_USE enum err guard_knock(struct call *call, const char *door, struct guard *guard_out, int64_t *wait_s_out);
/* Whether one more mail may go to the address. */
bool guard_may_mail(struct call *call, const struct uuid *tenant_id, struct str normal_email);
/*
 * Counts one request of a mail for a new password. *wait_s_out > 0: whoever asks has asked too often. *may_mail_out
 * false: the address was asked for too often, which the answer must not tell.
 */
MUST_USE enum err guard_reset(struct call *call, const struct uuid *tenant_id, struct str normal_email,
	int64_t *wait_s_out, bool *may_mail_out);

#endif
