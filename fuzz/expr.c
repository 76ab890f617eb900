/* SPDX-License-Identifier: MIT */
/* Any text as an expression: parsed, bound, evaluated and printed over a small hand-made program. */
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/expr_world.h"
#include "types/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world world;
static FILE *nowhere;

static bool is_type(void *ctx, const char *name)
{
	struct expr_candidate found[1];

	return world.names.type(ctx, "", name, found, 1) > 0;
}

static void print(const struct expr_value *v)
{
	struct format_options opts = {
		.depth = 3, .string_max = 50, .elements_max = 20, .values_max = 300
	};
	struct sink *text = sink_text_create(nowhere), *json = sink_json_create();
	struct expr_error err;
	struct format *f;

	if (text && json && !format_create(&opts, &world.names, &world.memory, &f)) {
		format_value(f, text, v);
		format_value(f, json, v);
		format_list(f, text, v, "next", &err);
		format_destroy(f);
	}
	sink_destroy(text);
	sink_destroy(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expr_tree *tree = NULL;
	struct expr_error err = { 0 };
	struct expr_value v;
	char rendered[256], type[128];
	char *text = strndup((const char *)data, size);

	if (!world.btf) {
		world_init(&world);
		nowhere = fopen("/dev/null", "w");
	}
	if (!text || !nowhere)
		abort();
	if (!expr_parse(text, is_type, &world, &err, &tree) &&
	    !expr_bind(tree, &world.names, &err)) {
		ctype_declare(world.types, expr_root(tree)->type, "x", type, sizeof(type));
		if (!expr_eval(tree, &world.names, &world.memory, &err, &v))
			print(&v);
	}
	if (err.code)
		expr_error_render(&err, text, rendered, sizeof(rendered));
	expr_free(tree);
	free(text);
	return 0;
}
