/* SPDX-License-Identifier: Apache-2.0 */
#include "passkey.h"

#include <sodium.h>
#include <string.h>

#include "base/encode.h"
#include "webauthn.h"

#define STAMP_LEN 24 /* seconds, then random */
#define CHALLENGE_LEN (STAMP_LEN + VAULT_HASH_LEN)
#define HANDLE_LEN 32
/* A credential with the longest id and as many transports as a form brings, FACTORS_MAX of them, and the rest. */
#define CREDENTIAL_ROOM (WEBAUTHN_CREDENTIAL_ID_MAX * 4 / 3 + 512)
#define OPTIONS_MAX (4096 + FACTORS_MAX * CREDENTIAL_ROOM)
#define DATA_MAX 8192
#define TRANSPORTS_MAX 100 /* bytes, as a form brings them */
#define TIMEOUT_MS (CHALLENGE_LIFE_US / US_PER_MS)

static const char *const ceremonies[] = {
	[PASSKEY_REGISTER] = "register", [PASSKEY_SIGN_IN] = "sign-in", [PASSKEY_FACTOR] = "factor"};

/* -- challenges -- */

static struct vault_hash challenge_mac(struct call *call, const struct passkey_asked *asked, const uint8_t *stamp)
{
	struct str parts[4] = {asked->seed, str_from(ceremonies[asked->ceremony]),
		asked->about.p != NULL ? asked->about : STR(""), {(const char *)stamp, STAMP_LEN}};

	return vault_hash_parts(desk_state(call)->vault, VAULT_CHALLENGE, parts, 4);
}

static struct str challenge_make(struct call *call, const struct passkey_asked *asked)
{
	uint64_t now_s = (uint64_t)(clock_now_us() / US_PER_S);
	uint8_t bytes[CHALLENGE_LEN];
	struct vault_hash mac;

	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(now_s >> (56 - 8 * i));
	random_bytes(bytes + 8, STAMP_LEN - 8);
	mac = challenge_mac(call, asked, bytes);
	memcpy(bytes + STAMP_LEN, mac.b, sizeof(mac.b));
	return base64url_encode(call->arena, (struct str){(const char *)bytes, sizeof(bytes)});
}

/* False: not made for this browser and page, or too long ago. */
static bool challenge_read(struct call *call, const struct passkey_asked *asked, struct str text, struct str *bytes_out,
	instant_us *made_out)
{
	int64_t now_s = clock_now_us() / US_PER_S;
	struct vault_hash mac;
	uint64_t made_s = 0;

	*bytes_out = base64url_decode(call->arena, text);
	if (asked->seed.p == NULL || bytes_out->len != CHALLENGE_LEN)
		return false;
	mac = challenge_mac(call, asked, (const uint8_t *)bytes_out->p);
	if (sodium_memcmp(mac.b, bytes_out->p + STAMP_LEN, sizeof(mac.b)) != 0)
		return false;
	for (size_t i = 0; i < 8; i++)
		made_s = made_s << 8 | (uint8_t)bytes_out->p[i];
	*made_out = (instant_us)made_s * US_PER_S;
	return made_s <= (uint64_t)now_s && now_s - (int64_t)made_s <= CHALLENGE_LIFE_US / US_PER_S;
}

static enum err challenge_spend(struct call *call, struct store *store, struct str bytes, instant_us made)
{
	struct vault_hash hash = vault_hash(desk_state(call)->vault, VAULT_CHALLENGE, bytes);

	return store_passkey_spend(store, vault_hash_str(&hash), made + CHALLENGE_LIFE_US + US_PER_S);
}

/* -- what is kept -- */

/* WebAuthn section 5.8.4: words of small letters, digits and dashes, known or not, one blank between; it is a hint. */
static bool transports_ok(struct str transports)
{
	bool blank = true; /* as if one stood in front */

	for (size_t i = 0; i < transports.len; i++) {
		const char c = transports.p[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';

		if (!letter && (c != ' ' || blank))
			return false;
		blank = !letter;
	}
	return transports.len <= TRANSPORTS_MAX && (transports.len == 0 || !blank);
}

static struct str data_write(
	struct call *call, const struct webauthn_credential *credential, const struct passkey_answer *answer)
{
	struct json_writer w;
	struct str data;
	struct buf buf;

	buf_init(&buf, DATA_MAX);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	json_key(&w, "credential_id");
	json_put_str(&w, base64url_encode(call->arena, credential->id));
	json_key(&w, "public_key");
	json_put_str(&w, base64url_encode(call->arena, credential->public_key));
	json_key(&w, "aaguid");
	json_put_str(&w, hex_encode(call->arena, (struct str){(const char *)credential->aaguid, WEBAUTHN_AAGUID_LEN}));
	json_key(&w, "transports");
	json_put_str(&w, transports_ok(answer->transports) ? answer->transports : STR(""));
	json_key(&w, "name");
	json_put_str(&w, answer->name.len <= PASSKEY_NAME_MAX * 4 ? str_trim(answer->name) : STR(""));
	json_end_object(&w);
	data = buf_ok(&buf) ? arena_copy(call->arena, buf_str(&buf)) : STR_NONE;
	buf_release(&buf);
	return data;
}

static struct str data_get(struct call *call, const struct factor_record *factor, const char *member)
{
	const struct json *root;
	const char *reason;

	if (factor->kind != FACTOR_PASSKEY || json_parse(call->arena, factor->data, &root, &reason) != OK)
		return STR_NONE;
	return json_get_str(root, member);
}

struct str passkey_name(struct call *call, const struct factor_record *factor)
{
	struct str name = data_get(call, factor, "name");

	return name.len > 0 ? name : STR_NONE;
}

static struct vault_hash credential_hash(struct call *call, const struct store *store, struct str id)
{
	struct str parts[2] = {{(const char *)store->tenant_id.b, 16}, id};

	return vault_hash_parts(desk_state(call)->vault, VAULT_CREDENTIAL, parts, 2);
}

/* -- options -- */

static struct str rp_id(struct call *call)
{
	struct str rest = str_from(context_public_url(call->worker->context));
	struct str scheme, authority, host;

	(void)str_cut(&rest, ':', &scheme);
	while (rest.len > 0 && rest.p[0] == '/')
		rest = (struct str){rest.p + 1, rest.len - 1};
	(void)str_cut(&rest, '/', &authority);
	(void)str_cut(&authority, ':', &host);
	return host;
}

static void put_credentials(
	struct call *call, struct json_writer *w, const char *key, const struct factor_record *factors, size_t count)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		struct str words = data_get(call, &factors[i], "transports");
		struct str word;

		if (factors[i].kind != FACTOR_PASSKEY || factors[i].confirmed_at == 0)
			continue;
		json_begin_object(w);
		json_key(w, "type");
		json_put_c(w, "public-key");
		json_key(w, "id");
		json_put_str(w, data_get(call, &factors[i], "credential_id"));
		if (words.len > 0) {
			json_key(w, "transports");
			json_begin_array(w);
			for (bool more = true; more;) {
				more = str_cut(&words, ' ', &word);
				json_put_str(w, word);
			}
			json_end_array(w);
		}
		json_end_object(w);
	}
	json_end_array(w);
}

static void put_user(
	struct call *call, struct json_writer *w, const struct uuid *tenant_id, const struct person_record *person)
{
	uint8_t handle[HANDLE_LEN];

	memcpy(handle, tenant_id->b, 16);
	memcpy(handle + 16, person->id.b, 16);
	json_key(w, "user");
	json_begin_object(w);
	json_key(w, "id");
	json_put_str(w, base64url_encode(call->arena, (struct str){(const char *)handle, sizeof(handle)}));
	json_key(w, "name");
	json_put_str(w, person->email);
	json_key(w, "displayName");
	json_put_str(w, person->email);
	json_end_object(w);
}

static void begin_options(struct json_writer *w, const struct passkey_offer *offer)
{
	json_begin_object(w);
	json_key(w, "challenge");
	json_put_str(w, offer->challenge);
	json_key(w, "timeout");
	json_put_i64(w, TIMEOUT_MS);
}

static enum err end_options(struct call *call, struct json_writer *w, struct buf *buf, struct passkey_offer *offer)
{
	json_end_object(w);
	offer->options = buf_ok(buf) ? arena_copy(call->arena, buf_str(buf)) : STR_NONE;
	buf_release(buf);
	return offer->options.p != NULL && offer->challenge.p != NULL ? OK : ERR_OVERLOADED;
}

enum err passkey_offer_new(struct call *call, const struct passkey_asked *asked, const struct uuid *tenant_id,
	const struct person_record *person, const struct factor_record *factors, size_t count,
	struct passkey_offer *offer_out)
{
	struct json_writer w;
	struct buf buf;

	*offer_out = (struct passkey_offer){.challenge = challenge_make(call, asked)};
	buf_init(&buf, OPTIONS_MAX);
	w = json_writer_over(&buf);
	begin_options(&w, offer_out);
	json_key(&w, "rp");
	json_begin_object(&w);
	json_key(&w, "id");
	json_put_str(&w, rp_id(call));
	json_key(&w, "name");
	json_put_c(&w, "Berth");
	json_end_object(&w);
	put_user(call, &w, tenant_id, person);
	json_key(&w, "pubKeyCredParams");
	json_put_raw(&w, STR("[{\"type\":\"public-key\",\"alg\":-8},{\"type\":\"public-key\",\"alg\":-7},"
			     "{\"type\":\"public-key\",\"alg\":-257},"
			     "{\"type\":\"public-key\",\"alg\":-35},{\"type\":\"public-key\",\"alg\":-36}]"));
	json_key(&w, "authenticatorSelection");
	json_put_raw(&w, STR("{\"residentKey\":\"preferred\",\"userVerification\":\"preferred\"}"));
	json_key(&w, "attestation");
	json_put_c(&w, "none");
	put_credentials(call, &w, "excludeCredentials", factors, count);
	return end_options(call, &w, &buf, offer_out);
}

enum err passkey_offer(struct call *call, const struct passkey_asked *asked, const struct factor_record *factors,
	size_t count, struct passkey_offer *offer_out)
{
	struct json_writer w;
	struct buf buf;

	*offer_out = (struct passkey_offer){.challenge = challenge_make(call, asked)};
	buf_init(&buf, OPTIONS_MAX);
	w = json_writer_over(&buf);
	begin_options(&w, offer_out);
	json_key(&w, "rpId");
	json_put_str(&w, rp_id(call));
	json_key(&w, "userVerification");
	json_put_c(&w, asked->user_verification ? "required" : "preferred");
	put_credentials(call, &w, "allowCredentials", factors, count);
	return end_options(call, &w, &buf, offer_out);
}

/* -- ceremonies -- */

static struct webauthn_rules rules_for(struct call *call, const struct passkey_asked *asked, struct str challenge)
{
	return (struct webauthn_rules){.rp_id = rp_id(call),
		.origin = str_from(context_public_url(call->worker->context)),
		.challenge = challenge,
		.user_verification = asked->user_verification};
}

static const char stale_challenge[] = "challenge was not given to this browser, or is old";
static const char spent_challenge[] = "challenge was answered before";

enum err passkey_register(struct call *call, struct store *store, const struct passkey_asked *asked,
	const struct person_record *person, const struct passkey_answer *answer, struct factor_record *factor_out,
	bool *user_verified_out, const char **reason_out)
{
	struct webauthn_credential credential;
	struct webauthn_rules rules;
	struct vault_hash hash;
	struct str challenge;
	instant_us made;
	enum err err;

	*reason_out = stale_challenge;
	if (!challenge_read(call, asked, answer->challenge, &challenge, &made))
		return ERR_UNAUTHENTICATED;
	rules = rules_for(call, asked, challenge);
	err = webauthn_register(call->arena, &rules, base64url_decode(call->arena, answer->client_data),
		base64url_decode(call->arena, answer->attestation), &credential, reason_out);
	if (err != OK)
		return err == ERR_BAD_FIELD ? ERR_UNAUTHENTICATED : err;
	*reason_out = spent_challenge;
	if ((err = challenge_spend(call, store, challenge, made)) != OK)
		return err == ERR_CONFLICT ? ERR_UNAUTHENTICATED : err;
	hash = credential_hash(call, store, credential.id);
	*factor_out = (struct factor_record){.id = uuid_new(),
		.kind = FACTOR_PASSKEY,
		.data = data_write(call, &credential, answer),
		.counter = credential.state.sign_count,
		.credential_hash = arena_copy(call->arena, vault_hash_str(&hash)),
		.backup_eligible = credential.state.backup_eligible,
		.backed_up = credential.state.backed_up};
	*user_verified_out = credential.state.user_verified;
	if (factor_out->data.p == NULL || factor_out->credential_hash.p == NULL)
		return ERR_OVERLOADED;
	return store_passkey_insert(store, person->row_id, &person->id, factor_out, clock_now_us());
}

/* The person's own credential of that id. */
static enum err find_credential(struct call *call, struct store *store, const struct person_record *person,
	struct str credential, struct factor_record *factor_out)
{
	struct factor_record factors[FACTORS_MAX];
	struct str id = base64url_decode(call->arena, credential);
	struct vault_hash hash = credential_hash(call, store, id);
	size_t count;
	enum err err;

	if ((err = store_factor_list(store, person->row_id, &person->id, factors, &count)) != OK)
		return err;
	for (size_t i = 0; i < count && id.len > 0; i++) {
		if (factors[i].kind == FACTOR_PASSKEY && factors[i].confirmed_at != 0 &&
			vault_hash_eq(&hash, factors[i].credential_hash)) {
			*factor_out = factors[i];
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

enum err passkey_prove(struct call *call, struct store *store, const struct passkey_asked *asked,
	const struct person_record *person, const struct passkey_answer *answer, struct factor_record *factor_out,
	const char **reason_out)
{
	struct webauthn_assertion assertion = {.client_data = base64url_decode(call->arena, answer->client_data),
		.authenticator_data = base64url_decode(call->arena, answer->authenticator_data),
		.signature = base64url_decode(call->arena, answer->signature)};
	struct webauthn_known known;
	struct webauthn_state state;
	struct webauthn_rules rules;
	struct str challenge;
	instant_us made;
	enum err err;

	if ((err = find_credential(call, store, person, answer->credential, factor_out)) != OK)
		return err;
	*reason_out = stale_challenge;
	if (!challenge_read(call, asked, answer->challenge, &challenge, &made))
		return ERR_UNAUTHENTICATED;
	rules = rules_for(call, asked, challenge);
	known = (struct webauthn_known){
		.public_key = base64url_decode(call->arena, data_get(call, factor_out, "public_key")),
		.sign_count = (uint32_t)factor_out->counter,
		.backup_eligible = &factor_out->backup_eligible};
	err = webauthn_authenticate(call->arena, &rules, &known, &assertion, &state, reason_out);
	if (err != OK)
		return err;
	*reason_out = spent_challenge;
	if ((err = challenge_spend(call, store, challenge, made)) != OK)
		return err == ERR_CONFLICT ? ERR_UNAUTHENTICATED : err;
	factor_out->counter = state.sign_count;
	factor_out->backed_up = state.backed_up;
	*reason_out = "the passkey was used meanwhile";
	err = store_passkey_use(store, factor_out, clock_now_us());
	return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
}

bool passkey_handle_read(
	struct call *call, struct str user_handle, struct uuid *tenant_id_out, struct uuid *person_id_out)
{
	struct str bytes = base64url_decode(call->arena, user_handle);

	if (bytes.len != HANDLE_LEN)
		return false;
	memcpy(tenant_id_out->b, bytes.p, 16);
	memcpy(person_id_out->b, bytes.p + 16, 16);
	return !uuid_is_nil(tenant_id_out) && !uuid_is_nil(person_id_out);
}
