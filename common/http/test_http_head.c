/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "http/test_drive.h"

#define H "Host: a.example\r\n"
#define END "\r\n\r\n"

/* What a head of one request is answered with; status 0: it is taken. RFC sections are of RFC 9112 unless said. */
static const struct {
	const char *name;
	struct str bytes;
	int status;
	const char *reason; /* NULL: any */
} cases[] = {
	/* 2.2 message parsing */
	{"a request is taken", STR("GET / HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"one empty line before it is ignored", STR("\r\nGET / HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"two empty lines are not", STR("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"an empty line of LF is refused", STR("\nGET / HTTP/1.1\r\n" H "\r\n"), 400, "a line ends without CR"},
	{"a request line that ends with LF", STR("GET / HTTP/1.1\n" H "\r\n"), 400, "a line ends without CR"},
	{"a field that ends with LF", STR("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"), 400, "a line ends without CR"},
	{"a head that ends with LF", STR("GET / HTTP/1.1\r\n" H "\n"), 400, "a line ends without CR"},
	{"everything with LF", STR("GET / HTTP/1.1\nHost: a\n\n"), 400, "a line ends without CR"},
	{"a CR in the request line", STR("GET /\r HTTP/1.1\r\n" H "\r\n"), 400, "a CR stands alone"},
	{"a CR in a field's value", STR("GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n"), 400, "a CR stands alone"},
	{"a CR in a field's name", STR("GET / HTTP/1.1\r\n" H "X\ry: b\r\n\r\n"), 400, "a CR stands alone"},
	{"lines that end with CR only", STR("GET / HTTP/1.1\rHost: a\r\r"), 400, "a CR stands alone"},
	{"a doubled CR before LF", STR("GET / HTTP/1.1\r\r\n" H "\r\n"), 400, "a CR stands alone"},
	{"a doubled CR behind a field", STR("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), 400, "a CR stands alone"},
	{"a head that ends with CR CR LF", STR("GET / HTTP/1.1\r\n" H "\r\r\n"), 400, "a CR stands alone"},
	{"a space before the first field", STR("GET / HTTP/1.1\r\n X: y\r\n" H "\r\n"), 400,
		"a field line is folded or begins with a space"},
	{"a line of spaces before the fields", STR("GET / HTTP/1.1\r\n \r\n" H "\r\n"), 400, NULL},

	/* 3 request line */
	{"two spaces behind the method", STR("GET  / HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"two spaces behind the target", STR("GET /  HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"a tab for a space", STR("GET\t/\tHTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"a tab behind the target", STR("GET /\tHTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"a form feed for a space", STR("GET /\x0cHTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"a space before the method", STR(" GET / HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"a space behind the version", STR("GET / HTTP/1.1 \r\n" H "\r\n"), 400, NULL},
	{"a space in the target", STR("GET /a b HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"no target", STR("GET HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"no version (HTTP/0.9)", STR("GET /\r\n\r\n"), 400, NULL},
	{"no version but a space", STR("GET / \r\n" H "\r\n"), 400, NULL},
	{"only a method", STR("GET\r\n" H "\r\n"), 400, NULL},
	{"a line of one word", STR("0\r\n\r\n"), 400, NULL},
	{"an empty method", STR(" / HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"a method with a bracket", STR("GE(T / HTTP/1.1\r\n" H "\r\n"), 400, "the method is not a token"},
	{"a method with a NUL", STR("GET\0 / HTTP/1.1\r\n" H "\r\n"), 400, "the method is not a token"},
	{"a method above ASCII", STR("G\xc3\x89T / HTTP/1.1\r\n" H "\r\n"), 400, "the method is not a token"},
	{"a method in lower case", STR("get / HTTP/1.1\r\n" H "\r\n"), 501, "the method is not implemented"},
	{"a method nobody knows", STR("BREW / HTTP/1.1\r\n" H "\r\n"), 501, NULL},
	{"TRACE", STR("TRACE / HTTP/1.1\r\n" H "\r\n"), 501, NULL},
	{"CONNECT", STR("CONNECT a.example:443 HTTP/1.1\r\n" H "\r\n"), 501, NULL},
	{"a method of a hundred letters",
		STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAA / HTTP/1.1\r\n" H "\r\n"),
		501, NULL},
	{"a GET with a prefix", STR("XGET / HTTP/1.1\r\n" H "\r\n"), 501, NULL},
	{"every served method: HEAD", STR("HEAD / HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"every served method: POST", STR("POST / HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"every served method: PUT", STR("PUT / HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"every served method: PATCH", STR("PATCH / HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"every served method: DELETE", STR("DELETE / HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"every served method: OPTIONS", STR("OPTIONS / HTTP/1.1\r\n" H "\r\n"), 0, NULL},

	/* 2.3 version */
	{"HTTP/1.0 without Host", STR("GET / HTTP/1.0\r\n\r\n"), 0, NULL},
	{"HTTP/1.0 with Host", STR("GET / HTTP/1.0\r\n" H "\r\n"), 0, NULL},
	{"HTTP/1.2 is HTTP/1.1 to us (9110 6.2)", STR("GET / HTTP/1.2\r\n" H "\r\n"), 0, NULL},
	{"HTTP/1.9 is HTTP/1.1 to us", STR("GET / HTTP/1.9\r\n" H "\r\n"), 0, NULL},
	{"HTTP/1.9 without Host", STR("GET / HTTP/1.9\r\n\r\n"), 400, NULL},
	{"HTTP/2.0", STR("GET / HTTP/2.0\r\n" H "\r\n"), 505, NULL},
	{"the preface of HTTP/2", STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, NULL},
	{"HTTP/3.0", STR("GET / HTTP/3.0\r\n" H "\r\n"), 505, NULL},
	{"HTTP/0.9", STR("GET / HTTP/0.9\r\n" H "\r\n"), 400, NULL},
	{"HTTP/1", STR("GET / HTTP/1\r\n" H "\r\n"), 400, NULL},
	{"HTTP/1.", STR("GET / HTTP/1.\r\n" H "\r\n"), 400, NULL},
	{"HTTP/11", STR("GET / HTTP/11\r\n" H "\r\n"), 400, NULL},
	{"HTTP/1.10", STR("GET / HTTP/1.10\r\n" H "\r\n"), 400, NULL},
	{"HTTP/01.1", STR("GET / HTTP/01.1\r\n" H "\r\n"), 400, NULL},
	{"HTTP/1,1", STR("GET / HTTP/1,1\r\n" H "\r\n"), 400, NULL},
	{"HTTP 1.1", STR("GET / HTTP 1.1\r\n" H "\r\n"), 400, NULL},
	{"http/1.1", STR("GET / http/1.1\r\n" H "\r\n"), 400, NULL},
	{"XHTTP/1.1", STR("GET / XHTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"HTTPS/1.1", STR("GET / HTTPS/1.1\r\n" H "\r\n"), 400, NULL},
	{"HTTP/1.1 with a NUL behind", STR("GET / HTTP/1.1\0\r\n" H "\r\n"), 400, NULL},
	{"HTTP/1.1 with a digit that is none", STR("GET / HTTP/1.\xb1\r\n" H "\r\n"), 400, NULL},
	{"HTTP/-1.1", STR("GET / HTTP/-1.1\r\n" H "\r\n"), 400, NULL},

	/* 3.2 target; the rest in test_http_target.c */
	{"the longest target",
		STR("GET /123456789"
		    "1234567890123456789012345678901234567890123456789012345678901234567890"
		    "1234567890123456789012345678901234567890123456789012345678901234567890 HTTP/1.1\r\n" H "\r\n"),
		0, NULL},
	{"one byte more",
		STR("GET /1234567891"
		    "1234567890123456789012345678901234567890123456789012345678901234567890"
		    "1234567890123456789012345678901234567890123456789012345678901234567890 HTTP/1.1\r\n" H "\r\n"),
		414, "the target is too long"},
	{"an absolute target", STR("GET https://a.example/x?y HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"an absolute target without path", STR("GET http://a.example HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"an absolute target with the usual port", STR("GET https://A.Example:443/ HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"an absolute target of another host", STR("GET https://b.example/ HTTP/1.1\r\n" H "\r\n"), 400,
		"Host and the target's authority differ"},
	{"an absolute target of another port", STR("GET https://a.example:80/ HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"an absolute target without Host", STR("GET https://a.example/ HTTP/1.1\r\n\r\n"), 400, "there is no Host"},
	{"an absolute target without Host in 1.0", STR("GET https://a.example/ HTTP/1.0\r\n\r\n"), 0, NULL},
	{"an authority for a target", STR("GET a.example:443 HTTP/1.1\r\n" H "\r\n"), 400, NULL},
	{"an asterisk for OPTIONS", STR("OPTIONS * HTTP/1.1\r\n" H "\r\n"), 0, NULL},
	{"an asterisk for GET", STR("GET * HTTP/1.1\r\n" H "\r\n"), 400, NULL},

	/* 3.2 Host */
	{"no Host in 1.1", STR("GET / HTTP/1.1\r\nX: y\r\n\r\n"), 400, "there is no Host"},
	{"no field at all in 1.1", STR("GET / HTTP/1.1\r\n\r\n"), 400, "there is no Host"},
	{"Host twice", STR("GET / HTTP/1.1\r\n" H H "\r\n"), 400, "there is more than one Host"},
	{"Host twice in 1.0", STR("GET / HTTP/1.0\r\n" H H "\r\n"), 400, NULL},
	{"Host twice in another case", STR("GET / HTTP/1.1\r\n" H "hOST: b\r\n\r\n"), 400,
		"there is more than one Host"},
	{"an empty Host", STR("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400, "Host is malformed"},
	{"a Host with a user", STR("GET / HTTP/1.1\r\nHost: u@a.example\r\n\r\n"), 400, "Host is malformed"},
	{"a Host with a space", STR("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400, "Host is malformed"},
	{"a Host that is a list", STR("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), 400, "Host is malformed"},
	{"a Host with a path", STR("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400, "Host is malformed"},
	{"a Host that is an address", STR("GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"), 400, "Host is malformed"},
	{"a Host with spaces around", STR("GET / HTTP/1.1\r\nHost: \t a.example \t \r\n\r\n"), 0, NULL},

	/* 5 fields */
	{"a field without a space behind its colon", STR("GET / HTTP/1.1\r\nHost:a\r\nX:y\r\n\r\n"), 0, NULL},
	{"an empty value", STR("GET / HTTP/1.1\r\n" H "X:\r\n\r\n"), 0, NULL},
	{"a value of spaces", STR("GET / HTTP/1.1\r\n" H "X: \t \r\n\r\n"), 0, NULL},
	{"a value with bytes above ASCII", STR("GET / HTTP/1.1\r\n" H "X: \x80\xff\xc3\xa9\r\n\r\n"), 0, NULL},
	{"a value with spaces, tabs and quotes inside", STR("GET / HTTP/1.1\r\n" H "X: a \t \"b\\\"\r\n\r\n"), 0, NULL},
	{"a name of every token sign", STR("GET / HTTP/1.1\r\n" H "!#$%&'*+-.^_`|~09azAZ: y\r\n\r\n"), 0, NULL},
	{"a value with a NUL", STR("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n"), 400,
		"a field's value has a control character"},
	{"a value with DEL", STR("GET / HTTP/1.1\r\n" H "X: aaaaaaaaa\x7f\r\n\r\n"), 400, NULL},
	{"a value with a vertical tab",
		STR("GET / HTTP/1.1\r\n" H "X: \x0b"
		    "a\r\n\r\n"),
		400, NULL},
	{"a value with an escape character", STR("GET / HTTP/1.1\r\n" H "X: 12345678\x1b[2J\r\n\r\n"), 400, NULL},
	{"a folded value", STR("GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"), 400,
		"a field line is folded or begins with a space"},
	{"a value folded with a tab", STR("GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"), 400, NULL},
	{"a folded empty line", STR("GET / HTTP/1.1\r\n" H " \r\n\r\n"), 400, NULL},
	{"a space before the colon", STR("GET / HTTP/1.1\r\n" H "X : y\r\n\r\n"), 400,
		"a field's name has a space before its colon"},
	{"a tab before the colon", STR("GET / HTTP/1.1\r\n" H "X\t: y\r\n\r\n"), 400, NULL},
	{"a space before the colon of Host", STR("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400, NULL},
	{"a space in a name", STR("GET / HTTP/1.1\r\n" H "X y: z\r\n\r\n"), 400, "a field's name is not a token"},
	{"an empty name", STR("GET / HTTP/1.1\r\n" H ": y\r\n\r\n"), 400, "a field's name is not a token"},
	{"a name above ASCII", STR("GET / HTTP/1.1\r\n" H "\xc3\xa9: y\r\n\r\n"), 400, "a field's name is not a token"},
	{"a name with a NUL", STR("GET / HTTP/1.1\r\n" H "X\0: y\r\n\r\n"), 400, "a field's name is not a token"},
	{"a name with a bracket", STR("GET / HTTP/1.1\r\n" H "X[]: y\r\n\r\n"), 400, "a field's name is not a token"},
	{"a line without a colon", STR("GET / HTTP/1.1\r\n" H "X\r\n\r\n"), 400, "a field line has no colon"},
	{"a second request line for a field", STR("GET / HTTP/1.1\r\n" H "GET / HTTP/1.1\r\n\r\n"), 400, NULL},
	{"eight fields", STR("GET / HTTP/1.1\r\n" H "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\n\r\n"), 0, NULL},
	{"nine fields", STR("GET / HTTP/1.1\r\n" H "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\n\r\n"), 431,
		"there are too many fields"},

	/* 9 connection */
	{"a Connection with an empty element", STR("GET / HTTP/1.1\r\n" H "Connection: , keep-alive,\r\n\r\n"), 0,
		NULL},
	{"a Connection that is malformed", STR("GET / HTTP/1.1\r\n" H "Connection: a b\r\n\r\n"), 400,
		"Connection is malformed"},
	{"an Upgrade is ignored", STR("GET / HTTP/1.1\r\n" H "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), 0, NULL},

	/* RFC 9110, 10.1.1 */
	{"an expectation of 100", STR("POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n"), 0, NULL},
	{"another expectation", STR("POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n"), 417, NULL},
	{"an expectation with a parameter", STR("POST / HTTP/1.1\r\n" H "Expect: 100-continue;x\r\n\r\n"), 417, NULL},
	{"two expectations", STR("POST / HTTP/1.1\r\n" H "Expect: 100-continue, x\r\n\r\n"), 417, NULL},
	{"an empty expectation", STR("POST / HTTP/1.1\r\n" H "Expect:\r\n\r\n"), 417, NULL},
};

static void every_rule_of_the_head_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct drive drive;
		int status;

		drive_all_ways(&drive, &drive_limits, cases[i].bytes);
		status = drive.err == OK ? 0 : err_status(drive.err);
		if (status != cases[i].status)
			print_error("%s: %d %s\n", cases[i].name, status, drive.reason);
		CHECK(cases[i].name, status == cases[i].status);
		CHECK(cases[i].name, cases[i].reason == NULL || strcmp(drive.reason, cases[i].reason) == 0);
		CHECK(cases[i].name, drive.requests == (status == 0 ? 1 : 0) && !drive.incomplete);
		CHECK(cases[i].name, status == 0 || drive.closed);
		drive_release(&drive);
	}
}

static const struct {
	const char *name;
	struct str bytes;
	const char *said;
} meanings[] = {
	{"path and query stand apart", STR("GET /a/%41?b=c?d HTTP/1.1\r\nhOsT:\t a.example:8443 \r\nX-y:  z \r\n\r\n"),
		"GET /a/%41?b=c?d 1.1 path=/a/%41 query=b=c?d authority=a.example:8443 keep\nhOsT: "
		"a.example:8443\nX-y: z\n"
		"body 0: \n"},
	{"an empty query is one", STR("GET /? HTTP/1.1\r\nHost: a\r\n\r\n"),
		"GET /? 1.1 path=/ query= authority=a keep\nHost: a\nbody 0: \n"},
	{"the target's authority counts", STR("GET HTTP://A.example:80?q HTTP/1.1\r\nHost: a.example\r\n\r\n"),
		"GET HTTP://A.example:80?q 1.1 path=/ query=q authority=A.example:80 keep\nHost: a."
		"example\nbody 0: \n"},
	{"OPTIONS of a host asks for all", STR("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
		"OPTIONS http://a 1.1 path=* authority=a keep\nHost: a\nbody 0: \n"},
	{"OPTIONS of an asterisk", STR("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
		"OPTIONS * 1.1 path=* authority=a keep\nHost: a\nbody 0: \n"},
	{"1.0 closes", STR("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n"), "GET / 1.0 path=/ close\nbody 0: \n"},
	{"1.0 stays when asked to", STR("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
		"GET / 1.0 path=/ keep\nConnection: Keep-Alive\nbody 0: \n"},
	{"close wins over keep-alive", STR("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, CLOSE\r\n\r\nX"),
		"GET / 1.1 path=/ authority=a close\nHost: a\nConnection: keep-alive, CLOSE\nbody 0: \n"},
	{"close in a second line counts",
		STR("GET / HTTP/1.1\r\nConnection: x\r\nHost: a\r\nConnection: close\r\n\r\n"),
		"GET / 1.1 path=/ authority=a close\nConnection: x\nHost: a\nConnection: close\nbody 0: \n"},
	{"an expectation of 1.0 is ignored", STR("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"),
		"GET / 1.0 path=/ close\nExpect: 100-continue\nbody 0: \n"},
	{"an expectation of 1.1 is told", STR("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
		"GET / 1.1 path=/ authority=a keep expect\nHost: a\nExpect: 100-continue\nbody 0: \n"},
};

static void what_is_taken_means_what_was_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(meanings); i++) {
		struct drive drive;

		drive_all_ways(&drive, &drive_limits, meanings[i].bytes);
		if (!str_eq_c(buf_str(&drive.said), meanings[i].said))
			print_error("%.*s\n", STR_ARG(buf_str(&drive.said)));
		CHECK(meanings[i].name, str_eq_c(buf_str(&drive.said), meanings[i].said));
		drive_release(&drive);
	}
}

static void limits_are_exact_and_refuse_before_the_line_ends(void **state)
{
	struct drive drive;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 4096);
	for (size_t extra = 0; extra < 3; extra++) {
		buf_reset(&bytes);
		buf_put_c(&bytes, "GET / HTTP/1.1\r\n" H "X: "); /* fields: 17 bytes so far, 5 of the second line */
		for (size_t i = 0; i < 600 - 17 - 5 + extra; i++)
			buf_put_byte(&bytes, 'x');
		buf_put_c(&bytes, END);
		drive_all_ways(&drive, &drive_limits, buf_str(&bytes));
		assert_int_equal(drive.err, extra == 0 ? OK : ERR_HEADER_TOO_LARGE);
		drive_release(&drive);
	}
	for (size_t extra = 0; extra < 2; extra++) {
		buf_reset(&bytes);
		for (size_t i = 0; i < 200 + extra; i++)
			buf_put_byte(&bytes, 'A');
		drive_all_ways(&drive, &drive_limits, buf_str(&bytes));
		assert_int_equal(drive.err, extra == 0 ? OK : ERR_URI_TOO_LONG);
		assert_int_equal(drive.incomplete, extra == 0);
		drive_release(&drive);
	}
	buf_release(&bytes);
}

static void every_byte_in_a_name_or_value_has_its_verdict(void **state)
{
	static const char tokens[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char name[] = "GET / HTTP/1.1\r\n" H "Xy?z: v\r\n\r\n";
	char value[] = "GET / HTTP/1.1\r\n" H "X: abcdefgh?ijklmnopq\r\n\r\n";
	char *name_at = strchr(name, '?');
	char *value_at = strchr(value, '?');

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		struct drive drive;
		bool token = c != 0 && strchr(tokens, (int)c) != NULL;
		bool text = c == '\t' || (c >= ' ' && c != 0x7f);

		*name_at = (char)c;
		*value_at = (char)c;
		drive_all_ways(&drive, &drive_limits, (struct str){name, sizeof(name) - 1});
		/* A colon ends the name earlier: "Xy" with the value "z: v". */
		assert_int_equal(drive.err, token || c == ':' ? OK : ERR_BAD_REQUEST);
		drive_release(&drive);
		drive_all_ways(&drive, &drive_limits, (struct str){value, sizeof(value) - 1});
		assert_int_equal(drive.err, text ? OK : ERR_BAD_REQUEST);
		drive_release(&drive);
	}
}

static void every_cut_of_a_head_waits_for_more(void **state)
{
	const struct str bytes = STR("GET /a?b HTTP/1.1\r\n" H "X: y\r\nContent-Length: 3\r\n\r\nabc");

	(void)state;
	for (size_t len = 0; len <= bytes.len; len++) {
		struct drive drive;

		drive_all_ways(&drive, &drive_limits, (struct str){bytes.p, len});
		assert_int_equal(drive.err, OK);
		assert_int_equal(drive.requests, len == bytes.len ? 1 : 0);
		assert_int_equal(drive.incomplete, len > 0 && len < bytes.len);
		drive_release(&drive);
	}
}

static void fields_are_found_by_name_and_counted(void **state)
{
	struct http_parser parser;
	struct str value;
	struct buf in;

	(void)state;
	buf_init(&in, 4096);
	http_parser_init(&parser, &drive_limits);
	assert_int_equal(http_parser_feed(&parser, &in), HTTP_MORE);
	assert_false(http_parser_begun(&parser, &in));
	buf_put_c(&in, "GET / HTTP/1.1\r\n" H "Accept: a\r\nX: y\r\naccept: b\r\n\r\n");
	assert_true(http_parser_begun(&parser, &in));
	assert_int_equal(http_parser_feed(&parser, &in), HTTP_HEAD_DONE);
	assert_int_equal(http_find(&parser, "accept", &value), 2);
	assert_true(str_eq_c(value, "a"));
	assert_int_equal(http_find(&parser, "accep", &value), 0);
	assert_null(value.p);
	assert_int_equal(http_find(&parser, "x", &value), 1);
	buf_release(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_the_head_is_kept),
		cmocka_unit_test(what_is_taken_means_what_was_sent),
		cmocka_unit_test(limits_are_exact_and_refuse_before_the_line_ends),
		cmocka_unit_test(every_byte_in_a_name_or_value_has_its_verdict),
		cmocka_unit_test(every_cut_of_a_head_waits_for_more),
		cmocka_unit_test(fields_are_found_by_name_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
