/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/operation.h"
#include "probe.h"
#include "token/token.h"

/* A set that production would not take verifies nothing: *keys_out stays NULL, and *reason_out says why. */
static int keys_of(struct probe *probe, struct keyset **keys_out, const char **reason_out)
{
	struct str doc = probe_file(probe, probe->words[0]);

	if (!doc.p)
		return PROBE_FAILED;
	if (keyset_parse(doc, keys_out, reason_out) == ERR_OVERLOADED)
		return probe_fail(probe->words[0], *reason_out);
	return PROBE_JUDGED;
}

/* "ES256,RS256". A name that production has no verifier for allows nothing: what is signed so is judged and refused. */
static unsigned algs_of(const char *list)
{
	struct str rest = str_from(list), name;
	unsigned algs = 0;
	bool more;

	do {
		enum jwk_alg alg;

		more = str_cut(&rest, ',', &name);
		if (jwk_alg_from_name(name, &alg))
			algs |= JWS_ALLOW(alg);
	} while (more);
	return algs;
}

/* A parsed document on one line: outside its strings white space is all alike, and inside there are no line ends. */
static void put_document(struct json_writer *w, struct probe *probe, struct str document)
{
	char *p = arena_take(probe->arena, document.len + 1);

	if (!p) {
		w->buf->failed = true;
		return;
	}
	for (size_t i = 0; i < document.len; i++)
		p[i] = document.p[i] == '\n' || document.p[i] == '\r' ? ' ' : document.p[i];
	json_put_raw(w, (struct str){p, document.len});
}

/* Of a refused text nothing is told but why: header and payload are null. */
int probe_jws_refuse(const char *reason)
{
	struct buf line;
	struct json_writer w = probe_verdict_begin(&line, reason);

	json_key(&w, "header");
	json_put_null(&w);
	json_key(&w, "payload");
	json_put_null(&w);
	return probe_verdict_end(&w);
}

static int print_jws(struct probe *probe, const struct jws *jws)
{
	struct str payload = jws->payload;
	const struct json *parsed = NULL;
	const char *reason = NULL;
	struct buf line;
	struct json_writer w = probe_verdict_begin(&line, NULL);

	json_key(&w, "header");
	put_document(&w, probe, jws->header_text);
	json_key(&w, "payload");
	if (payload.len > 0 && payload.p[0] == '{' && json_parse(probe->arena, payload, &parsed, &reason) == OK)
		put_document(&w, probe, payload);
	else
		probe_put_bytes(&w, payload);
	return probe_verdict_end(&w);
}

/* Any JWS of the algorithms that some verifier of ours takes: ID tokens and access tokens alike. */
int probe_jws(struct probe *probe)
{
	struct jws_rules rules = {.algs_allowed = JWS_ALLOW_ALL, .kid_optional = true};
	const char *reason = NULL;
	struct keyset *keys = NULL;
	struct jws jws;
	int code;

	if (probe->options[0])
		rules.algs_allowed = algs_of(probe->options[0]);
	if ((code = keys_of(probe, &keys, &reason)) != PROBE_JUDGED)
		return code;
	if (keys && jws_verify(probe->arena, &rules, keys, probe->input, &jws, &reason) == OK)
		code = print_jws(probe, &jws);
	else
		code = probe_jws_refuse(reason);
	keyset_free(&keys);
	return code;
}

static int instant_of(const char *text, instant_us *now_out)
{
	uint64_t seconds = 0;

	if (!text || str_to_u64(str_from(text), INSTANT_MAX / US_PER_S, &seconds) != OK)
		return probe_fail("--now needs seconds since 1970", NULL);
	*now_out = (instant_us)seconds * US_PER_S;
	return PROBE_JUDGED;
}

int probe_jwt(struct probe *probe)
{
	struct token_rules rules = {
		.issuer = str_from(probe->options[0]),
		.audience = str_from(probe->options[1]),
		.env = str_from(probe->options[3]),
		.leeway_us = TOKEN_LEEWAY_US,
		.is_resource = operation_is_resource,
	};
	struct keyset *keys = NULL;
	const char *reason = NULL;
	const struct jws_rules shown = {.algs_allowed = JWS_ALLOW_ALL, .kid_optional = true};
	instant_us now = 0;
	struct token token;
	struct jws jws;
	int code;

	if (!rules.issuer.p || !rules.audience.p)
		return probe_fail("--iss and --aud are needed", NULL);
	if ((code = instant_of(probe->options[2], &now)) != PROBE_JUDGED)
		return code;
	if ((code = keys_of(probe, &keys, &reason)) != PROBE_JUDGED)
		return code;
	if (keys && token_verify(&rules, keys, probe->input, now, &token, &reason) == OK &&
		jws_verify(probe->arena, &shown, keys, probe->input, &jws, &reason) == OK)
		code = print_jws(probe, &jws);
	else
		code = probe_jws_refuse(reason);
	keyset_free(&keys);
	return code;
}
