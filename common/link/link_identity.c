/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/config.h"
#include "base/log.h"
#include "link/link_private.h"

#define PEM_MAX (64U << 10)
#define PATH_LEN_MAX 512

struct link_identity {
	enum peer self;
	struct secret *certificate;
	struct secret *key;
	char ca_dir[PATH_LEN_MAX];
};

enum err link_identity_fault(enum peer peer, const char *what, const char *reason)
{
	log_event(LOG_ERROR, "link_refused", LOG_C("peer", peer_name(peer)), LOG_C("what", what),
		LOG_C("reason", reason));
	return ERR_BAD_FIELD;
}

static enum err read_pem(const char *what, const char *path, struct secret **pem_out)
{
	enum err err = secret_read_file(path, PEM_MAX, pem_out);

	if (err == OK)
		return OK;
	log_event(LOG_ERROR, "link_file_unreadable", LOG_C("what", what), LOG_C("code", err_code(err)));
	return ERR_BAD_FIELD;
}

enum err link_identity_new(enum peer self, const char *cert_file, const char *key_file, const char *ca_dir,
	struct link_identity **identity_out)
{
	struct link_identity *identity = calloc(1, sizeof(*identity));
	enum err err;
	int len;

	if (!identity)
		return ERR_OVERLOADED;
	identity->self = self;
	len = snprintf(identity->ca_dir, sizeof(identity->ca_dir), "%s", ca_dir);
	err = len > 0 && (size_t)len < sizeof(identity->ca_dir) ? OK : ERR_BAD_FIELD;
	if (err != OK)
		goto done;
	if ((err = read_pem("certificate", cert_file, &identity->certificate)) != OK)
		goto done;
	if ((err = read_pem("key", key_file, &identity->key)) != OK)
		goto done;
	*identity_out = identity;
	identity = NULL;
done:
	link_identity_free(&identity);
	return err;
}

void link_identity_free(struct link_identity **identity)
{
	struct link_identity *gone = *identity;

	if (!gone)
		return;
	*identity = NULL;
	secret_free(&gone->certificate);
	secret_free(&gone->key);
	free(gone);
}

static BIO *bio_over(const struct secret *pem)
{
	struct str text = secret_str(pem);

	return BIO_new_mem_buf(text.p, (int)text.len);
}

static bool use_leaf(SSL_CTX *tls, const struct secret *pem)
{
	BIO *bio = bio_over(pem);
	X509 *leaf = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	bool ok = leaf && SSL_CTX_use_certificate(tls, leaf) == 1;

	X509_free(leaf);
	BIO_free(bio);
	return ok;
}

static bool use_key(SSL_CTX *tls, const struct secret *pem)
{
	BIO *bio = bio_over(pem);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	bool ok = key && SSL_CTX_use_PrivateKey(tls, key) == 1 && SSL_CTX_check_private_key(tls) == 1;

	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

static bool trust_only(SSL_CTX *tls, const struct secret *pem)
{
	BIO *bio = bio_over(pem);
	X509_STORE *store = SSL_CTX_get_cert_store(tls);
	size_t count = 0;
	X509 *authority;
	bool ok = true;

	while (ok && bio && (authority = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		ok = X509_STORE_add_cert(store, authority) == 1;
		X509_free(authority);
		count++;
	}
	BIO_free(bio);
	return ok && count > 0;
}

static bool set_rules(SSL_CTX *tls)
{
	SSL_CTX_set_options(
		tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	/* A leaf under the role's own authority and nothing between. */
	SSL_CTX_set_verify_depth(tls, 1);
	return SSL_CTX_set_num_tickets(tls, 0) == 1 && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

enum err link_identity_tls(const struct link_identity *identity, enum peer peer, SSL_CTX **tls_out)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_method());
	struct secret *authority = NULL;
	char path[PATH_LEN_MAX + 64];
	enum err err = ERR_BAD_FIELD;

	(void)snprintf(path, sizeof(path), "%s/%s-ca.pem", identity->ca_dir, peer_name(peer));
	if (!tls || !set_rules(tls))
		(void)link_identity_fault(peer, "TLS", "cannot be set up");
	else if (read_pem("authority", path, &authority) != OK || !trust_only(tls, authority))
		(void)link_identity_fault(peer, "BERTH_LINK_CA_DIR", "<role>-ca.pem cannot be read");
	else if (!use_leaf(tls, identity->certificate))
		(void)link_identity_fault(peer, "BERTH_LINK_CERT_FILE", "is no certificate");
	else if (!use_key(tls, identity->key))
		(void)link_identity_fault(peer, "BERTH_LINK_KEY_FILE", "is not the certificate's key");
	else
		err = OK;
	/* What a failed attempt left behind would be taken for the next call's fault. */
	ERR_clear_error();
	secret_free(&authority);
	if (err == OK)
		*tls_out = tls;
	else
		SSL_CTX_free(tls);
	return err;
}

static bool address_ok(struct str address)
{
	uint64_t port = 0;
	size_t colon = address.len;

	while (colon > 0 && address.p[colon - 1] != ':')
		colon--;
	/* Something, a colon, a port. */
	return colon > 1 && str_to_u64((struct str){address.p + colon, address.len - colon}, 65535, &port) == OK &&
	       port > 0;
}

enum err link_identity_url(enum peer peer, struct str url, char inner_out[LINK_URL_MAX])
{
	size_t skip = sizeof(LINK_SCHEME) - 1;
	struct str address = {url.p + skip, url.len - skip};

	if (!str_starts(url, LINK_SCHEME) || url.len >= LINK_URL_MAX || !address_ok(address))
		return link_identity_fault(peer, "URL", "is not tls+tcp://host:port");
	(void)snprintf(inner_out, LINK_URL_MAX, "%s%.*s", LINK_SCHEME_INNER, STR_ARG(address));
	return OK;
}

/* The authority is the role's own already; the name makes a leaf for another purpose useless. */
static bool expect(SSL *ssl, enum peer peer, bool server)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char name[32];

	(void)snprintf(name, sizeof(name), "%s", peer_name(peer));
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_VERIFY_PARAM_set1_host(param, name, 0) != 1)
		return false;
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return server || SSL_set_tlsext_host_name(ssl, name) == 1;
}

bool link_identity_session(
	SSL_CTX *tls, enum peer peer, bool server, SSL **ssl_out, BIO **from_net_out, BIO **to_net_out)
{
	BIO *from_net, *to_net;

	*ssl_out = SSL_new(tls);
	if (!*ssl_out)
		return false;
	from_net = BIO_new(BIO_s_mem());
	to_net = BIO_new(BIO_s_mem());
	if (!from_net || !to_net) {
		BIO_free(from_net);
		BIO_free(to_net);
		return false;
	}
	SSL_set_bio(*ssl_out, from_net, to_net);
	*from_net_out = from_net;
	*to_net_out = to_net;
	return expect(*ssl_out, peer, server);
}
