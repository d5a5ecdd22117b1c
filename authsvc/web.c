/* SPDX-License-Identifier: Apache-2.0 */
#include "web.h"

#include <string.h>

#include "base/encode.h"

#define COOKIES_MAX 6
#define LOCATION_MAX 4096

enum err web_body(
	struct call *call, struct web_reply *reply, int status, const char *content_type, const struct buf *body)
{
	if (!buf_ok(body))
		return ERR_OVERLOADED;
	reply->status = status;
	reply->has_status = true;
	reply->content_type = str_from(content_type);
	reply->has_content_type = true;
	reply->body = arena_copy(call->arena, buf_str(body));
	reply->has_body = true;
	return reply->body.p != NULL ? OK : ERR_OVERLOADED;
}

enum err web_page(struct call *call, struct web_reply *reply, int status, const struct buf *html)
{
	return web_body(call, reply, status, "text/html; charset=utf-8", html);
}

void web_script(struct web_reply *reply)
{
	reply->script = true;
	reply->has_script = true;
}

enum err web_json(struct call *call, struct web_reply *reply, int status, const struct buf *json)
{
	return web_body(call, reply, status, "application/json", json);
}

enum err web_see_other(struct web_reply *reply, struct str location)
{
	if (location.p == NULL || location.len > LOCATION_MAX)
		return ERR_OVERLOADED;
	reply->status = 303;
	reply->has_status = true;
	reply->location = location;
	reply->has_location = true;
	return OK;
}

static enum err put_cookie(struct call *call, struct web_reply *reply, struct str cookie)
{
	if (reply->set_cookie.items == NULL)
		reply->set_cookie.items =
			arena_take_array(call->arena, COOKIES_MAX, sizeof(reply->set_cookie.items[0]));
	if (cookie.p == NULL || reply->set_cookie.items == NULL || reply->set_cookie.count == COOKIES_MAX)
		return ERR_OVERLOADED;
	reply->set_cookie.items[reply->set_cookie.count++] = cookie;
	reply->has_set_cookie = true;
	return OK;
}

enum err web_cookie(struct call *call, struct web_reply *reply, const char *name, struct str value)
{
	return put_cookie(call, reply,
		arena_printf(call->arena, "%s=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name, STR_ARG(value),
			value.p != NULL ? "" : "; Max-Age=0"));
}

enum err web_cookie_kept(
	struct call *call, struct web_reply *reply, const char *name, struct str value, int64_t max_age_s)
{
	return put_cookie(call, reply,
		arena_printf(call->arena, "%s=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=%lld", name,
			STR_ARG(value), (long long)max_age_s));
}

enum err web_oauth_error(
	struct call *call, struct web_reply *reply, int status, const char *error, const char *description)
{
	struct json_writer w;
	struct buf buf;
	enum err err;

	buf_init(&buf, 1024);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	json_key(&w, "error");
	json_put_c(&w, error);
	json_key(&w, "error_description");
	json_put_c(&w, description);
	json_end_object(&w);
	if (status == 401) {
		reply->www_authenticate = STR("Basic realm=\"berth\", charset=\"UTF-8\"");
		reply->has_www_authenticate = true;
	}
	err = web_json(call, reply, status, &buf);
	buf_release(&buf);
	return err;
}

static void put_pair(struct call *call, struct buf *out, char *separator, const char *name, struct str value)
{
	struct str encoded = percent_encode(call->arena, value);

	if (encoded.p == NULL)
		out->failed = true;
	buf_put_byte(out, (uint8_t)*separator);
	buf_put_c(out, name);
	buf_put_byte(out, '=');
	buf_put_str(out, encoded);
	*separator = '&';
}

struct str web_back(struct call *call, struct str redirect_uri, const struct web_pair *pairs)
{
	char separator = memchr(redirect_uri.p, '?', redirect_uri.len) != NULL ? '&' : '?';
	struct str location;
	struct buf buf;

	buf_init(&buf, LOCATION_MAX);
	buf_put_str(&buf, redirect_uri);
	for (; pairs->name != NULL; pairs++) {
		if (pairs->value.p != NULL)
			put_pair(call, &buf, &separator, pairs->name, pairs->value);
	}
	put_pair(call, &buf, &separator, "iss", str_from(context_public_url(call->worker->context)));
	location = buf_ok(&buf) ? arena_copy(call->arena, buf_str(&buf)) : STR_NONE;
	buf_release(&buf);
	return location;
}
