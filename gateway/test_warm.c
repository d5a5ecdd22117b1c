/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "warm.h"

static bool keeps_buffers(SSL *ssl)
{
	return (SSL_get_mode(ssl) & SSL_MODE_RELEASE_BUFFERS) == 0;
}

static void test_so_many_keep_their_buffers_and_no_more(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	static SSL *sessions[2 * EDGE_WARM_MAX];
	static size_t places[2 * EDGE_WARM_MAX];
	static struct warm warm;
	size_t keep = 0;

	(void)state;
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	for (size_t i = 0; i < 2 * EDGE_WARM_MAX; i++) {
		sessions[i] = SSL_new(ctx);
		assert_false(keeps_buffers(sessions[i]));
		places[i] = warm_add(&warm, sessions[i]);
		assert_true(keeps_buffers(sessions[i]));
		assert_true(warm_holds(&warm, sessions[i], places[i]));
	}
	for (size_t i = 0; i < 2 * EDGE_WARM_MAX; i++) {
		keep += keeps_buffers(sessions[i]);
		assert_int_equal(warm_holds(&warm, sessions[i], places[i]), keeps_buffers(sessions[i]));
	}
	assert_int_equal(keep, EDGE_WARM_MAX);
	/* Those that came last. */
	assert_true(keeps_buffers(sessions[EDGE_WARM_MAX]));
	assert_false(keeps_buffers(sessions[EDGE_WARM_MAX - 1]));
	for (size_t i = 0; i < 2 * EDGE_WARM_MAX; i++) {
		warm_remove(&warm, sessions[i], places[i]);
		SSL_free(sessions[i]);
	}
	/* Nobody who has gone is touched. */
	for (size_t i = 0; i < EDGE_WARM_MAX; i++)
		assert_null(warm.places[i]);
	SSL_CTX_free(ctx);
}

static void test_one_that_has_gone_leaves_its_place(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct warm warm = {.next = 0};
	SSL *one = SSL_new(ctx), *other = SSL_new(ctx);
	const size_t place = warm_add(&warm, one);

	(void)state;
	warm_remove(&warm, other, place);
	assert_true(warm_holds(&warm, one, place));
	warm_remove(&warm, one, place);
	assert_false(warm_holds(&warm, one, place));
	SSL_free(one);
	for (size_t i = 0; i <= EDGE_WARM_MAX; i++)
		(void)warm_add(&warm, other);
	SSL_free(other);
	SSL_CTX_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_so_many_keep_their_buffers_and_no_more),
		cmocka_unit_test(test_one_that_has_gone_leaves_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
