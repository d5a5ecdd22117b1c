/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_record.h"

#include <string.h>

#include <sodium.h>

#include "link/link_frame.h"

#define FIRST_RECORD (8U << 10)

bool link_record_put(SSL *ssl, const void *bytes, size_t len)
{
	size_t written;

	return len == 0 || SSL_write_ex(ssl, bytes, len, &written) == 1;
}

/* A small message is one TLS record: its header alone would cost as much again. It may hold a password: none stays. */
bool link_record_message(SSL *ssl, uint32_t id, struct str payload)
{
	uint8_t first[FIRST_RECORD];
	size_t len = payload.len;
	bool written;

	if (len > FIRST_RECORD - LINK_HEADER_LEN)
		len = FIRST_RECORD - LINK_HEADER_LEN;
	link_frame_header(id, payload.len, first);
	if (payload.p != NULL)
		memcpy(first + LINK_HEADER_LEN, payload.p, len);
	written = link_record_put(ssl, first, LINK_HEADER_LEN + len) &&
	          (len == payload.len || link_record_put(ssl, payload.p + len, payload.len - len));
	sodium_memzero(first, LINK_HEADER_LEN + len);
	return written;
}
