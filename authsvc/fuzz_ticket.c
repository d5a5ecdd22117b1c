/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "ticket.h"
#include "vault.h"

#define LIST "people"

/* Tickets, refresh tokens, cookies of devices and cursors as strangers make them: no shape is enough, a MAC is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct uuid tenant = {{1}};
	static struct vault *vault;
	const struct str text = {(const char *)data, size};
	struct arena *arena = arena_new(1 << 20);
	struct refresh_ticket refresh;
	struct device_ticket device;
	struct ticket ticket;
	struct secret *secret;
	struct uuid id;

	if (vault == NULL) {
		secret = secret_new("0000000000000000000000000000000000000000000000000000000000000001", 64);
		INVARIANT(secret != NULL && vault_new(secret, &vault) == OK);
		secret_free(&secret);
	}
	if (arena == NULL)
		return 0;
	(void)ticket_parse(vault, VAULT_CODE, arena, text, &ticket);
	if (ticket_refresh_parse(arena, text, &refresh))
		INVARIANT(!ticket_refresh_genuine(vault, &refresh, STR("salt of a family")));
	INVARIANT(!ticket_cursor_parse(vault, &tenant, LIST, arena, text, &id));
	INVARIANT(!ticket_device_parse(vault, arena, text, &device));
	arena_free(&arena);
	return 0;
}
