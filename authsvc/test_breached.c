/* SPDX-License-Identifier: Apache-2.0 */
#include "breached.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/test.h"
#include "breached_build.h"
#include "breached_own.h"

static char folder[] = "/tmp/berth-breached-XXXXXX";
static char list_path[64], out_path[64];

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(list_path, sizeof(list_path), "%s/list", folder);
	(void)snprintf(out_path, sizeof(out_path), "%s/out", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(list_path);
	(void)unlink(out_path);
	return rmdir(folder);
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int build(const char *format, const char *list)
{
	char kind[8];

	(void)snprintf(kind, sizeof(kind), "%s", format);
	write_file(list_path, list, strlen(list));
	return breached_build(3, (char *[]){kind, list_path, out_path, NULL});
}

static struct breached built(const char *format, const char *list)
{
	struct breached breached;
	const char *reason;

	assert_int_equal(build(format, list), 0);
	assert_int_equal(breached_open(out_path, &breached, &reason), OK);
	return breached;
}

static bool has(const struct breached *breached, const char *password)
{
	return breached_has(breached, str_from(password));
}

static void what_is_listed_is_found_however_it_is_dressed(void **state)
{
	struct breached breached =
		built("text", "#!comment: not this\ncorrecthorse\n\nTr0ub4dor&3\r\nété à la plage\nlast line");

	(void)state;
	assert_int_equal(breached.entries, 4);
	assert_true(has(&breached, "correcthorse"));
	assert_true(has(&breached, "Correct Horse"));
	assert_true(has(&breached, "correct-horse!"));
	assert_true(has(&breached, "CorrectHorse2024"));
	assert_true(has(&breached, "Tr0ub4dor&3"));
	assert_true(has(&breached, "été à la plage"));
	assert_true(has(&breached, "last line"));
	assert_false(has(&breached, "#!comment: not this"));
	assert_false(has(&breached, "correcthors"));
	assert_false(has(&breached, "correcthorsee"));
	assert_false(has(&breached, "2024correcthorse"));
	assert_false(has(&breached, ""));
	assert_false(has(&breached, "12345"));
	breached_release(&breached);
	assert_false(has(&breached, "correcthorse"));
}

static void lists_of_digests_with_counts_are_read(void **state)
{
	/* SHA-1 of "password" and of "correct horse battery staple". */
	struct breached breached = built("sha1", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9659365\r\n"
						 "abf7aad6438836dbe526aa231abde2d0eef74d42\n");

	(void)state;
	assert_int_equal(breached.entries, 2);
	assert_true(has(&breached, "password"));
	assert_true(has(&breached, "correct horse battery staple"));
	assert_false(has(&breached, "passwort"));
	breached_release(&breached);
}

static void lists_that_are_none_make_no_file(void **state)
{
	static const struct {
		const char *name, *format, *list;
	} cases[] = {
		{"nothing in it", "text", ""},
		{"only comments", "text", "#!comment: x\n"},
		{"no digest", "sha1", "password\n"},
		{"a digest too short", "sha1", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD\n"},
		{"a digest with more behind it", "sha1", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8x\n"},
		{"a colon without a count", "sha1", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:\n"},
		{"a count that is none", "sha1", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1x\n"},
		{"a good line before a bad one", "sha1", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1\nzz\n"},
		{"another format", "hex", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8\n"},
	};
	char lines[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)unlink(out_path);
		CHECK(cases[i].name, build(cases[i].format, cases[i].list) != 0);
		CHECK(cases[i].name, access(out_path, F_OK) != 0);
	}
	memset(lines, 'a', sizeof(lines));
	lines[sizeof(lines) - 1] = '\0';
	assert_int_not_equal(build("text", lines), 0);
	assert_int_not_equal(access(out_path, F_OK), 0);
}

static void one_in_a_hundred_thousand_others_seems_listed(void **state)
{
	enum { ENTRIES = 20000, OTHERS = 200000 };
	static char list[ENTRIES * 16];
	struct breached breached;
	char text[32];
	size_t len = 0;
	int wrong = 0;

	(void)state;
	for (int i = 0; i < ENTRIES; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "entry %d x\n", i);
	breached = built("text", list);
	assert_true(breached.bit_count / 8 < ENTRIES * 4);
	for (int i = 0; i < ENTRIES; i++) {
		(void)snprintf(text, sizeof(text), "entry %d x", i);
		assert_true(has(&breached, text));
	}
	for (int i = 0; i < OTHERS; i++) {
		uint8_t digest[BREACHED_SHA1];

		(void)snprintf(text, sizeof(text), "other %d x", i);
		assert_true(sha1(str_from(text), digest));
		wrong += breached_has_sha1(&breached, digest);
	}
	/* 1.6 are to be expected. */
	assert_true(wrong <= 12);
	breached_release(&breached);
}

static void a_damaged_file_is_refused_with_a_reason(void **state)
{
	struct breached breached;
	const char *reason;
	uint8_t bytes[4096];
	size_t len;
	FILE *file;

	(void)state;
	assert_int_equal(build("text", "some\nentries\n"), 0);
	file = fopen(out_path, "r");
	assert_non_null(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	assert_int_equal(fclose(file), 0);
	assert_true(len > BREACHED_HEAD && len < sizeof(bytes) - 8);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x10;
		write_file(list_path, bytes, len);
		assert_int_not_equal(breached_open(list_path, &breached, &reason), OK);
		assert_non_null(reason);
		assert_null(breached.bits);
		bytes[i] ^= 0x10;
	}
	for (size_t cut = 0; cut < len; cut += 7) {
		write_file(list_path, bytes, cut);
		assert_int_not_equal(breached_open(list_path, &breached, &reason), OK);
	}
	write_file(list_path, bytes, len + 8);
	assert_int_not_equal(breached_open(list_path, &breached, &reason), OK);
	assert_int_not_equal(breached_open("/nonexistent/list", &breached, &reason), OK);
	assert_int_not_equal(breached_open(folder, &breached, &reason), OK);
	write_file(list_path, bytes, len);
	assert_int_equal(breached_open(list_path, &breached, &reason), OK);
	breached_release(&breached);
}

static void the_list_of_ones_own_stands_in_the_program(void **state)
{
	struct breached breached;
	const char *reason;

	(void)state;
	assert_int_equal(
		breached_over((struct str){(const char *)breached_own_bytes, breached_own_len}, &breached, &reason),
		OK);
	assert_true(breached.entries > 600);
	assert_true(has(&breached, "Correct Horse Battery Staple"));
	assert_true(has(&breached, "Je t'aime pour toujours 2026!"));
	assert_true(has(&breached, "ik hou van jou voor altijd"));
	assert_false(has(&breached, "gnarled willow under copper lanterns"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_listed_is_found_however_it_is_dressed),
		cmocka_unit_test(lists_of_digests_with_counts_are_read),
		cmocka_unit_test(lists_that_are_none_make_no_file),
		cmocka_unit_test(one_in_a_hundred_thousand_others_seems_listed),
		cmocka_unit_test(a_damaged_file_is_refused_with_a_reason),
		cmocka_unit_test(the_list_of_ones_own_stands_in_the_program),
	};

	return cmocka_run_group_tests_name("breached", tests, set_up, tear_down);
}
