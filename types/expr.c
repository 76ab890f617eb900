/* SPDX-License-Identifier: MIT */
/* What the steps share: the arena of a tree, errors, standard type names. */
#include "types/expr_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 4096

struct expr_chunk {
	struct expr_chunk *next;
	size_t size;
	_Alignas(16) char bytes[];
};

void *expr_alloc(struct expr_tree *tree, size_t size)
{
	struct expr_chunk *chunk = tree->chunks;
	size_t want = (size + 15) & ~(size_t)15;
	void *p;

	if (!chunk || chunk->size - tree->used < want) {
		size_t bytes = want > CHUNK_SIZE ? want : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + bytes);
		if (!chunk)
			return NULL;
		chunk->size = bytes;
		chunk->next = tree->chunks;
		tree->chunks = chunk;
		tree->used = 0;
	}
	p = chunk->bytes + tree->used;
	tree->used += want;
	return p;
}

const char *expr_strndup(struct expr_tree *tree, const char *s, size_t n)
{
	char *copy = expr_alloc(tree, n + 1);

	if (copy)
		memcpy(copy, s, n);
	return copy;
}

void expr_free(struct expr_tree *tree)
{
	struct expr_chunk *next;

	if (!tree)
		return;
	for (struct expr_chunk *c = tree->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(tree->text);
	free(tree);
}

struct expr *expr_root(struct expr_tree *tree)
{
	return tree->root;
}

const char *expr_text(const struct expr_tree *tree)
{
	return tree->text;
}

int expr_fail(struct expr_error *err, int code, uint32_t column, uint32_t length,
              const char *format, ...)
{
	va_list ap;

	if (err) {
		err->code = code;
		err->column = column;
		err->length = length ?: 1;
		err->unknown = false;
		va_start(ap, format);
		vsnprintf(err->message, sizeof(err->message), format, ap);
		va_end(ap);
	}
	return code;
}

int expr_unknown(struct expr_error *err, int code)
{
	if (err)
		err->unknown = true;
	return code;
}

/* Tabs and newlines would move the caret away from what it points at. */
static char printable(char c)
{
	return (unsigned char)c < ' ' ? ' ' : c;
}

/* Bytes of UTF-8 that follow another take no column. */
static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

#define EXCERPT 200 /* bytes of a long expression that a message shows */

/* What of the expression is shown: all of it, or what is around the error. */
static void excerpt(const struct expr_error *err, const char *text, size_t *from, size_t *to)
{
	size_t length = strlen(text), column = err->column < length ? err->column : length;

	*from = length <= EXCERPT || column < EXCERPT / 2 ? 0 : column - EXCERPT / 2;
	*to = length - *from <= EXCERPT ? length : *from + EXCERPT;
	while (*from < column && is_continuation(text[*from]))
		++*from;
	while (*to < length && is_continuation(text[*to]))
		++*to;
}

size_t expr_error_render(const struct expr_error *err, const char *text, char *buf, size_t size)
{
	size_t n = 0, from, to, end = (size_t)err->column + err->length;

	excerpt(err, text, &from, &to);
#define PUT(c) (n < size ? (void)(buf[n++] = (c)) : (void)n++)
	for (const char *m = err->message; *m; m++)
		PUT(*m);
	for (const char *m = from ? "\n  ..." : "\n  "; *m; m++)
		PUT(*m);
	for (size_t i = from; i < to; i++)
		PUT(printable(text[i]));
	for (const char *m = text[to] ? "...\n  " : "\n  "; *m; m++)
		PUT(*m);
	for (const char *m = from ? "   " : ""; *m; m++)
		PUT(*m);
	for (size_t i = from; i < end && i <= to; i++) {
		if (i < to && is_continuation(text[i]))
			continue;
		if (i >= err->column)
			PUT(i == err->column ? '^' : '~');
		else
			PUT(' ');
	}
	PUT('\n');
#undef PUT
	if (size)
		buf[n < size ? n : size - 1] = 0;
	return n;
}

const struct ctype *expr_standard_type(const char *name)
{
	static const struct {
		const char *name;
		enum ctype_builtin type;
	} names[] = {
		{ "int8_t", CTYPE_B_SCHAR },   { "uint8_t", CTYPE_B_UCHAR },
		{ "int16_t", CTYPE_B_SHORT },  { "uint16_t", CTYPE_B_USHORT },
		{ "int32_t", CTYPE_B_INT },    { "uint32_t", CTYPE_B_UINT },
		{ "int64_t", CTYPE_B_LONG },   { "uint64_t", CTYPE_B_ULONG },
		{ "size_t", CTYPE_B_ULONG },   { "ssize_t", CTYPE_B_LONG },
		{ "intptr_t", CTYPE_B_LONG },  { "uintptr_t", CTYPE_B_ULONG },
		{ "ptrdiff_t", CTYPE_B_LONG },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, name))
			return ctype_builtin(names[i].type);
	return NULL;
}
