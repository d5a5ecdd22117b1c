/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>

#include <seccomp.h>

#include "base/log.h"
#include "service/context.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* A list of what is denied rather than allowed: see the decision note on system calls. */
static const int denied[] = {
	/* programs */
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(personality),
	/* other processes */
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(kcmp),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(process_madvise),
	SCMP_SYS(move_pages),
	SCMP_SYS(migrate_pages),
	/* the file system as a whole */
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(quotactl),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(fanotify_init),
	/* namespaces */
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	/* the kernel */
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(reboot),
	SCMP_SYS(acct),
	SCMP_SYS(syslog),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(uselib),
	SCMP_SYS(lookup_dcookie),
	SCMP_SYS(vhangup),
	SCMP_SYS(nfsservctl),
	SCMP_SYS(_sysctl),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	/* keys, identities, clocks */
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid),
	SCMP_SYS(capset),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex),
	/* traffic between programs that we do not have */
	SCMP_SYS(shmget),
	SCMP_SYS(shmat),
	SCMP_SYS(msgget),
	SCMP_SYS(semget),
	SCMP_SYS(mq_open),
};

static int deny_all(scmp_filter_ctx filter)
{
	int rv;

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		rv = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied[i], 0);
		/* A call that this architecture or this library does not know cannot be made either. */
		if (rv != 0 && rv != -EDOM && rv != -EFAULT)
			return rv;
	}
	return 0;
}

/* AF_UNIX is 1, AF_INET 2, AF_INET6 10. */
static int deny_families(scmp_filter_ctx filter)
{
	int rv;

	if ((rv = seccomp_rule_add(
		     filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNSPEC, 0))) != 0)
		return rv;
	for (scmp_datum_t family = AF_INET + 1; family < AF_INET6; family++) {
		rv = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, family, 0));
		if (rv != 0)
			return rv;
	}
	return seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)AF_INET6, 0));
}

/* Threads yes, processes no. A filter cannot see clone3's flags; told that it is missing, glibc uses clone. */
static int deny_processes(scmp_filter_ctx filter)
{
	int rv;

	/* LeakSanitizer looks at the process from another one. */
	if (SANITIZED)
		return 0;
	if ((rv = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0)) != 0)
		return rv;
	if ((rv = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0)) != 0)
		return rv;
	return seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

void context_filter(struct context *context)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rv = -ENOMEM;

	if (!filter)
		goto done;
	if ((rv = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1)) != 0)
		goto done;
	if ((rv = deny_all(filter)) != 0 || (rv = deny_families(filter)) != 0 || (rv = deny_processes(filter)) != 0)
		goto done;
	rv = seccomp_load(filter);
done:
	context->confined.calls = rv == 0;
	if (rv != 0)
		log_event(LOG_WARN, "confine_degraded", LOG_C("missing", "seccomp"), LOG_I("errno", -rv));
	if (filter)
		seccomp_release(filter);
}
