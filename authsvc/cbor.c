/* SPDX-License-Identifier: Apache-2.0 */
#include "cbor.h"

#define ARGUMENT_U8 24 /* RFC 8949 section 3: from here on the argument stands in bytes of its own */
#define ARGUMENT_U64 27
#define SIMPLE_FALSE 20
#define SIMPLE_NULL 22

struct head {
	enum cbor_kind kind;
	uint64_t value;
};

static void fail(struct reader *reader)
{
	reader->failed = true;
}

/* The least argument that needs a form: whatever is below has a shorter one. */
static uint64_t least_of(unsigned form)
{
	switch (form) {
	case ARGUMENT_U8:
		return ARGUMENT_U8;
	case ARGUMENT_U8 + 1:
		return (uint64_t)UINT8_MAX + 1;
	case ARGUMENT_U8 + 2:
		return (uint64_t)UINT16_MAX + 1;
	default:
		return (uint64_t)UINT32_MAX + 1;
	}
}

static struct head head_of(struct reader *reader)
{
	uint8_t first = reader_u8(reader);
	unsigned form = first & 0x1f;
	struct head head = {(enum cbor_kind)(first >> 5), form};

	if (form < ARGUMENT_U8)
		return head;
	/* Simple values in a byte of their own and floats, indefinite lengths, what nobody has defined. */
	if (head.kind == CBOR_SIMPLE || form > ARGUMENT_U64) {
		fail(reader);
		return (struct head){0};
	}
	if (form == ARGUMENT_U8)
		head.value = reader_u8(reader);
	else if (form == ARGUMENT_U8 + 1)
		head.value = reader_u16(reader);
	else if (form == ARGUMENT_U8 + 2)
		head.value = reader_u32(reader);
	else
		head.value = reader_u64(reader);
	if (head.value < least_of(form))
		fail(reader);
	return head;
}

/* The argument of a head of this kind, at most `max`. */
static size_t sized(struct reader *reader, enum cbor_kind kind, size_t max)
{
	struct head head = head_of(reader);

	if (head.kind != kind || head.value > max)
		fail(reader);
	return reader->failed ? 0 : (size_t)head.value;
}

int64_t cbor_int(struct reader *reader)
{
	struct head head = head_of(reader);

	if (head.kind > CBOR_NEGATIVE || head.value > INT64_MAX)
		fail(reader);
	if (reader->failed)
		return 0;
	return head.kind == CBOR_UNSIGNED ? (int64_t)head.value : -1 - (int64_t)head.value;
}

struct str cbor_bytes(struct reader *reader, size_t max_len)
{
	return reader_bytes(reader, sized(reader, CBOR_BYTES, max_len));
}

struct str cbor_text(struct reader *reader, size_t max_len)
{
	struct str text = reader_bytes(reader, sized(reader, CBOR_TEXT, max_len));

	if (!reader->failed && !str_is_utf8(text))
		fail(reader);
	return reader->failed ? STR_NONE : text;
}

size_t cbor_array(struct reader *reader, size_t max)
{
	return sized(reader, CBOR_ARRAY, max);
}

size_t cbor_map(struct reader *reader, size_t max)
{
	return sized(reader, CBOR_MAP, max);
}

/* Passes over the item's own bytes; gives how many items it says are in it. */
static uint64_t skip_one(struct reader *reader)
{
	struct head head = head_of(reader);
	struct str s;

	switch (head.kind) {
	case CBOR_BYTES:
	case CBOR_TEXT:
		s = reader_bytes(reader, (size_t)head.value);
		if (head.kind == CBOR_TEXT && !str_is_utf8(s))
			fail(reader);
		return 0;
	case CBOR_ARRAY:
	case CBOR_MAP:
		if (head.value > CBOR_ITEMS_MAX)
			fail(reader);
		return head.kind == CBOR_MAP ? 2 * head.value : head.value;
	case CBOR_TAG:
		fail(reader);
		return 0;
	case CBOR_SIMPLE:
		if (head.value < SIMPLE_FALSE || head.value > SIMPLE_NULL)
			fail(reader);
		return 0;
	default:
		return 0;
	}
}

/* Without recursion: what counts is how many items are still due, however deep they stand. */
void cbor_skip(struct reader *reader)
{
	uint64_t due = 1;

	for (unsigned seen = 0; due > 0 && !reader->failed; seen++) {
		due += skip_one(reader) - 1;
		if (seen >= CBOR_ITEMS_MAX)
			fail(reader);
	}
}
