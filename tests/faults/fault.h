/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_FAULTS_FAULT_H
#define BERTH_FAULTS_FAULT_H

/*
 * Makes the Nth call of a kind fail in a program that knows nothing of it: when loaded it redirects the import tables
 * of the program and of the libraries that carry its traffic. Three kinds are counted apart:
 *
 *   FAULT_ALLOC      what the program itself allocates: malloc and kin, sodium_malloc, threads, objects of OpenSSL and
 *                    nng. The call says that there is no memory.
 *   FAULT_CALL       system calls of the program, libpq, OpenSSL, nng, hiredis and libcurl on sockets and files. The
 *                    call fails as it does when the peer, the disk or the descriptors are gone.
 *   FAULT_INTERRUPT  the same ones, with EINTR: nothing is lost, and the caller has to ask again.
 *
 * From outside (LD_PRELOAD): the signal SIGRTMIN+4 with a value, see fault_command(); BERTH_FAULT=VALUE does so at
 * the start. Each failure is told on standard error: "fault: KIND N NAME CALLER", the caller as an offset into the
 * program (or the name of its library).
 */
enum fault_kind { FAULT_NONE, FAULT_ALLOC, FAULT_CALL, FAULT_INTERRUPT, FAULT_KINDS };

/* The nth call of the kind from now on fails, and `more` that follow; other kinds are left alone. nth 0: none. */
void fault_arm(enum fault_kind kind, unsigned nth, unsigned more);
/* Failures so far since the last fault_arm. */
unsigned fault_count(void);
/* As one number: kind * 2^28 + more * 2^20 + nth. */
void fault_command(unsigned value);

#endif
