/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdbool.h>
#include <string.h>

#include "link/link_frame.h"

static void test_frames_are_taken_one_by_one(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
		enum link_frame_state wanted;
		size_t used;
	} cases[] = {
		{"nothing yet", "", 0, LINK_FRAME_MORE, 0},
		{"half a length", "\0\0\0\0", 4, LINK_FRAME_MORE, 0},
		{"a length alone", "\0\0\0\0\0\0\0\5", 8, LINK_FRAME_MORE, 0},
		{"all but the last byte", "\0\0\0\0\0\0\0\5\x80\0\0\1", 12, LINK_FRAME_MORE, 0},
		{"one byte of payload", "\0\0\0\0\0\0\0\5\x80\0\0\1x", 13, LINK_FRAME_WHOLE, 13},
		{"no payload", "\0\0\0\0\0\0\0\4\x80\0\0\1", 12, LINK_FRAME_WHOLE, 12},
		{"one frame and the beginning of another", "\0\0\0\0\0\0\0\4\x80\0\0\1\0\0", 14, LINK_FRAME_WHOLE, 12},
		{"shorter than an id", "\0\0\0\0\0\0\0\3\x80\0\0", 11, LINK_FRAME_BAD, 0},
		{"a length of nothing", "\0\0\0\0\0\0\0\0", 8, LINK_FRAME_BAD, 0},
		{"an id without its mark", "\0\0\0\0\0\0\0\5\x00\0\0\1x", 13, LINK_FRAME_BAD, 0},
		{"the longest", "\0\0\0\0\0\x40\0\4", 8, LINK_FRAME_MORE, 0},
		{"one longer than the longest", "\0\0\0\0\0\x40\0\5", 8, LINK_FRAME_BAD, 0},
		{"longer than memory", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, LINK_FRAME_BAD, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str payload = STR_NONE, bytes = {cases[i].bytes, cases[i].len};
		size_t used = 0;
		uint32_t id = 0;

		CHECK(cases[i].name, link_frame_take(bytes, &id, &payload, &used) == cases[i].wanted);
		CHECK(cases[i].name, used == cases[i].used);
		if (cases[i].wanted == LINK_FRAME_WHOLE)
			CHECK(cases[i].name, id == 0x80000001 && payload.len == used - LINK_HEADER_LEN);
	}
}

static void test_a_header_reads_as_it_was_written(void **state)
{
	uint8_t header[LINK_HEADER_LEN];

	(void)state;
	link_frame_header(0x89abcdef, 0x010203, header);
	assert_memory_equal(header, "\0\0\0\0\0\1\2\7\x89\xab\xcd\xef", LINK_HEADER_LEN);
}

static void test_each_side_wants_the_greeting_of_the_other(void **state)
{
	uint8_t client[LINK_GREETING_LEN], server[LINK_GREETING_LEN];

	(void)state;
	link_frame_greeting(false, client);
	link_frame_greeting(true, server);
	assert_memory_equal(client, "\0SP\0\0\x30\0\0", LINK_GREETING_LEN);
	assert_memory_equal(server, "\0SP\0\0\x31\0\0", LINK_GREETING_LEN);
	assert_true(link_frame_greeted(true, (struct str){(const char *)client, LINK_GREETING_LEN}));
	assert_true(link_frame_greeted(false, (struct str){(const char *)server, LINK_GREETING_LEN}));
	assert_false(link_frame_greeted(true, (struct str){(const char *)server, LINK_GREETING_LEN}));
	assert_false(link_frame_greeted(true, (struct str){"\0SP\1\0\x30\0\0", LINK_GREETING_LEN}));
	assert_false(link_frame_greeted(true, (struct str){"GET / HT", LINK_GREETING_LEN}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_are_taken_one_by_one),
		cmocka_unit_test(test_a_header_reads_as_it_was_written),
		cmocka_unit_test(test_each_side_wants_the_greeting_of_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
