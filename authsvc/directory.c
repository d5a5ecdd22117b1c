/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096 /* a power of two */

struct directory {
	pthread_mutex_t mutex;
	struct {
		struct uuid client_id, tenant_id;
	} slots[SLOTS];
};

struct directory *directory_new(void)
{
	struct directory *directory = calloc(1, sizeof(*directory));

	if (directory != NULL && pthread_mutex_init(&directory->mutex, NULL) != 0) {
		free(directory);
		return NULL;
	}
	return directory;
}

void directory_free(struct directory **directory)
{
	if (*directory == NULL)
		return;
	(void)pthread_mutex_destroy(&(*directory)->mutex);
	free(*directory);
	*directory = NULL;
}

/* The tail of a UUIDv7 is random. */
static size_t slot_of(const struct uuid *id)
{
	uint64_t tail;

	memcpy(&tail, id->b + 8, sizeof(tail));
	return (size_t)((tail ^ tail >> 32) & (SLOTS - 1));
}

bool directory_find(struct directory *directory, const struct uuid *client_id, struct uuid *tenant_id_out)
{
	size_t slot = slot_of(client_id);
	bool found;

	(void)pthread_mutex_lock(&directory->mutex);
	found = !uuid_is_nil(client_id) && uuid_eq(&directory->slots[slot].client_id, client_id);
	*tenant_id_out = found ? directory->slots[slot].tenant_id : UUID_NIL;
	(void)pthread_mutex_unlock(&directory->mutex);
	return found;
}

void directory_put(struct directory *directory, const struct uuid *client_id, const struct uuid *tenant_id)
{
	size_t slot = slot_of(client_id);

	(void)pthread_mutex_lock(&directory->mutex);
	directory->slots[slot].client_id = *client_id;
	directory->slots[slot].tenant_id = *tenant_id;
	(void)pthread_mutex_unlock(&directory->mutex);
}
