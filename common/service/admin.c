/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "service/context.h"

/* What is missing, one row each; a dependency that is there is told too when `w` is not NULL. True: ready. */
static void row(struct json_writer *w, bool *ready, const char *name, bool up)
{
	if (!up)
		*ready = false;
	if (w == NULL)
		return;
	json_key(w, name);
	json_put_c(w, up ? "up" : "missing");
}

static void row_links(const struct context *context, struct json_writer *w, bool *ready)
{
	for (enum peer peer = PEER_NONE + 1; peer < PEER_COUNT; peer++) {
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++) {
			const struct link_dialer *dialer = context->dialers[peer][lane];
			char name[48];
			bool up;

			if (dialer == NULL)
				continue;
			up = link_live(dialer) > 0;
			snprintf(name, sizeof name, "%s_%s", peer_name(peer), lane_name(lane));
			/*
			 * auditsvc away makes outboxes wait and nothing else: a process without it is ready, and says
			 * so.
			 */
			if (!up && peer == PEER_auditsvc && context->service->self != PEER_gateway) {
				bool ignored = true;

				row(w, &ignored, name, up);
				continue;
			}
			row(w, ready, name, up);
		}
	}
}

static bool readiness(struct context *context, struct json_writer *w)
{
	const char *missing = context->service->missing != NULL ? context->service->missing(context) : NULL;
	const char *degraded = context->service->degraded != NULL ? context->service->degraded(context) : NULL;
	bool ready = true, tolerated = true;

	if (context->service->schema != NULL)
		row(w, &ready, "postgresql", __atomic_load_n(&context->store_up, __ATOMIC_RELAXED));
	row(w, &ready, "keys", keyring_generation(context->keyring) > 0);
	row_links(context, w, &ready);
	if (missing != NULL)
		row(w, &ready, missing, false);
	if (degraded != NULL)
		row(w, &tolerated, degraded, false);
	row(w, &ready, "serving", __atomic_load_n(&context->serving, __ATOMIC_RELAXED));
	return ready;
}

static void show_live(void *ctx, struct http_admin_call *call)
{
	(void)ctx;
	buf_put_c(call->body, "live\n");
}

static void show_ready(void *ctx, struct http_admin_call *call)
{
	struct json_writer w = json_writer_over(call->body);
	bool ready;

	if (!str_eq_c(call->query, "verbose")) {
		ready = readiness(ctx, NULL);
		buf_put_c(call->body, ready ? "ready\n" : "not ready\n");
	} else if (!call->has_client_cert) {
		call->status = 403;
		buf_put_c(call->body, "a client certificate is required\n");
		return;
	} else {
		call->content_type = "application/json";
		json_begin_object(&w);
		ready = readiness(ctx, &w);
		json_end_object(&w);
	}
	if (!ready)
		call->status = 503;
}

static void write_outbox(const struct context *context, struct buf *out)
{
	struct outbox_stats stats;

	if (context->relay == NULL)
		return;
	outbox_relay_stats(context->relay, &stats);
	buf_printf(out,
		"# TYPE berth_outbox_waiting gauge\nberth_outbox_waiting %llu\n# TYPE berth_outbox_oldest_seconds gauge\n"
		"berth_outbox_oldest_seconds %.3f\n# TYPE berth_outbox_delivered_total counter\nberth_outbox_delivered_total %llu\n"
		"# TYPE berth_outbox_refused_total counter\nberth_outbox_refused_total %llu\n",
		(unsigned long long)stats.waiting, (double)stats.oldest_age_us / 1e6,
		(unsigned long long)stats.delivered_total, (unsigned long long)stats.refused_total);
}

static void show_metrics(void *ctx, struct http_admin_call *call)
{
	struct context *context = ctx;
	const struct metrics *all[SERVICE_THREADS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < context->thread_count; i++)
		if (context->threads[i].metrics != NULL)
			all[count++] = context->threads[i].metrics;
	call->content_type = "text/plain; version=0.0.4; charset=utf-8";
	buf_printf(call->body,
		"# TYPE berth_build_info gauge\nberth_build_info{service=\"%s\",version=\"" BERTH_VERSION "\"} 1\n",
		context->name);
	buf_printf(call->body, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.3f\n",
		(double)context->started_at / 1e6);
	buf_printf(call->body, "# TYPE berth_ready gauge\nberth_ready %d\n", readiness(context, NULL) ? 1 : 0);
	metrics_write(all, count, call->body);
	write_outbox(context, call->body);
	if (context->service->metrics != NULL)
		context->service->metrics(context, call->body);
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
		.cert_file = context->common.admin_cert_file,
		.key_file = context->common.admin_key_file,
		.client_ca_file = context->common.admin_ca_file,
		.pages = pages,
		.context = context,
	};

	return http_admin_new(&config, &context->admin);
}
