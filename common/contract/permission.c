/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "contract/operation.h"

enum whose { OWN, STAFF };

static const struct {
	enum permission permission;
	const char *name;
	enum whose whose;
} permissions[] = {
#define PERMISSION(NAME, bit, text, whose, help) {PERM_##NAME, (text), (whose)},
#include "contract/permissions.def"
#undef PERMISSION
};

#define PERMISSION_COUNT (sizeof(permissions) / sizeof(permissions[0]))

static const struct {
	const char *name, *help, *granted;
} role_rows[] = {
#define ROLE(NAME, number, text, help, granted) {(text), (help), (granted)},
#include "contract/roles.def"
#undef ROLE
};

#define ROLE_COUNT (sizeof(role_rows) / sizeof(role_rows[0]))

static struct role roles[ROLE_COUNT];
static pthread_once_t roles_once = PTHREAD_ONCE_INIT;

const char *permission_name(enum permission permission)
{
	for (size_t i = 0; i < PERMISSION_COUNT; i++) {
		if (permissions[i].permission == permission)
			return permissions[i].name;
	}
	switch (permission) {
	case PERM_SELF:
		return "self";
	case PERM_PUBLIC:
		return "public";
	case PERM_PEER:
		return "peer";
	default:
		return "unknown";
	}
}

bool permission_is_staff(enum permission permission)
{
	for (size_t i = 0; i < PERMISSION_COUNT; i++) {
		if (permissions[i].permission == permission)
			return permissions[i].whose == STAFF;
	}
	return false;
}

enum err permission_parse(struct str name, enum permission *permission_out)
{
	for (size_t i = 0; i < PERMISSION_COUNT; i++) {
		if (str_eq_c(name, permissions[i].name)) {
			*permission_out = permissions[i].permission;
			return OK;
		}
	}
	*permission_out = PERM_PEER; /* what no token ever holds */
	return ERR_BAD_FIELD;
}

bool permission_set_has(const struct permission_set *set, enum permission permission)
{
	size_t bit = (size_t)permission;

	return bit < PERMISSION_BITS_MAX && (set->bits[bit / 8] >> (bit % 8) & 1) != 0;
}

void permission_set_add(struct permission_set *set, enum permission permission)
{
	size_t bit = (size_t)permission;

	if (bit < PERMISSION_BITS_MAX)
		set->bits[bit / 8] = (uint8_t)(set->bits[bit / 8] | 1u << (bit % 8));
}

void permission_set_merge(struct permission_set *set, const struct permission_set *other)
{
	for (size_t i = 0; i < sizeof(set->bits); i++)
		set->bits[i] |= other->bits[i];
}

void permission_set_limit(struct permission_set *set, const struct permission_set *other)
{
	for (size_t i = 0; i < sizeof(set->bits); i++)
		set->bits[i] &= other->bits[i];
}

static struct permission_set chosen(
	const struct permission_set *set, const enum permission *permissions_of, size_t count)
{
	struct permission_set some = {{0}};

	for (size_t i = 0; i < count; i++)
		permission_set_add(&some, permissions_of[i]);
	permission_set_limit(&some, set);
	return some;
}

struct permission_set permission_set_of_place(const struct permission_set *set)
{
	static const enum permission placed[] = {PERM_SITE_MANAGE, PERM_BOOKING_MANAGE, PERM_BOOKING_READ_ALL};

	return chosen(set, placed, sizeof(placed) / sizeof(placed[0]));
}

struct permission_set permission_set_of_principal(const struct permission_set *set)
{
	static const enum permission personal[] = {PERM_BOOKING_ACT_FOR, PERM_BOOKING_MANAGE, PERM_BOOKING_READ_ALL};

	return chosen(set, personal, sizeof(personal) / sizeof(personal[0]));
}

struct permission_set permission_set_weighty(const struct permission_set *set)
{
	static const enum permission weighty[] = {PERM_PERSON_MANAGE, PERM_PERSON_ERASE, PERM_CLIENT_MANAGE,
		PERM_TENANT_MANAGE, PERM_TENANT_OWN, PERM_ROLE_MANAGE, PERM_PLATFORM_OPERATE};

	return chosen(set, weighty, sizeof(weighty) / sizeof(weighty[0]));
}

static void roles_read(void)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		struct str rest = str_from(role_rows[i].granted);
		struct str name;

		roles[i].name = role_rows[i].name;
		roles[i].help = role_rows[i].help;
		while (rest.len > 0) {
			enum permission permission;

			(void)str_cut(&rest, ' ', &name);
			if (permission_parse(name, &permission) != OK)
				abort(); /* roles.def names what permissions.def does not have */
			permission_set_add(&roles[i].permissions, permission);
		}
	}
}

const struct role *role_at(size_t index)
{
	(void)pthread_once(&roles_once, roles_read);
	return index < ROLE_COUNT ? &roles[index] : NULL;
}

const struct role *role_by_name(struct str name)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (str_eq_c(name, role_rows[i].name))
			return role_at(i);
	}
	return NULL;
}
