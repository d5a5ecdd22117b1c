/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_TEST_H
#define BERTH_BASE_TEST_H

/* What unit tests share: cmocka in the order it wants its headers, and checks that name the case of a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Fails the test with the case's sentence and the condition that did not hold. */
#define CHECK(name, cond)                                  \
	do {                                               \
		if (!(cond))                               \
			fail_msg("%s: %s", (name), #cond); \
	} while (0)

#endif
