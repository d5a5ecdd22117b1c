/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef __x86_64__
#define RELOCATION_SLOT R_X86_64_JUMP_SLOT
#define RELOCATION_DATA R_X86_64_GLOB_DAT
#define RELOCATION_WORD R_X86_64_64
#else
#define RELOCATION_SLOT R_AARCH64_JUMP_SLOT
#define RELOCATION_DATA R_AARCH64_GLOB_DAT
#define RELOCATION_WORD R_AARCH64_ABS64
#endif
#define SIGNAL_COMMAND (SIGRTMIN + 4)

/* One word, so that arming and counting need no lock: kind, more, nth as in fault_command. */
static unsigned armed;
static unsigned fired;
static uintptr_t program;

static const char *const kind_names[FAULT_KINDS] = {"none", "alloc", "call", "interrupt"};

void fault_command(unsigned value)
{
	__atomic_store_n(&fired, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&armed, value, __ATOMIC_SEQ_CST);
}

void fault_arm(enum fault_kind kind, unsigned nth, unsigned more)
{
	fault_command(nth == 0 ? 0 : (unsigned)kind << 28 | (more & 0xff) << 20 | (nth & 0xfffff));
}

unsigned fault_count(void)
{
	return __atomic_load_n(&fired, __ATOMIC_RELAXED);
}

static void tell(unsigned kind, const char *name, const void *caller)
{
	char line[256];
	Dl_info info = {0};
	int len;

	/* Offsets of the program mean something to addr2line; those of libraries do not without their symbols. */
	if (dladdr(caller, &info) != 0 && (uintptr_t)info.dli_fbase == program)
		len = snprintf(line, sizeof line, "fault: %s %u %s 0x%zx\n", kind_names[kind], fault_count(), name,
			(size_t)((uintptr_t)caller - program));
	else
		len = snprintf(line, sizeof line, "fault: %s %u %s %s\n", kind_names[kind], fault_count(), name,
			info.dli_fname != NULL ? strrchr(info.dli_fname, '/') + 1 : "?");
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		abort();
}

/* Whether this call is the one that fails. */
static bool due(unsigned kind, const char *name, const void *caller)
{
	unsigned now = __atomic_load_n(&armed, __ATOMIC_SEQ_CST);
	unsigned next;
	bool fails;

	do {
		const unsigned nth = now & 0xfffff, more = now >> 20 & 0xff;

		if (now >> 28 != kind || nth == 0)
			return false;
		fails = nth == 1;
		next = !fails ? now - 1 : more > 0 ? now - (1U << 20) : 0;
	} while (!__atomic_compare_exchange_n(&armed, &now, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	if (fails) {
		const int saved = errno;

		(void)__atomic_add_fetch(&fired, 1, __ATOMIC_RELAXED);
		tell(kind, name, caller);
		errno = saved;
	}
	return fails;
}

/* Standard streams are left alone, and so is what wakes a thread: an eventfd's counter and a pipe do not fail. */
static bool carries_data(int fd)
{
	struct stat status;

	return fd > STDERR_FILENO && fstat(fd, &status) == 0 && (S_ISSOCK(status.st_mode) || S_ISREG(status.st_mode));
}

/* fd: the one that carries data; ANY for a call that makes or changes one, which no signal interrupts. */
#define ANY -1

static bool call_fails(const char *name, int fd, int error, const void *caller)
{
	const unsigned kind = __atomic_load_n(&armed, __ATOMIC_RELAXED) >> 28;

	if (kind == FAULT_INTERRUPT ? fd == ANY : kind != FAULT_CALL)
		return false;
	if ((fd != ANY && !carries_data(fd)) || !due(kind, name, caller))
		return false;
	errno = kind == FAULT_INTERRUPT ? EINTR : error;
	return true;
}

#define CALLER __builtin_return_address(0)

/* A stand-in for each, that fails when it is due. */
#define ALLOCATING(type, name, declared, passed, failure) \
	static type(*name##_real) declared;               \
	static type name##_fault declared                 \
	{                                                 \
		if (due(FAULT_ALLOC, #name, CALLER)) {    \
			errno = ENOMEM;                   \
			return failure;                   \
		}                                         \
		return name##_real passed;                \
	}
#define CALLING(type, name, declared, passed, fd, error)  \
	static type(*name##_real) declared;               \
	static type name##_fault declared                 \
	{                                                 \
		if (call_fails(#name, fd, error, CALLER)) \
			return -1;                        \
		return name##_real passed;                \
	}

#include "calls.def"
#undef ALLOCATING
#undef CALLING

static int (*open_real)(const char *path, int flags, ...);
static int open_fault(const char *path, int flags, ...)
{
	va_list args;
	int mode = 0;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, int);
	va_end(args);
	return call_fails("open", ANY, EMFILE, CALLER) ? -1 : open_real(path, flags, mode);
}

/* The kernel refuses a descriptor for want of memory; what it knows already it changes and forgets. */
static int (*epoll_ctl_real)(int epoll, int what, int fd, struct epoll_event *event);
static int epoll_ctl_fault(int epoll, int what, int fd, struct epoll_event *event)
{
	if (what == EPOLL_CTL_ADD && call_fails("epoll_ctl", ANY, ENOMEM, CALLER))
		return -1;
	return epoll_ctl_real(epoll, what, fd, event);
}

static void *(*fopen_real)(const char *path, const char *mode);
static void *fopen_fault(const char *path, const char *mode)
{
	return call_fails("fopen", ANY, EMFILE, CALLER) ? NULL : fopen_real(path, mode);
}

static const struct stand_in {
	const char *name;
	uintptr_t fault; /* an integer, for a function's address is no object's */
	void **real;
	bool own; /* failed in the program alone, for what libraries make of it is others' to test: nng panics */
} stand_ins[] = {
#define ROW(stood_in, own_only) \
	{.name = #stood_in, (uintptr_t)stood_in##_fault, (void **)(uintptr_t)&stood_in##_real, own_only},
#define ALLOCATING(type, name, declared, passed, failure) ROW(name, true)
#define CALLING(type, name, declared, passed, fd, error) ROW(name, false)
#include "calls.def"
	ROW(open, false) ROW(fopen, false) ROW(epoll_ctl, true)
#undef ALLOCATING
#undef CALLING
#undef ROW
};

static const struct stand_in *stand_in_of(const char *name)
{
	for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins; i++)
		if (strcmp(stand_ins[i].name, name) == 0)
			return &stand_ins[i];
	return NULL;
}

/* The tables that the dynamic loader filled. */
struct image {
	uintptr_t base;
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * tables[2];
	size_t counts[2];
	bool is_program;
};

static void redirect(const struct image *image, const ElfW(Rela) * relocation)
{
	const unsigned kind = ELF64_R_TYPE(relocation->r_info);
	const ElfW(Sym) *symbol = &image->symbols[ELF64_R_SYM(relocation->r_info)];
	void **slot = (void **)(image->base + relocation->r_offset);
	const uintptr_t page = (uintptr_t)slot & ~((uintptr_t)getpagesize() - 1);
	const struct stand_in *found;

	if (kind != RELOCATION_SLOT && kind != RELOCATION_DATA && kind != RELOCATION_WORD)
		return;
	found = stand_in_of(image->strings + symbol->st_name);
	if (found == NULL || (found->own && !image->is_program))
		return;
	if (*found->real == NULL && (*found->real = dlsym(RTLD_DEFAULT, found->name)) == NULL)
		return;
	if (mprotect((void *)page, (size_t)getpagesize(), PROT_READ | PROT_WRITE) != 0)
		abort();
	memcpy(slot, &found->fault, sizeof found->fault);
}

static void image_read(const struct dl_phdr_info *info, struct image *image)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);

		for (; info->dlpi_phdr[i].p_type == PT_DYNAMIC && entry->d_tag != DT_NULL; entry++) {
			switch (entry->d_tag) {
			case DT_SYMTAB:
				image->symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
				break;
			case DT_STRTAB:
				image->strings = (const char *)entry->d_un.d_ptr;
				break;
			case DT_JMPREL:
				image->tables[0] = (const ElfW(Rela) *)entry->d_un.d_ptr;
				break;
			case DT_PLTRELSZ:
				image->counts[0] = entry->d_un.d_val / sizeof(ElfW(Rela));
				break;
			case DT_RELA:
				image->tables[1] = (const ElfW(Rela) *)entry->d_un.d_ptr;
				break;
			case DT_RELASZ:
				image->counts[1] = entry->d_un.d_val / sizeof(ElfW(Rela));
				break;
			default:
				break;
			}
		}
	}
}

static int image_redirect(struct dl_phdr_info *info, size_t size, void *user)
{
	static const char *const carriers[] = {
		"libpq.", "libssl.", "libcrypto.", "libnng.", "libhiredis.", "libcurl.", "libmbed"};
	bool *first = user;
	struct image image = {.base = info->dlpi_addr, .is_program = *first};
	bool wanted = *first;

	(void)size;
	*first = false;
	for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
		wanted = wanted || strstr(info->dlpi_name, carriers[i]) != NULL;
	if (!wanted)
		return 0;
	if (image.is_program)
		program = info->dlpi_addr;
	image_read(info, &image);
	for (size_t table = 0; image.symbols != NULL && image.strings != NULL && table < 2; table++)
		for (size_t i = 0; image.tables[table] != NULL && i < image.counts[table]; i++)
			redirect(&image, &image.tables[table][i]);
	return 0;
}

static void on_command(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	fault_command((unsigned)info->si_value.sival_int);
}

__attribute__((constructor)) static void fault_load(void)
{
	struct sigaction action = {.sa_sigaction = on_command, .sa_flags = SA_SIGINFO | SA_RESTART};
	const char *wanted = getenv("BERTH_FAULT");
	bool first = true;

	dl_iterate_phdr(image_redirect, &first);
	(void)sigaction(SIGNAL_COMMAND, &action, NULL);
	if (wanted != NULL)
		fault_command((unsigned)strtoul(wanted, NULL, 10));
}
