/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "probe.h"
#include "webauthn.h"

/* The document's fields, and what is wrong with the first bad one. */
struct fields {
	struct arena *arena;
	const struct json *root;
	const char *missing; /* the name of one that is absent or of a wrong type */
	const char *reason;  /* one is no base64url */
};

static struct str text_of(struct fields *fields, const char *name)
{
	struct str text = json_get_str(fields->root, name);

	if (text.p == NULL && fields->missing == NULL)
		fields->missing = name;
	return text;
}

/* Base64url with and without padding: both are written, and what a ceremony signs is inside. */
static struct str bytes_of(struct fields *fields, const char *name)
{
	struct str text = text_of(fields, name), bytes = STR_NONE;

	if (text.len % 4 == 0)
		for (int i = 0; i < 2 && text.len > 0 && text.p[text.len - 1] == '='; i++)
			text.len--;
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
	char text[96];

	if (err == ERR_OVERLOADED)
		return probe_fail("no memory", NULL);
	if (fields->missing != NULL) {
		(void)snprintf(text, sizeof text, "%s is missing or of a wrong type", fields->missing);
		return probe_verdict(false, text);
	}
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

	if (fields->missing == NULL && fields->reason == NULL)
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

	if (fields->missing == NULL && fields->reason == NULL)
		err = webauthn_authenticate(probe->arena, &rules, &known, &assertion, &state, &reason);
	return answer(fields, err, reason);
}

int probe_webauthn(struct probe *probe)
{
	int (*judge)(struct probe *, struct fields *) = NULL;
	struct fields fields = {.arena = probe->arena};
	const char *reason = NULL;

	if (strcmp(probe->words[0], "register") == 0)
		judge = run_registration;
	else if (strcmp(probe->words[0], "authenticate") == 0)
		judge = run_authentication;
	if (judge == NULL)
		return probe_fail("say register or authenticate", NULL);
	if (json_parse(probe->arena, probe->input, &fields.root, &reason) != OK)
		return probe_verdict(false, reason);
	return judge(probe, &fields);
}
