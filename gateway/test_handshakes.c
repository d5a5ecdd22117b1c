/* SPDX-License-Identifier: Apache-2.0 */
#include "handshakes.h"

#include "base/test.h"

static void who_came_first_goes_first_and_nobody_waits_twice(void **state)
{
	struct handshakes queue = {NULL, NULL, 0};
	struct handshake those[4] = {{NULL, NULL, false}};

	(void)state;
	assert_null(handshakes_take(&queue));
	for (size_t i = 0; i < 3; i++)
		handshakes_add(&queue, &those[i]);
	handshakes_add(&queue, &those[0]);
	assert_int_equal(queue.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(handshakes_take(&queue), &those[i]);
	assert_null(handshakes_take(&queue));
	handshakes_add(&queue, &those[1]);
	assert_ptr_equal(handshakes_take(&queue), &those[1]);
	assert_null(handshakes_take(&queue));
}

static void who_is_gone_is_not_waited_for(void **state)
{
	(void)state;
	/* Each of three, in the one place or the other. */
	for (size_t gone = 0; gone < 3; gone++) {
		struct handshakes queue = {NULL, NULL, 0};
		struct handshake those[4] = {{NULL, NULL, false}};

		for (size_t i = 0; i < 3; i++)
			handshakes_add(&queue, &those[i]);
		handshakes_remove(&queue, &those[gone]);
		handshakes_remove(&queue, &those[gone]);
		handshakes_remove(&queue, &those[3]);
		handshakes_add(&queue, &those[3]);
		assert_int_equal(queue.count, 3);
		for (size_t i = 0; i < 4; i++)
			if (i != gone)
				assert_ptr_equal(handshakes_take(&queue), &those[i]);
		assert_null(handshakes_take(&queue));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_came_first_goes_first_and_nobody_waits_twice),
		cmocka_unit_test(who_is_gone_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
