/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "contract/operation.h"
#include "contract/router.h"
#include "contract/test_fill.h"

/* What the declarations promise each other, for every row of them. */

static void numbers_and_names_of_operations_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];

		CHECK(operation->name, operation->number > 0);
		CHECK(operation->name, operation_by_number(operation->number) == operation);
		CHECK(operation->name, operation_by_name(operation->name) == operation);
		for (size_t j = 0; j < i; j++)
			CHECK(operation->name, operation_table[j].number != operation->number);
	}
	assert_null(operation_by_number(0));
	assert_null(operation_by_number(UINT16_MAX));
	assert_null(operation_by_name("no_such_operation"));
}

static const struct {
	enum peer callee;
	uint16_t first, last;
} ranges[] = {
	{PEER_gateway, 10, 99},
	{PEER_authsvc, 100, 299},
	{PEER_bookingsvc, 300, 499},
	{PEER_auditsvc, 500, 599},
	{PEER_gdprsvc, 600, 699},
};

static void every_operation_stands_in_the_range_of_its_callee(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];
		bool found = false;

		for (size_t j = 0; j < COUNT_OF(ranges); j++)
			found |= ranges[j].callee == operation->callee && operation->number >= ranges[j].first &&
			         operation->number <= ranges[j].last;
		CHECK(operation->name, found);
	}
}

static bool is_known_permission(enum permission permission)
{
	enum permission parsed;

	return permission_parse(str_from(permission_name(permission)), &parsed) == OK && parsed == permission;
}

static void every_public_operation_says_who_may_call_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];

		if (operation->method == NULL) {
			CHECK(operation->name, operation->permission == PERM_PEER && operation->path == NULL);
			continue;
		}
		CHECK(operation->name, operation->path != NULL && operation->path[0] == '/');
		CHECK(operation->name, operation->callers == 1u << PEER_gateway);
		CHECK(operation->name, operation->permission == PERM_PUBLIC || operation->permission == PERM_SELF ||
					       is_known_permission(operation->permission));
	}
}

static void every_caller_has_an_arrow_to_the_operations_lane(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];

		CHECK(operation->name, operation->callers != 0 && operation->callers >> PEER_COUNT == 0);
		for (unsigned caller = PEER_NONE + 1; caller < PEER_COUNT; caller++) {
			if ((operation->callers >> caller & 1) == 0 || (operation->flags & OP_LOCAL) != 0)
				continue;
			CHECK(operation->name, arrow_declared((enum peer)caller, operation->callee, operation->lane));
		}
	}
}

static void both_ends_of_every_arrow_exist_and_carry_something(void **state)
{
	static const struct {
		enum peer caller, callee;
		enum lane lane;
	} arrows[] = {
#define ARROW(caller, callee, lane) {PEER_##caller, PEER_##callee, LANE_##lane},
#include "contract/peers.def"
#undef ARROW
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(arrows); i++) {
		assert_true(arrow_declared(arrows[i].caller, arrows[i].callee, arrows[i].lane));
		assert_true(arrows[i].caller != arrows[i].callee);
		assert_int_equal(peer_by_name(peer_name(arrows[i].caller)), arrows[i].caller);
		assert_int_equal(peer_by_name(peer_name(arrows[i].callee)), arrows[i].callee);
		for (size_t j = 0; j < i; j++)
			assert_false(arrows[j].caller == arrows[i].caller && arrows[j].callee == arrows[i].callee &&
				     arrows[j].lane == arrows[i].lane);
	}
	assert_false(arrow_declared(PEER_bookingsvc, PEER_gateway, LANE_FAST));
	assert_false(arrow_declared(PEER_NONE, PEER_authsvc, LANE_FAST));
	assert_false(arrow_declared(PEER_bookingsvc, PEER_gdprsvc, LANE_SLOW));
	assert_int_equal(peer_by_name("none"), PEER_NONE);
	assert_int_equal(peer_by_name("intruder"), PEER_NONE);
	assert_string_equal(peer_name(PEER_COUNT), "none");
	assert_string_equal(lane_name(LANE_FAST), "FAST");
	assert_string_equal(lane_name(LANE_SLOW), "SLOW");
}

/* Every "{name}" of a path is a required field of the path, and the other way round. */
static void every_path_parameter_has_its_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];
		const struct shape *shape = operation->request();
		size_t params = 0, fields = 0;

		for (const char *p = operation->path == NULL ? NULL : strchr(operation->path, '{'); p != NULL;
			p = strchr(p, '{')) {
			const char *close = strchr(p, '}');
			const struct field *field;

			CHECK(operation->name, close != NULL && p[-1] == '/' && (close[1] == '/' || close[1] == '\0'));
			field = shape_field(shape, (struct str){p + 1, (size_t)(close - p - 1)});
			CHECK(operation->name, field != NULL && field->in == IN_PATH && (field->flags & REQUIRED) != 0);
			params++;
			p = close;
		}
		for (size_t row = 0; row < shape->count; row++)
			fields += shape->fields[row].in == IN_PATH;
		CHECK(operation->name, params == fields && params <= ROUTE_PARAMS_MAX);
	}
}

/* A form is answered in the language of its page, so it brings that along. */
static void every_form_of_a_page_takes_its_language(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];
		const struct field *field;

		if ((operation->flags & OP_PAGE) == 0 || strcmp(operation->method, "POST") != 0)
			continue;
		field = shape_field(operation->request(), STR("ui_locales"));
		CHECK(operation->name, field != NULL && field->in == IN_FORM && (field->flags & REQUIRED) == 0);
	}
}

static size_t count_in(const struct shape *shape, enum field_in in)
{
	size_t count = 0;

	for (size_t row = 0; row < shape->count; row++)
		count += shape->fields[row].in == in;
	return count;
}

static void bodies_methods_and_flags_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];
		const struct shape *request = operation->request();
		bool reads = operation->method != NULL && strcmp(operation->method, "GET") == 0;
		bool web = (operation->flags & OP_WEB) != 0;

		if (operation->method == NULL) {
			CHECK(operation->name, count_in(request, IN_BODY) == request->count);
			continue;
		}
		CHECK(operation->name,
			!reads || (operation->body_cap == 0 && (operation->flags & (OP_KEYED | OP_VERSIONED)) == 0));
		CHECK(operation->name,
			count_in(request, IN_BODY) + count_in(request, IN_FORM) == 0 || operation->body_cap > 0);
		CHECK(operation->name, count_in(request, IN_FORM) == 0 || (web && count_in(request, IN_BODY) == 0));
		CHECK(operation->name, web == (operation->reply == shape_web_reply));
		CHECK(operation->name, (operation->flags & OP_OAUTH) == 0 || web);
		CHECK(operation->name, (operation->success_status == 204) == (operation->reply == shape_empty));
		CHECK(operation->name, (operation->flags & OP_KEYED) == 0 || strcmp(operation->method, "POST") == 0);
		CHECK(operation->name, count_in(operation->reply(), IN_BODY) == operation->reply()->count);
	}
}

/* The codecs lean on these. */
static bool is_string(const struct field *field)
{
	return field->type == FIELD_TEXT || field->type == FIELD_CHOICE || field->type == FIELD_BYTES ||
	       field->type == FIELD_JSON;
}

static bool is_many(const struct field *field)
{
	return field->type == FIELD_LIST || field->type == FIELD_TEXTS || field->type == FIELD_UUIDS;
}

static void check_bounds(const struct field *field)
{
	CHECK(field->name, field->min <= field->max);
	CHECK(field->name, field->type == FIELD_I64 || field->min >= 0);
	CHECK(field->name, field->type != FIELD_CHOICE || (field->choices != NULL && field->choices[0] != '\0'));
	CHECK(field->name, (field->type == FIELD_OBJECT || field->type == FIELD_LIST) == (field->shape != NULL));
	CHECK(field->name, !is_many(field) || field->max > 0);
	CHECK(field->name, field->type != FIELD_TEXTS || field->item_max > 0);
}

/* A null is told from a value by the value itself: no other type has one to spare. */
static bool may_be_null(const struct field *field)
{
	return is_string(field) || field->type == FIELD_UUID || field->type == FIELD_TIME;
}

static void check_field(const struct shape *shape, const struct field *field)
{
	CHECK(shape->name, shape_field(shape, str_from(field->name)) == field);
	CHECK(shape->name, strlen(field->name) < 64 && field->help != NULL && field->help[0] != '\0');
	CHECK(field->name, (field->flags & NULLABLE) == 0 || may_be_null(field));
	CHECK(field->name, field->in != IN_PATH || (field->flags & NULLABLE) == 0);
	/* Parameters hold single values. */
	CHECK(field->name,
		field->in == IN_BODY || (!is_many(field) && field->type != FIELD_OBJECT && field->type != FIELD_JSON));
	CHECK(field->name, field->offset < shape->size && field->has_offset < shape->size);
	check_bounds(field);
}

static void fields_are_what_the_codecs_take(void **state)
{
	(void)state;
	for (size_t i = 0; i < fill_shape_count; i++) {
		const struct shape *shape = fill_shapes[i]();

		CHECK(shape->name, shape->count <= 64);
		for (size_t row = 0; row < shape->count; row++) {
			const struct field *field = &shape->fields[row];

			check_field(shape, field);
			/* What a list holds is a body of its own. */
			if (field->shape != NULL)
				CHECK(field->name, count_in(field->shape(), IN_BODY) == field->shape()->count);
		}
		for (size_t j = 0; j < i; j++)
			CHECK(shape->name, strcmp(shape->name, fill_shapes[j]()->name) != 0);
	}
}

static const char *const role_grants[] = {
#define ROLE(NAME, number, name, help, granted) granted,
#include "contract/roles.def"
#undef ROLE
};

static void every_role_grants_permissions_that_exist(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(role_grants); i++) {
		const struct role *role = role_at(i);
		struct str rest = str_from(role_grants[i]);
		struct str name;
		bool more;

		assert_non_null(role);
		assert_ptr_equal(role_by_name(str_from(role->name)), role);
		do {
			enum permission permission;

			more = str_cut(&rest, ' ', &name);
			CHECK(role->name, permission_parse(name, &permission) == OK);
			CHECK(role->name, permission_set_has(&role->permissions, permission));
		} while (more);
	}
	assert_null(role_at(COUNT_OF(role_grants)));
	assert_null(role_by_name(STR("Root")));
	assert_null(role_by_name(STR("admin")));
}

static void every_permission_is_granted_by_some_role_and_named_once(void **state)
{
	static const enum permission all[] = {
#define PERMISSION(NAME, bit, text, whose, help) PERM_##NAME,
#include "contract/permissions.def"
#undef PERMISSION
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		bool granted = false;

		for (size_t j = 0; role_at(j) != NULL; j++)
			granted |= permission_set_has(&role_at(j)->permissions, all[i]);
		CHECK(permission_name(all[i]), granted && is_known_permission(all[i]) && all[i] < PERMISSION_BITS_MAX);
	}
}

/* By what it reaches: what a plain User or an Assistant is granted is nobody else's business. */
static void what_reaches_other_people_is_for_staff(void **state)
{
	static const char *const own_roles[] = {"User", "Assistant"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(own_roles); i++) {
		const struct role *role = role_by_name(str_from(own_roles[i]));

		for (int bit = 0; bit < PERMISSION_BITS_MAX; bit++)
			CHECK(permission_name((enum permission)bit),
				!permission_set_has(&role->permissions, (enum permission)bit) ||
					!permission_is_staff((enum permission)bit));
	}
	assert_true(permission_is_staff(PERM_PERSON_READ) && permission_is_staff(PERM_AUDIT_READ));
	assert_false(permission_is_staff(PERM_SELF) || permission_is_staff(PERM_PUBLIC) ||
		     permission_is_staff(PERM_PEER) || permission_is_staff((enum permission)999));
}

static void what_is_no_permission_is_in_no_set(void **state)
{
	struct permission_set set, none = {{0}};
	enum permission permission;

	(void)state;
	memset(&set, 0xff, sizeof(set));
	assert_false(permission_set_has(&set, PERM_SELF));
	assert_false(permission_set_has(&set, PERM_PUBLIC));
	assert_false(permission_set_has(&set, PERM_PEER));
	permission_set_add(&none, PERM_PEER);
	assert_false(permission_set_has(&none, PERM_SITE_READ));
	assert_int_equal(permission_parse(STR("self"), &permission), ERR_BAD_FIELD);
	assert_int_equal(permission_parse(STR("site.read "), &permission), ERR_BAD_FIELD);
	assert_int_equal(permission_parse(STR(""), &permission), ERR_BAD_FIELD);
	assert_string_equal(permission_name(PERM_SELF), "self");
	assert_string_equal(permission_name((enum permission)255), "unknown");
}

static void sets_merge_and_limit(void **state)
{
	struct permission_set a = {{0}}, b = {{0}};

	(void)state;
	permission_set_add(&a, PERM_SITE_READ);
	permission_set_add(&a, PERM_PRIVACY_READ);
	permission_set_add(&b, PERM_PRIVACY_READ);
	permission_set_add(&b, PERM_AUDIT_READ);
	permission_set_merge(&b, &a);
	assert_true(permission_set_has(&b, PERM_SITE_READ) && permission_set_has(&b, PERM_AUDIT_READ));
	permission_set_limit(&b, &a);
	assert_true(permission_set_has(&b, PERM_SITE_READ) && permission_set_has(&b, PERM_PRIVACY_READ));
	assert_false(permission_set_has(&b, PERM_AUDIT_READ));
}

static void resources_are_whole_paths_under_which_a_token_is_taken(void **state)
{
	static const struct {
		const char *path;
		bool is_resource;
	} cases[] = {
		{"/v1", true},
		{"/v1/bookings", true},
		{"/oauth2/userinfo", true},
		{"", false},
		{"/", false},
		{"/v1/", false},
		{"/v1/book", false},
		{"v1", false},
		{"/v1/bookings/{id}", false},
		{"/login", false},
		{"/oauth2/token", false},
		{"/v1/bookings/x", false},
	};
	const struct operation *create = operation_by_name("booking_create"),
			       *inner = operation_by_name("people_exist");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].path, operation_is_resource(str_from(cases[i].path)) == cases[i].is_resource);
	assert_false(operation_is_resource((struct str){"/v1/bookings\0", 13}));
	assert_true(operation_within(create, STR("")) && operation_within(create, STR("/v1")) &&
		    operation_within(create, STR("/v1/bookings")) && operation_within(inner, STR("/v1/bookings")));
	assert_false(operation_within(create, STR("/v1/book")) || operation_within(create, STR("/v1/bookings/x")) ||
		     operation_within(create, STR("/v1/sites")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_names_of_operations_are_unique),
		cmocka_unit_test(every_operation_stands_in_the_range_of_its_callee),
		cmocka_unit_test(every_public_operation_says_who_may_call_it),
		cmocka_unit_test(every_caller_has_an_arrow_to_the_operations_lane),
		cmocka_unit_test(both_ends_of_every_arrow_exist_and_carry_something),
		cmocka_unit_test(every_path_parameter_has_its_field),
		cmocka_unit_test(every_form_of_a_page_takes_its_language),
		cmocka_unit_test(bodies_methods_and_flags_agree),
		cmocka_unit_test(fields_are_what_the_codecs_take),
		cmocka_unit_test(every_role_grants_permissions_that_exist),
		cmocka_unit_test(every_permission_is_granted_by_some_role_and_named_once),
		cmocka_unit_test(what_reaches_other_people_is_for_staff),
		cmocka_unit_test(what_is_no_permission_is_in_no_set),
		cmocka_unit_test(sets_merge_and_limit),
		cmocka_unit_test(resources_are_whole_paths_under_which_a_token_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
