/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum err link_identity_fault(enum peer peer, const char *what, int nng_error)
{
	log_event(LOG_ERROR, "link_refused", LOG_C("peer", peer_name(peer)), LOG_C("what", what),
		LOG_C("reason", nng_error != 0 ? nng_strerror(nng_error) : "see what"));
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

static int tls_fill(nng_tls_config *tls, const struct link_identity *identity, enum peer peer, nng_tls_mode mode,
	const struct secret *authority)
{
	int rv;

	if ((rv = nng_tls_config_version(tls, NNG_TLS_1_2, NNG_TLS_1_2)) != 0)
		return rv;
	if ((rv = nng_tls_config_auth_mode(tls, NNG_TLS_AUTH_MODE_REQUIRED)) != 0)
		return rv;
	if ((rv = nng_tls_config_ca_chain(tls, secret_str(authority).p, NULL)) != 0)
		return rv;
	if (mode == NNG_TLS_MODE_CLIENT && (rv = nng_tls_config_server_name(tls, peer_name(peer))) != 0)
		return rv;
	return nng_tls_config_own_cert(tls, secret_str(identity->certificate).p, secret_str(identity->key).p, NULL);
}

enum err link_identity_tls(
	const struct link_identity *identity, enum peer peer, nng_tls_mode mode, nng_tls_config **tls_out)
{
	struct secret *authority = NULL;
	nng_tls_config *tls = NULL;
	char path[PATH_LEN_MAX + 64];
	enum err err;
	int rv;

	(void)snprintf(path, sizeof(path), "%s/%s-ca.pem", identity->ca_dir, peer_name(peer));
	if ((err = read_pem("authority", path, &authority)) != OK)
		return link_identity_fault(peer, "its authority cannot be read", 0);
	if ((rv = nng_tls_config_alloc(&tls, mode)) != 0 ||
		(rv = tls_fill(tls, identity, peer, mode, authority)) != 0) {
		err = link_identity_fault(peer, "certificate, key or authority", rv);
		goto done;
	}
	*tls_out = tls;
	tls = NULL;
done:
	if (tls)
		nng_tls_config_free(tls);
	secret_free(&authority);
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

bool link_identity_url_ok(enum peer peer, const char *url)
{
	static const char scheme[] = "tls+tcp://";
	struct str text = str_from(url);

	if (str_starts(text, scheme) && text.len < LINK_URL_MAX &&
		address_ok((struct str){text.p + sizeof(scheme) - 1, text.len - (sizeof(scheme) - 1)}))
		return true;
	(void)link_identity_fault(peer, "the URL is not tls+tcp://host:port", 0);
	return false;
}
