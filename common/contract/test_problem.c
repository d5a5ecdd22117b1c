/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "contract/codec.h"

static const struct uuid id = {
	{0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57}};

static const struct {
	const char *name;
	struct problem problem;
	const char *document;
} cases[] = {
	{"an error alone", {.err = ERR_NOT_FOUND},
		"{\"type\":\"/docs#not_found\",\"title\":\"No such resource\",\"status\":404,\"code\":\"not_found\"}"},
	{"an error with all that may be said of it",
		{.err = ERR_RULE,
			.field = {"ends_at", 7},
			.reason = {"stay_too_long", 13},
			.detail = {"The stay is longer than this area allows.", 41},
			.request_id = &id},
		"{\"type\":\"/docs#rule_refused\",\"title\":\"A booking rule refuses the "
		"request\",\"status\":422,\"code\":\"rule_refused\","
		"\"detail\":\"The stay is longer than this area allows.\","
		"\"field\":\"ends_at\",\"reason\":\"stay_too_long\","
		"\"request_id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}"},
	{"quotes and control characters are escaped", {.err = ERR_BAD_FIELD, .field = {"\"\n\x01", 3}},
		"{\"type\":\"/docs#bad_field\",\"title\":\"A field is missing, unknown, of "
		"the wrong type or out of bounds\",\"status\":400,"
		"\"code\":\"bad_field\",\"field\":\"\\\"\\n\\u0001\"}"},
	{"an error that nobody knows is our own failure", {.err = (enum err)9999},
		"{\"type\":\"/docs#internal\",\"title\":\"The server failed; the request id "
		"finds the reason in its log\",\"status\":500,"
		"\"code\":\"internal\"}"},
};

static void problems_are_written_as_documents(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4096);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_reset(&buf);
		problem_encode(&cases[i].problem, &buf);
		if (!str_eq_c(buf_str(&buf), cases[i].document))
			fail_msg("%s: %.*s", cases[i].name, STR_ARG(buf_str(&buf)));
	}
	buf_release(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(problems_are_written_as_documents)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
