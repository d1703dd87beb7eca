/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the store: where things are (store_paths.c), unpacking (store.c), pruning (store_prune.c). */
#ifndef ONEOFF_OCI_STORE_INTERNAL_H
#define ONEOFF_OCI_STORE_INTERNAL_H

#include "oci/digest.h"
#include "oci/store.h"

/* The folders of root folders unpacked with and without privileges. */
extern const char *const store_kinds[2];

/* Opens STORE, or a folder below it, making it (mode 0700) when `make` is set. The descriptor, or -1; without
 * `make` a missing one is ERR_NOT_FOUND. */
int store_open_folder(const char *store, const char *below, bool make, struct err *err);

/* Opens the lock of a root folder: STORE/lock/KIND-HEX. Its time is that of the last use. Without `make` a
 * missing one is ERR_NOT_FOUND: nobody uses that root folder. */
int store_open_lock(const char *store, const char *kind, const char *hex, bool make,
                    struct err *err);

/* rename(2), also of a root folder that its owner may not write to. */
int store_move(int from_fd, const char *from, int to_fd, const char *to, struct err *err);

#endif
