/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_client.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

int64_t tls_client_time_s(const ASN1_TIME *time, int64_t unknown)
{
	struct tm parts;

	if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
		return unknown;
	return (int64_t)timegm(&parts);
}

/* Of one authority or revocation list; false when it is neither. */
static bool authority_digest(SSL_CTX *ctx, const X509_OBJECT *object, uint8_t sum_out[EVP_MAX_MD_SIZE])
{
	X509 *authority = X509_OBJECT_get0_X509(object);
	X509_CRL *list = X509_OBJECT_get0_X509_CRL((X509_OBJECT *)(uintptr_t)object);

	if (authority != NULL)
		return SSL_CTX_add_client_CA(ctx, authority) == 1 &&
		       X509_digest(authority, EVP_sha256(), sum_out, NULL) == 1;
	if (list == NULL)
		return false;
	/* Whoever lists what is revoked has to list it for each authority, those between included. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return X509_CRL_digest(list, EVP_sha256(), sum_out, NULL) == 1;
}

enum err tls_client_load(SSL_CTX *ctx, const char *file)
{
	const STACK_OF(X509_OBJECT) * held;
	uint8_t sums[2][EVP_MAX_MD_SIZE] = {{0}};
	uint8_t both[2 * SHA256_DIGEST_LENGTH];

	if (SSL_CTX_load_verify_file(ctx, file) != 1)
		goto bad;
	held = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));
	for (int i = 0; i < sk_X509_OBJECT_num(held); i++) {
		if (!authority_digest(ctx, sk_X509_OBJECT_value(held, i), sums[1]))
			goto bad;
		memcpy(both, sums[0], SHA256_DIGEST_LENGTH);
		memcpy(both + SHA256_DIGEST_LENGTH, sums[1], SHA256_DIGEST_LENGTH);
		if (SHA256(both, sizeof both, sums[0]) == NULL)
			goto bad;
	}
	if (SSL_CTX_set_session_id_context(ctx, sums[0], SHA256_DIGEST_LENGTH) != 1)
		goto bad;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return OK;
bad:
	log_event(LOG_ERROR, "client_authorities_unreadable");
	ERR_clear_error();
	return ERR_BAD_FIELD;
}

struct moment {
	int64_t now_s, next_s;
};

static void moment_near(struct moment *moment, const ASN1_TIME *time)
{
	const int64_t at_s = tls_client_time_s(time, 0);

	if (at_s > moment->now_s && at_s < moment->next_s)
		moment->next_s = at_s;
}

static void moment_near_certificate(struct moment *moment, const X509 *certificate)
{
	moment_near(moment, X509_get0_notBefore(certificate));
	moment_near(moment, X509_get0_notAfter(certificate));
}

static int64_t next_moment(X509_STORE *authorities, const X509 *shown, const STACK_OF(X509) * between, int64_t now_s)
{
	const STACK_OF(X509_OBJECT) *held = X509_STORE_get0_objects(authorities);
	struct moment moment = {now_s, INT64_MAX};

	moment_near_certificate(&moment, shown);
	for (int i = 0; i < sk_X509_num(between); i++)
		moment_near_certificate(&moment, sk_X509_value(between, i));
	for (int i = 0; i < sk_X509_OBJECT_num(held); i++) {
		X509_OBJECT *object = sk_X509_OBJECT_value(held, i);
		const X509 *authority = X509_OBJECT_get0_X509(object);
		const X509_CRL *list = X509_OBJECT_get0_X509_CRL(object);

		if (authority != NULL)
			moment_near_certificate(&moment, authority);
		if (list != NULL) {
			moment_near(&moment, X509_CRL_get0_lastUpdate(list));
			moment_near(&moment, X509_CRL_get0_nextUpdate(list));
		}
	}
	return moment.next_s;
}

/* As OpenSSL prepares it for a handshake. */
static bool judge_prepare(X509_STORE_CTX *judge, SSL_CTX *ctx, const SSL *ssl, int64_t now_s)
{
	X509_STORE *authorities = SSL_CTX_get_cert_store(ctx);
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(judge, authorities, SSL_get0_peer_certificate(ssl), SSL_get_peer_cert_chain(ssl)) != 1)
		return false;
	param = X509_STORE_CTX_get0_param(judge);
	X509_VERIFY_PARAM_set_auth_level(param, SSL_CTX_get_security_level(ctx));
	if (X509_STORE_CTX_set_default(judge, "ssl_client") != 1 ||
		X509_VERIFY_PARAM_set1(param, SSL_CTX_get0_param(ctx)) != 1)
		return false;
	X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
	return true;
}

bool tls_client_holds(SSL_CTX *ctx, const SSL *ssl, int64_t now_s, int64_t *until_s_out)
{
	const X509 *shown = SSL_get0_peer_certificate(ssl);
	X509_STORE_CTX *judge = NULL;
	bool holds = false;

	*until_s_out = now_s;
	if (shown == NULL)
		return false;
	judge = X509_STORE_CTX_new();
	if (judge == NULL || !judge_prepare(judge, ctx, ssl, now_s))
		goto done;
	holds = X509_verify_cert(judge) == 1;
	*until_s_out = next_moment(SSL_CTX_get_cert_store(ctx), shown, SSL_get_peer_cert_chain(ssl), now_s);
done:
	X509_STORE_CTX_free(judge);
	ERR_clear_error();
	return holds;
}

bool tls_client_may_resume(const SSL *ssl)
{
	return sk_X509_num(SSL_get_peer_cert_chain(ssl)) <= 0;
}
