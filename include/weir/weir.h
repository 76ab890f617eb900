/* SPDX-License-Identifier: MIT */
/*
 * weir: tracepoints that a running program declares at run time. For C11, C++11 and newer, with the
 * extensions that gcc and clang share.
 *
 *     struct weir_provider *shop = NULL;
 *     struct weir_probe *order = weir_probe_off;
 *
 *     static const struct weir_field fields[] = {
 *             { "id", WEIR_U64 }, { "path", WEIR_STRING },
 *     };
 *     weir_provider_create("shop", NULL, &shop);
 *     weir_probe_create(shop, "order", fields, 2, NULL, &order);
 *     weir_provider_publish(shop);
 *     ...
 *     WEIR_FIRE(order, id, path);
 *
 * A published probe is seen as USDT by bpftrace, bcc, perf, gdb and SystemTap,
 * and by `weir list`, `weir trace` and `weir record`.
 *
 * Errors. Functions return 0 or -errno and leave *ret alone on failure; a
 * provider that is NULL is -EINVAL. Where a
 * person needs more than errno, the options carry a caller-owned struct
 * weir_error which gets a sentence. The library never prints, exits, aborts,
 * starts a thread, handles a signal, or runs code at load or unload.
 *
 * Threads. Every function may be called from any thread, also from
 * constructors and destructors of shared objects; a fire takes no lock. While
 * one thread publishes a provider, others need not wait for it:
 *  publish       of the same provider: both load its stub, the first to be done
 *                makes the probes known, and both return 0
 *  probe_create  the new probe is published at once, as on any published
 *                provider, in a stub of its own; a deferred one at the next
 *                publish
 *  withdraw,     what is under way makes nothing known any more, and returns 0,
 *  destroy       as if it had been done before
 *
 * Constructors and destructors run under the dynamic loader's lock, which
 * publishing a new stub takes too: other threads' publishes wait until they
 * are done, as any dlopen does. Publishing itself waits in a constructor for no
 * other thread that loads. docs/lttng.md has what LTTng adds.
 *
 * Signals. weir_enabled(), WEIR_FIRE() and weir_fire_values() are safe in
 * signal handlers, and so is interrupting them; the other functions are not.
 * One exception: while LTTng records a probe, the first fire of a thread
 * allocates LTTng's thread-local memory; in a handler that interrupted malloc
 * or the loader it can deadlock. docs/lttng.md has the call that a thread makes
 * beforehand.
 * Leaving a handler with siglongjmp out of a fire may leak one packet of a
 * session until that session ends; without rseq it also leaks a slot for the
 * life of the process: after as many jumps as there are slots, events are lost.
 *
 * Processes.
 *  fork          the child has its own copy of every provider and probe; nothing
 *                of its parent's sessions is on in it, unless the tracer follows
 *                children (`weir trace -f`), whose sessions it arms by itself; it
 *                then opens a Unix socket for a moment to hand over its memory.
 *                It waits for threads that publish, withdraw or destroy, 2000
 *                naps of 0.1 ms at most, since they may wait for a lock that the
 *                forking thread has, such as the loader's in a constructor. What
 *                is not published in the child then, it can publish.
 *  raw clone     (without CLONE_VM, not through fork): the child's fires into
 *                buffers are switched off; USDT goes on.
 *  vfork,        do not fire between vfork and exec. It does no harm to memory,
 *  posix_spawn   but such an event may take the place of another thread's.
 *  exec, exit,   what was committed before is the tracer's; nothing is left
 *  SIGKILL       behind but the stub file, which the next run uses again.
 *  dlclose       of a library that declared probes: destroy its providers
 *                before. libweir itself stays loaded until the process ends, and
 *                so does a plugin that is linked with libweir.a, from its first
 *                provider on: dlopen then gives the same copy again, with its
 *                variables as they were, not a file that was replaced meanwhile.
 *                Plugins that are to be reloaded use the shared library.
 */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEIR_API         __attribute__((visibility("default")))
#define WEIR_COLD        __attribute__((cold))
#define WEIR_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#error "weir needs GCC or clang"
#endif

/* Most fields of a probe. A bytes field takes two arguments of a fire. */
#define WEIR_FIELDS_MAX 12
#define WEIR_ARGS_MAX   24
/* Longest provider, probe or field name, without its NUL: perf refuses longer ones. */
#define WEIR_NAME_MAX 63
/* Stored bytes of a string or bytes field where a probe does not say. */
#define WEIR_STRING_LIMIT 256
/* The most a probe can ask for. Together a record holds 8184 bytes. */
#define WEIR_STRING_LIMIT_MAX 4096

/* Field types. The numbers are part of the ABI (weir/abi/note.h). */
enum weir_type {
	WEIR_I8 = 1,
	WEIR_I16,
	WEIR_I32,
	WEIR_I64,
	WEIR_U8,
	WEIR_U16,
	WEIR_U32,
	WEIR_U64,
	WEIR_F32,
	WEIR_F64,
	WEIR_BOOL,
	WEIR_STRING,  /* const char *, NUL terminated; NULL is empty, and the event says so */
	WEIR_BYTES,   /* two arguments: const void *, size_t */
	WEIR_POINTER, /* an address: recorded and shown, never followed */
};

struct weir_field {
	/* [A-Za-z_][A-Za-z0-9_]*, unique in the probe, at most WEIR_NAME_MAX long; copied. */
	const char *name;
	enum weir_type type;
};

/* Caller-owned; no heap. `code` is the -errno that the call returned. */
struct weir_error {
	int code;
	char message[252];
};

enum weir_provider_flag {
	WEIR_PROVIDER_BLOCK = 1u << 0, /* block mode is allowed: a fire may wait, at most 100 ms */
	WEIR_PROVIDER_LTTNG = 1u << 1, /* also publish through liblttng-ust (see docs/lttng.md) */
	WEIR_PROVIDER_NO_BUFFER = 1u << 2, /* USDT only: no shared memory for its probes */
	WEIR_PROVIDER_NO_USDT = 1u << 3,   /* buffers only: no stub file, no executable mapping */
	WEIR_PROVIDER_MEMFD = 1u << 4,     /* the stub in a memfd, no file (perf cannot read it) */
};

/*
 * Options may grow at their end; `size` is sizeof the struct as the caller knows
 * it (0 stands for today's size). A nonzero tail that the library does not know
 * gives -E2BIG.
 */
struct weir_provider_options {
	size_t size;
	uint32_t flags;           /* enum weir_provider_flag */
	uint32_t reserved;        /* 0 */
	struct weir_error *error; /* used by create only; see weir_provider_error() */
	const char *stub_dir;     /* instead of $WEIR_DIR, $XDG_RUNTIME_DIR/weir, /tmp/weir-UID */
	uint64_t pool_size;       /* bytes of buffers that all tracers together may use at most;
	                             0: $WEIR_POOL or 128 MiB; 1 MiB to 64 GiB. Taken from the first provider that is
	                             published. Memory is used only while a tracer is there; a
	                             killed one's goes back with the first fire after 3 s, or
	                             when the next tracer attaches. */
};

enum weir_probe_flag {
	WEIR_PROBE_SEMAPHORE = 1u << 0, /* a USDT semaphore for this probe */
	WEIR_PROBE_DEFER = 1u << 1,     /* on a published provider: wait for the next publish */
};

struct weir_probe_options {
	size_t size;
	uint32_t flags;        /* enum weir_probe_flag */
	uint32_t string_limit; /* bytes stored of a string or bytes field; 0: WEIR_STRING_LIMIT */
	struct weir_error *error;
	int32_t loglevel;  /* LTTng's, 0 (EMERG) .. 14 (DEBUG), plus one; 0: none given */
	uint32_t reserved; /* 0 */
};

struct weir_provider;

/*
 * A probe as the inline functions below see it. Read it through them only: the
 * library changes these words at publish, withdraw and destroy.
 */
struct weir_probe {
	/* First two bytes of the site: WEIR_SITE_OFF, or a tracer is there. */
	const volatile uint16_t *site;
	const volatile uint32_t *mask;  /* buffer sessions that asked for this probe */
	const volatile uint32_t *sinks; /* nonzero: others want the event, such as LTTng */
	uint64_t signature; /* count and classes of the arguments; 0: not through `fire` */
	void (*fire)(void); /* entry in the stub, called with the arguments as uint64_t */
};

#if defined(__x86_64__)
#define WEIR_SITE_OFF 0x6690u /* nop; nop10 */
#elif defined(__aarch64__)
#define WEIR_SITE_OFF 0x201fu /* nop */
#else
#define WEIR_SITE_OFF 0u
#endif

/* A probe that is always off and never changes: initialise your pointers with it. */
WEIR_API extern struct weir_probe weir_probe_off[1];

/*
 * Make a provider. Nothing is visible before publish. Names are [A-Za-z_][A-Za-z0-9_]*,
 * at most WEIR_NAME_MAX long.
 * -EINVAL: bad name or option; -EEXIST: this process has one of that name (see
 * weir_provider_find); -ENOMEM; -E2BIG.
 * The caller owns *ret and destroys it.
 */
WEIR_API int weir_provider_create(const char *name, const struct weir_provider_options *options,
                                  struct weir_provider **ret);

/* The provider of that name in this process, or -ENOENT. Borrowed: valid until it is destroyed. */
WEIR_API int weir_provider_find(const char *name, struct weir_provider **ret);

/*
 * Make its probes visible: writes the stub, loads it, announces the probes to buffers' tracers,
 * arms sessions that wait for them. A second call publishes the probes that were added with
 * WEIR_PROBE_DEFER; with nothing new it returns 0.
 * A part that cannot be had here (no executable mapping, no memfd, a limit) does not fail the
 * others: publish succeeds if USDT or buffers work, and weir_provider_error() says what is
 * missing. If neither works: -errno of the first reason; the probes stay off and can be fired.
 */
WEIR_API int weir_provider_publish(struct weir_provider *provider);

/* Take its probes away from tracers. They stay valid, off, and can be published again. */
WEIR_API int weir_provider_withdraw(struct weir_provider *provider);

/*
 * Withdraw and free. The provider and its probes must not be used afterwards; a fire that other
 * threads are in the middle of is safe only if they do not start another one. NULL is ignored.
 */
WEIR_API void weir_provider_destroy(struct weir_provider *provider);

/*
 * The last thing that did not work on this provider, with its reason and remedy; code 0 if there
 * is none. The copy is the caller's.
 */
WEIR_API void weir_provider_error(struct weir_provider *provider, struct weir_error *ret);

/*
 * Path of the provider's stub ("" while there is none; /proc/PID/fd/N for a memfd). Borrowed
 * until the next publish, withdraw or destroy.
 * Each publish writes a stub for the probes that are new, so a probe that is created on a
 * published provider has one of its own (WEIR_PROBE_DEFER and one publish gather several):
 * weir_provider_path() is the first one, weir_provider_path_at() each of them, from index 0 on;
 * NULL behind the last. Who attaches by path has to attach to all.
 */
WEIR_API const char *weir_provider_path(struct weir_provider *provider);
WEIR_API const char *weir_provider_path_at(struct weir_provider *provider, size_t index);

/*
 * Declare a probe. On a provider that is published already it is published at once, so that its
 * first event is seen, unless WEIR_PROBE_DEFER says to wait for the next publish.
 * -EINVAL: bad name, type, option, a name twice, or names that LTTng is asked for and that its
 * traces cannot hold (docs/lttng.md); -EEXIST: the provider has a probe of that
 * name (see weir_probe_find); -E2BIG: more than WEIR_FIELDS_MAX fields; -ENOSPC: 65,535 schemas
 * in this process; -ENOMEM.
 * The provider owns *ret.
 */
WEIR_API int weir_probe_create(struct weir_provider *provider, const char *name,
                               const struct weir_field *fields, size_t count,
                               const struct weir_probe_options *options, struct weir_probe **ret);

/* The probe of that name, or -ENOENT. Owned by the provider. */
WEIR_API int weir_probe_find(struct weir_provider *provider, const char *name,
                             struct weir_probe **ret);

/*
 * Is somebody looking? About half a nanosecond. Use it around work that only a tracer needs;
 * WEIR_FIRE does it itself.
 */
static inline bool weir_enabled(const struct weir_probe *probe)
{
	/* acquire: partner is the library's publish. A fire that sees its pointers sees the rest. */
	const volatile uint16_t *site = __atomic_load_n(&probe->site, __ATOMIC_ACQUIRE);
	const volatile uint32_t *mask = __atomic_load_n(&probe->mask, __ATOMIC_ACQUIRE);
	const volatile uint32_t *sinks = __atomic_load_n(&probe->sinks, __ATOMIC_ACQUIRE);

	return WEIR_UNLIKELY(((uint32_t)(*site ^ WEIR_SITE_OFF) |
	                      __atomic_load_n(mask, __ATOMIC_RELAXED) |
	                      __atomic_load_n(sinks, __ATOMIC_RELAXED)) != 0);
}

/* A value for weir_fire_values. */
union weir_value {
	int64_t i64;  /* WEIR_I8 .. WEIR_I64 */
	uint64_t u64; /* WEIR_U8 .. WEIR_U64 */
	float f32;
	double f64;
	bool boolean;
	const char *string;
	const void *pointer;
	struct {
		const void *data;
		size_t size;
	} bytes;
};

/*
 * Fire with one value per field, in order: for language bindings. 0 also when nobody looks.
 * -EINVAL: wrong count, also when nobody looks; weir_probe_off has no count and takes any. Safe in
 * signal handlers.
 */
WEIR_API int weir_fire_values(struct weir_probe *probe, const union weir_value *values,
                              size_t count);

/*
 * WEIR_FIRE(probe, ...): fire with one C argument per field (two for a bytes field: pointer,
 * size). Arguments are evaluated, once each, and checked, only when somebody looks; while nobody
 * does it is 0.
 * An int expression: 0, or -EINVAL when count or classes of the arguments do not fit the probe's
 * fields; then nothing is recorded.
 * Integers of any width fit any integer, bool or pointer field (low bits count); float and double
 * (also wider ones) fit either float type, and an integer fits a float field, where it is taken as
 * an int64_t: convert an unsigned one of 2^63 and more yourself. Strings and pointers fit string and
 * pointer fields. The types are known at run time only: WEIR_PROBE in <weir/probe.h> declares
 * probes whose wrong use does not compile.
 */
#define WEIR_FIRE(...) WEIR_CAT_(WEIR_CALL_, WEIR_COUNT_(__VA_ARGS__))(__VA_ARGS__)

/* Used by the macros. `args` has one word per argument, classes as in `signature`. */
WEIR_API int weir_fire_args(struct weir_probe *probe, uint64_t signature,
                            const uint64_t *args) WEIR_COLD;

#ifdef __cplusplus
} /* extern "C" */
#endif

#include <weir/fire.h>

#endif
