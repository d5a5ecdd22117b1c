/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_CRASH_H
#define BERTH_BASE_CRASH_H

/*
 * Named points at which a test build can be made to die as by kill -9: BERTH_CRASH_AT=name[:nth] (the first time when
 * no nth is given). Release builds hold neither the points nor their names.
 */
#ifdef BERTH_TEST_BUILD
struct crash_name {
	const char *text;
};

void crash_point(const char *name);
/* The point `of.step`, which CRASH_COMMIT named. */
void crash_point_of(const char *of, const char *step);
/* Calls `tell` with the name of each point that this program holds, in no order, some perhaps twice. */
void crash_each(void (*tell)(void *user, const char *name), void *user);

/* The section's name is an identifier, so the linker gives its bounds and sanitizers add no padding. */
#define CRASH_POINT(name)                                                                                          \
	do {                                                                                                       \
		static const struct crash_name crash_here __attribute__((section("crash_points"), used)) = {name}; \
		crash_point(crash_here.text);                                                                      \
	} while (0)
/* Names the points on both sides of a commit that is made elsewhere, by CRASH_POINT_OF. */
#define CRASH_COMMIT(operation)                                                                                  \
	do {                                                                                                     \
		static const struct crash_name crash_commit[] __attribute__((section("crash_points"), used)) = { \
			{operation ".before_commit"}, {operation ".after_commit"}};                              \
		(void)crash_commit;                                                                              \
	} while (0)
#define CRASH_POINT_OF(operation, step) crash_point_of(operation, step)
#else
#define CRASH_POINT(name) ((void)0)
#define CRASH_COMMIT(operation) ((void)0)
#define CRASH_POINT_OF(operation, step) ((void)0)
#endif

#endif
