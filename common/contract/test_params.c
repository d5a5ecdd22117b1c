/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "contract/codec.h"
#include "contract/test_fill.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(1u << 20);
	return arena == NULL;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

#define SITE "site_id=01890a5d-ac96-774b-bcce-b302099a8057"
#define DAY "starts_at=2030-01-31T08:00:00Z&ends_at=2030-01-31T17:00:00Z"

static const struct {
	const char *name;
	shape_fn shape;
	struct str query;
	bool lenient;
	enum err err;
	const char *field, *reason;
} cases[] = {
	{"no query is fine when nothing is required", shape_page_request, STR(""), false, OK, "", ""},
	{"what is required and missing is named", shape_availability_request, STR(SITE), false, ERR_BAD_FIELD,
		"starts_at", "missing"},
	{"all that is required is enough", shape_availability_request, STR(SITE "&" DAY), false, OK, "", ""},
	{"an instant may have its colons escaped", shape_availability_request,
		STR(SITE "&starts_at=2030-01-31T08%3A00%3a00Z&ends_at=2030-01-31T17:00:00%2B01:00"), false, OK, "", ""},
	{"a plus is a space, so an offset must be escaped", shape_availability_request,
		STR(SITE "&starts_at=2030-01-31T08:00:00+01:00&ends_at=2030-01-31T17:00:00Z"), false, ERR_BAD_FIELD,
		"starts_at", "not_an_instant"},
	{"a number in bounds is taken", shape_page_request, STR("limit=200"), false, OK, "", ""},
	{"a number above its largest is refused", shape_page_request, STR("limit=201"), false, ERR_BAD_FIELD, "limit",
		"too_large"},
	{"a number below its least is refused", shape_page_request, STR("limit=0"), false, ERR_BAD_FIELD, "limit",
		"too_small"},
	{"a negative number is refused", shape_page_request, STR("limit=-5"), false, ERR_BAD_FIELD, "limit",
		"too_small"},
	{"a number above 64 bits is refused", shape_page_request, STR("limit=99999999999999999999"), false,
		ERR_BAD_FIELD, "limit", "too_large"},
	{"an empty number is refused", shape_page_request, STR("limit="), false, ERR_BAD_FIELD, "limit", "wrong_type"},
	{"a number without a value is refused", shape_page_request, STR("limit"), false, ERR_BAD_FIELD, "limit",
		"wrong_type"},
	{"a minus alone is no number", shape_page_request, STR("limit=-"), false, ERR_BAD_FIELD, "limit", "wrong_type"},
	{"a leading zero is refused", shape_page_request, STR("limit=05"), false, ERR_BAD_FIELD, "limit", "wrong_type"},
	{"a fraction is refused", shape_page_request, STR("limit=5.0"), false, ERR_BAD_FIELD, "limit", "wrong_type"},
	{"a space before a number is refused", shape_page_request, STR("limit=+5"), false, ERR_BAD_FIELD, "limit",
		"wrong_type"},
	{"true is true", shape_booking_list_request, STR("everyone=true"), false, OK, "", ""},
	{"one is not true", shape_booking_list_request, STR("everyone=1"), false, ERR_BAD_FIELD, "everyone",
		"wrong_type"},
	{"TRUE is not true", shape_booking_list_request, STR("everyone=TRUE"), false, ERR_BAD_FIELD, "everyone",
		"wrong_type"},
	{"a choice is one of its set", shape_booking_list_request, STR("status=confirmed"), false, OK, "", ""},
	{"a choice of another set is refused", shape_booking_list_request, STR("status=open"), false, ERR_BAD_FIELD,
		"status", "not_one_of"},
	{"a parameter sent twice is refused", shape_page_request, STR("limit=5&limit=5"), false, ERR_BAD_FIELD, "limit",
		"repeated"},
	{"a parameter sent twice by an escape is refused", shape_page_request, STR("limit=5&l%69mit=5"), false,
		ERR_BAD_FIELD, "limit", "repeated"},
	{"an unknown parameter is named", shape_page_request, STR("limit=5&tenant=x"), false, ERR_BAD_FIELD, "tenant",
		"unknown"},
	{"an unknown parameter is shown as plain ASCII only", shape_page_request, STR("a%00%3Cb=1"), false,
		ERR_BAD_FIELD, "a??b", "unknown"},
	{"a field of the path is unknown in the query", shape_site_ref, STR("id=01890a5d-ac96-774b-bcce-b302099a8057"),
		false, ERR_BAD_FIELD, "id", "unknown"},
	{"an empty pair is refused", shape_page_request, STR("limit=5&&"), false, ERR_BAD_FIELD, "", "malformed"},
	{"a value without a name is refused", shape_page_request, STR("=5"), false, ERR_BAD_FIELD, "", "unknown"},
	{"an escape cut short is refused", shape_page_request, STR("cursor=a%4"), false, ERR_BAD_FIELD, "cursor",
		"bad_escape"},
	{"an escape that is not hexadecimal is refused", shape_page_request, STR("cursor=a%g1"), false, ERR_BAD_FIELD,
		"cursor", "bad_escape"},
	{"a bad escape in a name is refused", shape_page_request, STR("%zz=1"), false, ERR_BAD_FIELD, "?zz",
		"bad_escape"},
	{"an escaped NUL is refused", shape_page_request, STR("cursor=a%00"), false, ERR_BAD_FIELD, "cursor", "nul"},
	{"escaped bytes that are not UTF-8 are refused", shape_page_request, STR("cursor=%c0%af"), false, ERR_BAD_FIELD,
		"cursor", "not_utf8"},
	{"text shorter than its least is refused", shape_page_request, STR("cursor="), false, ERR_BAD_FIELD, "cursor",
		"too_short"},
	{"a lenient query skips what it does not know", shape_login_page_request,
		STR("utm_source=%zz&&=&resume=a&%zz=1"), true, OK, "", ""},
	{"a lenient query still refuses a parameter sent twice", shape_login_page_request, STR("resume=a&resume=b"),
		true, ERR_BAD_FIELD, "resume", "repeated"},
	{"a lenient query tells its first fault", shape_authorize_request, STR("state=%zz&nonce=a&nonce=b"), true,
		ERR_BAD_FIELD, "state", "bad_escape"},
};

static void queries_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault fault = {.reason = ""};
		unsigned char object[4096] = {0};
		enum err err;

		arena_reset(arena);
		err = query_decode(cases[i].shape(), cases[i].query, IN_QUERY, cases[i].lenient, arena, object, &fault);
		if (err != cases[i].err || strcmp(fault.field, cases[i].field) != 0 ||
			strcmp(fault.reason, cases[i].reason) != 0)
			fail_msg("%s: error %d, '%s' %s", cases[i].name, (int)err, fault.field, fault.reason);
	}
}

static void a_form_gives_its_values_unescaped(void **state)
{
	struct login_submit_request form = {0};
	struct fault fault;

	(void)state;
	assert_int_equal(
		query_decode(shape_login_submit_request(), STR("email=a%2Bb%40example.org&password=a+b%26c&csrf="),
			IN_FORM, true, arena, &form, &fault),
		OK);
	assert_true(str_eq_c(form.email, "a+b@example.org"));
	assert_true(str_eq_c(form.password, "a b&c"));
	assert_false(form.has_resume);
}

/* As RFC 6749 sections 3.1 and 3.2 have it; elsewhere an empty value is one. */
static void a_parameter_without_a_value_is_as_if_it_were_not_there(void **state)
{
	struct login_page_request page = {0}, strict = {0};
	struct login_submit_request form = {0};
	struct fault fault;

	(void)state;
	assert_int_equal(query_decode(shape_login_submit_request(), STR("csrf=&tenant&email=a%40example.org"), IN_FORM,
				 true, arena, &form, &fault),
		OK);
	assert_true(!form.has_csrf && form.csrf.p == NULL && !form.has_tenant && form.email.len > 0);
	assert_int_equal(
		query_decode(shape_login_page_request(), STR("resume=&resume=a"), IN_QUERY, true, arena, &page, &fault),
		ERR_BAD_FIELD);
	assert_string_equal(fault.reason, "repeated");
	assert_false(page.has_resume);
	assert_int_equal(
		query_decode(shape_login_page_request(), STR("resume="), IN_QUERY, false, arena, &strict, &fault), OK);
	assert_true(strict.has_resume && strict.resume.p != NULL && strict.resume.len == 0);
}

static void what_is_at_fault_in_a_lenient_query_stays_absent_and_the_rest_is_read(void **state)
{
	struct authorize_request request = {0};
	struct fault fault;

	(void)state;
	assert_int_equal(query_decode(shape_authorize_request(),
				 STR("redirect_uri=https://a.example&client_id=1&redirect_uri=b&state=%00&nonce=n"),
				 IN_QUERY, true, arena, &request, &fault),
		ERR_BAD_FIELD);
	assert_string_equal(fault.field, "redirect_uri");
	assert_string_equal(fault.reason, "repeated");
	assert_false(request.has_redirect_uri);
	assert_null(request.redirect_uri.p);
	assert_false(request.has_state);
	assert_true(request.has_client_id && str_eq_c(request.client_id, "1"));
	assert_true(request.has_nonce && str_eq_c(request.nonce, "n"));
}

static void a_query_has_a_bounded_number_of_parameters(void **state)
{
	struct login_page_request request = {0};
	struct fault fault;
	struct buf query;

	(void)state;
	buf_init(&query, 10000);
	for (size_t i = 0; i < 256; i++)
		buf_put_c(&query, i == 0 ? "x=1" : "&x=1");
	assert_int_equal(
		query_decode(shape_login_page_request(), buf_str(&query), IN_QUERY, true, arena, &request, &fault), OK);
	buf_put_c(&query, "&resume=late");
	assert_int_equal(
		query_decode(shape_login_page_request(), buf_str(&query), IN_QUERY, true, arena, &request, &fault),
		ERR_BAD_FIELD);
	assert_string_equal(fault.reason, "too_many");
	assert_false(request.has_resume);
	buf_release(&query);
}

static const struct {
	const char *name;
	struct str param, value;
	enum err err;
	const char *field, *reason;
} path_cases[] = {
	{"an id is taken", STR("id"), STR("01890a5d-ac96-774b-bcce-b302099a8057"), OK, "", ""},
	{"an escaped id is the same id", STR("id"), STR("01890a5d%2Dac96-774b-bcce-b302099a8057"), OK, "", ""},
	{"what is no id is refused", STR("id"), STR("me"), ERR_BAD_FIELD, "id", "not_a_uuid"},
	{"a bad escape is refused", STR("id"), STR("%"), ERR_BAD_FIELD, "id", "bad_escape"},
	{"a parameter of the body is none of the path", STR("note"), STR("x"), ERR_BAD_FIELD, "note", "unknown"},
	{"an unknown parameter is refused", STR("nope"), STR("x"), ERR_BAD_FIELD, "nope", "unknown"},
};

static void path_parameters_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(path_cases); i++) {
		struct booking_update_request request = {0};
		struct fault fault = {.reason = ""};
		enum err err = path_decode(shape_booking_update_request(), path_cases[i].param, path_cases[i].value,
			arena, &request, &fault);

		CHECK(path_cases[i].name, err == path_cases[i].err && strcmp(fault.field, path_cases[i].field) == 0);
		CHECK(path_cases[i].name, strcmp(fault.reason, path_cases[i].reason) == 0);
		CHECK(path_cases[i].name, request.has_id == (err == OK));
	}
}

static void a_path_parameter_comes_once(void **state)
{
	struct booking_ref request = {0};
	struct fault fault;
	struct str id = STR("01890a5d-ac96-774b-bcce-b302099a8057");

	(void)state;
	assert_int_equal(path_decode(shape_booking_ref(), STR("id"), id, arena, &request, &fault), OK);
	assert_int_equal(path_decode(shape_booking_ref(), STR("id"), id, arena, &request, &fault), ERR_BAD_FIELD);
	assert_string_equal(fault.reason, "repeated");
}

static void a_full_arena_is_an_error(void **state)
{
	struct arena *tiny = arena_new(16);
	struct page_request request = {0};
	struct fault fault;

	(void)state;
	assert_int_equal(
		query_decode(shape_page_request(), STR("cursor=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%41"),
			IN_QUERY, false, tiny, &request, &fault),
		ERR_TOO_LARGE);
	arena_free(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_judged),
		cmocka_unit_test(a_form_gives_its_values_unescaped),
		cmocka_unit_test(a_parameter_without_a_value_is_as_if_it_were_not_there),
		cmocka_unit_test(what_is_at_fault_in_a_lenient_query_stays_absent_and_the_rest_is_read),
		cmocka_unit_test(a_query_has_a_bounded_number_of_parameters),
		cmocka_unit_test(path_parameters_are_judged),
		cmocka_unit_test(a_path_parameter_comes_once),
		cmocka_unit_test(a_full_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
