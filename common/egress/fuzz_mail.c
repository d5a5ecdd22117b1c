/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "egress/egress_address.h"
#include "egress/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Recipient, name, subject, header and text, each up to a NUL, the rest the calendar. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str rest = {(const char *)data, len};
	struct mail_header header = {"X-Berth", STR_NONE};
	struct mail mail = {.from = STR("noreply@berth.example"), .headers = &header, .header_count = 1};
	struct str line;
	struct buf out;

	(void)str_cut(&rest, '\0', &mail.to);
	(void)str_cut(&rest, '\0', &mail.from_name);
	(void)str_cut(&rest, '\0', &mail.subject);
	(void)str_cut(&rest, '\0', &header.value);
	if (str_cut(&rest, '\0', &mail.text))
		mail.calendar = rest;
	buf_init(&out, MAIL_BYTES_MAX);
	if (mail_compose(&mail, "berth.example", INT64_C(1795471261) * US_PER_S, &out) == OK) {
		if (!egress_address_ok(mail.to))
			abort();
		rest = buf_str(&out);
		/* Every line ends in CRLF, and none holds another CR, a NUL or a lone dot. */
		while (str_cut(&rest, '\n', &line)) {
			if (line.len == 0 || line.p[line.len - 1] != '\r' ||
				memchr(line.p, '\r', line.len) != line.p + line.len - 1 ||
				memchr(line.p, '\0', line.len) != NULL || str_eq_c(line, ".\r") || line.len > 999)
				abort();
		}
		if (line.len != 0)
			abort();
	}
	buf_release(&out);
	return 0;
}
