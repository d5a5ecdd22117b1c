/* SPDX-License-Identifier: Apache-2.0 */
#include "access_log.h"

#include "base/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop.h"

static struct loop loop = {.wall_us = 1760000000123456};
static struct access_log log_of_loop;

static void put(size_t count)
{
	struct exchange exchange = {.loop = &loop, .operation = operation_by_name("whoami_read")};
	const struct head head = {.status = 403, .err = ERR_FORBIDDEN};

	for (size_t i = 0; i < count; i++)
		access_log_put(&log_of_loop, &exchange, &head, 12, 3456);
}

static void a_line_is_one_whole_object(void **state)
{
	static const char wanted[] =
		"{\"at\":\"2025-10-09T08:53:20.123456Z\",\"level\":\"info\",\"service\":\"gateway\","
		"\"event\":\"request\",\"request_id\":\"00000000-0000-0000-0000-000000000000\","
		"\"operation\":\"whoami_read\",\"status\":403,\"code\":\"forbidden\",\"duration_us\":3456,"
		"\"bytes\":12}\n";

	(void)state;
	access_log_init(&log_of_loop);
	put(1);
	assert_int_equal(log_of_loop.lines.len, sizeof wanted - 1);
	assert_memory_equal(log_of_loop.lines.p, wanted, sizeof wanted - 1);
	access_log_release(&log_of_loop);
}

static void what_has_no_room_is_dropped_whole_and_counted(void **state)
{
	size_t line_len, lines;

	(void)state;
	access_log_init(&log_of_loop);
	put(1);
	line_len = log_of_loop.lines.len;
	put(10000);
	lines = log_of_loop.lines.len / line_len;
	assert_int_equal(log_of_loop.lines.len, lines * line_len);
	assert_in_range(log_of_loop.lines.len, ACCESS_LOG_CAP - line_len, ACCESS_LOG_CAP);
	assert_int_equal(lines + log_of_loop.dropped, 10001);
	access_log_release(&log_of_loop);
}

static void a_reader_that_stands_still_holds_nobody_up(void **state)
{
	struct access_log *logs[] = {&log_of_loop};
	struct access_writer *writer = NULL;
	const uint64_t begun_us = clock_monotonic_us();
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	access_log_init(&log_of_loop);
	assert_int_equal(access_writer_start(logs, 1, ends[1], &writer), OK);
	put(20000);
	assert_in_range(log_of_loop.dropped, 1, 20000);
	access_writer_free(&writer);
	assert_in_range(clock_monotonic_us() - begun_us, 0, 3 * US_PER_S);
	access_log_release(&log_of_loop);
	close(ends[0]);
	close(ends[1]);
}

struct reading {
	int fd;
	size_t bytes, lines;
};

static void *read_all(void *arg)
{
	struct reading *reading = arg;
	char bytes[8192];
	ssize_t got;

	while ((got = read(reading->fd, bytes, sizeof bytes)) > 0) {
		reading->bytes += (size_t)got;
		for (ssize_t i = 0; i < got; i++)
			reading->lines += bytes[i] == '\n' ? 1 : 0;
	}
	return NULL;
}

static void all_that_was_put_is_written_before_the_end(void **state)
{
	struct access_log *logs[] = {&log_of_loop};
	struct access_writer *writer = NULL;
	struct reading reading = {0};
	pthread_t thread;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	reading.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, read_all, &reading), 0);
	access_log_init(&log_of_loop);
	assert_int_equal(access_writer_start(logs, 1, ends[1], &writer), OK);
	for (size_t i = 0; i < 20; i++) {
		put(100);
		usleep(10000);
	}
	access_writer_free(&writer);
	close(ends[1]);
	pthread_join(thread, NULL);
	assert_int_equal(reading.lines, 2000);
	assert_int_equal(log_of_loop.dropped, 0);
	access_log_release(&log_of_loop);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_one_whole_object),
		cmocka_unit_test(what_has_no_room_is_dropped_whole_and_counted),
		cmocka_unit_test(a_reader_that_stands_still_holds_nobody_up),
		cmocka_unit_test(all_that_was_put_is_written_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
