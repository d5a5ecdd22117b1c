/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_TEXTS_SCOPE_H
#define BERTH_AUTHSVC_TEXTS_SCOPE_H

#include "texts.h"

/* What a word of a scope lets a client do, as a sentence; a word without one gives itself. */
struct str texts_scope(struct str word, enum locale locale);
bool texts_scope_known(struct str word);

#endif
