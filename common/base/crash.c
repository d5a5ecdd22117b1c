/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"

#ifdef BERTH_TEST_BUILD
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name" or "name:nth"; a name that is not asked for costs one comparison. */
void crash_point(const char *name)
{
	static unsigned long seen;
	const char *wanted = getenv("BERTH_CRASH_AT");
	const size_t len = strlen(name);
	unsigned long nth = 1;

	if (wanted == NULL || strncmp(wanted, name, len) != 0 || (wanted[len] != '\0' && wanted[len] != ':'))
		return;
	if (wanted[len] == ':')
		nth = strtoul(wanted + len + 1, NULL, 10);
	if (__atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED) >= nth)
		(void)raise(SIGKILL);
}

void crash_point_of(const char *of, const char *step)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "%s.%s", of, step);
	crash_point(name);
}

extern const struct crash_name __start_crash_points[] __attribute__((weak));
extern const struct crash_name __stop_crash_points[] __attribute__((weak));

void crash_each(void (*tell)(void *user, const char *name), void *user)
{
	/* Through an integer: to the compiler the two are different objects. */
	const uintptr_t end = (uintptr_t)__stop_crash_points;

	for (const struct crash_name *name = __start_crash_points; (uintptr_t)name < end; name++)
		tell(user, name->text);
}
#else
typedef int crash_points_are_for_test_builds;
#endif
