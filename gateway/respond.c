/* SPDX-License-Identifier: Apache-2.0 */
#include "respond.h"

#include <string.h>

#include "h2_answer.h"
#include "head.h"
#include "http/http_reply.h"
#include "loop.h"
#include "page.h"
#include "precondition.h"
#include "trace.h"

#define TAIL_LEAST 4096 /* shorter ones are copied: one record is cheaper than two */

/* Content, and whether it lives as long as the process: such a document is not copied into each connection. */
struct content {
	struct str bytes;
	bool lasting;
};

static void respond_failed(struct exchange *exchange, const struct reply_item *item);

static bool has_content(const struct exchange *exchange, const struct head *head)
{
	return !exchange->head && head->status != 204 && head->status != 304;
}

static bool respond_write_h2(struct exchange *exchange, const struct head *head, const struct content *content)
{
	(void)buf_reserve(&exchange->stream->answer, H2_HEAD_USUAL + (content->lasting ? 0 : content->bytes.len));
	head_write(&exchange->stream->answer, exchange, head, content->bytes.len, true);
	return h2_answer_submit(
		exchange->stream, has_content(exchange, head) ? content->bytes : STR_NONE, content->lasting);
}

/* Behind whatever `out` holds. False, and `out` as before, when a value cannot stand in a field or there is no room. */
static bool respond_write(
	struct exchange *exchange, const struct head *head, const struct content *content, bool keep_alive)
{
	struct conn *conn = exchange->conn;
	const size_t mark = conn->out.len;

	if (exchange->stream != NULL)
		return respond_write_h2(exchange, head, content);
	head_write(&conn->out, exchange, head, content->bytes.len, keep_alive);
	if (has_content(exchange, head)) {
		if (content->lasting && content->bytes.len >= TAIL_LEAST)
			conn->tail = content->bytes;
		else
			buf_put_str(&conn->out, content->bytes);
	}
	if (buf_ok(&conn->out))
		return true;
	buf_truncate(&conn->out, mark);
	conn->out.failed = false;
	conn->tail = STR_NONE;
	return false;
}

/* Writes head and content, then ends the exchange. */
static void respond_content(struct exchange *exchange, const struct head *head, const struct content *content)
{
	struct loop *loop = exchange->loop;
	struct conn *conn = exchange->conn;
	struct h2_stream *stream;
	const bool keep = exchange->keep_alive && !__atomic_load_n(&loop->gateway->draining, __ATOMIC_RELAXED);
	uint64_t duration_us;

	if (conn != NULL && !respond_write(exchange, head, content, keep)) {
		if (head->err == ERR_BAD_GATEWAY) {
			/* Not even that has room. */
			exchange->complete = true;
			conn_kill(conn);
			conn = NULL;
		} else {
			edge_counts_malformed(&loop->counts);
			respond_failed(exchange, &(struct reply_item){.err = ERR_BAD_GATEWAY});
			return;
		}
	}
	duration_us = clock_monotonic_us() - exchange->started_us;
	edge_counts_answer(&loop->counts, exchange->operation, head->status, duration_us);
	access_log_put(&loop->log, exchange, head, content->bytes.len, duration_us);
	trace_answer(exchange, head->status, head->err);
	if (conn == NULL) {
		/* The client went away while a service was at work: only now are its buffers free. */
		exchange_drop(&exchange);
		return;
	}
	stream = exchange->stream;
	exchange_free(&exchange);
	if (stream != NULL)
		h2_stream_answered(stream);
	else
		conn_answered(conn, keep);
}

static void respond_finish(struct exchange *exchange, const struct head *head, struct str body)
{
	respond_content(exchange, head, &(struct content){.bytes = body});
}

/* RFC 6749 section 5.2, RFC 6750 section 3.1. */
static const char *oauth_error(enum err err)
{
	switch (err) {
	case ERR_UNAUTHENTICATED:
	case ERR_TOKEN_EXPIRED:
	case ERR_TOKEN_REVOKED:
		return "invalid_token";
	case ERR_STEP_UP:
		return err_code(err);
	case ERR_CERTIFICATE:
		return "access_denied";
	case ERR_FORBIDDEN:
	case ERR_EMAIL_UNVERIFIED:
	case ERR_SECOND_FACTOR:
		return "insufficient_scope";
	case ERR_UNAVAILABLE:
	case ERR_OVERLOADED:
	case ERR_DRAINING:
	case ERR_RATE_LIMITED:
	case ERR_DEADLINE:
		return "temporarily_unavailable";
	case ERR_INTERNAL:
	case ERR_BAD_GATEWAY:
		return "server_error";
	default:
		return "invalid_request";
	}
}

/* Where the header of a version is at fault, nothing else can be, whichever service refused it. */
static void name_header(struct problem *problem)
{
	if (problem->field.p == NULL && (problem->err == ERR_VERSION_STALE || problem->err == ERR_VERSION_REQUIRED))
		problem->field = STR("If-Match");
}

static void problem_body(
	const struct exchange *exchange, const struct problem *problem, struct head *head, struct buf *out)
{
	struct json_writer w;

	if (exchange->operation != NULL && (exchange->operation->flags & OP_PAGE) != 0 && exchange->person) {
		head->content_type = "text/html; charset=utf-8";
		head->csp = exchange->loop->gateway->page_csp;
		page_write_error(out, problem->err, &exchange->request_id);
		return;
	}
	if (exchange->operation == NULL || (exchange->operation->flags & OP_OAUTH) == 0) {
		head->content_type = "application/problem+json";
		problem_encode(problem, out);
		return;
	}
	head->content_type = "application/json";
	w = json_writer_over(out);
	json_begin_object(&w);
	json_key(&w, "error");
	json_put_c(&w, oauth_error(problem->err));
	json_key(&w, "error_description");
	json_put_c(&w, err_title(problem->err));
	json_end_object(&w);
}

void respond_problem(struct exchange *exchange, const struct problem *problem)
{
	struct buf *scratch = &exchange->loop->scratch;
	struct head head = {.status = err_status(problem->err), .err = problem->err, .scope = problem->reason};
	struct problem named = *problem;

	named.request_id = &exchange->request_id;
	name_header(&named);
	if (problem->err == ERR_RATE_LIMITED)
		head.retry_after_s = exchange->rate.retry_after_s;
	else if (head.status == 503)
		head.retry_after_s = EDGE_RETRY_AFTER_S;
	buf_reset(scratch);
	problem_body(exchange, &named, &head, scratch);
	respond_finish(exchange, &head, buf_str(scratch));
}

static void respond_failed(struct exchange *exchange, const struct reply_item *item)
{
	struct problem problem = {.err = item->err,
		.field = item->field,
		.reason = item->reason,
		.detail = item->detail,
		.request_id = &exchange->request_id};
	struct buf *scratch = &exchange->loop->scratch;
	struct head head = {.status = err_status(item->err),
		.err = item->err,
		.scope = item->reason,
		.retry_after_s = item->retry_after_s};

	name_header(&problem);
	if (head.status != 503 && head.status != 429)
		head.retry_after_s = 0;
	else if (head.retry_after_s == 0)
		head.retry_after_s = EDGE_RETRY_AFTER_S;
	buf_reset(scratch);
	problem_body(exchange, &problem, &head, scratch);
	respond_finish(exchange, &head, buf_str(scratch));
}

static void respond_web(struct exchange *exchange, const struct web_reply *reply)
{
	struct head head = {
		.status = (int)reply->status,
		.web = reply,
		.retry_after_s = reply->status == 503 || reply->status == 429 ? EDGE_RETRY_AFTER_S : 0,
	};

	respond_finish(exchange, &head, reply->has_body ? reply->body : (struct str){"", 0});
}

static void respond_shape(
	struct exchange *exchange, const struct reply_item *item, const struct shape *shape, const void *reply)
{
	const struct operation *operation = exchange->operation;
	struct buf *scratch = &exchange->loop->scratch;
	struct head head = {
		.status = operation->success_status, .content_type = "application/json", .version = item->version};
	const struct field *id = shape_field(shape, STR("id"));

	buf_reset(scratch);
	if (head.status != 204)
		json_encode(shape, reply, scratch);
	if (!buf_ok(scratch)) {
		respond_failed(exchange, &(struct reply_item){.err = ERR_BAD_GATEWAY});
		return;
	}
	if (head.status == 201 && id != NULL && id->type == FIELD_UUID)
		head.created_id = (const struct uuid *)(const void *)((const char *)reply + id->offset);
	/* RFC 9110 section 13.1.2: only a read may be spared; its length is told all the same. */
	if (head.version > 0 && strcmp(operation->method, "GET") == 0 &&
		precondition_names(exchange->none_match, head.version))
		head.status = 304;
	respond_finish(exchange, &head, buf_str(scratch));
}

void respond_item(struct exchange *exchange, const struct reply_item *item)
{
	const struct shape *shape = exchange->operation->reply();
	struct fault fault = {0};
	void *reply;

	if (item->err != OK) {
		respond_failed(exchange, item);
		return;
	}
	reply = arena_take(exchange->arena, shape->size + 1);
	if (reply == NULL || binary_decode_reply(shape, item->body, exchange->arena, reply, &fault) != OK) {
		edge_counts_malformed(&exchange->loop->counts);
		respond_failed(exchange, &(struct reply_item){.err = ERR_BAD_GATEWAY});
		return;
	}
	if ((exchange->operation->flags & OP_WEB) != 0)
		respond_web(exchange, reply);
	else
		respond_shape(exchange, item, shape, reply);
}

void respond_awaited(struct exchange *exchange, const struct reply_item *item)
{
	struct conn *conn = exchange->conn;

	respond_item(exchange, item);
	if (conn != NULL)
		conn_wake(conn);
}

void respond_local(struct exchange *exchange)
{
	const struct gateway *gateway = exchange->loop->gateway;
	struct web_reply page = {
		.status = 200, .has_status = true, .has_body = true, .has_content_type = true, .cacheable = true};
	struct head head = {.status = 200, .content_type = "application/json"};

	if (str_eq_c(str_from(exchange->operation->name), "health_read")) {
		respond_finish(exchange, &head, STR("{\"status\":\"ok\"}"));
		return;
	}
	page.body = buf_str(&gateway->openapi);
	page.content_type = STR("application/json");
	if (str_eq_c(str_from(exchange->operation->name), "docs_read")) {
		page.body = buf_str(&gateway->docs);
		page.content_type = STR("text/html; charset=utf-8");
		head.csp = gateway->docs_csp;
	}
	head.web = &page;
	respond_content(exchange, &head, &(struct content){.bytes = page.body, .lasting = true});
}

void respond_options(struct exchange *exchange)
{
	struct head head = {.status = 204, .allow = true};

	if (exchange->allow[0] == '\0')
		memcpy(exchange->allow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", 45);
	respond_finish(exchange, &head, (struct str){"", 0});
}

void respond_continue(struct exchange *exchange)
{
	if (exchange->stream != NULL)
		h2_stream_continue(exchange->stream);
	else
		http_reply_continue(&exchange->conn->out);
}

void respond_unserved(struct exchange *exchange, enum err err)
{
	const struct problem problem = {.err = err};

	exchange->keep_alive = false;
	exchange->operation = NULL;
	respond_problem(exchange, &problem);
}

void respond_unparsed(struct conn *conn, enum err err)
{
	if (conn->exchange == NULL)
		conn->exchange = exchange_new(conn->loop, conn);
	if (conn->exchange == NULL) {
		conn_kill(conn);
		return;
	}
	respond_unserved(conn->exchange, err);
}
