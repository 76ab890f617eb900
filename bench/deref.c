/* SPDX-License-Identifier: MIT */
/*
 * print/deref7: an expression of seven dereferences, compiled once, evaluated on another process;
 * beside the same eight reads (the pointer, six links, the value) by nothing but process_vm_readv.
 */
#include "bench/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/target.h"
#include "types/expr.h"

#define LINKS 7

struct bench_node {
	struct bench_node *next;
	long value;
};

struct bench_node *bench_head;

static pid_t child;
static struct target *target;
static struct expr_tree *tree;

static void make_list(void)
{
	for (long i = LINKS - 1; i >= 0; i--) {
		struct bench_node *node = malloc(4096); /* not all in one page */

		if (!node)
			bench_fail("out of memory");
		*node = (struct bench_node){ bench_head, i };
		bench_head = node;
	}
}

static void start_child(void)
{
	child = fork();
	if (child < 0)
		bench_fail("fork: %s", strerror(errno));
	if (child)
		return;
	for (;;)
		pause();
}

static void end_child(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void compile(const char *text)
{
	struct weir_error err = { 0 };
	struct expr_error where = { 0 };
	struct space *space;

	if (target_open_process(child, NULL, &err, &target))
		bench_skip("the other process cannot be read: %s", err.message);
	space = target_space(target);
	if (expr_parse(text, space_is_type, space, &where, &tree) ||
	    expr_bind(tree, space_names(space), &where))
		bench_skip("%s: %s", text, where.message);
}

BENCH_LOOP evaluate(uint64_t n)
{
	struct expr_error err;
	struct expr_value v;

	while (n--) {
		if (expr_eval(tree, space_names(target_space(target)), target_memory(target), &err,
		              &v) ||
		    expr_load(target_memory(target), &v, &v) || v.integer != LINKS - 1)
			bench_fail("it is not what was expected");
	}
}

static uint64_t read_word(const void *at)
{
	uint64_t word;
	struct iovec local = { &word, sizeof(word) }, remote = { (void *)at, sizeof(word) };

	if (process_vm_readv(child, &local, 1, &remote, 1, 0) != sizeof(word))
		bench_fail("process_vm_readv: %s", strerror(errno));
	return word;
}

BENCH_LOOP bare(uint64_t n)
{
	while (n--) {
		uint64_t node = read_word(&bench_head);

		for (int i = 0; i < LINKS - 1; i++)
			node = read_word((void *)node);
		if (read_word((char *)node + sizeof(void *)) != LINKS - 1)
			bench_fail("it is not what was expected");
	}
}

int main(int argc, char **argv)
{
	static const struct bench_variant variants[] = { { "evaluate", evaluate, 20 },
		                                         { "bare", bare, 20 } };

	make_list();
	start_child();
	atexit(end_child);
	bench_pin(0);
	compile("bench_head->next->next->next->next->next->next->value");
	bench_rounds(variants, 2, argc > 1 ? (unsigned)atoi(argv[1]) : 200);
	expr_free(tree);
	target_close(target);
	return 0;
}
