/* SPDX-License-Identifier: MIT */
/*
 * The control frames of every Ruby thread: VM -> ractors -> threads -> execution
 * context -> frames. The stack of frames grows down from the end of the VM stack; the
 * two at its bottom are the VM's own.
 *
 * The process runs on while this is read. All frames of a thread are copied at once, from the
 * stack of one fiber, and again if the thread went on to another one meanwhile. What they point
 * to is read later: of a frame that was popped by then the flags are no frame's, or its iseq is
 * no object, and it is said to be torn; --stable tells whether anything moved.
 */
#include "types/ruby_frames.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types/printers/ruby.h"

#define THREADS_MAX 10000
#define FRAMES_MAX  20000
#define TORN_MAX    3 /* frames in a row: what is behind them is no stack */
#define TRIES       50

/*
 * iseq.c keeps which instruction has which line as a bit set with ranks: of the first
 * 54 positions in six words of nine 7-bit ranks, then blocks of 512 positions.
 */
#define SMALL_POSITIONS 54
#define SMALL_WORDS     6
struct rank_block {
	uint32_t rank;
	uint64_t part_ranks; /* 9 bits for each 64 positions but the first */
	uint64_t bits[8];
};

struct walker {
	struct format *f;
	uint64_t threads;
};

static void key_string(struct format *f, const char *key, const char *text)
{
	f->sink->ops->key(f->sink, key);
	f->sink->ops->text(f->sink, "", text, strlen(text), false);
}

/* ---- lines ---- */

/* How many bits are set up to position `at`. */
static int rank_at(struct format *f, uint64_t table, uint64_t at, uint64_t *ret)
{
	struct rank_block block;
	uint64_t word, part, in_block;
	int rc;

	if (at < SMALL_POSITIONS) {
		rc = format_read(f, table + at / 9 * 8, &word, sizeof(word));
		*ret = word >> at % 9 * 7 & 0x7f;
		return rc;
	}
	in_block = (at - SMALL_POSITIONS) % 512;
	rc = format_read(f, table + SMALL_WORDS * 8 + (at - SMALL_POSITIONS) / 512 * sizeof(block),
	                 &block, sizeof(block));
	if (rc)
		return rc;
	part = in_block / 64;
	*ret = block.rank + (part ? block.part_ranks >> (part - 1) * 9 & 0x1ff : 0) +
	       (uint64_t)__builtin_popcountll(block.bits[part] << (63 - in_block % 64));
	return 0;
}

/* In the list of positions where there is one, else by rank. */
static int info_index(struct format *f, uint64_t body, uint64_t position, uint64_t count,
                      uint64_t *ret)
{
	uint64_t table, positions = 0, size = SMALL_WORDS * 8;
	uint32_t p;
	int rc;

	if (count == 1) {
		*ret = 0;
		return 0;
	}
	rc = ruby_number(f, body,
	                 "(unsigned long)((struct rb_iseq_constant_body *)i)->"
	                 "insns_info.succ_index_table",
	                 &table);
	if (!rc && !ruby_number(f, 0, "sizeof(struct succ_index_table)", &size) &&
	    size != SMALL_WORDS * 8)
		return -ENOTSUP;
	if (!rc && table) {
		rc = rank_at(f, table, position, ret);
		*ret -= 1;
		return rc ?: *ret < count ? 0 : -EBADMSG;
	}
	rc = ruby_number(f, body,
	                 "(unsigned long)((struct rb_iseq_constant_body *)i)->"
	                 "insns_info.positions",
	                 &positions);
	for (*ret = 0; !rc && *ret + 1 < count; ++*ret) {
		rc = format_read(f, positions + 4 * (*ret + 1), &p, sizeof(p));
		if (!rc && p > position)
			break;
	}
	return rc;
}

/*
 * An entry is {line, node id, events}; the node id came with Ruby 3.1, as it did in the location,
 * which headers have where they do not have the entry itself.
 */
static int line_of_entry(struct format *f, uint64_t entries, uint64_t i, uint64_t *ret)
{
	uint64_t size = 2 * sizeof(int), ignored;

	if (ruby_number(f, 0, "sizeof(struct iseq_insn_info_entry)", &size) &&
	    !ruby_number(f, 0, "offsetof(struct rb_iseq_location_struct, node_id)", &ignored))
		size = 3 * sizeof(int);
	return ruby_number(f, entries + i * size, "*(int *)i", ret);
}

static int frame_line(struct format *f, const struct expr_value *frame, uint64_t body,
                      uint64_t *ret)
{
	uint64_t pc, code, count, i, entry;
	int rc = format_number(f, frame, 0, "(unsigned long)it.pc", &pc) ?:
		 ruby_number(f, body, "(unsigned long)((struct rb_iseq_constant_body *)i)->"
				      "iseq_encoded", &code) ?:
		 ruby_number(f, body, "((struct rb_iseq_constant_body *)i)->insns_info.size",
			     &count);

	if (rc)
		return rc;
	if (pc < code || (pc - code) / 8 > UINT32_MAX || !count || count > UINT32_MAX)
		return -EBADMSG;
	/* The counter is at the next instruction already. */
	rc = info_index(f, body, pc == code ? 0 : (pc - code) / 8 - 1, count, &i);
	rc = rc
	         ?: ruby_number(f, body,
	                        "(unsigned long)((struct rb_iseq_constant_body *)i)->"
	                        "insns_info.body",
	                        &entry);
	return rc ?: line_of_entry(f, entry, i, ret);
}

/* ---- frames ---- */

static int path_text(struct format *f, uint64_t path, char *buf, size_t size)
{
	uint64_t first;

	if (!ruby_array_at(f, path, 0, &first))
		path = first;
	return ruby_text(f, path, buf, size);
}

static void show_torn(struct format *f)
{
	key_string(f, "label", "?");
	f->sink->ops->note(f->sink, "torn: the frame changed while it was read");
}

static void show_iseq_frame(struct format *f, const struct expr_value *frame, uint64_t body)
{
	char label[256], path[512];
	uint64_t value, line;

	if (ruby_number(f, body, "((struct rb_iseq_constant_body *)i)->location.label", &value) ||
	    ruby_text(f, value, label, sizeof(label)) ||
	    ruby_number(f, body, "((struct rb_iseq_constant_body *)i)->location.pathobj", &value) ||
	    path_text(f, value, path, sizeof(path))) {
		show_torn(f);
		return;
	}
	key_string(f, "label", label);
	key_string(f, "path", path);
	if (frame_line(f, frame, body, &line))
		return;
	f->sink->ops->key(f->sink, "line");
	printer_integer(f, (int64_t)line);
}

/* A method in C: its name by the ID in its method entry, and the function. */
static void show_c_frame(struct format *f, const struct expr_value *frame)
{
	char name[256] = "?", symbol[200];
	uint64_t id, function;

	if (!format_number(f, frame, 0,
	                   "((struct rb_method_entry_struct *)it.ep[-2])->def->original_id", &id))
		ruby_id_text(f, id, name, sizeof(name));
	key_string(f, "label", name);
	if (format_number(f, frame, 0,
	                  "(unsigned long)((struct rb_method_entry_struct *)it.ep[-2])->def->"
	                  "body.cfunc.func",
	                  &function))
		return;
	if (!f->names->at || f->names->at(f->names->ctx, function, symbol, sizeof(symbol)))
		snprintf(symbol, sizeof(symbol), "0x%" PRIx64, function);
	key_string(f, "function", symbol);
}

static bool is_kind(struct format *f, uint64_t magic, const char *kind)
{
	uint64_t wanted;

	return !ruby_number(f, 0, kind, &wanted) && magic == wanted;
}

/* Are these the flags of any kind of frame? */
static bool is_any_kind(struct format *f, uint64_t magic)
{
	static const char *const kinds[] = {
		"(unsigned long)VM_FRAME_MAGIC_METHOD", "(unsigned long)VM_FRAME_MAGIC_BLOCK",
		"(unsigned long)VM_FRAME_MAGIC_CFUNC",  "(unsigned long)VM_FRAME_MAGIC_IFUNC",
		"(unsigned long)VM_FRAME_MAGIC_TOP",    "(unsigned long)VM_FRAME_MAGIC_CLASS",
		"(unsigned long)VM_FRAME_MAGIC_EVAL",   "(unsigned long)VM_FRAME_MAGIC_RESCUE",
		"(unsigned long)VM_FRAME_MAGIC_DUMMY",
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is_kind(f, magic, kinds[i]))
			return true;
	return false;
}

static void show_members(struct format *f, const struct expr_value *frame, uint64_t magic)
{
	uint64_t iseq, body;

	if (is_kind(f, magic, "(unsigned long)VM_FRAME_MAGIC_CFUNC"))
		show_c_frame(f, frame);
	else if (is_kind(f, magic, "(unsigned long)VM_FRAME_MAGIC_IFUNC"))
		key_string(f, "label", "(a block in C)");
	else if (format_number(f, frame, 0, "(unsigned long)it.iseq", &iseq) || !iseq)
		key_string(f, "label", "(the VM's own)");
	else if (format_number(f, frame, 0, "(unsigned long)it.iseq->body", &body))
		f->sink->ops->note(f->sink, "torn: the frame changed while it was read");
	else
		show_iseq_frame(f, frame, body);
}

/* false: it is torn. */
static bool show_frame(struct format *f, const struct expr_value *frame)
{
	uint64_t magic;
	bool whole = !format_number(f, frame, 0, "it.ep[0] & VM_FRAME_MAGIC_MASK", &magic) &&
	             is_any_kind(f, magic);

	f->sink->ops->open(f->sink, SINK_RECORD, NULL, true);
	if (whole)
		show_members(f, frame, magic);
	else
		show_torn(f);
	f->sink->ops->close(f->sink);
	return whole;
}

/* A copy of a thread's frames. */
struct stack {
	const struct ctype *frame;
	uint8_t *bytes;
	uint64_t address, size;
};

/* -EAGAIN: the thread went on to another fiber, or what is there makes no sense now. */
static int copy_stack(struct format *f, const struct expr_value *thread, struct stack *ret)
{
	uint64_t context, now, begin, end, size = 0;
	struct expr_value ec, frame;
	int rc = format_eval(f, thread, 0, "it->ec", &ec) ?: expr_load(f->memory, &ec, &ec) ?:
		 format_number(f, &ec, 0, "(unsigned long)it", &context) ?:
		 format_number(f, &ec, 0, "(unsigned long)it->vm_stack", &begin) ?:
		 format_number(f, &ec, 0, "(unsigned long)(it->vm_stack + it->vm_stack_size)", &end) ?:
		 format_eval(f, &ec, 0, "it->cfp", &frame) ?:
		 expr_load(f->memory, &frame, &frame) ?:
		 format_number(f, &frame, 0, "sizeof(*it)", &size);

	*ret = (struct stack){ 0 };
	if (rc)
		return rc;
	ret->frame = ctype_to(f->names->types, frame.type);
	ret->address = frame.integer;
	if (!begin && !ret->address) /* its fiber has ended, and it is not in the next one yet */
		return 0;
	if (!size || begin >= end || ret->address < begin || ret->address > end ||
	    (end - ret->address) % size || (end - ret->address) / size > FRAMES_MAX)
		return -EAGAIN;
	ret->size = end - ret->address;
	ret->bytes = malloc(ret->size + 1);
	if (!ret->bytes)
		return -ENOMEM;
	rc = format_read(f, ret->address, ret->bytes, ret->size)
	         ?: format_number(f, thread, 0, "(unsigned long)it->ec", &now);
	if (!rc && now == context)
		return 0;
	free(ret->bytes);
	ret->bytes = NULL;
	return rc ?: -EAGAIN;
}

static int show_frames(struct format *f, const struct expr_value *thread)
{
	struct stack stack = { 0 };
	int torn = 0, rc = -EAGAIN;

	for (int n = 0; n < TRIES && rc == -EAGAIN; n++)
		rc = copy_stack(f, thread, &stack);
	if (rc)
		return rc;
	f->sink->ops->key(f->sink, "frames");
	f->sink->ops->open(f->sink, SINK_ARRAY, NULL, false);
	/* The last one is where the stack begins. */
	for (uint64_t n = 0; (n + 2) * stack.frame->size <= stack.size && torn < TORN_MAX; n++) {
		struct expr_value frame = { .type = stack.frame, .lvalue = true };

		frame.address = stack.address + n * stack.frame->size;
		frame.bytes = stack.bytes + n * stack.frame->size;
		f->sink->ops->entry(f->sink, n, n);
		torn = show_frame(f, &frame) ? 0 : torn + 1;
	}
	f->sink->ops->close(f->sink);
	if (!stack.size)
		f->sink->ops->note(f->sink, "between two fibers: it has no stack now");
	if (torn == TORN_MAX)
		f->sink->ops->note(f->sink, "torn: what follows is no stack any more");
	free(stack.bytes);
	return 0;
}

/* ---- threads ---- */

static void show_thread(struct walker *w, const struct expr_value *thread)
{
	struct format *f = w->f;
	char name[128];
	uint64_t value;

	f->sink->ops->entry(f->sink, w->threads, w->threads);
	w->threads++;
	f->sink->ops->open(f->sink, SINK_RECORD, "Thread", false);
	if (!format_number(f, thread, 0, "it->tid", &value) ||
	    !format_number(f, thread, 0, "it->nt->tid", &value)) {
		f->sink->ops->key(f->sink, "tid");
		printer_integer(f, (int64_t)(int)value);
	}
	if (!format_number(f, thread, 0, "it->name", &value) &&
	    !ruby_text(f, value, name, sizeof(name)))
		key_string(f, "name", name);
	if (show_frames(f, thread)) {
		f->sink->ops->key(f->sink, "error");
		format_failure(f, "its frames cannot be read (torn?)");
	}
	f->sink->ops->close(f->sink);
}

/* A list of the kernel's kind: `first` of `head`, each step `next`, and whom a node belongs to. */
static int each_node(struct format *f, const struct expr_value *owner, const char *first,
                     const char *head, const char *element,
                     int (*fn)(struct walker *w, const struct expr_value *element),
                     struct walker *w)
{
	struct expr_value node, e;
	uint64_t at, end;
	int rc = format_number(f, owner, 0, head, &end) ?: format_eval(f, owner, 0, first, &node) ?:
		 expr_load(f->memory, &node, &node);

	for (int n = 0; !rc && n < THREADS_MAX; n++) {
		rc = format_number(f, &node, 0, "(unsigned long)it", &at);
		if (rc || at == end)
			break;
		rc = format_eval(f, &node, 0, element, &e) ?: fn(w, &e);
		rc = rc ?: format_eval(f, &node, 0, "it->next", &node) ?:
		     expr_load(f->memory, &node, &node);
	}
	return rc;
}

static int on_thread(struct walker *w, const struct expr_value *thread)
{
	show_thread(w, thread);
	return 0;
}

static int on_ractor(struct walker *w, const struct expr_value *ractor)
{
	return each_node(w->f, ractor, "it->threads.set.n.next",
	                 "(unsigned long)&it->threads.set.n",
	                 "container_of(it, struct rb_thread_struct, lt_node)", on_thread, w);
}

int ruby_frames(struct format *f, struct sink *to)
{
	struct expr_value zero = { .type = ctype_builtin(CTYPE_B_ULONG) }, vm;
	struct walker w = { .f = f };
	int rc;

	format_begin(f, to);
	rc = format_eval(f, &zero, 0, "(struct rb_vm_struct *)ruby_current_vm_ptr", &vm)
	         ?: expr_load(f->memory, &vm, &vm);
	if (rc)
		return rc;
	if (!vm.integer)
		return -ENODATA;
	f->nest++;
	to->ops->open(to, SINK_ARRAY, NULL, false);
	rc = each_node(f, &vm, "it->ractor.set.n.next", "(unsigned long)&it->ractor.set.n",
	               "container_of(it, struct rb_ractor_struct, vmlr_node)", on_ractor, &w);
	to->ops->close(to);
	f->nest--;
	return w.threads ? 0 : rc ?: -ENODATA;
}
