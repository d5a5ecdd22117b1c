/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "base/buf.h"
#include "contract/router.h"

#define UUID_TEXT "01890a5d-ac96-774b-bcce-b302099a8057"

static int setup(void **state)
{
	(void)state;
	router_init();
	return 0;
}

/* The path with "x<n>" in the place of its n-th parameter. */
static void fill_path(const char *path, struct buf *out)
{
	int param = 0;

	buf_reset(out);
	for (const char *p = path; *p != '\0'; p++) {
		if (*p != '{') {
			buf_put_byte(out, (uint8_t)*p);
			continue;
		}
		buf_printf(out, "x%d", param++);
		p = strchr(p, '}');
	}
}

static void every_public_operation_is_found_by_its_method_and_path(void **state)
{
	char allow[ALLOW_TEXT_MAX];
	struct route route;
	struct buf path;

	(void)state;
	buf_init(&path, 1000);
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];

		if (operation->method == NULL)
			continue;
		fill_path(operation->path, &path);
		CHECK(operation->name, router_find(str_from(operation->method), buf_str(&path), &route, allow) == OK);
		CHECK(operation->name, route.operation == operation && allow[0] == '\0');
		for (size_t param = 0; param < route.param_count; param++) {
			const struct field *field = shape_field(operation->request(), route.params[param].name);

			CHECK(operation->name, field != NULL && field->in == IN_PATH);
			CHECK(operation->name, route.params[param].value.len == 2 &&
						       route.params[param].value.p[1] == (char)('0' + param));
		}
	}
	buf_release(&path);
}

static const struct {
	const char *name;
	struct str method, path;
	enum err err;
	const char *found; /* operation, or the methods allowed */
} cases[] = {
	{"a list", STR("GET"), STR("/v1/bookings"), OK, "booking_list"},
	{"HEAD finds GET", STR("HEAD"), STR("/v1/bookings"), OK, "booking_list"},
	{"another method of the same path", STR("POST"), STR("/v1/bookings"), OK, "booking_create"},
	{"a path with a parameter", STR("DELETE"), STR("/v1/bookings/" UUID_TEXT), OK, "booking_cancel"},
	{"a path with something behind its parameter", STR("POST"), STR("/v1/bookings/" UUID_TEXT "/check-in"), OK,
		"booking_check_in"},
	{"operations of two services under one path", STR("DELETE"), STR("/v1/people/" UUID_TEXT), OK, "person_erase"},
	{"a parameter is not judged here", STR("GET"), STR("/v1/bookings/%00%zz"), OK, "booking_read"},
	{"a method that the path does not take", STR("PUT"), STR("/v1/bookings"), ERR_METHOD_NOT_ALLOWED,
		"GET, HEAD, POST, OPTIONS"},
	{"a method that nobody takes", STR("BREW"), STR("/v1/bookings/1"), ERR_METHOD_NOT_ALLOWED,
		"GET, HEAD, PATCH, DELETE, OPTIONS"},
	{"HEAD where there is no GET", STR("HEAD"), STR("/oauth2/token"), ERR_METHOD_NOT_ALLOWED, "POST, OPTIONS"},
	{"a method in lower case is another method", STR("get"), STR("/healthz"), ERR_METHOD_NOT_ALLOWED,
		"GET, HEAD, OPTIONS"},
	{"an empty method", STR(""), STR("/healthz"), ERR_METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS"},
	{"the root", STR("GET"), STR("/"), ERR_NOT_FOUND, ""},
	{"an empty path", STR("GET"), STR(""), ERR_NOT_FOUND, ""},
	{"an absent path", STR("GET"), STR_NONE, ERR_NOT_FOUND, ""},
	{"a path without its slash", STR("GET"), STR("v1/bookings"), ERR_NOT_FOUND, ""},
	{"an asterisk", STR("OPTIONS"), STR("*"), ERR_NOT_FOUND, ""},
	{"a head of a path", STR("GET"), STR("/v1"), ERR_NOT_FOUND, ""},
	{"a trailing slash", STR("GET"), STR("/v1/bookings/"), ERR_NOT_FOUND, ""},
	{"an empty segment", STR("GET"), STR("/v1//bookings"), ERR_NOT_FOUND, ""},
	{"an empty segment in the place of a parameter", STR("POST"), STR("/v1/bookings//check-in"), ERR_NOT_FOUND, ""},
	{"something behind a whole path", STR("GET"), STR("/healthz/x"), ERR_NOT_FOUND, ""},
	{"something behind a parameter", STR("GET"), STR("/v1/bookings/1/2/3"), ERR_NOT_FOUND, ""},
	{"another case", STR("GET"), STR("/V1/bookings"), ERR_NOT_FOUND, ""},
	{"a letter escaped without need", STR("GET"), STR("/v1/%62ookings"), ERR_NOT_FOUND, ""},
	{"an escaped slash does not part segments", STR("GET"), STR("/v1%2Fbookings"), ERR_NOT_FOUND, ""},
	{"a dot segment is no other path", STR("GET"), STR("/v1/./bookings"), ERR_NOT_FOUND, ""},
	{"two dots do not go up", STR("GET"), STR("/v1/sites/../bookings"), ERR_NOT_FOUND, ""},
	{"the braces of a declaration are a value like another", STR("GET"), STR("/v1/bookings/{id}"), OK,
		"booking_read"},
	{"a query does not belong to the path", STR("GET"), STR("/healthz?x"), ERR_NOT_FOUND, ""},
	{"a NUL is a byte like another", STR("GET"), STR("/healthz\0"), ERR_NOT_FOUND, ""},
	{"an internal operation has no path", STR("POST"), STR("/v1/audit/events"), ERR_METHOD_NOT_ALLOWED,
		"GET, HEAD, OPTIONS"},
};

static void paths_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char allow[ALLOW_TEXT_MAX];
		struct route route;
		enum err err = router_find(cases[i].method, cases[i].path, &route, allow);

		CHECK(cases[i].name, err == cases[i].err);
		if (err == OK) {
			CHECK(cases[i].name, strcmp(route.operation->name, cases[i].found) == 0);
			continue;
		}
		CHECK(cases[i].name, route.operation == NULL && route.param_count == 0);
		CHECK(cases[i].name, strcmp(allow, cases[i].found) == 0);
	}
}

static void a_parameter_has_its_name_and_value(void **state)
{
	char allow[ALLOW_TEXT_MAX];
	struct route route;

	(void)state;
	assert_int_equal(router_find(STR("POST"), STR("/v1/bookings/" UUID_TEXT "/check-out"), &route, allow), OK);
	assert_int_equal(route.param_count, 1);
	assert_true(str_eq_c(route.params[0].name, "id"));
	assert_true(str_eq_c(route.params[0].value, UUID_TEXT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_public_operation_is_found_by_its_method_and_path),
		cmocka_unit_test(paths_are_judged),
		cmocka_unit_test(a_parameter_has_its_name_and_value),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
