/* SPDX-License-Identifier: MIT */
/* Where stub files lie: folders that nobody but the effective uid can put code into. */
#ifndef WEIR_LIB_STUB_FOLDER_H
#define WEIR_LIB_STUB_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/stub.h"

struct stub_folder {
	char path[256]; /* canonical */
	int fd;
};

/*
 * Open candidate `index` (0..), and make it if its parent exists. `dir` is the program's own
 * choice or NULL. -ENOENT and no message: there is no such candidate; other errors say why it
 * cannot be used.
 */
int stub_folder_open(const char *dir, int index, struct stub_folder *ret, struct weir_error *err);
#define STUB_FOLDERS 4
void stub_folder_close(struct stub_folder *folder);

/*
 * See that the folder holds `name` with exactly these bytes: it is there already, or it is written
 * under another name and moved there, never in place. *st is the file's.
 */
int stub_folder_put(const struct stub_folder *folder, const char *name, const uint8_t *image,
                    size_t size, struct stat *st, struct weir_error *err);

/* Whether the open file holds exactly these bytes. */
bool stub_same_bytes(int fd, const uint8_t *image, size_t size);

/* Write it all, without being killed by SIGXFSZ. 0 or -errno. */
int stub_write(int fd, const uint8_t *image, size_t size);

#endif
