/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/buf.h"
#include "cbor.h"

#define MEMBERS 3
#define AAGUID_LEN 16
#define AUTH_DATA_MAX 8192
#define AAGUID_OID "1.3.6.1.4.1.45724.1.1.4" /* id-fido-gen-ce-aaguid */

static const char malformed[] = "the attestation object is malformed";
static const char bad_statement[] = "the attestation statement is malformed";

/* One item as it stands. */
static struct str raw_item(struct reader *reader)
{
	struct str raw = {(const char *)reader->p, reader->len};

	cbor_skip(reader);
	raw.len -= reader->len;
	return reader->failed ? STR_NONE : raw;
}

const char *attestation_read(struct str object, struct attestation *attestation_out)
{
	struct reader reader = reader_over(object);

	*attestation_out = (struct attestation){0};
	if (cbor_map(&reader, MEMBERS) != MEMBERS)
		return malformed;
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct str name = cbor_text(&reader, sizeof("authData") - 1), *slot;

		if (str_eq_c(name, "fmt"))
			slot = &attestation_out->format;
		else if (str_eq_c(name, "attStmt"))
			slot = &attestation_out->statement;
		else if (str_eq_c(name, "authData"))
			slot = &attestation_out->authenticator_data;
		else
			return malformed;
		if (slot->p != NULL)
			return malformed;
		if (slot == &attestation_out->format)
			*slot = cbor_text(&reader, ATTESTATION_FORMAT_MAX);
		else if (slot == &attestation_out->statement)
			*slot = raw_item(&reader);
		else
			*slot = cbor_bytes(&reader, AUTH_DATA_MAX);
	}
	return reader_done(&reader) ? NULL : malformed;
}

struct packed {
	int64_t alg;
	struct str signature;
	struct str certificate; /* the first of x5c; absent when the key attests itself */
};

static void read_chain(struct reader *reader, struct packed *packed)
{
	size_t count = cbor_array(reader, ATTESTATION_CHAIN_MAX);

	if (count == 0)
		reader->failed = true;
	for (size_t i = 0; i < count; i++) {
		struct str certificate = cbor_bytes(reader, ATTESTATION_CERTIFICATE_MAX);

		if (i == 0)
			packed->certificate = certificate;
	}
}

static bool packed_read(struct str statement, struct packed *packed_out)
{
	struct reader reader = reader_over(statement);
	size_t count = cbor_map(&reader, MEMBERS);
	bool alg_seen = false;

	*packed_out = (struct packed){0};
	for (size_t i = 0; i < count; i++) {
		struct str name = cbor_text(&reader, sizeof("alg") - 1);

		if (str_eq_c(name, "alg") && !alg_seen) {
			packed_out->alg = cbor_int(&reader);
			alg_seen = true;
		} else if (str_eq_c(name, "sig") && packed_out->signature.p == NULL) {
			packed_out->signature = cbor_bytes(&reader, ATTESTATION_SIGNATURE_MAX);
		} else if (str_eq_c(name, "x5c") && packed_out->certificate.p == NULL) {
			read_chain(&reader, packed_out);
		} else {
			return false;
		}
	}
	return reader_done(&reader) && alg_seen && packed_out->signature.p != NULL;
}

/* Section 8.2.1: where the certificate names a model, it is the one of the authenticator data. */
static bool model_agrees(const X509 *certificate, const uint8_t *aaguid)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(AAGUID_OID, 1);
	int at = oid != NULL ? X509_get_ext_by_OBJ(certificate, oid, -1) : -1;
	const ASN1_OCTET_STRING *value = at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(certificate, at)) : NULL;
	const uint8_t *bytes = value != NULL ? ASN1_STRING_get0_data(value) : NULL;
	bool agrees = oid != NULL;

	if (bytes != NULL)
		agrees = ASN1_STRING_length(value) == 2 + AAGUID_LEN && bytes[0] == V_ASN1_OCTET_STRING &&
		         bytes[1] == AAGUID_LEN && memcmp(bytes + 2, aaguid, AAGUID_LEN) == 0;
	ASN1_OBJECT_free(oid);
	return agrees;
}

static const char *certificate_check(X509 *certificate, const struct packed *packed, const struct attested *attested)
{
	const EVP_PKEY *pkey = X509_get0_pubkey(certificate);
	struct cose_key *key = NULL;
	const char *reason = NULL;

	if (X509_get_version(certificate) != X509_VERSION_3 || X509_check_ca(certificate) != 0)
		return "the attestation certificate is not of version 3, or an authority's";
	if (!model_agrees(certificate, attested->aaguid))
		return "the attestation certificate is of another model";
	if (pkey == NULL || cose_key_of_pkey(pkey, &key) != OK)
		return "the attestation certificate's key is not supported";
	if (cose_key_alg(key) != packed->alg)
		reason = "the attestation's algorithm is not its certificate's";
	else if (!cose_verify(key, attested->signed_bytes, packed->signature))
		reason = "the attestation's signature is wrong";
	cose_key_free(&key);
	return reason;
}

static const char *packed_check(const struct attestation *attestation, const struct attested *attested)
{
	struct packed packed;
	const unsigned char *at;
	const char *reason;
	X509 *certificate;

	if (!packed_read(attestation->statement, &packed))
		return bad_statement;
	if (!cose_alg_ok(packed.alg))
		return "the attestation's algorithm is not allowed";
	if (packed.certificate.p == NULL) {
		if (packed.alg != cose_key_alg(attested->key))
			return "the attestation's algorithm is not the key's";
		return cose_verify(attested->key, attested->signed_bytes, packed.signature)
		               ? NULL
		               : "the attestation's signature is wrong";
	}
	at = (const unsigned char *)packed.certificate.p;
	certificate = d2i_X509(NULL, &at, (long)packed.certificate.len);
	if (certificate == NULL || at != (const unsigned char *)packed.certificate.p + packed.certificate.len)
		reason = "the attestation certificate is malformed";
	else
		reason = certificate_check(certificate, &packed, attested);
	X509_free(certificate);
	ERR_clear_error(); /* the queue is the thread's: libpq reads it too */
	return reason;
}

const char *attestation_check(const struct attestation *attestation, const struct attested *attested)
{
	struct reader reader = reader_over(attestation->statement);

	if (str_eq_c(attestation->format, "packed"))
		return packed_check(attestation, attested);
	if (!str_eq_c(attestation->format, "none"))
		return "the attestation format is not supported";
	(void)cbor_map(&reader, 0);
	return reader_done(&reader) ? NULL : bad_statement;
}
