/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "service/context.h"

/* "verbose" among the words of the query, whatever its value. */
static bool wants_detail(struct str query)
{
	struct str word, name;
	bool more, found = false;

	do {
		more = str_cut(&query, '&', &word);
		(void)str_cut(&word, '=', &name);
		found |= str_eq_c(name, "verbose");
	} while (more);
	return found;
}

/* Whether the detail that is asked for may be shown; false when it is refused, which the answer then says. */
static bool may_see_detail(struct http_admin_call *call)
{
	if (!call->has_client_cert) {
		call->status = 403;
		buf_put_c(call->body, "a client certificate is required\n");
		return false;
	}
	call->content_type = "application/json";
	return true;
}

static void show_live(void *ctx, struct http_admin_call *call)
{
	(void)ctx;
	if (!wants_detail(call->query))
		buf_put_c(call->body, "live\n");
	else if (may_see_detail(call))
		buf_put_c(call->body, "{\"live\":\"up\"}");
}

static void show_ready(void *ctx, struct http_admin_call *call)
{
	struct json_writer w = json_writer_over(call->body);
	bool ready;

	if (!wants_detail(call->query)) {
		ready = context_is_ready(ctx, NULL);
		buf_put_c(call->body, ready ? "ready\n" : "not ready\n");
	} else if (!may_see_detail(call)) {
		return;
	} else {
		json_begin_object(&w);
		ready = context_is_ready(ctx, &w);
		json_end_object(&w);
	}
	if (!ready)
		call->status = 503;
}

static void show_metrics(void *ctx, struct http_admin_call *call)
{
	call->content_type = "text/plain; version=0.0.4; charset=utf-8";
	context_write_metrics(ctx, call->body);
}

static const struct http_admin_page pages[] = {
	{.path = "/livez", .show = show_live},
	{.path = "/readyz", .show = show_ready},
	{.path = "/metrics", .needs_client_cert = true, .show = show_metrics},
	{0},
};

enum err context_open_admin(struct context *context)
{
	const struct http_admin_config config = {
		.listen = context->common.admin_listen,
		.taken_fd = context_inherit(context, context->common.admin_listen),
		.cert_file = context->common.admin_cert_file,
		.key_file = context->common.admin_key_file,
		.client_ca_file = context->common.admin_ca_file,
		.pages = pages,
		.context = context,
	};

	return http_admin_new(&config, &context->admin);
}
