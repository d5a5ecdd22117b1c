/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_ENCODE_H
#define BERTH_BASE_ENCODE_H

#include "base/arena.h"

/*
 * base64url without padding (RFC 4648 section 5), strict: no padding, no white space, unused bits zero. p is NULL when
 * full or invalid.
 */
struct str base64url_encode(struct arena *arena, struct str bytes);
struct str base64url_decode(struct arena *arena, struct str text);
/* Standard base64 with padding (RFC 4648 section 4), strict. */
struct str base64_encode(struct arena *arena, struct str bytes);
struct str base64_decode(struct arena *arena, struct str text);
struct str hex_encode(struct arena *arena, struct str bytes);
struct str hex_decode(struct arena *arena, struct str text);
/* application/x-www-form-urlencoded value (RFC 3986 section 2.1 escapes, '+' is a space); p is NULL on a bad escape. */
struct str form_decode(struct arena *arena, struct str text);
/* RFC 3986 percent-decoding without '+'. */
struct str percent_decode(struct arena *arena, struct str text);
struct str percent_encode(struct arena *arena, struct str text); /* all but unreserved */
struct str html_escape(struct arena *arena, struct str text);    /* & < > " ' */
/* For RFC 4226 alone (RFC 2104 over SHA-1). False without memory. */
bool hmac_sha1(struct str key, struct str bytes, uint8_t mac_out[20]);
/* For lists of passwords, which name them by it; nothing else relies on it. False without memory. */
bool sha1(struct str bytes, uint8_t digest_out[20]);
void sha256(struct str bytes, uint8_t digest_out[32]);

#endif
