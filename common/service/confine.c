/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "service/confine_ports.h"
#include "service/context.h"

/* From the kernel's user-space interface, for Debian 12's headers stop at ABI 2: linux/landlock.h. */
#define LL_FS_EXECUTE (UINT64_C(1) << 0)
#define LL_FS_READ_FILE (UINT64_C(1) << 2)
#define LL_FS_READ_DIR (UINT64_C(1) << 3)
#define LL_FS_ABI1 ((UINT64_C(1) << 13) - 1)
#define LL_FS_REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define LL_FS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define LL_FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define LL_NET_BIND (UINT64_C(1) << 0)      /* ABI 4 */
#define LL_NET_CONNECT (UINT64_C(1) << 1)
#define LL_SCOPE_ALL UINT64_C(3) /* ABI 6: abstract Unix sockets, signals */
#define LL_CREATE_VERSION 1U
#define LL_RULE_PATH 1
#define LL_RULE_PORT 2

struct ll_ruleset {
	uint64_t fs, net, scoped;
};

struct ll_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct ll_port {
	uint64_t allowed, port;
};

static void confine_early(void)
{
	static const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef BERTH_TEST_BUILD
	/* No ptrace and no /proc/<pid>/mem by others of the same user. Tests look inside on purpose. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* Reading below a folder, or of one file. A path that is not there needs no rule. */
static void allow_path(int ruleset, const char *path, uint64_t handled)
{
	struct ll_path rule = {.allowed = (LL_FS_READ_FILE | LL_FS_READ_DIR) & handled};
	struct stat status;

	rule.fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.fd < 0)
		return;
	if (fstat(rule.fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.allowed &= LL_FS_READ_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH, &rule, 0) != 0)
		log_event(LOG_WARN, "confine_rule_failed", LOG_I("errno", errno));
	close(rule.fd);
}

/* The folder of a file that is read again when another has taken its name. */
static void allow_folder_of(int ruleset, const char *path, uint64_t handled)
{
	char copy[4096];

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) < sizeof(copy))
		allow_path(ruleset, dirname(copy), handled);
}

static void allow_folders_of(int ruleset, struct str paths, uint64_t handled)
{
	struct str item;
	bool more = true;

	while (more && paths.p) {
		char copy[4096];

		more = str_cut(&paths, ',', &item);
		item = str_trim(item);
		if (item.len == 0 || item.len >= sizeof(copy))
			continue;
		memcpy(copy, item.p, item.len);
		copy[item.len] = '\0';
		allow_folder_of(ruleset, copy, handled);
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void allow_own(int ruleset, const struct service *service, uint64_t handled)
{
	for (const struct config_key *key = service->config_keys; key && key->key; key++) {
		const char *value = config_get(key->key);

		if (!value)
			continue;
		if (key->kind == CONFIG_FILE || (key->kind == CONFIG_STR && ends_with(key->key, "_DIR")))
			allow_path(ruleset, value, handled);
		else if (key->kind == CONFIG_STR && (ends_with(key->key, "_FILES") || ends_with(key->key, "_FILE")))
			allow_folders_of(ruleset, str_from(value), handled);
	}
}

static void allow_files(int ruleset, const struct context *context, uint64_t handled)
{
	/* What the resolver, time zones and libraries loaded by name read. */
	static const char *const system[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf",
		"/etc/gai.conf", "/etc/services", "/etc/passwd", "/etc/ssl", "/etc/localtime", "/usr/share/zoneinfo",
		"/usr/share/ca-certificates", "/usr/lib", "/lib", "/etc/ld.so.cache", "/proc/self", "/dev/null",
		"/dev/urandom", "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu"};
	const struct common_config *common = &context->common;

	for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++)
		allow_path(ruleset, system[i], handled);
	allow_folder_of(ruleset, common->admin_cert_file, handled);
	allow_folder_of(ruleset, common->admin_key_file, handled);
	allow_folder_of(ruleset, common->admin_ca_file, handled);
	allow_path(ruleset, common->link_cert_file, handled);
	allow_path(ruleset, common->link_key_file, handled);
	allow_path(ruleset, common->link_ca_dir, handled);
	allow_own(ruleset, context->service, handled);
}

static void allow_ports(int ruleset, const struct confine_ports *set, uint64_t access)
{
	for (size_t i = 0; i < set->count; i++) {
		struct ll_port rule = {.allowed = access, .port = set->ports[i]};

		if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PORT, &rule, 0) != 0)
			log_event(LOG_WARN, "confine_rule_failed", LOG_I("errno", errno));
	}
}

static void add_own_ports(const struct service *service, struct confine_ports *bind, struct confine_ports *connect)
{
	for (const struct config_key *key = service->config_keys; key && key->key; key++) {
		const char *value = config_get(key->key);

		if (!value)
			value = key->fallback;
		if (!value)
			continue;
		if (strcmp(key->key, "BERTH_EGRESS_ALLOW_FILE") == 0)
			confine_ports_add_file(connect, value);
		else if (ends_with(key->key, "_LISTEN"))
			confine_ports_add_text(bind, str_from(value));
		else if (ends_with(key->key, "_URL") || ends_with(key->key, "_PROXY") ||
			 (ends_with(key->key, "_SOCKET") && value[0] != '/'))
			confine_ports_add_text(connect, str_from(value));
	}
}

static void allow_net(int ruleset, const struct context *context)
{
	struct confine_ports bind = {.count = 0}, connect = {.count = 0};

	confine_ports_add_text(&bind, str_from(context->common.admin_listen));
	/* The resolver, when an answer does not fit a datagram. */
	confine_ports_add(&connect, 53);
	for (int peer = PEER_NONE + 1; peer < PEER_COUNT; peer++) {
		for (int lane = 0; lane < LANE_COUNT; lane++) {
			confine_ports_add_text(
				&bind, str_from(context_link_url("LISTEN", (enum peer)peer, (enum lane)lane)));
			confine_ports_add_text(
				&connect, str_from(context_link_url("DIAL", (enum peer)peer, (enum lane)lane)));
		}
	}
	if (context->store.host && context->store.host[0] != '/')
		confine_ports_add(&connect, (uint16_t)context->store.port);
	add_own_ports(context->service, &bind, &connect);
	allow_ports(ruleset, &bind, LL_NET_BIND);
	allow_ports(ruleset, &connect, LL_NET_CONNECT);
}

static struct ll_ruleset handled_by(int abi)
{
	struct ll_ruleset handled = {.fs = LL_FS_ABI1};

	/* libraries are mapped executable, which Landlock does not govern; nothing is ever executed */
	if (abi >= 2)
		handled.fs |= LL_FS_REFER;
	if (abi >= 3)
		handled.fs |= LL_FS_TRUNCATE;
	if (abi >= 4)
		handled.net = LL_NET_BIND | LL_NET_CONNECT;
	if (abi >= 5)
		handled.fs |= LL_FS_IOCTL_DEV;
	if (abi >= 6)
		handled.scoped = LL_SCOPE_ALL;
	return handled;
}

/* Older kernels know a shorter structure. */
static size_t ruleset_size(int abi)
{
	if (abi >= 6)
		return sizeof(struct ll_ruleset);
	return abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static bool restrict_self(const struct context *context, int abi)
{
	const struct ll_ruleset handled = handled_by(abi);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, ruleset_size(abi), 0);
	bool held;

	if (ruleset < 0)
		return false;
	allow_files(ruleset, context, handled.fs);
	if (handled.net != 0)
		allow_net(ruleset, context);
	held = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	close(ruleset);
	return held;
}

enum err context_confine(struct context *context)
{
	struct confined *confined = &context->confined;
	long abi;

	confine_early();
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_VERSION);
	if (abi <= 0) {
		log_event(LOG_WARN, "confine_degraded", LOG_C("missing", "landlock"), LOG_I("errno", errno));
		return OK;
	}
	if (!restrict_self(context, (int)abi)) {
		log_event(LOG_ERROR, "confine_failed", LOG_I("abi", abi), LOG_I("errno", errno));
		return ERR_INTERNAL;
	}
	confined->files = true;
	confined->ports = abi >= 4;
	confined->scope = abi >= 6;
	if (!confined->ports || !confined->scope)
		log_event(LOG_WARN, "confine_degraded", LOG_C("missing", confined->ports ? "scope" : "ports, scope"),
			LOG_I("abi", abi));
	return OK;
}
