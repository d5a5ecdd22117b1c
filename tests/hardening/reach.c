/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attacker inside a process would reach for next, tried in whichever thread gets the signal SIGRTMIN+5. Loaded
 * by tests into the processes as they are shipped, and into an unconfined program for comparison; no product links it.
 * Each attempt is told on standard error: "reach: THREAD NAME ERRNO", 0 for one that succeeded. The environment says
 * where to: BERTH_REACH_FILE (another process's), _PORT (somebody listens), _PID (another process), _ABSTRACT (a Unix
 * socket's name). BERTH_REACH_ABI makes the kernel look as old as that version of Landlock (0: without it).
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNAL_REACH (SIGRTMIN + 5)
#define LANDLOCK_VERSION 1U

static const char *file, *abstract;
static unsigned short port;
static pid_t other;
static long abi = -1;
static long (*syscall_real)(long number, ...);
static int (*pthread_sigmask_real)(int how, const sigset_t *set, sigset_t *old);

/* Raw, so that no library stands between the attempt and the kernel. */
#define RAW(...) syscall_real(__VA_ARGS__)

/* Tells of a call's outcome and gives back what it opened. */
static void tell(const char *name, long outcome)
{
	const int error = outcome < 0 ? errno : 0;
	char line[128];
	int len = snprintf(line, sizeof line, "reach: %ld %s %d\n", (long)RAW(SYS_gettid), name, error);

	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		abort();
}

static void tell_fd(const char *name, long fd)
{
	tell(name, fd);
	if (fd >= 0)
		(void)close((int)fd);
}

/* A program that is not there: one that may be started is looked for first. */
static void reach_programs(void)
{
	static const char program[] = "/nonexistent/program";
	char *const none[] = {NULL};
	long child;

	tell("execve", RAW(SYS_execve, program, none, none));
	tell("execveat", RAW(SYS_execveat, AT_FDCWD, program, none, none, 0));
	child = RAW(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		(void)RAW(SYS_exit_group, 0);
	tell("clone", child);
	if (child > 0)
		(void)waitpid((pid_t)child, NULL, 0);
#ifdef SYS_fork
	child = RAW(SYS_fork);
	if (child == 0)
		(void)RAW(SYS_exit_group, 0);
	tell("fork", child);
	if (child > 0)
		(void)waitpid((pid_t)child, NULL, 0);
#endif
	/* Nothing that the kernel would take: it says so (EINVAL), or that it may not be asked. */
	tell("clone3", RAW(SYS_clone3, NULL, 0));
}

static void reach_processes(void)
{
	const pid_t self = getpid();

	/* No such process can be: what is told is whether one may ask. */
	tell("ptrace", RAW(SYS_ptrace, PTRACE_SEIZE, 0, NULL, NULL));
	tell("process_vm_readv", RAW(SYS_process_vm_readv, self, NULL, 0, NULL, 0, 0));
	tell("process_vm_writev", RAW(SYS_process_vm_writev, self, NULL, 0, NULL, 0, 0));
	tell("kcmp", RAW(SYS_kcmp, self, self, 1, 0, 0));
	tell("kill", RAW(SYS_kill, other, 0));
	tell("unshare", RAW(SYS_unshare, 0));
	tell("setuid", RAW(SYS_setuid, getuid()));
	tell("personality", RAW(SYS_personality, 0xffffffff));
	tell("add_key", RAW(SYS_add_key, "user", "berth", "x", 1, -1 /* the thread's own ring */));
	tell("perf_event_open", RAW(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	tell("io_uring_setup", RAW(SYS_io_uring_setup, 1, NULL));
	tell("name_to_handle_at", RAW(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0));
}

static void reach_files(void)
{
	tell_fd("foreign_file", RAW(SYS_openat, AT_FDCWD, file, O_RDONLY));
	tell_fd("system_file", RAW(SYS_openat, AT_FDCWD, "/etc/debian_version", O_RDONLY));
	tell_fd("folder", RAW(SYS_openat, AT_FDCWD, "/etc", O_RDONLY | O_DIRECTORY));
	tell_fd("new_file", RAW(SYS_openat, AT_FDCWD, "/tmp", O_WRONLY | O_TMPFILE, 0600));
}

static void reach_sockets(void)
{
	static const struct {
		const char *name;
		int family, type;
	} families[] = {{"family_unspec", AF_UNSPEC, SOCK_STREAM}, {"family_netlink", AF_NETLINK, SOCK_RAW},
		{"family_alg", AF_ALG, SOCK_SEQPACKET}, {"family_vsock", AF_VSOCK, SOCK_STREAM},
		{"family_packet", AF_PACKET, SOCK_DGRAM}, {"family_bluetooth", AF_BLUETOOTH, SOCK_RAW}};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const size_t len = strlen(abstract);
	int fd;

	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		tell_fd(families[i].name, RAW(SYS_socket, families[i].family, families[i].type, 0));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = (int)RAW(SYS_socket, AF_INET, SOCK_STREAM, 0);
	tell("connect", RAW(SYS_connect, fd, &address, sizeof address));
	(void)close(fd);
	/* Of an address that nobody has, so that the port is free. */
	address.sin_port = htons((unsigned short)(port ^ 1));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK ^ 0x4b1e5a);
	fd = (int)RAW(SYS_socket, AF_INET, SOCK_STREAM, 0);
	tell("bind", RAW(SYS_bind, fd, &address, sizeof address));
	(void)close(fd);
	if (len + 1 > sizeof name.sun_path)
		abort();
	memcpy(name.sun_path + 1, abstract, len);
	fd = (int)RAW(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	tell("abstract", RAW(SYS_connect, fd, &name, (socklen_t)(sizeof name.sun_family + 1 + len)));
	(void)close(fd);
}

static void on_reach(int number)
{
	const int saved = errno;

	(void)number;
	reach_programs();
	reach_processes();
	reach_files();
	reach_sockets();
	tell("done", 0);
	errno = saved;
}

/* In place of libc's: a kernel of another age. */
long syscall(long number, ...)
{
	long args[6];
	va_list rest;

	va_start(rest, number);
	for (size_t i = 0; i < sizeof args / sizeof *args; i++)
		args[i] = va_arg(rest, long);
	va_end(rest);
	if (number == SYS_landlock_create_ruleset && args[2] == LANDLOCK_VERSION && abi >= 0) {
		errno = ENOSYS;
		return abi > 0 ? abi : -1;
	}
	return syscall_real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* In place of libc's: no thread is deaf to the one signal. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t without;

	if (set != NULL && how != SIG_UNBLOCK) {
		without = *set;
		(void)sigdelset(&without, SIGNAL_REACH);
		set = &without;
	}
	return pthread_sigmask_real(how, set, old);
}

static const char *told(const char *key, const char *otherwise)
{
	const char *value = getenv(key);

	return value != NULL ? value : otherwise;
}

__attribute__((constructor)) static void reach_load(void)
{
	struct sigaction action = {.sa_handler = on_reach, .sa_flags = SA_RESTART};

	syscall_real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	pthread_sigmask_real = (int (*)(int, const sigset_t *, sigset_t *))dlsym(RTLD_NEXT, "pthread_sigmask");
	file = told("BERTH_REACH_FILE", "/etc/passwd");
	abstract = told("BERTH_REACH_ABSTRACT", "");
	port = (unsigned short)strtoul(told("BERTH_REACH_PORT", "0"), NULL, 10);
	other = (pid_t)strtol(told("BERTH_REACH_PID", "0"), NULL, 10);
	abi = strtol(told("BERTH_REACH_ABI", "-1"), NULL, 10);
	(void)sigaction(SIGNAL_REACH, &action, NULL);
}
