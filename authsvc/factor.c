/* SPDX-License-Identifier: Apache-2.0 */
#include "factor.h"

#include <sodium.h>
#include <string.h>

#include "base/encode.h"
#include "people.h"
#include "rules_web.h"

#define PENDING_LEN (16 + 16 + 8 + VAULT_HASH_LEN)
#define PENDING_TEXT_LEN 96

static struct vault_hash pending_mac(struct call *call, const uint8_t *head, struct str encoded)
{
	struct str parts[2] = {{(const char *)head, PENDING_LEN - VAULT_HASH_LEN}, encoded};

	return vault_hash_parts(desk_state(call)->vault, VAULT_PENDING, parts, 2);
}

enum err factor_ask(struct call *call, struct web_reply *reply, const struct uuid *tenant_id,
	const struct uuid *person_id, const struct factor_standing *standing)
{
	uint64_t now_s = (uint64_t)(clock_now_us() / US_PER_S);
	uint8_t bytes[PENDING_LEN];
	struct vault_hash mac;
	struct str text;

	memcpy(bytes, tenant_id->b, 16);
	memcpy(bytes + 16, person_id->b, 16);
	for (size_t i = 0; i < 8; i++)
		bytes[32 + i] = (uint8_t)(now_s >> (56 - 8 * i));
	mac = pending_mac(call, bytes, standing->encoded);
	memcpy(bytes + 40, mac.b, sizeof(mac.b));
	text = base64url_encode(call->arena, (struct str){(const char *)bytes, sizeof(bytes)});
	return text.p != NULL ? web_cookie(call, reply, COOKIE_FACTOR, text) : ERR_OVERLOADED;
}

/* ERR_NOT_FOUND: no such cookie, or none that is good. */
static enum err by_cookie(struct call *call, struct store *store, struct suspect *suspect)
{
	struct str cookie = rules_cookie_get(call->cookie, COOKIE_FACTOR);
	instant_us now = clock_now_us();
	struct uuid tenant_id, person_id;
	struct vault_hash mac;
	uint64_t issued_s = 0;
	struct str bytes;
	enum err err;

	if (cookie.len != PENDING_TEXT_LEN || (bytes = base64url_decode(call->arena, cookie)).len != PENDING_LEN)
		return ERR_NOT_FOUND;
	memcpy(tenant_id.b, bytes.p, 16);
	memcpy(person_id.b, bytes.p + 16, 16);
	for (size_t i = 0; i < 8; i++)
		issued_s = issued_s << 8 | (uint8_t)bytes.p[32 + i];
	if (issued_s > (uint64_t)(now / US_PER_S) || now / US_PER_S - (int64_t)issued_s > PENDING_LIFE_US / US_PER_S ||
		uuid_is_nil(&tenant_id))
		return ERR_NOT_FOUND;
	if ((err = desk_begin_in(call, &tenant_id, store)) != OK)
		return err;
	if ((err = store_person_read(store, &person_id, &suspect->person)) != OK)
		return err;
	if ((err = store_person_hold(store, suspect->person.row_id)) != OK)
		return err;
	/* Suspended or given another password meanwhile? Whoever does so now waits. */
	if ((err = store_person_read(store, &person_id, &suspect->person)) != OK)
		return err;
	if ((err = store_factor_standing(store, suspect->person.row_id, &suspect->standing)) != OK)
		return err;
	mac = pending_mac(call, (const uint8_t *)bytes.p, suspect->standing.encoded);
	suspect->seed = cookie;
	return sodium_memcmp(mac.b, bytes.p + 40, sizeof(mac.b)) == 0 && suspect->person.status == PERSON_ACTIVE
	               ? OK
	               : ERR_NOT_FOUND;
}

static enum err read_owner(struct store *store, struct suspect *owner)
{
	enum err err = store_person_read(store, &owner->session.person_id, &owner->person);

	return err == OK ? store_factor_standing(store, owner->person.row_id, &owner->standing) : err;
}

enum err factor_owner(struct call *call, struct store *store, struct suspect *suspect_out)
{
	struct uuid tenant_id = signin_tenant(call);
	enum err err;

	*suspect_out = (struct suspect){.signed_in = true};
	if (uuid_is_nil(&tenant_id))
		return ERR_NOT_FOUND;
	if ((err = desk_begin_in(call, &tenant_id, store)) != OK)
		return err;
	if ((err = signin_current(call, store, &suspect_out->session)) != OK)
		return err;
	suspect_out->seed = rules_cookie_get(call->cookie, COOKIE_SESSION);
	return read_owner(store, suspect_out);
}

enum err factor_owner_hold(struct store *store, struct suspect *owner)
{
	enum err err = store_session_seen(store, &owner->session, clock_now_us());

	return err == OK ? read_owner(store, owner) : err;
}

enum err factor_suspect(struct call *call, struct store *store, struct suspect *suspect_out)
{
	enum err err;

	*suspect_out = (struct suspect){0};
	if ((err = by_cookie(call, store, suspect_out)) != ERR_NOT_FOUND)
		return err;
	store_release(store);
	*store = (struct store){0};
	return factor_owner(call, store, suspect_out);
}

static struct vault_hash recovery_hash(struct call *call, struct store *store, int64_t person_row_id, struct str code)
{
	struct str parts[3] = {
		{(const char *)store->tenant_id.b, 16}, {(const char *)&person_row_id, sizeof(person_row_id)}, code};

	return vault_hash_parts(desk_state(call)->vault, VAULT_RECOVERY, parts, 3);
}

/* ERR_NOT_FOUND: no code of any of the person's apps that was not used before. */
static enum err prove_totp(
	struct store *store, const struct person_record *person, struct str typed, struct uuid *factor_id_out)
{
	struct factor_record factors[FACTORS_MAX];
	instant_us now = clock_now_us();
	int64_t step;
	size_t count;
	enum err err;

	if ((err = store_factor_list(store, person->row_id, &person->id, factors, &count)) != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (factors[i].kind != FACTOR_TOTP || factors[i].confirmed_at == 0)
			continue;
		step = rules_totp_match(factors[i].data, typed, factors[i].counter, now);
		*factor_id_out = factors[i].id;
		if (step != 0)
			return store_factor_use(store, &factors[i], step, now);
	}
	return ERR_NOT_FOUND;
}

enum err factor_prove(struct call *call, struct store *store, const struct person_record *person, struct str typed,
	struct proof *proof_out)
{
	struct str code = rules_recovery_normal(call->arena, typed);
	struct vault_hash hash;
	enum err err;

	*proof_out = rules_proof_totp;
	if (code.p == NULL) {
		err = prove_totp(store, person, str_trim(typed), &proof_out->factor_id);
	} else {
		*proof_out = rules_proof_recovery;
		hash = recovery_hash(call, store, person->row_id, code);
		err = store_recovery_use(store, person->row_id, vault_hash_str(&hash), clock_now_us());
	}
	return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
}

bool factor_may_change(const struct suspect *suspect)
{
	return suspect->signed_in && clock_now_us() - suspect->session.auth_at <= FACTOR_FRESH_US &&
	       (suspect->standing.factors == 0 || suspect->session.proof.acr >= ACR_2FA);
}

enum err factor_codes_make(struct call *call, struct store *store, int64_t person_row_id, struct str *codes_out)
{
	struct str hashes[RECOVERY_CODES];
	uint8_t bytes[RECOVERY_BYTES];
	struct vault_hash hash;

	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		random_bytes(bytes, sizeof(bytes));
		codes_out[i] = rules_recovery_text(call->arena, (struct str){(const char *)bytes, sizeof(bytes)});
		if (codes_out[i].p == NULL)
			return ERR_OVERLOADED;
		hash = recovery_hash(call, store, person_row_id, rules_recovery_normal(call->arena, codes_out[i]));
		hashes[i] = hex_encode(call->arena, vault_hash_str(&hash));
		if (hashes[i].p == NULL)
			return ERR_OVERLOADED;
	}
	sodium_memzero(bytes, sizeof(bytes));
	return store_recovery_replace(store, person_row_id, hashes, RECOVERY_CODES, clock_now_us());
}

enum err factor_remove(
	struct call *call, struct store *store, const struct person_record *person, const struct uuid *factor_id)
{
	struct factor_record factors[FACTORS_MAX];
	size_t count, confirmed = 0, at = FACTORS_MAX;
	enum err err;

	if ((err = store_factor_list(store, person->row_id, &person->id, factors, &count)) != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		confirmed += factors[i].confirmed_at != 0;
		if (factors[i].confirmed_at != 0 && uuid_eq(&factors[i].id, factor_id))
			at = i;
	}
	if (at == FACTORS_MAX)
		return ERR_NOT_FOUND;
	err = confirmed == 1 ? store_factor_delete_person(store, person->row_id)
	                     : store_factor_delete(store, &factors[at]);
	if (err != OK || (err = store_factor_lower(store, person->row_id, &person->id, factor_id)) != OK)
		return err;
	return factor_told(call, store, person, "factor.remove", factor_id, TEXT_MAIL_FACTOR_REMOVED);
}

enum err factor_told(struct call *call, struct store *store, const struct person_record *person, const char *action,
	const struct uuid *id, enum text mail)
{
	struct trail trail = {.action = action,
		.object_type = uuid_is_nil(id) ? "person" : "factor",
		.object_id = uuid_is_nil(id) ? person->id : *id,
		.subject_id = person->id,
		.version = 1};
	enum err err;

	if (!call->has_token)
		trail.actor_id = person->id;
	if ((err = desk_put_event(call, store, &trail)) != OK)
		return err;
	return people_tell(call, store, person, TEXT_MAIL_FACTOR_SUBJECT_FMT, mail);
}
