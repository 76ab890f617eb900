/* SPDX-License-Identifier: MIT */
/* What a report looks like: in the terminal, as JSON, as a page. */
#ifndef WEIR_CLI_REPORT_OUTPUT_H
#define WEIR_CLI_REPORT_OUTPUT_H

#include "cli/report/aggregate.h"

/* Rows must be sorted. */
int report_print_table(const struct aggregate *a);
/* -EIO etc.: standard output cannot be written. */
int report_print_json(const struct aggregate *a);

/*
 * Write the page to `path`: all of it, or the file is as it was. -errno with a message.
 * `recording` is what the page says it is about.
 */
int report_write_page(const struct aggregate *a, const struct timeline *timeline,
                      const char *recording, const char *path, struct weir_error *err);

/*
 * A key as text: what is no valid UTF-8, or a control character, becomes U+FFFD. Caller frees;
 * NULL: no memory.
 */
char *report_text(const char *bytes, size_t size);

#endif
