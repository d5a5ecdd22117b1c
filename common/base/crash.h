/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_CRASH_H
#define BERTH_BASE_CRASH_H

/*
 * Named points at which a test build can be made to die as by kill -9: BERTH_CRASH_AT=name[:nth] (the first time when
 * no nth is given). Release builds hold neither the points nor their names.
 */
#ifdef BERTH_TEST_BUILD
void crash_point(const char *name);
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif

#endif
