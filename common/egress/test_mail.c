/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "egress/mail.h"

#define NOW (INT64_C(1795471261) * US_PER_S) /* 2026-11-23T22:01:01Z */

static const struct mail plain = {.to = {"alice@example.com", 17},
	.from = {"noreply@berth.example", 21},
	.subject = {"Hello", 5},
	.text = {"Hi\n", 3}};

static const char *compose(const struct mail *mail, struct buf *out)
{
	buf_reset(out);
	assert_int_equal(mail_compose(mail, "berth.example", NOW, out), OK);
	buf_put_byte(out, 0);
	assert_true(buf_ok(out));
	return out->p;
}

static void a_message_has_what_every_message_has(void **state)
{
	struct buf out;
	const char *text;

	(void)state;
	buf_init(&out, MAIL_BYTES_MAX);
	text = compose(&plain, &out);
	assert_non_null(strstr(text, "Date: Mon, 23 Nov 2026 22:01:01 +0000\r\n"));
	assert_non_null(strstr(text, "Message-ID: <"));
	assert_non_null(strstr(text, "@berth.example>\r\n"));
	assert_non_null(strstr(text, "From: <noreply@berth.example>\r\nTo: <alice@example.com>\r\nSubject: Hello\r\n"));
	assert_non_null(strstr(text, "Auto-Submitted: auto-generated\r\n"));
	assert_non_null(strstr(text, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	assert_non_null(strstr(text, "\r\n\r\nHi\r\n"));
	assert_null(strstr(text, "\n\n"));
	buf_release(&out);
}

static void two_messages_have_two_ids_unless_they_are_one(void **state)
{
	struct mail mail = plain;
	struct buf a, b;
	const char *id_a, *id_b;

	(void)state;
	buf_init(&a, MAIL_BYTES_MAX);
	buf_init(&b, MAIL_BYTES_MAX);
	id_a = strstr(compose(&plain, &a), "Message-ID: ");
	id_b = strstr(compose(&plain, &b), "Message-ID: ");
	assert_memory_not_equal(id_a, id_b, 12 + 32);
	mail.id = STR("018f3c7e-0000-7000-8000-000000000001");
	assert_non_null(
		strstr(compose(&mail, &a), "Message-ID: <018f3c7e-0000-7000-8000-000000000001@berth.example>\r\n"));
	buf_release(&a);
	buf_release(&b);
}

/* What stands in the message, in full. */
static const struct {
	const char *name;
	struct str from_name, subject, text, header;
	const char *wanted;
} shape_cases[] = {
	{"a name is quoted", STR("Berth"), STR("s"), STR(""), STR_NONE,
		"\r\nFrom: \"Berth\"\r\n <noreply@berth.example>\r\n"},
	{"a name with a quote is escaped", STR("a\"b\\c, d"), STR("s"), STR(""), STR_NONE,
		"From: \"a\\\"b\\\\c, d\"\r\n"},
	{"a name beyond ASCII is encoded", STR("B\xc3\xa9rth"), STR("s"), STR(""), STR_NONE,
		"From: =?utf-8?B?QsOpcnRo?=\r\n <noreply"},
	{"a subject beyond ASCII is encoded", STR_NONE, STR("R\xc3\xa9servation"), STR(""), STR_NONE,
		"Subject: =?utf-8?B?UsOpc2VydmF0aW9u?=\r\n"},
	{"a long subject is cut between characters", STR_NONE,
		STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"),
		STR(""), STR_NONE,
		"Subject: =?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6k=?=\r\n "
		"=?utf-8?B?w6nDqQ==?=\r\n"},
	{"a subject that looks encoded is encoded", STR_NONE, STR("=?utf-8?B?QQ==?="), STR(""), STR_NONE,
		"Subject: =?utf-8?B?PT91dGYtOD9CP1FRPT0/PQ==?=\r\n"},
	{"a long subject folds at a blank", STR_NONE,
		STR("aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbb cccccccccccccccccccc dddddddddddddddddddd"), STR(""),
		STR_NONE,
		"Subject: aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbb cccccccccccccccccccc\r\n dddddddddddddddddddd\r\n"},
	{"another header is written as given", STR_NONE, STR("s"), STR(""), STR("<https://berth.example/x>"),
		"\r\nList-Unsubscribe: <https://berth.example/x>\r\n"},
	{"lines end in CRLF whatever they ended in", STR_NONE, STR("s"), STR("a\nb\r\nc"), STR_NONE,
		"\r\n\r\na\r\nb\r\nc\r\n"},
	{"empty lines stay", STR_NONE, STR("s"), STR("a\n\n\nb\n"), STR_NONE, "\r\n\r\na\r\n\r\n\r\nb\r\n"},
	{"an equals sign is encoded", STR_NONE, STR("s"), STR("a=b"), STR_NONE, "\r\n\r\na=3Db\r\n"},
	{"a letter beyond ASCII is encoded", STR_NONE, STR("s"), STR("\xc3\xa9"), STR_NONE, "\r\n\r\n=C3=A9\r\n"},
	{"a blank at a line's end is encoded", STR_NONE, STR("s"), STR("a \nb\t\n"), STR_NONE,
		"\r\n\r\na=20\r\nb=09\r\n"},
	{"a lone dot does not end the message", STR_NONE, STR("s"), STR("a\n.\nb"), STR_NONE,
		"\r\n\r\na\r\n=2E\r\nb\r\n"},
	{"From at a line's start is encoded", STR_NONE, STR("s"), STR("From me"), STR_NONE, "\r\n\r\n=46rom me\r\n"},
	{"a long line breaks softly at 76", STR_NONE, STR("s"),
		STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbb"), STR_NONE,
		"\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=\r\nbbb\r\n"},
	{"a dot that a soft break brings to a line's start", STR_NONE, STR("s"),
		STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."), STR_NONE,
		"\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=\r\n=2E\r\n"},
};

static void a_message_is_written_as_the_standards_say(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, MAIL_BYTES_MAX);
	for (size_t i = 0; i < COUNT_OF(shape_cases); i++) {
		const struct mail_header header = {"List-Unsubscribe", shape_cases[i].header};
		struct mail mail = plain;

		mail.from_name = shape_cases[i].from_name;
		mail.subject = shape_cases[i].subject;
		mail.text = shape_cases[i].text;
		mail.headers = &header;
		mail.header_count = header.value.p != NULL;
		CHECK(shape_cases[i].name, strstr(compose(&mail, &out), shape_cases[i].wanted) != NULL);
	}
	buf_release(&out);
}

static const struct {
	const char *name;
	struct mail mail; /* members that are absent stay plain */
	struct mail_header header;
	const char *domain;
	enum err err;
} refused_cases[] = {
	{"a header in the recipient", {.to = STR("a@example.com\r\nBcc: b@example.com")}, {0}, NULL, ERR_BAD_FIELD},
	{"two recipients", {.to = STR("a@example.com, b@example.com")}, {0}, NULL, ERR_BAD_FIELD},
	{"an id with a newline", {.id = STR("a\r\nb")}, {0}, NULL, ERR_BAD_FIELD},
	{"an empty id", {.id = STR("")}, {0}, NULL, ERR_BAD_FIELD},
	{"an empty recipient", {.to = STR("")}, {0}, NULL, ERR_BAD_FIELD},
	{"a header in the sender", {.from = STR("a@example.com\nX: y")}, {0}, NULL, ERR_BAD_FIELD},
	{"a header in the name", {.from_name = STR("a\r\nX: y")}, {0}, NULL, ERR_BAD_FIELD},
	{"an empty name", {.from_name = STR("")}, {0}, NULL, ERR_BAD_FIELD},
	{"a header in the subject", {.subject = STR("a\r\nBcc: b@example.com")}, {0}, NULL, ERR_BAD_FIELD},
	{"a lone newline in the subject", {.subject = STR("a\nb")}, {0}, NULL, ERR_BAD_FIELD},
	{"a lone carriage return in the subject", {.subject = STR("a\rb")}, {0}, NULL, ERR_BAD_FIELD},
	{"a NUL in the subject", {.subject = STR("a\0b")}, {0}, NULL, ERR_BAD_FIELD},
	{"invalid UTF-8 in the subject", {.subject = STR("\xff")}, {0}, NULL, ERR_BAD_FIELD},
	{"an empty subject", {.subject = STR("")}, {0}, NULL, ERR_BAD_FIELD},
	{"a subject of blanks", {.subject = STR("  ")}, {0}, NULL, ERR_BAD_FIELD},
	{"a carriage return alone in the text", {.text = STR("a\rb")}, {0}, NULL, ERR_BAD_FIELD},
	{"a carriage return at the text's end", {.text = STR("a\r")}, {0}, NULL, ERR_BAD_FIELD},
	{"a NUL in the text", {.text = STR("a\0b")}, {0}, NULL, ERR_BAD_FIELD},
	{"an escape in the text", {.text = STR("\x1b[2J")}, {0}, NULL, ERR_BAD_FIELD},
	{"invalid UTF-8 in the text", {.text = STR("\xc3")}, {0}, NULL, ERR_BAD_FIELD},
	{"a carriage return alone in the calendar", {.calendar = STR("a\rb")}, {0}, NULL, ERR_BAD_FIELD},
	{"a header that we write", .header = {"Subject", STR("x")}, .err = ERR_BAD_FIELD},
	{"a header that we write, in capitals", .header = {"FROM", STR("x")}, .err = ERR_BAD_FIELD},
	{"a blind copy", .header = {"bcc", STR("x")}, .err = ERR_BAD_FIELD},
	{"a header of MIME", .header = {"Content-Type", STR("x")}, .err = ERR_BAD_FIELD},
	{"a header's name with a colon", .header = {"X: y", STR("x")}, .err = ERR_BAD_FIELD},
	{"a header's name with a newline", .header = {"X\r\nY", STR("x")}, .err = ERR_BAD_FIELD},
	{"an empty name of a header", .header = {"", STR("x")}, .err = ERR_BAD_FIELD},
	{"a name of 41 characters", .header = {"Xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", STR("x")},
		.err = ERR_BAD_FIELD},
	{"a newline in a header's value", .header = {"X-A", STR("x\ny")}, .err = ERR_BAD_FIELD},
	{"an empty value", .header = {"X-A", STR("")}, .err = ERR_BAD_FIELD},
	{"a blank behind the value", .header = {"X-A", STR("x ")}, .err = ERR_BAD_FIELD},
	{"a domain with a newline", .domain = "a.example\r\nX: y", .err = ERR_BAD_FIELD},
	{"an empty domain", .domain = "", .err = ERR_BAD_FIELD},
};

static void what_would_smuggle_is_refused(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, MAIL_BYTES_MAX);
	for (size_t i = 0; i < COUNT_OF(refused_cases); i++) {
		struct mail mail = refused_cases[i].mail;
		const char *domain = refused_cases[i].domain;

#define KEEP(member) mail.member = mail.member.p != NULL ? mail.member : plain.member
		KEEP(to);
		KEEP(from);
		KEEP(subject);
		KEEP(text);
#undef KEEP
		mail.headers = &refused_cases[i].header;
		mail.header_count = refused_cases[i].header.name != NULL;
		buf_reset(&out);
		CHECK(refused_cases[i].name, mail_compose(&mail, domain != NULL ? domain : "berth.example", NOW,
						     &out) == refused_cases[i].err);
		CHECK(refused_cases[i].name, out.len == 0);
	}
	buf_release(&out);
}

static void every_part_is_bounded(void **state)
{
	static char huge[MAIL_TEXT_MAX + 1];
	struct mail_header headers[MAIL_HEADERS_MAX + 1];
	struct mail mail = plain;
	struct buf out;

	(void)state;
	memset(huge, 'a', sizeof(huge));
	buf_init(&out, MAIL_BYTES_MAX);
	mail.text = (struct str){huge, sizeof(huge)};
	assert_int_equal(mail_compose(&mail, "localhost", NOW, &out), ERR_TOO_LARGE);
	mail.text = (struct str){huge, MAIL_TEXT_MAX};
	mail.calendar = mail.text;
	assert_int_equal(mail_compose(&mail, "localhost", NOW, &out), OK);
	buf_reset(&out);
	mail.calendar = (struct str){huge, sizeof(huge)};
	assert_int_equal(mail_compose(&mail, "localhost", NOW, &out), ERR_TOO_LARGE);
	mail.calendar = STR_NONE;
	mail.subject = (struct str){huge, MAIL_SUBJECT_MAX + 1};
	assert_int_equal(mail_compose(&mail, "localhost", NOW, &out), ERR_TOO_LARGE);
	mail.subject = (struct str){huge, MAIL_SUBJECT_MAX};
	assert_int_equal(mail_compose(&mail, "localhost", NOW, &out), OK);
	for (size_t i = 0; i < COUNT_OF(headers); i++)
		headers[i] = (struct mail_header){"X-A", STR("x")};
	mail.headers = headers;
	mail.header_count = COUNT_OF(headers);
	buf_reset(&out);
	assert_int_equal(mail_compose(&mail, "localhost", NOW, &out), ERR_TOO_LARGE);
	buf_release(&out);
	/* Every byte of the worst text takes three. */
	memset(huge, '=', sizeof(huge));
	mail = plain;
	mail.text = (struct str){huge, MAIL_TEXT_MAX};
	buf_init(&out, MAIL_BYTES_MAX);
	assert_int_equal(mail_compose(&mail, "localhost", NOW, &out), OK);
	buf_release(&out);
	buf_init(&out, 1000);
	assert_int_equal(mail_compose(&mail, "localhost", NOW, &out), ERR_TOO_LARGE);
	buf_release(&out);
}

static void no_line_is_longer_than_76(void **state)
{
	static char text[3000];
	struct mail mail = plain;
	struct buf out;
	struct str rest, line;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "a= .\tz\n"[(i * i + i / 7) % (i > 2000 ? 6 : 7)];
	mail.text = (struct str){text, sizeof(text)};
	mail.calendar = mail.text;
	mail.subject =
		STR("\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf"
		    "\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf"
		    "\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf\xf0\x9f\x85\xbf");
	mail.from_name = mail.subject;
	buf_init(&out, MAIL_BYTES_MAX);
	assert_int_equal(mail_compose(&mail, "berth.example", NOW, &out), OK);
	rest = buf_str(&out);
	while (str_cut(&rest, '\n', &line)) {
		assert_true(line.len > 0 && line.p[line.len - 1] == '\r');
		assert_true(line.len - 1 <= 76);
	}
	assert_int_equal(line.len, 0);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_has_what_every_message_has),
		cmocka_unit_test(two_messages_have_two_ids_unless_they_are_one),
		cmocka_unit_test(a_message_is_written_as_the_standards_say),
		cmocka_unit_test(what_would_smuggle_is_refused),
		cmocka_unit_test(every_part_is_bounded),
		cmocka_unit_test(no_line_is_longer_than_76),
	};

	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
