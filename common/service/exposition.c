/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "service/context.h"

#define STATM_MAX 128

static void put_gauge(struct buf *out, const char *name, double value)
{
	buf_printf(out, "# TYPE %s gauge\n%s %.6g\n", name, name, value);
}

static void put_counter(struct buf *out, const char *name, uint64_t value)
{
	buf_printf(out, "# TYPE %s counter\n%s %llu\n", name, name, (unsigned long long)value);
}

/* Second number of /proc/self/statm: resident pages. */
static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[STATM_MAX];
	struct str rest, word;
	uint64_t pages = 0;

	if (file == NULL)
		return 0;
	rest = str_from(fgets(line, sizeof line, file));
	(void)fclose(file);
	(void)str_cut(&rest, ' ', &word);
	(void)str_cut(&rest, ' ', &word);
	return str_to_u64(word, UINT64_MAX / 65536, &pages) == OK ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void write_process(struct context *context, struct buf *out)
{
	const struct confined *confined = &context->confined;
	const struct {
		const char *layer;
		bool holds;
	} layers[] = {{"files", confined->files}, {"ports", confined->ports}, {"scope", confined->scope},
		{"calls", confined->calls}};

	buf_printf(out, "# TYPE berth_build_info gauge\nberth_build_info{service=\"%s\",version=\"%s\"} 1\n",
		context->name, BERTH_VERSION);
	buf_printf(out, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.3f\n",
		(double)context->started_at / 1e6);
	buf_printf(out, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %llu\n",
		(unsigned long long)resident_bytes());
	put_gauge(out, "berth_ready", context_is_ready(context, NULL) ? 1 : 0);
	put_gauge(out, "berth_draining", context_stopping(context) ? 1 : 0);
	if (context->service->schema != NULL)
		put_gauge(out, "berth_postgresql_up", __atomic_load_n(&context->store_up, __ATOMIC_RELAXED) ? 1 : 0);
	buf_put_c(out, "# TYPE berth_confined gauge\n");
	for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
		buf_printf(out, "berth_confined{layer=\"%s\"} %d\n", layers[i].layer, layers[i].holds ? 1 : 0);
}

static void write_keys(struct context *context, struct buf *out)
{
	const struct keyring_counts counts = keyring_counts(context->keyring);

	put_counter(out, "berth_keys_fetched_total", counts.fetched);
	put_counter(out, "berth_keys_failed_total", counts.failed);
	put_counter(out, "berth_keys_unknown_total", counts.misses);
	put_gauge(out, "berth_keys_fetched_seconds", (double)counts.fetched_at / 1e6);
}

static void write_traces(struct buf *out)
{
	const struct trace_counts counts = trace_counts();

	put_counter(out, "berth_trace_spans_total", counts.recorded);
	put_counter(out, "berth_trace_spans_dropped_total", counts.dropped);
}

static void write_listeners(const struct context *context, struct buf *out)
{
	static const char *const names[] = {"berth_link_callers", "berth_link_received_total",
		"berth_link_replied_total", "berth_link_refused_total", "berth_link_dropped_total",
		"berth_link_turned_away_total", "berth_link_faults_total"};

	for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
		if (context->listener_count > 0)
			buf_printf(out, "# TYPE %s %s\n", names[n], n == 0 ? "gauge" : "counter");
		for (size_t i = 0; i < context->listener_count; i++) {
			const struct link_listener *listener = context->listeners[i];
			const struct link_listener_stats stats = link_listener_stats(listener);
			const uint64_t values[] = {stats.connected, stats.received, stats.replied, stats.refused,
				stats.dropped, stats.turned_away, stats.faults};

			buf_printf(out, "%s{caller=\"%s\",lane=\"%s\"} %llu\n", names[n],
				peer_name(link_listener_caller(listener)), lane_name(link_listener_lane(listener)),
				(unsigned long long)values[n]);
		}
	}
}

static void write_dialer(const struct link_dialer *dialer, const char *name, size_t n, struct buf *out)
{
	for (size_t i = 0; i < link_replicas(dialer); i++) {
		const struct link_replica_stats stats = link_stats(dialer, i);
		const uint64_t values[] = {stats.connected ? 1 : 0, stats.in_flight, stats.ejected ? 1 : 0,
			stats.ejections, stats.connects, stats.answered, stats.undelivered, stats.lost, stats.late,
			stats.refused};

		buf_printf(out, "%s{callee=\"%s\",lane=\"%s\",replica=\"%zu\"} %llu\n", name,
			peer_name(link_callee(dialer)), lane_name(link_lane(dialer)), i, (unsigned long long)values[n]);
	}
}

static void write_dialers(const struct context *context, struct buf *out)
{
	static const char *const names[] = {"berth_link_up", "berth_link_in_flight", "berth_link_ejected",
		"berth_link_ejections_total", "berth_link_connects_total", "berth_link_answered_total",
		"berth_link_undelivered_total", "berth_link_lost_total", "berth_link_late_total",
		"berth_link_draining_total"};

	for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
		buf_printf(out, "# TYPE %s %s\n", names[n], n < 3 ? "gauge" : "counter");
		for (size_t i = 0; i < PEER_COUNT; i++)
			for (size_t j = 0; j < LANE_COUNT; j++)
				if (context->dialers[i][j] != NULL)
					write_dialer(context->dialers[i][j], names[n], n, out);
	}
}

static void write_outbox(const struct context *context, struct buf *out)
{
	struct outbox_stats stats;

	if (context->relay == NULL)
		return;
	outbox_relay_stats(context->relay, &stats);
	put_gauge(out, "berth_outbox_waiting", (double)stats.waiting);
	put_gauge(out, "berth_outbox_oldest_seconds", (double)stats.oldest_age_us / 1e6);
	put_gauge(out, "berth_outbox_leading", stats.leading ? 1 : 0);
	put_gauge(out, "berth_outbox_failing", stats.failing ? 1 : 0);
	put_counter(out, "berth_outbox_delivered_total", stats.delivered_total);
	put_counter(out, "berth_outbox_erased_total", stats.erased_total);
	put_counter(out, "berth_outbox_refused_total", stats.refused_total);
}

void context_write_metrics(struct context *context, struct buf *out)
{
	const size_t threads = __atomic_load_n(&context->thread_count, __ATOMIC_ACQUIRE);
	const struct metrics *all[SERVICE_THREADS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < threads; i++)
		if (context->threads[i].metrics != NULL)
			all[count++] = context->threads[i].metrics;
	write_process(context, out);
	write_keys(context, out);
	write_traces(out);
	write_dialers(context, out);
	write_listeners(context, out);
	metrics_write(all, count, out);
	write_outbox(context, out);
	if (context->service->metrics != NULL)
		context->service->metrics(context, out);
}
