/* SPDX-License-Identifier: Apache-2.0 */
#include "store_cache.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/test.h"

/* A Redis of one's own, as the deployment sets it up: a Unix socket, a user with a password and few rights. */
static char directory[] = "/tmp/berth-redis-XXXXXX";
static char socket_path[64], acl_path[64];
static pid_t server;
static struct secret *password;
static struct cache *cache;

/* The socket's name is there before anybody listens at it. */
static bool server_answers(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers;

	assert_true(fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	answers = connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) == 0;
	(void)close(fd);
	return answers;
}

static void server_start(void)
{
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		execl("/usr/bin/redis-server", "redis-server", "--port", "0", "--unixsocket", socket_path, "--dir",
			directory, "--save", "", "--appendonly", "no", "--logfile", "log", "--aclfile", acl_path,
			(char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && !server_answers(); i++)
		(void)usleep(10000);
}

static void server_stop(void)
{
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	(void)unlink(socket_path);
}

static int set_up(void **state)
{
	FILE *acl;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as the skeleton does */
	if (access("/usr/bin/redis-server", X_OK) != 0 || sodium_init() < 0 || mkdtemp(directory) == NULL)
		return -1;
	log_init("test", LOG_ERROR + 1);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
	(void)snprintf(acl_path, sizeof(acl_path), "%s/acl", directory);
	if ((acl = fopen(acl_path, "w")) == NULL)
		return -1;
	(void)fprintf(acl,
		"user default off\nuser authsvc on >secret resetkeys ~berth:* resetchannels &berth:* -@all +@read "
		"+@write +@stream +@transaction +@pubsub +@connection -@scripting +time +eval +evalsha "
		"+script|load +script|exists -@admin -@dangerous\n");
	(void)fclose(acl);
	password = secret_new("secret", 6);
	cache = store_cache_new(socket_path, "authsvc", password);
	server_start();
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	store_cache_free(&cache);
	secret_free(&password);
	server_stop();
	(void)snprintf(command, sizeof(command), "%s/log", directory);
	(void)unlink(command);
	(void)unlink(acl_path);
	(void)rmdir(directory);
	return 0;
}

/* A connection that is tried at once, however the last one went. */
static void reconnect(void)
{
	store_cache_free(&cache);
	cache = store_cache_new(socket_path, "authsvc", password);
}

static int64_t attempt(const struct cache_counter *counters, size_t count, const char *trusted)
{
	int64_t wait_ms = -1;

	assert_int_equal(store_cache_attempt(cache, counters, count, str_from(trusted), &wait_ms), OK);
	return wait_ms;
}

static void guessing_is_slowed_and_nothing_is_counted_while_waiting(void **state)
{
	struct cache_counter pair = {THROTTLE_PAIR, STR("pair-1-0123456789abcdef")};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(attempt(&pair, 1, "t1"), 0);
	for (int i = 0; i < 20; i++) {
		int64_t wait_ms = attempt(&pair, 1, "t1");

		assert_true(wait_ms > 500 && wait_ms <= 1000);
	}
	(void)usleep(1100000);
	assert_int_equal(attempt(&pair, 1, "t1"), 0);
	assert_true(attempt(&pair, 1, "t1") > 1500);
}

static void who_signed_in_from_there_before_is_not_held_up_by_strangers(void **state)
{
	struct cache_counter owner[2] = {
		{THROTTLE_PAIR, STR("owner-0123456789")}, {THROTTLE_ACCOUNT, STR("acct-0123456789")}};
	struct cache_counter guesser[2] = {
		{THROTTLE_PAIR, STR("guess-0123456789")}, {THROTTLE_ACCOUNT, STR("acct-0123456789")}};
	int64_t wait_ms = 0;

	(void)state;
	assert_int_equal(attempt(owner, 2, "owner"), 0);
	assert_int_equal(store_cache_succeed(cache, owner, 2, STR("owner")), OK);
	for (int i = 0; i < 15; i++) {
		guesser[0].id.p = (const char *[]){"guess-A123456789", "guess-B123456789", "guess-C123456789",
			"guess-D123456789", "guess-E123456789"}[i % 5];
		wait_ms = attempt(guesser, 2, "stranger");
	}
	assert_true(wait_ms > 0);
	assert_int_equal(attempt(owner, 2, "owner"), 0);
}

static void success_starts_the_pair_anew_and_gives_the_office_its_room_back(void **state)
{
	struct cache_counter counters[2] = {
		{THROTTLE_PAIR, STR("again-0123456789")}, {THROTTLE_ADDRESS, STR("office-123456789")}};

	(void)state;
	for (int i = 0; i < 300; i++) {
		assert_int_equal(attempt(counters, 2, "again"), 0);
		assert_int_equal(store_cache_succeed(cache, counters, 2, STR("again")), OK);
	}
}

struct race {
	atomic_int passed, failed;
};

static void *race_main(void *arg)
{
	struct cache_counter pair = {THROTTLE_PAIR, STR("race-0123456789abcdef")};
	struct cache *own = store_cache_new(socket_path, "authsvc", password);
	struct race *race = arg;
	int64_t wait_ms;

	for (int i = 0; i < 10; i++) {
		if (store_cache_attempt(own, &pair, 1, STR("race"), &wait_ms) != OK)
			atomic_fetch_add(&race->failed, 1);
		else if (wait_ms == 0)
			atomic_fetch_add(&race->passed, 1);
	}
	store_cache_free(&own);
	return NULL;
}

static void two_hundred_at_once_pass_no_more_than_five(void **state)
{
	struct race race = {0};
	pthread_t threads[20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race_main, &race), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(race.failed, 0);
	assert_int_equal(race.passed, 5);
}

static void a_lost_redis_is_an_error_at_once_and_comes_back_as_a_new_generation(void **state)
{
	const struct cache_field fields[] = {{"kind", STR("session")}, {"id", STR("x")}};
	uint64_t generation;
	bool marked = true;

	(void)state;
	reconnect();
	assert_int_equal(store_cache_append(cache, "berth:test", 0, fields, 2), OK);
	assert_int_equal(store_cache_mark(cache, "berth:test:mark"), OK);
	assert_int_equal(store_cache_marked(cache, "berth:test:mark", &marked), OK);
	assert_true(marked);
	generation = store_cache_generation(cache);
	server_stop();
	assert_int_equal(store_cache_mark(cache, "berth:test:mark"), ERR_UNAVAILABLE);
	assert_int_equal(store_cache_mark(cache, "berth:test:mark"), ERR_UNAVAILABLE);
	server_start();
	(void)usleep(1200000);
	assert_int_equal(store_cache_marked(cache, "berth:test:mark", &marked), OK);
	assert_false(marked);
	assert_true(store_cache_generation(cache) > generation);
}

static void a_wrong_password_opens_nothing(void **state)
{
	struct secret *wrong = secret_new("wrong", 5);
	struct cache *stranger = store_cache_new(socket_path, "authsvc", wrong);

	(void)state;
	assert_int_equal(store_cache_mark(stranger, "berth:x"), ERR_UNAVAILABLE);
	store_cache_free(&stranger);
	secret_free(&wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guessing_is_slowed_and_nothing_is_counted_while_waiting),
		cmocka_unit_test(who_signed_in_from_there_before_is_not_held_up_by_strangers),
		cmocka_unit_test(success_starts_the_pair_anew_and_gives_the_office_its_room_back),
		cmocka_unit_test(two_hundred_at_once_pass_no_more_than_five),
		cmocka_unit_test(a_lost_redis_is_an_error_at_once_and_comes_back_as_a_new_generation),
		cmocka_unit_test(a_wrong_password_opens_nothing),
	};

	return cmocka_run_group_tests_name("store_cache", tests, set_up, tear_down);
}
