/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

static BIO_METHOD *method;

static int wire_read(BIO *bio, char *bytes, int len)
{
	struct tls_wire *wire = BIO_get_data(bio);
	ssize_t got;

	BIO_clear_retry_flags(bio);
	if (bytes == NULL || len <= 0)
		return 0;
	if (!wire->readable) {
		BIO_set_retry_read(bio);
		return -1;
	}
	do {
		got = recv(wire->fd, bytes, (size_t)len, 0);
	} while (got < 0 && errno == EINTR);
	if (got > 0) {
		wire->readable = got == len || wire->ended;
		return (int)got;
	}
	if (got == 0) {
		wire->eof = true;
	} else if (errno == EAGAIN) {
		wire->readable = false;
		BIO_set_retry_read(bio);
	}
	return (int)got;
}

static int wire_write(BIO *bio, const char *bytes, int len)
{
	struct tls_wire *wire = BIO_get_data(bio);
	ssize_t put;

	BIO_clear_retry_flags(bio);
	if (len <= 0)
		return 0;
	if (!wire->writable) {
		BIO_set_retry_write(bio);
		return -1;
	}
	do {
		put = send(wire->fd, bytes, (size_t)len, MSG_NOSIGNAL | (wire->more ? MSG_MORE : 0));
	} while (put < 0 && errno == EINTR);
	if (put >= 0) {
		wire->writable = put == len;
		wire->held = wire->more;
	} else if (errno == EAGAIN) {
		wire->writable = false;
		BIO_set_retry_write(bio);
	}
	return (int)put;
}

static long wire_ctrl(BIO *bio, int what, long number, void *pointer)
{
	const struct tls_wire *wire = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (what) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return wire->eof ? 1 : 0;
	default:
		return 0;
	}
}

static void method_make(void)
{
	BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");

	if (made == NULL || BIO_meth_set_read(made, wire_read) != 1 || BIO_meth_set_write(made, wire_write) != 1 ||
		BIO_meth_set_ctrl(made, wire_ctrl) != 1) {
		BIO_meth_free(made);
		return;
	}
	method = made;
}

BIO *tls_wire_bio(struct tls_wire *wire)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *bio;

	pthread_once(&once, method_make);
	bio = method != NULL ? BIO_new(method) : NULL;
	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	return bio;
}

void tls_wire_push(struct tls_wire *wire)
{
	wire->more = false;
	if (!wire->held)
		return;
	wire->held = false;
	/* tcp(7): sends what is pending, whether or not it was set before. */
	(void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}
