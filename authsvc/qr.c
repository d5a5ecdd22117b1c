/* SPDX-License-Identifier: Apache-2.0 */
#include "qr.h"

#include <qrencode.h>

#define QUIET 4 /* modules of margin */
#define PIXELS 6

void qr_put_svg(struct buf *out, const char *text)
{
	QRcode *code = text != NULL ? QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) : NULL;
	int side;

	if (code == NULL) {
		out->failed = true;
		return;
	}
	side = code->width + 2 * QUIET;
	buf_printf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" aria-hidden=\"true\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
		"<path fill=\"#000\" d=\"",
		side * PIXELS, side * PIXELS, side, side, side, side);
	for (int i = 0; i < code->width * code->width; i++) {
		if ((code->data[i] & 1) != 0)
			buf_printf(out, "M%d %dh1v1h-1z", i % code->width + QUIET, i / code->width + QUIET);
	}
	buf_put_c(out, "\"/></svg>\n");
	QRcode_free(code);
}
