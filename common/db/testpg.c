/* SPDX-License-Identifier: Apache-2.0 */
#include "db/testpg.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define POSTGRES "/usr/lib/postgresql/15/bin/postgres"
#define INITDB "/usr/lib/postgresql/15/bin/initdb"
#define NAMES_MAX 32
#define START_LIMIT_US (30 * US_PER_S)

struct testpg {
	char dir[64];
	char data[80];
	pid_t pid;
	PGconn *super;
	char *value;
	char names[NAMES_MAX][64];
	size_t name_count;
};

static _Noreturn void die(const char *fmt, ...) PRINTF_LIKE(1, 2);

static _Noreturn void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("testpg: ", stderr);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* PostgreSQL never runs as root. */
static void become_ordinary(void)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return;
	pw = getpwnam("postgres");
	if (!pw)
		pw = getpwnam("nobody");
	if (!pw || setgroups(0, NULL) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
		_exit(126);
}

static pid_t spawn(const char *const argv[], const char *log)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	become_ordinary();
	prctl(PR_SET_PDEATHSIG, SIGQUIT); /* the postmaster's immediate shutdown */
	setpgid(0, 0);
	if (!freopen("/dev/null", "r", stdin) || !freopen(log, "a", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		_exit(125);
	if (chdir("/") != 0)
		_exit(125);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void run(const char *const argv[], const char *log)
{
	pid_t pid = spawn(argv, log);
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die("%s failed, see %s", argv[0], log);
}

static PGconn *connect_super(const struct testpg *pg)
{
	const char *const keys[] = {"host", "dbname", "user", NULL};
	const char *const values[] = {pg->dir, "postgres", "berth_super", NULL};
	uint64_t until_us = clock_monotonic_us() + (uint64_t)START_LIMIT_US;

	for (;;) {
		PGconn *conn = PQconnectdbParams(keys, values, 0);

		if (PQstatus(conn) == CONNECTION_OK)
			return conn;
		if (clock_monotonic_us() > until_us)
			die("the cluster does not come up: %s", PQerrorMessage(conn));
		PQfinish(conn);
		usleep(20000);
	}
}

void testpg_server_start(struct testpg *pg)
{
	char log[96];
	const char *const argv[] = {POSTGRES, "-D", pg->data, "-k", pg->dir, "-c", "listen_addresses=", "-c",
		"fsync=off", "-c", "shared_buffers=32MB", "-c", "max_connections=60", "-c", "log_min_messages=warning",
		"-c", "autovacuum=off", NULL};

	snprintf(log, sizeof(log), "%s/log", pg->dir);
	pg->pid = spawn(argv, log);
	PQfinish(pg->super);
	pg->super = connect_super(pg);
}

struct testpg *testpg_start(void)
{
	struct testpg *pg = calloc(1, sizeof(*pg));
	char log[96];
	const struct passwd *pw = getpwnam("postgres");

	if (!pg)
		die("no memory");
	snprintf(pg->dir, sizeof(pg->dir), "/tmp/berth-testpg-XXXXXX");
	if (!mkdtemp(pg->dir))
		die("mkdtemp: %s", strerror(errno));
	if (geteuid() == 0 && chown(pg->dir, pw ? pw->pw_uid : 65534, pw ? pw->pw_gid : 65534) != 0)
		die("chown: %s", strerror(errno));
	snprintf(pg->data, sizeof(pg->data), "%s/data", pg->dir);
	snprintf(log, sizeof(log), "%s/log", pg->dir);
	{
		const char *const argv[] = {INITDB, "-D", pg->data, "-A", "trust", "-U", "berth_super", "-E", "UTF8",
			"--locale=C.UTF-8", "--no-sync", "--no-instructions", NULL};

		run(argv, log);
	}
	testpg_server_start(pg);
	return pg;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	(void)remove(path); /* what a dying child still removes itself is no fault */
	return 0;
}

/* In order, so that no shared memory stays behind. */
static void shut_down(struct testpg *pg)
{
	for (int i = 0; i < 500 && pg->pid; i++) {
		if (i == 0)
			kill(pg->pid, SIGQUIT);
		if (waitpid(pg->pid, NULL, WNOHANG) == pg->pid)
			pg->pid = 0;
		else
			usleep(10000);
	}
	testpg_server_kill(pg);
}

void testpg_stop(struct testpg **pg)
{
	if (!*pg)
		return;
	PQfinish((*pg)->super);
	(*pg)->super = NULL;
	shut_down(*pg);
	for (int i = 0; i < 10 && access((*pg)->dir, F_OK) == 0; i++) {
		(void)nftw((*pg)->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		usleep((useconds_t)i * 1000);
	}
	free((*pg)->value);
	free(*pg);
	*pg = NULL;
}

/* Backends are sessions of their own; their parent is the postmaster. */
static pid_t parent_of(const char *pid)
{
	char path[64], line[512];
	const char *behind;
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	/* "pid (name) state parent …": the name may hold anything. */
	if (fgets(line, sizeof(line), f) && (behind = strrchr(line, ')')) && strlen(behind) > 4)
		parent = (int)strtol(behind + 4, NULL, 10);
	fclose(f);
	return (pid_t)parent;
}

static void signal_children(pid_t of, int sig)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		die("/proc: %s", strerror(errno));
	while ((entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && parent_of(entry->d_name) == of)
			kill((pid_t)strtol(entry->d_name, NULL, 10), sig);
	closedir(proc);
}

void testpg_server_kill(struct testpg *pg)
{
	if (!pg->pid)
		return;
	kill(pg->pid, SIGSTOP); /* or it would start new ones meanwhile */
	signal_children(pg->pid, SIGKILL);
	kill(pg->pid, SIGKILL);
	waitpid(pg->pid, NULL, 0);
	pg->pid = 0;
	usleep(50000); /* the backends' sockets are closed by now */
}

void testpg_server_pause(struct testpg *pg, bool paused)
{
	if (paused)
		kill(pg->pid, SIGSTOP);
	signal_children(pg->pid, paused ? SIGSTOP : SIGCONT);
	if (!paused)
		kill(pg->pid, SIGCONT);
}

static PGresult *ask(struct testpg *pg, const char *sql)
{
	PGresult *result = PQexec(pg->super, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		die("%s: %s", sql, PQerrorMessage(pg->super));
	return result;
}

void testpg_sql(struct testpg *pg, const char *sql)
{
	PQclear(ask(pg, sql));
}

const char *testpg_value(struct testpg *pg, const char *sql)
{
	PGresult *result = ask(pg, sql);

	free(pg->value);
	pg->value = strdup(PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	if (!pg->value)
		die("no memory");
	return pg->value;
}

void testpg_schema(struct testpg *pg, const char *schema)
{
	static const char *const roles[] = {"owner", "app", "jobs"};
	char sql[256];

	for (size_t i = 0; i < 3; i++) {
		snprintf(sql, sizeof(sql), "create role %s_%s login", schema, roles[i]);
		testpg_sql(pg, sql);
	}
	snprintf(sql, sizeof(sql), "create schema %s authorization %s_owner", schema, schema);
	testpg_sql(pg, sql);
}

static const char *name(struct testpg *pg, const char *schema, const char *role)
{
	char text[64];
	size_t i;

	snprintf(text, sizeof(text), "%s%s%s", schema, *role ? "_" : "", role);
	for (i = 0; i < pg->name_count && strcmp(pg->names[i], text) != 0; i++)
		;
	if (i == NAMES_MAX)
		die("too many names");
	if (i == pg->name_count)
		memcpy(pg->names[pg->name_count++], text, sizeof(text));
	return pg->names[i];
}

struct db_config testpg_config(struct testpg *pg, const char *schema, const char *role)
{
	return (struct db_config){.host = pg->dir,
		.dbname = "postgres",
		.user = name(pg, schema, role),
		.schema = name(pg, schema, ""),
		.application_name = "test",
		.env = TESTPG_ENV};
}

void testpg_migrate(struct testpg *pg, const char *schema, const struct db_migration *migrations, size_t count)
{
	struct db_config owner;

	testpg_schema(pg, schema);
	owner = testpg_config(pg, schema, "owner");
	if (db_migrate(&owner, NULL, migrations, count) != OK)
		die("%s: the migrations failed", schema);
}
