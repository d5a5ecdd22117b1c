/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_FRAME_H
#define BERTH_LINK_LINK_FRAME_H

#include "base/str.h"

/*
 * The bytes inside the TLS stream of a link: nng's own wire protocol (SP over a stream, with REQ and REP), so
 * that any program which speaks that over TLS can be the other end:
 *
 *   greeting  00 'S' 'P' 00, protocol (16 bits; REQ 0x30, REP 0x31), 00 00; each side sends one first
 *   message   length of what follows (64 bits), id (32 bits, the highest set), payload; all big-endian
 */
#define LINK_GREETING_LEN 8
#define LINK_HEADER_LEN 12
#define LINK_PAYLOAD_MAX (4U << 20)

void link_frame_greeting(bool server, uint8_t greeting_out[LINK_GREETING_LEN]);
/* Whether it is the greeting of the other side of a `server`. */
bool link_frame_greeted(bool server, struct str greeting);
void link_frame_header(uint32_t id, size_t payload_len, uint8_t header_out[LINK_HEADER_LEN]);

enum link_frame_state { LINK_FRAME_MORE, LINK_FRAME_WHOLE, LINK_FRAME_BAD };

/* The first message in `bytes`; BAD: too long, too short, or an id without its mark. payload_out borrows. */
enum link_frame_state link_frame_take(struct str bytes, uint32_t *id_out, struct str *payload_out, size_t *used_out);

#endif
