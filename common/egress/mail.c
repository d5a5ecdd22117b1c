/* SPDX-License-Identifier: Apache-2.0 */
#include "egress/mail.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/encode.h"
#include "base/id.h"
#include "egress/egress_address.h"

#define LINE_MAX_LEN 76
#define HEADER_NAME_MAX 40
#define ID_MAX 64
#define ENCODED_WORD_FRAME 12 /* "=?utf-8?B?" and "?=" */
#define BOUNDARY_BYTES 16
#define CALENDAR_MAX MAIL_TEXT_MAX
#define BASE64_LINE_BYTES 57

/* Written by mail_compose itself, or not the sender's to write. */
static const char *const reserved_headers[] = {"Bcc", "Cc", "Date", "DKIM-Signature", "From", "Message-ID",
	"MIME-Version", "Received", "Return-Path", "Sender", "Subject", "To"};

static bool one_line_ok(struct str text, size_t len_max)
{
	if (text.len == 0 || text.len > len_max || !str_is_utf8(text))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return str_trim(text).len == text.len;
}

/* Lines may end in \n or \r\n; a lone \r is how one smuggles lines past the next hop. */
static bool body_ok(struct str text, size_t len_max)
{
	if (text.len > len_max || !str_is_utf8(text))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '\r' && (i + 1 == text.len || text.p[i + 1] != '\n'))
			return false;
		if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is_alnum_or_hyphen(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

static bool header_ok(const struct mail_header *header)
{
	size_t len = strlen(header->name);

	if (len == 0 || len > HEADER_NAME_MAX || strncasecmp(header->name, "Content-", 8) == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = header->name[i];

		if (!is_alnum_or_hyphen(c))
			return false;
	}
	for (size_t i = 0; i < sizeof(reserved_headers) / sizeof(reserved_headers[0]); i++) {
		if (strcasecmp(header->name, reserved_headers[i]) == 0)
			return false;
	}
	return one_line_ok(header->value, MAIL_HEADER_VALUE_MAX);
}

static enum err check_sizes(const struct mail *mail)
{
	bool fits = mail->subject.len <= MAIL_SUBJECT_MAX && mail->text.len <= MAIL_TEXT_MAX &&
	            mail->calendar.len <= CALENDAR_MAX && mail->header_count <= MAIL_HEADERS_MAX;

	return fits ? OK : ERR_TOO_LARGE;
}

static bool id_ok(struct str id)
{
	if (id.p == NULL)
		return true;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.p[i];

		if (!is_alnum_or_hyphen(c))
			return false;
	}
	return id.len > 0 && id.len <= ID_MAX;
}

static enum err check_addresses(const struct mail *mail, const char *domain)
{
	bool good = egress_address_ok(mail->to) && egress_address_ok(mail->from) &&
	            (mail->from_name.p == NULL || one_line_ok(mail->from_name, MAIL_HEADER_VALUE_MAX)) &&
	            egress_address_host_ok(str_from(domain));

	return good ? OK : ERR_BAD_FIELD;
}

static enum err check_texts(const struct mail *mail)
{
	if (!id_ok(mail->id) || !one_line_ok(mail->subject, MAIL_SUBJECT_MAX) || !body_ok(mail->text, MAIL_TEXT_MAX) ||
		!body_ok(mail->calendar, CALENDAR_MAX))
		return ERR_BAD_FIELD;
	for (size_t i = 0; i < mail->header_count; i++) {
		if (!header_ok(&mail->headers[i]))
			return ERR_BAD_FIELD;
	}
	return OK;
}

static bool is_ascii(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	}
	return true;
}

/* Encoded words, one a line, each of whole characters (RFC 2047 sections 2 and 5); the first stands at `column`. */
static void put_encoded_words(struct buf *out, struct arena *arena, size_t column, struct str text)
{
	size_t room = (LINE_MAX_LEN - column - ENCODED_WORD_FRAME) / 4 * 3;

	while (text.len > 0) {
		size_t len = text.len < room ? text.len : room;

		while (len < text.len && ((unsigned char)text.p[len] & 0xc0) == 0x80)
			len--;
		buf_put_c(out, "=?utf-8?B?");
		buf_put_str(out, base64_encode(arena, (struct str){text.p, len}));
		buf_put_c(out, text.len > len ? "?=\r\n " : "?=");
		text = (struct str){text.p + len, text.len - len};
		room = (LINE_MAX_LEN - 1 - ENCODED_WORD_FRAME) / 4 * 3;
	}
}

/* ASCII as it is, folded at blanks; what might read as an encoded word is encoded, like all beyond ASCII. */
static void put_unstructured(struct buf *out, struct arena *arena, const char *name, struct str value)
{
	size_t column = strlen(name) + 1;
	struct str rest = value;
	struct str word;
	bool more;

	buf_printf(out, "%s:", name);
	if (!is_ascii(value) || memmem(value.p, value.len, "=?", 2) != NULL ||
		memmem(value.p, value.len, "  ", 2) != NULL) {
		buf_put_byte(out, ' ');
		put_encoded_words(out, arena, column + 1, value);
		buf_put_c(out, "\r\n");
		return;
	}
	do {
		more = str_cut(&rest, ' ', &word);
		if (column > strlen(name) + 1 && column + 1 + word.len > LINE_MAX_LEN) {
			buf_put_c(out, "\r\n");
			column = 0;
		}
		buf_put_byte(out, ' ');
		buf_put_str(out, word);
		column += 1 + word.len;
	} while (more);
	buf_put_c(out, "\r\n");
}

static void put_from(struct buf *out, struct arena *arena, const struct mail *mail)
{
	struct str name = mail->from_name;

	buf_put_c(out, "From: ");
	if (name.p != NULL && is_ascii(name) && name.len < 60) {
		buf_put_byte(out, '"');
		for (size_t i = 0; i < name.len; i++) {
			if (name.p[i] == '"' || name.p[i] == '\\')
				buf_put_byte(out, '\\');
			buf_put_byte(out, (uint8_t)name.p[i]);
		}
		buf_put_c(out, "\"\r\n ");
	} else if (name.p != NULL) {
		put_encoded_words(out, arena, strlen("From: "), name);
		buf_put_c(out, "\r\n ");
	}
	buf_printf(out, "<%.*s>\r\n", STR_ARG(mail->from));
}

/* RFC 5322 section 3.3; names of days and months are English whatever the locale. */
static void put_date(struct buf *out, instant_us now)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(now / US_PER_S);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL) {
		out->failed = true;
		return;
	}
	buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
		months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Whether the byte that `rest` begins with may stand for itself in quoted-printable (RFC 2045 section 6.7). */
static bool stands_for_itself(struct str rest, bool line_start)
{
	unsigned char c = (unsigned char)rest.p[0];

	if (c == ' ' || c == '\t')
		return rest.len > 1; /* blanks at a line's end get lost on the way */
	/* A dot there ends the message (RFC 5321 section 4.5.2), and some mailboxes begin one at "From ". */
	if (line_start && (c == '.' || str_starts(rest, "From ")))
		return false;
	return c > 0x20 && c < 0x7f && c != '=';
}

static void put_quoted_line(struct buf *out, struct str line)
{
	size_t column = 0;

	for (size_t i = 0; i < line.len; i++) {
		struct str rest = {line.p + i, line.len - i};
		bool plain = stands_for_itself(rest, column == 0);

		if (column + (plain ? 1 : 3) > LINE_MAX_LEN - 1) {
			buf_put_c(out, "=\r\n");
			column = 0;
			plain = stands_for_itself(rest, true);
		}
		if (plain)
			buf_put_byte(out, (uint8_t)rest.p[0]);
		else
			buf_printf(out, "=%02X", (unsigned char)rest.p[0]);
		column += plain ? 1 : 3;
	}
	buf_put_c(out, "\r\n");
}

static void put_text(struct buf *out, struct str text)
{
	struct str rest = text;
	struct str line;
	bool more;

	buf_put_c(
		out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
	do {
		more = str_cut(&rest, '\n', &line);
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (more || line.len > 0)
			put_quoted_line(out, line);
	} while (more);
}

static void put_calendar(struct buf *out, struct arena *arena, struct str calendar)
{
	buf_put_c(out,
		"Content-Type: text/calendar; charset=utf-8; name=booking.ics\r\n"
		"Content-Disposition: attachment; filename=booking.ics\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	while (calendar.len > 0) {
		size_t len = calendar.len < BASE64_LINE_BYTES ? calendar.len : BASE64_LINE_BYTES;

		buf_put_str(out, base64_encode(arena, (struct str){calendar.p, len}));
		buf_put_c(out, "\r\n");
		calendar = (struct str){calendar.p + len, calendar.len - len};
	}
}

static struct str random_text(struct arena *arena)
{
	uint8_t bytes[BOUNDARY_BYTES];

	random_bytes(bytes, sizeof(bytes));
	return hex_encode(arena, (struct str){(const char *)bytes, sizeof(bytes)});
}

static void put_body(struct buf *out, struct arena *arena, const struct mail *mail)
{
	struct str boundary;

	buf_put_c(out, "MIME-Version: 1.0\r\n");
	if (mail->calendar.p == NULL) {
		put_text(out, mail->text);
		return;
	}
	boundary = random_text(arena);
	buf_printf(out, "Content-Type: multipart/mixed; boundary=\"%.*s\"\r\n\r\n--%.*s\r\n", STR_ARG(boundary),
		STR_ARG(boundary));
	put_text(out, mail->text);
	buf_printf(out, "\r\n--%.*s\r\n", STR_ARG(boundary));
	put_calendar(out, arena, mail->calendar);
	buf_printf(out, "\r\n--%.*s--\r\n", STR_ARG(boundary));
}

enum err mail_compose(const struct mail *mail, const char *domain, instant_us now, struct buf *message_out)
{
	struct arena *arena = NULL;
	struct str id;
	enum err err;

	if ((err = check_sizes(mail)) != OK || (err = check_addresses(mail, domain)) != OK ||
		(err = check_texts(mail)) != OK)
		return err;
	if ((arena = arena_new(MAIL_BYTES_MAX)) == NULL)
		return ERR_OVERLOADED;
	id = mail->id.p != NULL ? mail->id : random_text(arena);
	put_date(message_out, now);
	buf_printf(message_out, "Message-ID: <%.*s@%s>\r\n", STR_ARG(id), domain);
	put_from(message_out, arena, mail);
	buf_printf(message_out, "To: <%.*s>\r\n", STR_ARG(mail->to));
	put_unstructured(message_out, arena, "Subject", mail->subject);
	/* RFC 3834 section 5: no out-of-office answers, please. */
	buf_put_c(message_out, "Auto-Submitted: auto-generated\r\n");
	for (size_t i = 0; i < mail->header_count; i++)
		put_unstructured(message_out, arena, mail->headers[i].name, mail->headers[i].value);
	put_body(message_out, arena, mail);
	arena_free(&arena);
	return buf_ok(message_out) ? OK : ERR_TOO_LARGE;
}
