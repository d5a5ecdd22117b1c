/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_target.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_LEN_MAX 255

enum byte_class {
	IS_TOKEN = 1,  /* RFC 9110 tchar */
	IS_PATH = 2,   /* RFC 3986 pchar without "%", and "/" */
	IS_QUERY = 4,  /* the same, and "?" */
	IS_NAME = 8,   /* of a host name */
	IS_VALUE = 16, /* of a field value */
	IS_HEX = 32,
};

#define DIGIT (IS_TOKEN | IS_PATH | IS_QUERY | IS_NAME | IS_VALUE | IS_HEX)
#define ALPHA (IS_TOKEN | IS_PATH | IS_QUERY | IS_NAME | IS_VALUE)
#define SUB_DELIM (IS_PATH | IS_QUERY | IS_VALUE)
#define SUB_DELIM_TOKEN (IS_TOKEN | SUB_DELIM)

static const uint8_t byte_classes[256] = {
	['\t'] = IS_VALUE,
	[' '] = IS_VALUE,
	['!'] = SUB_DELIM_TOKEN,
	['"'] = IS_VALUE,
	['#'] = IS_TOKEN | IS_VALUE,
	['$'] = SUB_DELIM_TOKEN,
	['%'] = IS_TOKEN | IS_VALUE,
	['&'] = SUB_DELIM_TOKEN,
	['\''] = SUB_DELIM_TOKEN,
	['('] = SUB_DELIM,
	[')'] = SUB_DELIM,
	['*'] = SUB_DELIM_TOKEN,
	['+'] = SUB_DELIM_TOKEN,
	[','] = SUB_DELIM,
	['-'] = ALPHA,
	['.'] = ALPHA,
	['/'] = IS_PATH | IS_QUERY | IS_VALUE,
	['0' ... '9'] = DIGIT,
	[':'] = IS_PATH | IS_QUERY | IS_VALUE,
	[';'] = SUB_DELIM,
	['<'] = IS_VALUE,
	['='] = SUB_DELIM,
	['>'] = IS_VALUE,
	['?'] = IS_QUERY | IS_VALUE,
	['@'] = IS_PATH | IS_QUERY | IS_VALUE,
	['A' ... 'F'] = ALPHA | IS_HEX,
	['G' ... 'Z'] = ALPHA,
	['[' ... ']'] = IS_VALUE,
	['^'] = IS_TOKEN | IS_VALUE,
	['_'] = ALPHA,
	['`'] = IS_TOKEN | IS_VALUE,
	['a' ... 'f'] = ALPHA | IS_HEX,
	['g' ... 'z'] = ALPHA,
	['{'] = IS_VALUE,
	['|'] = IS_TOKEN | IS_VALUE,
	['}'] = IS_VALUE,
	['~'] = IS_TOKEN | IS_PATH | IS_QUERY | IS_VALUE,
	[0x80 ... 0xff] = IS_VALUE,
};

static bool byte_is(char c, enum byte_class class)
{
	return (byte_classes[(unsigned char)c] & class) != 0;
}

static bool all_are(struct str text, enum byte_class class)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is(text.p[i], class))
			return false;
	}
	return true;
}

bool http_is_token(struct str text)
{
	return text.len > 0 && all_are(text, IS_TOKEN);
}

bool http_is_field_value(struct str text)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	/* Eight bytes at a time while none is below space or DEL; a tab only leads to the table. */
	while (text.len >= sizeof(uint64_t)) {
		uint64_t word, del;

		memcpy(&word, text.p, sizeof(word));
		del = word ^ ones * 0x7f;
		if ((((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & ones * 0x80)
			break;
		text.p += sizeof(word);
		text.len -= sizeof(word);
	}
	return all_are(text, IS_VALUE);
}

bool http_list_next(struct str *list, struct str *element_out)
{
	if (list->p == NULL)
		return false;
	if (!str_cut(list, ',', element_out))
		*list = STR_NONE;
	*element_out = str_trim(*element_out);
	return true;
}

static const char *const method_names[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
};

enum err http_method_parse(struct str text, enum http_method *method_out)
{
	*method_out = HTTP_GET;
	if (!http_is_token(text))
		return ERR_BAD_REQUEST;
	for (size_t i = 0; i < sizeof(method_names) / sizeof(method_names[0]); i++) {
		if (str_eq_c(text, method_names[i])) {
			*method_out = (enum http_method)i;
			return OK;
		}
	}
	return ERR_NOT_IMPLEMENTED;
}

const char *http_method_name(enum http_method method)
{
	return method_names[method];
}

static enum err refuse(const char **reason_out, const char *reason)
{
	*reason_out = reason;
	return ERR_BAD_REQUEST;
}

static unsigned hex_digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

/* The byte at *at, decoded when it is an escape; *at moves behind it. False at an escape that is none. */
static bool take_byte(struct str text, size_t *at, char *byte_out, bool *escaped_out)
{
	*escaped_out = text.p[*at] == '%';
	if (!*escaped_out) {
		*byte_out = text.p[(*at)++];
		return true;
	}
	if (text.len - *at < 3 || !byte_is(text.p[*at + 1], IS_HEX) || !byte_is(text.p[*at + 2], IS_HEX))
		return false;
	*byte_out = (char)(hex_digit(text.p[*at + 1]) << 4 | hex_digit(text.p[*at + 2]));
	*at += 3;
	return true;
}

/* A segment of a path, as far as it was read. */
struct segment {
	size_t len;
	bool dots_only;
};

static bool is_dot_segment(const struct segment *segment)
{
	return segment->dots_only && (segment->len == 1 || segment->len == 2);
}

/* One byte of a path, plain or escaped; NULL, or what is wrong with it. */
static const char *check_path_byte(struct str path, size_t *at, struct segment *segment)
{
	bool escaped;
	char byte;

	if (path.p[*at] != '%' && !byte_is(path.p[*at], IS_PATH))
		return "the path has a byte that must be escaped";
	if (!take_byte(path, at, &byte, &escaped))
		return "the path has a malformed escape";
	if (escaped && (byte == '\0' || byte == '/' || byte == '\\'))
		return "the path has an escaped NUL, slash or backslash";
	if (byte != '/') {
		segment->dots_only = segment->dots_only && byte == '.';
		segment->len++;
		return NULL;
	}
	if (is_dot_segment(segment))
		return "the path has a dot segment";
	*segment = (struct segment){.dots_only = true};
	return NULL;
}

static enum err check_path(struct str path, const char **reason_out)
{
	struct segment segment = {.dots_only = true};
	const char *reason;

	for (size_t at = 0; at < path.len;)
		if ((reason = check_path_byte(path, &at, &segment)) != NULL)
			return refuse(reason_out, reason);
	return is_dot_segment(&segment) ? refuse(reason_out, "the path has a dot segment") : OK;
}

static enum err check_query(struct str query, const char **reason_out)
{
	if (query.p == NULL)
		return OK;
	for (size_t at = 0; at < query.len;) {
		bool escaped;
		char byte;

		if (byte_is(query.p[at], IS_QUERY)) {
			at++;
			continue;
		}
		if (query.p[at] != '%')
			return refuse(reason_out, "the query has a byte that must be escaped");
		if (!take_byte(query, &at, &byte, &escaped))
			return refuse(reason_out, "the query has a malformed escape");
	}
	return OK;
}

/* Cuts "http://" or "https://" off, in either case. */
static bool take_scheme(struct str *text, bool *https_out)
{
	size_t len = 0;

	if (text->len >= 8 && str_eq_nocase((struct str){text->p, 8}, STR("https://")))
		len = 8;
	else if (text->len >= 7 && str_eq_nocase((struct str){text->p, 7}, STR("http://")))
		len = 7;
	*https_out = len == 8;
	text->p += len;
	text->len -= len;
	return len > 0;
}

/* absolute-form: cuts scheme and authority off, and leaves what origin-form would have. */
static enum err take_authority(struct str *rest, struct http_target *target, const char **reason_out)
{
	struct str host;
	size_t len = 0;
	unsigned port;

	target->form = HTTP_ABSOLUTE_FORM;
	while (len < rest->len && rest->p[len] != '/' && rest->p[len] != '?')
		len++;
	target->authority = (struct str){rest->p, len};
	if (http_authority_parse(target->authority, &host, &port) != OK)
		return refuse(reason_out, "the target's authority is malformed");
	*rest = (struct str){rest->p + len, rest->len - len};
	return OK;
}

enum err http_target_parse(
	struct str text, enum http_method method, struct http_target *target_out, const char **reason_out)
{
	struct http_target target = {.form = HTTP_ORIGIN_FORM};
	struct str rest = text;
	enum err err;

	*target_out = target;
	*reason_out = NULL;
	if (str_eq_c(text, "*")) {
		if (method != HTTP_OPTIONS)
			return refuse(reason_out, "the target \"*\" is for OPTIONS only");
		*target_out = (struct http_target){.form = HTTP_ASTERISK_FORM, .path = text};
		return OK;
	}
	if (take_scheme(&rest, &target.https)) {
		if ((err = take_authority(&rest, &target, reason_out)) != OK)
			return err;
	} else if (rest.len == 0 || rest.p[0] != '/') {
		return refuse(reason_out, "the target is neither a path nor an http address");
	}
	if (!str_cut(&rest, '?', &target.path))
		rest = STR_NONE;
	target.query = rest;
	if (target.path.len == 0)
		target.path = method == HTTP_OPTIONS && rest.p == NULL ? STR("*") : STR("/");
	if ((err = check_path(target.path, reason_out)) != OK)
		return err;
	if ((err = check_query(target.query, reason_out)) != OK)
		return err;
	*target_out = target;
	return OK;
}

static bool is_ipv6(struct str text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.p, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

/* Length of the host at the front, brackets and all; 0 when there is none that is well-formed. */
static size_t host_len(struct str text)
{
	size_t len = 0;

	if (text.len == 0 || text.p[0] != '[') {
		while (len < text.len && byte_is(text.p[len], IS_NAME))
			len++;
		return len;
	}
	while (len < text.len && text.p[len] != ']')
		len++;
	if (len == text.len || !is_ipv6((struct str){text.p + 1, len - 1}))
		return 0;
	return len + 1;
}

enum err http_authority_parse(struct str text, struct str *host_out, unsigned *port_out)
{
	const size_t len = host_len(text);
	uint64_t port = 0;

	*host_out = STR_NONE;
	*port_out = 0;
	if (len == 0 || len > HOST_LEN_MAX || (len < text.len && text.p[len] != ':'))
		return ERR_BAD_REQUEST;
	/* RFC 3986 section 3.2.3 lets a port be empty, which means the scheme's. */
	if (len + 1 < text.len) {
		if (str_to_u64((struct str){text.p + len + 1, text.len - len - 1}, 65535, &port) != OK || port == 0)
			return ERR_BAD_REQUEST;
	}
	*host_out = (struct str){text.p, len};
	*port_out = (unsigned)port;
	return OK;
}
