/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/encode.h"
#include "probe.h"
#include "webauthn.h"

/* The document's fields, and what is wrong with the first bad one. */
struct fields {
	struct arena *arena;
	const struct json *root;
	const char *missing; /* the probe cannot judge */
	const char *reason;  /* judged: no base64url */
};

static struct str text_of(struct fields *fields, const char *name)
{
	struct str text = json_get_str(fields->root, name);

	if (text.p == NULL && fields->missing == NULL)
		fields->missing = name;
	return text;
}

static struct str bytes_of(struct fields *fields, const char *name)
{
	struct str text = text_of(fields, name), bytes = STR_NONE;

	if (text.p != NULL && (bytes = base64url_decode(fields->arena, text)).p == NULL && fields->reason == NULL)
		fields->reason = "a field is no base64url";
	return bytes;
}

static bool flag_of(struct fields *fields, const char *name)
{
	const struct json *flag = json_get(fields->root, name);

	if ((flag == NULL || (flag->kind != JSON_TRUE && flag->kind != JSON_FALSE)) && fields->missing == NULL)
		fields->missing = name;
	return flag != NULL && flag->kind == JSON_TRUE;
}

static uint32_t count_of(struct fields *fields, const char *name)
{
	const struct json *number = json_get(fields->root, name);
	int64_t count = 0;

	if ((number == NULL || json_to_i64(number, &count) != OK || count < 0 || count > UINT32_MAX) &&
		fields->missing == NULL)
		fields->missing = name;
	return (uint32_t)count;
}

static struct webauthn_rules rules_of(struct fields *fields)
{
	return (struct webauthn_rules){
		.rp_id = text_of(fields, "rp_id"),
		.origin = text_of(fields, "origin"),
		.challenge = bytes_of(fields, "challenge"),
		.user_verification = flag_of(fields, "user_verification"),
	};
}

static int answer(const struct fields *fields, enum err err, const char *reason)
{
	if (err == ERR_OVERLOADED)
		return probe_fail("no memory", NULL);
	return probe_verdict(err == OK && fields->reason == NULL, fields->reason != NULL ? fields->reason : reason);
}

static int run_registration(struct probe *probe, struct fields *fields)
{
	struct webauthn_rules rules = rules_of(fields);
	struct str client_data = bytes_of(fields, "client_data_json");
	struct str object = bytes_of(fields, "attestation_object");
	struct webauthn_credential credential;
	const char *reason = NULL;
	enum err err = OK;

	if (fields->missing != NULL)
		return probe_fail("missing or of a wrong type", fields->missing);
	if (fields->reason == NULL)
		err = webauthn_register(probe->arena, &rules, client_data, object, &credential, &reason);
	return answer(fields, err, reason);
}

static int run_authentication(struct probe *probe, struct fields *fields)
{
	struct webauthn_rules rules = rules_of(fields);
	struct webauthn_known known = {
		.public_key = bytes_of(fields, "public_key"),
		.sign_count = count_of(fields, "sign_count"),
	};
	struct webauthn_assertion assertion = {
		.client_data = bytes_of(fields, "client_data_json"),
		.authenticator_data = bytes_of(fields, "authenticator_data"),
		.signature = bytes_of(fields, "signature"),
	};
	struct webauthn_state state;
	const char *reason = NULL;
	enum err err = OK;

	if (fields->missing != NULL)
		return probe_fail("missing or of a wrong type", fields->missing);
	if (fields->reason == NULL)
		err = webauthn_authenticate(probe->arena, &rules, &known, &assertion, &state, &reason);
	return answer(fields, err, reason);
}

int probe_webauthn(struct probe *probe)
{
	const char *ceremony = probe->argc > 0 ? probe->argv[0] : "";
	struct fields fields = {.arena = probe->arena};
	const char *reason = NULL;

	if (json_parse(probe->arena, probe->input, &fields.root, &reason) != OK)
		return probe_fail("the input is no JSON", reason);
	if (strcmp(ceremony, "register") == 0)
		return run_registration(probe, &fields);
	if (strcmp(ceremony, "authenticate") == 0)
		return run_authentication(probe, &fields);
	return probe_fail("webauthn register or webauthn authenticate", NULL);
}
