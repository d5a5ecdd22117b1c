/* SPDX-License-Identifier: Apache-2.0 */
#include "edge_counts.h"

#include "h2_guard.h"
#include "loop.h"

static const uint64_t bounds_us[EDGE_BUCKETS - 1] = {
	250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000, 15000000};
static const char *const bounds_text[EDGE_BUCKETS] = {"0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
	"0.05", "0.1", "0.25", "1", "5", "15", "+Inf"};

void edge_counts_batch(struct edge_counts *counts, size_t items)
{
	edge_count(&counts->batches);
	edge_count_add(&counts->batch_items, items);
}

void edge_counts_malformed(struct edge_counts *counts)
{
	edge_count(&counts->malformed_replies);
}

void edge_counts_answer(struct edge_counts *counts, const struct operation *operation, int status, uint64_t duration_us)
{
	struct edge_operation_counts *row =
		&counts->operations[operation != NULL ? operation - operation_table : OPERATION_COUNT];
	size_t bucket = 0;

	while (bucket < EDGE_BUCKETS - 1 && duration_us > bounds_us[bucket])
		bucket++;
	edge_count(&row->status[status / 100 - 1]);
	edge_count(&row->buckets[bucket]);
	edge_count_add(&row->sum_us, duration_us);
	edge_count(&counts->answered);
}

static uint64_t sum_at(const struct gateway *gateway, size_t offset)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < gateway->loop_count; i++)
		sum += __atomic_load_n(
			(const uint64_t *)(const void *)((const char *)&gateway->loops[i]->counts + offset),
			__ATOMIC_RELAXED);
	return sum;
}

static void write_operation(const struct gateway *gateway, size_t index, struct buf *out)
{
	const size_t base = offsetof(struct edge_counts, operations) + index * sizeof(struct edge_operation_counts);
	const char *name = index < OPERATION_COUNT ? operation_table[index].name : "none";
	uint64_t count = 0;

	for (size_t i = 0; i < EDGE_STATUS_CLASSES; i++) {
		const uint64_t value =
			sum_at(gateway, base + offsetof(struct edge_operation_counts, status) + i * sizeof(uint64_t));

		if (value > 0)
			buf_printf(out, "berth_edge_requests_total{operation=\"%s\",code=\"%zuxx\"} %llu\n", name,
				i + 1, (unsigned long long)value);
		count += value;
	}
	if (count == 0)
		return;
	count = 0;
	for (size_t i = 0; i < EDGE_BUCKETS; i++) {
		count += sum_at(gateway, base + offsetof(struct edge_operation_counts, buckets) + i * sizeof(uint64_t));
		buf_printf(out, "berth_edge_request_seconds_bucket{operation=\"%s\",le=\"%s\"} %llu\n", name,
			bounds_text[i], (unsigned long long)count);
	}
	buf_printf(out,
		"berth_edge_request_seconds_sum{operation=\"%s\"} %.6f\n"
		"berth_edge_request_seconds_count{operation=\"%s\"} %llu\n",
		name, (double)sum_at(gateway, base + offsetof(struct edge_operation_counts, sum_us)) / 1e6, name,
		(unsigned long long)count);
}

static void write_refused(const struct gateway *gateway, struct buf *out)
{
	buf_put_c(out, "# TYPE berth_edge_refused_rate_total counter\n");
	for (size_t i = 0; i < RATE_CLASS_COUNT; i++)
		buf_printf(out, "berth_edge_refused_rate_total{limit=\"%s\"} %llu\n",
			rate_class_name((enum rate_class)i),
			(unsigned long long)sum_at(
				gateway, offsetof(struct edge_counts, refused_rate) + i * sizeof(uint64_t)));
}

static void write_h2(const struct gateway *gateway, struct buf *out)
{
	uint64_t peak = 0;

	for (size_t i = 0; i < gateway->loop_count; i++)
		edge_count_peak(&peak, __atomic_load_n(&gateway->loops[i]->counts.h2_work_peak, __ATOMIC_RELAXED));
	buf_printf(
		out, "# TYPE berth_edge_h2_work_peak gauge\nberth_edge_h2_work_peak %llu\n", (unsigned long long)peak);
	buf_put_c(out, "# TYPE berth_edge_h2_calm_total counter\n");
	for (size_t i = 0; i < H2_BUDGET_COUNT; i++)
		buf_printf(out, "berth_edge_h2_calm_total{budget=\"%s\"} %llu\n", h2_budget_name((enum h2_budget)i),
			(unsigned long long)sum_at(
				gateway, offsetof(struct edge_counts, h2_calm) + i * sizeof(uint64_t)));
}

void edge_counts_write(const struct gateway *gateway, struct buf *out)
{
#define ROW(member, kind, text)                                                \
	{                                                                      \
		offsetof(struct edge_counts, member), "berth_edge_" text, kind \
	}
	static const struct {
		size_t offset;
		const char *name, *kind;
	} rows[] = {
		ROW(parsed, "counter", "parsed_total"),
		ROW(forwarded, "counter", "forwarded_total"),
		ROW(answered, "counter", "answered_total"),
		ROW(exchanges, "gauge", "exchanges"),
		ROW(accepted, "counter", "accepted_total"),
		ROW(refused_proofs, "counter", "refused_proofs_total"),
		ROW(connections, "gauge", "connections"),
		ROW(handshakes, "counter", "handshakes_total"),
		ROW(handshake_failures, "counter", "handshake_failures_total"),
		ROW(timeouts, "counter", "timeouts_total"),
		ROW(batches, "counter", "batches_total"),
		ROW(batch_items, "counter", "batch_items_total"),
		ROW(malformed_replies, "counter", "malformed_replies_total"),
		ROW(retries, "counter", "retries_total"),
		ROW(refused_full, "counter", "refused_full_total"),
		ROW(accept_rests, "counter", "accept_rests_total"),
		ROW(evicted, "counter", "evicted_total"),
		ROW(h2_connections, "gauge", "h2_connections"),
		ROW(h2_streams, "counter", "h2_streams_total"),
		ROW(h2_refused, "counter", "h2_refused_total"),
		ROW(h2_resets_client, "counter", "h2_resets_client_total"),
		ROW(h2_resets_own, "counter", "h2_resets_own_total"),
	};
#undef ROW

	uint64_t dropped = 0;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		buf_printf(out, "# TYPE %s %s\n%s %llu\n", rows[i].name, rows[i].kind, rows[i].name,
			(unsigned long long)sum_at(gateway, rows[i].offset));
	write_refused(gateway, out);
	buf_put_c(out, "# TYPE berth_edge_requests_total counter\n# TYPE berth_edge_request_seconds histogram\n");
	for (size_t i = 0; i <= OPERATION_COUNT; i++)
		write_operation(gateway, i, out);
	write_h2(gateway, out);
	buf_put_c(out, "# TYPE berth_edge_log_dropped_total counter\n");
	for (size_t i = 0; i < gateway->loop_count; i++)
		dropped += __atomic_load_n(&gateway->loops[i]->log.dropped, __ATOMIC_RELAXED);
	buf_printf(out, "berth_edge_log_dropped_total %llu\n", (unsigned long long)dropped);
	buf_printf(out, "# TYPE berth_edge_revocations gauge\nberth_edge_revocations %zu\n",
		revocation_count(gateway->revocations));
}
