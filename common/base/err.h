/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_ERR_H
#define BERTH_BASE_ERR_H

/*
 * The one error type. Names ERR_<NAME> come from common/contract/errors.def; results must be used.
 * A function that can fail returns enum err; what it produces comes last, through `_out` parameters.
 */
enum err {
	OK = 0,
#define E(name, number, status, code, title) ERR_##name = (number),
#include "contract/errors.def"
#undef E
};

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

/* HTTP status, stable code and title (RFC 9457) of an error; OK gives 200, "ok", "". Never NULL. */
int err_status(enum err err);
const char *err_code(enum err err);
const char *err_title(enum err err);

/* The error with this wire number; an unknown number gives ERR_BAD_GATEWAY. */
enum err err_from_wire(unsigned number);

#endif
