/* SPDX-License-Identifier: MIT */
#include "cli/ruby_frames.h"

#include <errno.h>
#include <glob.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "types/ruby_frames.h"

/* The interpreter's version, "3.1.2". */
static int read_version(struct target *t, char *buf, size_t size)
{
	const struct expr_memory *memory = target_memory(t);
	struct expr_symbol version;
	int rc = space_find_symbol(target_space(t), "ruby_version", &version);

	if (rc)
		return rc;
	memset(buf, 0, size);
	rc = memory->read(memory->ctx, version.address, buf, size - 1);
	if (!rc && strspn(buf, "0123456789.abcdefghijklmnopqrstuvwxyz") != strlen(buf))
		rc = -EBADMSG;
	return rc;
}

static bool has_types(struct target *t)
{
	const struct expr_names *names = space_names(target_space(t));
	struct expr_candidate found[1];

	return names->type(names->ctx, "struct", "rb_vm_struct", found, 1) > 0 &&
	       found[0].type->kind == CTYPE_STRUCT;
}

/* Its JIT compiler's header has all internal types; Debian's ruby-dev has it, up to Ruby 3.2. */
static int add_jit_header(struct target *t, const char *version)
{
	static const char *const places[] = {
		"/usr/include/*/ruby-*/rb_mjit_min_header-%s.h",
		"/usr/include/ruby-*/*/rb_mjit_min_header-%s.h",
		"/usr/local/include/ruby-*/*/rb_mjit_min_header-%s.h"
	};
	struct weir_error err = { 0 };
	struct types *types;
	char pattern[128];
	glob_t found;
	int rc = -ENOENT;

	for (size_t i = 0; rc == -ENOENT && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(pattern, sizeof(pattern), places[i], version);
		if (glob(pattern, 0, NULL, &found))
			continue;
		/* clang rejects this header; its warnings are Ruby's own. */
		rc = types_open_header(found.gl_pathv[0], "gcc", NULL, NULL, &err, &types);
		globfree(&found);
	}
	if (rc == -ENOENT)
		return rc;
	if (rc) {
		cli_fail_error(&err);
		return rc;
	}
	return space_add_types(target_space(t), types);
}

static int need_types(struct target *t)
{
	char version[16];
	int rc;

	if (has_types(t))
		return 0;
	rc = read_version(t, version, sizeof(version));
	if (rc) {
		cli_fail("this is no Ruby process: none of its files has the symbol ruby_version");
		return rc;
	}
	rc = add_jit_header(t, version);
	if (rc == -ENOENT)
		cli_fail(
		    "the types of Ruby %s are not known: libruby has no debug information, and "
		    "there is no rb_mjit_min_header-%s.h; install ruby-dev of that version "
		    "(Ruby before 3.3) or libruby's debug symbols",
		    version, version);
	return rc;
}

bool ruby_add_types(struct target *t)
{
	char version[16];

	/* By its name: asking every library of any program for a symbol would take longer. */
	if (!target_image_path(t, "libruby") && !target_image_path(t, "ruby"))
		return false;
	return !has_types(t) && !read_version(t, version, sizeof(version)) &&
	       !add_jit_header(t, version);
}

static void print_json(struct sink *sink, FILE *to)
{
	struct json_object *object = json_object_new_object(), *notes;

	json_object_object_add(object, "expression", json_object_new_string("ruby:frames"));
	json_object_object_add(object, "value", sink_json_take(sink));
	notes = sink_json_notes(sink);
	if (notes)
		json_object_object_add(object, "notes", notes);
	fprintf(to, "%s\n",
	        json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
	                                                   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

int ruby_frames_show(struct target *t, struct format *format, bool json, FILE *to)
{
	struct sink *sink;
	int rc = need_types(t);

	if (rc)
		return rc;
	sink = json ? sink_json_create() : sink_text_create(to);
	if (!sink)
		return -ENOMEM;
	rc = ruby_frames(format, sink);
	if (!rc && json)
		print_json(sink, to);
	else if (!rc)
		fputc('\n', to);
	sink_destroy(sink);
	if (rc == -ENODATA)
		cli_fail("no Ruby VM runs in this process (yet, or any more)");
	else if (rc && !target_gone(t))
		cli_fail("Ruby's frames cannot be read: %s", strerror(-rc));
	return rc;
}
