/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * How many passwords this machine can check in so many seconds, and nothing else: authsvc/hasher.c without a service
 * around it. Arguments: threads, seconds, opslimit, memlimit in bytes. Prints how many, and how many of them failed.
 */
#define THREADS_MAX 64
#define INPUT_LEN 64 /* of a keyed BLAKE2b, which is what the service feeds to Argon2id */

static char encoded[crypto_pwhash_STRBYTES];
static const char input[INPUT_LEN] = "an input of the service's length";
static atomic_bool stop;
static atomic_ulong checks, failures;

static void *check_until_stopped(void *arg)
{
	while (!atomic_load(&stop)) {
		if (crypto_pwhash_str_verify(encoded, input, sizeof(input)) != 0)
			atomic_fetch_add(&failures, 1);
		atomic_fetch_add(&checks, 1);
	}
	return arg;
}

int main(int argc, char **argv)
{
	const long threads = argc == 5 ? strtol(argv[1], NULL, 10) : 0;
	const double seconds = argc == 5 ? strtod(argv[2], NULL) : 0;
	pthread_t running[THREADS_MAX];
	struct timespec rest;
	unsigned long made;

	if (threads < 1 || threads > THREADS_MAX || !(seconds > 0 && seconds < 1000) || sodium_init() < 0)
		return 2;
	if (crypto_pwhash_str_alg(encoded, input, sizeof(input), strtoull(argv[3], NULL, 10),
		    strtoul(argv[4], NULL, 10), crypto_pwhash_ALG_ARGON2ID13) != 0)
		return 2;
	rest = (struct timespec){
		.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
	for (long i = 0; i < threads; i++)
		if (pthread_create(&running[i], NULL, check_until_stopped, NULL) != 0)
			return 2;
	(void)nanosleep(&rest, NULL);
	/* As with load generators, what is under way when the time is over does not count. */
	made = atomic_load(&checks);
	atomic_store(&stop, true);
	for (long i = 0; i < threads; i++)
		(void)pthread_join(running[i], NULL);
	printf("%lu %lu\n", made, (unsigned long)atomic_load(&failures));
	return 0;
}
