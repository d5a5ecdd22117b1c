/* SPDX-License-Identifier: Apache-2.0 */
#include "webauthn.h"

#include <stdio.h>

#include "base/encode.h"
#include "base/test.h"
#include "cbor.h"

/* WebAuthn Level 3 section 16.2 (W3C Software and Document License); all the others stand in tests/conformance. */
#define RP_ID_HASH "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5"
#define COSE_KEY                                                                                             \
	"a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b8" \
	"7a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220"
#define CREDENTIAL_ID "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4"
#define ATTESTED "8446ccb9ab1db374750b2367ff6f3a1f0020" CREDENTIAL_ID COSE_KEY
#define OBJECT "a363666d74646e6f6e656761747453746d74a068617574684461746158a4" RP_ID_HASH "5900000000" ATTESTED
#define CREATED                                                                                                     \
	"{\"type\":\"webauthn.create\",\"challenge\":\"AMMPt4UxxGTStncdq417YDwBFi8vpIa-pw8oOuVW4TA\",\"origin\":\"" \
	"https://example.org\",\"crossOrigin\":false}"
#define GOT                                                                                                      \
	"{\"type\":\"webauthn.get\",\"challenge\":\"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag\",\"origin\":\"" \
	"https://example.org\",\"crossOrigin\":false}"
#define SIGNATURE                                                                                            \
	"3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174" \
	"f575bf11a1dd5d78c6e486013f937295ea13653e331e87"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(1U << 20);
	return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct str bytes(const char *hex)
{
	return hex_decode(arena, str_from(hex));
}

static struct webauthn_rules rules_of(const char *challenge)
{
	return (struct webauthn_rules){
		.rp_id = STR("example.org"), .origin = STR("https://example.org"), .challenge = bytes(challenge)};
}

static void a_registration_tells_the_credential(void **state)
{
	struct webauthn_rules rules = rules_of("00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130");
	struct webauthn_credential credential;
	const char *reason;

	(void)state;
	assert_int_equal(webauthn_register(arena, &rules, STR(CREATED), bytes(OBJECT), &credential, &reason), OK);
	assert_true(str_eq(credential.id, bytes(CREDENTIAL_ID)));
	assert_true(str_eq(credential.public_key, bytes(COSE_KEY)));
	assert_memory_equal(credential.aaguid, bytes("8446ccb9ab1db374750b2367ff6f3a1f").p, WEBAUTHN_AAGUID_LEN);
	assert_true(credential.state.backup_eligible && credential.state.backed_up);
	assert_false(credential.state.user_verified);
	assert_int_equal(credential.state.sign_count, 0);
	rules.challenge.len = WEBAUTHN_CHALLENGE_MIN - 1;
	assert_int_equal(
		webauthn_register(arena, &rules, STR(CREATED), bytes(OBJECT), &credential, &reason), ERR_BAD_FIELD);
	assert_null(credential.id.p);
}

static void extensions_are_passed_over_and_nothing_else(void **state)
{
	static const struct {
		const char *name, *tail;
		enum err err;
	} cases[] = {
		{"one that nobody knows", "a1686372656450726f740258", ERR_BAD_FIELD},
		{"a number", "a1686372656450726f7402", OK},
		{"none of them", "a0", OK},
		{"no map", "02", ERR_BAD_FIELD},
		{"one and more behind", "a000", ERR_BAD_FIELD},
	};
	struct webauthn_rules rules = rules_of("39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408");
	struct webauthn_known known = {.public_key = bytes(COSE_KEY)};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char hex[256];
		struct webauthn_assertion assertion = {.client_data = STR(GOT), .signature = bytes(SIGNATURE)};
		struct webauthn_state shown;
		const char *reason;

		(void)snprintf(hex, sizeof(hex), RP_ID_HASH "9900000000%s", cases[i].tail);
		assertion.authenticator_data = bytes(hex);
		CHECK(cases[i].name, webauthn_authenticate(arena, &rules, &known, &assertion, &shown, &reason) != OK);
		/* What is well-formed gets as far as the signature, which is over other bytes. */
		CHECK(cases[i].name, str_eq_c(str_from(reason), "the signature is wrong") == (cases[i].err == OK));
	}
}

static void a_key_that_becomes_one_to_be_copied_is_refused(void **state)
{
	struct webauthn_rules rules = rules_of("39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408");
	struct webauthn_assertion assertion = {STR(GOT), bytes(RP_ID_HASH "1900000000"), bytes(SIGNATURE)};
	struct webauthn_known known = {.public_key = bytes(COSE_KEY)};
	const bool yes = true, no = false;
	struct webauthn_state shown;
	const char *reason;

	(void)state;
	assert_int_equal(webauthn_authenticate(arena, &rules, &known, &assertion, &shown, &reason), OK);
	known.backup_eligible = &yes;
	assert_int_equal(webauthn_authenticate(arena, &rules, &known, &assertion, &shown, &reason), OK);
	assert_true(shown.backup_eligible && shown.backed_up);
	known.backup_eligible = &no;
	assert_int_equal(
		webauthn_authenticate(arena, &rules, &known, &assertion, &shown, &reason), ERR_UNAUTHENTICATED);
	assert_string_equal(reason, "flags: eligibility for backup changed");
	assert_false(shown.backup_eligible);
}

static void items_are_passed_over_in_their_only_form(void **state)
{
	static const struct {
		const char *name, *hex;
		bool taken;
	} cases[] = {
		{"a small number", "17", true},
		{"a number in a byte", "1818", true},
		{"a small number in a byte", "1817", false},
		{"a byte in two", "1900ff", false},
		{"two bytes in four", "1a0000ffff", false},
		{"four bytes in eight", "1b00000000ffffffff", false},
		{"the largest number", "1bffffffffffffffff", true},
		{"true", "f5", true},
		{"null", "f6", true},
		{"undefined", "f7", false},
		{"a simple value in a byte", "f8ff", false},
		{"a float", "fa47c35000", false},
		{"a tag", "c100", false},
		{"an indefinite text", "7f6161ff", false},
		{"a text that is no UTF-8", "61ff", false},
		{"a text that is cut", "6261", false},
		{"bytes longer than memory", "5bffffffffffffffff", false},
		{"an array of more than there is", "8201", false},
		{"a map of more than there is", "a101", false},
		{"a map of more than may be", "b90101", false},
		{"arrays in arrays", "8181818181818100", true},
		{"a reserved form", "1c", false},
		{"nothing", "", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct reader reader = reader_over(bytes(cases[i].hex));

		cbor_skip(&reader);
		CHECK(cases[i].name, reader_done(&reader) == cases[i].taken);
	}
}

static void numbers_keep_their_sign_and_range(void **state)
{
	static const struct {
		const char *name, *hex;
		int64_t value;
		bool taken;
	} cases[] = {
		{"RS256", "390100", -257, true},
		{"the least", "3b7fffffffffffffff", INT64_MIN, true},
		{"less than the least", "3b8000000000000000", 0, false},
		{"more than the most", "1b8000000000000000", 0, false},
		{"a text", "6131", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct reader reader = reader_over(bytes(cases[i].hex));

		CHECK(cases[i].name, cbor_int(&reader) == cases[i].value);
		CHECK(cases[i].name, reader.failed != cases[i].taken);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_registration_tells_the_credential),
		cmocka_unit_test(extensions_are_passed_over_and_nothing_else),
		cmocka_unit_test(a_key_that_becomes_one_to_be_copied_is_refused),
		cmocka_unit_test(items_are_passed_over_in_their_only_form),
		cmocka_unit_test(numbers_keep_their_sign_and_range),
	};

	return cmocka_run_group_tests_name("webauthn", tests, set_up, tear_down);
}
