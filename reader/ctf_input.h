/* SPDX-License-Identifier: MIT */
/*
 * A file of packets from its start to its end, through one buffer, whatever the file's size; a file
 * that ends in .zst holds compressed packets (ctf_frame.h). Not mapped: a file that is cut while it is read
 * (weir repair) must not kill the reader.
 */
#ifndef WEIR_READER_CTF_INPUT_H
#define WEIR_READER_CTF_INPUT_H

#include "reader/ctf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctf_input;

int ctf_input_create(struct ctf_input **ret);
void ctf_input_free(struct ctf_input *input);

/*
 * Begin with another file; `name` is kept. -errno. `rotated`: it may be taken away and written over
 * meanwhile, then ctf_input_next() says -ESTALE.
 */
int ctf_input_open(struct ctf_input *input, int dir, const char *name, bool rotated);

/*
 * The next packet, with its head; `*ret` is good until the next call. 1: there is one; 0: the file
 * is over; -EBADMSG: what follows is no whole packet; other -errno: it cannot be read.
 */
int ctf_input_next(struct ctf_input *input, struct ctf_packet_head *head, const uint8_t **ret,
                   size_t *size);

/* Bytes of files that were read since the last call. */
uint64_t ctf_input_bytes(struct ctf_input *input);

#endif
