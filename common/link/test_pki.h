/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_TEST_PKI_H
#define BERTH_LINK_TEST_PKI_H

/* Certificates for tests, made with OpenSSL as deploy/pki makes them. Failures abort. */
#define TEST_PKI_PATH_MAX 256

/* Makes an empty directory below /tmp and gives its path; test_pki_remove deletes it with all that is in it. */
void test_pki_dir(char path_out[TEST_PKI_PATH_MAX]);
void test_pki_remove(const char *dir);

/*
 * Writes <dir>/ca/<role>-ca.pem, and <dir>/<role>.pem and <role>.key signed by it for the name `role`. Called again it
 * makes another authority of the same name: a foreign one.
 */
void test_pki_role(const char *dir, const char *role);
/* The same, with a leaf for another name or another time: days below 0 have passed. */
void test_pki_role_as(const char *dir, const char *role, const char *dns, int days);
/* <dir>/<file>.pem and .key, signed by an authority made for it (<dir>/<file>-ca.pem), for DNS:dns and IP 127.0.0.1. */
void test_pki_leaf(const char *dir, const char *file, const char *dns, int days);

#endif
