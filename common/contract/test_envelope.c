/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "contract/envelope.h"

static struct arena *arena;
static struct buf buf;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(1u << 20);
	buf_init(&buf, BATCH_BYTES_MAX);
	return arena == NULL;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	buf_release(&buf);
	return 0;
}

static struct str repeated(char c, size_t len)
{
	char *p = arena_take(arena, len + 1);

	assert_non_null(p);
	memset(p, c, len);
	return (struct str){p, len};
}

static const struct request_item full_request = {
	.operation = 65535,
	.request_id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255}},
	.deadline_ms = UINT32_MAX,
	.token = {"token", 5},
	.idempotency_key = {"key", 3},
	.if_match = INT64_MAX,
	.client_address = {"2001:db8::1", 11},
	.traceparent = {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 55},
	.cookie = {"a=b", 3},
	.authorization = {"Basic YTpi", 10},
	.languages = {"fr, en", 6},
	.browser = {"firefox", 7},
	.proof = {"a.b.c", 5},
	.form_fault = {"redirect_uri", 12},
	.body = {"\0\1\2", 3},
};

static bool same_str(struct str a, struct str b)
{
	return (a.p == NULL) == (b.p == NULL) && str_eq(a, b);
}

static bool same_request(const struct request_item *a, const struct request_item *b)
{
	return a->operation == b->operation && uuid_eq(&a->request_id, &b->request_id) &&
	       a->deadline_ms == b->deadline_ms && same_str(a->token, b->token) &&
	       same_str(a->idempotency_key, b->idempotency_key) && a->if_match == b->if_match &&
	       same_str(a->client_address, b->client_address) && same_str(a->traceparent, b->traceparent) &&
	       same_str(a->cookie, b->cookie) && same_str(a->authorization, b->authorization) &&
	       same_str(a->languages, b->languages) && same_str(a->form_fault, b->form_fault) &&
	       same_str(a->browser, b->browser) && same_str(a->proof, b->proof) && same_str(a->body, b->body);
}

static bool same_reply(const struct reply_item *a, const struct reply_item *b)
{
	return a->err == b->err && same_str(a->field, b->field) && same_str(a->reason, b->reason) &&
	       same_str(a->detail, b->detail) && a->retry_after_s == b->retry_after_s && a->version == b->version &&
	       same_str(a->body, b->body);
}

static void a_batch_of_requests_comes_back_as_it_was(void **state)
{
	struct request_item sent[4] = {
		full_request, {0}, {.if_match = -1, .token = STR("")}, {.body = STR("x"), .cookie = STR("")}};
	struct request_item *items;
	size_t count;

	(void)state;
	arena_reset(arena);
	request_batch_begin(&buf);
	for (size_t i = 0; i < COUNT_OF(sent); i++) {
		assert_int_equal(request_batch_count(&buf), i);
		request_batch_add(&buf, &sent[i]);
	}
	assert_true(buf_ok(&buf));
	assert_int_equal(request_batch_decode(arena, buf_str(&buf), &items, &count), OK);
	assert_int_equal(count, COUNT_OF(sent));
	for (size_t i = 0; i < count; i++)
		assert_true(same_request(&sent[i], &items[i]));
}

static void a_batch_of_replies_comes_back_as_it_was(void **state)
{
	struct reply_item sent[3] = {
		{.version = INT64_MAX, .body = STR("body")},
		{.err = ERR_BAD_FIELD, .field = STR("a[0].b"), .reason = STR("missing"), .detail = STR("caf\xc3\xa9")},
		{.err = ERR_OVERLOADED, .retry_after_s = UINT32_MAX},
	};
	struct reply_item *items;
	size_t count;

	(void)state;
	arena_reset(arena);
	reply_batch_begin(&buf, COUNT_OF(sent));
	for (size_t i = 0; i < COUNT_OF(sent); i++)
		reply_batch_add(&buf, &sent[i]);
	assert_true(buf_ok(&buf));
	assert_int_equal(reply_batch_decode(arena, buf_str(&buf), &items, &count), OK);
	assert_int_equal(count, COUNT_OF(sent));
	for (size_t i = 0; i < count; i++)
		assert_true(same_reply(&sent[i], &items[i]));
}

static void an_empty_batch_is_a_batch(void **state)
{
	struct request_item *items;
	size_t count = 7;

	(void)state;
	arena_reset(arena);
	request_batch_begin(&buf);
	assert_int_equal(request_batch_decode(arena, buf_str(&buf), &items, &count), OK);
	assert_int_equal(count, 0);
	buf_reset(&buf);
	assert_int_equal(request_batch_count(&buf), 0);
}

static void a_batch_holds_its_most_and_no_more(void **state)
{
	struct request_item *items;
	size_t count;

	(void)state;
	arena_reset(arena);
	request_batch_begin(&buf);
	for (size_t i = 0; i < BATCH_ITEMS_MAX; i++)
		request_batch_add(&buf, &full_request);
	assert_true(buf_ok(&buf));
	request_batch_add(&buf, &full_request);
	assert_false(buf_ok(&buf));
	buf.failed = false;
	assert_int_equal(request_batch_decode(arena, buf_str(&buf), &items, &count), OK);
	assert_int_equal(count, BATCH_ITEMS_MAX);
	reply_batch_begin(&buf, BATCH_ITEMS_MAX + 1);
	assert_false(buf_ok(&buf));
}

/* Each of these would make the receiver drop the whole batch. */
static void an_item_over_a_cap_leaves_the_batch_as_it_was(void **state)
{
	struct request_item bad[10];
	struct request_item *items;
	size_t len, count;

	(void)state;
	arena_reset(arena);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		bad[i] = (struct request_item){0};
	bad[0].token = repeated('a', TOKEN_BYTES_MAX + 1);
	bad[1].idempotency_key = repeated('a', IDEMPOTENCY_KEY_MAX + 1);
	bad[2].client_address = repeated('a', CLIENT_ADDRESS_MAX + 1);
	bad[3].traceparent = repeated('a', TRACEPARENT_MAX + 1);
	bad[4].cookie = repeated('a', HEADER_TEXT_MAX + 1);
	bad[5].authorization = repeated('a', HEADER_TEXT_MAX + 1);
	bad[6].languages = repeated('a', HEADER_TEXT_MAX + 1);
	bad[7].form_fault = STR("\xff");
	bad[8].browser = repeated('a', BROWSER_MAX + 1);
	bad[9].proof = repeated('a', PROOF_BYTES_MAX + 1);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		request_batch_begin(&buf);
		request_batch_add(&buf, &full_request);
		len = buf.len;
		request_batch_add(&buf, &bad[i]);
		assert_false(buf_ok(&buf));
		assert_int_equal(buf.len, len);
		buf.failed = false;
		request_batch_add(&buf, &full_request);
		assert_int_equal(request_batch_decode(arena, buf_str(&buf), &items, &count), OK);
		assert_int_equal(count, 2);
	}
}

static void a_batch_stays_under_its_bytes(void **state)
{
	struct arena *large = arena_new(BATCH_BYTES_MAX);
	struct request_item item = {0};
	struct reply_item reply = {0};
	size_t len;

	(void)state;
	assert_non_null(large);
	item.body = (struct str){arena_take(large, BATCH_BYTES_MAX / 2), BATCH_BYTES_MAX / 2};
	reply.body = item.body;
	request_batch_begin(&buf);
	request_batch_add(&buf, &item);
	len = buf.len;
	request_batch_add(&buf, &item);
	assert_false(buf_ok(&buf));
	assert_int_equal(buf.len, len);
	assert_int_equal(request_batch_count(&buf), 1);
	reply_batch_begin(&buf, 2);
	reply_batch_add(&buf, &reply);
	len = buf.len;
	reply_batch_add(&buf, &reply);
	assert_false(buf_ok(&buf));
	assert_int_equal(buf.len, len);
	arena_free(&large);
}

static void texts_of_a_reply_are_cut_between_characters_and_errors_have_no_body(void **state)
{
	struct reply_item reply = {
		.err = ERR_RULE, .body = STR("left over"), .version = -3, .reason = STR("a\xff"), .field = STR("f")};
	struct reply_item *items;
	size_t count;
	char *text;

	(void)state;
	arena_reset(arena);
	text = arena_take(arena, 2 * FAULT_TEXT_MAX);
	for (size_t i = 0; i < FAULT_TEXT_MAX; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 2);
	memmove(text + 1, text, 2 * FAULT_TEXT_MAX - 1);
	text[0] = 'x';
	reply.detail = (struct str){text, 2 * FAULT_TEXT_MAX - 1};
	reply_batch_begin(&buf, 1);
	reply_batch_add(&buf, &reply);
	assert_int_equal(reply_batch_decode(arena, buf_str(&buf), &items, &count), OK);
	assert_int_equal(items[0].detail.len, FAULT_TEXT_MAX - 1);
	assert_true(str_is_utf8(items[0].detail));
	assert_true(str_eq_c(items[0].reason, "a"));
	assert_int_equal(items[0].version, 0);
	assert_int_equal(items[0].body.len, 0);
}

/* A whole request of one empty item: length 23, operation 5, id, deadline 0, nothing present, no version. */
#define HEAD "\x01q\0\x01"
#define ID16 "0123456789abcdef"
#define EMPTY_ITEM         \
	"\0\0\0\x16"       \
	"\0\x05" ID16 "\0" \
	"\0\0"             \
	"\0"

static const struct {
	const char *name;
	struct str message;
	enum err err;
} cases[] = {
	{"a batch of one empty item", STR(HEAD EMPTY_ITEM), OK},
	{"an empty message", STR(""), ERR_BAD_GATEWAY},
	{"a head cut short", STR("\x01q\0"), ERR_BAD_GATEWAY},
	{"another version", STR("\x02q\0\x01" EMPTY_ITEM), ERR_BAD_GATEWAY},
	{"a reply where a request is due", STR("\x01r\0\x01" EMPTY_ITEM), ERR_BAD_GATEWAY},
	{"fewer items than counted", STR("\x01q\0\x02" EMPTY_ITEM), ERR_BAD_GATEWAY},
	{"more items than counted", STR(HEAD EMPTY_ITEM EMPTY_ITEM), ERR_BAD_GATEWAY},
	{"more items than a batch holds", STR("\x01q\x01\x01" EMPTY_ITEM), ERR_BAD_GATEWAY},
	{"bytes behind the last item", STR(HEAD EMPTY_ITEM "x"), ERR_BAD_GATEWAY},
	{"an item with bytes left over",
		STR(HEAD "\0\0\0\x17"
			 "\0\x05" ID16 "\0"
			 "\0\0"
			 "\0"
			 "x"),
		ERR_BAD_GATEWAY},
	{"an item shorter than its parts",
		STR(HEAD "\0\0\0\x15"
			 "\0\x05" ID16 "\0"
			 "\0\0"),
		ERR_BAD_GATEWAY},
	{"an item longer than the message",
		STR(HEAD "\xff\xff\xff\xff"
			 "\0\x05" ID16 "\0"
			 "\0\0"
			 "\0"),
		ERR_BAD_GATEWAY},
	{"a member that does not exist",
		STR(HEAD "\0\0\0\x17"
			 "\0\x05" ID16 "\0"
			 "\x08\0"
			 "\0"
			 "\0"),
		ERR_BAD_GATEWAY},
	{"a string longer than its item",
		STR(HEAD "\0\0\0\x17"
			 "\0\x05" ID16 "\0"
			 "\0\x01"
			 "\0"
			 "\x09"),
		ERR_BAD_GATEWAY},
	{"an address that is not UTF-8",
		STR(HEAD "\0\0\0\x18"
			 "\0\x05" ID16 "\0"
			 "\0\x04"
			 "\0"
			 "\x01\xff"),
		ERR_BAD_GATEWAY},
	{"a deadline over 32 bits",
		STR(HEAD "\0\0\0\x1a"
			 "\0\x05" ID16 "\x80\x80\x80\x80\x10"
			 "\0\0"
			 "\0"),
		ERR_BAD_GATEWAY},
};

static void malformed_batches_are_refused_as_a_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct request_item *items;
		size_t count;

		arena_reset(arena);
		CHECK(cases[i].name, request_batch_decode(arena, cases[i].message, &items, &count) == cases[i].err);
		CHECK(cases[i].name, cases[i].err == OK || (items == NULL && count == 0));
	}
}

static const struct {
	const char *name;
	struct str message;
	enum err err;
} reply_cases[] = {
	{"a reply without a body",
		STR("\x01r\0\x01\0\0\0\x04"
		    "\0"
		    "\0"
		    "\0"
		    "\0"),
		OK},
	{"an error that we do not know counts as not understood",
		STR("\x01r\0\x01\0\0\0\x05"
		    "\xc8\x01"
		    "\0"
		    "\0"
		    "\0"),
		OK},
	{"an error with a body",
		STR("\x01r\0\x01\0\0\0\x06"
		    "\x01"
		    "\x08"
		    "\0"
		    "\0"
		    "\x01"
		    "x"),
		ERR_BAD_GATEWAY},
	{"a detail that is not UTF-8",
		STR("\x01r\0\x01\0\0\0\x06"
		    "\x01"
		    "\x04"
		    "\0"
		    "\0"
		    "\x01"
		    "\xff"),
		ERR_BAD_GATEWAY},
	{"a member that does not exist",
		STR("\x01r\0\x01\0\0\0\x05"
		    "\x01"
		    "\x10"
		    "\0"
		    "\0"
		    "\0"),
		ERR_BAD_GATEWAY},
	{"an error number over 16 bits",
		STR("\x01r\0\x01\0\0\0\x06"
		    "\x80\x80\x04"
		    "\0"
		    "\0"
		    "\0"),
		ERR_BAD_GATEWAY},
	{"a request where a reply is due", STR(HEAD EMPTY_ITEM), ERR_BAD_GATEWAY},
};

static void malformed_replies_are_refused_as_a_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(reply_cases); i++) {
		struct reply_item *items;
		size_t count;

		arena_reset(arena);
		CHECK(reply_cases[i].name,
			reply_batch_decode(arena, reply_cases[i].message, &items, &count) == reply_cases[i].err);
		CHECK(reply_cases[i].name, reply_cases[i].err == OK || (items == NULL && count == 0));
	}
}

static void a_message_cut_anywhere_is_refused(void **state)
{
	struct request_item *items;
	size_t count;

	(void)state;
	request_batch_begin(&buf);
	request_batch_add(&buf, &full_request);
	request_batch_add(&buf, &full_request);
	for (size_t len = 0; len < buf.len; len++) {
		char *part = test_malloc(len);

		arena_reset(arena);
		memcpy(part, buf.p, len);
		assert_int_equal(request_batch_decode(arena, (struct str){part, len}, &items, &count), ERR_BAD_GATEWAY);
		test_free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_of_requests_comes_back_as_it_was),
		cmocka_unit_test(a_batch_of_replies_comes_back_as_it_was),
		cmocka_unit_test(an_empty_batch_is_a_batch),
		cmocka_unit_test(a_batch_holds_its_most_and_no_more),
		cmocka_unit_test(an_item_over_a_cap_leaves_the_batch_as_it_was),
		cmocka_unit_test(a_batch_stays_under_its_bytes),
		cmocka_unit_test(texts_of_a_reply_are_cut_between_characters_and_errors_have_no_body),
		cmocka_unit_test(malformed_batches_are_refused_as_a_whole),
		cmocka_unit_test(malformed_replies_are_refused_as_a_whole),
		cmocka_unit_test(a_message_cut_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
