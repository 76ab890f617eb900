/* SPDX-License-Identifier: MIT */
/* weir types: BTF of any program, library or header. */
#include "cli/cmd.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/replace.h"
#include "types/btf_view.h"
#include "types/c_write.h"
#include "types/embed.h"
#include "types/types.h"

struct types_args {
	const char *output;
	const char *cc;
	const char *cflags[64];
	size_t cflags_count;
	bool header, embed, c, allow_loss, kernel;
	struct types_options opts;
};

static const char usage_text[] =
    "usage: weir types build [OPTIONS] FILE      make BTF: FILE.btf, or as -o says\n"
    "       weir types dump  [OPTIONS] FILE [TYPE]  print all types, or one\n"
    "       weir types find  [OPTIONS] FILE GLOB    list types and symbols by name\n"
    "\n"
    "  -o, --output FILE     where build writes the BTF (- is standard output)\n"
    "      --embed           build: put it into FILE itself, as its .BTF section\n"
    "      --header          FILE is a C header: compile it\n"
    "      --cc CC           compiler for --header (cc)\n"
    "      --cflag FLAG      a flag for it; may be repeated\n"
    "      --c               dump: as C\n"
    "      --allow-loss      succeed although something could not be expressed\n"
    "      --no-cache        neither read nor write the cache\n"
    "      --rebuild         convert again what is cached\n"
    "      --debug-dir DIRS  instead of /usr/lib/debug; colon-separated\n"
    "  -j, --jobs N          workers of a conversion; by default as many as help\n"
    "  -h, --help\n";

enum {
	OPT_EMBED = 256,
	OPT_HEADER,
	OPT_CC,
	OPT_CFLAG,
	OPT_C,
	OPT_ALLOW_LOSS,
	OPT_NO_CACHE,
	OPT_REBUILD,
	OPT_DEBUG_DIR,
};

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "embed", no_argument, NULL, OPT_EMBED },
	{ "header", no_argument, NULL, OPT_HEADER },
	{ "cc", required_argument, NULL, OPT_CC },
	{ "cflag", required_argument, NULL, OPT_CFLAG },
	{ "c", no_argument, NULL, OPT_C },
	{ "allow-loss", no_argument, NULL, OPT_ALLOW_LOSS },
	{ "no-cache", no_argument, NULL, OPT_NO_CACHE },
	{ "rebuild", no_argument, NULL, OPT_REBUILD },
	{ "debug-dir", required_argument, NULL, OPT_DEBUG_DIR },
	{ "jobs", required_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL },
};

static bool parse_jobs(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = n;
	return *text >= '0' && *text <= '9' && !*end && n >= 1 && n <= 64;
}

/* 0, or 2 for wrong usage; -1: help was printed. */
static int parse(int argc, char **argv, struct types_args *a)
{
	int opt;

	memset(a, 0, sizeof(*a));
	a->opts.size = sizeof(a->opts);
	optind = 1;
	while ((opt = getopt_long(argc, argv, "o:j:h", options, NULL)) != -1) {
		switch (opt) {
		case 'o':
			a->output = optarg;
			break;
		case OPT_EMBED:
			a->embed = true;
			break;
		case OPT_HEADER:
			a->header = true;
			break;
		case OPT_CC:
			a->cc = optarg;
			break;
		case OPT_CFLAG:
			if (a->cflags_count + 1 >= sizeof(a->cflags) / sizeof(*a->cflags))
				return 2;
			a->cflags[a->cflags_count++] = optarg;
			break;
		case OPT_C:
			a->c = true;
			break;
		case OPT_ALLOW_LOSS:
			a->allow_loss = true;
			break;
		case OPT_NO_CACHE:
			a->opts.flags |= TYPES_NO_CACHE;
			break;
		case OPT_REBUILD:
			a->opts.flags |= TYPES_REBUILD;
			break;
		case OPT_DEBUG_DIR:
			a->opts.debug_dirs = optarg;
			break;
		case 'j':
			if (!parse_jobs(optarg, &a->opts.jobs)) {
				cli_fail("--jobs %s: a number from 1 to 64 is wanted", optarg);
				return 2;
			}
			break;
		case 'h':
			fputs(usage_text, stdout);
			return -1;
		default:
			return 2;
		}
	}
	return 0;
}

/* --- progress and losses --- */

#define BAR 40

static void show_progress(void *arg, size_t done, size_t total)
{
	static const char full[] = "########################################";
	int *last = arg, percent = total ? (int)(done * 100 / total) : 100;

	if (percent == *last)
		return;
	*last = percent;
	fprintf(stderr, "\r[%-*.*s] %3d%%", BAR, percent * BAR / 100, full, percent);
	if (percent >= 100)
		fprintf(stderr, "\r\033[K");
	fflush(stderr);
}

static int open_types(const char *file, struct types_args *a, struct types **ret)
{
	struct weir_error err = { 0 };
	int last = -1, code;

	if (isatty(STDERR_FILENO)) {
		a->opts.progress = show_progress;
		a->opts.progress_arg = &last;
	}
	if (a->header)
		code = types_open_header(file, a->cc, a->cflags, &a->opts, &err, ret);
	else
		code = types_open(file, &a->opts, &err, ret);
	if (code && last >= 0)
		fprintf(stderr, "\r\033[K");
	return code ? cli_fail_error(&err) : 0;
}

/* What was lost goes to stderr; returns 1 if that makes the command fail. */
static int report_losses(const struct types *types, const struct types_args *a)
{
	const struct types_loss *list;
	size_t count = types_losses(types, &list);
	uint64_t lost = 0;

	for (size_t i = 0; i < count; i++) {
		fprintf(stderr, "weir: %s: %llu x %s%s%s\n", list[i].note ? "note" : "lost",
		        (unsigned long long)list[i].count, list[i].what,
		        *list[i].example ? ", e.g. " : "", list[i].example);
		if (!list[i].note)
			lost += list[i].count;
	}
	if (!lost || a->allow_loss)
		return 0;
	return cli_fail("%s: %llu things could not be expressed (listed above); --allow-loss "
	                "accepts that",
	                types_path(types), (unsigned long long)lost);
}

/* --- build --- */

/* Behind typedefs and modifiers; NULL: void, or a malformed chain. */
static const struct btf_type *real_type(const struct btf_view *btf, uint32_t id)
{
	const struct btf_type *t = btf_view_type(btf, id);

	for (int i = 0; t && (btf_is_mod(t) || btf_is_typedef(t)); i++)
		t = i < 64 ? btf_view_type(btf, t->type) : NULL;
	return t;
}

/* The kernel takes a real number only at a multiple of its size (of 8, if it is larger). */
static bool is_misplaced(const struct btf_view *btf, const struct btf_type *t, uint32_t i)
{
	uint32_t at = btf_member_bit_offset(t, i);
	const struct btf_type *real = at % 64 ? real_type(btf, btf_members(t)[i].type) : NULL;

	return real && btf_is_float(real) && at % (8 * (real->size < 8 ? real->size : 8));
}

/* Most programs have none: this must not cost what parsing the BTF does. */
static void note_floats(const struct types *types)
{
	const struct btf_view *btf = types_view(types);
	const char *example = "";
	size_t count = 0;

	for (uint32_t id = 1; id < btf->count; id++) {
		const struct btf_type *t = btf_view_type(btf, id);

		for (uint32_t i = 0; btf_is_composite(t) && i < btf_vlen(t); i++) {
			if (!is_misplaced(btf, t, i))
				continue;
			count++;
			example = *example ? example : btf_view_name(btf, t->name_off);
		}
	}
	if (count)
		fprintf(stderr,
		        "weir: note: %zu x real number at a place (packed, 32-bit) for which the "
		        "kernel refuses this BTF, e.g. in %s\n",
		        count, *example ? example : "a struct without a name");
}

static int build(const char *file, const struct types_args *a, struct types *types)
{
	size_t size;
	const void *raw = types_raw(types, &size);
	struct weir_error err = { 0 };
	char path[4096];

	if (report_losses(types, a))
		return 1;
	note_floats(types);
	if (a->embed && types_embed(file, raw, size, &err))
		return cli_fail_error(&err);
	if (a->embed && !a->output)
		return 0;
	if (a->output && !strcmp(a->output, "-"))
		return fwrite(raw, 1, size, stdout) != size || fflush(stdout)
		           ? cli_fail("standard output: %s", strerror(errno))
		           : 0;
	snprintf(path, sizeof(path), "%s.btf", file);
	return replace_file(a->output ? a->output : path, raw, size, &err) ? cli_fail_error(&err)
	                                                                   : 0;
}

/* --- dump --- */

struct ids {
	uint32_t *list;
	size_t count;
};

static int collect_id(const struct types_type *t, void *arg)
{
	struct ids *ids = arg;
	uint32_t *bigger = reallocarray(ids->list, ids->count + 1, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	ids->list = bigger;
	ids->list[ids->count++] = t->id;
	return 0;
}

/* What the C lacks; returns 1 if that makes the command fail. */
static int report_c_losses(const struct types *types, const struct c_losses *losses,
                           bool allow_loss)
{
	size_t lost = 0;

	for (int i = 0; i < C_LOSS_COUNT; i++) {
		if (!losses->list[i].count)
			continue;
		lost += losses->list[i].count;
		cli_fail("%s: %zu %s, e.g. %s%s", types_path(types), losses->list[i].count,
		         c_loss_text(i), losses->list[i].example,
		         allow_loss ? "" : "; --allow-loss accepts that");
	}
	return lost && !allow_loss;
}

static int dump_c(struct types *types, const struct ids *ids, bool allow_loss)
{
	struct c_losses losses;
	int err = c_write(types_btf(types), ids->list, ids->count, stdout, &losses);

	if (err == -E2BIG)
		return cli_fail("%s: cannot be written as C: types without a name contain each "
		                "other too often",
		                types_path(types));
	if (err)
		return cli_fail("%s: cannot be written as C: %s", types_path(types),
		                strerror(-err));
	return report_c_losses(types, &losses, allow_loss);
}

static const char *const kind_names[] = { "VOID",    "INT",        "PTR",      "ARRAY",
	                                  "STRUCT",  "UNION",      "ENUM",     "FWD",
	                                  "TYPEDEF", "VOLATILE",   "CONST",    "RESTRICT",
	                                  "FUNC",    "FUNC_PROTO", "VAR",      "DATASEC",
	                                  "FLOAT",   "DECL_TAG",   "TYPE_TAG", "ENUM64" };

static void dump_members(const struct btf *btf, const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t offset = btf_member_bit_offset(t, i),
		         bits = btf_member_bitfield_size(t, i);

		printf("\t'%s' type_id=%u bits_offset=%u", btf__name_by_offset(btf, m[i].name_off),
		       m[i].type, offset);
		if (bits)
			printf(" bitfield_size=%u", bits);
		putchar('\n');
	}
}

static void dump_values(const struct btf *btf, const struct btf_type *t)
{
	bool is_signed = btf_kflag(t), wide = btf_kind(t) == BTF_KIND_ENUM64;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t name = wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;
		int64_t value = wide        ? (int64_t)btf_enum64_value(&btf_enum64(t)[i])
		                : is_signed ? btf_enum(t)[i].val
		                            : (int64_t)(uint32_t)btf_enum(t)[i].val;

		if (is_signed)
			printf("\t'%s' val=%lld\n", btf__name_by_offset(btf, name),
			       (long long)value);
		else
			printf("\t'%s' val=%llu\n", btf__name_by_offset(btf, name),
			       (unsigned long long)value);
	}
}

/* One type a line, as bpftool prints them. */
static void dump_raw(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const char *name = btf__name_by_offset(btf, t->name_off);

	printf("[%u] %s '%s'", id, kind_names[btf_kind(t)], *name ? name : "(anon)");
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		printf(" size=%u bits=%u%s\n", t->size, btf_int_bits(t),
		       btf_int_encoding(t) & BTF_INT_SIGNED ? " signed"
		       : btf_int_encoding(t) & BTF_INT_BOOL ? " bool"
		                                            : "");
		break;
	case BTF_KIND_ARRAY:
		printf(" type_id=%u nr_elems=%u\n", btf_array(t)->type, btf_array(t)->nelems);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		printf(" size=%u vlen=%u\n", t->size, btf_vlen(t));
		dump_members(btf, t);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		printf(" size=%u vlen=%u\n", t->size, btf_vlen(t));
		dump_values(btf, t);
		break;
	case BTF_KIND_FUNC_PROTO:
		printf(" ret_type_id=%u vlen=%u\n", t->type, btf_vlen(t));
		for (uint32_t i = 0; i < btf_vlen(t); i++)
			printf("\t'%s' type_id=%u\n",
			       btf__name_by_offset(btf, btf_params(t)[i].name_off),
			       btf_params(t)[i].type);
		break;
	case BTF_KIND_FLOAT:
		printf(" size=%u\n", t->size);
		break;
	case BTF_KIND_FWD:
		printf(" %s\n", btf_kflag(t) ? "union" : "struct");
		break;
	default:
		printf(" type_id=%u\n", t->type);
	}
}

static int dump(const char *name, const struct types_args *a, struct types *types)
{
	struct btf *btf = types_btf(types);
	struct ids ids = { 0 };
	int ret = 0;

	if (!btf)
		return cli_fail("%s: %s", types_path(types), strerror(errno));
	if (name) {
		ret = types_find_type(types, name, collect_id, &ids);
		if (!ids.count) {
			const char *tag = strrchr(name, ' ');
			const char *near = types_nearest(types, tag ? tag + 1 : name, false);

			return cli_fail("%s: no type `%s`%s%s%s", types_path(types), name,
			                near ? "; did you mean `" : "", near ? near : "",
			                near ? "`?" : "");
		}
	}
	if (ret) {
		ret = cli_fail("out of memory");
	} else if (a->c) {
		ret = dump_c(types, &ids, a->allow_loss);
	} else if (name) {
		for (size_t i = 0; i < ids.count; i++)
			dump_raw(btf, ids.list[i]);
	} else {
		for (uint32_t id = 1; id < btf__type_cnt(btf); id++)
			dump_raw(btf, id);
	}
	free(ids.list);
	/* Whether it has to do with one type is not known. */
	return (!name && report_losses(types, a)) || ret;
}

/* --- find --- */

static int print_type(const struct types_type *t, void *arg)
{
	size_t *count = arg;

	printf("%-10s %-40s [%u]%s%s\n", kind_names[t->kind], t->name, t->id, *t->unit ? "  " : "",
	       t->unit);
	(*count)++;
	return 0;
}

static int print_symbol(const struct types_symbol *s, void *arg)
{
	static const char *const names[] = { "variable", "tls", "function", "constant" };
	size_t *count = arg;

	printf("%-10s %s%s%-40s ", names[s->kind], s->scope, *s->scope ? "::" : "", s->name);
	if (s->flags & TYPES_SYMBOL_NO_PLACE)
		printf("no fixed place");
	else if (s->kind == TYPES_CONSTANT)
		printf("= %lld", (long long)s->address);
	else
		printf("0x%llx", (unsigned long long)s->address);
	printf(" size=%llu type=[%u]%s%s%s\n", (unsigned long long)s->size, s->type_id,
	       s->flags & TYPES_SYMBOL_STATIC ? " static" : "", *s->unit ? "  " : "", s->unit);
	(*count)++;
	return 0;
}

static int find(const char *glob, struct types *types)
{
	size_t count = 0;

	types_glob_type(types, glob, print_type, &count);
	types_glob_symbol(types, glob, print_symbol, &count);
	return count ? 0 : cli_fail("%s: nothing matches `%s`", types_path(types), glob);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

int cmd_types(int argc, char **argv)
{
	struct types_args a;
	struct types *types;
	const char *verb, *file, *third;
	int ret = parse(argc, argv, &a);

	if (ret < 0)
		return 0;
	if (ret || argc - optind < 2 || argc - optind > 3) {
		fputs(usage_text, stderr);
		return 2;
	}
	verb = argv[optind];
	file = argv[optind + 1];
	third = argv[optind + 2];
	if (strcmp(verb, "build") && strcmp(verb, "dump") && strcmp(verb, "find")) {
		cli_fail("weir types has no verb `%s`: build, dump, find", verb);
		return 2;
	}
	if ((*verb == 'f') != !!third && *verb != 'd') {
		fputs(usage_text, stderr);
		return 2;
	}
	libbpf_set_print(quiet);
	ret = open_types(file, &a, &types);
	if (ret)
		return ret;
	if (*verb == 'b')
		ret = build(file, &a, types);
	else if (*verb == 'd')
		ret = dump(third, &a, types);
	else
		ret = find(third, types);
	types_close(types);
	return ret;
}
