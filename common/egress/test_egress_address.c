/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "egress/egress_address.h"

#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const struct {
	const char *name;
	struct str address;
	bool good;
} cases[] = {
	{"a plain address", STR("alice@example.com"), true},
	{"a tag", STR("alice+parking@example.com"), true},
	{"every character of an atom", STR("!#$%&'*+-/=?^_`{|}~@example.com"), true},
	{"dots between atoms", STR("a.b.c@example.com"), true},
	{"digits and hyphens in the domain", STR("a@x-1.2x.example-3.co"), true},
	{"an internationalised domain in ASCII", STR("a@xn--bcher-kva.example"), true},
	{"a local part of 64 bytes", STR(SIXTY "aaaa@example.com"), true},
	{"a local part of 65 bytes", STR(SIXTY "aaaaa@example.com"), false},
	{"a label of 63 bytes", STR("a@" SIXTY "aaa.com"), true},
	{"a label of 64 bytes", STR("a@" SIXTY "aaaa.com"), false},
	{"254 bytes in all", STR(SIXTY "@" SIXTY "." SIXTY "." SIXTY ".aaaaaa.com"), true},
	{"255 bytes in all", STR(SIXTY "@" SIXTY "." SIXTY "." SIXTY ".aaaaaaa.com"), false},
	{"nothing", STR(""), false},
	{"an absent text", STR_NONE, false},
	{"no at sign", STR("example.com"), false},
	{"two at signs", STR("a@b@example.com"), false},
	{"no local part", STR("@example.com"), false},
	{"no domain", STR("alice@"), false},
	{"a dot in front", STR(".a@example.com"), false},
	{"a dot behind", STR("a.@example.com"), false},
	{"two dots", STR("a..b@example.com"), false},
	{"a quoted local part", STR("\"a b\"@example.com"), false},
	{"a comment", STR("a(b)@example.com"), false},
	{"a display name", STR("Alice <alice@example.com>"), false},
	{"angle brackets", STR("<alice@example.com>"), false},
	{"two addresses", STR("a@example.com,b@example.com"), false},
	{"a blank behind", STR("a@example.com "), false},
	{"a newline behind", STR("a@example.com\n"), false},
	{"a header behind", STR("a@example.com\r\nBcc: b@example.com"), false},
	{"a command behind", STR("a@example.com> SIZE=1\r\nRCPT TO:<b@example.com"), false},
	{"a NUL inside", STR("a@example.com\0.evil.example"), false},
	{"letters beyond ASCII", STR("\xc3\xa9@example.com"), false},
	{"a domain beyond ASCII",
		STR("a@b\xc3\xbc"
		    "cher.example"),
		false},
	{"one label", STR("root@localhost"), false},
	{"an IPv4 address", STR("a@127.0.0.1"), false},
	{"an IPv4 address in hexadecimal", STR("a@127.0x1"), false},
	{"an address literal", STR("a@[127.0.0.1]"), false},
	{"a dot behind the domain", STR("a@example.com."), false},
	{"an empty label", STR("a@example..com"), false},
	{"a hyphen in front of a label", STR("a@-example.com"), false},
	{"a hyphen behind a label", STR("a@example-.com"), false},
	{"an underscore in the domain", STR("a@exa_mple.com"), false},
	{"a percent sign routes nowhere: it is an atom's", STR("a%b@example.com"), true},
};

static void an_address_is_a_dot_atom_at_a_domain(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name, egress_address_ok(cases[i].address) == cases[i].good);
}

static void a_host_may_have_one_label(void **state)
{
	(void)state;
	assert_true(egress_address_host_ok(STR("localhost")));
	assert_false(egress_address_domain_ok(STR("localhost")));
	assert_true(egress_address_domain_ok(STR("mail.example")));
	assert_false(egress_address_host_ok(STR("2130706433")));
	assert_false(egress_address_host_ok(STR("0x7f000001")));
	assert_false(egress_address_host_ok(STR("")));
	assert_false(egress_address_host_ok(STR_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_a_dot_atom_at_a_domain),
		cmocka_unit_test(a_host_may_have_one_label),
	};

	return cmocka_run_group_tests_name("egress_address", tests, NULL, NULL);
}
