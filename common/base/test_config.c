/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/test.h"

#define K0 "00000000000000000000000000000000000000000000000000000000000000"

struct settings {
	const char *name;
	int64_t count;
	const char *file;
	struct secret *secret;
};

static const struct config_key keys[] = {
	{"BERTH_T_NAME", CONFIG_STR, true, "a name", 0, 0, NULL, offsetof(struct settings, name)},
	{"BERTH_T_COUNT", CONFIG_I64, false, "a count", -5, 100, "7", offsetof(struct settings, count)},
	{"BERTH_T_FILE", CONFIG_FILE, false, "a path", 0, 0, NULL, offsetof(struct settings, file)},
	{"BERTH_T_SECRET_FILE", CONFIG_SECRET, false, "a secret", 0, 8, NULL, offsetof(struct settings, secret)},
	{0},
};

static char path[] = "/tmp/berth_test_config_XXXXXX";

static void write_file(struct str bytes)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes.p, 1, bytes.len, file), bytes.len);
	assert_int_equal(fclose(file), 0);
}

/* What config_read prints on stderr, caught in a file. */
static enum err read_keys(struct settings *settings, char *said_out, size_t room)
{
	FILE *said = tmpfile();
	int saved = dup(STDERR_FILENO);
	enum err err;

	assert_non_null(said);
	assert_true(saved >= 0 && dup2(fileno(said), STDERR_FILENO) >= 0);
	*settings = (struct settings){0};
	err = config_read(keys, settings);
	(void)fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	rewind(said);
	said_out[fread(said_out, 1, room - 1, said)] = '\0';
	(void)fclose(said);
	return err;
}

static const struct {
	const char *name;
	const char *key;
	const char *value;
	const char *said; /* NULL: accepted */
} cases[] = {
	{"a required key is missing", "BERTH_T_NAME", NULL, "BERTH_T_NAME is required"},
	{"a required key is empty", "BERTH_T_NAME", "", "BERTH_T_NAME is required"},
	{"a number is in range", "BERTH_T_COUNT", "-5", NULL},
	{"a number is too small", "BERTH_T_COUNT", "-6", "BERTH_T_COUNT is outside -5 to 100"},
	{"a number is too large", "BERTH_T_COUNT", "101", "BERTH_T_COUNT is outside -5 to 100"},
	{"a number has a unit", "BERTH_T_COUNT", "5s", "BERTH_T_COUNT is not a whole number"},
	{"a number is huge", "BERTH_T_COUNT", "99999999999999999999", "BERTH_T_COUNT is not a whole number"},
	{"a file is not there", "BERTH_T_FILE", "/nonexistent/f1", "BERTH_T_FILE names a file that does not exist"},
	{"a secret is not there", "BERTH_T_SECRET_FILE", "/nonexistent/f1",
		"BERTH_T_SECRET_FILE names a file that does not exist"},
	{"a secret is a directory", "BERTH_T_SECRET_FILE", "/", "BERTH_T_SECRET_FILE names a file that cannot be read"},
	{"a secret is empty", "BERTH_T_SECRET_FILE", "/dev/null", "BERTH_T_SECRET_FILE names an empty file"},
	{"a secret has no end", "BERTH_T_SECRET_FILE", "/dev/zero",
		"BERTH_T_SECRET_FILE names a file that is too large"},
};

static void faults_name_the_key_and_never_the_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct settings settings;
		char said[1024];
		enum err err;

		assert_int_equal(setenv("BERTH_T_NAME", "berth", 1), 0);
		if (cases[i].value != NULL)
			assert_int_equal(setenv(cases[i].key, cases[i].value, 1), 0);
		else
			assert_int_equal(unsetenv(cases[i].key), 0);
		err = read_keys(&settings, said, sizeof(said));
		if (cases[i].said == NULL) {
			CHECK(cases[i].name, err == OK && said[0] == '\0');
		} else {
			CHECK(cases[i].name, err == ERR_BAD_FIELD && strstr(said, cases[i].said) != NULL);
			CHECK(cases[i].name, strstr(said, "/nonexistent") == NULL && strstr(said, "5s") == NULL);
		}
		secret_free(&settings.secret);
		assert_int_equal(unsetenv(cases[i].key), 0);
	}
}

static void every_fault_is_named_at_once(void **state)
{
	struct settings settings;
	char said[1024];

	(void)state;
	assert_int_equal(unsetenv("BERTH_T_NAME"), 0);
	assert_int_equal(setenv("BERTH_T_COUNT", "x", 1), 0);
	assert_int_equal(read_keys(&settings, said, sizeof(said)), ERR_BAD_FIELD);
	assert_non_null(strstr(said, "BERTH_T_NAME"));
	assert_non_null(strstr(said, "BERTH_T_COUNT"));
	assert_int_equal(unsetenv("BERTH_T_COUNT"), 0);
}

static void what_is_set_is_read_and_what_is_not_falls_back(void **state)
{
	struct settings settings;
	char said[1024];

	(void)state;
	write_file(STR("secret!\n"));
	assert_int_equal(setenv("BERTH_T_NAME", "berth", 1), 0);
	assert_int_equal(setenv("BERTH_T_SECRET_FILE", path, 1), 0);
	assert_int_equal(read_keys(&settings, said, sizeof(said)), OK);
	assert_string_equal(settings.name, "berth");
	assert_int_equal(settings.count, 7);
	assert_null(settings.file);
	assert_string_equal(secret_str(settings.secret).p, "secret!");
	secret_free(&settings.secret);
	secret_free(&settings.secret);
	assert_null(config_get("BERTH_T_ABSENT"));
	assert_int_equal(unsetenv("BERTH_T_SECRET_FILE"), 0);
}

static void one_trailing_newline_of_a_secret_is_cut(void **state)
{
	struct secret *secret = NULL;

	(void)state;
	write_file(STR("a\0b\n\n"));
	assert_int_equal(secret_read_file(path, 5, &secret), OK);
	assert_true(str_eq(secret_str(secret), STR("a\0b\n")));
	secret_free(&secret);
	assert_int_equal(secret_read_file(path, 4, &secret), ERR_TOO_LARGE);
	assert_null(secret);
	write_file(STR("\n"));
	assert_int_equal(secret_read_file(path, 4, &secret), ERR_BAD_FIELD);
	assert_null(secret_str(NULL).p);
}

static const struct {
	const char *name;
	struct str text;
	enum err err;
	size_t count;
} key_cases[] = {
	{"one bare key is epoch 0", STR(K0 "01"), OK, 1},
	{"one key with an epoch", STR("7 " K0 "01"), OK, 1},
	{"two keys, newest first", STR("7 " K0 "01\n3 " K0 "02"), OK, 2},
	{"upper-case digits", STR("7 " K0 "AB"), OK, 1},
	{"two keys, oldest first", STR("3 " K0 "01\n7 " K0 "02"), ERR_BAD_FIELD, 0},
	{"the same epoch twice", STR("7 " K0 "01\n7 " K0 "02"), ERR_BAD_FIELD, 0},
	{"a bare key behind another", STR("7 " K0 "01\n" K0 "02"), ERR_BAD_FIELD, 0},
	{"two bare keys", STR(K0 "01\n" K0 "02"), ERR_BAD_FIELD, 0},
	{"three keys where two fit", STR("9 " K0 "01\n8 " K0 "02\n7 " K0 "03"), ERR_TOO_LARGE, 0},
	{"a key too short", STR("7 " K0), ERR_BAD_FIELD, 0},
	{"a key too long", STR("7 " K0 "0101"), ERR_BAD_FIELD, 0},
	{"a key with another letter", STR("7 " K0 "0g"), ERR_BAD_FIELD, 0},
	{"a bare key with another letter", STR(K0 "0g"), ERR_BAD_FIELD, 0},
	{"a negative epoch", STR("-7 " K0 "01"), ERR_BAD_FIELD, 0},
	{"two spaces", STR("7  " K0 "01"), ERR_BAD_FIELD, 0},
	{"an empty line", STR("7 " K0 "01\n\n"), ERR_BAD_FIELD, 0},
	{"carriage returns", STR("7 " K0 "01\r\n3 " K0 "02"), ERR_BAD_FIELD, 0},
	{"an epoch only", STR("7"), ERR_BAD_FIELD, 0},
};

static void keys_with_epochs_are_read_newest_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(key_cases); i++) {
		struct secret *secret = secret_new(key_cases[i].text.p, key_cases[i].text.len);
		struct key_epoch out[2];
		size_t count = 77;

		assert_non_null(secret);
		CHECK(key_cases[i].name, secret_to_keys(secret, out, 2, &count) == key_cases[i].err);
		CHECK(key_cases[i].name, count == key_cases[i].count);
		CHECK(key_cases[i].name, key_cases[i].err != OK || out[0].key[31] != 0);
		CHECK(key_cases[i].name, key_cases[i].err == OK || (out[0].key[31] == 0 && out[0].epoch == 0));
		secret_free(&secret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_name_the_key_and_never_the_value),
		cmocka_unit_test(every_fault_is_named_at_once),
		cmocka_unit_test(what_is_set_is_read_and_what_is_not_falls_back),
		cmocka_unit_test(one_trailing_newline_of_a_secret_is_cut),
		cmocka_unit_test(keys_with_epochs_are_read_newest_first),
	};
	int fd = mkstemp(path);
	int failed;

	if (fd < 0 || close(fd) != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
