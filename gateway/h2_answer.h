/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_H2_ANSWER_H
#define BERTH_GATEWAY_H2_ANSWER_H

#include "h2_stream.h"

/*
 * Hands an answer to the session. stream->answer holds the head as head_write has it, so that both versions of HTTP say
 * the same; it is changed, and belongs to the session until the stream ends. Fields of the HTTP/1.1 connection are left
 * out. `content` is copied behind it unless it lasts as long as the process; p is NULL without. False, and nothing is
 * sent, when there is no room or a field cannot be one; `answer` is then empty.
 */
MUST_USE bool h2_answer_submit(struct h2_stream *stream, struct str content, bool lasting);

#endif
