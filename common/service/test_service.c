/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/log.h"
#include "contract/codec.h"
#include "contract/envelope.h"
#include "link/link.h"
#include "link/test_pki.h"
#include "service/test_echo.h"
#include "token/token.h"

#define URL "https://berth.example"
#define ENTRIES_MAX 40

/* The test is the gateway, gdprsvc, authsvc (keys) and auditsvc of one echo process. */
static struct {
	char pki[TEST_PKI_PATH_MAX];
	int admin, gateway_fast, gateway_slow, gdpr_slow, auth_fast, audit_fast;
	struct signing_key *key;
	struct link_listener *auth, *audit;
	pthread_t auth_thread;
	atomic_bool stop;
	struct link_dialer *fast, *slow, *gdpr;
	struct arena *arena;
	pid_t pid;
	int log_fd;
} t;

static const struct token_rules rules = {
	.issuer = {URL, sizeof(URL) - 1}, .audience = {URL, sizeof(URL) - 1}, .env = {"test", 4}};

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* ---- the process and its surroundings ---- */

struct environment {
	char *entries[ENTRIES_MAX + 1];
	size_t count;
};

static void put(struct environment *environment, const char *key, const char *fmt, ...)
{
	char value[512], *entry = NULL;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(value, sizeof value, fmt, args);
	va_end(args);
	INVARIANT(environment->count < ENTRIES_MAX && asprintf(&entry, "%s=%s", key, value) > 0);
	environment->entries[environment->count++] = entry;
}

static void environment_fill(struct environment *environment)
{
	put(environment, "BERTH_ENV", "test");
	put(environment, "BERTH_REGION", "eu-west-1");
	put(environment, "BERTH_PUBLIC_URL", URL);
	put(environment, "BERTH_ADMIN_LISTEN", "127.0.0.1:%d", t.admin);
	put(environment, "BERTH_ADMIN_CERT_FILE", "%s/admin.pem", t.pki);
	put(environment, "BERTH_ADMIN_KEY_FILE", "%s/admin.key", t.pki);
	put(environment, "BERTH_ADMIN_CA_FILE", "%s/ops-ca.pem", t.pki);
	put(environment, "BERTH_LINK_CERT_FILE", "%s/bookingsvc.pem", t.pki);
	put(environment, "BERTH_LINK_KEY_FILE", "%s/bookingsvc.key", t.pki);
	put(environment, "BERTH_LINK_CA_DIR", "%s/ca", t.pki);
	put(environment, "BERTH_LISTEN_GATEWAY_FAST", "tls+tcp://127.0.0.1:%d", t.gateway_fast);
	put(environment, "BERTH_LISTEN_GATEWAY_SLOW", "tls+tcp://127.0.0.1:%d", t.gateway_slow);
	put(environment, "BERTH_LISTEN_GDPRSVC_SLOW", "tls+tcp://127.0.0.1:%d", t.gdpr_slow);
	put(environment, "BERTH_DIAL_AUTHSVC_FAST", "tls+tcp://127.0.0.1:%d", t.auth_fast);
	put(environment, "BERTH_DIAL_AUDITSVC_FAST", "tls+tcp://127.0.0.1:%d", t.audit_fast);
}

static void environment_free(struct environment *environment)
{
	for (size_t i = 0; i < environment->count; i++)
		free(environment->entries[i]);
}

/* Changes, takes away (value NULL) or adds one key. */
static void environment_set(struct environment *environment, const char *key, const char *value)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < environment->count; i++) {
		if (strncmp(environment->entries[i], key, len) != 0 || environment->entries[i][len] != '=')
			continue;
		free(environment->entries[i]);
		environment->entries[i] = environment->entries[--environment->count];
		environment->entries[environment->count] = NULL;
		break;
	}
	if (value)
		put(environment, key, "%s", value);
}

/* This very program as the echo process; its standard error goes to *log_out. */
static pid_t spawn(struct environment *environment, const char *option, int *log_out)
{
	char name[] = "echo", *argv[] = {name, (char *)(uintptr_t)option, NULL};
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)execve("/proc/self/exe", argv, environment->entries);
		_exit(99);
	}
	close(fds[1]);
	*log_out = fds[0];
	return pid;
}

/* All it wrote until it ended, and its exit code. */
static int finish(pid_t pid, int log_fd, char *text_out, size_t cap)
{
	size_t len = 0;
	ssize_t got;
	int status;

	while ((got = read(log_fd, text_out + len, cap - 1 - len)) > 0)
		len += (size_t)got;
	text_out[len] = '\0';
	close(log_fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- authsvc: answers keys_read ---- */

static void answer_keys(struct link_worker *worker, struct str message)
{
	struct request_item *items = NULL;
	struct keys_reply keys = {.has_jwks = true};
	struct keyset *set = keyset_new();
	struct arena *arena = arena_new(1U << 20);
	struct buf doc, body, reply;
	struct json_writer w;
	size_t count = 0;

	buf_init(&doc, KEYSET_DOC_MAX);
	buf_init(&body, BATCH_BYTES_MAX);
	buf_init(&reply, BATCH_BYTES_MAX);
	w = json_writer_over(&doc);
	INVARIANT(request_batch_decode(arena, message, &items, &count) == OK && count == 1);
	INVARIANT(items[0].operation == operation_table[OPID_keys_read].number);
	INVARIANT(keyset_add(set, signing_key_public(t.key)) == OK);
	keyset_write(set, &w);
	keys.jwks = buf_str(&doc);
	binary_encode(shape_keys_reply(), &keys, &body);
	reply_batch_begin(&reply, 1);
	reply_batch_add(&reply, &(struct reply_item){.body = buf_str(&body)});
	link_worker_reply(worker, buf_str(&reply));
	buf_release(&doc);
	buf_release(&body);
	buf_release(&reply);
	keyset_free(&set);
	arena_free(&arena);
}

static void *serve_keys(void *arg)
{
	struct link_worker *worker = NULL;
	struct str message;

	(void)arg;
	INVARIANT(link_worker_new(t.auth, &worker) == OK);
	while (!atomic_load(&t.stop))
		if (link_worker_receive(worker, 100, &message) == OK)
			answer_keys(worker, message);
	link_worker_free(&worker);
	return NULL;
}

static struct link_identity *identity_of(enum peer peer)
{
	struct link_identity *identity = NULL;
	char cert[400], key[400], ca[400];

	(void)snprintf(cert, sizeof cert, "%s/%s.pem", t.pki, peer_name(peer));
	(void)snprintf(key, sizeof key, "%s/%s.key", t.pki, peer_name(peer));
	(void)snprintf(ca, sizeof ca, "%s/ca", t.pki);
	assert_int_equal(link_identity_new(peer, cert, key, ca, &identity), OK);
	return identity;
}

static struct link_listener *listen_as(enum peer callee, int port)
{
	struct link_identity *identity = identity_of(callee);
	struct link_listener *listener = NULL;
	struct link_listener_config config = {.identity = identity, .caller = PEER_bookingsvc, .lane = LANE_FAST};
	char url[64];

	(void)snprintf(url, sizeof url, "tls+tcp://127.0.0.1:%d", port);
	config.url = url;
	assert_int_equal(link_listener_new(&config, &listener), OK);
	link_identity_free(&identity);
	return listener;
}

static struct link_dialer *dial_as(enum peer caller, int port, enum lane lane)
{
	struct link_identity *identity = identity_of(caller);
	struct link_dialer *dialer = NULL;
	struct link_dialer_config config = {.identity = identity, .callee = PEER_bookingsvc, .lane = lane};
	char url[64];

	(void)snprintf(url, sizeof url, "tls+tcp://127.0.0.1:%d", port);
	config.urls = url;
	assert_int_equal(link_dialer_new(&config, &dialer), OK);
	link_identity_free(&identity);
	return dialer;
}

/* ---- the admin port ---- */

static int admin_get(const char *path, bool with_certificate, char *body_out, size_t cap)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char address[64], file[400], request[200];
	size_t len = 0;
	BIO *bio;
	int got, status = 0;

	(void)snprintf(file, sizeof file, "%s/admin-ca.pem", t.pki);
	assert_int_equal(SSL_CTX_load_verify_file(ctx, file), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (with_certificate) {
		(void)snprintf(file, sizeof file, "%s/ops.pem", t.pki);
		assert_int_equal(SSL_CTX_use_certificate_file(ctx, file, SSL_FILETYPE_PEM), 1);
		(void)snprintf(file, sizeof file, "%s/ops.key", t.pki);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, file, SSL_FILETYPE_PEM), 1);
	}
	bio = BIO_new_ssl_connect(ctx);
	(void)snprintf(address, sizeof address, "127.0.0.1:%d", t.admin);
	BIO_set_conn_hostname(bio, address);
	(void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	if (BIO_puts(bio, request) > 0) {
		while (len < cap - 1 && (got = BIO_read(bio, body_out + len, (int)(cap - 1 - len))) > 0)
			len += (size_t)got;
	}
	body_out[len] = '\0';
	if (len > 12)
		status = (int)strtol(body_out + 9, NULL, 10);
	BIO_free_all(bio);
	SSL_CTX_free(ctx);
	return status;
}

static bool wait_ready(void)
{
	char body[4096];

	for (int i = 0; i < 300; i++) {
		if (admin_get("/readyz", false, body, sizeof body) == 200)
			return true;
		usleep(50000);
	}
	return false;
}

/* ---- calls ---- */

static struct str weak_token(enum permission permission, enum acr acr, enum demand demand)
{
	struct token token = {.person_id = uuid_new(),
		.tenant_id = uuid_new(),
		.session_id = uuid_new(),
		.token_id = uuid_new(),
		.acr = acr,
		.demand = demand,
		.email_verified = true,
		.client_id = "web"};
	struct buf compact;
	struct str copy;

	token.issued_at = clock_now_us();
	token.expires_at = token.issued_at + 600 * US_PER_S;
	token_grant(&token, permission);
	buf_init(&compact, TOKEN_LEN_MAX);
	assert_int_equal(token_sign(&rules, t.key, &token, &compact), OK);
	copy = arena_copy(t.arena, buf_str(&compact));
	buf_release(&compact);
	return copy;
}

static struct str token_for(enum permission permission, bool verified, int64_t life_s)
{
	struct token token = {.person_id = uuid_new(),
		.tenant_id = uuid_new(),
		.session_id = uuid_new(),
		.token_id = uuid_new(),
		.acr = ACR_2FA,
		.email_verified = verified,
		.client_id = "web",
		.scope = "berth"};
	struct buf compact;
	struct str copy;

	token.issued_at = clock_now_us() - 60 * US_PER_S;
	token.expires_at = token.issued_at + (60 + life_s) * US_PER_S;
	if (permission < PERMISSION_BITS_MAX)
		token_grant(&token, permission);
	buf_init(&compact, TOKEN_LEN_MAX);
	assert_int_equal(token_sign(&rules, t.key, &token, &compact), OK);
	copy = arena_copy(t.arena, buf_str(&compact));
	buf_release(&compact);
	return copy;
}

static struct str empty_body(void)
{
	struct buf body;
	struct str copy;
	char nothing[8] = {0};

	buf_init(&body, 1024);
	binary_encode(shape_empty(), nothing, &body);
	copy = arena_copy(t.arena, buf_str(&body));
	buf_release(&body);
	return copy;
}

static struct str vehicle_body(uint8_t last)
{
	struct vehicle_ref ref = {.id = uuid_new(), .has_id = true};
	struct buf body;
	struct str copy;

	ref.id.b[15] = last;
	buf_init(&body, 1024);
	binary_encode(shape_vehicle_ref(), &ref, &body);
	copy = arena_copy(t.arena, buf_str(&body));
	buf_release(&body);
	return copy;
}

static struct request_item item_of(enum operation_id operation, struct str token, struct str body)
{
	return (struct request_item){.operation = operation_table[operation].number,
		.request_id = uuid_new(),
		.deadline_ms = 5000,
		.token = token,
		.body = body};
}

/* One batch; the replies lie in t.arena. */
static enum err ask(struct link_dialer *dialer, const struct request_item *items, size_t count, struct reply_item **out)
{
	struct buf message, reply;
	size_t answered = 0;
	enum err err;

	buf_init(&message, BATCH_BYTES_MAX);
	buf_init(&reply, LINK_BYTES_MAX);
	request_batch_begin(&message);
	for (size_t i = 0; i < count; i++)
		request_batch_add(&message, &items[i]);
	assert_true(buf_ok(&message));
	err = link_call_wait(dialer, buf_str(&message), clock_monotonic_us() + 5000000, &reply);
	if (err == OK) {
		struct str copy = arena_copy(t.arena, buf_str(&reply));

		assert_int_equal(reply_batch_decode(t.arena, copy, out, &answered), OK);
		assert_int_equal(answered, count);
	}
	buf_release(&message);
	buf_release(&reply);
	return err;
}

static struct reply_item ask_one(struct link_dialer *dialer, struct request_item item)
{
	struct reply_item *replies = NULL;

	assert_int_equal(ask(dialer, &item, 1, &replies), OK);
	INVARIANT(replies != NULL);
	return replies[0];
}

/* ---- tests ---- */

static void test_a_faulty_configuration_is_named(void **state)
{
	static const struct {
		const char *name;
		const char *key;
		const char *value;
		const char *said;
	} cases[] = {
		{"a key is missing", "BERTH_PUBLIC_URL", NULL, "BERTH_PUBLIC_URL is required"},
		{"the environment is unknown", "BERTH_ENV", "prod", "BERTH_ENV is none of"},
		{"the region is in America", "BERTH_REGION", "us-east-1", "BERTH_REGION is outside"},
		{"the region is London", "BERTH_REGION", "eu-west-2", "BERTH_REGION is outside"},
		{"the region is made up", "BERTH_REGION", "eu-mordor", "BERTH_REGION is outside"},
		{"the URL is plain", "BERTH_PUBLIC_URL", "http://berth.example", "BERTH_PUBLIC_URL is not"},
		{"a file is not there", "BERTH_ADMIN_CERT_FILE", "/nowhere.pem", "BERTH_ADMIN_CERT_FILE names"},
		{"an arrow is missing", "BERTH_DIAL_AUTHSVC_FAST", NULL, "BERTH_DIAL_AUTHSVC_FAST is required"},
		{"an arrow is not declared", "BERTH_LISTEN_AUDITSVC_FAST", "tls+tcp://127.0.0.1:9",
			"BERTH_LISTEN_AUDITSVC_FAST names an arrow"},
		{"an arrow is misspelt", "BERTH_DIAL_AUTHSVC_QUICK", "tls+tcp://127.0.0.1:9",
			"BERTH_DIAL_AUTHSVC_QUICK names an arrow"},
		{"the log level is unknown", "BERTH_LOG_LEVEL", "loud", "BERTH_LOG_LEVEL is none of"},
	};
	char text[8192];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct environment environment = {.count = 0};
		int log_fd;
		pid_t pid;

		environment_fill(&environment);
		environment_set(&environment, cases[i].key, cases[i].value);
		pid = spawn(&environment, NULL, &log_fd);
		CHECK(cases[i].name, finish(pid, log_fd, text, sizeof text) == 2);
		CHECK(cases[i].name, strstr(text, cases[i].said) != NULL);
		environment_free(&environment);
	}
}

static void test_options_answer_without_configuration(void **state)
{
	static const struct {
		const char *option;
		int code;
		const char *said;
	} cases[] = {
		{"--help", 0, "BERTH_LISTEN_GATEWAY_FAST"},
		{"--version", 0, "bookingsvc "},
		{"--crash-points", 0, "echo.whoami"},
		{"--migrate", 2, "no option --migrate"},
		{"--nonsense", 2, "no option --nonsense"},
	};
	char text[16384];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct environment environment = {.count = 0};
		int log_fd;
		pid_t pid = spawn(&environment, cases[i].option, &log_fd);

		CHECK(cases[i].option, finish(pid, log_fd, text, sizeof text) == cases[i].code);
		CHECK(cases[i].option, strstr(text, cases[i].said) != NULL);
	}
}

static void test_the_admin_port_tells_who_may_know(void **state)
{
	static char body[1 << 20];

	(void)state;
	assert_int_equal(admin_get("/livez", false, body, sizeof body), 200);
	assert_int_equal(admin_get("/readyz?verbose", false, body, sizeof body), 403);
	assert_int_equal(admin_get("/metrics", false, body, sizeof body), 403);
	assert_int_equal(admin_get("/readyz?verbose", true, body, sizeof body), 200);
	assert_non_null(strstr(body, "\"authsvc_FAST\":\"up\""));
	assert_non_null(strstr(body, "\"keys\":\"up\""));
	assert_int_equal(admin_get("/metrics", true, body, sizeof body), 200);
	assert_non_null(strstr(body, "berth_ready 1"));
	assert_non_null(strstr(body, "berth_link_up{callee=\"authsvc\",lane=\"FAST\",replica=\"0\"} 1"));
	assert_non_null(strstr(body, "berth_link_callers{caller=\"gateway\",lane=\"FAST\"} 1"));
	assert_non_null(strstr(body, "process_resident_memory_bytes"));
}

static void test_each_check_is_made_before_a_handler_runs(void **state)
{
	struct str good = token_for(PERM_VEHICLE_MANAGE, true, 600), other = token_for(PERM_SITE_READ, true, 600);
	struct str unverified = token_for(PERM_VEHICLE_MANAGE, false, 600),
		   old = token_for(PERM_VEHICLE_MANAGE, true, -5);
	struct request_item late = item_of(OPID_whoami_read, good, empty_body());
	const struct {
		const char *name;
		struct link_dialer *dialer;
		struct request_item item;
		enum err wanted;
		const char *reason;
	} cases[] = {
		{"a good token", t.fast, item_of(OPID_whoami_read, good, empty_body()), OK, NULL},
		{"the right permission", t.fast, item_of(OPID_vehicle_delete, good, vehicle_body(1)), OK, NULL},
		{"no token", t.fast, item_of(OPID_whoami_read, STR_NONE, empty_body()), ERR_UNAUTHENTICATED, NULL},
		{"an empty token", t.fast, item_of(OPID_whoami_read, STR(""), empty_body()), ERR_UNAUTHENTICATED, NULL},
		{"nonsense for a token", t.fast, item_of(OPID_whoami_read, STR("x.y.z"), empty_body()),
			ERR_UNAUTHENTICATED, NULL},
		{"an expired token", t.fast, item_of(OPID_whoami_read, old, empty_body()), ERR_TOKEN_EXPIRED, NULL},
		{"a permission is missing", t.fast, item_of(OPID_vehicle_delete, other, vehicle_body(1)), ERR_FORBIDDEN,
			"vehicle.manage"},
		{"the address is not verified", t.fast, item_of(OPID_vehicle_delete, unverified, vehicle_body(1)),
			ERR_EMAIL_UNVERIFIED, NULL},
		{"a version is due", t.fast,
			item_of(OPID_booking_cancel, token_for(PERM_BOOKING_CHANGE, true, 600), vehicle_body(1)),
			ERR_VERSION_REQUIRED, NULL},
		{"a body of another shape", t.fast, item_of(OPID_vehicle_delete, good, STR("\1\2\3")), ERR_BAD_FIELD,
			NULL},
		{"the wrong lane", t.slow, item_of(OPID_whoami_read, good, empty_body()), ERR_FORBIDDEN, NULL},
		{"another process's operation", t.fast, item_of(OPID_event_list, good, empty_body()), ERR_FORBIDDEN,
			NULL},
		{"an operation of another caller", t.slow, item_of(OPID_booking_export, good, empty_body()),
			ERR_FORBIDDEN, NULL},
		{"an operation without a handler here", t.fast, item_of(OPID_vehicle_read, good, vehicle_body(1)),
			ERR_NOT_IMPLEMENTED, NULL},
		{"the handler's own refusal", t.fast, item_of(OPID_vehicle_delete, good, vehicle_body(0xff)),
			ERR_NOT_FOUND, "gone"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct reply_item reply = ask_one(cases[i].dialer, cases[i].item);

		CHECK(cases[i].name, reply.err == cases[i].wanted);
		CHECK(cases[i].name, !cases[i].reason || str_eq_c(reply.reason, cases[i].reason));
	}
	late.deadline_ms = 0;
	assert_int_equal(ask_one(t.fast, late).err, ERR_DEADLINE);
}

/* As the edge judges too: whoever has taken the gateway cannot go past it. */
static void test_a_second_factor_is_asked_for_as_the_tenant_demands(void **state)
{
	static const struct {
		const char *name;
		enum operation_id operation;
		enum permission permission;
		enum acr acr;
		enum demand demand;
		enum err wanted;
	} cases[] = {
		{"staff, by a password", OPID_site_create, PERM_SITE_MANAGE, ACR_1FA, DEMAND_STAFF, ERR_SECOND_FACTOR},
		{"staff, by two", OPID_site_create, PERM_SITE_MANAGE, ACR_2FA, DEMAND_STAFF, ERR_BAD_FIELD},
		{"staff, by a passkey", OPID_site_create, PERM_SITE_MANAGE, ACR_PHR, DEMAND_STAFF, ERR_BAD_FIELD},
		{"staff, where nobody asks", OPID_site_create, PERM_SITE_MANAGE, ACR_1FA, DEMAND_OPTIONAL,
			ERR_BAD_FIELD},
		{"staff, where all are asked", OPID_site_create, PERM_SITE_MANAGE, ACR_1FA, DEMAND_ALL,
			ERR_SECOND_FACTOR},
		{"one's own, by a password", OPID_vehicle_delete, PERM_VEHICLE_MANAGE, ACR_1FA, DEMAND_STAFF, OK},
		{"one's own, where all are asked", OPID_vehicle_delete, PERM_VEHICLE_MANAGE, ACR_1FA, DEMAND_ALL,
			ERR_SECOND_FACTOR},
		{"who one is", OPID_whoami_read, PERM_VEHICLE_MANAGE, ACR_1FA, DEMAND_ALL, OK},
		{"a right that is missing, first", OPID_site_create, PERM_SITE_READ, ACR_1FA, DEMAND_STAFF,
			ERR_FORBIDDEN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str token = weak_token(cases[i].permission, cases[i].acr, cases[i].demand);
		struct str body = cases[i].operation == OPID_vehicle_delete ? vehicle_body(1)
		                  : cases[i].operation == OPID_whoami_read  ? empty_body()
		                                                            : STR("\1\2\3");
		struct reply_item reply = ask_one(t.fast, item_of(cases[i].operation, token, body));

		CHECK(cases[i].name, reply.err == cases[i].wanted);
	}
}

static void test_a_batch_is_answered_in_order_and_by_the_set_based_form(void **state)
{
	struct str token = token_for(PERM_VEHICLE_MANAGE, true, 600);
	struct request_item items[] = {
		item_of(OPID_vehicle_delete, token, vehicle_body(1)),
		item_of(OPID_whoami_read, token, empty_body()),
		item_of(OPID_vehicle_delete, token, vehicle_body(2)),
		item_of(OPID_vehicle_delete, STR("x"), vehicle_body(3)),
		item_of(OPID_vehicle_delete, token, vehicle_body(4)),
	};
	struct reply_item *replies = NULL;

	(void)state;
	assert_int_equal(ask(t.fast, items, COUNT_OF(items), &replies), OK);
	assert_int_equal(replies[0].version, 2);
	assert_int_equal(replies[1].err, OK);
	assert_true(replies[1].body.len > 30);
	assert_int_equal(replies[2].version, 2);
	assert_int_equal(replies[3].err, ERR_UNAUTHENTICATED);
	assert_int_equal(replies[4].version, 2);

	/* One spoils the batch: each is done alone, and only that one fails. */
	items[2].body = vehicle_body(0xff);
	assert_int_equal(ask(t.fast, items, COUNT_OF(items), &replies), OK);
	assert_int_equal(replies[0].version, 1);
	assert_int_equal(replies[0].err, OK);
	assert_int_equal(replies[2].err, ERR_NOT_FOUND);
	assert_int_equal(replies[4].err, OK);
	assert_int_equal(replies[4].version, 1);
}

static void test_a_malformed_message_is_dropped_and_counted(void **state)
{
	static char body[1 << 20];
	struct buf reply;

	(void)state;
	buf_init(&reply, LINK_BYTES_MAX);
	assert_int_equal(link_call_wait(t.fast, STR("nonsense"), clock_monotonic_us() + 300000, &reply), ERR_DEADLINE);
	assert_int_equal(link_call_wait(t.fast, STR(""), clock_monotonic_us() + 300000, &reply), ERR_DEADLINE);
	buf_release(&reply);
	assert_int_equal(admin_get("/metrics", true, body, sizeof body), 200);
	assert_non_null(strstr(body, "berth_link_malformed_total 2"));
	assert_int_equal(
		ask_one(t.fast, item_of(OPID_whoami_read, token_for(PERM_SITE_READ, true, 60), empty_body())).err, OK);
}

static void test_the_sandbox_holds_in_every_thread(void **state)
{
	struct subject_request request = {
		.tenant_id = uuid_new(), .has_tenant_id = true, .person_id = uuid_new(), .has_person_id = true};
	static const char *const wanted[] = {"\"execve\":\"EPERM\"", "\"packet\":\"EPERM\"", "\"netlink\":\"EPERM\"",
		"\"inet\":\"allowed\"", "\"read_shadow\":\"EACCES\"", "\"read_foreign\":\"EACCES\"",
		"\"write_tmp\":\"EACCES\"", "\"read_zone\":\"allowed\"", "\"connect_undeclared\":\"EACCES\"",
		"\"bind_undeclared\":\"EACCES\"", "\"kill_parent\":\"EPERM\""};
	struct subject_export report = {0};
	struct reply_item reply;
	struct fault fault;
	struct buf body;

	(void)state;
	buf_init(&body, 4096);
	binary_encode(shape_subject_request(), &request, &body);
	reply = ask_one(t.gdpr, item_of(OPID_booking_export, STR_NONE, buf_str(&body)));
	assert_int_equal(reply.err, OK);
	assert_int_equal(binary_decode(shape_subject_export(), reply.body, t.arena, &report, &fault), OK);
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		CHECK(report.data.p, memmem(report.data.p, report.data.len, wanted[i], strlen(wanted[i])) != NULL);
	if (!ECHO_FORKS) {
		assert_non_null(memmem(report.data.p, report.data.len, "\"fork\":\"EPERM\"", 14));
		assert_non_null(memmem(report.data.p, report.data.len, "\"ptrace\":\"EPERM\"", 16));
	}
	buf_release(&body);
}

struct slow_call {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;
	enum err err;
};

static void on_slow(void *ctx, enum err err, struct str reply)
{
	struct slow_call *call = ctx;

	(void)reply;
	pthread_mutex_lock(&call->lock);
	call->err = err;
	call->over = true;
	pthread_cond_signal(&call->ended);
	pthread_mutex_unlock(&call->lock);
}

/* A message sent without waiting, and how it ended. */
struct post {
	struct slow_call call;
	int64_t version; /* of the one item's answer */
};

static void on_post(void *ctx, enum err err, struct str reply)
{
	struct arena *arena = arena_new(1U << 20);
	struct post *post = ctx;
	struct reply_item *items = NULL;
	size_t count = 0;

	if (err == OK && reply_batch_decode(arena, reply, &items, &count) == OK && count == 1)
		post->version = items[0].version;
	arena_free(&arena);
	on_slow(&post->call, err, reply);
}

static void send_post(struct post *post, struct str bytes)
{
	*post = (struct post){.call = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER}};
	assert_int_equal(link_send(t.fast, bytes, clock_monotonic_us() + 5000000, on_post, post), OK);
}

static void send_item(struct post *post, struct request_item item)
{
	struct buf message;

	buf_init(&message, BATCH_BYTES_MAX);
	request_batch_begin(&message);
	request_batch_add(&message, &item);
	assert_true(buf_ok(&message));
	send_post(post, buf_str(&message));
	buf_release(&message);
}

static enum err wait_post(struct post *post)
{
	pthread_mutex_lock(&post->call.lock);
	while (!post->call.over)
		pthread_cond_wait(&post->call.ended, &post->call.lock);
	pthread_mutex_unlock(&post->call.lock);
	return post->call.err;
}

#define POSTS 6

/* Two keep both workers, the others wait meanwhile; true when any of those went with another. */
static bool posts_gather(struct post *posts)
{
	bool together = false;

	for (size_t i = 0; i < POSTS; i++) {
		struct str slow = token_for(PERM_DELEGATION_MANAGE, true, 600);
		struct str quick = token_for(PERM_VEHICLE_MANAGE, true, 600);

		send_item(&posts[i], i < 2 ? item_of(OPID_delegation_delete, slow, vehicle_body(1))
					   : item_of(OPID_vehicle_delete, quick, vehicle_body(1)));
	}
	for (size_t i = 0; i < POSTS; i++) {
		assert_int_equal(wait_post(&posts[i]), OK);
		together = together || posts[i].version == 2;
	}
	return together;
}

static void test_messages_that_pile_up_become_one_batch(void **state)
{
	static struct post posts[POSTS];
	bool together = false;

	(void)state;
	/* Whether they wait together is the scheduler's to say, so it is tried again. */
	for (int i = 0; i < 20 && !together; i++)
		together = posts_gather(posts);
	assert_true(together);
}

/* A vehicle's id and a row that only a later version of the contract has. */
static struct str newer_body(void)
{
	struct str known = vehicle_body(1);
	struct buf body;
	struct str copy;

	buf_init(&body, 1024);
	buf_put_str(&body, known);
	buf_put_byte(&body, 20 << 3 | 3);
	buf_put_byte(&body, 3);
	buf_put_c(&body, "new");
	copy = arena_copy(t.arena, buf_str(&body));
	buf_release(&body);
	return copy;
}

/* The caller was upgraded first: what this process does not know is refused by the item, the rest is done. */
static void test_a_caller_that_is_newer_is_refused_only_what_is_new(void **state)
{
	struct str token = token_for(PERM_VEHICLE_MANAGE, true, 600);
	struct request_item items[] = {
		item_of(OPID_whoami_read, token, empty_body()),
		item_of(OPID_whoami_read, token, empty_body()),
		item_of(OPID_vehicle_delete, token, newer_body()),
		item_of(OPID_vehicle_delete, token, vehicle_body(1)),
	};
	const enum err wanted[] = {OK, ERR_NOT_IMPLEMENTED, ERR_BAD_FIELD, OK};
	struct reply_item *replies = NULL;

	(void)state;
	items[1].operation = 65000;
	assert_int_equal(ask(t.fast, items, COUNT_OF(items), &replies), OK);
	for (size_t i = 0; i < COUNT_OF(items); i++)
		assert_int_equal(replies[i].err, wanted[i]);
}

/* Behind slow ones that keep all workers, one with little time: true when it was too late for it. */
static bool waited_too_long(struct post *posts)
{
	struct str slow = token_for(PERM_DELEGATION_MANAGE, true, 600);
	struct request_item late =
		item_of(OPID_vehicle_delete, token_for(PERM_VEHICLE_MANAGE, true, 600), vehicle_body(1));

	late.deadline_ms = 100;
	for (size_t i = 0; i < POSTS; i++)
		send_item(&posts[i], i < POSTS - 1 ? item_of(OPID_delegation_delete, slow, vehicle_body(1)) : late);
	for (size_t i = 0; i < POSTS; i++)
		assert_int_equal(wait_post(&posts[i]), OK);
	/* A handler would have said its version. */
	return posts[POSTS - 1].version == 0;
}

static void test_what_waited_past_its_deadline_is_not_executed(void **state)
{
	static struct post posts[POSTS];
	bool late = false;

	(void)state;
	/* Whether the slow ones were taken first is the scheduler's to say. */
	for (int i = 0; i < 5 && !late; i++)
		late = waited_too_long(posts);
	assert_true(late);
}

static void test_a_drain_finishes_what_is_under_way_and_refuses_the_rest(void **state)
{
	struct slow_call call = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	struct str token = token_for(PERM_DELEGATION_MANAGE, true, 600);
	struct request_item item = item_of(OPID_delegation_delete, token, vehicle_body(1));
	uint64_t begun = clock_monotonic_us();
	struct reply_item *replies = NULL;
	static char text[1 << 20];
	struct buf message;
	enum err err;
	int code;

	(void)state;
	buf_init(&message, BATCH_BYTES_MAX);
	request_batch_begin(&message);
	request_batch_add(&message, &item);
	assert_int_equal(link_send(t.fast, buf_str(&message), begun + 5000000, on_slow, &call), OK);
	usleep(100000);
	assert_int_equal(kill(t.pid, SIGTERM), 0);
	usleep(100000);
	assert_int_equal(admin_get("/readyz", false, text, sizeof text), 503);
	item = item_of(OPID_whoami_read, token, empty_body());
	err = ask(t.fast, &item, 1, &replies);
	assert_true(err == ERR_UNAVAILABLE || err == ERR_DRAINING);
	pthread_mutex_lock(&call.lock);
	while (!call.over)
		pthread_cond_wait(&call.ended, &call.lock);
	pthread_mutex_unlock(&call.lock);
	assert_int_equal(call.err, OK);
	code = finish(t.pid, t.log_fd, text, sizeof text);
	t.pid = 0;
	if (code != 0)
		fail_msg("exit %d: %s", code, text);
	/* Well before the bound, for the callers went when told. */
	assert_true(clock_monotonic_us() - begun < 4000000);
	if (strstr(text, "Sanitizer") || strstr(text, "callers_stayed"))
		fail_msg("%s", text);
	assert_null(strstr(text, "x.y.z"));
	buf_release(&message);
}

static int surround(void **state)
{
	struct environment environment = {.count = 0};

	(void)state;
	log_init("test", LOG_ERROR);
	(void)signal(SIGPIPE, SIG_IGN);
	test_pki_dir(t.pki);
	for (int peer = PEER_gateway; peer < PEER_COUNT; peer++)
		test_pki_role(t.pki, peer_name((enum peer)peer));
	test_pki_leaf(t.pki, "admin", "localhost", 10);
	test_pki_leaf(t.pki, "ops", "ops-client", 10);
	t.arena = arena_new(64U << 20);
	assert_int_equal(signing_key_generate(JWK_EDDSA, &t.key), OK);
	t.admin = free_port();
	t.gateway_fast = free_port();
	t.gateway_slow = free_port();
	t.gdpr_slow = free_port();
	t.auth_fast = free_port();
	t.audit_fast = free_port();
	environment_fill(&environment);
	put(&environment, "ASAN_OPTIONS", "detect_leaks=1");
	t.pid = spawn(&environment, NULL, &t.log_fd);
	environment_free(&environment);
	/* Its peers come later than it does. */
	usleep(200000);
	t.auth = listen_as(PEER_authsvc, t.auth_fast);
	t.audit = listen_as(PEER_auditsvc, t.audit_fast);
	assert_int_equal(pthread_create(&t.auth_thread, NULL, serve_keys, NULL), 0);
	t.fast = dial_as(PEER_gateway, t.gateway_fast, LANE_FAST);
	t.slow = dial_as(PEER_gateway, t.gateway_slow, LANE_SLOW);
	t.gdpr = dial_as(PEER_gdprsvc, t.gdpr_slow, LANE_SLOW);
	assert_true(wait_ready());
	for (int i = 0; i < 200 && (link_live(t.fast) == 0 || link_live(t.slow) == 0 || link_live(t.gdpr) == 0); i++)
		usleep(10000);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	atomic_store(&t.stop, true);
	pthread_join(t.auth_thread, NULL);
	if (t.pid != 0)
		(void)kill(t.pid, SIGKILL);
	link_dialer_free(&t.fast);
	link_dialer_free(&t.slow);
	link_dialer_free(&t.gdpr);
	link_listener_free(&t.auth);
	link_listener_free(&t.audit);
	signing_key_free(&t.key);
	arena_free(&t.arena);
	test_pki_remove(t.pki);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_faulty_configuration_is_named),
		cmocka_unit_test(test_options_answer_without_configuration),
		cmocka_unit_test(test_the_admin_port_tells_who_may_know),
		cmocka_unit_test(test_each_check_is_made_before_a_handler_runs),
		cmocka_unit_test(test_a_second_factor_is_asked_for_as_the_tenant_demands),
		cmocka_unit_test(test_a_batch_is_answered_in_order_and_by_the_set_based_form),
		cmocka_unit_test(test_a_malformed_message_is_dropped_and_counted),
		cmocka_unit_test(test_the_sandbox_holds_in_every_thread),
		cmocka_unit_test(test_messages_that_pile_up_become_one_batch),
		cmocka_unit_test(test_a_caller_that_is_newer_is_refused_only_what_is_new),
		cmocka_unit_test(test_what_waited_past_its_deadline_is_not_executed),
		cmocka_unit_test(test_a_drain_finishes_what_is_under_way_and_refuses_the_rest),
	};

	if (strcmp(argv[0], "echo") == 0)
		return test_echo_main(argc, argv);
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, surround, clear);
}
