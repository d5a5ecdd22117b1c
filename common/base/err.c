/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stddef.h>

struct err_row {
	int status;
	const char *code;
	const char *title;
};

/* Indexed by wire number; a number that was never given has a NULL code. */
static const struct err_row err_rows[] = {
	[OK] = {200, "ok", ""},
#define E(name, number, status, code, title) [number] = {(status), (code), (title)},
#include "contract/errors.def"
#undef E
};

#define ERR_ROWS (sizeof(err_rows) / sizeof(err_rows[0]))

static const struct err_row *err_row(enum err err)
{
	size_t number = (size_t)err;

	if (number >= ERR_ROWS || err_rows[number].code == NULL)
		number = ERR_INTERNAL;
	return &err_rows[number];
}

int err_status(enum err err)
{
	return err_row(err)->status;
}

const char *err_code(enum err err)
{
	return err_row(err)->code;
}

const char *err_title(enum err err)
{
	return err_row(err)->title;
}

enum err err_from_wire(unsigned number)
{
	if (number >= ERR_ROWS || err_rows[number].code == NULL)
		return ERR_BAD_GATEWAY;
	return (enum err)number;
}
