/* SPDX-License-Identifier: MIT */
/* What a writer of a trace is made of: for ctf_writer.c, ctf_resume.c and ctf_describe.c alone. */
#ifndef WEIR_READER_CTF_WRITER_H
#define WEIR_READER_CTF_WRITER_H

#include "reader/ctf_file.h"

struct ctf_writer {
	struct ctf_files files;
	struct ctf_target target; /* its strings: */
	char *process, *command, *hostname;
	struct ctf_totals totals;
	uint64_t whole_from;
	uint64_t known_to; /* how far the log was read that the metadata has */
};

/* A writer for the folder `dir`, which it takes over also on failure. */
int ctf_writer_make(int dir, const struct ctf_target *target, const struct ctf_options *options,
                    struct ctf_writer **ret, struct weir_error *err);

/* What an error of writing means to a person, and what to do. */
const char *ctf_writer_why(int code);

#endif
