/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "edge_limits.h"
#include "ticket_keys.h"

#define RETRY_US (10 * US_PER_S)
#define PATH_CAP 512

static const char ciphers_1_2[] =
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
	"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

/* The shorter keys first: they are as far out of reach, and cost less in every handshake and record. */
static const char ciphers_1_3[] = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

struct file_pair {
	char cert[PATH_CAP], key[PATH_CAP];
	struct timespec cert_at, key_at;
};

struct tls_store {
	pthread_rwlock_t lock;
	SSL_CTX *ctx;
	uint64_t generation; /* atomic: of `ctx`; the first is 1 */
	struct file_pair files[EDGE_CERTS_MAX];
	size_t file_count;
	const char *client_ca_file; /* NULL: no client is asked for a certificate */
	struct timespec client_ca_at;
	struct ticket_keys tickets;
	EVP_CIPHER *ticket_cipher;
	int64_t ends_s[EDGE_CERTS_MAX]; /* when each certificate held runs out, since 1970; INT64_MAX: unknown */
	uint64_t retry_us;              /* reading failed: once more then; 0: it did not */
};

static int store_slot = -1;

/* Copies the key that seals, or the one that is named; false when there is none. */
static bool ticket_key_pick(
	struct tls_store *store, bool seal, const uint8_t name[16], struct ticket_key *key_out, bool *old_out)
{
	const uint64_t now_us = clock_monotonic_us();
	const struct ticket_key *key;

	pthread_rwlock_wrlock(&store->lock);
	key = seal ? ticket_keys_sealing(&store->tickets, now_us)
	           : ticket_keys_opening(&store->tickets, name, now_us, old_out);
	if (key != NULL)
		*key_out = *key;
	pthread_rwlock_unlock(&store->lock);
	return key != NULL;
}

static int on_ticket(
	SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
	struct tls_store *store = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), store_slot);
	struct ticket_key key;
	OSSL_PARAM params[3];
	bool old = false;
	int result = -1;

	if ((seal != 0 && !tls_client_may_resume(ssl)) || !ticket_key_pick(store, seal != 0, name, &key, &old))
		return 0;
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof key.mac);
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"sha256"}, 0);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_MAC_CTX_set_params(mac, params) != 1)
		goto done;
	if (seal != 0) {
		memcpy(name, key.name, sizeof key.name);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(store->ticket_cipher)) != 1 ||
			EVP_EncryptInit_ex(cipher, store->ticket_cipher, NULL, key.aes, iv) != 1)
			goto done;
		result = 1;
	} else if (EVP_DecryptInit_ex(cipher, store->ticket_cipher, NULL, key.aes, iv) == 1) {
		result = old ? 2 : 1;
	}
done:
	OPENSSL_cleanse(&key, sizeof key);
	return result;
}

/* RFC 7301: who offers protocols must offer one of ours, of which h2 goes first; who offers none gets HTTP/1.1. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *offered,
	unsigned int offered_len, void *arg)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";
	unsigned char *picked = NULL;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&picked, out_len, ours, sizeof ours - 1, offered, offered_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = picked;
	return SSL_TLSEXT_ERR_OK;
}

static enum err ctx_set_rules(SSL_CTX *ctx)
{
	char groups[] = "X25519:P-256:P-384"; /* OpenSSL's macro takes it without const, and only reads it */

	SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(
		ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_num_tickets(ctx, 0); /* in the handshake: tls.h */
	SSL_CTX_set_timeout(ctx, 2 * (long)(TICKET_KEYS_LIFE_US / US_PER_S));
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 || SSL_CTX_set_cipher_list(ctx, ciphers_1_2) != 1 ||
		SSL_CTX_set_ciphersuites(ctx, ciphers_1_3) != 1 || SSL_CTX_set1_groups_list(ctx, groups) != 1 ||
		SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) != 1)
		return ERR_INTERNAL;
	return OK;
}

static struct timespec file_time(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

static enum err ctx_load_pair(SSL_CTX *ctx, struct file_pair *files, size_t place)
{
	files->cert_at = file_time(files->cert);
	files->key_at = file_time(files->key);
	if (SSL_CTX_use_certificate_chain_file(ctx, files->cert) == 1 &&
		SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) == 1 &&
		SSL_CTX_check_private_key(ctx) == 1)
		return OK;
	log_event(LOG_ERROR, "certificate_unreadable", LOG_I("place", place + 1));
	ERR_clear_error();
	return ERR_BAD_FIELD;
}

static enum err ctx_new(struct tls_store *store, SSL_CTX **ctx_out, int64_t ends_s_out[EDGE_CERTS_MAX])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	enum err err;

	if (ctx == NULL)
		return ERR_OVERLOADED;
	if ((err = ctx_set_rules(ctx)) != OK)
		goto done;
	for (size_t i = 0; i < store->file_count; i++) {
		if ((err = ctx_load_pair(ctx, &store->files[i], i)) != OK)
			goto done;
		ends_s_out[i] = tls_client_time_s(X509_get0_notAfter(SSL_CTX_get0_certificate(ctx)), INT64_MAX);
	}
	if (store->client_ca_file != NULL) {
		store->client_ca_at = file_time(store->client_ca_file);
		if ((err = tls_client_load(ctx, store->client_ca_file)) != OK)
			goto done;
	}
	SSL_CTX_set_ex_data(ctx, store_slot, store);
	*ctx_out = ctx;
	ctx = NULL;
done:
	SSL_CTX_free(ctx);
	return err;
}

static enum err files_split(struct tls_store *store, const char *cert_files, const char *key_files)
{
	struct str certs = str_from(cert_files), keys = str_from(key_files);
	struct str cert, key;
	bool more_certs, more_keys;

	do {
		if (store->file_count == EDGE_CERTS_MAX)
			return ERR_BAD_FIELD;
		more_certs = str_cut(&certs, ',', &cert);
		more_keys = str_cut(&keys, ',', &key);
		if (more_certs != more_keys || cert.len == 0 || key.len == 0 || cert.len >= PATH_CAP ||
			key.len >= PATH_CAP)
			return ERR_BAD_FIELD;
		memcpy(store->files[store->file_count].cert, cert.p, cert.len);
		memcpy(store->files[store->file_count].key, key.p, key.len);
		store->file_count++;
	} while (more_certs);
	return OK;
}

enum err tls_store_new(
	const char *cert_files, const char *key_files, const char *client_ca_file, struct tls_store **store_out)
{
	struct tls_store *store = calloc(1, sizeof *store);
	enum err err;

	if (store == NULL)
		return ERR_OVERLOADED;
	store->client_ca_file = client_ca_file;
	pthread_rwlock_init(&store->lock, NULL);
	if (store_slot < 0)
		store_slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	/* Not sought anew for each ticket. */
	if ((store->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL)) == NULL) {
		err = ERR_INTERNAL;
		goto done;
	}
	if ((err = files_split(store, cert_files, key_files)) != OK) {
		log_event(LOG_ERROR, "certificate_list_bad",
			LOG_C("keys", "BERTH_GATEWAY_CERT_FILES, BERTH_GATEWAY_KEY_FILES"));
		goto done;
	}
	if ((err = ctx_new(store, &store->ctx, store->ends_s)) != OK)
		goto done;
	store->generation = 1;
	*store_out = store;
	store = NULL;
done:
	tls_store_free(&store);
	return err;
}

void tls_store_free(struct tls_store **store)
{
	if (*store == NULL)
		return;
	SSL_CTX_free((*store)->ctx);
	pthread_rwlock_destroy(&(*store)->lock);
	ticket_keys_wipe(&(*store)->tickets);
	EVP_CIPHER_free((*store)->ticket_cipher);
	free(*store);
	*store = NULL;
}

enum err tls_store_reload(struct tls_store *store)
{
	SSL_CTX *fresh = NULL, *old;
	int64_t ends_s[EDGE_CERTS_MAX] = {0};
	enum err err;

	if ((err = ctx_new(store, &fresh, ends_s)) != OK) {
		store->retry_us = clock_monotonic_us() + RETRY_US;
		return err;
	}
	store->retry_us = 0;
	pthread_rwlock_wrlock(&store->lock);
	old = store->ctx;
	store->ctx = fresh;
	__atomic_store_n(&store->generation, store->generation + 1, __ATOMIC_RELEASE);
	memcpy(store->ends_s, ends_s, sizeof ends_s);
	pthread_rwlock_unlock(&store->lock);
	SSL_CTX_free(old);
	log_event(LOG_INFO, "certificates_reloaded");
	return OK;
}

static bool time_differs(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

bool tls_store_changed(const struct tls_store *store)
{
	if (store->retry_us != 0 && clock_monotonic_us() >= store->retry_us)
		return true;
	for (size_t i = 0; i < store->file_count; i++)
		if (time_differs(file_time(store->files[i].cert), store->files[i].cert_at) ||
			time_differs(file_time(store->files[i].key), store->files[i].key_at))
			return true;
	return store->client_ca_file != NULL && time_differs(file_time(store->client_ca_file), store->client_ca_at);
}

size_t tls_store_certificates(const struct tls_store *store)
{
	return store->file_count;
}

int64_t tls_store_days_left(struct tls_store *store, size_t place)
{
	const int64_t now_s = clock_now_us() / US_PER_S;
	int64_t left_s;

	INVARIANT(place < store->file_count);
	pthread_rwlock_rdlock(&store->lock);
	left_s = store->ends_s[place] - now_s;
	pthread_rwlock_unlock(&store->lock);
	return left_s < 0 ? -1 : left_s / 86400;
}

void tls_store_age(struct tls_store *store)
{
	pthread_rwlock_wrlock(&store->lock);
	(void)ticket_keys_age(&store->tickets, clock_monotonic_us());
	pthread_rwlock_unlock(&store->lock);
}

SSL *tls_session_new(struct tls_store *store, struct tls_wire *wire)
{
	BIO *bio = tls_wire_bio(wire);
	SSL *ssl;

	pthread_rwlock_rdlock(&store->lock);
	ssl = bio != NULL ? SSL_new(store->ctx) : NULL;
	pthread_rwlock_unlock(&store->lock);
	if (ssl == NULL) {
		BIO_free(bio);
		return NULL;
	}
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	return ssl;
}

bool tls_session_is_h2(const SSL *ssl)
{
	const unsigned char *chosen = NULL;
	unsigned int len = 0;

	SSL_get0_alpn_selected(ssl, &chosen, &len);
	return len == 2 && memcmp(chosen, "h2", 2) == 0;
}

bool tls_session_gives_ticket(const SSL *ssl)
{
	return SSL_version(ssl) == TLS1_3_VERSION && tls_client_may_resume(ssl);
}

bool tls_session_is_certified(struct tls_store *store, const SSL *ssl, struct tls_client_verdict *verdict)
{
	const int64_t now_s = clock_now_us() / US_PER_S;
	SSL_CTX *ctx;

	if (SSL_get0_peer_certificate(ssl) == NULL)
		return false;
	if (verdict->generation == __atomic_load_n(&store->generation, __ATOMIC_ACQUIRE) && now_s >= verdict->since_s &&
		now_s < verdict->until_s)
		return verdict->holds;
	pthread_rwlock_rdlock(&store->lock);
	ctx = store->ctx;
	SSL_CTX_up_ref(ctx);
	verdict->generation = store->generation;
	pthread_rwlock_unlock(&store->lock);
	verdict->since_s = now_s;
	verdict->holds = tls_client_holds(ctx, ssl, now_s, &verdict->until_s);
	SSL_CTX_free(ctx);
	return verdict->holds;
}
