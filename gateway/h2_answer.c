/* SPDX-License-Identifier: Apache-2.0 */
#include "h2_answer.h"

#include <string.h>

#include "loop.h"

#define FIELDS_MAX 64
#define STATUS_AT 9 /* behind "HTTP/1.1 " */

/*
 * Fields whose values come again: the only ones that enter the client's HPACK table. All others change with each
 * answer or are secrets, which RFC 7541 section 7.1.3 keeps out of it.
 */
static bool comes_again(struct str name)
{
	static const struct str names[] = {STR("Date"), STR("Content-Type"), STR("Cache-Control"),
		STR("RateLimit-Policy"), STR("Strict-Transport-Security"), STR("X-Content-Type-Options"),
		STR("X-Frame-Options"), STR("Referrer-Policy"), STR("Cross-Origin-Resource-Policy"),
		STR("Cross-Origin-Opener-Policy"), STR("Permissions-Policy"), STR("Content-Security-Policy")};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (name.len == names[i].len && memcmp(name.p, names[i].p, name.len) == 0)
			return true;
	return false;
}

/* RFC 9113 section 8.2.2. */
static bool of_connection(struct str name)
{
	return str_eq_c(name, "Connection") || str_eq_c(name, "Keep-Alive") || str_eq_c(name, "Transfer-Encoding");
}

static nghttp2_nv nv_of(struct str name, struct str value, uint8_t flags)
{
	/* nghttp2 writes to neither. */
	return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.p,
		.value = (uint8_t *)(uintptr_t)value.p,
		.namelen = name.len,
		.valuelen = value.len,
		.flags = flags};
}

/* RFC 9113 section 8.2: in the bytes that the answer owns. */
static void lower(struct str name)
{
	char *p = (char *)(uintptr_t)name.p;

	for (size_t i = 0; i < name.len; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] | 0x20);
}

/* A line without its CRLF; false at the empty one, or when it is no field. */
static bool line_next(struct str *rest, struct str *name_out, struct str *value_out)
{
	const char *lf = memchr(rest->p, '\n', rest->len);
	size_t len;

	if (lf == NULL || lf == rest->p || lf[-1] != '\r')
		return false;
	len = (size_t)(lf - rest->p) - 1;
	*value_out = (struct str){rest->p, len};
	rest->p += len + 2;
	rest->len -= len + 2;
	if (!str_cut(value_out, ':', name_out))
		return false;
	*value_out = str_trim(*value_out);
	return true;
}

/* How many fields; 0 when there are too many. */
static size_t fields_of(struct str head, nghttp2_nv fields_out[FIELDS_MAX])
{
	const uint8_t kept = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
	struct str name, value;
	size_t count = 1;

	fields_out[0] = nv_of(STR(":status"), (struct str){head.p + STATUS_AT, 3}, kept);
	str_cut(&head, '\n', &name);
	while (line_next(&head, &name, &value)) {
		const uint8_t indexing = comes_again(name) ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX;

		if (of_connection(name))
			continue;
		if (count == FIELDS_MAX)
			return 0;
		lower(name);
		fields_out[count++] = nv_of(name, value, kept | indexing);
	}
	return count;
}

static ssize_t on_content(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t room, uint32_t *flags,
	nghttp2_data_source *source, void *user)
{
	struct h2_stream *stream = source->ptr;
	const size_t left = stream->content.len - stream->sent;
	const size_t len = left < room ? left : room;

	(void)session;
	(void)id;
	(void)user;
	memcpy(bytes, stream->content.p + stream->sent, len);
	stream->sent += len;
	stream->h2->answers_held -= len;
	stream->moved_us = stream->h2->conn->loop->now_us;
	if (stream->sent == stream->content.len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

bool h2_answer_submit(struct h2_stream *stream, struct str content, bool lasting)
{
	const nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = on_content};
	const size_t head_len = stream->answer.len;
	nghttp2_nv fields[FIELDS_MAX];
	size_t count;

	if (!lasting)
		buf_put_str(&stream->answer, content);
	if (!buf_ok(&stream->answer) || head_len < STATUS_AT + 3)
		goto fail;
	if (!lasting && content.len > 0)
		content.p = stream->answer.p + head_len;
	count = fields_of((struct str){stream->answer.p, head_len}, fields);
	if (count == 0 || nghttp2_submit_response(stream->h2->session, stream->id, fields, count,
				  content.len > 0 ? &provider : NULL) != 0)
		goto fail;
	stream->content = content;
	stream->sent = 0;
	stream->h2->answers_held += content.len;
	return true;
fail:
	buf_reset(&stream->answer);
	return false;
}
