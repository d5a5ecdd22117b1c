/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_FAULT_H
#define BERTH_CONTRACT_FAULT_H

#include "contract/codec.h"

/*
 * Inside common/contract: how the decoders say where a message is wrong. The field at fault is named first, and every
 * level that is left puts its own name before it, so that a message in order costs nothing. `fault` may be NULL.
 */
#define FAULT_NO_INDEX SIZE_MAX

/* Always ERR_BAD_FIELD. */
enum err fault_field(struct fault *fault, const char *field, const char *reason);
/* A name that the sender chose: cut, and all but letters, digits and `_.-` shown as `?`. */
enum err fault_foreign(struct fault *fault, struct str field, const char *reason);
/* The document as a whole. */
enum err fault_document(struct fault *fault, enum err err, const char *reason, const char *detail);
/* "at" becomes "events[3].at", or "events.at" with FAULT_NO_INDEX; "" becomes "events[3]". Gives `err` back. */
enum err fault_within(struct fault *fault, enum err err, const char *field, size_t index);

#endif
