/* SPDX-License-Identifier: MIT */
/* What a trace says of itself: the metadata, and the same as JSON. Both are replaced as a whole. */
#include "reader/ctf_writer.h"

#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int file_replace(int dir, const char *name, const char *text, size_t size)
{
	char temporary[64];
	int fd, code = 0;

	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	while (size && !code) {
		ssize_t n = write(fd, text, size);

		if (n < 0)
			code = -errno;
		else
			text += n, size -= (size_t)n;
	}
	close(fd);
	if (!code && renameat(dir, temporary, dir, name))
		code = -errno;
	if (code)
		unlinkat(dir, temporary, 0);
	return code;
}

static json_object *probe_json(const struct schema_probe *p)
{
	json_object *o = json_object_new_object(), *fields = json_object_new_array();

	json_object_object_add(o, "id", json_object_new_int(p->id));
	json_object_object_add(o, "provider", json_object_new_string(p->provider));
	json_object_object_add(o, "probe", json_object_new_string(p->name));
	for (uint32_t i = 0; i < p->count; i++) {
		json_object *f = json_object_new_object();

		json_object_object_add(f, "name", json_object_new_string(p->fields[i].name));
		json_object_object_add(f, "type",
		                       json_object_new_string(schema_type_name(p->fields[i].type)));
		json_object_array_add(fields, f);
	}
	json_object_object_add(o, "fields", fields);
	return o;
}

static int sidecar_write(const struct ctf_writer *w, const struct ctf_clock *clock,
                         const struct schema *schema)
{
	json_object *o = json_object_new_object(), *probes = json_object_new_array();
	json_object *c = json_object_new_object();
	const char *text;
	size_t size;
	int code;

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "pid", json_object_new_int(w->target.pid));
	json_object_object_add(o, "inner_pid", json_object_new_int(w->target.inner_pid));
	json_object_object_add(o, "process", json_object_new_string(w->process));
	json_object_object_add(o, "command", json_object_new_string(w->command));
	json_object_object_add(o, "hostname", json_object_new_string(w->hostname));
	json_object_object_add(c, "hz", json_object_new_uint64(clock->hz));
	json_object_object_add(c, "offset_s", json_object_new_int64(clock->offset_s));
	json_object_object_add(c, "offset", json_object_new_uint64(clock->offset));
	json_object_object_add(o, "clock", c);
	for (uint32_t id = 1; id < schema->ids; id++) {
		if (schema->probes[id])
			json_object_array_add(probes, probe_json(schema->probes[id]));
	}
	json_object_object_add(o, "probes", probes);
	text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &size);
	code = text ? file_replace(w->files.dir, CTF_SIDECAR, text, size) : -ENOMEM;
	json_object_put(o);
	return code;
}

int ctf_writer_metadata(struct ctf_writer *w, const struct clock *clock,
                        const struct schema *schema, struct weir_error *err)
{
	struct ctf_clock at;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int code;

	if (!to)
		return weir_err(err, -ENOMEM, "no memory");
	ctf_clock_init(clock, &at);
	ctf_metadata_write(to, &w->target, &at, schema);
	code = fclose(to) ? -ENOMEM : file_replace(w->files.dir, "metadata", text, size);
	free(text);
	if (!code)
		code = sidecar_write(w, &at, schema);
	if (code)
		return weir_err(err, code,
		                "cannot write the metadata of the recording of %s (%d): %s",
		                w->process, w->target.pid, ctf_writer_why(code));
	w->known_to = schema->read_to;
	return 0;
}
