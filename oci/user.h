/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "USER[:GROUP]" by names or numbers, looked up in a root folder's /etc/passwd and /etc/group as Docker
 * does (image-spec config.md "User"). Single thread.
 */
#ifndef ONEOFF_OCI_USER_H
#define ONEOFF_OCI_USER_H

#include "oci/bundle.h"

/* `root_fd` is an open folder; links inside it are followed within it only. `text` "" means root. A
 * number without an entry is fine (group 0); a name without one is ERR_NOT_FOUND with a hint. Files of
 * more than 4 MiB and lines of more than 64 KiB are refused. */
int user_resolve(int root_fd, const char *text, struct bundle_user *ret,
                 struct err *err) _must_check_;

#endif
