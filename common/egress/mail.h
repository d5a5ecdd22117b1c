/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_EGRESS_MAIL_H
#define BERTH_EGRESS_MAIL_H

#include "base/buf.h"
#include "base/clock.h"

/* A message of RFC 5322 and RFC 2045 in the making. *Borrows* everything. */
#define MAIL_SUBJECT_MAX 500 /* bytes */
#define MAIL_TEXT_MAX (64 * 1024)
#define MAIL_HEADERS_MAX 16
#define MAIL_HEADER_VALUE_MAX 500
#define MAIL_BYTES_MAX (512 * 1024)

struct mail_header {
	const char *name; /* letters, digits and hyphens; none that mail_compose writes itself */
	struct str value; /* UTF-8 without control characters */
};

struct mail {
	struct str id;   /* of the Message-ID: 1 to 64 letters, digits, hyphens, one for all tries; STR_NONE: random */
	struct str to;   /* one address: egress_address_ok */
	struct str from; /* one address; envelope sender too */
	struct str from_name; /* display name in UTF-8, or STR_NONE */
	struct str subject;   /* UTF-8, one line */
	struct str text;      /* UTF-8; \n or \r\n ends lines; no other control characters but tab */
	const struct mail_header *headers;
	size_t header_count;
	struct str calendar; /* iCalendar text (RFC 5545) attached as text/calendar, or STR_NONE */
};

/*
 * Appends the whole message with Date, Message-ID (at `domain`), From, To, Subject and MIME headers; lines
 * end in CRLF and have at most 76 characters wherever a fold is possible. ERR_BAD_FIELD for what a header cannot hold
 * (CR, LF, NUL, bad UTF-8, a bad address), ERR_TOO_LARGE past the caps.
 */
MUST_USE enum err mail_compose(const struct mail *mail, const char *domain, instant_us now, struct buf *message_out);

#endif
