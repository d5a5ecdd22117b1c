/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include "base/test.h"
#include "egress/egress_allow.h"

static const struct {
	const char *name;
	struct str doc;
	enum err err;
	size_t count;
	unsigned line;
} list_cases[] = {
	{"an empty list allows nothing", STR(""), OK, 0, 0},
	{"comments and blank lines say nothing", STR("# all\n\n \t\n  # mail\n"), OK, 0, 0},
	{"a name", STR("smtp.example.org:587 mail\n"), OK, 1, 0},
	{"the last line needs no newline", STR("a.example:1 x\nb.example:65535 y"), OK, 2, 0},
	{"a comment behind an entry", STR("a.example:25 mail # relay"), OK, 1, 0},
	{"tabs and several blanks", STR("\ta.example:25 \t mail   private  "), OK, 1, 0},
	{"addresses", STR("192.0.2.1:25 mail\n[2001:db8::1]:25 mail"), OK, 2, 0},
	{"one label", STR("localhost:1025 mail"), OK, 1, 0},
	{"no port", STR("a.example mail"), ERR_BAD_FIELD, 0, 1},
	{"port 0", STR("a.example:0 mail"), ERR_BAD_FIELD, 0, 1},
	{"port 65536", STR("a.example:65536 mail"), ERR_BAD_FIELD, 0, 1},
	{"a port with a sign", STR("a.example:+25 mail"), ERR_BAD_FIELD, 0, 1},
	{"no purpose", STR("a.example:25"), ERR_BAD_FIELD, 0, 1},
	{"a purpose in capitals", STR("a.example:25 Mail"), ERR_BAD_FIELD, 0, 1},
	{"an unknown flag", STR("a.example:25 mail public"), ERR_BAD_FIELD, 0, 1},
	{"a fourth word", STR("a.example:25 mail private x"), ERR_BAD_FIELD, 0, 1},
	{"the second line is named", STR("a.example:25 mail\n*:25 mail\n"), ERR_BAD_FIELD, 0, 2},
	{"a wildcard", STR("*.example:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"a URL", STR("https://a.example:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"credentials", STR("u@a.example:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"IPv6 without brackets", STR("2001:db8::1:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"a name in brackets", STR("[a.example]:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"an IPv6 zone", STR("[fe80::1%eth0]:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"an address in short form", STR("127.1:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"an address as one number", STR("2130706433:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"an address in hexadecimal", STR("0x7f000001:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"an address in octal", STR("0177.0.0.1:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"a name beyond ASCII",
		STR("b\xc3\xbc"
		    "cher.example:25 mail"),
		ERR_BAD_FIELD, 0, 1},
	{"a NUL", STR("a.example\0:25 mail"), ERR_BAD_FIELD, 0, 1},
	{"a carriage return", STR("a.example:25 mail\r\n"), ERR_BAD_FIELD, 0, 1},
};

static void a_list_is_read_strictly(void **state)
{
	static struct egress_allow allow;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
		unsigned line;

		CHECK(list_cases[i].name, egress_allow_parse(list_cases[i].doc, &allow, &line) == list_cases[i].err);
		CHECK(list_cases[i].name, list_cases[i].err != OK || allow.count == list_cases[i].count);
		CHECK(list_cases[i].name, list_cases[i].err == OK || line == list_cases[i].line);
	}
}

static void a_list_is_bounded(void **state)
{
	static struct egress_allow allow;
	static char doc[EGRESS_ALLOW_DOC_MAX + 1];
	size_t len = 0;
	unsigned line;

	(void)state;
	for (size_t i = 0; i < EGRESS_ALLOW_ENTRIES_MAX; i++) {
		memcpy(doc + len, "a.example:1 x\n", 14);
		len += 14;
	}
	assert_int_equal(egress_allow_parse((struct str){doc, len}, &allow, &line), OK);
	assert_int_equal(allow.count, EGRESS_ALLOW_ENTRIES_MAX);
	memcpy(doc + len, "a.example:1 x\n", 14);
	assert_int_equal(egress_allow_parse((struct str){doc, len + 14}, &allow, &line), ERR_TOO_LARGE);
	assert_int_equal(line, EGRESS_ALLOW_ENTRIES_MAX + 1);
	memset(doc, '\n', sizeof(doc));
	assert_int_equal(egress_allow_parse((struct str){doc, sizeof(doc)}, &allow, &line), ERR_TOO_LARGE);
	assert_int_equal(line, 0);
}

static const struct {
	const char *name;
	struct str host;
	unsigned port;
	const char *purpose;
	bool found, private_ok;
} find_cases[] = {
	{"what is listed", STR("a.example"), 25, "mail", true, false},
	{"the name in capitals", STR("A.Example"), 25, "mail", true, false},
	{"another port", STR("a.example"), 26, "mail", false, false},
	{"a port that is 25 in sixteen bits", STR("a.example"), 65561, "mail", false, false},
	{"another purpose", STR("a.example"), 25, "webhook", false, false},
	{"a name that ends so", STR("xa.example"), 25, "mail", false, false},
	{"the name with a dot behind", STR("a.example."), 25, "mail", false, false},
	{"an empty name", STR(""), 25, "mail", false, false},
	{"a name marked private", STR("sink"), 25, "mail", true, true},
	{"localhost is what it says", STR("localhost"), 25, "mail", true, true},
	{"a private address is what it says", STR("10.0.0.1"), 25, "mail", true, true},
	{"a loopback address of IPv6", STR("::1"), 25, "mail", true, true},
	{"a public address", STR("8.8.8.8"), 25, "mail", true, false},
};

static void a_destination_is_found_by_host_port_and_purpose(void **state)
{
	static struct egress_allow allow;
	unsigned line;

	(void)state;
	assert_int_equal(
		egress_allow_parse(STR("a.EXAMPLE:25 mail\nsink:25 mail private\nlocalhost:25 mail\n10.0.0.1:25 "
				       "mail\n[::1]:25 mail\n8.8.8.8:25 mail\n"),
			&allow, &line),
		OK);
	for (size_t i = 0; i < COUNT_OF(find_cases); i++) {
		const struct egress_allow_entry *entry =
			egress_allow_find(&allow, find_cases[i].host, find_cases[i].port, find_cases[i].purpose);

		CHECK(find_cases[i].name, (entry != NULL) == find_cases[i].found);
		CHECK(find_cases[i].name, entry == NULL || entry->private_ok == find_cases[i].private_ok);
	}
}

static const struct {
	const char *address;
	enum egress_reach reach;
} reach_cases[] = {
	{"8.8.8.8", EGRESS_PUBLIC},
	{"1.1.1.1", EGRESS_PUBLIC},
	{"172.15.255.255", EGRESS_PUBLIC},
	{"172.32.0.0", EGRESS_PUBLIC},
	{"100.63.255.255", EGRESS_PUBLIC},
	{"223.255.255.255", EGRESS_PUBLIC},
	{"127.0.0.1", EGRESS_LOOPBACK},
	{"127.255.255.254", EGRESS_LOOPBACK},
	{"0.0.0.0", EGRESS_PRIVATE},
	{"0.1.2.3", EGRESS_PRIVATE},
	{"10.255.0.1", EGRESS_PRIVATE},
	{"100.64.0.1", EGRESS_PRIVATE},
	{"169.254.169.254", EGRESS_PRIVATE},
	{"172.16.0.1", EGRESS_PRIVATE},
	{"172.31.255.255", EGRESS_PRIVATE},
	{"192.168.1.1", EGRESS_PRIVATE},
	{"192.0.0.1", EGRESS_PRIVATE},
	{"192.0.2.1", EGRESS_PRIVATE},
	{"198.19.0.1", EGRESS_PRIVATE},
	{"198.51.100.1", EGRESS_PRIVATE},
	{"203.0.113.1", EGRESS_PRIVATE},
	{"224.0.0.1", EGRESS_PRIVATE},
	{"240.0.0.1", EGRESS_PRIVATE},
	{"255.255.255.255", EGRESS_PRIVATE},
	{"2606:4700::1111", EGRESS_PUBLIC},
	{"2001:4860:4860::8888", EGRESS_PUBLIC},
	{"::1", EGRESS_LOOPBACK},
	{"::ffff:127.0.0.1", EGRESS_LOOPBACK},
	{"64:ff9b::7f00:1", EGRESS_LOOPBACK},
	{"::ffff:8.8.8.8", EGRESS_PUBLIC},
	{"64:ff9b::808:808", EGRESS_PUBLIC},
	{"2002:808:808::1", EGRESS_PUBLIC},
	{"::", EGRESS_PRIVATE},
	{"::127.0.0.1", EGRESS_PRIVATE},
	{"::ffff:10.0.0.1", EGRESS_PRIVATE},
	{"64:ff9b::a9fe:a9fe", EGRESS_PRIVATE},
	{"64:ff9b:1::1", EGRESS_PRIVATE},
	{"2002:a00:1::1", EGRESS_PRIVATE},
	{"2001::1", EGRESS_PRIVATE},
	{"2001:10::1", EGRESS_PRIVATE},
	{"2001:db8::1", EGRESS_PRIVATE},
	{"3fff::1", EGRESS_PRIVATE},
	{"fc00::1", EGRESS_PRIVATE},
	{"fd12::1", EGRESS_PRIVATE},
	{"fe80::1", EGRESS_PRIVATE},
	{"fec0::1", EGRESS_PRIVATE},
	{"ff02::1", EGRESS_PRIVATE},
};

static void an_address_leads_where_the_registries_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(reach_cases); i++) {
		const char *text = reach_cases[i].address;
		struct sockaddr_in in = {.sin_family = AF_INET};
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
		bool v4 = inet_pton(AF_INET, text, &in.sin_addr) == 1;
		const struct sockaddr *address = v4 ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6;
		socklen_t len = v4 ? sizeof(in) : sizeof(in6);

		CHECK(text, v4 || inet_pton(AF_INET6, text, &in6.sin6_addr) == 1);
		CHECK(text, egress_allow_reach(address, len) == reach_cases[i].reach);
		CHECK(text, egress_allow_reach(address, len - 1) == EGRESS_PRIVATE);
	}
	assert_int_equal(
		egress_allow_reach(&(struct sockaddr){.sa_family = AF_UNIX}, sizeof(struct sockaddr)), EGRESS_PRIVATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read_strictly),
		cmocka_unit_test(a_list_is_bounded),
		cmocka_unit_test(a_destination_is_found_by_host_port_and_purpose),
		cmocka_unit_test(an_address_leads_where_the_registries_say),
	};

	return cmocka_run_group_tests_name("egress_allow", tests, NULL, NULL);
}
