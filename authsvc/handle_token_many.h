/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_HANDLE_TOKEN_MANY_H
#define BERTH_AUTHSVC_HANDLE_TOKEN_MANY_H

#include "service/service.h"

/*
 * The form of token_issue for batches (handler_many_fn): client_credentials and refreshes of whoever has a secret share
 * one transaction, each of its steps one round trip. Only what succeeds is decided there; anything else, and whatever
 * else is asked for, goes through the single form afterwards. So outcomes are those of the single form one by one.
 */
enum err handle_token_issue_many(
	struct call **calls, const void *const *requests, void **replies, enum err *errs_out, size_t count);

#endif
