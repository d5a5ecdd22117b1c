/* SPDX-License-Identifier: Apache-2.0 */
#include "edge_links.h"

#include "loop.h"

/* Loops of which no replica of the callee is live. */
static size_t loops_down(const struct gateway *gateway, enum peer callee, enum lane lane)
{
	size_t down = 0;

	for (size_t i = 0; i < gateway->loop_count; i++) {
		const struct link_dialer *dialer = gateway->loops[i]->arrows[callee][lane].dialer;

		down += dialer != NULL && link_live(dialer) == 0;
	}
	return down;
}

bool edge_links_up(const struct gateway *gateway)
{
	for (enum peer callee = PEER_NONE + 1; callee < PEER_COUNT; callee++)
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++)
			if (loops_down(gateway, callee, lane) > 0)
				return false;
	return true;
}

/* What the numbers of one replica mean, in the order in which `measure` gives them. */
static const struct {
	const char *name, *kind;
} rows[] = {
	{"berth_edge_link_ejected", "gauge"},
	{"berth_edge_link_ejections_total", "counter"},
	{"berth_edge_link_connects_total", "counter"},
	{"berth_edge_link_lost_total", "counter"},
	{"berth_edge_link_late_total", "counter"},
};

static uint64_t measure(const struct link_dialer *dialer, size_t replica, size_t row)
{
	const struct link_replica_stats stats = link_stats(dialer, replica);
	const uint64_t values[] = {stats.ejected ? 1 : 0, stats.ejections, stats.connects, stats.lost, stats.late};

	return values[row];
}

static void write_arrow(const struct gateway *gateway, enum peer callee, enum lane lane, size_t row, struct buf *out)
{
	const struct link_dialer *first = gateway->loops[0]->arrows[callee][lane].dialer;

	for (size_t replica = 0; first != NULL && replica < link_replicas(first); replica++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < gateway->loop_count; i++)
			sum += measure(gateway->loops[i]->arrows[callee][lane].dialer, replica, row);
		buf_printf(out, "%s{callee=\"%s\",lane=\"%s\",replica=\"%zu\"} %llu\n", rows[row].name,
			peer_name(callee), lane_name(lane), replica, (unsigned long long)sum);
	}
}

void edge_links_write(const struct gateway *gateway, struct buf *out)
{
	buf_put_c(out, "# TYPE berth_edge_link_loops_down gauge\n");
	for (enum peer callee = PEER_NONE + 1; callee < PEER_COUNT; callee++)
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++)
			if (gateway->loops[0]->arrows[callee][lane].dialer != NULL)
				buf_printf(out, "berth_edge_link_loops_down{callee=\"%s\",lane=\"%s\"} %zu\n",
					peer_name(callee), lane_name(lane), loops_down(gateway, callee, lane));
	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		buf_printf(out, "# TYPE %s %s\n", rows[row].name, rows[row].kind);
		for (enum peer callee = PEER_NONE + 1; callee < PEER_COUNT; callee++)
			for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++)
				write_arrow(gateway, callee, lane, row, out);
	}
}
