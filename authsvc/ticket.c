/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/encode.h"

#define REFRESH_LEN (16 + 16 + 8 + VAULT_HASH_LEN)
#define REFRESH_TEXT_LEN 96
#define DEVICE_HEAD_LEN (TICKET_TAG_LEN + TICKET_TAG_LEN + 8)
#define DEVICE_LEN (DEVICE_HEAD_LEN + VAULT_HASH_LEN)
#define DEVICE_TEXT_LEN 96
#define CURSOR_MAC_LEN 16
#define CURSOR_LEN (16 + CURSOR_MAC_LEN)

static struct str text_of(struct arena *arena, const uint8_t *bytes, size_t len)
{
	return base64url_encode(arena, (struct str){(const char *)bytes, len});
}

struct ticket ticket_new(const struct vault *vault, enum vault_purpose purpose, const struct uuid *tenant_id,
	struct arena *arena, struct str *text_out)
{
	uint8_t bytes[TICKET_LEN];
	struct ticket ticket = {.tenant_id = *tenant_id};

	memcpy(bytes, tenant_id->b, 16);
	random_bytes(bytes + 16, TICKET_SECRET_LEN);
	ticket.hash = vault_hash(vault, purpose, (struct str){(const char *)bytes, sizeof(bytes)});
	*text_out = text_of(arena, bytes, sizeof(bytes));
	sodium_memzero(bytes, sizeof(bytes));
	return ticket;
}

bool ticket_parse(const struct vault *vault, enum vault_purpose purpose, struct arena *arena, struct str text,
	struct ticket *ticket_out)
{
	struct str bytes;

	*ticket_out = (struct ticket){0};
	if (text.len != TICKET_TEXT_LEN)
		return false;
	bytes = base64url_decode(arena, text);
	if (bytes.p == NULL || bytes.len != TICKET_LEN)
		return false;
	memcpy(ticket_out->tenant_id.b, bytes.p, 16);
	ticket_out->hash = vault_hash(vault, purpose, bytes);
	return !uuid_is_nil(&ticket_out->tenant_id);
}

static struct vault_hash refresh_mac(const struct vault *vault, const struct uuid *tenant_id,
	const struct uuid *family_id, int64_t generation, struct str salt)
{
	uint8_t number[8];
	struct str parts[4] = {{(const char *)tenant_id->b, 16}, {(const char *)family_id->b, 16},
		{(const char *)number, sizeof(number)}, salt};

	for (size_t i = 0; i < sizeof(number); i++)
		number[i] = (uint8_t)((uint64_t)generation >> (56 - 8 * i));
	return vault_hash_parts(vault, VAULT_REFRESH, parts, 4);
}

struct str ticket_refresh_new(const struct vault *vault, const struct uuid *tenant_id, const struct uuid *family_id,
	int64_t generation, struct str salt, struct arena *arena)
{
	struct vault_hash mac = refresh_mac(vault, tenant_id, family_id, generation, salt);
	uint8_t bytes[REFRESH_LEN];
	struct str text;

	memcpy(bytes, tenant_id->b, 16);
	memcpy(bytes + 16, family_id->b, 16);
	for (size_t i = 0; i < 8; i++)
		bytes[32 + i] = (uint8_t)((uint64_t)generation >> (56 - 8 * i));
	memcpy(bytes + 40, mac.b, sizeof(mac.b));
	text = text_of(arena, bytes, sizeof(bytes));
	sodium_memzero(bytes, sizeof(bytes));
	return text;
}

bool ticket_refresh_parse(struct arena *arena, struct str text, struct refresh_ticket *ticket_out)
{
	struct reader reader;
	struct str bytes, tenant, family, mac;
	uint64_t generation;

	*ticket_out = (struct refresh_ticket){0};
	if (text.len != REFRESH_TEXT_LEN || (bytes = base64url_decode(arena, text)).p == NULL)
		return false;
	reader = reader_over(bytes);
	tenant = reader_bytes(&reader, 16);
	family = reader_bytes(&reader, 16);
	generation = reader_u64(&reader);
	mac = reader_bytes(&reader, VAULT_HASH_LEN);
	if (!reader_done(&reader) || generation > INT64_MAX)
		return false;
	memcpy(ticket_out->tenant_id.b, tenant.p, 16);
	memcpy(ticket_out->family_id.b, family.p, 16);
	memcpy(ticket_out->mac, mac.p, VAULT_HASH_LEN);
	ticket_out->generation = (int64_t)generation;
	return !uuid_is_nil(&ticket_out->tenant_id);
}

bool ticket_refresh_genuine(const struct vault *vault, const struct refresh_ticket *ticket, struct str salt)
{
	struct vault_hash mac = refresh_mac(vault, &ticket->tenant_id, &ticket->family_id, ticket->generation, salt);

	return salt.len > 0 && vault_hash_eq(&mac, (struct str){(const char *)ticket->mac, sizeof(ticket->mac)});
}

static struct vault_hash device_mac(const struct vault *vault, const uint8_t *head)
{
	struct str parts[2] = {STR("cookie"), {(const char *)head, DEVICE_HEAD_LEN}};

	return vault_hash_parts(vault, VAULT_BROWSER, parts, 2);
}

struct str ticket_device_new(const struct vault *vault, const struct device_ticket *device, struct arena *arena)
{
	uint8_t bytes[DEVICE_LEN];
	struct vault_hash mac;

	memcpy(bytes, device->account, TICKET_TAG_LEN);
	memcpy(bytes + TICKET_TAG_LEN, device->nonce, TICKET_TAG_LEN);
	for (size_t i = 0; i < 8; i++)
		bytes[2 * TICKET_TAG_LEN + i] = (uint8_t)((uint64_t)device->issued_s >> (56 - 8 * i));
	mac = device_mac(vault, bytes);
	memcpy(bytes + DEVICE_HEAD_LEN, mac.b, sizeof(mac.b));
	return text_of(arena, bytes, sizeof(bytes));
}

bool ticket_device_parse(
	const struct vault *vault, struct arena *arena, struct str text, struct device_ticket *device_out)
{
	struct vault_hash mac;
	uint64_t issued_s = 0;
	struct str bytes;

	*device_out = (struct device_ticket){0};
	if (text.len != DEVICE_TEXT_LEN || (bytes = base64url_decode(arena, text)).len != DEVICE_LEN)
		return false;
	mac = device_mac(vault, (const uint8_t *)bytes.p);
	if (!vault_hash_eq(&mac, (struct str){bytes.p + DEVICE_HEAD_LEN, VAULT_HASH_LEN}))
		return false;
	memcpy(device_out->account, bytes.p, TICKET_TAG_LEN);
	memcpy(device_out->nonce, bytes.p + TICKET_TAG_LEN, TICKET_TAG_LEN);
	for (size_t i = 0; i < 8; i++)
		issued_s = issued_s << 8 | (uint8_t)bytes.p[2 * TICKET_TAG_LEN + i];
	device_out->issued_s = (int64_t)issued_s;
	return device_out->issued_s > 0;
}

static struct vault_hash cursor_mac(
	const struct vault *vault, const struct uuid *tenant_id, const char *list, const struct uuid *id)
{
	struct str parts[3] = {{(const char *)tenant_id->b, 16}, str_from(list), {(const char *)id->b, 16}};

	return vault_hash_parts(vault, VAULT_CURSOR, parts, 3);
}

struct str ticket_cursor_new(const struct vault *vault, const struct uuid *tenant_id, const char *list,
	const struct uuid *id, struct arena *arena)
{
	struct vault_hash mac = cursor_mac(vault, tenant_id, list, id);
	uint8_t bytes[CURSOR_LEN];

	memcpy(bytes, id->b, 16);
	memcpy(bytes + 16, mac.b, CURSOR_MAC_LEN);
	return text_of(arena, bytes, sizeof(bytes));
}

bool ticket_cursor_parse(const struct vault *vault, const struct uuid *tenant_id, const char *list, struct arena *arena,
	struct str text, struct uuid *id_out)
{
	struct str bytes = base64url_decode(arena, text);
	struct vault_hash mac;

	*id_out = UUID_NIL;
	if (bytes.p == NULL || bytes.len != CURSOR_LEN)
		return false;
	memcpy(id_out->b, bytes.p, 16);
	mac = cursor_mac(vault, tenant_id, list, id_out);
	return sodium_memcmp(mac.b, bytes.p + 16, CURSOR_MAC_LEN) == 0;
}
