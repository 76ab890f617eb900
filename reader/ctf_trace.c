/* SPDX-License-Identifier: MIT */
#include "reader/ctf.h"
#include "reader/ctf_trace.h"
#include "reader/cleanup.h"
#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what the probes are */

static uint8_t type_number(const char *name)
{
	for (uint8_t type = WEIR_I8; type <= WEIR_POINTER; type++) {
		if (!strcmp(schema_type_name(type), name))
			return type;
	}
	return 0;
}

static const char *text_of(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_get_string(v)
	           ? json_object_get_string(v)
	           : "";
}

static int64_t number_of(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_int64(v) : 0;
}

static struct schema_probe *probe_of(json_object *o)
{
	json_object *fields;
	struct schema_probe *p;
	size_t count;

	if (!json_object_object_get_ex(o, "fields", &fields) ||
	    !json_object_is_type(fields, json_type_array))
		return NULL;
	count = json_object_array_length(fields);
	if (count > SCHEMA_FIELDS_MAX)
		return NULL;
	p = calloc(1, sizeof(*p) + count * sizeof(p->fields[0]));
	if (!p)
		return NULL;
	p->provider = text_of(o, "provider");
	p->name = text_of(o, "probe");
	p->string_limit = WEIR_RECORD_MAX;
	for (size_t i = 0; i < count; i++) {
		json_object *f = json_object_array_get_idx(fields, i);

		p->fields[i].name = text_of(f, "name");
		p->fields[i].type = type_number(text_of(f, "type"));
		if (!p->fields[i].type) {
			free(p);
			return NULL;
		}
	}
	p->count = (uint32_t)count;
	return p;
}

static int read_probes(struct ctf_trace *t, json_object *list)
{
	size_t count = json_object_array_length(list);

	for (size_t i = 0; i < count; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		int64_t id = number_of(o, "id");

		if (id < 1 || id >= WEIR_SHM_PROBES)
			continue;
		if (id >= t->ids) {
			struct schema_probe **probes =
			    realloc(t->probes, (size_t)(id + 1) * sizeof(struct schema_probe *));

			if (!probes)
				return -ENOMEM;
			memset(probes + t->ids, 0, ((size_t)id + 1 - t->ids) * sizeof(*probes));
			t->probes = probes;
			t->ids = (uint32_t)id + 1;
		}
		if (!t->probes[id])
			t->probes[id] = probe_of(o);
	}
	return 0;
}

static bool read_clock(json_object *o, double *ns_per_tick, int64_t *epoch_ns)
{
	int64_t hz = number_of(o, "hz"), seconds = number_of(o, "offset_s");
	double rest;

	if (hz <= 0)
		return false;
	*ns_per_tick = 1e9 / (double)hz;
	rest = (double)number_of(o, "offset") * *ns_per_tick;
	if (fabs((double)seconds * 1e9 + rest) >= (double)CTF_TIME_MAX || fabs(rest) >= 2e9)
		return false;
	*epoch_ns = seconds * 1000000000 + (int64_t)rest;
	return true;
}

/* NULL: it is no JSON. -ENOENT etc. */
static int read_sidecar(const char *name, json_object **ret)
{
	/* A stranger's folder: what opens, and reads, without an end is no file. */
	_cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	*ret = S_ISREG(st.st_mode) ? json_object_from_fd(fd) : NULL;
	return 0;
}

int ctf_trace_open(const char *path, struct ctf_trace **ret, struct weir_error *err)
{
	char name[4096];
	struct ctf_trace *t;
	json_object *document = NULL, *clock, *list;
	double ns_per_tick;
	int64_t epoch_ns;

	snprintf(name, sizeof(name), "%s/%s", path, CTF_SIDECAR);
	if (read_sidecar(name, &document))
		return weir_err(err, -ENOENT, "%s is no recording of weir's: there is no %s in it",
		                path, CTF_SIDECAR);
	if (!document || !json_object_object_get_ex(document, "clock", &clock) ||
	    !json_object_object_get_ex(document, "probes", &list) ||
	    !json_object_is_type(list, json_type_array) ||
	    !read_clock(clock, &ns_per_tick, &epoch_ns)) {
		json_object_put(document);
		return weir_err(err, -EBADMSG, "%s is damaged", name);
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		json_object_put(document);
		return -ENOMEM;
	}
	t->document = document;
	t->path = strdup(path);
	t->process = strdup(text_of(document, "process"));
	t->command = strdup(text_of(document, "command"));
	t->pid = (pid_t)number_of(document, "pid");
	t->ns_per_tick = ns_per_tick;
	t->epoch_ns = epoch_ns;
	if (!t->path || !t->process || !t->command || read_probes(t, list)) {
		ctf_trace_close(t);
		return weir_err(err, -ENOMEM, "no memory");
	}
	t->uses = calloc(t->ids ? t->ids : 1, sizeof(*t->uses));
	if (!t->uses) {
		ctf_trace_close(t);
		return weir_err(err, -ENOMEM, "no memory");
	}
	*ret = t;
	return 0;
}

void ctf_trace_close(struct ctf_trace *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->ids; i++)
		free(t->probes[i]);
	free(t->probes);
	free(t->uses);
	free(t->path);
	free(t->process);
	free(t->command);
	json_object_put(t->document);
	free(t);
}
