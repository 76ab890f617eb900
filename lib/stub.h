/* SPDX-License-Identifier: MIT */
/*
 * The stub: a small ELF shared object that makes probes visible to every tool that reads SDT
 * notes. stub_elf.c turns descriptions into bytes and touches nothing else; stub_file.c puts the
 * bytes where tools find them and loads them. Machine code that is made for LTTng payloads is put
 * and loaded in the same way, in a file of its own, so that the stub of a provider is the same
 * file whether a process records with LTTng or not.
 *
 * Per probe it holds
 *   thunk   the entry that a fire calls with the arguments as C's uint64_t parameters:
 *           `mov block+0(%rip), %r10; jmp *block+8(%rip)`
 *   site    `nop; nop10; ret`, not across a page: what tracers patch. Called (or jumped to) with
 *           the same arguments in the same places as the thunk.
 *   way     for probes with i8 or i16 fields: code that sign-extends these arguments and jumps to
 *           the site. Callers pass words of which the low bits count, and tools read narrow
 *           signed ones as 32 bits (perf prints others wrongly).
 *   block   two writable words, {context, entry}: set by the library after loading
 *   semaphore, on request: one writable u16
 * and the notes .note.stapsdt and .note.weir, symbols, .eh_frame and a build-id. The bytes depend
 * on nothing but the descriptions: processes that publish the same provider share one file.
 */
#ifndef WEIR_LIB_STUB_H
#define WEIR_LIB_STUB_H

#include <weir/abi/note.h>
#include <weir/weir.h>

struct stub_probe {
	const struct weir_note *note; /* in: whole note, site and semaphore 0; borrowed */
	bool semaphore;               /* in */
	/* out: offsets from the load address */
	uint64_t thunk;
	uint64_t site; /* where tracers are; its first bytes say whether */
	uint64_t call; /* what to call with the arguments: the site, or the way to it, see below */
	uint64_t block;
	uint64_t semaphore_at; /* 0: none */
};

struct stub_block {
	void *context;
	void (*entry)(void);
};

/*
 * Write the ELF image for `count` probes of one provider and fill their `out` members.
 * *image is malloc'd and the caller's. -ENOMEM; -EINVAL with a reason for what no tool could read.
 */
int stub_build(struct stub_probe *probes, size_t count, uint8_t **image, size_t *size,
               struct weir_error *err);

/* A function for an image without probes. */
struct stub_code {
	const char *name; /* of its symbol; borrowed, as all here */
	const uint8_t *bytes;
	size_t size;
	/* where its caller is at each instruction: DWARF, after what stub_arch.cfi says of its first */
#define STUB_CFI_MAX 31
	const uint8_t *cfi;
	uint8_t cfi_size;
	uint64_t at; /* out: offset from the load address */
};

/* Write the image of `count` functions and fill in where they are. -ENOMEM. */
int stub_build_code(const char *name, struct stub_code *codes, size_t count, uint8_t **image,
                    size_t *size);

/* The build-id of an image. */
#define STUB_ID_SIZE 20
const uint8_t *stub_id(const uint8_t *image);

/* The file's name, PROVIDER-HASH.so; also its soname. */
#define STUB_NAME_SIZE (WEIR_NAME_MAX + 1 + 16 + 3 + 1)
void stub_name(const char *provider, const uint8_t *image, char name[STUB_NAME_SIZE]);

struct stub_file {
	char path[256]; /* as tools find it; /proc/PID/fd/N for a memfd */
	int fd;         /* a memfd that must stay open, or -1 */
	void *handle;   /* of dlopen; never dlclosed; NULL where the libc has none */
	uintptr_t base; /* load address */
};

/*
 * Find or make the file that holds these bytes and load it. `dir` NULL: $WEIR_DIR,
 * $XDG_RUNTIME_DIR/weir, /tmp/weir-UID, whichever is first usable; a memfd if `memfd`, under
 * AT_SECURE, or where no folder can be used. The folder is code that gets loaded: it must belong to
 * the effective uid with mode 0700 and be no symlink, and nobody else may be able to replace it or
 * a folder above it; an existing file is used only if its bytes are the same. An image of the same
 * content that is loaded already (a withdrawn provider published again) is returned again instead
 * of loading a second copy. Nothing is ever unloaded.
 *
 * *err may be filled in although 0 is returned: it then says why tools find the stub at a less
 * convenient place than the first choice, and is left alone (the caller sets code to 0) otherwise.
 *
 * Several threads may call it at once. It takes the dynamic loader's lock, so that its caller must hold
 * none (lock.c), and weir_lock for moments.
 */
int stub_load(const char *provider, const char *dir, bool memfd, const uint8_t *image, size_t size,
              struct stub_file *ret, struct weir_error *err);

#endif
