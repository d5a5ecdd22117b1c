/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/test.h"

static char said[65536];
static FILE *said_file;
static int saved_stderr;

static void catch_begin(void)
{
	said_file = tmpfile();
	saved_stderr = dup(STDERR_FILENO);
	assert_non_null(said_file);
	assert_true(saved_stderr >= 0 && dup2(fileno(said_file), STDERR_FILENO) >= 0);
}

static struct str catch_end(void)
{
	size_t len;

	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	(void)close(saved_stderr);
	rewind(said_file);
	len = fread(said, 1, sizeof(said) - 1, said_file);
	(void)fclose(said_file);
	said[len] = '\0';
	return (struct str){said, len};
}

/* The one line that was said, which must be JSON. */
static const struct json *line_of(struct arena *arena, struct str text)
{
	const struct json *root;
	const char *reason;

	assert_true(text.len > 0 && text.p[text.len - 1] == '\n');
	assert_null(memchr(text.p, '\n', text.len - 1));
	assert_int_equal(json_parse(arena, text, &root, &reason), OK);
	return root;
}

static void a_line_carries_its_fields(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct uuid id = uuid_new();
	const struct json *line;
	char text[UUID_TEXT_LEN + 1];
	instant_us at;
	int64_t number;

	(void)state;
	uuid_format(&id, text);
	log_init("testsvc", LOG_INFO);
	log_set_request(&id);
	catch_begin();
	log_event(LOG_WARN, "something_happened", LOG_C("code", "a\"b"), LOG_S("op", STR("x\n\x1b[31m\xff")),
		LOG_I("count", -5), LOG_ID("object", &id), LOG_C("none", NULL), LOG_ID("nobody", NULL));
	line = line_of(arena, catch_end());
	log_set_request(NULL);
	assert_true(str_eq_c(json_get_str(line, "level"), "warn"));
	assert_true(str_eq_c(json_get_str(line, "service"), "testsvc"));
	assert_true(str_eq_c(json_get_str(line, "event"), "something_happened"));
	assert_true(str_eq_c(json_get_str(line, "request_id"), text));
	assert_true(str_eq_c(json_get_str(line, "object"), text));
	assert_true(str_eq_c(json_get_str(line, "code"), "a\"b"));
	assert_true(str_eq_c(json_get_str(line, "op"), "x\n\x1b[31m\xef\xbf\xbd"));
	assert_null(memchr(said, 0x1b, strlen(said)));
	assert_int_equal(json_to_i64(json_get(line, "count"), &number), OK);
	assert_int_equal(number, -5);
	assert_int_equal(json_get(line, "none")->kind, JSON_NULL);
	assert_int_equal(json_get(line, "nobody")->kind, JSON_NULL);
	assert_int_equal(instant_parse(json_get_str(line, "at"), &at), OK);
	arena_free(&arena);
}

static void a_line_without_fields_or_below_the_level(void **state)
{
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	catch_begin();
	log_event(LOG_DEBUG, "not_written");
	assert_int_equal(catch_end().len, 0);
	catch_begin();
	log_event(LOG_INFO, "written");
	assert_int_equal(line_of(arena, catch_end())->count, 4);
	arena_free(&arena);
}

static void long_values_are_cut_between_characters_and_a_full_line_says_so(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	static char value[LOG_VALUE_MAX + 100];
	const struct json *line;
	struct str text;

	(void)state;
	memset(value, 'a', sizeof(value));
	memcpy(value + LOG_VALUE_MAX - 2, (const char[]){'\xe2', '\x82', '\xac'}, 3);
	catch_begin();
	log_event(LOG_ERROR, "long", LOG_S("value", ((struct str){value, sizeof(value)})));
	line = line_of(arena, catch_end());
	assert_int_equal(json_get_str(line, "value").len, LOG_VALUE_MAX - 2);
	memset(value, 1, sizeof(value));
	catch_begin();
	log_event(LOG_ERROR, "long", LOG_S("first", ((struct str){value, sizeof(value)})),
		LOG_S("second", ((struct str){value, sizeof(value)})), LOG_I("third", 3));
	text = catch_end();
	line = line_of(arena, text);
	assert_true(text.len <= 4096);
	assert_int_equal(json_get_str(line, "first").len, LOG_VALUE_MAX);
	assert_null(json_get(line, "second"));
	assert_int_equal(json_get(line, "cut")->kind, JSON_TRUE);
	arena_free(&arena);
}

static void a_broken_invariant_is_logged_and_aborts(void **state)
{
	int status = 0;
	pid_t child;

	(void)state;
	INVARIANT(1 + 1 == 2);
	catch_begin();
	child = fork();
	if (child == 0) {
		/* Sanitizers and cmocka would otherwise take the signal for a failure of this test. */
		(void)signal(SIGABRT, SIG_DFL);
		INVARIANT(1 + 1 == 3);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	(void)catch_end();
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(said, "\"event\":\"invariant_broken\""));
	assert_non_null(strstr(said, "1 + 1 == 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_carries_its_fields),
		cmocka_unit_test(a_line_without_fields_or_below_the_level),
		cmocka_unit_test(long_values_are_cut_between_characters_and_a_full_line_says_so),
		cmocka_unit_test(a_broken_invariant_is_logged_and_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
