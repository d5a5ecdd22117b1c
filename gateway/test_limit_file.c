/* SPDX-License-Identifier: Apache-2.0 */
#include "limit_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"

static const struct rate_policy base[RATE_CLASS_COUNT] = {
	[RATE_ADDRESS] = {.per_s = 10, .burst = 20},
	[RATE_TENANT] = {.per_s = 30, .burst = 40},
};

static void files_that_are_right(void **state)
{
	static const struct {
		const char *name, *doc;
		int64_t address_per_s, address_burst, tenant_per_s;
	} rows[] = {
		{"nothing at all", "", 10, 20, 30},
		{"comments and blank lines", "# nothing\n\n  \n", 10, 20, 30},
		{"one number of a pair", "BERTH_LIMIT_ADDRESS_PER_S=7\n", 7, 20, 30},
		{"both", "BERTH_LIMIT_ADDRESS_PER_S=7\nBERTH_LIMIT_ADDRESS_BURST=8\n", 7, 8, 30},
		{"a limit switched off", "BERTH_LIMIT_TENANT_PER_S=0\n", 10, 20, 0},
		{"blanks around a line", " BERTH_LIMIT_TENANT_PER_S=5 \n", 10, 20, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rate_policy policies[RATE_CLASS_COUNT];
		struct limit_file_fault fault;

		if (limit_file_parse(str_from(rows[i].doc), base, policies, &fault) != OK)
			fail_msg("%s: refused", rows[i].name);
		if (policies[RATE_ADDRESS].per_s != rows[i].address_per_s ||
			policies[RATE_ADDRESS].burst != rows[i].address_burst ||
			policies[RATE_TENANT].per_s != rows[i].tenant_per_s || policies[RATE_TENANT].burst != 40)
			fail_msg("%s: other numbers", rows[i].name);
	}
}

static void files_that_are_wrong_name_the_line_and_the_key(void **state)
{
	static const struct {
		const char *name, *doc, *key;
		unsigned line;
	} rows[] = {
		{"a word for a number", "# \nBERTH_LIMIT_ADDRESS_PER_S=many\n", "BERTH_LIMIT_ADDRESS_PER_S", 2},
		{"nothing for a number", "BERTH_LIMIT_ADDRESS_PER_S=\n", "BERTH_LIMIT_ADDRESS_PER_S", 1},
		{"a negative number", "BERTH_LIMIT_ADDRESS_PER_S=-1\n", "BERTH_LIMIT_ADDRESS_PER_S", 1},
		{"a number beyond the bound", "BERTH_LIMIT_ADDRESS_PER_S=1000001\n", "BERTH_LIMIT_ADDRESS_PER_S", 1},
		{"a burst of nothing", "BERTH_LIMIT_ADDRESS_BURST=0\n", "BERTH_LIMIT_ADDRESS_BURST", 1},
		{"a number that no integer holds", "BERTH_LIMIT_ADDRESS_BURST=99999999999999999999\n",
			"BERTH_LIMIT_ADDRESS_BURST", 1},
		{"a key twice", "BERTH_LIMIT_PERSON_PER_S=1\nBERTH_LIMIT_PERSON_PER_S=2\n", "BERTH_LIMIT_PERSON_PER_S",
			2},
		{"an unknown limit", "BERTH_LIMIT_PLANET_PER_S=1\n", NULL, 1},
		{"a key that is no limit", "BERTH_GATEWAY_LOOPS=1\n", NULL, 1},
		{"no key at all", "10\n", NULL, 1},
		{"a last line without its end", "BERTH_LIMIT_PERSON_PER_S=1\nBERTH_LIMIT_TENANT_PER_S=1", NULL, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rate_policy policies[RATE_CLASS_COUNT];
		struct limit_file_fault fault;

		if (limit_file_parse(str_from(rows[i].doc), base, policies, &fault) != ERR_BAD_FIELD)
			fail_msg("%s: taken", rows[i].name);
		if (fault.line != rows[i].line || fault.reason == NULL ||
			!str_eq(str_from(fault.key), str_from(rows[i].key)))
			fail_msg("%s: line %u, key %s", rows[i].name, fault.line, fault.key);
	}
}

static void a_file_without_end_is_refused(void **state)
{
	struct rate_policy policies[RATE_CLASS_COUNT];
	struct limit_file_fault fault;
	char doc[LIMIT_FILE_LINES_MAX + 1];

	(void)state;
	memset(doc, '\n', sizeof doc);
	assert_int_equal(limit_file_parse((struct str){doc, LIMIT_FILE_LINES_MAX}, base, policies, &fault), OK);
	assert_int_equal(limit_file_parse((struct str){doc, sizeof doc}, base, policies, &fault), ERR_BAD_FIELD);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool tells(const struct limit_file *file, const char *line)
{
	struct buf out;
	bool found;

	buf_init(&out, 4096);
	limit_file_write(file, &out);
	buf_put(&out, "", 1);
	found = strstr(out.p, line) != NULL;
	buf_release(&out);
	return found;
}

static void a_wrong_file_keeps_what_was_and_tells(void **state)
{
	char path[] = "/tmp/berth-limits-XXXXXX";
	struct gateway_config config = {.limits_file = path};
	struct limit_file *file = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	memcpy(config.limits, base, sizeof base);
	write_file(path, "BERTH_LIMIT_TENANT_PER_S=5\n");
	assert_int_equal(limit_file_new(&config, &file), OK);
	assert_int_equal(limit_file_policies(file)[RATE_TENANT].per_s, 5);
	assert_false(limit_file_reload(file));
	write_file(path, "BERTH_LIMIT_TENANT_PER_S=6\nBERTH_LIMIT_PERSON_PER_S=none\n");
	assert_false(limit_file_reload(file));
	assert_int_equal(limit_file_policies(file)[RATE_TENANT].per_s, 5);
	assert_true(tells(file, "limits_refused 1\n"));
	assert_false(limit_file_reload(file));
	assert_true(tells(file, "limits_refusals_total 1\n"));
	write_file(path, "BERTH_LIMIT_TENANT_PER_S=7\n");
	assert_true(limit_file_reload(file));
	assert_int_equal(limit_file_policies(file)[RATE_TENANT].per_s, 7);
	assert_true(tells(file, "limits_refused 0\n"));
	/* Without the file the environment's limits stand again. */
	assert_int_equal(unlink(path), 0);
	assert_true(limit_file_reload(file));
	assert_int_equal(limit_file_policies(file)[RATE_TENANT].per_s, 30);
	limit_file_free(&file);
}

static void a_wrong_file_stops_the_start(void **state)
{
	char path[] = "/tmp/berth-limits-XXXXXX";
	const struct gateway_config config = {.limits_file = path};
	struct limit_file *file = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	write_file(path, "BERTH_LIMIT_TENANT_PER_S=x\n");
	assert_int_equal(limit_file_new(&config, &file), ERR_BAD_FIELD);
	assert_null(file);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_are_right),
		cmocka_unit_test(files_that_are_wrong_name_the_line_and_the_key),
		cmocka_unit_test(a_file_without_end_is_refused),
		cmocka_unit_test(a_wrong_file_keeps_what_was_and_tells),
		cmocka_unit_test(a_wrong_file_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
