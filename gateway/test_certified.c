/* SPDX-License-Identifier: Apache-2.0 */
#include "certified.h"

#include "base/str.h"
#include "base/test.h"

#define CA "authorities.pem"

static void names_and_authorities_go_together(void **state)
{
	static const struct {
		const char *name, *names, *authorities;
		size_t asks; /* 0: refused, or nothing is asked for */
		enum err err;
	} cases[] = {
		{"neither", NULL, NULL, 0, OK},
		{"one", "whoami_read", CA, 1, OK},
		{"several", "whoami_read, booking_create,token_issue", CA, 3, OK},
		{"the same twice", "whoami_read,whoami_read", CA, 1, OK},
		{"what the gateway answers itself", "health_read", CA, 1, OK},
		{"names alone", "whoami_read", NULL, 0, ERR_BAD_FIELD},
		{"authorities alone", NULL, CA, 0, ERR_BAD_FIELD},
		{"no name", "", CA, 0, ERR_BAD_FIELD},
		{"nobody's name", "whoami_red", CA, 0, ERR_BAD_FIELD},
		{"one of them nobody's", "whoami_read,nothing", CA, 0, ERR_BAD_FIELD},
		{"a comma at the end", "whoami_read,", CA, 0, ERR_BAD_FIELD},
		{"an operation that is not public", "event_append", CA, 0, ERR_BAD_FIELD},
		{"another case", "WHOAMI_READ", CA, 0, ERR_BAD_FIELD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct certified certified;
		size_t asks = 0;

		CHECK(cases[i].name, certified_read(cases[i].names, cases[i].authorities, &certified) == cases[i].err);
		for (size_t k = 0; k < OPERATION_COUNT; k++)
			asks += certified.asks[k] ? 1 : 0;
		CHECK(cases[i].name, cases[i].err != OK || asks == cases[i].asks);
	}
}

static void who_has_none_does_what_asks_for_none(void **state)
{
	struct certified certified;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl = SSL_new(ctx);
	struct tls_client_verdict verdict = {0};

	(void)state;
	assert_int_equal(certified_read("whoami_read", CA, &certified), OK);
	assert_false(certified_suffices(&certified, operation_by_name("whoami_read"), NULL, ssl, &verdict));
	assert_true(certified_suffices(&certified, operation_by_name("booking_create"), NULL, ssl, &verdict));
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_authorities_go_together),
		cmocka_unit_test(who_has_none_does_what_asks_for_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
