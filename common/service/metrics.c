/* SPDX-License-Identifier: Apache-2.0 */
#include "service/metrics.h"

#include <stdlib.h>

static const uint64_t bounds_us[METRICS_BUCKETS - 1] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 50000, 250000, 1000000, 5000000};
static const char *const bounds_text[METRICS_BUCKETS] = {
	"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.05", "0.25", "1", "5", "+Inf"};

struct metrics *metrics_new(void)
{
	return calloc(1, sizeof(struct metrics));
}

void metrics_free(struct metrics **metrics)
{
	free(*metrics);
	*metrics = NULL;
}

void metrics_answer(struct metrics *metrics, const struct operation *operation, enum err err, uint64_t duration_us)
{
	struct operation_metrics *row = &metrics->operations[operation - operation_table];
	size_t bucket = 0;

	while (bucket < METRICS_BUCKETS - 1 && duration_us > bounds_us[bucket])
		bucket++;
	metrics_add(&row->codes[(unsigned)err < METRICS_CODES ? (unsigned)err : METRICS_CODES - 1], 1);
	metrics_add(&row->buckets[bucket], 1);
	metrics_add(&row->sum_us, duration_us);
}

static uint64_t sum_at(const struct metrics *const *all, size_t count, size_t offset)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += __atomic_load_n(
			(const uint64_t *)(const void *)((const char *)all[i] + offset), __ATOMIC_RELAXED);
	return sum;
}

static void write_operation(const struct metrics *const *all, size_t count, size_t index, struct buf *out)
{
	const size_t base = offsetof(struct metrics, operations) + index * sizeof(struct operation_metrics);
	const char *name = operation_table[index].name;
	uint64_t total = 0;

	for (size_t i = 0; i < METRICS_CODES; i++) {
		const uint64_t value =
			sum_at(all, count, base + offsetof(struct operation_metrics, codes) + i * sizeof(uint64_t));

		if (value > 0)
			buf_printf(out, "berth_requests_total{operation=\"%s\",code=\"%s\"} %llu\n", name,
				err_code(err_from_wire((unsigned)i)), (unsigned long long)value);
		total += value;
	}
	if (total == 0)
		return;
	total = 0;
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		total += sum_at(all, count, base + offsetof(struct operation_metrics, buckets) + i * sizeof(uint64_t));
		buf_printf(out, "berth_request_seconds_bucket{operation=\"%s\",le=\"%s\"} %llu\n", name, bounds_text[i],
			(unsigned long long)total);
	}
	buf_printf(out, "berth_request_seconds_sum{operation=\"%s\"} %.6f\n", name,
		(double)sum_at(all, count, base + offsetof(struct operation_metrics, sum_us)) / 1e6);
	buf_printf(out, "berth_request_seconds_count{operation=\"%s\"} %llu\n", name, (unsigned long long)total);
}

void metrics_write(const struct metrics *const *all, size_t count, struct buf *out)
{
	static const struct {
		size_t offset;
		const char *name;
	} rows[] = {
		{offsetof(struct metrics, batches), "berth_batches_total"},
		{offsetof(struct metrics, batches_redone), "berth_batches_redone_total"},
		{offsetof(struct metrics, items), "berth_batch_items_total"},
		{offsetof(struct metrics, token_hits), "berth_token_cache_hits_total"},
		{offsetof(struct metrics, token_misses), "berth_token_cache_misses_total"},
		{offsetof(struct metrics, malformed), "berth_link_malformed_total"},
		{offsetof(struct metrics, forbidden_arrow), "berth_link_undeclared_total"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		buf_printf(out, "# TYPE %s counter\n%s %llu\n", rows[i].name, rows[i].name,
			(unsigned long long)sum_at(all, count, rows[i].offset));
	buf_put_c(out, "# TYPE berth_requests_total counter\n# TYPE berth_request_seconds histogram\n");
	for (size_t i = 0; i < OPERATION_COUNT; i++)
		write_operation(all, count, i, out);
}
