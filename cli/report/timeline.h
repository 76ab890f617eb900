/* SPDX-License-Identifier: MIT */
/*
 * What happened when: columns of time of a round width, at most TIMELINE_COLUMNS of them, for the
 * keys that a picture shows and for all others together.
 */
#ifndef WEIR_CLI_REPORT_TIMELINE_H
#define WEIR_CLI_REPORT_TIMELINE_H

#include "cli/report/rows.h"

#define TIMELINE_COLUMNS 300
#define TIMELINE_KEYS    40 /* most frequent ones */
#define TIMELINE_SLOW    10 /* and the slowest of the rest */
#define TIMELINE_PROBES  7
#define TIMELINE_PLACES  96
#define SLOTS_MAX        (TIMELINE_KEYS + TIMELINE_SLOW + 1)

/* One key. */
struct series {
	struct row *row; /* its totals */
	uint64_t counts[TIMELINE_COLUMNS];
	struct sum sums[TIMELINE_COLUMNS];
	double maxima[TIMELINE_COLUMNS];
	uint32_t *cells; /* [columns][scale.count], NULL without --hist */
};

struct timeline {
	int64_t start, width; /* ns */
	uint32_t columns;
	bool hist;
	struct scale scale;
	struct series *keys[SLOTS_MAX];
	uint32_t key_count;
	struct row *others; /* what the last slot sums up if there are too many keys; owned */
	uint64_t others_keys;
	struct row *probes[TIMELINE_PROBES]; /* most frequent; the last slot is of all others */
	uint32_t probe_count;
	uint64_t probe_counts[TIMELINE_PROBES + 1][TIMELINE_COLUMNS];
	double lost[TIMELINE_COLUMNS];
	uint64_t lost_untimed;
};

/* Choose columns, scale and keys by what the first pass found. The rows get their slots. */
int timeline_create(struct rows *rows, struct rows *probes, bool hist, int64_t first, int64_t last,
                    struct timeline **ret);
void timeline_free(struct timeline *timeline);

uint32_t timeline_column(const struct timeline *timeline, int64_t time);
void timeline_add(struct timeline *timeline, const struct row *row, int64_t time, double value);
void timeline_add_probe(struct timeline *timeline, const struct row *probe, int64_t time);
void timeline_add_lost(struct timeline *timeline, int64_t from, int64_t to, uint64_t count);

#endif
