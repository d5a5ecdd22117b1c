/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "service/handover.h"

static char directory[] = "/tmp/berth-handover-XXXXXX";
static char socket_path[64], key_path[64];

/* A predecessor that takes connections until it dies after `life_us`, and ends each at once when `hangs_up`. */
static pid_t predecessor(useconds_t life_us, bool hangs_up)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t pid;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	(void)unlink(socket_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		while (hangs_up)
			(void)close(accept(fd, NULL, NULL));
		usleep(life_us);
		_exit(0);
	}
	(void)close(fd);
	return pid;
}

static enum err come_after(pid_t pid, bool *follows_out)
{
	const struct handover_config config = {.path = socket_path, .key_file = key_path};
	struct handover *handover = NULL;
	const enum err err = handover_new(&config, &handover);

	*follows_out = handover_follows(handover);
	handover_free(&handover);
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return err;
}

static void test_who_has_no_predecessor_begins(void **state)
{
	bool follows = true;

	(void)state;
	assert_int_equal(come_after(0, &follows), OK);
	assert_false(follows);
}

/* Killed, and its socket still takes connections: nobody waits there for a word. */
static void test_who_asks_a_predecessor_that_dies_begins_without_it(void **state)
{
	bool follows = true;

	(void)state;
	assert_int_equal(come_after(predecessor(100000, false), &follows), OK);
	assert_false(follows);
}

static void test_one_that_lives_and_hangs_up_is_not_passed_over(void **state)
{
	bool follows = true;

	(void)state;
	assert_int_equal(come_after(predecessor(0, true), &follows), ERR_UNAVAILABLE);
	assert_false(follows);
}

static int set_up(void **state)
{
	FILE *key;

	(void)state;
	log_init("test", LOG_ERROR + 1);
	if (sodium_init() < 0 || mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
	(void)snprintf(key_path, sizeof(key_path), "%s/key", directory);
	if ((key = fopen(key_path, "w")) == NULL)
		return -1;
	(void)fputs("a key", key);
	return fclose(key);
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(socket_path);
	(void)unlink(key_path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_has_no_predecessor_begins),
		cmocka_unit_test(test_who_asks_a_predecessor_that_dies_begins_without_it),
		cmocka_unit_test(test_one_that_lives_and_hangs_up_is_not_passed_over),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
