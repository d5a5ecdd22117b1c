/* SPDX-License-Identifier: Apache-2.0 */
#include "warm.h"

size_t warm_add(struct warm *warm, SSL *ssl)
{
	const size_t place = warm->next;
	SSL *cooled = warm->places[place];

	/* What is in the middle of a record keeps its buffer until the record is whole. */
	if (cooled != NULL) {
		(void)SSL_set_mode(cooled, SSL_MODE_RELEASE_BUFFERS);
		(void)SSL_free_buffers(cooled);
	}
	(void)SSL_clear_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	warm->places[place] = ssl;
	warm->next = (place + 1) % EDGE_WARM_MAX;
	return place;
}

bool warm_holds(const struct warm *warm, const SSL *ssl, size_t place)
{
	return warm->places[place] == ssl;
}

void warm_remove(struct warm *warm, const SSL *ssl, size_t place)
{
	if (warm->places[place] == ssl)
		warm->places[place] = NULL;
}
