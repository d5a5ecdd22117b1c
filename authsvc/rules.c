/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <string.h>

static const char *const locale_names[LOCALE_COUNT] = {[LOCALE_EN] = "en", [LOCALE_FR] = "fr", [LOCALE_NL] = "nl"};
static const char *const status_names[] = {
	[PERSON_INVITED] = "invited",
	[PERSON_ACTIVE] = "active",
	[PERSON_SUSPENDED] = "suspended",
	[PERSON_ERASED] = "erased",
};
static const char *const key_state_names[] = {[KEY_NEXT] = "next", [KEY_ACTIVE] = "active", [KEY_RETIRED] = "retired"};

/*
 * An account on an address where it signed in before is only ever slowed by that address, so nobody can lock a
 * person out from elsewhere. An address stands for a whole office behind one router: it gets room. A mail costs its
 * receiver. Mails for a new password never stop for longer than half of a link's life, or whoever asks for them in
 * somebody's name could keep that person out.
 */
const struct throttle_curve rules_throttle_curves[THROTTLE_KINDS] = {
	[THROTTLE_PAIR] = {.free = 5, .base_ms = 1000, .cap_ms = 900 * 1000, .keep_ms = 24 * 3600 * 1000},
	[THROTTLE_ACCOUNT] = {.free = 10, .base_ms = 1000, .cap_ms = 900 * 1000, .keep_ms = 24 * 3600 * 1000},
	[THROTTLE_ADDRESS] = {.free = 100, .base_ms = 500, .cap_ms = 60 * 1000, .keep_ms = 3600 * 1000},
	[THROTTLE_RESET] = {.free = 3, .base_ms = 60 * 1000, .cap_ms = 900 * 1000, .keep_ms = 24 * 3600 * 1000},
	[THROTTLE_ASKER] = {.free = 30, .base_ms = 1000, .cap_ms = 60 * 1000, .keep_ms = 3600 * 1000},
	/* A browser that the account knows; and how often the log is told that somebody has to wait. */
	[THROTTLE_DEVICE] = {.free = 5, .base_ms = 1000, .cap_ms = 900 * 1000, .keep_ms = 24 * 3600 * 1000},
	[THROTTLE_TOLD] = {.free = 1, .base_ms = 900 * 1000, .cap_ms = 900 * 1000, .keep_ms = 3600 * 1000},
	/* At something that belongs to no account: what succeeds gives back its own count and no other. */
	[THROTTLE_KNOCK] = {.free = 5, .base_ms = 1000, .cap_ms = 60 * 1000, .keep_ms = 3600 * 1000},
	[THROTTLE_MAIL] = {.free = 3, .base_ms = 60 * 1000, .cap_ms = 24 * 3600 * 1000, .keep_ms = 24 * 3600 * 1000},
};

static bool name_index(const char *const *names, size_t count, struct str name, size_t *index_out)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq_c(name, names[i])) {
			*index_out = i;
			return true;
		}
	}
	return false;
}

const char *rules_locale_name(enum locale locale)
{
	return locale_names[locale];
}

bool rules_locale_parse(struct str name, enum locale *locale_out)
{
	size_t i = 0;

	if (!name_index(locale_names, LOCALE_COUNT, name, &i))
		return false;
	*locale_out = (enum locale)i;
	return true;
}

const char *rules_status_name(enum person_status status)
{
	return status_names[status];
}

bool rules_status_parse(struct str name, enum person_status *status_out)
{
	size_t i = 0;

	if (!name_index(status_names, sizeof(status_names) / sizeof(status_names[0]), name, &i))
		return false;
	*status_out = (enum person_status)i;
	return true;
}

bool rules_status_may_become(enum person_status from, enum person_status to)
{
	bool from_ok = from == PERSON_ACTIVE || from == PERSON_SUSPENDED;
	bool to_ok = to == PERSON_ACTIVE || to == PERSON_SUSPENDED;

	return from == to || (from_ok && to_ok);
}

struct str rules_email_normal(struct arena *arena, struct str email)
{
	char *p = arena_take(arena, email.len + 1);

	if (p == NULL)
		return STR_NONE;
	for (size_t i = 0; i < email.len; i++)
		p[i] = email.p[i] >= 'A' && email.p[i] <= 'Z' ? (char)(email.p[i] + ('a' - 'A')) : email.p[i];
	return (struct str){p, email.len};
}

bool rules_email_in_domain(struct str normal_email, struct str domain)
{
	struct str local;

	return domain.len > 0 && str_cut(&normal_email, '@', &local) && local.len > 0 && str_eq(normal_email, domain);
}

static bool is_label(struct str label)
{
	if (label.len == 0 || label.len > 63 || label.p[0] == '-' || label.p[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = label.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

bool rules_slug_ok(struct str slug)
{
	return is_label(slug);
}

bool rules_domain_ok(struct str domain)
{
	struct str rest = domain;
	struct str label;
	size_t count = 0;
	bool more;

	if (domain.len > 253)
		return false;
	do {
		more = str_cut(&rest, '.', &label);
		if (!is_label(label))
			return false;
		count++;
	} while (more);
	return count >= 2;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Length of the common head of `s` and `word`, ignoring the case of ASCII. */
static size_t common_head(struct str s, struct str word)
{
	size_t i = 0;

	while (i < s.len && i < word.len && lower(s.p[i]) == lower(word.p[i]))
		i++;
	return i;
}

/* A run goes up, down or nowhere by the same step: 1234, cba, !!!!. */
static size_t run_len(struct str s)
{
	size_t i = 1;
	int step;

	if (s.len < 2 || (step = s.p[1] - s.p[0]) < -1 || step > 1)
		return 0;
	while (i < s.len && s.p[i] - s.p[i - 1] == step)
		i++;
	return i;
}

/*
 * Bytes at the head of `s` that a guesser has in one go: a run, a piece of a keyboard row, a word that everybody
 * takes.
 */
static size_t guessed_len(struct str s, struct str own)
{
	static const char *const rows[] = {"qwertyuiop", "azertyuiop", "asdfghjkl", "qsdfghjklm", "zxcvbnm",
		"1qaz2wsx3edc4rfv", "1q2w3e4r5t6y7u8i9o0p"};
	static const char *const words[] = {"password", "passwort", "motdepasse", "mot de passe", "wachtwoord",
		"letmein", "welcome", "bienvenue", "welkom", "iloveyou", "jetaime", "sunshine", "princess", "football",
		"monkey", "dragon", "master", "admin", "secret", "changeme", "trustno", "login", "parking", "berth",
		"summer", "winter", "spring", "autumn", "company"};
	size_t best = run_len(s);

	if (best < 3)
		best = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (struct str row = str_from(rows[i]); row.len >= 4; row.p++, row.len--) {
			size_t len = common_head(s, row);

			best = len >= 4 && len > best ? len : best;
		}
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct str word = str_from(words[i]);

		best = word.len > best && common_head(s, word) == word.len ? word.len : best;
	}
	return own.len >= 3 && own.len > best && common_head(s, own) == own.len ? own.len : best;
}

/* The shortest period of `s`: what is said three times counts once. */
static struct str without_repeats(struct str s)
{
	for (size_t period = 1; period * 2 <= s.len; period++) {
		if (memcmp(s.p, s.p + period, s.len - period) == 0)
			return (struct str){s.p, period};
	}
	return s;
}

/* What is left to guess, in pieces: characters, each guessed stretch as one. */
static size_t pieces_of(struct str password, struct str own)
{
	struct str rest = without_repeats(password);
	size_t pieces = 0;

	while (rest.len > 0) {
		size_t len = guessed_len(rest, own);

		len = len > 0 ? len : 1;
		rest = (struct str){rest.p + len, rest.len - len};
		pieces++;
	}
	return pieces;
}

enum password_verdict rules_password_check(struct str password, struct str normal_email)
{
	struct str own = normal_email;
	struct str local;
	size_t chars = 0;

	if (password.len > PASSWORD_BYTES_MAX)
		return PASSWORD_LONG;
	for (size_t i = 0; i < password.len; i++)
		chars += ((unsigned char)password.p[i] & 0xc0) != 0x80;
	if (chars < PASSWORD_CHARS_MIN)
		return PASSWORD_SHORT;
	(void)str_cut(&own, '@', &local);
	if (pieces_of(password, local) < PASSWORD_PIECES_MIN ||
		(normal_email.len > 0 && pieces_of(password, normal_email) < PASSWORD_PIECES_MIN))
		return PASSWORD_TRIVIAL;
	return PASSWORD_OK;
}

bool rules_rights_within(const struct rights *inner, const struct rights *outer)
{
	unsigned beyond = 0;

	for (size_t i = 0; i < RIGHTS_BYTES; i++)
		beyond |= (unsigned)inner->bits[i] & ~(unsigned)outer->bits[i];
	return beyond == 0;
}

struct rights rules_rights_meet(const struct rights *a, const struct rights *b)
{
	struct rights both;

	for (size_t i = 0; i < RIGHTS_BYTES; i++)
		both.bits[i] = a->bits[i] & b->bits[i];
	return both;
}

struct rights rules_rights_join(const struct rights *a, const struct rights *b)
{
	struct rights both;

	for (size_t i = 0; i < RIGHTS_BYTES; i++)
		both.bits[i] = a->bits[i] | b->bits[i];
	return both;
}

struct rights rules_rights_minus(const struct rights *a, const struct rights *b)
{
	struct rights rest;

	for (size_t i = 0; i < RIGHTS_BYTES; i++)
		rest.bits[i] = (uint8_t)(a->bits[i] & ~b->bits[i]);
	return rest;
}

static const char *const grant_scopes[GRANT_SCOPES] = {
	[GRANT_TENANT] = "tenant",
	[GRANT_SITE] = "site",
	[GRANT_AREA] = "area",
	[GRANT_PRINCIPAL] = "principal",
	[GRANT_GROUP] = "group",
};

const char *rules_grant_scope_name(enum grant_scope scope)
{
	return grant_scopes[scope];
}

bool rules_grant_scope_parse(struct str name, enum grant_scope *scope_out)
{
	for (int i = 0; i < GRANT_SCOPES; i++) {
		if (str_eq_c(name, grant_scopes[i])) {
			*scope_out = (enum grant_scope)i;
			return true;
		}
	}
	return false;
}

static const char *const grant_statuses[GRANT_STATUSES] = {
	[GRANT_PENDING] = "pending",
	[GRANT_ACTIVE] = "active",
	[GRANT_REFUSED] = "refused",
	[GRANT_REVOKED] = "revoked",
};

const char *rules_grant_status_name(enum grant_status status)
{
	return grant_statuses[status];
}

bool rules_grant_status_parse(struct str name, enum grant_status *status_out)
{
	for (int i = 0; i < GRANT_STATUSES; i++) {
		if (str_eq_c(name, grant_statuses[i])) {
			*status_out = (enum grant_status)i;
			return true;
		}
	}
	return false;
}

static bool word_among(struct str words, struct str word)
{
	struct str one;
	bool more;

	do {
		more = str_cut(&words, ' ', &one);
		if (one.len > 0 && str_eq(one, word))
			return true;
	} while (more);
	return false;
}

enum demand rules_demand_of(enum demand of_tenant, struct str factor_roles, struct str roles)
{
	struct str word;
	bool more;

	if (factor_roles.len == 0)
		return of_tenant;
	do {
		more = str_cut(&roles, ' ', &word);
		if (word_among(factor_roles, word))
			return DEMAND_ALL;
	} while (more);
	return of_tenant;
}

bool rules_role_name_ok(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
			    c == '-'))
			return false;
	}
	return name.len >= 1 && name.len <= ROLE_NAME_MAX;
}

static int64_t doubled(int64_t base, int64_t times, int64_t cap)
{
	int64_t value = base;

	while (times-- > 0 && value < cap)
		value *= 2;
	return value < cap ? value : cap;
}

int64_t rules_throttle_delay_ms(enum throttle_kind kind, int64_t count)
{
	const struct throttle_curve *curve = &rules_throttle_curves[kind];

	return count < curve->free ? 0 : doubled(curve->base_ms, count - curve->free, curve->cap_ms);
}

const struct proof rules_proof_password = {.acr = ACR_1FA, .methods = {"pwd", 3}};

bool rules_session_alive(instant_us seen_at, instant_us expires_at, bool ended, instant_us now)
{
	return !ended && now < expires_at && now - seen_at < SESSION_IDLE_US;
}

bool rules_auth_fresh(instant_us auth_at, int64_t max_age_s, instant_us now)
{
	if (max_age_s < 0)
		return true;
	return max_age_s > SESSION_LIFE_US / US_PER_S || now - auth_at <= max_age_s * US_PER_S;
}

enum refresh_verdict rules_refresh_decide(const struct family_state *family, int64_t presented, instant_us now)
{
	if (family->revoked || !family->has_refresh || now >= family->expires_at)
		return REFRESH_EXPIRED;
	if (presented > family->generation)
		return REFRESH_EXPIRED; /* never given: a restore from a backup lost it */
	if (presented == family->generation)
		return now - family->rotated_at >= FAMILY_IDLE_US ? REFRESH_EXPIRED : REFRESH_ROTATE;
	if (presented == family->generation - 1 && now - family->rotated_at <= REFRESH_RETRY_US)
		return REFRESH_REPEAT;
	return REFRESH_THEFT;
}

const char *rules_key_state_name(enum key_state state)
{
	return key_state_names[state];
}

bool rules_key_state_parse(struct str name, enum key_state *state_out)
{
	size_t i = 0;

	if (!name_index(key_state_names, sizeof(key_state_names) / sizeof(key_state_names[0]), name, &i))
		return false;
	*state_out = (enum key_state)i;
	return true;
}

enum key_step rules_key_decide(const struct key_ages *ages, bool force, instant_us now)
{
	bool due = now - ages->active_since >= KEY_ACTIVE_US;

	if (ages->active_since == 0)
		return KEY_STEP_MAKE_ACTIVE;
	if (ages->next_made_at == 0)
		return KEY_STEP_MAKE_NEXT;
	if (now - ages->next_made_at >= (force ? KEY_KNOWN_US : KEY_PUBLISHED_US) && (force || due))
		return KEY_STEP_PROMOTE;
	return KEY_STEP_NONE;
}

int64_t rules_key_wait_us(const struct key_ages *ages, instant_us now)
{
	const instant_us known_at = ages->next_made_at + KEY_KNOWN_US;

	return ages->next_made_at != 0 && known_at > now ? known_at - now : 0;
}

bool rules_key_gone(instant_us retired_at, instant_us now)
{
	return now - retired_at >= KEY_OVERLAP_US;
}

int64_t rules_mail_backoff_us(int64_t attempts)
{
	return doubled(10 * US_PER_S, attempts > 0 ? attempts - 1 : 0, MAIL_BACKOFF_MAX_US);
}

int64_t rules_logout_backoff_us(int64_t attempts)
{
	return doubled(2 * US_PER_S, attempts > 0 ? attempts - 1 : 0, 600 * US_PER_S);
}
