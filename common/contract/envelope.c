/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/envelope.h"

#include <string.h>

#include "contract/zigzag.h"

/*
 * A batch: version (1 byte), kind (1), count (u16), then the items, each behind its length (u32).
 *
 *   request item  operation u16, request id 16 bytes, deadline varint, present u16 (a bit for each of request_strings),
 *                 if_match zigzag varint, then the strings that are present as varint length and bytes, in that order
 *   reply item    error varint, present u8, retry_after varint, version varint, the present of reply_strings
 *
 * The version changes when this layout does; a message of another version is malformed.
 */
#define BATCH_VERSION 1
#define BATCH_REQUEST 'q'
#define BATCH_REPLY 'r'
#define BATCH_HEAD_LEN 4
#define COUNT_AT 2

struct member {
	size_t offset;
	size_t len_max;
	bool text; /* must be UTF-8 */
};

static const struct member request_strings[] = {
	{offsetof(struct request_item, token), TOKEN_BYTES_MAX, false},
	{offsetof(struct request_item, idempotency_key), IDEMPOTENCY_KEY_MAX, false},
	{offsetof(struct request_item, client_address), CLIENT_ADDRESS_MAX, true},
	{offsetof(struct request_item, traceparent), TRACEPARENT_MAX, false},
	{offsetof(struct request_item, cookie), HEADER_TEXT_MAX, false},
	{offsetof(struct request_item, authorization), HEADER_TEXT_MAX, false},
	{offsetof(struct request_item, languages), HEADER_TEXT_MAX, false},
	{offsetof(struct request_item, form_fault), FAULT_TEXT_MAX, true},
	{offsetof(struct request_item, body), BATCH_BYTES_MAX, false},
	{offsetof(struct request_item, browser), BROWSER_MAX, true},
	{offsetof(struct request_item, proof), PROOF_BYTES_MAX, false},
};

static const struct member reply_strings[] = {
	{offsetof(struct reply_item, field), FAULT_TEXT_MAX, true},
	{offsetof(struct reply_item, reason), FAULT_TEXT_MAX, true},
	{offsetof(struct reply_item, detail), FAULT_TEXT_MAX, true},
	{offsetof(struct reply_item, body), BATCH_BYTES_MAX, false},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct str member_get(const void *item, const struct member *member)
{
	struct str value;

	memcpy(&value, (const unsigned char *)item + member->offset, sizeof(value));
	return value;
}

static void member_set(void *item, const struct member *member, struct str value)
{
	memcpy((unsigned char *)item + member->offset, &value, sizeof(value));
}

static void batch_begin(struct buf *out, uint8_t kind, size_t count)
{
	buf_reset(out);
	buf_put_byte(out, BATCH_VERSION);
	buf_put_byte(out, kind);
	buf_put_u16(out, (uint16_t)count);
	if (count > BATCH_ITEMS_MAX)
		out->failed = true;
}

static uint16_t present_bits(const void *item, const struct member *members, size_t count)
{
	uint16_t bits = 0;

	for (size_t i = 0; i < count; i++) {
		if (member_get(item, &members[i]).p != NULL)
			bits = (uint16_t)(bits | 1u << i);
	}
	return bits;
}

/*
 * A string longer than the receiver takes would cost the whole batch: it fails here, where it can be told from
 * its fellows.
 */
static void put_strings(struct buf *out, const void *item, const struct member *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct str value = member_get(item, &members[i]);

		if (value.len > members[i].len_max || (members[i].text && !str_is_utf8(value)))
			out->failed = true;
		if (value.p != NULL)
			buf_put_blob(out, value);
	}
}

/*
 * Fills in the length of the item that begins at `at`; one that does not fit is taken back, and the rest of the
 * batch stays.
 */
static void item_end(struct buf *out, size_t at)
{
	uint32_t big;
	size_t len = out->len - at - sizeof(big);

	if (buf_ok(out) && out->len <= BATCH_BYTES_MAX) {
		big = __builtin_bswap32((uint32_t)len);
		memcpy(out->p + at, &big, sizeof(big));
		return;
	}
	buf_truncate(out, at);
	out->failed = true;
}

void request_batch_begin(struct buf *out)
{
	batch_begin(out, BATCH_REQUEST, 0);
}

size_t request_batch_count(const struct buf *out)
{
	if (out->len < BATCH_HEAD_LEN)
		return 0;
	return (size_t)((uint8_t)out->p[COUNT_AT] << 8 | (uint8_t)out->p[COUNT_AT + 1]);
}

void request_batch_add(struct buf *out, const struct request_item *item)
{
	size_t count = request_batch_count(out);
	size_t at = out->len;

	if (!buf_ok(out))
		return;
	if (count >= BATCH_ITEMS_MAX) {
		out->failed = true;
		return;
	}
	buf_put_u32(out, 0);
	buf_put_u16(out, item->operation);
	buf_put(out, item->request_id.b, sizeof(item->request_id.b));
	buf_put_varint(out, item->deadline_ms);
	buf_put_u16(out, present_bits(item, request_strings, COUNT_OF(request_strings)));
	buf_put_varint(out, zigzag_from(item->if_match));
	put_strings(out, item, request_strings, COUNT_OF(request_strings));
	item_end(out, at);
	if (!buf_ok(out))
		return;
	out->p[COUNT_AT] = (char)((count + 1) >> 8);
	out->p[COUNT_AT + 1] = (char)((count + 1) & 255);
}

void reply_batch_begin(struct buf *out, size_t count)
{
	batch_begin(out, BATCH_REPLY, count);
}

/* At most FAULT_TEXT_MAX bytes, cut between characters; bytes that are not UTF-8 end it. */
static struct str clipped(struct str text)
{
	struct str head = {text.p, text.len < FAULT_TEXT_MAX ? text.len : FAULT_TEXT_MAX};

	head.len = str_utf8_len(head);
	return head;
}

void reply_batch_add(struct buf *out, const struct reply_item *item)
{
	struct reply_item copy = *item;
	size_t at = out->len;

	if (!buf_ok(out))
		return;
	copy.field = clipped(item->field);
	copy.reason = clipped(item->reason);
	copy.detail = clipped(item->detail);
	if (item->err != OK)
		copy.body = STR_NONE;
	buf_put_u32(out, 0);
	buf_put_varint(out, (uint64_t)copy.err);
	buf_put_byte(out, (uint8_t)present_bits(&copy, reply_strings, COUNT_OF(reply_strings)));
	buf_put_varint(out, copy.retry_after_s);
	buf_put_varint(out, copy.version < 0 ? 0 : (uint64_t)copy.version);
	put_strings(out, &copy, reply_strings, COUNT_OF(reply_strings));
	item_end(out, at);
}

static uint64_t read_number(struct reader *reader, uint64_t max)
{
	uint64_t value = reader_varint(reader);

	if (value > max)
		reader->failed = true;
	return value;
}

static void read_strings(struct reader *reader, void *item, unsigned bits, const struct member *members, size_t count)
{
	if (bits >> count != 0)
		reader->failed = true;
	for (size_t i = 0; i < count && !reader->failed; i++) {
		struct str value;

		if ((bits >> i & 1) == 0)
			continue;
		value = reader_blob(reader, members[i].len_max);
		if (members[i].text && !reader->failed && !str_is_utf8(value))
			reader->failed = true;
		member_set(item, &members[i], value);
	}
}

static void read_request(struct reader *reader, struct request_item *item)
{
	struct str id;
	unsigned bits;

	item->operation = reader_u16(reader);
	id = reader_bytes(reader, sizeof(item->request_id.b));
	if (id.p != NULL)
		memcpy(item->request_id.b, id.p, sizeof(item->request_id.b));
	item->deadline_ms = (uint32_t)read_number(reader, UINT32_MAX);
	bits = reader_u16(reader);
	item->if_match = zigzag_to(reader_varint(reader));
	read_strings(reader, item, bits, request_strings, COUNT_OF(request_strings));
}

static void read_reply(struct reader *reader, struct reply_item *item)
{
	unsigned bits;

	/* A newer callee may know errors that we do not: the reply then counts as one that we cannot understand. */
	item->err = err_from_wire((unsigned)read_number(reader, UINT16_MAX));
	bits = reader_u8(reader);
	item->retry_after_s = (uint32_t)read_number(reader, UINT32_MAX);
	item->version = (int64_t)read_number(reader, INT64_MAX);
	read_strings(reader, item, bits, reply_strings, COUNT_OF(reply_strings));
	if (item->err != OK && item->body.len > 0)
		reader->failed = true;
}

/* The head, and a reader over each of the items in turn. */
static enum err batch_open(struct str message, uint8_t kind, struct reader *reader_out, size_t *count_out)
{
	struct reader reader = reader_over(message);
	uint8_t version, found;

	if (message.len > BATCH_BYTES_MAX)
		return ERR_BAD_GATEWAY;
	version = reader_u8(&reader);
	found = reader_u8(&reader);
	*count_out = reader_u16(&reader);
	*reader_out = reader;
	if (reader.failed || version != BATCH_VERSION || found != kind || *count_out > BATCH_ITEMS_MAX)
		return ERR_BAD_GATEWAY;
	return OK;
}

static struct reader item_reader(struct reader *reader)
{
	struct reader item = reader_over(reader_bytes(reader, reader_u32(reader)));

	item.failed = reader->failed;
	return item;
}

enum err request_batch_decode(
	struct arena *arena, struct str message, struct request_item **items_out, size_t *count_out)
{
	struct request_item *items;
	struct reader reader;
	size_t count;

	*items_out = NULL;
	*count_out = 0;
	if (batch_open(message, BATCH_REQUEST, &reader, &count) != OK)
		return ERR_BAD_GATEWAY;
	if ((items = arena_take_array(arena, count, sizeof(*items))) == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++) {
		struct reader item = item_reader(&reader);

		read_request(&item, &items[i]);
		if (!reader_done(&item))
			return ERR_BAD_GATEWAY;
	}
	if (!reader_done(&reader))
		return ERR_BAD_GATEWAY;
	*items_out = items;
	*count_out = count;
	return OK;
}

enum err reply_batch_decode(struct arena *arena, struct str message, struct reply_item **items_out, size_t *count_out)
{
	struct reply_item *items;
	struct reader reader;
	size_t count;

	*items_out = NULL;
	*count_out = 0;
	if (batch_open(message, BATCH_REPLY, &reader, &count) != OK)
		return ERR_BAD_GATEWAY;
	if ((items = arena_take_array(arena, count, sizeof(*items))) == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++) {
		struct reader item = item_reader(&reader);

		read_reply(&item, &items[i]);
		if (!reader_done(&item))
			return ERR_BAD_GATEWAY;
	}
	if (!reader_done(&reader))
		return ERR_BAD_GATEWAY;
	*items_out = items;
	*count_out = count;
	return OK;
}
