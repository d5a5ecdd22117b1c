/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_TLS_WIRE_H
#define BERTH_GATEWAY_TLS_WIRE_H

#include <openssl/bio.h>
#include <stdbool.h>

/*
 * The socket under a TLS session. It keeps what epoll and the last calls said, so that no system call is made whose
 * outcome is known: with edge-triggered events a short read has emptied the socket and a short write has filled it.
 */
struct tls_wire {
	int fd;
	bool readable, writable; /* false until epoll reports again */
	bool ended;              /* the peer has ended its side: a short read does not hide the end behind it */
	bool eof;
	bool more; /* set by the owner: what is written goes out with what follows */
	bool held; /* such bytes may wait in the kernel */
};

/* Borrows `wire` for its life; NULL without memory. Does not close the socket. */
BIO *tls_wire_bio(struct tls_wire *wire);
/* Nothing follows for now: what is held goes out, and `more` is over. */
void tls_wire_push(struct tls_wire *wire);

#endif
