/* SPDX-License-Identifier: MIT */
/*
 * The files of one trace that is being written: a file per slot, cut into parts if the recording
 * is rotated. Nobody but the writer of the trace (ctf_writer.c, ctf_resume.c) uses this.
 */
#ifndef WEIR_READER_CTF_FILE_H
#define WEIR_READER_CTF_FILE_H

#include "reader/ctf.h"

#include <stdbool.h>
#include <sys/types.h>
#include <zstd.h>

#define CTF_THREADS UINT32_MAX /* the slot of the file of threads' names */
#define CTF_SPARE   ".spare"

/* A slot's file. */
struct ctf_file {
	int fd; /* -1: none yet */
	uint32_t slot;
	uint32_t part;
	uint64_t bytes;       /* written; whatever is behind is an older part's */
	uint64_t tail;        /* of them, the last packet's; 0: there is none */
	uint64_t room;        /* size of a file that is written over; 0: it is a new one */
	bool spare;           /* still called CTF_SPARE */
	uint32_t sequence;    /* of the next packet */
	uint64_t events;      /* written, of all parts, and dropped */
	uint64_t dropped_end; /* event clock: of what was dropped before the first packet */
	bool based;
	uint64_t began;     /* event clock: when the first session began; 0: not known */
	uint64_t lost_base; /* what `lost` was when the session began ... */
	uint64_t lost;      /* ... and what was told so far, over all sessions */
	uint64_t lost_before;
	struct ctf_packet_head last; /* the newest, also what ctf_writer_resume() found */
};

struct ctf_part;

struct ctf_files {
	int dir;
	struct ctf_options options;
	struct ctf_file *slots;
	uint32_t count;
	struct ctf_file threads;
	struct ctf_part *oldest, **newest; /* complete parts, by age */
	uint64_t kept;                     /* bytes in them */
	int spare;                         /* a file to write over; -1: none */
	ZSTD_CCtx *zstd;
	uint8_t *frame; /* a packet's records, compressed */
};

/* Takes `dir` over, also on failure. */
int ctf_files_init(struct ctf_files *files, int dir, const struct ctf_options *options);

/* Every file ends behind its last packet. */
void ctf_files_deinit(struct ctf_files *files);

/* A slot's file, or the threads' one. NULL: no memory. */
struct ctf_file *ctf_files_slot(struct ctf_files *files, uint32_t slot);

/* Remember a part that is complete, as the newest. */
int ctf_files_keep(struct ctf_files *files, uint32_t slot, uint32_t part, uint64_t bytes);

void ctf_file_name(const struct ctf_files *files, uint32_t slot, uint32_t part, char *ret,
                   size_t size);

/* Append a packet. Returns the bytes that it took, or -errno: the file ends as before. */
ssize_t ctf_file_write(struct ctf_files *files, struct ctf_file *file,
                       const struct ctf_packet_head *head, const void *records, size_t size);

/* Give the last packet another head, in place, where it takes no room. -ENOSPC: there is none. */
int ctf_file_amend(struct ctf_files *files, struct ctf_file *file,
                   const struct ctf_packet_head *head);

#endif
