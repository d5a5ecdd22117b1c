/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_RECORD_H
#define BERTH_LINK_LINK_RECORD_H

#include "link/link_private.h"

/* Into the TLS stream of a session whose bytes go to memory: neither can block, each is false without memory. */
bool link_record_put(SSL *ssl, const void *bytes, size_t len);
/* With its header (link_frame.h). */
bool link_record_message(SSL *ssl, uint32_t id, struct str payload);

#endif
