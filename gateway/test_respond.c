/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "respond.h"

/* Answers as they are written into a connection that has no socket. */
static const struct rate_policy no_limits[RATE_CLASS_COUNT];
static struct gateway gateway;
static struct loop loop;
static struct conn conn;

static const struct http_limits limits = {
	.request_line_max = 256, .target_max = 256, .headers_max = 10, .header_bytes_max = 1024, .body_max = 1024};

static void set_up(void)
{
	loop = (struct loop){.gateway = &gateway, .now_us = clock_monotonic_us(), .wall_us = clock_now_us()};
	conn = (struct conn){.loop = &loop, .state = CONN_OPEN};
	timer_wheel_init(&loop.wheel, loop.now_us);
	buf_init(&loop.scratch, EDGE_OUT_MAX);
	access_log_init(&loop.log);
	buf_init(&conn.in, 4096);
	buf_init(&conn.out, EDGE_OUT_MAX);
	http_parser_init(&conn.parser, &limits);
	conn.parser.stage = HTTP_STAGE_DONE;
}

static void tear_down(void)
{
	assert_int_equal(loop.counts.exchanges, 0);
	timer_clear(&conn.timer);
	buf_release(&conn.in);
	buf_release(&conn.out);
	buf_release(&loop.scratch);
	access_log_release(&loop.log);
	while (loop.spare != NULL) {
		struct exchange *exchange = loop.spare;

		loop.spare = exchange->next;
		arena_free(&exchange->arena);
		free(exchange);
	}
}

static struct exchange *asked(const char *operation)
{
	struct exchange *exchange = exchange_new(&loop, &conn);

	assert_non_null(exchange);
	conn.exchange = exchange;
	exchange->operation = operation != NULL ? operation_by_name(operation) : NULL;
	exchange->keep_alive = true;
	exchange->complete = true;
	exchange->minor = 1;
	return exchange;
}

/* Answers as if a service had said it; what was written stands in conn.out. */
static void answer_web(struct exchange *exchange, const struct web_reply *reply)
{
	struct reply_item item = {.err = OK};
	struct buf body;

	buf_init(&body, 1U << 20);
	binary_encode(shape_web_reply(), reply, &body);
	item.body = buf_str(&body);
	respond_item(exchange, &item);
	buf_release(&body);
}

static bool written(const char *text)
{
	return memmem(conn.out.p, conn.out.len, text, strlen(text)) != NULL;
}

static bool begins(const char *text)
{
	return conn.out.len >= strlen(text) && memcmp(conn.out.p, text, strlen(text)) == 0;
}

static void a_value_that_would_write_fields_of_its_own_becomes_502(void **state)
{
	static const struct {
		const char *name, *location, *challenge, *cookie, *type;
	} cases[] = {
		{"location", "https://a/\r\nX-Evil: 1", NULL, NULL, NULL},
		{"location with a bare LF", "https://a/\nX-Evil: 1", NULL, NULL, NULL},
		{"challenge", NULL, "Basic\r\nX-Evil: 1", NULL, NULL},
		{"cookie", NULL, NULL, "a=b\r\nX-Evil: 1", NULL},
		{"media type", NULL, NULL, NULL, "text/html\r\nX-Evil: 1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str cookie = str_from(cases[i].cookie);
		const struct web_reply reply = {.status = 200,
			.has_status = true,
			.location = str_from(cases[i].location),
			.has_location = cases[i].location != NULL,
			.www_authenticate = str_from(cases[i].challenge),
			.has_www_authenticate = cases[i].challenge != NULL,
			.content_type = str_from(cases[i].type),
			.has_content_type = cases[i].type != NULL,
			.set_cookie = {&cookie, cookie.p != NULL ? 1 : 0},
			.has_set_cookie = cookie.p != NULL};

		set_up();
		answer_web(asked("login_page"), &reply);
		CHECK(cases[i].name, begins("HTTP/1.1 502 "));
		CHECK(cases[i].name, !written("X-Evil"));
		CHECK(cases[i].name, written("\"code\":\"bad_gateway\""));
		CHECK(cases[i].name, conn.state == CONN_OPEN && conn.exchange == NULL);
		CHECK(cases[i].name, loop.counts.malformed_replies == 1 && loop.counts.answered == 1);
		tear_down();
	}
}

static void a_page_may_send_its_form_to_an_origin_and_nothing_else(void **state)
{
	static const struct {
		const char *name, *action;
		bool taken;
	} cases[] = {
		{"an origin", "https://app.example:8443", true},
		{"an address", "http://[::1]:3000", true},
		{"a directive behind it", "https://a; script-src *", false},
		{"a second source", "https://a https://b", false},
		{"a field behind it", "https://a\r\nX-Evil: 1", false},
		{"a quoted source", "'unsafe-inline'", false},
		{"a list", "https://a,https://b", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct web_reply reply = {.status = 200,
			.has_status = true,
			.content_type = STR("text/html; charset=utf-8"),
			.has_content_type = true,
			.form_action = str_from(cases[i].action),
			.has_form_action = true};

		set_up();
		answer_web(asked("login_page"), &reply);
		CHECK(cases[i].name, begins("HTTP/1.1 200 "));
		CHECK(cases[i].name, written(cases[i].action) == cases[i].taken);
		CHECK(cases[i].name, written("form-action 'self'"));
		CHECK(cases[i].name, !written("X-Evil"));
		tear_down();
	}
}

static void every_refusal_has_the_security_fields(void **state)
{
	static const enum err errs[] = {
#define E(name, number, status, code, title) ERR_##name,
#include "contract/errors.def"
#undef E
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errs); i++) {
		set_up();
		respond_problem(asked(i % 2 == 0 ? "whoami_read" : NULL), &(struct problem){.err = errs[i]});
		CHECK(err_code(errs[i]), written("\r\nStrict-Transport-Security: max-age=63072000"));
		CHECK(err_code(errs[i]), written("\r\nX-Content-Type-Options: nosniff\r\n"));
		CHECK(err_code(errs[i]), written("\r\nContent-Type: application/problem+json\r\n"));
		CHECK(err_code(errs[i]), written("\r\nX-Request-Id: "));
		CHECK(err_code(errs[i]), written("\r\nCache-Control: no-store\r\n"));
		CHECK(err_code(errs[i]), written("\r\nRetry-After: 1\r\n") == (err_status(errs[i]) == 503));
		tear_down();
	}
}

static void a_reason_from_a_service_stays_inside_its_field(void **state)
{
	static const char *const reasons[] = {"a\r\nX-Evil: 1", "a\" evil=\"1", "a\\"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		set_up();
		respond_item(asked("whoami_read"),
			&(struct reply_item){.err = ERR_FORBIDDEN, .reason = str_from(reasons[i])});
		CHECK(reasons[i], begins("HTTP/1.1 403 ") && !written("\r\nX-Evil") && !written("evil=\"1"));
		tear_down();
	}
}

static void a_reply_that_does_not_decode_is_502(void **state)
{
	static const struct {
		const char *name;
		struct str body;
	} cases[] = {{"empty", {"", 0}}, {"garbage", {"garbage", 7}}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		set_up();
		respond_item(asked("whoami_read"), &(struct reply_item){.err = OK, .body = cases[i].body});
		CHECK(cases[i].name, begins("HTTP/1.1 502 ") && loop.counts.malformed_replies == 1);
		tear_down();
	}
}

static void content_is_left_out_where_there_is_none(void **state)
{
	struct exchange *exchange;

	(void)state;
	set_up();
	exchange = asked("health_read");
	exchange->head = true;
	respond_local(exchange);
	assert_true(written("\r\nContent-Length: 15\r\n") && !written("{\"status\""));
	conn.out.len = 0;
	exchange = asked(NULL);
	exchange->options = true;
	respond_options(exchange);
	assert_true(begins("HTTP/1.1 204 ") && !written("Content-Length") && written("\r\nAllow: GET, "));
	tear_down();
}

static void a_document_that_lasts_is_not_copied(void **state)
{
	(void)state;
	set_up();
	respond_local(asked("docs_read"));
	assert_ptr_equal(conn.tail.p, gateway.docs.p);
	assert_int_equal(conn.tail.len, gateway.docs.len);
	assert_in_range(conn.out.len, 1, 2048);
	conn.tail = STR_NONE;
	tear_down();
}

/* Whoever asked for a page by a browser sees one, with what to do next; everybody else gets the document. */
static void a_person_is_told_on_a_page(void **state)
{
	static const struct {
		const char *name, *operation;
		bool person;
		enum err err;
		const char *words;
	} cases[] = {
		{"a page that is busy", "login_page", true, ERR_OVERLOADED, "Wait a moment, then try again."},
		{"a page that is broken", "login_submit", true, ERR_INTERNAL, "Une erreur est survenue"},
		{"a page that was asked for in vain", "device_page", true, ERR_BAD_FIELD,
			"Deze pagina kan niet worden"},
		{"a page that a program asked for", "login_page", false, ERR_OVERLOADED, "\"code\":\"overloaded\""},
		{"what is no page", "whoami_read", true, ERR_OVERLOADED, "\"code\":\"overloaded\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const bool page = strstr(cases[i].words, "code") == NULL;
		struct exchange *exchange;

		set_up();
		exchange = asked(cases[i].operation);
		exchange->person = cases[i].person;
		respond_item(exchange, &(struct reply_item){.err = cases[i].err});
		CHECK(cases[i].name, written(cases[i].words));
		CHECK(cases[i].name, written("Content-Type: text/html; charset=utf-8\r\n") == page);
		CHECK(cases[i].name, written("</html>") == page && written("application/problem+json") != page);
		CHECK(cases[i].name, written("Content-Security-Policy: the policy of pages\r\n") == page);
		CHECK(cases[i].name, written("Cache-Control: no-store\r\n") && !written("<script"));
		tear_down();
	}
}

static int make(void **state)
{
	(void)state;
	router_init();
	gateway.rates = rate_new(no_limits, 64);
	buf_init(&gateway.docs, 1U << 20);
	docs_write("https://localhost", &gateway.docs);
	docs_style_hash(gateway.page_style_hash);
	memcpy(gateway.page_csp, "the policy of pages", 20);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	rate_free(&gateway.rates);
	buf_release(&gateway.docs);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_that_would_write_fields_of_its_own_becomes_502),
		cmocka_unit_test(a_page_may_send_its_form_to_an_origin_and_nothing_else),
		cmocka_unit_test(every_refusal_has_the_security_fields),
		cmocka_unit_test(a_reason_from_a_service_stays_inside_its_field),
		cmocka_unit_test(a_reply_that_does_not_decode_is_502),
		cmocka_unit_test(content_is_left_out_where_there_is_none),
		cmocka_unit_test(a_document_that_lasts_is_not_copied),
		cmocka_unit_test(a_person_is_told_on_a_page),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
