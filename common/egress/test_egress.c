/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/test.h"
#include "egress/egress.h"

#define SKIPPED 77
#define PATH_LEN 256

/* A real SMTP hop in a process and a folder of its own (test_sink.py). */
struct sink {
	char folder[PATH_LEN];
	pid_t pid;
	int stop; /* closing it ends the process */
	unsigned port;
	struct arena *arena;
};

static const struct mail plain = {.to = {"alice@example.com", 17},
	.from = {"noreply@berth.example", 21},
	.subject = {"Hello", 5},
	.text = {"Hi\n", 3}};

static void path_in(const char *folder, const char *name, char out[PATH_LEN])
{
	assert_true(snprintf(out, PATH_LEN, "%s/%s", folder, name) < PATH_LEN);
}

static struct str read_file(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = arena_take(arena, 65536);
	size_t len;

	if (file == NULL)
		return STR_NONE;
	len = fread(text, 1, 65536, file);
	(void)fclose(file);
	return (struct str){text, len};
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Ten seconds at most. */
static struct str wait_for_file(struct arena *arena, const char *path)
{
	const struct timespec step = {.tv_nsec = 10000000};
	struct stat status;

	for (int i = 0; i < 1000 && stat(path, &status) != 0; i++)
		(void)nanosleep(&step, NULL);
	return read_file(arena, path);
}

static void sink_start(struct sink *sink, const char *mode, const char *auth)
{
	const char *root = getenv("BERTH_SOURCE_DIR");
	char script[PATH_LEN], path[PATH_LEN];
	uint64_t port = 0;
	int ends[2];

	*sink = (struct sink){.arena = arena_new(1024 * 1024)};
	(void)snprintf(sink->folder, sizeof(sink->folder), "/tmp/berth-sink-XXXXXX");
	assert_non_null(mkdtemp(sink->folder));
	path_in(root != NULL ? root : ".", "common/egress/test_sink.py", script);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	sink->pid = fork();
	assert_true(sink->pid >= 0);
	if (sink->pid == 0) {
		(void)dup2(ends[0], STDIN_FILENO);
		(void)execl("/usr/bin/python3", "python3", script, sink->folder, mode, auth, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[0]);
	sink->stop = ends[1];
	path_in(sink->folder, "port", path);
	assert_int_equal(str_to_u64(wait_for_file(sink->arena, path), 65535, &port), OK);
	sink->port = (unsigned)port;
}

static void sink_stop(struct sink *sink)
{
	static const char *const names[] = {"port", "key.pem", "ca.pem", "allow", "1.json", "2.json", "3.json"};
	char path[PATH_LEN];
	int status;

	(void)close(sink->stop);
	assert_int_equal(waitpid(sink->pid, &status, 0), sink->pid);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		path_in(sink->folder, names[i], path);
		(void)unlink(path);
	}
	(void)rmdir(sink->folder);
	arena_free(&sink->arena);
}

/* An egress to scheme://host:port of the sink; `list` is the allow-list with %u for the port. */
static struct egress *open_egress(
	struct sink *sink, const char *scheme, const char *host, const char *list, struct egress_config *config)
{
	struct egress *egress = NULL;
	char allow[PATH_LEN], ca[PATH_LEN];
	struct str text = arena_printf(sink->arena, "%s:%u %s\n", host, sink->port, list);

	path_in(sink->folder, "allow", allow);
	path_in(sink->folder, "ca.pem", ca);
	write_file(allow, text.p);
	config->allow_list_path = allow;
	config->smtp_url = arena_printf(sink->arena, "%s://%s:%u", scheme, host, sink->port).p;
	if (config->ca_file != NULL)
		config->ca_file = ca;
	assert_int_equal(egress_new(config, &egress), OK);
	return egress;
}

static const struct json *filed(struct sink *sink, const char *name)
{
	const struct json *root = NULL;
	const char *reason;
	char path[PATH_LEN];

	path_in(sink->folder, name, path);
	assert_int_equal(json_parse(sink->arena, wait_for_file(sink->arena, path), &root, &reason), OK);
	return root;
}

static bool holds(const struct json *root, const char *key, const char *value)
{
	return str_eq_c(json_get_str(root, key), value);
}

static void a_message_arrives_as_it_was_meant(void **state)
{
	struct mail mail = plain;
	struct mail_header header = {"Reply-To", STR("desk@berth.example")};
	struct egress_config config = {.smtp_plain_ok = true, .helo_name = "berth.example"};
	struct egress *egress;
	const struct json *got;
	struct sink sink;

	(void)state;
	sink_start(&sink, "plain", "");
	egress = open_egress(&sink, "smtp", "127.0.0.1", "mail", &config);
	mail.from_name = STR("Berth \"the\" Garage");
	mail.subject = STR("R\xc3\xa9servation confirm\xc3\xa9"
			   "e: place n\xc2\xb0 12, \xe2\x82\xac 3,50, \xf0\x9f\x85\xbf\xef\xb8\x8f parking");
	mail.text =
		STR("Bonjour,\n.\nFrom here on = caf\xc3\xa9 \n\n..\n"
		    "a line that is a good deal longer than the seventy-six characters which quoted-printable allows\n"
		    "QUIT\n");
	mail.calendar = STR("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n");
	mail.headers = &header;
	mail.header_count = 1;
	assert_int_equal(egress_send_mail(egress, &mail), OK);
	got = filed(&sink, "1.json");
	assert_true(holds(got, "helo", "berth.example"));
	assert_true(holds(got, "mail_from", "noreply@berth.example"));
	assert_int_equal(json_get(got, "rcpt_to")->count, 1);
	assert_true(str_eq_c(json_get(got, "rcpt_to")->first->text, "alice@example.com"));
	assert_true(holds(got, "from", "\"Berth \\\"the\\\" Garage\" <noreply@berth.example>"));
	assert_true(holds(got, "to", "alice@example.com"));
	assert_true(str_eq(json_get_str(got, "subject"), mail.subject));
	assert_true(str_eq(json_get_str(got, "text"), mail.text));
	assert_true(str_eq(json_get_str(got, "calendar"), mail.calendar));
	assert_int_equal(json_get(got, "defects")->count, 0);
	assert_int_equal(egress_send_mail(egress, &plain), OK);
	got = filed(&sink, "2.json");
	assert_true(holds(got, "subject", "Hello"));
	assert_int_equal(json_get(got, "defects")->count, 0);
	assert_int_equal(egress_counts(egress).mail_sent, 2);
	assert_int_equal(egress_counts(egress).mail_failed, 0);
	egress_free(&egress);
	assert_null(egress);
	egress_free(&egress);
	sink_stop(&sink);
}

static void the_hop_says_no_for_good_or_for_now(void **state)
{
	struct mail mail = plain;
	struct egress_config config = {.smtp_plain_ok = true};
	struct egress *egress;
	struct sink sink;

	(void)state;
	sink_start(&sink, "plain", "");
	egress = open_egress(&sink, "smtp", "127.0.0.1", "mail", &config);
	mail.to = STR("nobody@reject.example");
	assert_int_equal(egress_send_mail(egress, &mail), ERR_BAD_GATEWAY);
	mail.to = STR("alice@busy.example");
	assert_int_equal(egress_send_mail(egress, &mail), ERR_UNAVAILABLE);
	mail.to = STR("alice@example.com\r\nRCPT TO:<mallory@example.com>");
	assert_int_equal(egress_send_mail(egress, &mail), ERR_BAD_FIELD);
	assert_int_equal(egress_counts(egress).mail_failed, 2);
	egress_free(&egress);
	sink_stop(&sink);
}

/* Each host leads to the same sink on loopback; what differs is what the list says of it. */
static const struct {
	const char *name, *host, *list;
	bool plain_ok;
	enum err err;
} list_cases[] = {
	{"a loopback address means what it says", "127.0.0.1", "mail", true, OK},
	{"localhost means what it says", "localhost", "mail", true, OK},
	{"a line for another purpose", "127.0.0.1", "webhook", true, ERR_FORBIDDEN},
	{"a name that leads inside", "mail.localhost", "mail", true, ERR_FORBIDDEN},
	{"a name that leads inside and may", "mail.localhost", "mail private", true, OK},
	{"a hop without TLS where TLS is due", "127.0.0.1", "mail", false, ERR_UNAVAILABLE},
};

static void only_listed_destinations_are_reached(void **state)
{
	struct sink sink;

	(void)state;
	sink_start(&sink, "plain", "");
	/* The environment must not lead anywhere else. */
	assert_int_equal(setenv("all_proxy", "http://127.0.0.1:9", 1), 0);
	assert_int_equal(setenv("smtp_proxy", "http://127.0.0.1:9", 1), 0);
	for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
		struct egress_config config = {.smtp_plain_ok = list_cases[i].plain_ok};
		struct egress *egress = open_egress(&sink, "smtp", list_cases[i].host, list_cases[i].list, &config);

		CHECK(list_cases[i].name, egress_send_mail(egress, &plain) == list_cases[i].err);
		CHECK(list_cases[i].name, egress_counts(egress).refused == (list_cases[i].err == ERR_FORBIDDEN));
		egress_free(&egress);
	}
	(void)unsetenv("all_proxy");
	(void)unsetenv("smtp_proxy");
	sink_stop(&sink);
}

static const struct {
	const char *name, *mode, *scheme, *host;
	bool trusted, auth;
	const char *password;
	enum err err;
} tls_cases[] = {
	{"STARTTLS with a certificate that we trust", "starttls", "smtp", "127.0.0.1", true, false, NULL, OK},
	{"TLS from the first byte", "smtps", "smtps", "127.0.0.1", true, false, NULL, OK},
	{"a certificate that nobody vouches for", "starttls", "smtp", "127.0.0.1", false, false, NULL, ERR_UNAVAILABLE},
	{"a certificate that nobody vouches for, at once", "smtps", "smtps", "127.0.0.1", false, false, NULL,
		ERR_UNAVAILABLE},
	{"a certificate of another name", "starttls", "smtp", "mail.localhost", true, false, NULL, ERR_UNAVAILABLE},
	{"a login", "starttls", "smtp", "127.0.0.1", true, true, "secret", OK},
	{"a login that is refused is ours to mend", "starttls", "smtp", "127.0.0.1", true, true, "wrong",
		ERR_UNAVAILABLE},
};

static void the_hop_proves_who_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(tls_cases); i++) {
		struct egress_config config = {.ca_file = tls_cases[i].trusted ? "" : NULL};
		struct secret *password = NULL;
		struct egress *egress;
		struct sink sink;

		if (tls_cases[i].auth) {
			password = secret_new(tls_cases[i].password, strlen(tls_cases[i].password));
			config.smtp_user = "berth";
			config.smtp_password = password;
		}
		sink_start(&sink, tls_cases[i].mode, tls_cases[i].auth ? "auth" : "");
		egress = open_egress(&sink, tls_cases[i].scheme, tls_cases[i].host, "mail private", &config);
		CHECK(tls_cases[i].name, egress_send_mail(egress, &plain) == tls_cases[i].err);
		if (tls_cases[i].err == OK) {
			const struct json *got = filed(&sink, "1.json");

			CHECK(tls_cases[i].name, json_get(got, "tls")->kind == JSON_TRUE);
			CHECK(tls_cases[i].name, !tls_cases[i].auth || holds(got, "user", "berth"));
		}
		egress_free(&egress);
		secret_free(&password);
		sink_stop(&sink);
	}
}

/* Accepts connections and says nothing. */
static int silent_listener(unsigned *port_out)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port_out = ntohs(address.sin_port);
	return fd;
}

static void a_hop_that_is_silent_or_gone_costs_a_bounded_time(void **state)
{
	struct egress_config config = {.smtp_plain_ok = true, .timeout_ms = 400};
	struct sink sink = {.folder = "/tmp/berth-sink-XXXXXX", .arena = arena_new(1024 * 1024)};
	struct egress *egress;
	uint64_t before;
	char path[PATH_LEN];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(sink.folder));
	fd = silent_listener(&sink.port);
	egress = open_egress(&sink, "smtp", "127.0.0.1", "mail", &config);
	before = clock_monotonic_us();
	assert_int_equal(egress_send_mail(egress, &plain), ERR_UNAVAILABLE);
	assert_true(clock_monotonic_us() - before < 2000000);
	(void)close(fd);
	assert_int_equal(egress_send_mail(egress, &plain), ERR_UNAVAILABLE);
	assert_int_equal(egress_counts(egress).mail_failed, 2);
	egress_free(&egress);
	path_in(sink.folder, "allow", path);
	(void)unlink(path);
	(void)rmdir(sink.folder);
	arena_free(&sink.arena);
}

static const struct {
	const char *name, *list, *smtp_url, *helo_name;
	bool good;
} config_cases[] = {
	{"an empty list and no mail", "", NULL, NULL, true},
	{"a hop", "", "smtp://mail.example:25", "berth.example", true},
	{"a hop at an address of IPv6", "", "smtps://[::1]:465", NULL, true},
	{"a hop of another protocol", "", "http://mail.example:25", NULL, false},
	{"a hop without a port", "", "smtp://mail.example", NULL, false},
	{"a hop with a path", "", "smtp://mail.example:25/x", NULL, false},
	{"a hop with credentials", "", "smtp://u:p@mail.example:25", NULL, false},
	{"a hop with a newline", "", "smtp://mail.example\r\n:25", NULL, false},
	{"our name with a newline", "", NULL, "berth.example\r\nRSET", false},
	{"a faulty list", "mail.example mail", NULL, NULL, false},
};

static void a_faulty_configuration_is_refused_at_the_start(void **state)
{
	char folder[] = "/tmp/berth-egress-XXXXXX";
	char path[PATH_LEN];

	(void)state;
	assert_non_null(mkdtemp(folder));
	path_in(folder, "allow", path);
	for (size_t i = 0; i < COUNT_OF(config_cases); i++) {
		struct egress_config config = {.allow_list_path = path,
			.smtp_url = config_cases[i].smtp_url,
			.helo_name = config_cases[i].helo_name};
		struct egress *egress = NULL;

		write_file(path, config_cases[i].list);
		CHECK(config_cases[i].name, (egress_new(&config, &egress) == OK) == config_cases[i].good);
		CHECK(config_cases[i].name, (egress != NULL) == config_cases[i].good);
		if (config_cases[i].good) {
			CHECK(config_cases[i].name, egress_send_mail(egress, &plain) == ERR_FORBIDDEN);
			CHECK(config_cases[i].name,
				egress_check(egress, STR("mail.example"), 25, "mail") == ERR_FORBIDDEN);
		}
		egress_free(&egress);
	}
	(void)unlink(path);
	{
		struct egress_config config = {.allow_list_path = path};
		struct egress *egress = NULL;

		assert_int_equal(egress_new(&config, &egress), ERR_BAD_FIELD);
	}
	(void)rmdir(folder);
}

static const struct {
	const char *name, *url, *purpose;
	enum err err;
} post_cases[] = {
	{"another scheme", "ftp://127.0.0.1:1/x", "traces", ERR_BAD_FIELD},
	{"no scheme", "127.0.0.1:1/x", "traces", ERR_BAD_FIELD},
	{"no host", "https://", "traces", ERR_BAD_FIELD},
	{"credentials", "https://user:word@127.0.0.1:1/x", "traces", ERR_BAD_FIELD},
	{"a host that is not listed", "https://collector.example:4318/x", "traces", ERR_FORBIDDEN},
	{"a port that is not listed", "http://127.0.0.1:2/x", "traces", ERR_FORBIDDEN},
	{"the scheme's own port, which is not listed", "https://127.0.0.1/x", "traces", ERR_FORBIDDEN},
	{"another purpose", "http://127.0.0.1:1/x", "mail", ERR_FORBIDDEN},
	{"listed, and nobody there", "http://127.0.0.1:1/x", "traces", ERR_UNAVAILABLE},
	{"in the clear beyond this machine", "http://192.0.2.1:1/x", "traces", ERR_FORBIDDEN},
};

static void only_listed_destinations_are_posted_to(void **state)
{
	char path[] = "/tmp/berth-allow-XXXXXX";
	const struct egress_config config = {.allow_list_path = path, .timeout_ms = 2000};
	struct egress *egress = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	write_file(path, "127.0.0.1:1 traces\n192.0.2.1:1 traces private\n");
	assert_int_equal(egress_new(&config, &egress), OK);
	for (size_t i = 0; i < COUNT_OF(post_cases); i++)
		CHECK(post_cases[i].name, egress_post(egress, post_cases[i].url, post_cases[i].purpose,
						  "application/json", STR("{}")) == post_cases[i].err);
	egress_free(&egress);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_listed_destinations_are_posted_to),
		cmocka_unit_test(a_message_arrives_as_it_was_meant),
		cmocka_unit_test(the_hop_says_no_for_good_or_for_now),
		cmocka_unit_test(only_listed_destinations_are_reached),
		cmocka_unit_test(the_hop_proves_who_it_is),
		cmocka_unit_test(a_hop_that_is_silent_or_gone_costs_a_bounded_time),
		cmocka_unit_test(a_faulty_configuration_is_refused_at_the_start),
	};

	if (access("/usr/lib/python3/dist-packages/aiosmtpd/__init__.py", R_OK) != 0) {
		(void)fputs("test_egress: python3-aiosmtpd is not installed\n", stderr);
		return SKIPPED;
	}
	return cmocka_run_group_tests_name("egress", tests, NULL, NULL);
}
