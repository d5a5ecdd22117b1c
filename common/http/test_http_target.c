/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "http/http_target.h"

static const struct {
	const char *name;
	struct str text;
	enum http_method method;
	const char *path; /* NULL: refused */
} targets[] = {
	{"a path", STR("/"), HTTP_GET, "/"},
	{"every sign of a path", STR("/azAZ09-._~!$&'()*+,;=:@/"), HTTP_GET, "/azAZ09-._~!$&'()*+,;=:@/"},
	{"a query of every sign", STR("/?azAZ09-._~!$&'()*+,;=:@/?"), HTTP_GET, "/"},
	{"an escape", STR("/%41%c3%A9"), HTTP_GET, "/%41%c3%A9"},
	{"an escaped percent is not decoded twice", STR("/%252e%252e/"), HTTP_GET, "/%252e%252e/"},
	{"empty segments", STR("//a//"), HTTP_GET, "//a//"},
	{"three dots are a name", STR("/.../a"), HTTP_GET, "/.../a"},
	{"a hidden file is a name", STR("/.a/..b/c.."), HTTP_GET, "/.a/..b/c.."},
	{"dots in a query", STR("/a?../..%2f%00"), HTTP_GET, "/a"},
	{"an escaped question mark is no query", STR("/a%3Fb"), HTTP_GET, "/a%3Fb"},
	{"an absolute target", STR("https://a.example/x"), HTTP_GET, "/x"},
	{"a scheme in capitals", STR("HTTPS://a.example/x"), HTTP_GET, "/x"},
	{"an absolute target with a query only", STR("http://a?x"), HTTP_GET, "/"},
	{"an absolute target of IPv6", STR("https://[::1]:8443/x"), HTTP_GET, "/x"},
	{"an asterisk", STR("*"), HTTP_OPTIONS, "*"},
	{"an asterisk for POST", STR("*"), HTTP_POST, NULL},
	{"an asterisk with a path", STR("*/"), HTTP_OPTIONS, NULL},
	{"nothing", STR(""), HTTP_GET, NULL},
	{"no leading slash", STR("a"), HTTP_GET, NULL},
	{"a query without a path", STR("?a"), HTTP_GET, NULL},
	{"a backslash", STR("/a\\b"), HTTP_GET, NULL},
	{"a backslash first", STR("\\a"), HTTP_GET, NULL},
	{"a fragment", STR("/a#b"), HTTP_GET, NULL},
	{"a fragment in a query", STR("/a?b#c"), HTTP_GET, NULL},
	{"double quotes", STR("/\""), HTTP_GET, NULL},
	{"angle brackets", STR("/<a>"), HTTP_GET, NULL},
	{"braces", STR("/{a}"), HTTP_GET, NULL},
	{"a bar", STR("/a|b"), HTTP_GET, NULL},
	{"a caret", STR("/a^b"), HTTP_GET, NULL},
	{"a back quote", STR("/a`b"), HTTP_GET, NULL},
	{"square brackets", STR("/a[0]"), HTTP_GET, NULL},
	{"square brackets in a query", STR("/?a[0]=1"), HTTP_GET, NULL},
	{"UTF-8", STR("/\xc3\xa9"), HTTP_GET, NULL},
	{"UTF-8 in a query", STR("/?\xc3\xa9"), HTTP_GET, NULL},
	{"a NUL", STR("/a\0"), HTTP_GET, NULL},
	{"DEL", STR("/a\x7f"), HTTP_GET, NULL},
	{"a control character", STR("/a\x01"), HTTP_GET, NULL},
	{"a space", STR("/a b"), HTTP_GET, NULL},
	{"a percent at the end", STR("/a%"), HTTP_GET, NULL},
	{"a cut escape", STR("/a%4"), HTTP_GET, NULL},
	{"a malformed escape", STR("/a%4g"), HTTP_GET, NULL},
	{"an escape with a sign", STR("/a%+4"), HTTP_GET, NULL},
	{"a Unicode escape", STR("/a%u0041"), HTTP_GET, NULL},
	{"a malformed escape in a query", STR("/?a%zz"), HTTP_GET, NULL},
	{"a percent at the end of a query", STR("/?a%"), HTTP_GET, NULL},
	{"an escaped NUL", STR("/a%00b"), HTTP_GET, NULL},
	{"an escaped slash", STR("/a%2fb"), HTTP_GET, NULL},
	{"an escaped slash in capitals", STR("/a%2Fb"), HTTP_GET, NULL},
	{"an escaped backslash", STR("/a%5cb"), HTTP_GET, NULL},
	{"an escaped backslash in capitals", STR("/a%5Cb"), HTTP_GET, NULL},
	{"a dot segment", STR("/a/./b"), HTTP_GET, NULL},
	{"a double-dot segment", STR("/a/../b"), HTTP_GET, NULL},
	{"a dot segment at the end", STR("/a/."), HTTP_GET, NULL},
	{"a double-dot segment at the end", STR("/a/.."), HTTP_GET, NULL},
	{"a double-dot segment first", STR("/../etc"), HTTP_GET, NULL},
	{"an escaped dot segment", STR("/a/%2e/b"), HTTP_GET, NULL},
	{"an escaped double-dot segment", STR("/a/%2e%2E/b"), HTTP_GET, NULL},
	{"a half-escaped double-dot segment", STR("/a/.%2e"), HTTP_GET, NULL},
	{"a dot segment before a query", STR("/a/..?b"), HTTP_GET, NULL},
	{"a dot segment in an absolute target", STR("https://a/../b"), HTTP_GET, NULL},
	{"another scheme", STR("ftp://a/"), HTTP_GET, NULL},
	{"a file", STR("file:///etc/passwd"), HTTP_GET, NULL},
	{"a scheme without slashes", STR("https:a/"), HTTP_GET, NULL},
	{"a scheme with one slash", STR("https:/a/"), HTTP_GET, NULL},
	{"a scheme alone", STR("https://"), HTTP_GET, NULL},
	{"an empty authority", STR("https:///a"), HTTP_GET, NULL},
	{"a user in the authority", STR("https://u:p@a/"), HTTP_GET, NULL},
	{"a backslash in the authority", STR("https://a\\b/"), HTTP_GET, NULL},
	{"a fragment behind the authority", STR("https://a#b"), HTTP_GET, NULL},
	{"a bad port", STR("https://a:b/"), HTTP_GET, NULL},
	{"an authority alone", STR("a.example:443"), HTTP_GET, NULL},
};

static void targets_follow_rfc_3986_and_stay_inside(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		struct http_target target;
		const char *reason = NULL;
		enum err err = http_target_parse(targets[i].text, targets[i].method, &target, &reason);

		CHECK(targets[i].name, (err == OK) == (targets[i].path != NULL));
		CHECK(targets[i].name, (reason == NULL) == (err == OK));
		CHECK(targets[i].name, err == OK || (err == ERR_BAD_REQUEST && target.path.p == NULL));
		CHECK(targets[i].name, err != OK || str_eq_c(target.path, targets[i].path));
	}
}

static const struct {
	const char *name;
	struct str text;
	const char *host; /* NULL: refused */
	unsigned port;
} authorities[] = {
	{"a name", STR("a.example"), "a.example", 0},
	{"a name in capitals", STR("A.EXAMPLE"), "A.EXAMPLE", 0},
	{"a name with a port", STR("localhost:8443"), "localhost", 8443},
	{"a name with an empty port", STR("a.example:"), "a.example", 0},
	{"a name with a dot behind", STR("a.example."), "a.example.", 0},
	{"a name with an underscore", STR("a_b"), "a_b", 0},
	{"an IPv4 address", STR("127.0.0.1:1"), "127.0.0.1", 1},
	{"an IPv6 address", STR("[::1]"), "[::1]", 0},
	{"an IPv6 address with a port", STR("[2001:db8::1]:65535"), "[2001:db8::1]", 65535},
	{"an IPv6 address with IPv4 inside", STR("[::ffff:10.0.0.1]"), "[::ffff:10.0.0.1]", 0},
	{"nothing", STR(""), NULL, 0},
	{"absent", STR_NONE, NULL, 0},
	{"a port only", STR(":443"), NULL, 0},
	{"port 0", STR("a:0"), NULL, 0},
	{"port 65536", STR("a:65536"), NULL, 0},
	{"a port with a sign", STR("a:+80"), NULL, 0},
	{"a port with a letter", STR("a:80a"), NULL, 0},
	{"a port with a space", STR("a: 80"), NULL, 0},
	{"two ports", STR("a:80:80"), NULL, 0},
	{"a user", STR("u@a"), NULL, 0},
	{"an escape", STR("a%2eb"), NULL, 0},
	{"a list", STR("a,b"), NULL, 0},
	{"a quote", STR("a'b"), NULL, 0},
	{"a NUL", STR("a\0b"), NULL, 0},
	{"a backslash", STR("a\\b"), NULL, 0},
	{"UTF-8", STR("\xc3\xa9.example"), NULL, 0},
	{"an IPv6 address without brackets", STR("::1"), NULL, 0},
	{"an open bracket", STR("[::1"), NULL, 0},
	{"empty brackets", STR("[]"), NULL, 0},
	{"a name in brackets", STR("[a.example]"), NULL, 0},
	{"an IPv4 address in brackets", STR("[127.0.0.1]"), NULL, 0},
	{"a zone", STR("[fe80::1%25eth0]"), NULL, 0},
	{"a NUL in brackets", STR("[::1\0]"), NULL, 0},
	{"text behind brackets", STR("[::1]a"), NULL, 0},
	{"a future address", STR("[v1.a]"), NULL, 0},
	{"a long text in brackets", STR("[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]"), NULL, 0},
};

static void authorities_are_a_host_and_a_port(void **state)
{
	char name[257];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(authorities); i++) {
		struct str host;
		unsigned port;
		enum err err = http_authority_parse(authorities[i].text, &host, &port);

		CHECK(authorities[i].name, err == (authorities[i].host != NULL ? OK : ERR_BAD_REQUEST));
		CHECK(authorities[i].name, port == authorities[i].port);
		CHECK(authorities[i].name, err != OK || str_eq_c(host, authorities[i].host));
	}
	for (size_t len = 254; len <= sizeof(name); len++) {
		struct str host;
		unsigned port;

		for (size_t i = 0; i < len; i++)
			name[i] = 'a';
		assert_int_equal(
			http_authority_parse((struct str){name, len}, &host, &port), len <= 255 ? OK : ERR_BAD_REQUEST);
	}
}

static void lists_give_every_element(void **state)
{
	struct str list = STR(" a ,\tb,, c\t");
	struct str element;

	(void)state;
	assert_true(http_list_next(&list, &element) && str_eq_c(element, "a"));
	assert_true(http_list_next(&list, &element) && str_eq_c(element, "b"));
	assert_true(http_list_next(&list, &element) && element.len == 0);
	assert_true(http_list_next(&list, &element) && str_eq_c(element, "c"));
	assert_false(http_list_next(&list, &element));
	list = STR("a,");
	assert_true(http_list_next(&list, &element) && str_eq_c(element, "a"));
	assert_true(http_list_next(&list, &element) && element.len == 0);
	assert_false(http_list_next(&list, &element));
}

static void methods_are_known_or_not_implemented_or_no_tokens(void **state)
{
	enum http_method method;

	(void)state;
	assert_int_equal(http_method_parse(STR("PATCH"), &method), OK);
	assert_int_equal(method, HTTP_PATCH);
	assert_string_equal(http_method_name(HTTP_DELETE), "DELETE");
	assert_int_equal(http_method_parse(STR("PATCHY"), &method), ERR_NOT_IMPLEMENTED);
	assert_int_equal(http_method_parse(STR("PATCH "), &method), ERR_BAD_REQUEST);
	assert_int_equal(http_method_parse(STR(""), &method), ERR_BAD_REQUEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_follow_rfc_3986_and_stay_inside),
		cmocka_unit_test(authorities_are_a_host_and_a_port),
		cmocka_unit_test(lists_give_every_element),
		cmocka_unit_test(methods_are_known_or_not_implemented_or_no_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
