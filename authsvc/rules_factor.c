/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_factor.h"

#include "base/encode.h"

#define RECOVERY_TEXT_LEN 16
#define RECOVERY_GROUP 4

/* Letters of RFC 4648 section 6. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static const char *const kinds[FACTOR_KINDS] = {[FACTOR_TOTP] = "totp", [FACTOR_PASSKEY] = "passkey"};

/* RFC 8176: a recovery code is a one-time password as well. */
const struct proof rules_proof_totp = {.acr = ACR_2FA, .methods = {"pwd otp mfa", 11}};
const struct proof rules_proof_recovery = {.acr = ACR_2FA, .methods = {"pwd otp mfa", 11}};

/* RFC 8176: somebody was there (user), and the key is the device's own (hwk) or may be copied by its maker (swk). */
struct proof rules_proof_passkey(bool password, bool synced)
{
	static const struct str methods[2][2] = {
		{{"hwk user mfa", 12}, {"swk user mfa", 12}}, {{"pwd hwk user mfa", 16}, {"pwd swk user mfa", 16}}};

	return (struct proof){.acr = ACR_PHR, .methods = methods[password][synced]};
}

bool rules_proof_has_password(const struct proof *proof)
{
	struct str rest = proof->methods;
	struct str first;

	(void)str_cut(&rest, ' ', &first);
	return str_eq_c(first, "pwd");
}

const char *rules_factor_kind_name(enum factor_kind kind)
{
	return kinds[kind];
}

bool rules_factor_kind_parse(struct str name, enum factor_kind *kind_out)
{
	for (int kind = 0; kind < FACTOR_KINDS; kind++) {
		if (str_eq_c(name, kinds[kind])) {
			*kind_out = (enum factor_kind)kind;
			return true;
		}
	}
	*kind_out = FACTOR_TOTP;
	return false;
}

/* RFC 4226 section 5.3 */
uint32_t rules_totp_code(struct str secret, int64_t step, int digits)
{
	uint8_t counter[8], mac[20];
	uint32_t code, modulus = 1;
	size_t at;

	for (size_t i = 0; i < sizeof(counter); i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	if (!hmac_sha1(secret, (struct str){(const char *)counter, sizeof(counter)}, mac))
		return UINT32_MAX;
	at = mac[19] & 0x0f;
	code = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 |
	       (uint32_t)mac[at + 3];
	while (digits-- > 0)
		modulus *= 10;
	return code % modulus;
}

int64_t rules_totp_step(instant_us now)
{
	return now / US_PER_S / TOTP_STEP_S;
}

int64_t rules_totp_match(struct str secret, struct str code, int64_t used, instant_us now)
{
	int64_t present = rules_totp_step(now);
	int64_t found = 0;
	uint32_t typed = 0;

	if (code.len != TOTP_DIGITS)
		return 0;
	for (size_t i = 0; i < code.len; i++) {
		if (code.p[i] < '0' || code.p[i] > '9')
			return 0;
		typed = typed * 10 + (uint32_t)(code.p[i] - '0');
	}
	/* All of them, so that the time taken says nothing of which one it was. */
	for (int64_t step = present - TOTP_DRIFT; step <= present + TOTP_DRIFT; step++) {
		if (rules_totp_code(secret, step, TOTP_DIGITS) == typed && step > used)
			found = step;
	}
	return found;
}

struct str rules_base32(struct arena *arena, struct str bytes)
{
	size_t len = (bytes.len * 8 + 4) / 5;
	char *text = arena_take(arena, len + 1);
	uint32_t held = 0;
	unsigned bits = 0;
	size_t n = 0;

	if (text == NULL)
		return STR_NONE;
	for (size_t i = 0; i < bytes.len; i++) {
		held = (held << 8 | (uint8_t)bytes.p[i]) & 0xffff;
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			text[n++] = alphabet[held >> bits & 31];
		}
	}
	if (bits > 0)
		text[n++] = alphabet[held << (5 - bits) & 31];
	return (struct str){text, n};
}

struct str rules_recovery_text(struct arena *arena, struct str bytes)
{
	struct str text = rules_base32(arena, bytes);

	if (text.p == NULL || text.len != RECOVERY_TEXT_LEN)
		return STR_NONE;
	return arena_printf(arena, "%.4s-%.4s-%.4s-%.4s", text.p, text.p + RECOVERY_GROUP,
		text.p + 2 * (size_t)RECOVERY_GROUP, text.p + 3 * (size_t)RECOVERY_GROUP);
}

static bool in_alphabet(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

struct str rules_recovery_normal(struct arena *arena, struct str typed)
{
	char *text = arena_take(arena, RECOVERY_TEXT_LEN);
	size_t n = 0;

	if (text == NULL)
		return STR_NONE;
	for (size_t i = 0; i < typed.len; i++) {
		char c = typed.p[i];

		if (c == ' ' || c == '-')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (!in_alphabet(c) || n == RECOVERY_TEXT_LEN)
			return STR_NONE;
		text[n++] = c;
	}
	return n == RECOVERY_TEXT_LEN ? (struct str){text, n} : STR_NONE;
}
