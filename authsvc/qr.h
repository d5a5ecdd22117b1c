/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_QR_H
#define BERTH_AUTHSVC_QR_H

#include "base/buf.h"

/* Appends `text` as a QR code (ISO/IEC 18004): an SVG image to stand in a page. A failure shows in buf_ok. */
void qr_put_svg(struct buf *out, const char *text);

#endif
