/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_TEST_ECHO_H
#define BERTH_SERVICE_TEST_ECHO_H

/* Under sanitizers processes may be made and traced: LeakSanitizer does both. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ECHO_FORKS 1
#else
#define ECHO_FORKS 0
#endif

/* A process on the skeleton in the place of bookingsvc, without a database. */
int test_echo_main(int argc, char **argv);

#endif
