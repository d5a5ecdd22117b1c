/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_NOTE_H
#define BERTH_AUDITSVC_NOTE_H

#include "base/buf.h"
#include "base/config.h"
#include "types.h"

/*
 * The text of a tree head and its Ed25519 signature (RFC 8032). The text is that of a transparency log's checkpoint
 * (C2SP tlog-checkpoint) with one extension line: origin, size, base64 of the root, RFC 3339 instant, each ended by a
 * line feed.
 */
#define NOTE_LEN_MAX 512U

/* The signing key, in locked memory. */
struct signer;

/* `seed`: hex64, or lines "epoch hex64" with the newest first. ERR_BAD_FIELD when it is neither. Gives. */
MUST_USE enum err note_signer_new(const struct secret *seed, struct signer **signer_out);
void note_signer_free(struct signer **signer);

void note_write(const struct head_row *head, struct buf *out);
/* Sets signature and public_key. */
MUST_USE enum err note_sign(const struct signer *signer, struct head_row *head);
/* By the public key in the head itself: the caller knows which key it trusts. */
MUST_USE bool note_verify(const struct head_row *head);

#endif
