/* SPDX-License-Identifier: Apache-2.0 */
#include "link/test_pki.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/id.h"
#include "base/log.h"

#define LONG_PATH 400

void test_pki_dir(char path_out[TEST_PKI_PATH_MAX])
{
	(void)snprintf(path_out, TEST_PKI_PATH_MAX, "/tmp/berth-test-XXXXXX");
	INVARIANT(mkdtemp(path_out) != NULL);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

void test_pki_remove(const char *dir)
{
	INVARIANT(strncmp(dir, "/tmp/berth-test-", 16) == 0);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static X509 *certificate(EVP_PKEY *key, const char *name, int days)
{
	X509 *cert = X509_new();
	X509_NAME *subject;
	unsigned char serial[8];
	long number;

	INVARIANT(cert != NULL);
	random_bytes(serial, sizeof(serial));
	memcpy(&number, serial, sizeof(number));
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), number & 0x7fffffffffffffL);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600 - 86400L * (days < 0 ? 30 : 0));
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * days);
	subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_pubkey(cert, key);
	return cert;
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	INVARIANT(extension != NULL);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static void write_pem(const char *path, X509 *cert, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");

	INVARIANT(file != NULL);
	if (cert)
		INVARIANT(PEM_write_X509(file, cert) == 1);
	if (key)
		INVARIANT(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	INVARIANT(fclose(file) == 0);
	(void)chmod(path, 0600);
}

static void issue(const char *ca_path, const char *leaf_base, const char *dns, int days)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = certificate(ca_key, "Test authority", 30), *leaf = certificate(key, dns, days);
	char text[LONG_PATH];

	X509_set_issuer_name(ca, X509_get_subject_name(ca));
	extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
	INVARIANT(X509_sign(ca, ca_key, EVP_sha256()) > 0);

	X509_set_issuer_name(leaf, X509_get_subject_name(ca));
	extend(leaf, ca, NID_basic_constraints, "critical,CA:FALSE");
	extend(leaf, ca, NID_key_usage, "critical,digitalSignature");
	extend(leaf, ca, NID_ext_key_usage, "serverAuth,clientAuth");
	(void)snprintf(text, sizeof(text), "DNS:%s,IP:127.0.0.1", dns);
	extend(leaf, ca, NID_subject_alt_name, text);
	INVARIANT(X509_sign(leaf, ca_key, EVP_sha256()) > 0);

	write_pem(ca_path, ca, NULL);
	(void)snprintf(text, sizeof(text), "%s.pem", leaf_base);
	write_pem(text, leaf, NULL);
	(void)snprintf(text, sizeof(text), "%s.key", leaf_base);
	write_pem(text, NULL, key);
	X509_free(ca);
	X509_free(leaf);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
}

void test_pki_role(const char *dir, const char *role)
{
	test_pki_role_as(dir, role, role, 30);
}

void test_pki_role_as(const char *dir, const char *role, const char *dns, int days)
{
	char ca[LONG_PATH], base[LONG_PATH];

	(void)snprintf(ca, sizeof(ca), "%s/ca", dir);
	(void)mkdir(ca, 0700);
	(void)snprintf(ca, sizeof(ca), "%s/ca/%s-ca.pem", dir, role);
	(void)snprintf(base, sizeof(base), "%s/%s", dir, role);
	issue(ca, base, dns, days);
}

void test_pki_leaf(const char *dir, const char *file, const char *dns, int days)
{
	char ca[LONG_PATH], base[LONG_PATH];

	(void)snprintf(ca, sizeof(ca), "%s/%s-ca.pem", dir, file);
	(void)snprintf(base, sizeof(base), "%s/%s", dir, file);
	issue(ca, base, dns, days);
}
