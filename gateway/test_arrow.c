/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/test_pki.h"
#include "loop.h"

/*
 * A loop's arrow against a callee over a real link. Its clients are gone already, so that an exchange's end is seen in
 * the counts.
 */
#define CALLEE_MESSAGES_MAX 64
#define CALLEE_FILES_MAX 1024

/* What the callee does with each message, and what it saw. */
enum manner { ANSWER, REFUSE, GARBAGE, TOO_FEW, ITEMS_DRAIN, CUT };

static char pki[TEST_PKI_PATH_MAX];

static struct callee {
	struct link_listener *listener;
	char url[LINK_URL_MAX];
	int port;
	pthread_t thread;
	enum manner manner;
	bool hold; /* atomic: messages wait */
	bool held; /* atomic: no message is taken any more */
	bool stop; /* atomic */
	size_t messages;
	size_t items[CALLEE_MESSAGES_MAX];
	uint32_t deadline_ms_max;
	useconds_t each_us;        /* that an item takes */
	uint64_t executed, useful; /* atomic: items, and those of them whose client still waited at their end */
	bool malformed;
} callee;

static struct gateway gateway;
static struct loop loop;

static struct link_identity *identity_of(enum peer self)
{
	struct link_identity *identity = NULL;
	char cert[400], key[400], ca[400];

	(void)snprintf(cert, sizeof cert, "%s/%s.pem", pki, peer_name(self));
	(void)snprintf(key, sizeof key, "%s/%s.key", pki, peer_name(self));
	(void)snprintf(ca, sizeof ca, "%s/ca", pki);
	assert_int_equal(link_identity_new(self, cert, key, ca, &identity), OK);
	return identity;
}

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* One item after the other, as a service that its database keeps waiting. */
static void callee_work(const struct link_worker *worker, const struct request_item *items, size_t count)
{
	usleep(callee.each_us * (useconds_t)count);
	for (size_t i = 0; i < count; i++) {
		const uint64_t until_us = link_worker_came_us(worker) + items[i].deadline_ms * UINT64_C(1000);

		__atomic_fetch_add(&callee.executed, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&callee.useful, clock_monotonic_us() < until_us, __ATOMIC_RELAXED);
	}
}

/* Ends the connections on which messages come, as the death of a process does that has read them. */
static void callee_cut(void)
{
	for (int fd = STDERR_FILENO + 1; fd < CALLEE_FILES_MAX; fd++) {
		struct sockaddr_in own = {0}, peer = {0};
		socklen_t own_len = sizeof own, peer_len = sizeof peer;

		if (getsockname(fd, (struct sockaddr *)&own, &own_len) == 0 && own.sin_family == AF_INET &&
			ntohs(own.sin_port) == callee.port && getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0)
			(void)shutdown(fd, SHUT_RDWR);
	}
}

static void callee_answer(struct link_worker *worker, struct str message)
{
	const struct reply_item item = {.err = callee.manner == ITEMS_DRAIN ? ERR_DRAINING : ERR_RULE};
	struct arena *arena = arena_new(64U << 20);
	struct request_item *items = NULL;
	struct buf reply;
	size_t count = 0;

	buf_init(&reply, LINK_BYTES_MAX);
	if (request_batch_decode(arena, message, &items, &count) != OK)
		callee.malformed = true;
	for (size_t i = 0; i < count; i++)
		if (items[i].deadline_ms > callee.deadline_ms_max)
			callee.deadline_ms_max = items[i].deadline_ms;
	callee.items[callee.messages++ % CALLEE_MESSAGES_MAX] = count;
	if (callee.each_us > 0)
		callee_work(worker, items, count);
	reply_batch_begin(&reply, callee.manner == TOO_FEW ? count - 1 : count);
	for (size_t i = callee.manner == TOO_FEW ? 1 : 0; i < count; i++)
		reply_batch_add(&reply, &item);
	if (callee.manner == CUT)
		callee_cut();
	if (callee.manner == REFUSE)
		link_worker_refuse(worker);
	else
		link_worker_reply(worker, callee.manner == GARBAGE ? STR("garbage") : buf_str(&reply));
	buf_release(&reply);
	arena_free(&arena);
}

static void *callee_main(void *arg)
{
	struct link_worker *worker = NULL;
	struct str message;

	(void)arg;
	if (link_worker_new(callee.listener, &worker) != OK)
		abort();
	while (!__atomic_load_n(&callee.stop, __ATOMIC_RELAXED)) {
		const bool hold = __atomic_load_n(&callee.hold, __ATOMIC_RELAXED);

		__atomic_store_n(&callee.held, hold, __ATOMIC_RELAXED);
		if (hold)
			usleep(1000);
		else if (link_worker_receive(worker, 20, &message) == OK)
			callee_answer(worker, message);
	}
	link_worker_free(&worker);
	return NULL;
}

static void callee_start(enum manner manner)
{
	struct link_identity *identity = identity_of(PEER_bookingsvc);
	struct link_listener_config config = {.identity = identity, .caller = PEER_gateway, .lane = LANE_FAST};

	callee = (struct callee){.manner = manner, .port = free_port()};
	(void)snprintf(callee.url, sizeof callee.url, "tls+tcp://127.0.0.1:%d", callee.port);
	config.url = callee.url;
	assert_int_equal(link_listener_new(&config, &callee.listener), OK);
	link_identity_free(&identity);
	assert_int_equal(pthread_create(&callee.thread, NULL, callee_main, NULL), 0);
}

/* A receive that has begun takes what comes in its time, so this waits for its end. */
static void callee_hold(void)
{
	__atomic_store_n(&callee.hold, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 10000 && !__atomic_load_n(&callee.held, __ATOMIC_RELAXED); i++)
		usleep(1000);
	assert_true(__atomic_load_n(&callee.held, __ATOMIC_RELAXED));
}

static void callee_stop(void)
{
	__atomic_store_n(&callee.stop, true, __ATOMIC_RELAXED);
	pthread_join(callee.thread, NULL);
	link_listener_free(&callee.listener);
}

static struct arrow *arrow_start(size_t in_flight)
{
	struct arrow *arrow = &loop.arrows[PEER_bookingsvc][LANE_FAST];
	struct link_identity *identity = identity_of(PEER_gateway);
	const struct link_dialer_config config = {.identity = identity,
		.callee = PEER_bookingsvc,
		.lane = LANE_FAST,
		.urls = callee.url,
		.in_flight_max = in_flight};

	loop = (struct loop){.gateway = &gateway, .now_us = clock_monotonic_us(), .wall_us = clock_now_us()};
	loop.wake_fd = eventfd(0, EFD_CLOEXEC);
	access_log_init(&loop.log);
	buf_init(&loop.scratch, EDGE_OUT_MAX);
	inbox_init(&loop.inbox, loop.wake_fd);
	arrow->loop = &loop;
	fair_queue_init(&arrow->queue);
	buf_init(&arrow->message, BATCH_BYTES_MAX);
	assert_int_equal(link_dialer_new(&config, &arrow->dialer), OK);
	link_identity_free(&identity);
	for (int i = 0; i < 500 && link_live(arrow->dialer) == 0; i++)
		usleep(10000);
	assert_int_equal(link_live(arrow->dialer), 1);
	return arrow;
}

static void conns_free(void)
{
	while (loop.dead != NULL) {
		struct conn *conn = loop.dead;

		loop.dead = conn->next;
		free(conn);
	}
}

static void arrow_stop(struct arrow *arrow)
{
	arrow_release(arrow);
	inbox_release(&loop.inbox);
	conns_free();
	while (loop.spare != NULL) {
		struct exchange *exchange = loop.spare;

		loop.spare = exchange->next;
		arena_free(&exchange->arena);
		free(exchange);
	}
	assert_int_equal(loop.counts.exchanges, 0);
	buf_release(&loop.scratch);
	access_log_release(&loop.log);
	close(loop.wake_fd);
}

/* An exchange of a client that has gone. */
static struct exchange *asked(const char *operation, uint64_t left_us)
{
	struct conn *conn = calloc(1, sizeof *conn);
	struct exchange *exchange;

	assert_non_null(conn);
	conn->loop = &loop;
	conn->state = CONN_DEAD;
	exchange = exchange_new(&loop, conn);
	assert_non_null(exchange);
	conn->exchange = exchange;
	exchange->conn = NULL;
	exchange->complete = true;
	exchange->operation = operation_by_name(operation);
	exchange->deadline_us = loop.now_us + left_us;
	exchange->item.operation = exchange->operation->number;
	exchange->item.body = STR("");
	return exchange;
}

static struct exchange *asked_with(const char *operation, size_t body_len)
{
	struct exchange *exchange = asked(operation, 5 * US_PER_S);

	exchange->item.body = (struct str){arena_take(exchange->arena, body_len), body_len};
	assert_non_null(exchange->item.body.p);
	return exchange;
}

/* Answers of a kind: 1 for 1xx to 5 for 5xx. */
static uint64_t answered(const char *operation, size_t class)
{
	return loop.counts.operations[operation_by_name(operation) - operation_table].status[class - 1];
}

/* Runs the arrow until `count` exchanges are answered. */
static void run_until(struct arrow *arrow, uint64_t count)
{
	for (int i = 0; i < 300 && loop.counts.answered < count; i++) {
		struct pollfd ready = {.fd = loop.wake_fd, .events = POLLIN};
		uint64_t rung;

		if (arrow != NULL)
			arrow_flush(arrow);
		if (poll(&ready, 1, 20) == 1)
			assert_int_equal(read(loop.wake_fd, &rung, sizeof rung), sizeof rung);
		inbox_finish(&loop.inbox);
		loop.now_us = clock_monotonic_us();
	}
	assert_int_equal(loop.counts.answered, count);
}

static void what_one_tick_brought_travels_together(void **state)
{
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(2);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(arrow_enqueue(arrow, asked("whoami_read", 5 * US_PER_S)), OK);
	run_until(arrow, 7);
	assert_int_equal(callee.messages, 1);
	assert_int_equal(callee.items[0], 7);
	assert_int_equal(answered("whoami_read", 4), 7);
	assert_false(callee.malformed);
	arrow_stop(arrow);
	callee_stop();
}

static void an_item_that_no_message_can_hold_fails_alone(void **state)
{
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(2);
	for (size_t i = 0; i < 9; i++) {
		struct exchange *exchange = asked("whoami_read", 5 * US_PER_S);

		/* First, last, and two in a row. */
		if (i == 0 || i == 4 || i == 5 || i == 8)
			exchange->item.cookie =
				(struct str){arena_take(exchange->arena, HEADER_TEXT_MAX + 1), HEADER_TEXT_MAX + 1};
		assert_int_equal(arrow_enqueue(arrow, exchange), OK);
	}
	run_until(arrow, 9);
	assert_int_equal(answered("whoami_read", 4), 9);
	assert_int_equal(answered("whoami_read", 5), 0);
	assert_int_equal(callee.items[0] + callee.items[1] + callee.items[2], 5);
	assert_false(callee.malformed);
	arrow_stop(arrow);
	callee_stop();
}

static void bodies_that_do_not_fit_one_message_go_in_several(void **state)
{
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(1);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(arrow_enqueue(arrow, asked_with("booking_create", 256U << 10)), OK);
	run_until(arrow, 40);
	assert_int_equal(answered("booking_create", 4), 40);
	assert_in_range(callee.messages, 3, 6);
	assert_false(callee.malformed);
	assert_in_range(arrow->message.room, 0, 1U << 20);
	arrow_stop(arrow);
	callee_stop();
}

static void what_was_not_executed_is_tried_once_more_and_alone(void **state)
{
	static const enum manner manners[] = {REFUSE, ITEMS_DRAIN};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(manners); i++) {
		struct arrow *arrow;

		callee_start(manners[i]);
		arrow = arrow_start(8);
		for (size_t j = 0; j < 4; j++)
			assert_int_equal(arrow_enqueue(arrow, asked("booking_create", 5 * US_PER_S)), OK);
		run_until(arrow, 4);
		assert_int_equal(answered("booking_create", 5), 4);
		for (size_t j = 1; j < callee.messages; j++)
			assert_int_equal(callee.items[j], 1);
		assert_in_range(callee.messages, 1, 5);
		arrow_stop(arrow);
		callee_stop();
	}
}

static void what_may_have_been_executed_is_asked_again_only_if_it_may_be_twice(void **state)
{
	static const struct {
		const char *name, *operation, *key;
		uint64_t retries;
	} cases[] = {
		{"changes nothing", "whoami_read", NULL, 1},
		{"changes nothing more when it is repeated", "vehicle_delete", NULL, 1},
		{"under a key", "booking_create", "k", 1},
		{"takes a key and has none", "booking_create", NULL, 0},
		{"takes no key, and has one all the same", "site_update", "k", 0},
		{"is told each time it is done", "vehicle_list", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange *exchange;
		struct arrow *arrow;

		callee_start(CUT);
		arrow = arrow_start(8);
		exchange = asked(cases[i].operation, 5 * US_PER_S);
		exchange->item.idempotency_key = str_from(cases[i].key);
		assert_int_equal(arrow_enqueue(arrow, exchange), OK);
		run_until(arrow, 1);
		CHECK(cases[i].name, loop.counts.retries == cases[i].retries);
		/* Without a second try nobody knows what came of the first. */
		CHECK(cases[i].name, answered(cases[i].operation, 5) == 1);
		CHECK(cases[i].name, callee.messages >= 1 && callee.messages <= 1 + cases[i].retries);
		arrow_stop(arrow);
		callee_stop();
	}
}

static void a_retry_behind_others_keeps_its_own_deadline(void **state)
{
	struct exchange *retried;
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(1);
	callee_hold();
	assert_int_equal(arrow_enqueue(arrow, asked("whoami_read", 5 * US_PER_S)), OK);
	arrow_flush(arrow); /* takes the only place */
	assert_int_equal(arrow_enqueue(arrow, asked("whoami_read", 5 * US_PER_S)), OK);
	retried = asked("whoami_read", 50 * 1000);
	retried->retried = true;
	assert_int_equal(arrow_enqueue(arrow, retried), OK);
	usleep(100 * 1000);
	loop.now_us = clock_monotonic_us();
	__atomic_store_n(&callee.hold, false, __ATOMIC_RELAXED);
	run_until(arrow, 3);
	/* Its time was over before there was room: it was not sent, least of all with the time of an underflow. */
	assert_int_equal(answered("whoami_read", 5), 1);
	assert_int_equal(answered("whoami_read", 4), 2);
	assert_in_range(callee.deadline_ms_max, 1, 5000);
	arrow_stop(arrow);
	callee_stop();
}

static void answers_that_are_none_are_told_as_such(void **state)
{
	static const enum manner manners[] = {GARBAGE, TOO_FEW};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(manners); i++) {
		struct arrow *arrow;

		callee_start(manners[i]);
		arrow = arrow_start(8);
		for (size_t j = 0; j < 4; j++)
			assert_int_equal(arrow_enqueue(arrow, asked("whoami_read", 5 * US_PER_S)), OK);
		run_until(arrow, 4);
		assert_int_equal(answered("whoami_read", 5), 4);
		assert_int_equal(loop.counts.malformed_replies, 1);
		arrow_stop(arrow);
		callee_stop();
	}
}

static void a_queue_has_an_end(void **state)
{
	struct exchange *one_more;
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(1);
	for (size_t i = 0; i < EDGE_QUEUE_MAX; i++)
		assert_int_equal(arrow_enqueue(arrow, asked("whoami_read", 5 * US_PER_S)), OK);
	one_more = asked("whoami_read", 5 * US_PER_S);
	assert_int_equal(arrow_enqueue(arrow, one_more), ERR_OVERLOADED);
	conn_forget(one_more->held);
	exchange_free(&one_more);
	run_until(arrow, EDGE_QUEUE_MAX);
	arrow_stop(arrow);
	callee_stop();
}

/* Asks as fast as it can; true when it was taken. */
static bool ask_more(struct arrow *arrow)
{
	struct exchange *exchange = asked("whoami_read", US_PER_S);

	if (arrow_enqueue(arrow, exchange) == OK)
		return true;
	conn_forget(exchange->held);
	exchange_free(&exchange);
	return false;
}

static void look_for_ends(struct arrow *arrow)
{
	struct pollfd ready = {.fd = loop.wake_fd, .events = POLLIN};
	uint64_t rung;

	arrow_flush(arrow);
	if (poll(&ready, 1, 2) == 1)
		assert_int_equal(read(loop.wake_fd, &rung, sizeof rung), sizeof rung);
	loop.now_us = clock_monotonic_us();
	inbox_finish(&loop.inbox);
	conns_free();
}

/* Clients wait for a second; the callee makes at most 500 a second; many times as many ask. */
static void what_a_service_does_under_overload_is_still_waited_for(void **state)
{
	const uint64_t until_us = clock_monotonic_us() + 60 * US_PER_S;
	uint64_t executed = 0, refused = 0, useful;
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	callee.each_us = 2000;
	arrow = arrow_start(8);
	while (executed < 1500 && clock_monotonic_us() < until_us) {
		for (size_t i = 0; i < 16; i++)
			refused += !ask_more(arrow);
		look_for_ends(arrow);
		executed = __atomic_load_n(&callee.executed, __ATOMIC_RELAXED);
	}
	useful = __atomic_load_n(&callee.useful, __ATOMIC_RELAXED);
	assert_true(executed >= 1500);
	assert_true(refused > 3 * executed);
	assert_true(useful * 10 >= executed * 8);
	arrow_stop(arrow);
	callee_stop();
}

/* A loop that has handshakes to make looks late for what has long been answered. */
static void the_loops_own_work_is_not_the_callees(void **state)
{
	struct arrow *arrow;
	size_t most = 0;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(8);
	for (int i = 0; i < 8; i++) {
		size_t limit;

		for (size_t j = 0; j < 40; j++)
			assert_true(ask_more(arrow));
		arrow_flush(arrow);
		usleep(200 * 1000);
		look_for_ends(arrow);
		limit = admission_limit(&arrow->admission, US_PER_S);
		most = limit > most ? limit : most;
	}
	/* By the loop's looks it would be 200; a busy machine may keep the callee itself waiting now and then. */
	assert_true(most >= 1000);
	arrow_stop(arrow);
	callee_stop();
}

static struct exchange *asked_in_line(uint8_t line)
{
	struct exchange *exchange = asked("whoami_read", 5 * US_PER_S);

	exchange->line = line;
	return exchange;
}

static void who_comes_behind_a_storm_of_others_is_in_the_next_message(void **state)
{
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(1);
	callee_hold();
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(arrow_enqueue(arrow, asked_in_line(1)), OK);
	assert_int_equal(arrow_enqueue(arrow, asked_in_line(2)), OK);
	arrow_flush(arrow); /* the only place is taken by a message of all lines */
	assert_int_equal(arrow->queue.lines[2].waiting, 0);
	assert_int_equal(arrow->queue.lines[2].under_way, 1);
	assert_in_range(arrow->queue.lines[1].waiting, 1000 - BATCH_ITEMS_MAX, 1000);
	__atomic_store_n(&callee.hold, false, __ATOMIC_RELAXED);
	run_until(arrow, 1001);
	assert_int_equal(arrow->queue.lines[1].under_way + arrow->queue.lines[2].under_way, 0);
	assert_int_equal(arrow->flights, 0);
	arrow_stop(arrow);
	callee_stop();
}

static void the_last_place_is_kept_for_who_has_nothing_under_way(void **state)
{
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(8);
	callee_hold();
	for (size_t i = 0; i < 2000; i++)
		assert_int_equal(arrow_enqueue(arrow, asked_in_line(1)), OK);
	arrow_flush(arrow);
	assert_int_equal(arrow->flights, 7);
	assert_int_equal(link_room(arrow->dialer), 1);
	assert_true(arrow->queue.lines[1].waiting > 0);
	assert_int_equal(arrow_enqueue(arrow, asked_in_line(2)), OK);
	arrow_flush(arrow);
	assert_int_equal(arrow->flights, 8);
	assert_int_equal(arrow->queue.lines[2].under_way, 1);
	__atomic_store_n(&callee.hold, false, __ATOMIC_RELAXED);
	run_until(arrow, 2001);
	arrow_stop(arrow);
	callee_stop();
}

/* The callee is known to be slow: what it has before it is little, and the rest has its turn here. */
static void a_storm_does_not_stand_before_the_callee(void **state)
{
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(8);
	arrow->admission.each_us_16 = 16 * 2000;
	callee_hold();
	for (size_t i = 0; i < 400; i++)
		assert_int_equal(arrow_enqueue(arrow, asked_in_line(1)), OK);
	arrow_flush(arrow);
	assert_int_equal(arrow->admission.under_way, ADMISSION_AHEAD_US / 2000);
	assert_int_equal(arrow_enqueue(arrow, asked_in_line(2)), OK);
	usleep(EDGE_HOLD_US);
	loop.now_us = clock_monotonic_us();
	arrow_flush(arrow);
	/* Who has nothing under way does not wait for that. */
	usleep(EDGE_HOLD_US);
	loop.now_us = clock_monotonic_us();
	arrow_flush(arrow);
	assert_int_equal(arrow->queue.lines[2].under_way, 1);
	assert_int_equal(arrow->queue.lines[1].under_way, ADMISSION_AHEAD_US / 2000);
	__atomic_store_n(&callee.hold, false, __ATOMIC_RELAXED);
	run_until(arrow, 401);
	arrow_stop(arrow);
	callee_stop();
}

static void a_full_queue_takes_from_the_longest_line(void **state)
{
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(1);
	for (size_t i = 0; i < EDGE_QUEUE_MAX; i++)
		assert_int_equal(arrow_enqueue(arrow, asked_in_line(1)), OK);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(arrow_enqueue(arrow, asked_in_line(2)), OK);
	assert_int_equal(arrow->queue.waiting, EDGE_QUEUE_MAX);
	assert_int_equal(arrow->queue.lines[2].waiting, 10);
	run_until(arrow, EDGE_QUEUE_MAX + 10);
	assert_int_equal(answered("whoami_read", 5), 10);
	assert_int_equal(answered("whoami_read", 4), EDGE_QUEUE_MAX);
	arrow_stop(arrow);
	callee_stop();
}

static void an_arrow_is_released_with_work_queued_and_under_way(void **state)
{
	struct arrow *arrow;

	(void)state;
	callee_start(ANSWER);
	arrow = arrow_start(1);
	callee_hold();
	/* More than are kept for reuse, so that some are really freed. */
	for (size_t i = 0; i < 700; i++) {
		assert_int_equal(arrow_enqueue(arrow, asked("whoami_read", 5 * US_PER_S)), OK);
		if (i == 200)
			arrow_flush(arrow);
	}
	arrow_stop(arrow);
	callee_stop();
}

static int pki_make(void **state)
{
	(void)state;
	test_pki_dir(pki);
	test_pki_role(pki, "gateway");
	test_pki_role(pki, "bookingsvc");
	router_init();
	return 0;
}

static int pki_remove(void **state)
{
	(void)state;
	test_pki_remove(pki);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_tick_brought_travels_together),
		cmocka_unit_test(an_item_that_no_message_can_hold_fails_alone),
		cmocka_unit_test(bodies_that_do_not_fit_one_message_go_in_several),
		cmocka_unit_test(what_was_not_executed_is_tried_once_more_and_alone),
		cmocka_unit_test(what_may_have_been_executed_is_asked_again_only_if_it_may_be_twice),
		cmocka_unit_test(a_retry_behind_others_keeps_its_own_deadline),
		cmocka_unit_test(answers_that_are_none_are_told_as_such),
		cmocka_unit_test(a_queue_has_an_end),
		cmocka_unit_test(what_a_service_does_under_overload_is_still_waited_for),
		cmocka_unit_test(the_loops_own_work_is_not_the_callees),
		cmocka_unit_test(who_comes_behind_a_storm_of_others_is_in_the_next_message),
		cmocka_unit_test(the_last_place_is_kept_for_who_has_nothing_under_way),
		cmocka_unit_test(a_storm_does_not_stand_before_the_callee),
		cmocka_unit_test(a_full_queue_takes_from_the_longest_line),
		cmocka_unit_test(an_arrow_is_released_with_work_queued_and_under_way),
	};

	return cmocka_run_group_tests(tests, pki_make, pki_remove);
}
