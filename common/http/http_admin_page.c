/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_admin_page.h"

#include "base/json.h"
#include "http/http_reply.h"

/* What monitoring sends is small, and nothing has content. */
const struct http_limits http_admin_page_limits = {
	.request_line_max = 2048,
	.target_max = 1024,
	.headers_max = 64,
	.header_bytes_max = 8192,
	.body_max = 0,
};

static void put_answer(struct buf *out, int status, const char *content_type, struct str body, bool head_only)
{
	http_reply_begin(out, status);
	http_reply_date(out, clock_now_us());
	http_reply_field(out, "Content-Type", str_from(content_type));
	http_reply_field_u64(out, "Content-Length", body.len);
	http_reply_field(out, "Cache-Control", STR("no-store"));
	http_reply_field(out, "X-Content-Type-Options", STR("nosniff"));
	http_reply_field(out, "Strict-Transport-Security", STR("max-age=63072000"));
	if (status == err_status(ERR_METHOD_NOT_ALLOWED))
		http_reply_field(out, "Allow", STR("GET, HEAD"));
	http_reply_field(out, "Connection", STR("close"));
	http_reply_end(out);
	if (!head_only)
		buf_put_str(out, body);
}

/* RFC 9457 */
static void put_problem(struct buf *out, enum err err, bool head_only)
{
	struct json_writer w;
	struct buf body;

	buf_init(&body, 1024);
	w = json_writer_over(&body);
	json_begin_object(&w);
	json_key(&w, "type");
	json_put_c(&w, "about:blank");
	json_key(&w, "title");
	json_put_c(&w, err_title(err));
	json_key(&w, "status");
	json_put_i64(&w, err_status(err));
	json_key(&w, "code");
	json_put_c(&w, err_code(err));
	json_end_object(&w);
	put_answer(out, err_status(err), "application/problem+json", buf_str(&body), head_only);
	buf_release(&body);
}

static const struct http_admin_page *page_find(const struct http_admin_page *pages, struct str path)
{
	for (; pages->path != NULL; pages++) {
		if (str_eq_c(path, pages->path))
			return pages;
	}
	return NULL;
}

static enum err refusal(const struct http_admin_page *page, const struct http_parser *parser, bool has_client_cert)
{
	if (parser->err != OK)
		return parser->err;
	if (page == NULL)
		return ERR_NOT_FOUND;
	if (parser->method != HTTP_GET && parser->method != HTTP_HEAD)
		return ERR_METHOD_NOT_ALLOWED;
	return page->needs_client_cert && !has_client_cert ? ERR_FORBIDDEN : OK;
}

void http_admin_page_answer(
	const struct http_admin_config *config, const struct http_parser *parser, bool has_client_cert, struct buf *out)
{
	bool parsed = parser->err == OK;
	bool head_only = parsed && parser->method == HTTP_HEAD;
	const struct http_admin_page *page = parsed ? page_find(config->pages, http_path(parser)) : NULL;
	enum err err = refusal(page, parser, has_client_cert);
	struct http_admin_call call;
	struct buf body;

	if (err != OK) {
		put_problem(out, err, head_only);
		return;
	}
	buf_init(&body, HTTP_ADMIN_BODY_MAX);
	call = (struct http_admin_call){
		.path = http_path(parser),
		.query = http_query(parser),
		.has_client_cert = has_client_cert,
		.body = &body,
		.content_type = "text/plain; charset=utf-8",
		.status = 200,
	};
	page->show(config->context, &call);
	if (buf_ok(&body))
		put_answer(out, call.status, call.content_type, buf_str(&body), head_only);
	else
		put_problem(out, ERR_INTERNAL, head_only);
	buf_release(&body);
}
