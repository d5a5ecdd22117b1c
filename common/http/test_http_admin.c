/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/test.h"
#include "http/http_admin.h"

/* A certificate of our own making with its key. */
struct identity {
	X509 *cert;
	EVP_PKEY *key;
};

static char dir[] = "/tmp/berth_test_admin_XXXXXX";
static char cert_file[64], key_file[64], ca_file[64];
static struct identity ca, server, client, foreign_ca, foreign_client;
static struct http_admin *admin;

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* `issuer` NULL makes a CA. */
static struct identity identity_new(const char *name, const struct identity *issuer, const char *usage)
{
	struct identity id = {X509_new(), EVP_EC_gen("P-256")};
	static long serial = 1;
	X509_NAME *subject;

	assert_non_null(id.cert);
	assert_non_null(id.key);
	assert_int_equal(X509_set_version(id.cert, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(id.cert), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(id.cert), 3600));
	subject = X509_get_subject_name(id.cert);
	assert_int_equal(
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0), 1);
	assert_int_equal(
		X509_set_issuer_name(id.cert, issuer != NULL ? X509_get_subject_name(issuer->cert) : subject), 1);
	assert_int_equal(X509_set_pubkey(id.cert, id.key), 1);
	add_extension(id.cert, NID_basic_constraints, issuer == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (usage != NULL)
		add_extension(id.cert, NID_ext_key_usage, usage);
	assert_true(X509_sign(id.cert, issuer != NULL ? issuer->key : id.key, EVP_sha256()) > 0);
	return id;
}

static void identity_release(struct identity *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
}

static void write_cert(const char *path, X509 *cert)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, cert), 1);
	assert_int_equal(fclose(file), 0);
}

static void write_key(const char *path, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
}

static void show_open(void *context, struct http_admin_call *call)
{
	buf_printf(call->body, "%s %s query=%.*s", (const char *)context, call->has_client_cert ? "known" : "unknown",
		STR_ARG(call->query));
}

static void show_large(void *context, struct http_admin_call *call)
{
	(void)context;
	for (int i = 0; i < 100000; i++)
		buf_put_c(call->body, "0123456789");
	call->content_type = "text/x-large";
	call->status = 503;
}

static void show_too_large(void *context, struct http_admin_call *call)
{
	(void)context;
	for (int i = 0; i < 5; i++)
		(void)buf_reserve(call->body, (size_t)i * 1024 * 1024 + 1);
}

static const struct http_admin_page pages[] = {
	{"/livez", false, show_open},
	{"/metrics", true, show_open},
	{"/large", false, show_large},
	{"/too-large", false, show_too_large},
	{NULL, false, NULL},
};

static struct http_admin_config config = {.listen = "127.0.0.1:0",
	.cert_file = cert_file,
	.key_file = key_file,
	.client_ca_file = ca_file,
	.pages = pages,
	.context = (void *)(uintptr_t) "ctx"};

static int connect_raw(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_admin_port(admin))};
	struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/*
 * One request over TLS; what comes back goes to `reply`, empty when the connection was refused. The server must show
 * the certificate `expected` (NULL: any). `version` 0 leaves the choice open.
 */
static void ask(const struct identity *as, int version, const char *request, X509 *expected, struct buf *reply)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int fd = connect_raw();
	SSL *ssl;

	buf_reset(reply);
	assert_non_null(context);
	SSL_CTX_set_security_level(context, 0);
	if (version != 0)
		assert_int_equal(SSL_CTX_set_min_proto_version(context, version) &
					 SSL_CTX_set_max_proto_version(context, version),
			1);
	if (as != NULL)
		assert_int_equal(
			SSL_CTX_use_certificate(context, as->cert) & SSL_CTX_use_PrivateKey(context, as->key), 1);
	assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.cert), 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	ssl = SSL_new(context);
	assert_non_null(ssl);
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	if (SSL_connect(ssl) == 1) {
		size_t count;

		if (expected != NULL)
			assert_int_equal(X509_cmp(SSL_get0_peer_certificate(ssl), expected), 0);
		(void)SSL_write_ex(ssl, request, strlen(request), &count);
		while (SSL_read_ex(ssl, buf_reserve(reply, 4096), 4096, &count) == 1)
			buf_commit(reply, count);
	}
	ERR_clear_error();
	SSL_free(ssl);
	SSL_CTX_free(context);
	(void)close(fd);
	buf_put_byte(reply, '\0');
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static const struct {
	const char *name;
	const char *request;
	const struct identity *as;
	int version;
	const char *status_line; /* NULL: no answer at all */
	const char *body_end;
} cases[] = {
	{"an open page without a certificate", GET("/livez?verbose"), NULL, 0, "HTTP/1.1 200 OK\r\n",
		"\r\n\r\nctx unknown query=verbose"},
	{"an open page with a certificate", GET("/livez"), &client, 0, "HTTP/1.1 200 OK\r\n",
		"\r\n\r\nctx known query="},
	{"TLS 1.2 serves", GET("/livez"), &client, TLS1_2_VERSION, "HTTP/1.1 200 OK\r\n", "\r\n\r\nctx known query="},
	{"TLS 1.3 serves", GET("/livez"), &client, TLS1_3_VERSION, "HTTP/1.1 200 OK\r\n", "\r\n\r\nctx known query="},
	{"TLS 1.1 is refused", GET("/livez"), NULL, TLS1_1_VERSION, NULL, NULL},
	{"TLS 1.0 is refused", GET("/livez"), NULL, TLS1_VERSION, NULL, NULL},
	{"a closed page without a certificate", GET("/metrics"), NULL, 0, "HTTP/1.1 403 Forbidden\r\n",
		"\"code\":\"forbidden\"}"},
	{"a closed page with a certificate", GET("/metrics"), &client, 0, "HTTP/1.1 200 OK\r\n", "ctx known query="},
	{"a certificate of another CA is refused", GET("/livez"), &foreign_client, TLS1_2_VERSION, NULL, NULL},
	{"also in TLS 1.3", GET("/livez"), &foreign_client, TLS1_3_VERSION, NULL, NULL},
	{"a server's certificate is no client's", GET("/livez"), &server, 0, NULL, NULL},
	{"an unknown page", GET("/"), &client, 0, "HTTP/1.1 404 Not Found\r\n", "\"code\":\"not_found\"}"},
	{"a page's name with more behind", GET("/livez/"), &client, 0, "HTTP/1.1 404 Not Found\r\n", NULL},
	{"another method", "POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", NULL, 0,
		"HTTP/1.1 405 Method Not Allowed\r\n", "\"code\":\"method_not_allowed\"}"},
	{"content", "POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", NULL, 0,
		"HTTP/1.1 413 Content Too Large\r\n", NULL},
	{"a malformed request", "GET /livez HTTP/1.1\nHost: a\n\n", NULL, 0, "HTTP/1.1 400 Bad Request\r\n",
		"\"code\":\"bad_request\"}"},
	{"HEAD has no content", "HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n", NULL, 0, "HTTP/1.1 200 OK\r\n", "\r\n\r\n"},
	{"a second request is not read", GET("/livez") GET("/livez"), NULL, 0, "HTTP/1.1 200 OK\r\n",
		"\r\n\r\nctx unknown query="},
	{"a page past its cap", GET("/too-large"), NULL, 0, "HTTP/1.1 500 Internal Server Error\r\n",
		"\"code\":\"internal\"}"},
};

static void pages_are_served_over_tls_to_those_who_may(void **state)
{
	struct buf reply;

	(void)state;
	buf_init(&reply, 4 << 20);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t end_len = cases[i].body_end != NULL ? strlen(cases[i].body_end) : 0;

		ask(cases[i].as, cases[i].version, cases[i].request, server.cert, &reply);
		if (cases[i].status_line == NULL) {
			CHECK(cases[i].name, reply.len == 1);
			continue;
		}
		CHECK(cases[i].name, str_starts(buf_str(&reply), cases[i].status_line));
		CHECK(cases[i].name, strstr(reply.p, "\r\nConnection: close\r\n") != NULL);
		CHECK(cases[i].name,
			cases[i].body_end == NULL || (reply.len > end_len && strcmp(reply.p + reply.len - 1 - end_len,
										     cases[i].body_end) == 0));
	}
	buf_release(&reply);
}

static void a_large_page_arrives_whole(void **state)
{
	struct buf reply;

	(void)state;
	buf_init(&reply, 4 << 20);
	ask(NULL, 0, GET("/large"), NULL, &reply);
	assert_true(str_starts(buf_str(&reply), "HTTP/1.1 503 "));
	assert_non_null(strstr(reply.p, "\r\nContent-Type: text/x-large\r\n"));
	assert_non_null(strstr(reply.p, "\r\nContent-Length: 1000000\r\n"));
	assert_int_equal(strlen(strstr(reply.p, "\r\n\r\n") + 4), 1000000);
	buf_release(&reply);
}

static void a_new_certificate_is_taken_and_a_broken_one_is_not(void **state)
{
	struct identity renewed = identity_new("localhost", &ca, "serverAuth");
	struct buf reply;

	(void)state;
	buf_init(&reply, 1 << 20);
	write_key(key_file, renewed.key);
	ask(NULL, 0, GET("/livez"), server.cert, &reply); /* certificate and key differ: the old pair stays */
	assert_true(reply.len > 1);
	write_cert(cert_file, renewed.cert);
	ask(NULL, 0, GET("/livez"), renewed.cert, &reply);
	assert_true(reply.len > 1);
	assert_int_equal(unlink(cert_file), 0);
	ask(NULL, 0, GET("/livez"), renewed.cert, &reply);
	assert_true(reply.len > 1);
	write_key(key_file, server.key);
	write_cert(cert_file, server.cert);
	ask(NULL, 0, GET("/livez"), server.cert, &reply);
	assert_true(reply.len > 1);
	identity_release(&renewed);
	buf_release(&reply);
}

/* Every place is taken by somebody who says nothing; at the deadline they go and the one who waits is served. */
static void the_silent_are_closed_at_their_deadline(void **state)
{
	uint64_t start_us = clock_monotonic_us();
	int fds[HTTP_ADMIN_CONNECTIONS];
	struct buf reply;
	char byte;

	(void)state;
	buf_init(&reply, 1 << 20);
	for (size_t i = 0; i < HTTP_ADMIN_CONNECTIONS; i++)
		fds[i] = connect_raw();
	ask(NULL, 0, GET("/livez"), NULL, &reply);
	assert_true(str_starts(buf_str(&reply), "HTTP/1.1 200 OK\r\n"));
	assert_in_range(clock_monotonic_us() - start_us, HTTP_ADMIN_DEADLINE_MS * 1000 - 100000, 9000000);
	for (size_t i = 0; i < HTTP_ADMIN_CONNECTIONS; i++) {
		assert_int_equal(recv(fds[i], &byte, 1, 0), 0);
		(void)close(fds[i]);
	}
	buf_release(&reply);
}

static void what_does_not_serve_is_said_at_the_start(void **state)
{
	struct http_admin *other = NULL;
	struct http_admin_config bad = config;
	char taken[32];

	(void)state;
	(void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", http_admin_port(admin));
	bad.listen = taken;
	assert_int_equal(http_admin_new(&bad, &other), ERR_UNAVAILABLE);
	bad.listen = "127.0.0.1";
	assert_int_equal(http_admin_new(&bad, &other), ERR_BAD_FIELD);
	bad.listen = "127.0.0.1:99999";
	assert_int_equal(http_admin_new(&bad, &other), ERR_BAD_FIELD);
	bad = config;
	bad.key_file = ca_file;
	assert_int_equal(http_admin_new(&bad, &other), ERR_BAD_FIELD);
	bad = config;
	bad.cert_file = "/nonexistent";
	assert_int_equal(http_admin_new(&bad, &other), ERR_BAD_FIELD);
	bad = config;
	bad.client_ca_file = key_file;
	assert_int_equal(http_admin_new(&bad, &other), ERR_BAD_FIELD);
	assert_null(other);
	http_admin_stop(other); /* the way of a start that failed */
	bad = config;
	bad.listen = "[::1]:0";
	if (http_admin_new(&bad, &other) == OK)
		http_admin_stop(other); /* was never started */
	http_admin_free(&other);
	http_admin_free(&other);
}

static void a_stop_ends_open_connections(void **state)
{
	int fd = connect_raw();
	char byte;

	(void)state;
	(void)usleep(50000);
	http_admin_stop(admin);
	http_admin_stop(admin);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	(void)close(fd);
	assert_int_equal(http_admin_start(admin), OK);
}

static int group_setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(cert_file, sizeof(cert_file), "%s/cert.pem", dir);
	(void)snprintf(key_file, sizeof(key_file), "%s/key.pem", dir);
	(void)snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", dir);
	ca = identity_new("test CA", NULL, NULL);
	server = identity_new("localhost", &ca, "serverAuth");
	client = identity_new("prometheus", &ca, "clientAuth");
	foreign_ca = identity_new("foreign CA", NULL, NULL);
	foreign_client = identity_new("prometheus", &foreign_ca, "clientAuth");
	write_cert(cert_file, server.cert);
	write_key(key_file, server.key);
	write_cert(ca_file, ca.cert);
	return http_admin_new(&config, &admin) == OK && http_admin_start(admin) == OK ? 0 : -1;
}

static int group_teardown(void **state)
{
	struct identity *all[] = {&ca, &server, &client, &foreign_ca, &foreign_client};

	(void)state;
	http_admin_free(&admin);
	for (size_t i = 0; i < COUNT_OF(all); i++)
		identity_release(all[i]);
	(void)unlink(cert_file);
	(void)unlink(key_file);
	(void)unlink(ca_file);
	(void)rmdir(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_served_over_tls_to_those_who_may),
		cmocka_unit_test(a_large_page_arrives_whole),
		cmocka_unit_test(a_new_certificate_is_taken_and_a_broken_one_is_not),
		cmocka_unit_test(the_silent_are_closed_at_their_deadline),
		cmocka_unit_test(what_does_not_serve_is_said_at_the_start),
		cmocka_unit_test(a_stop_ends_open_connections),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
