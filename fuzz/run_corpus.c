/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over files and folders of files without libFuzzer: seeds as a unit test. */
#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t files;

static int run_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	FILE *f;
	uint8_t *data;
	size_t size = st->st_size;

	(void)ftw;
	if (type != FTW_F)
		return 0;
	f = fopen(path, "rb");
	data = malloc(size ? size : 1); /* exactly as long, for the sanitizers */
	if (!f || !data || fread(data, 1, size, f) != size) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	files++;
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], run_file, 16, FTW_PHYS))
			return 1;
	}
	printf("%zu files\n", files);
	return !files;
}
