/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_oauth.h"

#include <string.h>

#include "base/encode.h"

#define PKCE_CHALLENGE_LEN 43 /* base64url of 32 bytes */
#define PKCE_VERIFIER_MIN 43
#define PKCE_VERIFIER_MAX 128
#define MAX_AGE_MAX_S 1000000000U

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool cut_prefix(struct str *s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (!str_starts(*s, prefix))
		return false;
	*s = (struct str){s->p + len, s->len - len};
	return true;
}

/* Bytes before the first of `stops`. */
static struct str head_before(struct str s, const char *stops)
{
	size_t i = 0;

	while (i < s.len && strchr(stops, s.p[i]) == NULL)
		i++;
	return (struct str){s.p, i};
}

/* Of an escape's two digits: a control, a dot, a slash, a backslash or DEL. */
static bool hides_structure(char high, char low)
{
	return high == '0' || high == '1' || (high == '2' && (low == 'e' || low == 'f')) ||
	       (high == '5' && low == 'c') || (high == '7' && low == 'f');
}

/* RFC 3986 characters of path and query; escapes whole, and none that hides what a reader may unfold. */
static const char *check_characters(struct str rest)
{
	for (size_t i = 0; i < rest.len; i++) {
		char c = rest.p[i];

		if (c == '%') {
			if (rest.len - i < 3 || !is_hex(rest.p[i + 1]) || !is_hex(rest.p[i + 2]))
				return "a broken escape";
			if (hides_structure(rest.p[i + 1], (char)(rest.p[i + 2] | 0x20)))
				return "an escape that hides structure";
			i += 2;
			continue;
		}
		if (!is_alnum(c) && (c == '\0' || strchr("-._~!$&'()+,;=:@/?", c) == NULL))
			return "a character that does not belong";
	}
	return NULL;
}

static bool has_dot_segment(struct str path)
{
	struct str segment;
	bool more;

	do {
		more = str_cut(&path, '/', &segment);
		if (str_eq_c(segment, ".") || str_eq_c(segment, ".."))
			return true;
	} while (more);
	return false;
}

static bool host_ok(struct str host)
{
	struct str label;
	bool more;

	if (str_eq_c(host, "[::1]"))
		return true;
	if (host.len == 0 || host.len > 253)
		return false;
	do {
		more = str_cut(&host, '.', &label);
		if (label.len == 0 || label.len > 63 || label.p[0] == '-' || label.p[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++) {
			char c = label.p[i];

			if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
				return false;
		}
	} while (more);
	return true;
}

/* host or host:port, cut in two. */
static const char *check_authority(struct str authority, struct str *host_out)
{
	struct str port = STR_NONE;
	uint64_t number;
	size_t colon = authority.len;

	for (size_t i = authority.len; i > 0; i--) {
		if (authority.p[i - 1] == ']')
			break;
		if (authority.p[i - 1] == ':') {
			colon = i - 1;
			port = (struct str){authority.p + i, authority.len - i};
			break;
		}
	}
	*host_out = (struct str){authority.p, colon};
	if (port.p != NULL && (str_to_u64(port, 65535, &number) != OK || number == 0))
		return "a bad port";
	return host_ok(*host_out) ? NULL : "a bad host";
}

static bool is_loopback(struct str host)
{
	return str_eq_c(host, "127.0.0.1") || str_eq_c(host, "[::1]") || str_eq_c(host, "localhost");
}

bool rules_redirect_ok(struct str uri, const char **reason_out)
{
	struct str rest = uri;
	struct str authority, host, path;
	bool secure;

	*reason_out = "no absolute https URI";
	if (uri.len == 0 || uri.len > REDIRECT_URI_MAX)
		return false;
	secure = cut_prefix(&rest, "https://");
	if (!secure && !cut_prefix(&rest, "http://"))
		return false;
	authority = head_before(rest, "/?#\\");
	if ((*reason_out = check_authority(authority, &host)) != NULL)
		return false;
	if (!secure && !is_loopback(host)) {
		*reason_out = "http beyond this machine";
		return false;
	}
	rest = (struct str){rest.p + authority.len, rest.len - authority.len};
	if ((*reason_out = check_characters(rest)) != NULL)
		return false;
	path = head_before(rest, "?");
	if (has_dot_segment(path)) {
		*reason_out = "a dot segment";
		return false;
	}
	return true;
}

bool rules_origin_ok(struct str origin)
{
	struct str rest = origin, host;
	const bool secure = cut_prefix(&rest, "https://");
	const struct str usual = secure ? STR(":443") : STR(":80");

	if (origin.len > ORIGIN_MAX || (!secure && !cut_prefix(&rest, "http://")) || rest.len == 0)
		return false;
	if (check_authority(rest, &host) != NULL || (!secure && !is_loopback(host)))
		return false;
	return !str_eq((struct str){rest.p + host.len, rest.len - host.len}, usual);
}

/* Calls for each word of a list separated by blanks; stops when `seen` says so. */
static bool list_holds(struct str list, struct str wanted)
{
	struct str word;
	bool more;

	if (wanted.len == 0)
		return false;
	do {
		more = str_cut(&list, ' ', &word);
		if (str_eq(word, wanted))
			return true;
	} while (more);
	return false;
}

bool rules_redirect_listed(struct str list, struct str uri)
{
	return list_holds(list, uri);
}

bool rules_word_listed(struct str list, const char *word)
{
	return list_holds(list, str_from(word));
}

struct str rules_redirect_origin(struct str uri)
{
	struct str rest = uri;
	struct str authority;

	if (!cut_prefix(&rest, "https://") && !cut_prefix(&rest, "http://"))
		return STR_NONE;
	authority = head_before(rest, "/?#\\");
	return (struct str){uri.p, (size_t)(authority.p - uri.p) + authority.len};
}

bool rules_challenge_ok(struct str challenge)
{
	if (challenge.len != PKCE_CHALLENGE_LEN)
		return false;
	for (size_t i = 0; i < challenge.len; i++) {
		char c = challenge.p[i];

		if (!is_alnum(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool verifier_ok(struct str verifier)
{
	if (verifier.len < PKCE_VERIFIER_MIN || verifier.len > PKCE_VERIFIER_MAX)
		return false;
	for (size_t i = 0; i < verifier.len; i++) {
		char c = verifier.p[i];

		if (!is_alnum(c) && (c == '\0' || strchr("-._~", c) == NULL))
			return false;
	}
	return true;
}

bool rules_verifier_matches(struct str challenge, struct str verifier)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t digest[33] = {0}; /* one zero byte more ends the last group */
	char text[PKCE_CHALLENGE_LEN + 1];

	if (!verifier_ok(verifier))
		return false;
	sha256(verifier, digest);
	for (size_t i = 0; i < sizeof(text); i++) {
		size_t group = i / 4 * 3;
		uint32_t bits = (uint32_t)digest[group] << 16 | (uint32_t)digest[group + 1] << 8 | digest[group + 2];

		text[i] = alphabet[bits >> (18 - i % 4 * 6) & 63];
	}
	return str_eq_secret(challenge, (struct str){text, PKCE_CHALLENGE_LEN});
}

/* RFC 6749 appendix A.4 */
static bool scope_word_ok(struct str word)
{
	if (word.len == 0)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		unsigned char c = (unsigned char)word.p[i];

		if (c < 0x21 || c > 0x7e || c == '"' || c == '\\')
			return false;
	}
	return true;
}

static bool take_word(struct scope *scope, struct str word, rules_permission_bit *lookup)
{
	struct {
		const char *word;
		bool *flag;
	} const known[] = {
		{"openid", &scope->openid},
		{"profile", &scope->profile},
		{"email", &scope->email},
		{"offline_access", &scope->offline},
		{"berth", &scope->berth},
	};
	unsigned bit;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_eq_c(word, known[i].word)) {
			*known[i].flag = true;
			return true;
		}
	}
	if (!lookup(word, &bit) || bit >= RIGHTS_BYTES * 8)
		return false;
	scope->named.bits[bit / 8] |= (uint8_t)(1U << bit % 8);
	return true;
}

bool rules_scope_parse(struct arena *arena, struct str text, rules_permission_bit *lookup, struct scope *scope_out)
{
	struct str rest = text.p != NULL ? text : STR("berth");
	struct str word;
	size_t len = 0;
	char *out;
	bool more;

	*scope_out = (struct scope){0};
	if (rest.len == 0 || (out = arena_take(arena, rest.len + 1)) == NULL)
		return false;
	do {
		more = str_cut(&rest, ' ', &word);
		if (!scope_word_ok(word))
			return false;
		if (list_holds((struct str){out, len}, word) || !take_word(scope_out, word, lookup))
			continue;
		if (len > 0)
			out[len++] = ' ';
		memcpy(out + len, word.p, word.len);
		len += word.len;
	} while (more);
	scope_out->text = (struct str){out, len};
	return len > 0 && len <= SCOPE_BYTES_MAX;
}

bool rules_scope_within(struct str inner, struct str outer)
{
	struct str word;
	bool more;

	do {
		more = str_cut(&inner, ' ', &word);
		if (!list_holds(outer, word))
			return false;
	} while (more);
	return true;
}

struct str rules_scope_join(struct arena *arena, struct str a, struct str b)
{
	struct str joined = a.p != NULL ? a : STR("");
	struct str word;
	bool more = b.len > 0;

	while (more && joined.p != NULL) {
		more = str_cut(&b, ' ', &word);
		if (!list_holds(joined, word))
			joined = arena_printf(
				arena, "%.*s%s%.*s", STR_ARG(joined), joined.len > 0 ? " " : "", STR_ARG(word));
	}
	return joined;
}

struct rights rules_scope_limit(const struct scope *scope, const struct rights *whole)
{
	struct rights limited = *whole;

	for (size_t i = 0; i < RIGHTS_BYTES && !scope->berth; i++)
		limited.bits[i] &= scope->named.bits[i];
	return limited;
}

static const char user_code_letters[] = "BCDFGHJKLMNPQRSTVWXZ";

static struct str user_code_text(struct arena *arena, const char letters[USER_CODE_LEN])
{
	return arena_printf(arena, "%.4s-%.4s", letters, letters + USER_CODE_LEN / 2);
}

struct str rules_user_code_normal(struct arena *arena, struct str typed)
{
	char letters[USER_CODE_LEN];
	size_t len = 0;

	if (typed.len > USER_CODE_TYPED_MAX)
		return STR_NONE;
	for (size_t i = 0; i < typed.len; i++) {
		char c = typed.p[i];

		if (c == ' ' || c == '-')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (c == '\0' || strchr(user_code_letters, c) == NULL || len == sizeof(letters))
			return STR_NONE;
		letters[len++] = c;
	}
	return len == sizeof(letters) ? user_code_text(arena, letters) : STR_NONE;
}

struct str rules_user_code_make(struct arena *arena, struct str random)
{
	const size_t count = sizeof(user_code_letters) - 1;
	char letters[USER_CODE_LEN];
	size_t len = 0;

	for (size_t i = 0; i < random.len && len < sizeof(letters); i++) {
		unsigned char byte = (unsigned char)random.p[i];

		if (byte < 256 / count * count)
			letters[len++] = user_code_letters[byte % count];
	}
	return len == sizeof(letters) ? user_code_text(arena, letters) : STR_NONE;
}

#define DEVICE_SLOWER_S 5
#define DEVICE_SLOWEST_S 600

int64_t rules_device_interval_s(int64_t interval_s, instant_us polled_at, instant_us now)
{
	if (polled_at == 0 || now - polled_at >= interval_s * US_PER_S)
		return interval_s;
	return interval_s + DEVICE_SLOWER_S > DEVICE_SLOWEST_S ? DEVICE_SLOWEST_S : interval_s + DEVICE_SLOWER_S;
}

bool rules_resource_within(struct str inner, struct str outer)
{
	if (outer.len == 0)
		return true;
	return inner.len >= outer.len && memcmp(inner.p, outer.p, outer.len) == 0 &&
	       (inner.len == outer.len || inner.p[outer.len] == '/');
}

bool rules_prompt_parse(struct str text, struct prompt *prompt_out)
{
	struct str word;
	size_t count = 0;
	bool more;

	*prompt_out = (struct prompt){0};
	if (text.len == 0)
		return true;
	do {
		more = str_cut(&text, ' ', &word);
		if (str_eq_c(word, "none"))
			prompt_out->none = true;
		else if (str_eq_c(word, "login") || str_eq_c(word, "select_account"))
			prompt_out->login = true;
		else if (str_eq_c(word, "consent"))
			prompt_out->consent = true;
		else
			return false;
		count++;
	} while (more);
	return !prompt_out->none || count == 1;
}

enum acr rules_acr_wanted(struct str acr_values)
{
	enum acr wanted = ACR_NONE, one;
	struct str word;
	bool more;

	do {
		more = str_cut(&acr_values, ' ', &word);
		if (acr_parse(word, &one) && (wanted == ACR_NONE || one < wanted))
			wanted = one;
	} while (more);
	return wanted;
}

bool rules_max_age_parse(struct str text, int64_t *max_age_s_out)
{
	uint64_t seconds;

	*max_age_s_out = -1;
	if (text.p == NULL)
		return true;
	if (str_to_u64(text, MAX_AGE_MAX_S, &seconds) != OK)
		return false;
	*max_age_s_out = (int64_t)seconds;
	return true;
}

bool rules_basic_parse(struct arena *arena, struct str header, struct basic *basic_out)
{
	struct str scheme, plain, user;

	*basic_out = (struct basic){STR_NONE, STR_NONE};
	if (header.len > 1024 || !str_cut(&header, ' ', &scheme) || !str_eq_nocase(scheme, STR("Basic")))
		return false;
	plain = base64_decode(arena, header);
	if (plain.p == NULL || !str_cut(&plain, ':', &user))
		return false;
	basic_out->user = form_decode(arena, user);
	basic_out->password = form_decode(arena, plain);
	return basic_out->user.len > 0 && basic_out->password.len > 0 && basic_out->user.len <= CLIENT_SECRET_MAX &&
	       basic_out->password.len <= CLIENT_SECRET_MAX;
}
