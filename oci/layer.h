/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies one layer of an image to a root folder: a tar, plain, gzip or zstd, told by its first
 * bytes (OCI image-spec v1.1 layer.md; research/docker-oci.md section 6). libarchive reads it (tar
 * format and the one filter only); the writing is ours, relative to a descriptor of the root, so
 * that no entry can reach anything outside.
 *
 *	struct layer_budget budget = LAYER_BUDGET_DEFAULT;
 *	struct layer_options options = {.root_fd = fd, .diff_id = "sha256:…", .budget = &budget};
 *
 *	for each layer, lowest first:
 *		if (layer_apply(source, &options, err) < 0)
 *			return err_wrap(err, "layer %s", digest);
 *
 * A refused layer leaves a partial tree inside the root: the caller throws the root away. Single
 * thread.
 */
#ifndef ONEOFF_OCI_LAYER_H
#define ONEOFF_OCI_LAYER_H

#include <stdbool.h>
#include <stdint.h>
#include "oci/byte_source.h"
#include "pkg/base/report.h"

/* What all layers of one image may use together; layer_apply counts down. */
struct layer_budget {
	uint64_t bytes;   /* of file content and of the uncompressed stream, whichever is more */
	uint64_t entries; /* names written, whiteouts included */
};

#define LAYER_BUDGET_DEFAULT                                                                       \
	{                                                                                          \
		.bytes = UINT64_C(20) << 30, .entries = 2000000                                    \
	}

struct layer_options {
	int root_fd;         /* borrowed; an open folder */
	const char *diff_id; /* "sha256:HEX" of the uncompressed stream, checked; NULL: not */
	struct layer_budget *budget;
	/* False for a user without the right to: owners are not set, devices are left out (reported
	 * once, with their number), everything else is as with it. */
	bool privileged;
	struct reporter reporter;
};

/* Reads the source to its end and applies every entry. ERR_REFUSED for what would leave the root or
 * goes beyond a cap (the message names the entry), ERR_PROTOCOL for what is no layer or has another
 * diff_id, ERR_SYSTEM for a failed write or a missing libarchive. */
int layer_apply(struct byte_source *source, const struct layer_options *options,
                struct err *err) _must_check_;

/* Deletes `name` (one component) in folder_fd with everything in it, following no link and crossing
 * no mount. What is not there is no error. */
int tree_remove(int folder_fd, const char *name, struct err *err) _must_check_;

#endif
