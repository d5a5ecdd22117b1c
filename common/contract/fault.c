/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/fault.h"

#include <stdio.h>
#include <string.h>

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '-';
}

enum err fault_foreign(struct fault *fault, struct str field, const char *reason)
{
	size_t len;

	if (fault == NULL)
		return ERR_BAD_FIELD;
	len = field.len < sizeof(fault->field) ? field.len : sizeof(fault->field) - 1;
	for (size_t i = 0; i < len; i++)
		fault->field[i] = (char)(is_plain(field.p[i]) ? field.p[i] : '?');
	fault->field[len] = '\0';
	fault->reason = reason;
	fault->detail = NULL;
	return ERR_BAD_FIELD;
}

enum err fault_field(struct fault *fault, const char *field, const char *reason)
{
	return fault_foreign(fault, str_from(field), reason);
}

enum err fault_document(struct fault *fault, enum err err, const char *reason, const char *detail)
{
	(void)fault_foreign(fault, STR_NONE, reason);
	if (fault != NULL)
		fault->detail = detail;
	return err;
}

enum err fault_within(struct fault *fault, enum err err, const char *field, size_t index)
{
	char path[sizeof(fault->field) * 2 + 32];
	char place[32] = "";
	const char *dot;

	if (fault == NULL || err != ERR_BAD_FIELD)
		return err;
	if (index != FAULT_NO_INDEX)
		(void)snprintf(place, sizeof(place), "[%zu]", index);
	dot = fault->field[0] == '\0' || fault->field[0] == '[' ? "" : ".";
	(void)snprintf(path, sizeof(path), "%.127s%s%s%s", field, place, dot, fault->field);
	memcpy(fault->field, path, sizeof(fault->field) - 1);
	fault->field[sizeof(fault->field) - 1] = '\0';
	return err;
}
