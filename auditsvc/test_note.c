/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <sodium.h>
#include <string.h>

#include "base/encode.h"
#include "leaf.h"
#include "note.h"

/* What is signed, and what a leaf is made of, byte by byte: both are read by verifiers that share no code with us. */

/* RFC 8032 section 7.1, TEST 1. */
static const char seed_hex[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
static const char public_hex[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

static struct signer *signer_of(const char *text, enum err want)
{
	struct secret *seed = secret_new(text, strlen(text));
	struct signer *signer = NULL;

	assert_int_equal(note_signer_new(seed, &signer), want);
	secret_free(&seed);
	return signer;
}

static struct head_row a_head(void)
{
	struct head_row head = {.origin = STR("localhost:8443/audit/test"), .size = 2, .at = 1700000000 * US_PER_S + 5};

	memset(head.root.b, 0xfb, HASH_LEN);
	return head;
}

static void test_note_text(void **state)
{
	struct head_row head = a_head();
	struct buf note;
	(void)state;

	buf_init(&note, NOTE_LEN_MAX);
	note_write(&head, &note);
	assert_true(str_eq_c(buf_str(&note), "localhost:8443/audit/test\n2\n"
					     "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=\n"
					     "2023-11-14T22:13:20.000005Z\n"));
	buf_release(&note);
}

static void test_sign_and_verify(void **state)
{
	struct arena *arena = arena_new(4096);
	struct signer *signer = signer_of(seed_hex, OK);
	struct head_row head = a_head(), bent;
	struct str key = hex_decode(arena, str_from(public_hex));
	(void)state;

	assert_int_equal(note_sign(signer, &head), OK);
	assert_memory_equal(head.public_key, key.p, PUBLIC_KEY_LEN);
	assert_true(note_verify(&head));
	bent = head;
	bent.size++;
	assert_false(note_verify(&bent));
	bent = head;
	bent.at++;
	assert_false(note_verify(&bent));
	bent = head;
	bent.origin = STR("localhost:8443/audit/tesu");
	assert_false(note_verify(&bent));
	bent = head;
	bent.signature[63] ^= 1;
	assert_false(note_verify(&bent));
	note_signer_free(&signer);
	assert_null(signer);
	note_signer_free(&signer);
	arena_free(&arena);
}

static void test_seeds(void **state)
{
	struct signer *signer;
	(void)state;

	signer = signer_of("7 9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n"
			   "6 0000000000000000000000000000000000000000000000000000000000000000",
		OK);
	note_signer_free(&signer);
	signer = signer_of("9d61b19d", ERR_BAD_FIELD);
	assert_null(signer);
	signer = signer_of("", ERR_BAD_FIELD);
	assert_null(signer);
}

static void test_leaf_bytes(void **state)
{
	struct event_row event = {.tenant_id = {{0xa1}},
		.id = {{0xb2}},
		.at = 0x0102030405060708,
		.service = STR("authsvc"),
		.action = STR("x.y"),
		.object_type = STR("x"),
		.object_id = {{0xc3}},
		.object_version = 7,
		.subject_id = {{0xd4}},
		.after = {.present = true},
		.erased = true};
	static const char want[] =
		"01"
		"a1000000000000000000000000000000b2000000000000000000000000000000"
		"0102030405060708"
		"07617574687376630378"
		"2e790178"
		"c3000000000000000000000000000000"
		"0000000000000007"
		"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
		"d400000000000000000000000000000000000000000000000000000000000000"
		"06"
		"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
	struct arena *arena = arena_new(8192);
	struct hash first, second;
	struct buf leaf;
	(void)state;

	memset(event.after.digest.b, 0xee, HASH_LEN);
	buf_init(&leaf, LEAF_LEN_MAX);
	leaf_encode(&event, &leaf);
	assert_true(str_eq_c(hex_encode(arena, buf_str(&leaf)), want));
	buf_release(&leaf);
	assert_int_equal(leaf_hash(&event, &first), OK);
	event.before = event.after;
	event.after.present = false;
	assert_int_equal(leaf_hash(&event, &second), OK);
	assert_memory_not_equal(first.b, second.b, HASH_LEN);
	arena_free(&arena);
}

static int start(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_note_text),
		cmocka_unit_test(test_sign_and_verify),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_leaf_bytes),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
