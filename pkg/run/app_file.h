/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an app tells about itself by files: its Procfile, its .oneoff.yaml, the files of its framework. They are read
 * from the app's own file system (backend slot read_file), never from the machine that oneoff runs on. Single thread.
 *
 *	int found = app_file_read(backend, release, "Procfile", 65536, &text, err);
 */
#ifndef ONEOFF_RUN_APP_FILE_H
#define ONEOFF_RUN_APP_FILE_H

#include "pkg/backend/backend.h"

/* Appends the file's content, at most `cap` bytes; with a cap of 0 only asks whether it is there (`ret` may be NULL).
 * A path without a leading slash begins at the app's working folder. 1 when it is there, 0 when not.
 *
 * A file that is no regular file or that the engine will not hand out counts as not there, and so do all of them
 * where the backend cannot read files. ERR_NO_MEMORY for a larger one; other faults of read_file are returned: they
 * say nothing about the app. */
int app_file_read(struct backend *backend, const struct release *release, const char *path,
                  size_t cap, struct strbuf *ret, struct err *err) _must_check_;

#endif
