/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "service/context.h"

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE)
#define ALL_ABI_1 ((1ULL << 13) - 1)

extern char **environ;

static void allow_path(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		log_event(LOG_WARN, "confine_rule_refused", LOG_I("errno", errno));
	close(rule.parent_fd);
}

/* The folder of a file, so that a file replaced by a new one of its name can be read again. */
static void allow_folder_of(int ruleset, struct str path)
{
	char folder[512];

	while (path.len > 1 && path.p[path.len - 1] != '/')
		path.len--;
	if (path.len == 0 || path.len >= sizeof folder)
		return;
	memcpy(folder, path.p, path.len);
	folder[path.len] = '\0';
	allow_path(ruleset, folder, READ);
}

/* Every file or folder that the configuration names, and no other of one's own. */
static void allow_configured(int ruleset)
{
	for (char **entry = environ; *entry != NULL; entry++) {
		struct str value = str_from(*entry), key, one;
		bool more = true;

		if (!str_starts(value, "BERTH_") || !str_cut(&value, '=', &key))
			continue;
		while (more) {
			more = str_cut(&value, ',', &one);
			if (key.len > 4 && memcmp(key.p + key.len - 4, "_DIR", 4) == 0)
				allow_folder_of(ruleset, (struct str){one.p, one.len + 1});
			if (memmem(key.p, key.len, "_FILE", 5) != NULL ||
				(key.len > 4 && memcmp(key.p + key.len - 4, "_DIR", 4) == 0))
				allow_folder_of(ruleset, one);
			if (key.len > 4 && memcmp(key.p + key.len - 4, "_DIR", 4) == 0 && !more)
				allow_path(ruleset, one.p, READ);
		}
	}
}

void context_confine(struct context *context)
{
	static const char *const readable[] = {
		"/usr", "/lib", "/lib64", "/etc", "/proc/self", "/proc/sys/vm", "/sys/devices/system/cpu"};
	const struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_ABI_1};
	const struct rlimit none = {0, 0};
	int ruleset;

	(void)context;
	setrlimit(RLIMIT_CORE, &none);
#ifndef BERTH_TEST_BUILD
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		log_event(LOG_WARN, "confine_failed", LOG_C("step", "no_new_privs"));
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (ruleset < 0) {
		log_event(LOG_WARN, "confine_unsupported", LOG_C("what", "landlock"), LOG_I("errno", errno));
		return;
	}
	for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
		allow_path(ruleset, readable[i], READ | LANDLOCK_ACCESS_FS_EXECUTE);
	allow_path(ruleset, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | WRITE);
	allow_path(ruleset, "/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE);
	allow_configured(ruleset);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		log_event(LOG_WARN, "confine_failed", LOG_C("step", "landlock"), LOG_I("errno", errno));
	close(ruleset);
}

void context_filter(struct context *context)
{
	static const int denied[] = {
		SCMP_SYS(execve),
		SCMP_SYS(execveat),
#ifndef __SANITIZE_ADDRESS__ /* whose leak check at the end traces its own process */
		SCMP_SYS(ptrace),
#endif
		SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev),
		SCMP_SYS(mount),
		SCMP_SYS(umount2),
		SCMP_SYS(pivot_root),
		SCMP_SYS(chroot),
		SCMP_SYS(setns),
		SCMP_SYS(unshare),
		SCMP_SYS(kexec_load),
		SCMP_SYS(bpf),
		SCMP_SYS(perf_event_open),
		SCMP_SYS(init_module),
		SCMP_SYS(finit_module),
		SCMP_SYS(delete_module),
		SCMP_SYS(keyctl),
		SCMP_SYS(add_key),
		SCMP_SYS(request_key),
		SCMP_SYS(userfaultfd),
		SCMP_SYS(io_uring_setup),
		SCMP_SYS(reboot),
		SCMP_SYS(swapon),
		SCMP_SYS(swapoff),
		SCMP_SYS(acct),
		SCMP_SYS(quotactl),
		SCMP_SYS(open_by_handle_at),
		SCMP_SYS(pidfd_getfd),
		SCMP_SYS(setuid),
		SCMP_SYS(setgid),
		SCMP_SYS(setreuid),
		SCMP_SYS(setresuid),
		SCMP_SYS(setregid),
		SCMP_SYS(setresgid),
		SCMP_SYS(setgroups),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool fine = filter != NULL;

	(void)context;
	if (fine)
		fine = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
	for (size_t i = 0; fine && i < sizeof denied / sizeof *denied; i++)
		fine = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied[i], 0) == 0;
	/*
	 * Sockets of the families that the process has: AF_UNIX 1, AF_INET 2, AF_INET6 10, and AF_NETLINK 16 for the
	 * resolver.
	 */
	if (fine)
		fine = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, 16)) ==
		       0;
	for (unsigned family = 3; fine && family < 16; family++)
		if (family != 10)
			fine = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, family)) == 0;
	if (!fine || seccomp_load(filter) != 0)
		log_event(LOG_WARN, "confine_failed", LOG_C("step", "seccomp"));
	seccomp_release(filter);
}
