/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_reply.h"

#include <string.h>

#include "http/http_target.h"

const char *http_reply_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{100, "Continue"},
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{206, "Partial Content"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{428, "Precondition Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].status == status)
			return rows[i].reason;
	}
	return "";
}

void http_reply_begin(struct buf *out, int status)
{
	char digits[4];

	/* Of three digits, or the client could not find the end of the head. */
	if (status < 100 || status > 599)
		status = 500;
	digits[0] = (char)('0' + status / 100);
	digits[1] = (char)('0' + status / 10 % 10);
	digits[2] = (char)('0' + status % 10);
	digits[3] = ' ';
	buf_put_str(out, STR("HTTP/1.1 "));
	buf_put(out, digits, sizeof(digits));
	buf_put_c(out, http_reply_reason(status));
	buf_put_str(out, STR("\r\n"));
}

void http_reply_field(struct buf *out, const char *name, struct str value)
{
	if (!http_is_token(str_from(name)) || !http_is_field_value(value)) {
		out->failed = true;
		return;
	}
	buf_put_c(out, name);
	buf_put_str(out, STR(": "));
	buf_put_str(out, value);
	buf_put_str(out, STR("\r\n"));
}

void http_reply_field_u64(struct buf *out, const char *name, uint64_t value)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	http_reply_field(out, name, (struct str){text + at, sizeof(text) - at});
}

static char *put_two(char *p, const char *from)
{
	p[0] = from[0];
	p[1] = from[1];
	return p + 2;
}

void http_date_format(instant_us at, char text_out[30])
{
	static const char days[] = "Thu, Fri, Sat, Sun, Mon, Tue, Wed, ";
	static const char months[] = " Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec ";
	char iso[INSTANT_TEXT_MAX];
	size_t month;
	char *p = text_out;

	at = at < INSTANT_MIN ? INSTANT_MIN : at > INSTANT_MAX ? INSTANT_MAX : at;
	instant_format(at, iso);
	month = (size_t)((iso[5] - '0') * 10 + (iso[6] - '0') - 1);
	memcpy(p, days + (size_t)(at / US_PER_DAY % 7) * 5, 5);
	p = put_two(p + 5, iso + 8);
	memcpy(p, months + month * 5, 5);
	memcpy(p + 5, iso, 4);
	p[9] = ' ';
	memcpy(p + 10, iso + 11, 8);
	memcpy(p + 18, " GMT", 5);
}

void http_reply_date(struct buf *out, instant_us now)
{
	static _Thread_local int64_t second = -1;
	static _Thread_local char text[30];

	if (now / US_PER_S != second) {
		second = now / US_PER_S;
		http_date_format(now, text);
	}
	buf_put_str(out, STR("Date: "));
	buf_put(out, text, 29);
	buf_put_str(out, STR("\r\n"));
}

void http_reply_end(struct buf *out)
{
	buf_put_str(out, STR("\r\n"));
}

void http_reply_continue(struct buf *out)
{
	buf_put_str(out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
}
