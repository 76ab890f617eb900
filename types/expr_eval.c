/* SPDX-License-Identifier: MIT */
/*
 * Walks a bound tree over memory. An object stays an address until its value is
 * wanted: `&p->a.b[3]` reads one pointer and nothing else.
 */
#include "types/expr_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct eval {
	struct expr_tree *tree;
	struct ctypes *types;
	const struct expr_memory *memory;
	struct expr_error *err;
};

static int eval(struct eval *v, const struct expr *e, struct expr_value *ret);

uint64_t expr_truncate(uint64_t value, uint64_t size, bool is_signed)
{
	unsigned shift = size < 8 ? 64 - 8 * (unsigned)size : 0;

	if (size == 0)
		return 0;
	return is_signed ? (uint64_t)((int64_t)(value << shift) >> shift) : value << shift >> shift;
}

static void set_number(struct expr_value *v, const struct ctype *type, uint64_t value)
{
	*v = (struct expr_value){ .type = type };
	v->integer = type->kind == CTYPE_BOOL ? value != 0
	                                      : expr_truncate(value, type->size, type->is_signed);
}

static int read_object(const struct expr_memory *memory, const struct expr_value *v, void *buf,
                       size_t size)
{
	if (v->bytes) {
		memcpy(buf, v->bytes, size);
		return 0;
	}
	return memory->read(memory->ctx, v->address, buf, size);
}

static int load_bits(const struct expr_memory *memory, const struct expr_value *object,
                     struct expr_value *ret)
{
	unsigned bits = object->bit_size, skip = object->bit_offset;
	unsigned char bytes[16] = { 0 };
	unsigned __int128 word;
	uint64_t value;
	int rc;

	if (skip > 7 || bits > 64)
		return -EBADMSG;
	rc = read_object(memory, object, bytes, (skip + bits + 7) / 8);
	if (rc)
		return rc;
	memcpy(&word, bytes, sizeof(word));
	value = (uint64_t)(word >> skip);
	value <<= 64 - bits;
	value = object->type->is_signed ? (uint64_t)((int64_t)value >> (64 - bits))
	                                : value >> (64 - bits);
	*ret = (struct expr_value){ .type = object->type, .integer = value };
	return 0;
}

static int load_real(const struct expr_memory *memory, const struct expr_value *object,
                     struct expr_value *ret)
{
	char bytes[16] = { 0 };
	int rc;

	if (object->type->real == REAL_NONE)
		return -ENOTSUP;
	rc = read_object(memory, object, bytes, object->type->size);
	if (rc)
		return rc;
	*ret = (struct expr_value){ .type = object->type,
		                    .real = real_load(object->type->real, bytes) };
	return 0;
}

int expr_load(const struct expr_memory *memory, const struct expr_value *object,
              struct expr_value *ret)
{
	uint64_t value = 0;
	int rc;

	if (!object->lvalue || !ctype_is_scalar(object->type)) {
		*ret = *object;
		return 0;
	}
	if (object->bit_size)
		return load_bits(memory, object, ret);
	if (object->type->kind == CTYPE_FLOAT)
		return load_real(memory, object, ret);
	if (object->type->size > 8) {
		*ret = *object;
		return 0;
	}
	rc = read_object(memory, object, &value, object->type->size);
	if (rc)
		return rc;
	/* Not set_number(): a bool that holds 2 is shown as it is. */
	*ret = (struct expr_value){ .type = object->type };
	ret->integer = expr_truncate(value, object->type->size, object->type->is_signed);
	return 0;
}

static int fail_read(struct eval *v, const struct expr *e, uint64_t address, int rc)
{
	int length = (int)e->length;

	if (rc == -EFAULT && address < 4096)
		return expr_fail(v->err, rc, e->column, e->length,
		                 "`%.*s` is at address 0x%" PRIx64 ": a NULL pointer was followed",
		                 length, v->tree->text + e->column, address);
	if (rc == -EFAULT)
		return expr_fail(v->err, rc, e->column, e->length,
		                 "`%.*s` is at address 0x%" PRIx64 ", where no memory is mapped",
		                 length, v->tree->text + e->column, address);
	return expr_fail(v->err, rc, e->column, e->length, "reading `%.*s` at 0x%" PRIx64 ": %s",
	                 length, v->tree->text + e->column, address,
	                 rc == -ENODATA ? "it is in the missing part of the core file"
	                                : strerror(-rc));
}

/* An operand's value: arrays and functions are their address. */
static int rvalue(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value object;
	int rc = eval(v, e, &object);

	if (rc)
		return rc;
	if (object.lvalue &&
	    (object.type->kind == CTYPE_ARRAY || object.type->kind == CTYPE_FUNCTION)) {
		const struct ctype *to = object.type;

		if (to->kind == CTYPE_ARRAY)
			to = ctype_to(v->types, to);
		*ret = (struct expr_value){ .type = ctype_pointer(v->types, to),
			                    .integer = object.address };
		return 0;
	}
	rc = expr_load(v->memory, &object, ret);
	return rc ? fail_read(v, e, object.address, rc) : 0;
}

/* What has no place in memory: an enumerator, or a variable that the compiler kept as its value. */
static int eval_constant(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	const struct expr_symbol *s = &e->symbol;

	if (e->type->size > sizeof(s->address))
		return expr_fail(v->err, -ENOTSUP, e->column, e->length,
		                 "it is no more than a value, and of that there is only a part");
	if (e->type->kind == CTYPE_FLOAT)
		*ret = (struct expr_value){ .type = e->type,
			                    .real = real_load(e->type->real, &s->address) };
	else if (ctype_is_scalar(e->type))
		set_number(ret, e->type, s->address);
	else
		*ret = (struct expr_value){ .type = e->type, .lvalue = true, .bytes = &s->address };
	return 0;
}

static int eval_name(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	const struct expr_symbol *s = &e->symbol;
	char why[200] = "";
	int rc;

	switch (s->kind) {
	case EXPR_SYM_VALUE:
		*ret = *s->value;
		return 0;
	case EXPR_SYM_CONSTANT:
		return eval_constant(v, e, ret);
	case EXPR_SYM_THREAD:
		*ret = (struct expr_value){ .type = e->type, .lvalue = true };
		rc = v->memory->thread ? v->memory->thread(v->memory->ctx, s->module, s->address,
		                                           &ret->address, why, sizeof(why))
		                       : -ESRCH;
		if (rc)
			return expr_fail(v->err, rc, e->column, e->length,
			                 "`%s` is thread-local: %s", e->name,
			                 why[0] ? why : strerror(-rc));
		return 0;
	default:
		*ret =
		    (struct expr_value){ .type = e->type, .lvalue = true, .address = s->address };
		return 0;
	}
}

static int eval_member(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value object;
	int rc = eval(v, e->a, &object);

	if (rc)
		return rc;
	object.type = e->type;
	object.address += e->offset;
	if (object.bytes)
		object.bytes = (const char *)object.bytes + e->offset;
	object.bit_offset = e->bit_offset;
	object.bit_size = e->bit_size;
	*ret = object;
	return 0;
}

static int eval_deref(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value pointer;
	int rc = rvalue(v, e->a, &pointer);

	if (rc)
		return rc;
	*ret = (struct expr_value){ .type = e->type, .lvalue = true, .address = pointer.integer };
	return 0;
}

static int eval_slice(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value pointer, from, to;
	int64_t count, skip;
	int rc = rvalue(v, e->a, &pointer) ?: rvalue(v, e->b, &from) ?: rvalue(v, e->c, &to);

	if (rc)
		return rc;
	if (__builtin_sub_overflow((int64_t)to.integer, (int64_t)from.integer, &count) ||
	    count < 0 || count > EXPR_SLICE_MAX ||
	    __builtin_mul_overflow((int64_t)from.integer, (int64_t)e->offset, &skip))
		return expr_fail(v->err, -ERANGE, e->column, e->length,
		                 "a slice [%" PRId64 "..%" PRId64
		                 "] has no elements, or more than %u",
		                 (int64_t)from.integer, (int64_t)to.integer, EXPR_SLICE_MAX);
	*ret = (struct expr_value){ .lvalue = true, .address = pointer.integer + (uint64_t)skip };
	ret->type = ctype_array(v->types, ctype_to(v->types, e->type), (uint64_t)count);
	return 0;
}

static real_t as_real(const struct expr_value *v)
{
	if (v->type->kind == CTYPE_FLOAT)
		return v->real;
	return v->type->is_signed ? (real_t)(int64_t)v->integer : (real_t)v->integer;
}

/* Out of range: what x86 gives, so never undefined here. */
static uint64_t real_to_integer(real_t real, bool is_signed)
{
	if (real != real)
		return (uint64_t)INT64_MIN;
	if (is_signed || real < 0)
		return real >= 0x1p63 || real < -0x1p63 ? (uint64_t)INT64_MIN
		                                        : (uint64_t)(int64_t)real;
	return real >= 0x1p64 ? 0 : (uint64_t)real;
}

static void convert(const struct expr_value *from, const struct ctype *to, struct expr_value *ret)
{
	if (to->kind == CTYPE_FLOAT) {
		*ret =
		    (struct expr_value){ .type = to, .real = real_round(to->real, as_real(from)) };
		return;
	}
	if (from->type->kind == CTYPE_FLOAT)
		set_number(ret, to,
		           to->kind == CTYPE_BOOL ? from->real != 0
		                                  : real_to_integer(from->real, to->is_signed));
	else
		set_number(ret, to, from->integer);
}

static int eval_cast(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value from;
	int rc;

	if (e->lvalue)
		return eval(v, e->a, ret);
	rc = rvalue(v, e->a, &from);
	if (rc)
		return rc;
	if (ctype_is_record(from.type) || from.lvalue)
		return expr_fail(v->err, -ENOTSUP, e->column, e->length,
		                 "16-byte numbers can be shown, but not computed with");
	convert(&from, e->type, ret);
	return 0;
}

static bool truth(const struct expr_value *v)
{
	return v->type->kind == CTYPE_FLOAT ? v->real != 0 : v->integer != 0;
}

static int eval_real(struct eval *v, const struct expr *e, real_t a, real_t b,
                     struct expr_value *ret)
{
	char op = e->op == EXPR_ADD   ? '+'
	          : e->op == EXPR_SUB ? '-'
	          : e->op == EXPR_MUL ? '*'
	          : e->op == EXPR_DIV ? '/'
	                              : 0;

	if (!op)
		return expr_fail(v->err, -EINVAL, e->column, e->length, "not for reals");
	*ret =
	    (struct expr_value){ .type = e->type, .real = real_compute(e->type->real, op, a, b) };
	return 0;
}

static int eval_division(struct eval *v, const struct expr *e, uint64_t a, uint64_t b,
                         uint64_t *ret)
{
	bool quotient = e->op == EXPR_DIV;

	if (b == 0)
		return expr_fail(v->err, -EDOM, e->column, e->length, "division by zero");
	if (!e->type->is_signed)
		*ret = quotient ? a / b : a % b;
	else if ((int64_t)b == -1) /* the smallest number / -1 traps */
		*ret = quotient ? 0 - a : 0;
	else
		*ret = (uint64_t)(quotient ? (int64_t)a / (int64_t)b : (int64_t)a % (int64_t)b);
	return 0;
}

/* A shift by the width or more is undefined in C; here it shifts everything out. */
static uint64_t shift(const struct expr *e, uint64_t a, uint64_t by)
{
	uint64_t bits = e->type->size * 8;

	if (e->op == EXPR_SHL)
		return by < bits ? a << by : 0;
	if (e->type->is_signed)
		return (uint64_t)((int64_t)a >> (by < bits ? by : 63));
	return by < bits ? a >> by : 0;
}

static int eval_integer(struct eval *v, const struct expr *e, uint64_t a, uint64_t b,
                        struct expr_value *ret)
{
	uint64_t value = 0;
	int rc = 0;

	switch (e->op) {
	case EXPR_ADD:
		value = a + b;
		break;
	case EXPR_SUB:
		value = a - b;
		break;
	case EXPR_MUL:
		value = a * b;
		break;
	case EXPR_DIV:
	case EXPR_REM:
		rc = eval_division(v, e, a, b, &value);
		break;
	case EXPR_SHL:
	case EXPR_SHR:
		value = shift(e, a, b);
		break;
	case EXPR_AND:
		value = a & b;
		break;
	case EXPR_OR:
		value = a | b;
		break;
	case EXPR_XOR:
		value = a ^ b;
		break;
	default:
		rc = -EINVAL;
	}
	set_number(ret, e->type, value);
	return rc;
}

static int order(const struct expr_value *a, const struct expr_value *b)
{
	if (a->type->kind == CTYPE_FLOAT)
		return a->real < b->real ? -1 : a->real > b->real;
	if (a->type->is_signed)
		return (int64_t)a->integer < (int64_t)b->integer
		           ? -1
		           : (int64_t)a->integer > (int64_t)b->integer;
	return a->integer < b->integer ? -1 : a->integer > b->integer;
}

static bool compare(enum expr_op op, const struct expr_value *a, const struct expr_value *b)
{
	/* Nothing but != holds for a NaN. */
	if (a->type->kind == CTYPE_FLOAT && (a->real != a->real || b->real != b->real))
		return op == EXPR_NE;
	switch (op) {
	case EXPR_LT:
		return order(a, b) < 0;
	case EXPR_GT:
		return order(a, b) > 0;
	case EXPR_LE:
		return order(a, b) <= 0;
	case EXPR_GE:
		return order(a, b) >= 0;
	case EXPR_EQ:
		return order(a, b) == 0;
	default:
		return order(a, b) != 0;
	}
}

static int eval_binary(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value a, b;
	int rc = rvalue(v, e->a, &a) ?: rvalue(v, e->b, &b);

	if (rc)
		return rc;
	if (e->op >= EXPR_LT && e->op <= EXPR_NE) {
		set_number(ret, e->type, compare(e->op, &a, &b));
		return 0;
	}
	if (e->type->kind == CTYPE_POINTER) {
		uint64_t step = b.integer * e->offset;

		set_number(ret, e->type, e->op == EXPR_ADD ? a.integer + step : a.integer - step);
		return 0;
	}
	if (a.type->kind == CTYPE_POINTER) {
		int64_t distance = (int64_t)(a.integer - b.integer);

		set_number(ret, e->type, (uint64_t)(distance / (int64_t)e->offset));
		return 0;
	}
	if (e->type->kind == CTYPE_FLOAT)
		return eval_real(v, e, a.real, b.real, ret);
	return eval_integer(v, e, a.integer, b.integer, ret);
}

static int eval_logic(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value value;
	int rc = rvalue(v, e->a, &value);

	if (rc)
		return rc;
	if (truth(&value) == (e->op == EXPR_LAND)) {
		rc = rvalue(v, e->b, &value);
		if (rc)
			return rc;
	}
	set_number(ret, e->type, truth(&value));
	return 0;
}

static int eval_unary(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value a;
	int rc = rvalue(v, e->a, &a);

	if (rc)
		return rc;
	switch (e->op) {
	case EXPR_NOT:
		set_number(ret, e->type, !truth(&a));
		return 0;
	case EXPR_NEGATE:
		if (e->type->kind == CTYPE_FLOAT)
			*ret = (struct expr_value){ .type = e->type, .real = -a.real };
		else
			set_number(ret, e->type, 0 - a.integer);
		return 0;
	case EXPR_INVERT:
		set_number(ret, e->type, ~a.integer);
		return 0;
	default:
		*ret = a;
		return 0;
	}
}

static int eval_address(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value object;
	int rc = eval(v, e->a, &object);

	if (!rc)
		set_number(ret, e->type, object.address);
	return rc;
}

static int eval_container(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value pointer;
	int rc = rvalue(v, e->a, &pointer);

	if (!rc)
		set_number(ret, e->type, pointer.integer - e->offset);
	return rc;
}

/* Its offset is in the vtable, to which the object's first pointer points. */
static int eval_virtual_base(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	uint64_t table = 0, offset = 0;
	struct expr_value object;
	int rc = eval(v, e->a, &object);

	if (rc)
		return rc;
	rc = v->memory->read(v->memory->ctx, object.address, &table, sizeof(table));
	if (rc)
		return fail_read(v, e, object.address, rc);
	rc = v->memory->read(v->memory->ctx, table - e->offset, &offset, sizeof(offset));
	if (rc)
		return fail_read(v, e, table - e->offset, rc);
	*ret = (struct expr_value){ .type = e->type, .lvalue = true };
	ret->address = object.address + offset;
	return 0;
}

static int eval_cond(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	struct expr_value condition;
	int rc = rvalue(v, e->a, &condition);

	return rc ?: eval(v, truth(&condition) ? e->b : e->c, ret);
}

static int eval(struct eval *v, const struct expr *e, struct expr_value *ret)
{
	switch (e->op) {
	case EXPR_INTEGER:
		set_number(ret, e->type, e->integer);
		return 0;
	case EXPR_REAL:
		*ret = (struct expr_value){ .type = e->type, .real = e->real };
		return 0;
	case EXPR_NAME:
		return eval_name(v, e, ret);
	case EXPR_MEMBER:
		return eval_member(v, e, ret);
	case EXPR_DEREF:
		return eval_deref(v, e, ret);
	case EXPR_ADDRESS:
		return eval_address(v, e, ret);
	case EXPR_SLICE:
		return eval_slice(v, e, ret);
	case EXPR_CAST:
		return eval_cast(v, e, ret);
	case EXPR_CONTAINER:
		return eval_container(v, e, ret);
	case EXPR_VIRTUAL_BASE:
		return eval_virtual_base(v, e, ret);
	case EXPR_NEGATE:
	case EXPR_PLUS:
	case EXPR_INVERT:
	case EXPR_NOT:
		return eval_unary(v, e, ret);
	case EXPR_LAND:
	case EXPR_LOR:
		return eval_logic(v, e, ret);
	case EXPR_COND:
		return eval_cond(v, e, ret);
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
		return expr_fail(v->err, -EINVAL, e->column, e->length, "not bound");
	default:
		return eval_binary(v, e, ret);
	}
}

int expr_eval(struct expr_tree *tree, const struct expr_names *names,
              const struct expr_memory *memory, struct expr_error *err, struct expr_value *ret)
{
	struct eval v = { .tree = tree, .types = names->types, .memory = memory, .err = err };

	return eval(&v, tree->root, ret);
}
