/* SPDX-License-Identifier: MIT */
/* Loading a stub: the code in it, the folders it may come from, and what is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#include "lib/stub.h"
#include "tests/unit/stub_notes.h"

static char folder[64]; /* of this test; the stub folders are made in it */

struct stub {
	struct stub_probe probe;
	uint8_t *image;
	size_t size;
	struct stub_file file;
	struct weir_error err;
};

static void stub_make(struct stub *s, const char *provider, const char *types)
{
	memset(s, 0, sizeof(*s));
	s->probe.note = note_make(provider, "order", types);
	s->probe.semaphore = true;
	assert_int_equal(stub_build(&s->probe, 1, &s->image, &s->size, NULL), 0);
}

static void stub_free(struct stub *s)
{
	free((void *)s->probe.note);
	free(s->image);
}

static int load(struct stub *s, const char *provider, const char *dir, bool memfd)
{
	s->err.code = 0;
	s->err.message[0] = '\0';
	return stub_load(provider, dir, memfd, s->image, s->size, &s->file, &s->err);
}

/* A path in the test's folder. */
static const char *in_folder(const char *name)
{
	static char paths[32][128];
	static int next;
	char *path = paths[next++ % 32];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void must_load_file(struct stub *s, const char *provider, const char *dir)
{
	if (load(s, provider, dir, false) || s->err.code)
		fail_msg("%s", s->err.message);
	assert_int_equal(s->file.fd, -1);
	assert_int_equal(strncmp(s->file.path, dir, strlen(dir)), 0);
	assert_non_null(s->file.base);
}

static void must_load_memfd(struct stub *s, const char *provider, const char *dir,
                            const char *reason)
{
	if (load(s, provider, dir, false))
		fail_msg("%s", s->err.message);
	assert_true(s->file.fd >= 0);
	assert_int_equal(strncmp(s->file.path, "/proc/", 6), 0);
	if (!s->err.code || !strstr(s->err.message, reason))
		fail_msg("'%s' does not say '%s'", s->err.message, reason);
}

static uint16_t first_bytes(struct stub *s)
{
	return *(volatile uint16_t *)(s->file.base + s->probe.site);
}

/* Runs `f` in a child, which exits with 0 if no assertion failed in it. */
static int in_child(void (*f)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* ---- the code ---- */

static uint64_t seen[WEIR_ARGS_MAX];
static void *seen_context;

/* As the library's entry: the context is in a register that C does not know. */
#define SEEN(n) seen[n] = a##n
__attribute__((no_sanitize("thread"))) /* its prologue would use that register */
static void
entry(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6,
      uint64_t a7, uint64_t a8, uint64_t a9, uint64_t a10, uint64_t a11, uint64_t a12, uint64_t a13,
      uint64_t a14, uint64_t a15, uint64_t a16, uint64_t a17, uint64_t a18, uint64_t a19,
      uint64_t a20, uint64_t a21, uint64_t a22, uint64_t a23)
{
#if defined(__x86_64__)
	asm volatile("mov %%r10, %0" : "=m"(seen_context));
#elif defined(__aarch64__)
	asm volatile("str x16, %0" : "=m"(seen_context));
#endif
	SEEN(0), SEEN(1), SEEN(2), SEEN(3), SEEN(4), SEEN(5), SEEN(6), SEEN(7), SEEN(8), SEEN(9);
	SEEN(10), SEEN(11), SEEN(12), SEEN(13), SEEN(14), SEEN(15), SEEN(16), SEEN(17), SEEN(18);
	SEEN(19), SEEN(20), SEEN(21), SEEN(22), SEEN(23);
}

static void set_block(struct stub *s, void *context, void (*to)(void))
{
	struct stub_block *block = (void *)(s->file.base + s->probe.block);

	block->context = context;
	block->entry = to;
}

#define A(n) (uint64_t)(n) * 0x0101010101010101
static void test_call(void **state)
{
	struct stub s;
	void (*thunk)(uint64_t, ...);
	void (*site)(uint64_t, ...);

	(void)state;
	stub_make(&s, "call", "\10\10\10\10\10\10\10\10\10\10\10\10");
	must_load_file(&s, "call", in_folder("weir"));
	set_block(&s, &s, (void (*)(void))entry);
	*(void **)&thunk = (void *)(s.file.base + s.probe.thunk);
	*(void **)&site = (void *)(s.file.base + s.probe.site);

	thunk(A(1), A(2), A(3), A(4), A(5), A(6), A(7), A(8), A(9), A(10), A(11), A(12), A(13),
	      A(14), A(15), A(16), A(17), A(18), A(19), A(20), A(21), A(22), A(23), A(24));
	assert_ptr_equal(seen_context, &s);
	for (int i = 0; i < WEIR_ARGS_MAX; i++)
		assert_int_equal(seen[i], A(i + 1));
	((void (*)(uint64_t, uint64_t))thunk)(77, 78);
	assert_int_equal(seen[0], 77);
	assert_int_equal(seen[1], 78);
	site(A(1), A(2), A(3), A(4), A(5), A(6), A(7), A(8));
	((void (*)(void))site)();
	assert_int_equal(first_bytes(&s), WEIR_SITE_OFF);
	assert_int_equal(*(uint16_t *)(s.file.base + s.probe.semaphore_at), 0);
	stub_free(&s);
}

static int frames_above;

static _Unwind_Reason_Code count_frame(struct _Unwind_Context *context, void *arg)
{
	if (_Unwind_FindEnclosingFunction((void *)(_Unwind_GetIP(context) - 1)) == arg)
		frames_above++;
	return _URC_NO_REASON;
}

__attribute__((no_sanitize("thread"))) static void unwinding_entry(void)
{
	asm volatile("mov %%r10, %0" : "=m"(seen_context));
	frames_above = 0;
	_Unwind_Backtrace(count_frame, seen_context);
}

static __attribute__((noinline)) void unwind_caller(void (*thunk)(void))
{
	thunk();
	asm volatile(""); /* no tail call */
}

/* From the entry through the thunk to the caller. The thunk itself has no frame: it jumps. */
static void test_unwind(void **state)
{
	struct stub s;
	void (*thunk)(void);

	(void)state;
	stub_make(&s, "unwind", "");
	must_load_file(&s, "unwind", in_folder("weir"));
	set_block(&s, (void *)unwind_caller, unwinding_entry);
	*(void **)&thunk = (void *)(s.file.base + s.probe.thunk);
	unwind_caller(thunk);
	assert_int_equal(frames_above, 1);
	stub_free(&s);
}

/* A breakpoint in the site itself: its frame is found through .eh_frame. */
static volatile uintptr_t trap_ip;
static volatile int trap_frames;

static _Unwind_Reason_Code count_trap_frame(struct _Unwind_Context *context, void *arg)
{
	int before = 0;
	uintptr_t ip = _Unwind_GetIPInfo(context, &before) - !before;

	(void)arg;
	if (_Unwind_FindEnclosingFunction((void *)ip) == (void *)unwind_caller)
		trap_frames++;
	return _URC_NO_REASON;
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	_Unwind_Backtrace(count_trap_frame, NULL);
}

static void test_unwind_from_site(void **state)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO }, old;
	struct stub s;
	void (*site)(void);
	uint8_t *page;

	(void)state;
	stub_make(&s, "trapped", "");
	must_load_file(&s, "trapped", in_folder("weir"));
	page = (uint8_t *)(s.file.base + (s.probe.site & ~4095ul));
	assert_int_equal(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	*(volatile uint8_t *)(s.file.base + s.probe.site) = 0xcc;
	assert_int_not_equal(first_bytes(&s), WEIR_SITE_OFF);
	sigaction(SIGTRAP, &action, &old);
	*(void **)&site = (void *)(s.file.base + s.probe.site);
	unwind_caller(site);
	sigaction(SIGTRAP, &old, NULL);
	assert_int_equal(trap_frames, 1);
	stub_free(&s);
}

static void test_many(void **state)
{
	enum { count = 10000 };
	struct stub_probe *probes = calloc(count, sizeof(*probes));
	struct stub_file file;
	struct weir_error err = { 0 };
	uint8_t *image;
	size_t size;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%zu", i);
		probes[i].note = note_make("many", name, "\10\14");
		probes[i].semaphore = true;
	}
	assert_int_equal(stub_build(probes, count, &image, &size, &err), 0);
	if (stub_load("many", in_folder("weir"), false, image, size, &file, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < count; i++) {
		struct stub_block *block = (void *)(file.base + probes[i].block);
		void (*thunk)(uint64_t);

		block->context = &probes[i];
		block->entry = (void (*)(void))entry;
		assert_int_equal(*(uint16_t *)(file.base + probes[i].site), WEIR_SITE_OFF);
		*(void **)&thunk = (void *)(file.base + probes[i].thunk);
		thunk(i);
		assert_int_equal(seen[0], i);
		assert_ptr_equal(seen_context, &probes[i]);
		((void (*)(void))(file.base + probes[i].site))();
		free((void *)probes[i].note);
	}
	free(probes);
	free(image);
}

/* ---- what is used again ---- */

static int files_in(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry_;
	int count = 0;

	assert_non_null(dir);
	while ((entry_ = readdir(dir)))
		count += entry_->d_type != DT_DIR;
	closedir(dir);
	return count;
}

static void test_reuse(void **state)
{
	struct stub s;
	struct stub_file first;
	struct stat before, after;
	const char *dir = in_folder("reuse");

	(void)state;
	stub_make(&s, "again", "\1");
	must_load_file(&s, "again", dir);
	first = s.file;
	assert_int_equal(stat(first.path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0755);
	for (int i = 0; i < 3; i++) {
		must_load_file(&s, "again", dir);
		assert_int_equal(s.file.base, first.base);
		assert_string_equal(s.file.path, first.path);
	}
	assert_int_equal(stat(first.path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(files_in(dir), 1);
	stub_free(&s);
}

/* A cleaner took the file: tools need a new one, and code that belongs to it. */
static void test_deleted(void **state)
{
	struct stub s;
	struct stub_file first;

	(void)state;
	stub_make(&s, "deleted", "\1");
	must_load_file(&s, "deleted", in_folder("weir"));
	first = s.file;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(unlink(first.path), 0);
		must_load_file(&s, "deleted", in_folder("weir"));
		assert_string_equal(s.file.path, first.path);
		assert_true(s.file.base != first.base);
		assert_int_equal(access(first.path, R_OK), 0);
		assert_int_equal(first_bytes(&s), WEIR_SITE_OFF);
	}
	stub_free(&s);
}

/* Whatever is there under the name, it is not loaded and not written to. */
static void put_other_file(const char *path, const uint8_t *image, size_t size)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, size), size);
	close(fd);
}

static void test_other_bytes(void **state)
{
	struct stub s;
	char path[256], name[STUB_NAME_SIZE];
	const char *dir = in_folder("other");
	struct stat before, after;
	int kept;

	(void)state;
	stub_make(&s, "other", "\1");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(dir, 0700), 0);
	s.image[s.size - 100] ^= 1; /* same size, one bit differs */
	put_other_file(path, s.image, s.size);
	s.image[s.size - 100] ^= 1;
	kept = open(path, O_RDONLY);
	assert_int_equal(fstat(kept, &before), 0);

	must_load_file(&s, "other", dir);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(fstat(kept, &after), 0);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(after.st_nlink, 0);
	assert_int_equal(files_in(dir), 1);
	close(kept);
	stub_free(&s);

	/* cut short, as after a power failure */
	stub_make(&s, "other", "\2");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put_other_file(path, s.image, 100);
	must_load_file(&s, "other", dir);
	stub_free(&s);

	/* a symlink, a FIFO, and a file others may write to */
	stub_make(&s, "other", "\3");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put_other_file(in_folder("victim"), s.image, s.size);
	assert_int_equal(symlink(in_folder("victim"), path), 0);
	must_load_file(&s, "other", dir);
	assert_int_equal(lstat(path, &after), 0);
	assert_true(S_ISREG(after.st_mode));
	stub_free(&s);

	stub_make(&s, "other", "\4");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkfifo(path, 0755), 0);
	must_load_file(&s, "other", dir);
	stub_free(&s);

	stub_make(&s, "other", "\5");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put_other_file(path, s.image, s.size);
	assert_int_equal(chmod(path, 0777), 0);
	must_load_file(&s, "other", dir);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode & 07777, 0755);
	stub_free(&s);
}

static void test_memfd(void **state)
{
	struct stub s;
	struct stub_file first;

	(void)state;
	stub_make(&s, "memory", "\1");
	assert_int_equal(load(&s, "memory", NULL, true), 0);
	assert_int_equal(s.err.code, 0);
	assert_true(s.file.fd > 100);
	assert_true(fcntl(s.file.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(first_bytes(&s), WEIR_SITE_OFF);
	first = s.file;
	assert_int_equal(load(&s, "memory", NULL, true), 0);
	assert_int_equal(s.file.base, first.base);
	assert_int_equal(s.file.fd, first.fd);

	/* a daemon closed it, and the number is another file's now */
	for (int i = 0; i < 3; i++) {
		int other = open("/dev/null", O_RDONLY);

		assert_int_equal(dup2(other, first.fd), first.fd);
		close(other);
		assert_int_equal(load(&s, "memory", NULL, true), 0);
		assert_true(s.file.base != first.base);
		assert_int_not_equal(s.file.fd, first.fd);
		close(first.fd);
		close(s.file.fd);
		assert_int_equal(load(&s, "memory", NULL, true), 0);
		assert_int_equal(first_bytes(&s), WEIR_SITE_OFF);
		first = s.file;
	}
	stub_free(&s);
}

/* ---- hostile folders ---- */

static void test_folder_rules(void **state)
{
	struct stub s;
	const char *dir;

	(void)state;
	stub_make(&s, "rules", "\1");

	dir = in_folder("open");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	must_load_memfd(&s, "rules", dir, "has mode 0755, not 0700: chmod 700");
	assert_int_equal(chmod(dir, 01700), 0);
	must_load_memfd(&s, "rules", dir, "mode 1700");
	assert_int_equal(files_in(dir), 0);
	assert_int_equal(chmod(dir, 0700), 0);

	assert_int_equal(symlink(dir, in_folder("link")), 0);
	must_load_memfd(&s, "rules", in_folder("link"), "symlink");
	assert_int_equal(files_in(dir), 0);

	put_other_file(in_folder("file"), s.image, 10);
	must_load_memfd(&s, "rules", in_folder("file"), "not a folder");
	must_load_memfd(&s, "rules", in_folder("none/weir"), "No such file");

	if (!geteuid()) {
		assert_int_equal(chown(dir, 65534, 65534), 0);
		must_load_memfd(&s, "rules", dir, "belongs to uid 65534, not to 0");
		assert_int_equal(files_in(dir), 0);
	}

	/* fine itself, but a folder above it is everybody's */
	dir = in_folder("public");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	must_load_memfd(&s, "rules", in_folder("public/weir"), "above it");
	assert_int_equal(files_in(in_folder("public/weir")), 0);
	assert_int_equal(chmod(dir, 01777), 0);
	must_load_file(&s, "rules", in_folder("public/weir"));

	/* through a symlink above: the path that tools see has none */
	assert_int_equal(symlink(dir, in_folder("way")), 0);
	assert_int_equal(load(&s, "rules", in_folder("way/weir"), false), 0);
	assert_int_equal(strncmp(s.file.path, dir, strlen(dir)), 0);
	stub_free(&s);
}

static void test_noexec(void **state)
{
	struct stub s;
	const char *dir = in_folder("noexec");

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	if (mount("none", dir, "tmpfs", MS_NOEXEC, "mode=0700"))
		skip();
	stub_make(&s, "noexec", "\1");
	if (load(&s, "noexec", dir, false))
		fail_msg("%s", s.err.message);
	umount(dir);
	assert_true(s.file.fd >= 0);
	assert_non_null(strstr(s.err.message, "noexec"));
	stub_free(&s);
}

static void test_environment(void **state)
{
	struct stub s;
	char path[256];
	const char *dir = in_folder("environment");

	(void)state;
	stub_make(&s, "environment", "\1");
	setenv("WEIR_DIR", dir, 1);
	assert_int_equal(load(&s, "environment", NULL, false), 0);
	assert_int_equal(s.err.code, 0);
	assert_int_equal(strncmp(s.file.path, dir, strlen(dir)), 0);

	/* unusable: the next, and the reason */
	assert_int_equal(chmod(dir, 0755), 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	assert_int_equal(load(&s, "environment", NULL, false), 0);
	assert_int_equal(strncmp(s.file.path, in_folder("weir"), strlen(in_folder("weir"))), 0);
	assert_non_null(strstr(s.err.message, "chmod 700"));
	unsetenv("WEIR_DIR");
	unsetenv("XDG_RUNTIME_DIR");

	assert_int_equal(load(&s, "environment", NULL, false), 0);
	snprintf(path, sizeof(path), "/tmp/weir-%u/", geteuid());
	assert_int_equal(strncmp(s.file.path, path, strlen(path)), 0);
	assert_int_equal(unlink(s.file.path), 0);
	stub_free(&s);
}

/* ---- nothing left ---- */

static void without_descriptors(void)
{
	struct stub s;
	struct rlimit none = { 3, 3 };

	stub_make(&s, "nofile", "\1");
	setrlimit(RLIMIT_NOFILE, &none);
	if (load(&s, "nofile", in_folder("weir"), false) != -EMFILE)
		_exit(1);
	if (s.err.code != -EMFILE || !strstr(s.err.message, "Too many open files"))
		_exit(2);
}

static void test_no_descriptors(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_descriptors), 0);
}

static void with_small_files(void)
{
	struct stub s;
	struct rlimit small = { 1000, 1000 };

	signal(SIGXFSZ, SIG_DFL);
	stub_make(&s, "fsize", "\1");
	setrlimit(RLIMIT_FSIZE, &small);
	if (load(&s, "fsize", in_folder("weir"), false) != -EFBIG)
		_exit(1);
	if (!strstr(s.err.message, "RLIMIT_FSIZE"))
		_exit(2);
	if (load(&s, "fsize", NULL, true) != -EFBIG)
		_exit(3);
}

/* What is there can be used all the same. */
static void with_small_files_but_present(void)
{
	struct stub s;
	struct rlimit small = { 1000, 1000 };

	stub_make(&s, "present", "\1");
	setrlimit(RLIMIT_FSIZE, &small);
	if (load(&s, "present", in_folder("weir"), false))
		_exit(1);
}

static void make_present(void)
{
	struct stub s;

	stub_make(&s, "present", "\1");
	must_load_file(&s, "present", in_folder("weir"));
}

static void test_file_size_limit(void **state)
{
	(void)state;
	assert_int_equal(in_child(with_small_files), 0);
	assert_int_equal(in_child(make_present), 0);
	assert_int_equal(in_child(with_small_files_but_present), 0);
}

/* The child has its own copy, and its own path to its descriptor. */
static void reload_in_child(void)
{
	struct stub s;
	char expected[64];

	stub_make(&s, "forked", "\1");
	if (load(&s, "forked", NULL, true))
		_exit(1);
	snprintf(expected, sizeof(expected), "/proc/%d/fd/", getpid());
	if (strncmp(s.file.path, expected, strlen(expected)))
		_exit(2);
}

static void test_fork(void **state)
{
	struct stub s;

	(void)state;
	stub_make(&s, "forked", "\1");
	assert_int_equal(load(&s, "forked", NULL, true), 0);
	assert_int_equal(in_child(reload_in_child), 0);
	stub_free(&s);
}

/* Another copy of the library has the same provider: each has its own blocks. */
static void load_foreign(void)
{
	struct stub s;

	stub_make(&s, "foreign", "\1");
	must_load_file(&s, "foreign", in_folder("weir"));
}

static void test_foreign(void **state)
{
	struct stub s;
	char path[256], name[STUB_NAME_SIZE], *suffix;
	uintptr_t base;

	(void)state;
	assert_int_equal(in_child(load_foreign), 0);
	stub_make(&s, "foreign", "\1");
	stub_name("foreign", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", in_folder("weir"), name);
	assert_non_null(dlopen(path, RTLD_NOW));
	must_load_file(&s, "foreign", in_folder("weir"));
	assert_string_not_equal(s.file.path, path);
	suffix = strrchr(s.file.path, '-');
	assert_string_equal(suffix, "-2.so");
	base = s.file.base;
	must_load_file(&s, "foreign", in_folder("weir"));
	assert_int_equal(s.file.base, base);
	stub_free(&s);
}

/* ---- under AT_SECURE ---- */

/* Asked by the leak checker, if there is one: it cannot look into a process that is not dumpable. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return getenv("WEIR_TEST_SECURE") != NULL;
}

static int secure_main(void)
{
	struct stub s;

	stub_make(&s, "secure", "\1");
	if (load(&s, "secure", getenv("WEIR_TEST_FOLDER"), false) || s.file.fd < 0)
		return 1;
	return s.err.code ? 2 : 0;
}

/* A set-uid copy of this program, that is asked for a folder and has WEIR_DIR. */
static void test_secure(void **state)
{
	char command[512], self[256];
	const char *copy = in_folder("secure");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	if (geteuid())
		skip();
	snprintf(command, sizeof(command), "cp %s %s && chown 65534 %s && chmod 4755 %s", self,
	         copy, copy, copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(mkdir(in_folder("owned"), 0700), 0);
	assert_int_equal(chown(in_folder("owned"), 65534, 65534), 0);
	snprintf(command, sizeof(command), "WEIR_TEST_SECURE=1 WEIR_DIR=%s WEIR_TEST_FOLDER=%s %s",
	         in_folder("owned"), in_folder("owned"), copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(files_in(in_folder("owned")), 0);
	assert_int_equal(chmod(folder, 0700), 0);
}

static int folder_make(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/weir-test-XXXXXX");
	unsetenv("WEIR_DIR");
	unsetenv("XDG_RUNTIME_DIR");
	umask(077);
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_unwind),
		cmocka_unit_test(test_unwind_from_site),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_other_bytes),
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_folder_rules),
		cmocka_unit_test(test_noexec),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_file_size_limit),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_secure),
	};

	if (getenv("WEIR_TEST_SECURE"))
		_exit(secure_main()); /* no leak checker: it cannot work under AT_SECURE */
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
