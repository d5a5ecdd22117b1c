/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <string.h>

#include "auth.h"
#include "browser.h"
#include "contract/codec.h"
#include "loop.h"
#include "origins.h"
#include "page.h"
#include "precondition.h"
#include "proofs.h"
#include "respond.h"
#include "service/admit.h"
#include "trace.h"

#define FORM_MEDIA "application/x-www-form-urlencoded"

bool request_complete(const struct exchange *exchange)
{
	return exchange->complete;
}

/* At most one field of this name, or the request is ambiguous: the problem names it. */
static enum err field_once(
	const struct http_parser *parser, const char *name, struct str *value_out, struct problem *problem)
{
	if (http_find(parser, name, value_out) <= 1)
		return OK;
	problem->field = str_from(name);
	return ERR_BAD_REQUEST;
}

/* RFC 9110 section 9.3.7, and the CORS-preflight request of the Fetch standard (section 3.3.2): what it asks for. */
static enum err request_options(struct exchange *exchange, const struct http_parser *parser)
{
	struct str wanted = STR_NONE;
	enum err err;

	if (str_eq_c(http_path(parser), "*"))
		return OK;
	if (http_find(parser, "access-control-request-method", &wanted) == 1 &&
		router_find(wanted, http_path(parser), &exchange->route, exchange->allow) == OK &&
		(exchange->route.operation->flags & OP_PAGE) == 0)
		exchange->preflight = true;
	exchange->route = (struct route){.operation = NULL};
	err = router_find(STR("OPTIONS"), http_path(parser), &exchange->route, exchange->allow);
	return err == ERR_METHOD_NOT_ALLOWED ? OK : err;
}

static enum err request_route(struct exchange *exchange, const struct http_parser *parser)
{
	const struct str method = http_method(parser);
	enum err err;

	exchange->head = str_eq_c(method, "HEAD");
	exchange->options = str_eq_c(method, "OPTIONS");
	if (exchange->options)
		return request_options(exchange, parser);
	err = router_find(method, http_path(parser), &exchange->route, exchange->allow);
	if (err != OK)
		return err;
	exchange->operation = exchange->route.operation;
	/* The body is still to come, and the bytes of the head move when their buffer grows. */
	for (size_t i = 0; i < exchange->route.param_count; i++) {
		struct str *value = &exchange->route.params[i].value;

		*value = arena_copy(exchange->arena, *value);
		if (value->p == NULL)
			return ERR_OVERLOADED;
	}
	return OK;
}

/* Before there is a token any registered origin is told what was wrong; with one only those of its client. */
static void request_origin(struct exchange *exchange, const struct http_parser *parser)
{
	const struct operation *operation = exchange->operation;
	struct str origin = STR_NONE;

	if (operation == NULL ? !exchange->preflight : (operation->flags & OP_PAGE) != 0)
		return;
	if (http_find(parser, "origin", &origin) == 1 && origins_known(exchange->loop->gateway->origins, origin))
		exchange->origin = arena_copy(exchange->arena, origin);
}

static void request_origin_of(struct exchange *exchange, const struct token *token)
{
	struct uuid client_id;

	if (exchange->origin.p == NULL)
		return;
	if (uuid_parse(str_from(token->client_id), &client_id) != OK ||
		!origins_allow(exchange->loop->gateway->origins, exchange->origin, &client_id))
		exchange->origin = STR_NONE;
}

static void take_rate(struct exchange *exchange, enum rate_class class, const void *who, size_t who_len)
{
	rate_take(exchange->loop->gateway->rates, class, who, who_len, exchange->loop->now_us, &exchange->rate);
	exchange->has_rate = true;
}

static enum err rate_verdict(struct exchange *exchange, struct problem *problem)
{
	if (!exchange->rate.refused)
		return OK;
	edge_count(&exchange->loop->counts.refused_rate[exchange->rate.class]);
	problem->reason = str_from(rate_class_name(exchange->rate.class));
	return ERR_RATE_LIMITED;
}

/*
 * Before any cryptography: an address that floods pays nothing but a look at its bucket, whatever it asks for.
 */
static enum err request_rate_address(struct exchange *exchange, struct problem *problem)
{
	const struct conn *conn = exchange->conn;
	const struct operation *operation = exchange->operation;

	take_rate(exchange, RATE_ADDRESS, conn->network, conn->network_len);
	if (operation != NULL && operation->permission == PERM_PUBLIC && operation->lane == LANE_SLOW)
		take_rate(exchange, RATE_SIGN_IN, conn->network, conn->network_len);
	return rate_verdict(exchange, problem);
}

#define CALLER_MAX 64 /* an operation's number and a person's, client's or network's bytes */

/* One caller's share of one operation. */
static void take_rate_operation(struct exchange *exchange, const void *caller, size_t caller_len)
{
	uint8_t text[CALLER_MAX];

	if (caller_len > sizeof text - sizeof exchange->operation->number)
		caller_len = sizeof text - sizeof exchange->operation->number;
	memcpy(text, &exchange->operation->number, sizeof exchange->operation->number);
	memcpy(text + sizeof exchange->operation->number, caller, caller_len);
	take_rate(exchange, RATE_OPERATION, text, sizeof exchange->operation->number + caller_len);
}

static enum err request_rate_token(struct exchange *exchange, const struct token *token, struct problem *problem)
{
	const bool person = !uuid_is_nil(&token->person_id);
	const size_t client_len = strlen(token->client_id);

	if (person)
		take_rate(exchange, RATE_PERSON, token->person_id.b, sizeof token->person_id.b);
	if (client_len > 0)
		take_rate(exchange, RATE_CLIENT, token->client_id, client_len);
	take_rate(exchange, RATE_TENANT, token->tenant_id.b, sizeof token->tenant_id.b);
	if (person)
		take_rate_operation(exchange, token->person_id.b, sizeof token->person_id.b);
	else
		take_rate_operation(exchange, token->client_id, client_len);
	return rate_verdict(exchange, problem);
}

/* One that verifies, is for this resource, and came from whom it belongs to. */
static enum err request_token(struct exchange *exchange, const struct http_parser *parser, struct str compact,
	const struct token **token_out, struct problem *problem)
{
	enum err err = auth_check(exchange, compact, token_out);

	if (err == OK && !operation_within(exchange->operation, str_from((*token_out)->resource)))
		return ERR_UNAUTHENTICATED;
	if (err == OK)
		err = auth_prove(exchange, parser, compact, *token_out);
	return err == ERR_RATE_LIMITED ? rate_verdict(exchange, problem) : err;
}

/*
 * Token, revocation, rates, verified address, permission: in that order, so that nobody learns of a permission without
 * a token.
 */
static enum err request_authorize(struct exchange *exchange, const struct http_parser *parser, struct problem *problem)
{
	const struct operation *operation = exchange->operation;
	const struct token *token = NULL;
	struct str authorization = STR_NONE, bearer;
	enum err err;

	if ((err = field_once(parser, "Authorization", &authorization, problem)) != OK)
		return err;
	bearer = auth_token(authorization, &exchange->proven);
	exchange->has_bearer = bearer.p != NULL;
	if (operation->permission == PERM_PUBLIC) {
		exchange->line = fair_queue_line_of(exchange->conn->network, exchange->conn->network_len);
		take_rate_operation(exchange, exchange->conn->network, exchange->conn->network_len);
		return rate_verdict(exchange, problem);
	}
	if (bearer.p == NULL)
		return ERR_UNAUTHENTICATED;
	if ((err = request_token(exchange, parser, bearer, &token, problem)) != OK)
		return err;
	request_origin_of(exchange, token);
	exchange->line = fair_queue_line_of(token->tenant_id.b, sizeof token->tenant_id.b);
	if ((err = request_rate_token(exchange, token, problem)) != OK)
		return err;
	return admit_token(operation, token, exchange->loop->wall_us, &problem->reason);
}

/*
 * `application/json; charset=utf-8` is the media type before the semicolon; other parameters are not looked at (RFC
 * 8259 section 11).
 */
static enum err request_media(
	const struct operation *operation, const struct http_parser *parser, struct problem *problem)
{
	const bool has_body = parser->chunked || parser->content_length > 0;
	const struct str wanted = (operation->flags & OP_WEB) != 0 ? STR(FORM_MEDIA) : STR("application/json");
	struct str value = STR_NONE, coding = STR_NONE, media;
	enum err err;

	if (!has_body)
		return OK;
	if ((err = field_once(parser, "Content-Type", &value, problem)) != OK ||
		(err = field_once(parser, "Content-Encoding", &coding, problem)) != OK)
		return err;
	/* RFC 9110 section 8.4: no coding is undone here, so what bears one is not the media type that it names. */
	problem->field = STR("Content-Encoding");
	if (coding.p != NULL && !str_eq_nocase(coding, STR("identity")))
		return ERR_UNSUPPORTED_MEDIA;
	problem->field = STR("Content-Type");
	(void)str_cut(&value, ';', &media);
	if (!str_eq_nocase(str_trim(media), wanted))
		return ERR_UNSUPPORTED_MEDIA;
	problem->field = STR_NONE;
	return OK;
}

static enum err request_preconditions(
	struct exchange *exchange, const struct http_parser *parser, struct problem *problem)
{
	const unsigned flags = exchange->operation->flags;
	struct str key = STR_NONE, match = STR_NONE;
	enum err err;

	if ((err = field_once(parser, "Idempotency-Key", &key, problem)) != OK ||
		(err = field_once(parser, "If-Match", &match, problem)) != OK)
		return err;
	if ((flags & OP_KEYED) != 0 && key.p != NULL && (err = precondition_key(key)) != OK) {
		problem->field = STR("Idempotency-Key");
		return err;
	}
	if ((flags & OP_VERSIONED) == 0)
		return OK;
	if (match.p == NULL)
		return ERR_VERSION_REQUIRED;
	if ((err = precondition_match(match, &exchange->item.if_match)) != OK)
		problem->field = STR("If-Match");
	return err;
}

/*
 * What is handed to a service as it came must fit what an item holds: one that does not would cost its whole batch
 * (contract/envelope.h).
 */
static enum err request_handed_on(
	const struct exchange *exchange, const struct http_parser *parser, struct problem *problem)
{
	static const struct {
		const char *name;
		size_t len_max;
	} fields[] = {
		{"Cookie", HEADER_TEXT_MAX},
		{"Authorization", HEADER_TEXT_MAX},
		{"Accept-Language", HEADER_TEXT_MAX},
		{"DPoP", PROOF_BYTES_MAX},
	};
	struct str value;

	if ((exchange->operation->flags & OP_WEB) == 0)
		return OK;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const size_t count = http_find(parser, fields[i].name, &value);

		problem->field = str_from(fields[i].name);
		if (value.len > fields[i].len_max)
			return ERR_HEADER_TOO_LARGE;
		/* RFC 6265 section 5.4: one Cookie field. Two are two truths about who asks. */
		if (count > 1 && i == 0)
			return ERR_BAD_REQUEST;
	}
	problem->field = STR_NONE;
	return OK;
}

static enum err head_verdict(struct exchange *exchange, struct http_parser *parser, struct problem *problem)
{
	const enum err route = request_route(exchange, parser);
	enum err err;

	request_origin(exchange, parser);
	if ((err = request_rate_address(exchange, problem)) != OK)
		return err;
	if (route != OK || exchange->operation == NULL)
		return route;
	if (!conn_suffices(exchange->conn, exchange->operation))
		return ERR_CERTIFICATE;
	if ((err = request_handed_on(exchange, parser, problem)) != OK)
		return err;
	if ((err = request_authorize(exchange, parser, problem)) != OK)
		return err;
	if ((err = request_media(exchange->operation, parser, problem)) != OK)
		return err;
	if ((err = request_preconditions(exchange, parser, problem)) != OK)
		return err;
	if (parser->content_length > exchange->operation->body_cap)
		return ERR_TOO_LARGE;
	http_parser_limit_body(parser, exchange->operation->body_cap);
	return OK;
}

/*
 * A body that has not arrived is not waited for, so no further request can be found behind it. One that is there and
 * malformed is the worse fault.
 */
static void request_refuse(struct exchange *exchange, struct http_parser *parser, struct problem *problem, enum err err)
{
	const enum http_result rest = http_parser_feed(parser, exchange_input(exchange));

	if (rest == HTTP_FAIL && parser->err != ERR_TOO_LARGE) {
		*problem = (struct problem){.err = parser->err};
		exchange->operation = NULL;
	} else {
		problem->err = err;
	}
	exchange->keep_alive = exchange->keep_alive && rest == HTTP_DONE;
	respond_problem(exchange, problem);
}

void request_head(struct exchange *exchange, struct http_parser *parser)
{
	struct problem problem = {.err = OK};
	enum err err;

	exchange->keep_alive = parser->keep_alive;
	exchange->minor = parser->minor;
	trace_accept(exchange, parser);
	exchange->person = page_wanted(parser);
	err = head_verdict(exchange, parser, &problem);
	if (err != OK) {
		request_refuse(exchange, parser, &problem, err);
		return;
	}
	if (parser->expect_continue && (parser->chunked || parser->content_length > 0))
		respond_continue(exchange);
}

static enum err decode_path(struct exchange *exchange, const struct shape *shape, void *request, struct fault *fault)
{
	for (size_t i = 0; i < exchange->route.param_count; i++) {
		const enum err err = path_decode(shape, exchange->route.params[i].name, exchange->route.params[i].value,
			exchange->arena, request, fault);

		if (err != OK)
			return err;
	}
	return OK;
}

/* Pages and OAuth endpoints judge their own parameters: a fault is handed on by name. */
static void decode_web(
	struct exchange *exchange, const struct http_parser *parser, const struct shape *shape, void *request)
{
	const bool form = exchange->operation->body_cap > 0;
	struct fault fault = {0};

	if (query_decode(shape, form ? http_body(parser) : http_query(parser), form ? IN_FORM : IN_QUERY, true,
		    exchange->arena, request, &fault) != OK)
		exchange->item.form_fault =
			arena_copy(exchange->arena, str_from(fault.field[0] != '\0' ? fault.field : "body"));
}

static enum err request_decode(struct exchange *exchange, const struct http_parser *parser, struct fault *fault)
{
	const struct operation *operation = exchange->operation;
	const struct shape *shape = operation->request();
	void *request = arena_take(exchange->arena, shape->size + 1);
	struct buf *scratch = &exchange->loop->scratch;
	enum err err;

	if (request == NULL)
		return ERR_OVERLOADED;
	if ((exchange->operation->flags & OP_WEB) != 0) {
		decode_web(exchange, parser, shape, request);
	} else {
		/* First, because it makes the object; the others add to it. */
		if ((err = json_decode(shape, http_body(parser), exchange->arena, request, fault)) != OK)
			return err;
		if ((err = decode_path(exchange, shape, request, fault)) != OK)
			return err;
		err = query_decode(shape, http_query(parser), IN_QUERY, false, exchange->arena, request, fault);
		if (err != OK)
			return err;
		if ((err = shape_check(shape, request, fault)) != OK)
			return err;
	}
	buf_reset(scratch);
	binary_encode(shape, request, scratch);
	exchange->item.body = arena_copy(exchange->arena, buf_str(scratch));
	err = buf_ok(scratch) && exchange->item.body.p != NULL ? OK : ERR_TOO_LARGE;
	/* A password stands nowhere longer than its request does. */
	buf_reset(scratch);
	return err;
}

/* Spans moved with the body, so fields are looked up again; what is not named here never reaches a service. */
static void request_fill_item(struct exchange *exchange, const struct http_parser *parser)
{
	struct request_item *item = &exchange->item;
	const unsigned flags = exchange->operation->flags;
	struct str authorization = STR_NONE, none_match, agent;

	item->operation = exchange->operation->number;
	item->request_id = exchange->request_id;
	item->client_address = str_from(exchange->conn->address);
	trace_forward(exchange);
	item->traceparent = str_from(exchange->traceparent);
	(void)http_find(parser, "authorization", &authorization);
	if (exchange->operation->permission != PERM_PUBLIC)
		item->token = auth_token(authorization, &exchange->proven);
	if ((flags & OP_KEYED) != 0)
		(void)http_find(parser, "idempotency-key", &item->idempotency_key);
	/* The answer may be written when the request's bytes are gone. */
	if (http_find(parser, "if-none-match", &none_match) > 0)
		exchange->none_match = arena_copy(exchange->arena, none_match);
	if ((flags & OP_WEB) == 0)
		return;
	(void)http_find(parser, "cookie", &item->cookie);
	(void)http_find(parser, "accept-language", &item->languages);
	if ((flags & OP_PAGE) != 0 && http_find(parser, "user-agent", &agent) > 0)
		item->browser = browser_family(agent);
	if (!exchange->has_bearer)
		item->authorization = authorization;
	if (exchange->operation->permission == PERM_PUBLIC && http_find(parser, "dpop", &item->proof) > 1)
		item->proof = STR(","); /* a list, which is no proof (RFC 9449 section 4.3) */
}

static void request_refuse_full(struct exchange *exchange, enum err err)
{
	edge_count(&exchange->loop->counts.refused_full);
	respond_item(exchange, &(struct reply_item){.err = err, .retry_after_s = EDGE_RETRY_AFTER_S});
}

bool request_send(struct exchange *exchange)
{
	const struct operation *operation = exchange->operation;
	const enum err err = arrow_enqueue(&exchange->loop->arrows[operation->callee][operation->lane], exchange);

	if (err == OK)
		edge_count(&exchange->loop->counts.forwarded);
	else
		request_refuse_full(exchange, err);
	return err == OK;
}

static void request_forward(struct exchange *exchange)
{
	const enum lane lane = exchange->operation->lane;
	enum err err;

	exchange->deadline_us =
		exchange->loop->now_us + (lane == LANE_FAST ? EDGE_DEADLINE_FAST_US : EDGE_DEADLINE_SLOW_US);
	if (exchange->stream == NULL)
		timer_set(&exchange->loop->wheel, &exchange->conn->timer, exchange->deadline_us + EDGE_WRITE_US);
	err = proofs_ask(exchange);
	if (err == ERR_OVERLOADED)
		request_refuse_full(exchange, err);
	else if (err != OK)
		(void)request_send(exchange);
}

void request_whole(struct exchange *exchange, struct http_parser *parser)
{
	struct problem problem = {.err = OK};
	struct fault fault = {0};

	exchange->complete = true;
	exchange->keep_alive = parser->keep_alive;
	if (exchange->options) {
		respond_options(exchange);
		return;
	}
	if ((exchange->operation->flags & OP_LOCAL) != 0) {
		respond_local(exchange);
		return;
	}
	problem.err = request_decode(exchange, parser, &fault);
	if (problem.err != OK) {
		problem.field = str_from(fault.field[0] != '\0' ? fault.field : NULL);
		problem.reason = str_from(fault.reason);
		problem.detail = str_from(fault.detail);
		respond_problem(exchange, &problem);
		return;
	}
	request_fill_item(exchange, parser);
	request_forward(exchange);
}
