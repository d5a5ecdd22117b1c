/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_LINGER_H
#define BERTH_GATEWAY_LINGER_H

struct conn;

/*
 * All is written: ends our side after the last byte; what the client still sends is discarded for a while, or its
 * kernel might drop our answer.
 */
void linger_begin(struct conn *conn);
void linger_run(struct conn *conn);

#endif
