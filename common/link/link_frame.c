/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_frame.h"

#include <string.h>

#define LENGTH_LEN 8
#define ID_LEN 4
#define ID_MARK 0x80000000U
#define PROTOCOL_REQ 0x30
#define PROTOCOL_REP 0x31

void link_frame_greeting(bool server, uint8_t greeting_out[LINK_GREETING_LEN])
{
	const uint8_t greeting[LINK_GREETING_LEN] = {0, 'S', 'P', 0, 0, server ? PROTOCOL_REP : PROTOCOL_REQ, 0, 0};

	memcpy(greeting_out, greeting, sizeof(greeting));
}

bool link_frame_greeted(bool server, struct str greeting)
{
	uint8_t wanted[LINK_GREETING_LEN];

	link_frame_greeting(!server, wanted);
	return greeting.len == sizeof(wanted) && memcmp(greeting.p, wanted, sizeof(wanted)) == 0;
}

static void put(uint8_t *out, uint64_t value, int len)
{
	for (int i = len - 1; i >= 0; i--) {
		out[i] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get(const char *p, int len)
{
	uint64_t value = 0;

	for (int i = 0; i < len; i++)
		value = value << 8 | (uint8_t)p[i];
	return value;
}

void link_frame_header(uint32_t id, size_t payload_len, uint8_t header_out[LINK_HEADER_LEN])
{
	put(header_out, payload_len + ID_LEN, LENGTH_LEN);
	put(header_out + LENGTH_LEN, id, ID_LEN);
}

enum link_frame_state link_frame_take(struct str bytes, uint32_t *id_out, struct str *payload_out, size_t *used_out)
{
	uint64_t len;

	if (bytes.len < LENGTH_LEN)
		return LINK_FRAME_MORE;
	len = get(bytes.p, LENGTH_LEN);
	/* Refused by its length alone: nobody waits for the rest of it. */
	if (len < ID_LEN || len > LINK_PAYLOAD_MAX + ID_LEN)
		return LINK_FRAME_BAD;
	if (bytes.len < LINK_HEADER_LEN)
		return LINK_FRAME_MORE;
	*id_out = (uint32_t)get(bytes.p + LENGTH_LEN, ID_LEN);
	if ((*id_out & ID_MARK) == 0)
		return LINK_FRAME_BAD;
	if (bytes.len - LENGTH_LEN < len)
		return LINK_FRAME_MORE;
	*payload_out = (struct str){bytes.p + LINK_HEADER_LEN, (size_t)len - ID_LEN};
	*used_out = LENGTH_LEN + (size_t)len;
	return LINK_FRAME_WHOLE;
}
