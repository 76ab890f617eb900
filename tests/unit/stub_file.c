/* SPDX-License-Identifier: MIT */
/* The code of a loaded stub, and what is used again. */
#include "tests/unit/test.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unwind.h>

#include "lib/stub_map.h"
#include "tests/unit/stub_fixture.h"

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

/* Words whose low bits count arrive at the site as the numbers that tools read there. */
static void test_narrow(void **state)
{
	static const uint8_t jump[] = { 0xff, 0x25, 0, 0, 0, 0 }; /* jmp *(next)(%rip) */
	struct stub s;
	void (*call)(uint64_t, ...);
	void *to = (void *)entry;
	uint8_t *at;

	(void)state;
	stub_make(&s, "narrow", "\1\2\10\2\1\2\1\2\3\1\5\2");
	must_load_file(&s, "narrow", in_folder("weir"));
	assert_int_not_equal(s.probe.call, s.probe.site);
	at = (uint8_t *)(s.file.base + s.probe.site);
	assert_int_equal(
	    mprotect((void *)((uintptr_t)at & ~4095ul), 4096, PROT_READ | PROT_WRITE | PROT_EXEC),
	    0);
	memcpy(at, jump, sizeof(jump));
	memcpy(at + sizeof(jump), &to, sizeof(to));
	*(void **)&call = (void *)(s.file.base + s.probe.call);
	/* behind the registers: the two words of the frame that a site is called from */
	call((uint64_t)0xf8, (uint64_t)0x1fff0, (uint64_t)0xf8, (uint64_t)-7, (uint64_t)0x7f,
	     (uint64_t)0x8000, (uint64_t)11, (uint64_t)12, (uint64_t)0x80, (uint64_t)0xffff,
	     (uint64_t)0xff, (uint64_t)-1, (uint64_t)0xff, (uint64_t)0x7fff);
	const uint64_t expected[] = { -8,   -16, 0xf8, -7, 0x7f, -32768,
		                      -128, -1,  0xff, -1, 0xff, 0x7fff };
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(seen[i < 6 ? i : i + 2], expected[i]);
	stub_free(&s);

	/* no such field, no such detour */
	stub_make(&s, "wide", "\3\4\5\6\14");
	assert_int_equal(s.probe.call, s.probe.site);
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

/* A static program's libc may have no dlopen: the same bytes, mapped by ourselves. */
static void test_map(void **state)
{
	struct stub s;
	void (*thunk)(uint64_t, uint64_t);
	void (*site)(void);

	(void)state;
	stub_make(&s, "mapped", "\10\10");
	must_load_file(&s, "mapped", in_folder("weir"));
	assert_int_equal(stub_map(in_folder("none"), s.image, &s.file.base), -ENOENT);
	assert_int_equal(stub_map(s.file.path, s.image, &s.file.base), 0);
	assert_int_equal(first_bytes(&s), WEIR_SITE_OFF);
	set_block(&s, &s, (void (*)(void))entry);
	*(void **)&thunk = (void *)(s.file.base + s.probe.thunk);
	*(void **)&site = (void *)(s.file.base + s.probe.site);
	thunk(11, 12);
	assert_ptr_equal(seen_context, &s);
	assert_int_equal(seen[0], 11);
	assert_int_equal(seen[1], 12);
	site();
	stub_free(&s);
}

/* ---- what is used again ---- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),    cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_unwind),  cmocka_unit_test(test_unwind_from_site),
		cmocka_unit_test(test_many),    cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_deleted), cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_fork),    cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
