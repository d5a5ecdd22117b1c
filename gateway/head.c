/* SPDX-License-Identifier: Apache-2.0 */
#include "head.h"

#include <string.h>

#include "http/http_reply.h"
#include "http/http_target.h"
#include "loop.h"
#include "token/dpop.h"

/* On every answer, whatever its status (RFC 6797 section 7.1 and the OWASP secure headers list). */
static const char security_fields[] = "Strict-Transport-Security: max-age=63072000; includeSubDomains; preload\r\n"
				      "X-Content-Type-Options: nosniff\r\n"
				      "X-Frame-Options: DENY\r\n"
				      "Referrer-Policy: no-referrer\r\n"
				      "Cross-Origin-Resource-Policy: same-origin\r\n"
				      "Cross-Origin-Opener-Policy: same-origin\r\n"
				      "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n";
static const char csp_strictest[] = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

static const char *date_of(struct loop *loop)
{
	const instant_us now_s = loop->wall_us / US_PER_S;

	if (now_s != loop->date_at_s) {
		http_date_format(loop->wall_us, loop->date);
		loop->date_at_s = now_s;
	}
	return loop->date;
}

#define DPOP_CHALLENGE "DPoP realm=\"berth\", algs=\"" DPOP_ALGS "\""

/* RFC 6750 section 3, RFC 9449 section 7.1: why; without a token, both ways that there are. */
static void put_unauthenticated(struct buf *out, const struct exchange *exchange)
{
	if (exchange->challenge == CHALLENGE_PROOF)
		http_reply_field(out, "WWW-Authenticate", STR(DPOP_CHALLENGE ", error=\"invalid_dpop_proof\""));
	else if (exchange->challenge == CHALLENGE_TOKEN || exchange->proven)
		http_reply_field(out, "WWW-Authenticate", STR(DPOP_CHALLENGE ", error=\"invalid_token\""));
	else if (exchange->has_bearer)
		http_reply_field(out, "WWW-Authenticate", STR("Bearer realm=\"berth\", error=\"invalid_token\""));
	else
		http_reply_field(out, "WWW-Authenticate", STR("Bearer realm=\"berth\", " DPOP_CHALLENGE));
}

/* For 403 what would be needed. */
static void put_challenge(struct buf *out, const struct exchange *exchange, const struct head *head)
{
	/* RFC 9470 section 3 */
	if (head->err == ERR_STEP_UP)
		buf_printf(out,
			"WWW-Authenticate: %s realm=\"berth\", error=\"%s\", acr_values=\"%s\", max_age=\"%d\"\r\n",
			exchange->proven ? "DPoP" : "Bearer", err_code(head->err), STEP_UP_ACR, STEP_UP_MAX_AGE_S);
	else if (head->status == 401)
		put_unauthenticated(out, exchange);
	if (head->err == ERR_FORBIDDEN && head->scope.len < 60 && http_is_token(head->scope)) {
		char text[160];
		const int len =
			snprintf(text, sizeof text, "%s realm=\"berth\", error=\"insufficient_scope\", scope=\"%.*s\"",
				exchange->proven ? "DPoP" : "Bearer", STR_ARG(head->scope));

		http_reply_field(out, "WWW-Authenticate", (struct str){text, (size_t)len});
	}
}

/*
 * RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4: of the class with the
 * least left, its burst as the quota, and as window and reset the time that an empty bucket and this one need to fill.
 */
static void put_rate(struct buf *out, const struct exchange *exchange)
{
	const struct rate_answer *rate = &exchange->rate;
	struct rate_policy policy;
	const char *name = rate_class_name(rate->class);

	if (!exchange->has_rate || rate->remaining == INT64_MAX)
		return;
	policy = rate_policy_of(exchange->loop->gateway->rates, rate->class);
	if (policy.per_s <= 0)
		return; /* switched off meanwhile */
	buf_printf(out, "RateLimit-Policy: \"%s\";q=%lld;w=%lld\r\nRateLimit: \"%s\";r=%lld;t=%u\r\n", name,
		(long long)policy.burst, (long long)((policy.burst + policy.per_s - 1) / policy.per_s), name,
		(long long)rate->remaining, rate->full_after_s);
}

/*
 * The CORS protocol (Fetch standard, section 3.3). No credentials: cookies belong to pages, which no other origin
 * reads, and tokens are sent by the script itself. Who is not allowed is told nothing, upon which its browser refuses.
 */
static void put_cors(struct buf *out, const struct exchange *exchange)
{
	if (exchange->operation != NULL ? (exchange->operation->flags & OP_PAGE) == 0 : exchange->options)
		buf_put_c(out, "Vary: Origin\r\n");
	if (exchange->origin.p == NULL)
		return;
	http_reply_field(out, "Access-Control-Allow-Origin", exchange->origin);
	if (!exchange->preflight) {
		buf_put_c(out, "Access-Control-Expose-Headers: ETag, Location, RateLimit, RateLimit-Policy, "
			       "Retry-After, WWW-Authenticate, X-Request-Id\r\n");
		return;
	}
	http_reply_field(out, "Access-Control-Allow-Methods", str_from(exchange->allow));
	buf_put_c(out, "Access-Control-Allow-Headers: Authorization, Content-Type, DPoP, Idempotency-Key, If-Match, "
		       "traceparent\r\n");
	buf_printf(out, "Access-Control-Max-Age: %d\r\n", EDGE_PREFLIGHT_S);
}

/* An origin and nothing else: what stands between the policy's directives must not write one of its own. */
static bool is_origin(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			(c == '\0' || strchr(":/.-_~[]%+", c) == NULL))
			return false;
	}
	return text.len > 0;
}

static void put_page_policy(struct buf *out, const struct exchange *exchange, const struct head *head)
{
	const struct web_reply *web = head->web;
	struct str action = STR_NONE;

	if (head->csp != NULL) {
		http_reply_field(out, "Content-Security-Policy", str_from(head->csp));
		return;
	}
	if (web == NULL || !str_starts(web->content_type, "text/html")) {
		http_reply_field(out, "Content-Security-Policy", str_from(csp_strictest));
		return;
	}
	if (web->has_form_action && is_origin(web->form_action))
		action = web->form_action;
	buf_printf(out, "Content-Security-Policy: default-src 'none'; style-src '%s'; ",
		exchange->loop->gateway->page_style_hash);
	if (web->script) /* one file, and no other that this origin may ever answer with */
		buf_printf(out, "script-src %s/passkey.js; ", context_public_url(exchange->loop->gateway->context));
	buf_printf(out, "form-action 'self'%s%.*s; frame-ancestors 'none'; base-uri 'none'\r\n",
		action.len > 0 ? " " : "", STR_ARG(action));
}

static void put_web(struct buf *out, const struct web_reply *web)
{
	if (web->has_content_type)
		http_reply_field(out, "Content-Type", web->content_type);
	if (web->has_location)
		http_reply_field(out, "Location", web->location);
	if (web->has_www_authenticate)
		http_reply_field(out, "WWW-Authenticate", web->www_authenticate);
	for (size_t i = 0; i < web->set_cookie.count; i++)
		http_reply_field(out, "Set-Cookie", web->set_cookie.items[i]);
	http_reply_field(out, "Cache-Control", web->cacheable ? STR("public, max-age=300") : STR("no-store"));
}

static void put_api(struct buf *out, const struct exchange *exchange, const struct head *head)
{
	if (head->content_type != NULL && head->status != 204)
		http_reply_field(out, "Content-Type", str_from(head->content_type));
	http_reply_field(out, "Cache-Control", STR("no-store"));
	if (head->version > 0)
		buf_printf(out, "ETag: \"%lld\"\r\n", (long long)head->version);
	if (head->created_id != NULL) {
		char id[UUID_TEXT_LEN + 1];

		uuid_format(head->created_id, id);
		buf_printf(out, "Location: %s/%s\r\n", exchange->operation->path, id);
	}
}

void head_write(
	struct buf *out, const struct exchange *exchange, const struct head *head, size_t body_len, bool keep_alive)
{
	char id[UUID_TEXT_LEN + 1];

	http_reply_begin(out, head->status);
	buf_put_c(out, "Date: ");
	buf_put(out, date_of(exchange->loop), 29);
	buf_put_c(out, "\r\n");
	if (head->web != NULL)
		put_web(out, head->web);
	else
		put_api(out, exchange, head);
	if (head->status != 204 && head->status >= 200)
		http_reply_field_u64(out, "Content-Length", body_len);
	if (!keep_alive)
		buf_put_c(out, "Connection: close\r\n");
	else if (exchange->minor == 0)
		buf_put_c(out, "Connection: keep-alive\r\n");
	if (head->status == 405 || head->allow)
		http_reply_field(out, "Allow", str_from(exchange->allow));
	if (head->err != OK)
		put_challenge(out, exchange, head);
	if (head->retry_after_s > 0)
		http_reply_field_u64(out, "Retry-After", head->retry_after_s);
	put_rate(out, exchange);
	put_cors(out, exchange);
	buf_put(out, security_fields, sizeof security_fields - 1);
	put_page_policy(out, exchange, head);
	uuid_format(&exchange->request_id, id);
	buf_put_c(out, "X-Request-Id: ");
	buf_put(out, id, UUID_TEXT_LEN);
	buf_put_c(out, "\r\n");
	http_reply_end(out);
}
