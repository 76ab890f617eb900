/* SPDX-License-Identifier: MIT */
/*
 * Types and symbols of one ELF file, as BTF and a sidecar.
 *
 * `types_open()` finds them wherever they are: in the cache, in a .BTF section, in DWARF (in the
 * file, in a separate debug file, in .dwo files), in a pack; and keeps what it converted in the
 * cache. What comes out is the same for all sources:
 *
 * - BTF, deduplicated and sorted by name (anonymous types first): type ids are places in that
 *   order. It is read with types_view(); everything libbpf has for BTF works on types_btf().
 * - symbols: what BTF lacks. Where a variable is, which unit it comes from, where a function's
 *   parameters are when it is entered.
 *
 * What BTF cannot say is said like this in it: `_Atomic` is left out; a C++ reference is a pointer
 * with TYPE_TAG "&" (or "&&") below it (a modifier: skip it like const); a base class is a member
 * named `__base_NAME`; a C++ or Rust name is mangled into an identifier where the kernel wants one
 * (docs/types.md has the table).
 *
 * Errors: 0 or -errno; *ret is left alone on failure; `err` (may be NULL) gets a sentence.
 * Threads: an opened `struct types` may be read by many threads (by libbpf's functions, once
 * types_btf() was called); opening may happen in any number of threads and processes at once.
 * Memory: everything that is returned is owned by `struct types` and lives until types_close().
 */
#ifndef WEIR_TYPES_TYPES_H
#define WEIR_TYPES_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/weir.h>

struct btf;
struct btf_view;
struct types;

enum types_source {
	TYPES_FROM_NONE,   /* no types; symbols of .symtab only (TYPES_ALLOW_NONE) */
	TYPES_FROM_BTF,    /* a .BTF section, where there is no DWARF */
	TYPES_FROM_DWARF,  /* DWARF of the file or of its debug file */
	TYPES_FROM_HEADER, /* a header, compiled */
	TYPES_FROM_PACK,   /* a pack found by build-id */
};

enum types_open_flag {
	TYPES_NO_CACHE = 1u << 0,     /* neither read nor write the cache */
	TYPES_REBUILD = 1u << 1,      /* convert again, replace what is cached */
	TYPES_ALLOW_NONE = 1u << 2,   /* no types anywhere: succeed with what .symtab has */
	TYPES_DECLARATIONS = 1u << 3, /* variables that are only declared, too: without a place */
	TYPES_SYMBOL_TABLE = 1u << 4, /* what .symtab has and nothing else, no types */
};

/* Zero is the default of every member. `size` is sizeof the struct. */
struct types_options {
	size_t size;
	uint32_t flags;         /* enum types_open_flag */
	uint32_t jobs;          /* workers; 0: as many as help. The result does not depend on it */
	const char *cache_dir;  /* instead of $XDG_CACHE_HOME/weir/types */
	const char *debug_dirs; /* instead of /usr/lib/debug; colon-separated */
	const char
	    *pack_dirs; /* instead of $WEIR_TYPES_PATH, /usr/share/weir/types; colon-separated */
	const char
	    *sysroot; /* prefix of debug_dirs, for a target in another root (/proc/PID/root) */
	/* bytes of DWARF; from any worker, one at a time */
	void (*progress)(void *arg, size_t done, size_t total);
	void *progress_arg;
};

/* -ENOENT: the file is not there; -ENODATA: no types anywhere (the message says where it looked);
 * -ENOEXEC: not an ELF file; -EBADMSG: malformed; -ENOMEM, -EACCES. */
int types_open(const char *path, const struct types_options *opts, struct weir_error *err,
               struct types **ret);
/* The same for a file that is open (/proc/PID/map_files, a memfd); fd stays the caller's. `path`
 * is used in messages and for finding the debug file beside it; may be NULL. */
int types_open_fd(int fd, const char *path, const struct types_options *opts,
                  struct weir_error *err, struct types **ret);
/* Types of a C header: compiled with `cc` (NULL: cc) and `cflags` (NULL-ended, may be NULL). Has
 * no symbols. */
int types_open_header(const char *header, const char *cc, const char *const *cflags,
                      const struct types_options *opts, struct weir_error *err, struct types **ret);
void types_close(struct types *types); /* NULL is ignored */

/* Facts about what was opened. */
enum types_source types_source(const struct types *types);
bool types_from_cache(const struct types *types);
const char *types_path(const struct types *types);       /* the ELF */
const char *types_debug_path(const struct types *types); /* where the DWARF was; may equal it */
const char *types_build_id(const struct types *types);   /* lower-case hex; "" if it has none */
int types_pointer_size(const struct types *types);       /* 4 or 8 */
bool types_big_endian(const struct types *types);

/* The BTF, where it lies (btf_view.h). Borrowed. */
const struct btf_view *types_view(const struct types *types);
/* The BTF as libbpf has it: copied and parsed at the first call, then kept. NULL: out of memory (errno). Borrowed. */
struct btf *types_btf(struct types *types);
/* The same as bytes (native order), without parsing. */
const void *types_raw(const struct types *types, size_t *ret_size);

/* What the conversion could not express. `what` is e.g. "Rust enum without discriminant". */
struct types_loss {
	const char *what;
	const char *example; /* a name, "" if there is none */
	uint64_t count;
	bool note; /* nothing about the layout is wrong or missing, it is only said differently */
};
size_t types_losses(const struct types *types, const struct types_loss **ret);

/*
 * Types by name. `name` may be "struct x", "union x", "enum x" or plain "x" (any of the kinds,
 * typedef and base types too); "unit.c::x" narrows to types that unit defines. C++ and Rust
 * names may be given as the source has them ("ns::cls", "std::vector<int>") or mangled. Several
 * complete types of one name and kind may exist: all are returned, complete ones first.
 */
struct types_type {
	const char *name; /* as in the BTF */
	uint32_t id;
	uint32_t kind;    /* BTF_KIND_* */
	const char *unit; /* a unit that defines it (path as DWARF has it); "" if unknown */
};
/* Calls fn for each; a nonzero return of fn ends the walk and is returned. */
typedef int (*types_type_fn)(const struct types_type *type, void *arg);
int types_find_type(struct types *types, const char *name, types_type_fn fn, void *arg);
/* The same for a shell glob over names (fnmatch); "*" is everything that has a name. */
int types_glob_type(struct types *types, const char *glob, types_type_fn fn, void *arg);
/* The type of the variable that the types declare without a place (a header's); 0: none. */
uint32_t types_declared(struct types *types, const char *name);
/* Nearest name of a type or symbol, for "did you mean"; NULL if none is near. Borrowed. */
const char *types_nearest(struct types *types, const char *name, bool want_symbol);

/* Does it narrow to a unit, "unit.c::x"? */
bool types_names_unit(const char *name);

enum types_symbol_kind {
	TYPES_VARIABLE,     /* address */
	TYPES_TLS_VARIABLE, /* address is the offset in the module's TLS block (see below) */
	TYPES_FUNCTION,     /* address of its entry; type_id is a BTF_KIND_FUNC_PROTO */
	TYPES_CONSTANT,     /* no memory: value */
};

enum types_symbol_flag {
	TYPES_SYMBOL_STATIC = 1u << 0,  /* not visible outside its unit */
	TYPES_SYMBOL_LOCAL = 1u << 1,   /* static of a function: `scope` ends with its name */
	TYPES_SYMBOL_NO_TYPE = 1u << 2, /* from .symtab only: type_id is 0 */
	TYPES_SYMBOL_NO_PLACE = 1u
	                        << 3, /* the debug information does not say where: why in `place` */
	TYPES_SYMBOL_INLINED = 1u << 4, /* function: some or all of its calls are inlined */
};

/*
 * A symbol. Addresses are those of the file (st_value); in a process add the load bias. A TLS
 * offset counts from the start of the module's PT_TLS image, as __tls_get_addr takes it.
 */
struct types_symbol {
	const char *name;
	const char *linkage_name; /* mangled; equals name in C */
	enum types_symbol_kind kind;
	uint32_t flags; /* enum types_symbol_flag */
	uint32_t type_id;
	uint32_t params;   /* function: number of parameters; use types_param() */
	uint64_t address;  /* or TLS offset, or value */
	uint64_t size;     /* of the variable, or of the function's code; 0: unknown */
	const char *unit;  /* compile unit, path as DWARF has it; "" if unknown */
	const char *scope; /* "ns::cls", or the function of a local static; "" for none */
	uint32_t index;    /* for types_param(), and types_symbol_at() */
};
typedef int (*types_symbol_fn)(const struct types_symbol *symbol, void *arg);

/*
 * Symbols by name: "name", "unit.c::name" (the unit's last path component, or more of them:
 * "src/unit.c::name"), "function::static" for a local static, "ns::name", or a linkage name.
 * All candidates, variables before functions, external before static, then by address.
 */
int types_find_symbol(struct types *types, const char *name, types_symbol_fn fn, void *arg);
int types_glob_symbol(struct types *types, const char *glob, types_symbol_fn fn, void *arg);
/* The function whose code has, or variable whose memory has, this address of the file.
 * -ENOENT: none. */
int types_symbol_by_address(struct types *types, uint64_t address, struct types_symbol *ret);

enum types_place {
	TYPES_IN_REGISTER, /* reg: DWARF number; two registers if size > 8 (reg2, else -1) */
	TYPES_ON_STACK,    /* offset from the stack pointer at entry (return address at 0) */
	TYPES_IN_MEMORY,   /* reg holds its address (large struct passed by reference) */
	TYPES_NOWHERE,     /* optimised out, or cannot be known for certain */
};

/* Where parameter `n` is at the function's entry. */
struct types_param {
	const char *name; /* "" if it has none */
	uint32_t type_id;
	enum types_place place;
	int16_t reg, reg2;
	int32_t offset;
	bool from_dwarf; /* else from the calling convention of the architecture */
};
/* -ERANGE: no such parameter. */
int types_param(struct types *types, const struct types_symbol *symbol, uint32_t n,
                struct types_param *ret);

#endif
