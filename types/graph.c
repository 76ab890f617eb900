/* SPDX-License-Identifier: MIT */
#include "types/graph.h"

#include "types/util.h"

#define BLOCK_SHIFT 6

int graph_init(struct graph *g)
{
	memset(g, 0, sizeof(*g));
	g->room = 1024;
	g->places_room = 256;
	g->nodes = malloc(g->room * sizeof(*g->nodes));
	g->places = malloc(g->places_room * sizeof(*g->places));
	if (!g->nodes || !g->places) {
		graph_deinit(g);
		return -ENOMEM;
	}
	graph_clear(g);
	return 0;
}

void graph_deinit(struct graph *g)
{
	free(g->nodes);
	free(g->places);
	free(g->units);
	free(g->blocks);
	memset(g, 0, sizeof(*g));
}

/* Node 0 is void, place 0 is nowhere. */
void graph_clear(struct graph *g)
{
	memset(&g->nodes[0], 0, sizeof(*g->nodes));
	memset(&g->places[0], 0, sizeof(*g->places));
	g->count = g->scanned = g->places_count = 1;
	g->units_count = g->blocks_count = 0;
	g->begin = g->end = 0;
}

int graph_index(struct graph *g)
{
	size_t blocks = ((size_t)(g->end - g->begin) >> BLOCK_SHIFT) + 1, next = 0;

	g->scanned = g->count;
	if (blocks > g->blocks_room) {
		free(g->blocks);
		g->blocks_room = blocks + blocks / 4;
		g->blocks = malloc(g->blocks_room * sizeof(*g->blocks));
		if (!g->blocks) {
			g->blocks_room = 0;
			return -ENOMEM;
		}
	}
	g->blocks_count = blocks;
	for (size_t i = 1; i < g->count; i++) {
		size_t block = (g->nodes[i].position - g->begin) >> BLOCK_SHIFT;

		while (next <= block)
			g->blocks[next++] = i;
	}
	while (next < blocks)
		g->blocks[next++] = g->count;
	return 0;
}

uint32_t graph_find(const struct graph *g, uint32_t position)
{
	if (position < g->begin || position >= g->end || !g->blocks_count)
		return 0;
	for (size_t i = g->blocks[(position - g->begin) >> BLOCK_SHIFT]; i < g->scanned; i++) {
		if (g->nodes[i].position >= position)
			return g->nodes[i].position == position ? i : 0;
	}
	return 0;
}
