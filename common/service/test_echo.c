/* SPDX-License-Identifier: Apache-2.0 */
#include "service/test_echo.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crash.h"
#include "service/service.h"

/* A bookingsvc of a few handlers without a database: each shows something that the skeleton promises. */

static enum err handle_whoami(struct call *call, const void *request, void *reply)
{
	struct whoami *out = reply;

	(void)request;
	if (!call->has_token)
		return ERR_INTERNAL;
	*out = (struct whoami){
		.tenant_id = call->token.tenant_id,
		.has_tenant_id = true,
		.person_id = call->token.person_id,
		.has_person_id = true,
		.client_id = call->token.session_id,
		.has_client_id = true,
		.has_roles = true,
		.has_permissions = true,
		.scope = STR("echo"),
		.has_scope = true,
		.expires_at = call->token.expires_at,
		.has_expires_at = true,
	};
	CRASH_POINT("echo.whoami");
	return OK;
}

/* The version says which form answered: 1 alone, 2 in a batch. An id that ends in 0xff spoils a batch. */
static enum err handle_forget(struct call *call, const void *request, void *reply)
{
	const struct vehicle_ref *in = request;

	(void)reply;
	call->version = 1;
	return in->id.b[15] == 0xff ? call_refuse(call, ERR_NOT_FOUND, "id", "gone", "It is gone.") : OK;
}

static enum err handle_forget_many(
	struct call **calls, const void *const *requests, void **replies, enum err *errs_out, size_t count)
{
	(void)replies;
	for (size_t i = 0; i < count; i++) {
		const struct vehicle_ref *in = requests[i];

		calls[i]->version = 2;
		errs_out[i] = OK;
		if (in->id.b[15] == 0xff)
			return ERR_INTERNAL;
	}
	return OK;
}

static enum err handle_slow(struct call *call, const void *request, void *reply)
{
	(void)call;
	(void)request;
	(void)reply;
	usleep(600000);
	return OK;
}

/* ---- what the sandbox leaves ---- */

static const char *outcome(long rv)
{
	if (rv >= 0)
		return "allowed";
	return errno == EPERM ? "EPERM" : errno == EACCES ? "EACCES" : errno == ENOSYS ? "ENOSYS" : "failed";
}

static int open_socket(int family, int kind)
{
	int fd = socket(family, kind, 0);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int connect_port(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), rv;

	rv = connect(fd, (struct sockaddr *)&address, sizeof address);
	if (rv != 0 && errno == ECONNREFUSED)
		rv = 0; /* the kernel would have let it */
	close(fd);
	return rv;
}

static int bind_port(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), rv;

	rv = bind(fd, (struct sockaddr *)&address, sizeof address);
	close(fd);
	return rv;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int run_program(void)
{
	char name[] = "true", *const argv[] = {name, NULL};

	return execve("/usr/bin/true", argv, NULL);
}

static void *probe(void *arg)
{
	struct buf *out = arg;

	buf_printf(out, "{\"execve\":\"%s\"", outcome(run_program()));
	buf_printf(out, ",\"fork\":\"%s\"", outcome(ECHO_FORKS ? -1 : fork()));
	buf_printf(out, ",\"ptrace\":\"%s\"", outcome(ECHO_FORKS ? -1 : ptrace(PTRACE_TRACEME, 0, 0, 0)));
	buf_printf(out, ",\"packet\":\"%s\"", outcome(open_socket(AF_PACKET, SOCK_RAW)));
	buf_printf(out, ",\"netlink\":\"%s\"", outcome(open_socket(AF_NETLINK, SOCK_RAW)));
	buf_printf(out, ",\"inet\":\"%s\"", outcome(open_socket(AF_INET, SOCK_STREAM)));
	buf_printf(out, ",\"read_shadow\":\"%s\"", outcome(open_file("/etc/shadow", O_RDONLY)));
	buf_printf(out, ",\"read_foreign\":\"%s\"", outcome(open_file("/proc/1/environ", O_RDONLY)));
	buf_printf(out, ",\"write_tmp\":\"%s\"", outcome(open_file("/tmp/berth-test-echo", O_WRONLY | O_CREAT)));
	buf_printf(out, ",\"read_zone\":\"%s\"", outcome(open_file("/usr/share/zoneinfo", O_RDONLY)));
	buf_printf(out, ",\"connect_undeclared\":\"%s\"", outcome(connect_port(9)));
	buf_printf(out, ",\"bind_undeclared\":\"%s\"", outcome(bind_port(9)));
	buf_printf(out, ",\"kill_parent\":\"%s\"}", outcome(kill(getppid(), 0)));
	return NULL;
}

/* Asked in a thread made after confinement and in the worker, which existed before the filter. */
static enum err handle_probe(struct call *call, const void *request, void *reply)
{
	struct subject_export *out = reply;
	struct buf mine, theirs;
	enum err err = ERR_INTERNAL;
	pthread_t thread;

	(void)request;
	buf_init(&mine, 4096);
	buf_init(&theirs, 4096);
	probe(&mine);
	if (pthread_create(&thread, NULL, probe, &theirs) == 0 && pthread_join(thread, NULL) == 0 &&
		str_eq(buf_str(&mine), buf_str(&theirs))) {
		*out = (struct subject_export){.data = arena_copy(call->arena, buf_str(&mine)), .has_data = true};
		err = OK;
	}
	buf_release(&mine);
	buf_release(&theirs);
	return err;
}

static const struct handler handlers[] = {
	{OPID_whoami_read, handle_whoami, NULL},
	{OPID_vehicle_delete, handle_forget, NULL},
	{OPID_delegation_delete, handle_slow, NULL},
	{OPID_booking_export, handle_probe, NULL},
	{OPERATION_COUNT, NULL, NULL},
};

static const struct handler handlers_many[] = {
	{OPID_vehicle_delete, NULL, handle_forget_many},
	{OPERATION_COUNT, NULL, NULL},
};

static void job(struct context *context)
{
	while (!context_stopping(context))
		context_wait(context, 60000);
}

static const struct job jobs[] = {{"idle", job}, {NULL, NULL}};

int test_echo_main(int argc, char **argv)
{
	static const struct service service = {
		.self = PEER_bookingsvc,
		.handlers = handlers,
		.handlers_many = handlers_many,
		.jobs = jobs,
		.workers_fast = 2,
		.workers_slow = 1,
	};

	return service_main(&service, argc, argv);
}
