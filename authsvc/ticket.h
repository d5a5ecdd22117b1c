/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_TICKET_H
#define BERTH_AUTHSVC_TICKET_H

#include "vault.h"

/*
 * A ticket is a random string that stands for a row: session handle, authorization code, request handle, mailed
 * token. It begins with its tenant, so that the look-up is scoped to that tenant from the first statement; whoever
 * changes the tenant finds nothing. The row holds the ticket's keyed hash.
 */
#define TICKET_SECRET_LEN 32
#define TICKET_LEN (16 + TICKET_SECRET_LEN)
#define TICKET_TEXT_LEN 64 /* base64url */

struct ticket {
	struct uuid tenant_id;
	struct vault_hash hash;
};

/* A new one; its text lies in the arena and is given away once. p of text_out is NULL when the arena is full. */
struct ticket ticket_new(const struct vault *vault, enum vault_purpose purpose, const struct uuid *tenant_id,
	struct arena *arena, struct str *text_out);
/* False: no ticket's shape. Whether it stands for anything only its row knows. */
bool ticket_parse(const struct vault *vault, enum vault_purpose purpose, struct arena *arena, struct str text,
	struct ticket *ticket_out);

/*
 * A refresh token: tenant, family, generation and a MAC over them and the family's salt. Nothing of it is stored,
 * and the same generation always gives the same text, so an answer that was lost can be given again.
 */
struct refresh_ticket {
	struct uuid tenant_id, family_id;
	int64_t generation;
	uint8_t mac[VAULT_HASH_LEN];
};

struct str ticket_refresh_new(const struct vault *vault, const struct uuid *tenant_id, const struct uuid *family_id,
	int64_t generation, struct str salt, struct arena *arena);
bool ticket_refresh_parse(struct arena *arena, struct str text, struct refresh_ticket *ticket_out);
bool ticket_refresh_genuine(const struct vault *vault, const struct refresh_ticket *ticket, struct str salt);

/*
 * What a browser keeps that has signed in to an account: the account's tag, a number of its own, when, and a MAC.
 * Nothing of it is stored.
 */
#define TICKET_TAG_LEN 16
struct device_ticket {
	uint8_t account[TICKET_TAG_LEN], nonce[TICKET_TAG_LEN];
	int64_t issued_s;
};

struct str ticket_device_new(const struct vault *vault, const struct device_ticket *device, struct arena *arena);
bool ticket_device_parse(
	const struct vault *vault, struct arena *arena, struct str text, struct device_ticket *device_out);

/* A cursor of list `list` at `id`, bound to the tenant. */
struct str ticket_cursor_new(const struct vault *vault, const struct uuid *tenant_id, const char *list,
	const struct uuid *id, struct arena *arena);
bool ticket_cursor_parse(const struct vault *vault, const struct uuid *tenant_id, const char *list, struct arena *arena,
	struct str text, struct uuid *id_out);

#endif
