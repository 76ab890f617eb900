/* SPDX-License-Identifier: MIT */
/*
 * Types of a C header: a file that includes it is compiled with all types kept, and the object's
 * DWARF is converted; variables that it declares (`extern`) are kept for their types. The compiler's
 * own messages are part of the error, since they say what include path is missing.
 */
#include "types/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "types/error.h"
#include "types/header_cache.h"
#include "types/util.h"

#define ARGUMENTS_MAX 128

extern char **environ;

struct workplace {
	char dir[64], source[80], object[80], messages[80], files[80];
};

static int workplace_make(struct workplace *w)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(w->dir, sizeof(w->dir), "%s/weir-header-XXXXXX",
	         tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	if (!mkdtemp(w->dir))
		return -errno;
	snprintf(w->source, sizeof(w->source), "%s/header.c", w->dir);
	snprintf(w->object, sizeof(w->object), "%s/header.o", w->dir);
	snprintf(w->messages, sizeof(w->messages), "%s/messages", w->dir);
	snprintf(w->files, sizeof(w->files), "%s/files", w->dir);
	return 0;
}

static void workplace_remove(struct workplace *w)
{
	unlink(w->source);
	unlink(w->object);
	unlink(w->messages);
	unlink(w->files);
	rmdir(w->dir);
}

static int write_source(const struct workplace *w, const char *header)
{
	char real[PATH_MAX];
	FILE *f;
	int err;

	if (!realpath(header, real))
		return -errno;
	if (strpbrk(real, "\"\n\\"))
		return -EINVAL;
	f = fopen(w->source, "we");
	if (!f)
		return -errno;
	fprintf(f, "#include \"%s\"\n", real);
	err = ferror(f) ? -EIO : 0;
	return fclose(f) ? -errno : err;
}

static int run_compiler(const struct workplace *w, const char *cc, const char *const *cflags)
{
	static const char *const fixed[] = {
		"-g",  "-gdwarf-4", "-fno-eliminate-unused-debug-types", "-O0", "-w", "-c",
		"-MD", "-MF"
	};
	const char *argv[ARGUMENTS_MAX];
	posix_spawn_file_actions_t actions;
	size_t n = 0;
	pid_t pid;
	int status, err;

	argv[n++] = cc;
	for (; cflags && *cflags; cflags++) {
		if (n >= ARGUMENTS_MAX - 16)
			return -E2BIG;
		argv[n++] = *cflags;
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		argv[n++] = fixed[i];
	argv[n++] = w->files;
	argv[n++] = "-o";
	argv[n++] = w->object;
	argv[n++] = w->source;
	argv[n] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, w->messages,
	                                 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	err = posix_spawnp(&pid, argv[0], &actions, NULL, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ENOEXEC;
}

/* The first line that says "error", since a person fixes that one first. */
static void first_message(const struct workplace *w, char *line, size_t size)
{
	FILE *f = fopen(w->messages, "re");

	snprintf(line, size, "no message");
	while (f && fgets(line, size, f)) {
		line[strcspn(line, "\n")] = 0;
		if (strstr(line, "error"))
			break;
	}
	if (f)
		fclose(f);
}

static int compile(const struct workplace *w, const char *header, const char *cc,
                   const char *const *cflags, struct weir_error *err)
{
	char message[160];
	int code = write_source(w, header);

	if (code)
		return types_err(err, code, "%s: %s", header, strerror(-code));
	code = run_compiler(w, cc, cflags);
	if (code == -ENOEXEC) {
		first_message(w, message, sizeof(message));
		return types_err(err, -EINVAL, "%s does not compile: %s", header, message);
	}
	if (code)
		return types_err(err, code, "%s cannot be run: %s; name a compiler with --cc", cc,
		                 strerror(-code));
	return 0;
}

static int open_cached(const char *name, const struct types_options *opts, struct weir_error *err,
                       struct types **ret)
{
	struct source s = { .opts = opts, .err = err };
	struct image image;
	int code = header_cache_get(opts, name, &image);

	return code ? code : types_new(&s, &image, true, ret);
}

static int convert(const struct workplace *w, const struct types_options *opts,
                   struct weir_error *err, struct types **ret)
{
	struct types_options o = *opts;

	o.flags |= TYPES_NO_CACHE | TYPES_DECLARATIONS;
	return types_open(w->object, &o, err, ret);
}

int types_open_header(const char *header, const char *cc, const char *const *cflags,
                      const struct types_options *opts, struct weir_error *err, struct types **ret)
{
	static const struct types_options defaults;
	struct workplace w;
	time_t begun = time(NULL);
	char name[64];
	bool use_cache;
	int code = -ENOENT;

	opts = opts ?: &defaults;
	cc = cc ?: "cc";
	use_cache = !(opts->flags & TYPES_NO_CACHE) &&
	            header_cache_name(header, cc, cflags, name, sizeof(name));
	if (use_cache && !(opts->flags & TYPES_REBUILD))
		code = open_cached(name, opts, err, ret);
	if (code == -ENOENT) {
		code = workplace_make(&w);
		if (code)
			return types_err(err, code, "no temporary directory: %s", strerror(-code));
		code = compile(&w, header, cc, cflags, err) ?: convert(&w, opts, err, ret);
		if (!code && use_cache)
			header_cache_put(opts, name, w.files, begun, &(*ret)->image);
		workplace_remove(&w);
	}
	if (!code)
		types_set_header(*ret, header);
	return code;
}
