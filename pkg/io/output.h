/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of our own output descriptors, written without ever blocking the process, and without setting
 * O_NONBLOCK on a description that other processes share: a pipe or terminal is opened anew through
 * /proc/self/fd, a socket is sent to with MSG_DONTWAIT, and where neither works small writes follow
 * poll. Regular files and the null device never block.
 */
#ifndef ONEOFF_IO_OUTPUT_H
#define ONEOFF_IO_OUTPUT_H

#include "pkg/io/channel.h"

struct output {
	int fd;     /* where to write and poll; -1: closed, bytes are dropped */
	bool owned; /* fd is our own second opening */
	bool is_socket;
	size_t limit; /* greatest single write that cannot block; 0: any */
	int failure;  /* errno of the write that ended it, or 0 */
};

/* Prepares the descriptor; one that is not open counts as failed with EBADF at the first write. */
void output_open(struct output *output, int fd);
/* Writes what fits. IO_AGAIN: poll for writing. IO_ERROR: see output->failure; later writes too. */
enum io_result output_write(struct output *output, const char *bytes, size_t length,
                            size_t *ret_written);
void output_close(struct output *output);

#endif
