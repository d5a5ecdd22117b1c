/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_admin_tls.h"

#include <openssl/err.h>

#include "base/log.h"

/* Forward secrecy and AEAD only; TLS 1.3 has nothing else. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

static bool fault(const char *key)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	log_event(LOG_ERROR, "admin_tls_unusable", LOG_C("key", key), LOG_C("reason", reason));
	ERR_clear_error();
	return false;
}

static bool load_files(SSL_CTX *context, const struct http_admin_tls *tls)
{
	STACK_OF(X509_NAME) * names;

	if (SSL_CTX_use_certificate_chain_file(context, tls->cert_file) != 1)
		return fault("BERTH_ADMIN_CERT_FILE");
	if (SSL_CTX_use_PrivateKey_file(context, tls->key_file, SSL_FILETYPE_PEM) != 1)
		return fault("BERTH_ADMIN_KEY_FILE");
	if (SSL_CTX_check_private_key(context) != 1)
		return fault("BERTH_ADMIN_KEY_FILE");
	if (SSL_CTX_load_verify_locations(context, tls->client_ca_file, NULL) != 1)
		return fault("BERTH_ADMIN_CA_FILE");
	if ((names = SSL_load_client_CA_file(tls->client_ca_file)) == NULL)
		return fault("BERTH_ADMIN_CA_FILE");
	SSL_CTX_set_client_CA_list(context, names); /* takes */
	return true;
}

static SSL_CTX *context_new(const struct http_admin_tls *tls)
{
	SSL_CTX *context;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_cipher_list(context, CIPHERS) != 1 || !load_files(context, tls)) {
		SSL_CTX_free(context);
		return NULL;
	}
	(void)SSL_CTX_set_options(context,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* Nothing is resumed: a session would carry yesterday's verdict over a client's certificate. */
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(context, 0);
	(void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_verify_depth(context, 4);
	return context;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Looks at the files; true when one is not what it was. A file that is away for a moment counts as unchanged. */
static bool files_changed(struct http_admin_tls *tls)
{
	const char *const names[3] = {tls->cert_file, tls->key_file, tls->client_ca_file};
	bool changed = false;

	for (int i = 0; i < 3; i++) {
		struct stat now;

		if (stat(names[i], &now) != 0 || same_file(&now, &tls->seen[i]))
			continue;
		tls->seen[i] = now;
		changed = true;
	}
	return changed;
}

enum err http_admin_tls_init(
	struct http_admin_tls *tls, const char *cert_file, const char *key_file, const char *client_ca_file)
{
	*tls = (struct http_admin_tls){.cert_file = cert_file, .key_file = key_file, .client_ca_file = client_ca_file};
	(void)files_changed(tls);
	tls->context = context_new(tls);
	return tls->context != NULL ? OK : ERR_BAD_FIELD;
}

void http_admin_tls_release(struct http_admin_tls *tls)
{
	SSL_CTX_free(tls->context);
	tls->context = NULL;
}

SSL *http_admin_tls_accept(struct http_admin_tls *tls, int fd)
{
	SSL_CTX *renewed = files_changed(tls) ? context_new(tls) : NULL;
	SSL *ssl;

	if (renewed != NULL) {
		/* Connections that are open hold the old one. */
		SSL_CTX_free(tls->context);
		tls->context = renewed;
		log_event(LOG_INFO, "admin_tls_reloaded");
	}
	ERR_clear_error();
	ssl = SSL_new(tls->context);
	if (ssl != NULL && SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}
