/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the log of a detached task: what its writer (output_log.c) and its readers (output_reader.c) agree
 * on. Both run on the same machine, so numbers stand as they are in memory. */
#ifndef ONEOFF_OCI_OUTPUT_LOG_INTERNAL_H
#define ONEOFF_OCI_OUTPUT_LOG_INTERNAL_H

#include "oci/output_log.h"

#define OUTPUT_NAME_SIZE 24

struct output_frame {
	uint64_t time;   /* nanoseconds since 1970 */
	uint32_t length; /* 1 to OUTPUT_FRAME_MAX */
	uint32_t stream; /* enum chunk_stream */
};

/* "output.3" */
void output_segment_name(unsigned segment, char name[OUTPUT_NAME_SIZE]);

#endif
