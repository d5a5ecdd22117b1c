/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"
#include "web.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define DOCUMENT_MAX 16384

static void put_list(struct json_writer *w, const char *key, const char *const *items)
{
	json_key(w, key);
	json_begin_array(w);
	for (; *items != NULL; items++)
		json_put_c(w, *items);
	json_end_array(w);
}

static void put_endpoint(struct call *call, struct json_writer *w, const char *key, const char *path)
{
	json_key(w, key);
	json_put_str(w, arena_printf(call->arena, "%s%s", context_public_url(call->worker->context), path));
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* How clients prove themselves, at each endpoint that asks. */
static void put_client_methods(struct json_writer *w)
{
	static const char *const algs[] = {"EdDSA", "ES256", "RS256", NULL};

	put_list(w, "token_endpoint_auth_methods_supported",
		LIST("client_secret_basic", "client_secret_post", "private_key_jwt", "none"));
	put_list(w, "token_endpoint_auth_signing_alg_values_supported", algs);
	put_list(w, "introspection_endpoint_auth_methods_supported",
		LIST("client_secret_basic", "client_secret_post", "private_key_jwt"));
	put_list(w, "introspection_endpoint_auth_signing_alg_values_supported", algs);
	put_list(w, "revocation_endpoint_auth_methods_supported",
		LIST("client_secret_basic", "client_secret_post", "private_key_jwt", "none"));
	put_list(w, "revocation_endpoint_auth_signing_alg_values_supported", algs);
}

/* RFC 8414 section 2 and RFC 9207 section 3 */
static void put_oauth(struct call *call, struct json_writer *w)
{
	put_endpoint(call, w, "issuer", "");
	put_endpoint(call, w, "authorization_endpoint", "/oauth2/authorize");
	put_endpoint(call, w, "token_endpoint", "/oauth2/token");
	put_endpoint(call, w, "introspection_endpoint", "/oauth2/introspect");
	put_endpoint(call, w, "revocation_endpoint", "/oauth2/revoke");
	put_endpoint(call, w, "device_authorization_endpoint", "/oauth2/device_authorization");
	put_endpoint(call, w, "pushed_authorization_request_endpoint", "/oauth2/par");
	json_key(w, "require_pushed_authorization_requests");
	json_put_bool(w, false);
	put_endpoint(call, w, "jwks_uri", "/oauth2/jwks");
	put_list(w, "scopes_supported", LIST("openid", "profile", "email", "offline_access", "berth"));
	put_list(w, "response_types_supported", LIST("code"));
	put_list(w, "response_modes_supported", LIST("query"));
	put_list(w, "grant_types_supported",
		LIST("authorization_code", "refresh_token", "client_credentials", GRANT_DEVICE));
	put_client_methods(w);
	put_list(w, "dpop_signing_alg_values_supported", LIST("EdDSA", "ES256", "RS256"));
	put_list(w, "code_challenge_methods_supported", LIST("S256"));
	put_list(w, "ui_locales_supported", LIST("en", "fr", "nl"));
	json_key(w, "authorization_response_iss_parameter_supported");
	json_put_bool(w, true);
}

/* OpenID Connect Discovery 1.0 section 3 */
static void put_openid(struct call *call, struct json_writer *w)
{
	put_endpoint(call, w, "userinfo_endpoint", "/oauth2/userinfo");
	put_endpoint(call, w, "end_session_endpoint", "/oauth2/logout");
	json_key(w, "backchannel_logout_supported");
	json_put_bool(w, true);
	json_key(w, "backchannel_logout_session_supported");
	json_put_bool(w, true);
	put_list(w, "subject_types_supported", LIST("public"));
	put_list(w, "id_token_signing_alg_values_supported", LIST("ES256", "RS256"));
	put_list(w, "claims_supported",
		LIST("iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "sid", "name",
			"given_name", "family_name", "locale", "email", "email_verified"));
	put_list(w, "acr_values_supported", LIST("1fa", "2fa", "phr"));
	put_list(w, "claim_types_supported", LIST("normal"));
	put_list(w, "prompt_values_supported", LIST("none", "login", "consent", "select_account"));
	json_key(w, "claims_parameter_supported");
	json_put_bool(w, false);
	json_key(w, "request_parameter_supported");
	json_put_bool(w, false);
	json_key(w, "request_uri_parameter_supported");
	json_put_bool(w, false);
}

static enum err put_document(struct call *call, bool openid, struct web_reply *reply)
{
	struct json_writer w;
	struct buf buf;
	enum err err;

	buf_init(&buf, DOCUMENT_MAX);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	put_oauth(call, &w);
	if (openid)
		put_openid(call, &w);
	json_end_object(&w);
	reply->cacheable = reply->has_cacheable = true;
	err = web_json(call, reply, 200, &buf);
	buf_release(&buf);
	return err;
}

enum err handle_oauth_metadata(struct call *call, const struct empty *request_in, struct web_reply *reply_out)
{
	(void)request_in;
	return put_document(call, false, reply_out);
}

enum err handle_openid_metadata(struct call *call, const struct empty *request_in, struct web_reply *reply_out)
{
	(void)request_in;
	return put_document(call, true, reply_out);
}

enum err handle_jwks_read(struct call *call, const struct empty *request_in, struct web_reply *reply_out)
{
	struct key_set *set = keys_hold(desk_state(call)->keys);
	struct buf buf;
	enum err err;

	(void)request_in;
	if (set == NULL)
		return ERR_UNAVAILABLE;
	buf_init(&buf, DOCUMENT_MAX);
	buf_put_str(&buf, keys_document(set));
	keys_set_free(&set);
	reply_out->cacheable = reply_out->has_cacheable = true;
	err = web_body(call, reply_out, 200, "application/jwk-set+json", &buf);
	buf_release(&buf);
	return err;
}

enum err handle_keys_read(struct call *call, const struct empty *request_in, struct keys_reply *reply_out)
{
	struct key_set *set = keys_hold(desk_state(call)->keys);

	(void)request_in;
	if (set == NULL)
		return ERR_UNAVAILABLE;
	reply_out->jwks = arena_copy(call->arena, keys_document(set));
	reply_out->has_jwks = true;
	keys_set_free(&set);
	return reply_out->jwks.p != NULL ? OK : ERR_OVERLOADED;
}
