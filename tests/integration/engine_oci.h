/* SPDX-License-Identifier: Apache-2.0 */
/* What only cases about the engine "oci" ask: any state root, any user's run folder. */
#ifndef ONEOFF_TESTS_ENGINE_OCI_H
#define ONEOFF_TESTS_ENGINE_OCI_H

#include <stddef.h>
#include <sys/types.h>
#include <cjson/cJSON.h>

/* The document that engine_inspect gives, of a container in this state root, or NULL. */
cJSON *oci_inspect(const char *root, const char *id);

/* How much is left of one-offs below that run folder ($ONEOFF_OCI_RUN): folders of runs, mounts; and cgroups
 * anywhere. `text` says what. */
int oci_leftovers(const char *run_folder, char *text, size_t size);

/* Containers in RUN/state. */
int oci_count(const char *run_folder);

/* Fails the case unless all of that is 0 within `limit_ms`, and no process of ours runs. */
void oci_expect_clean(const char *run_folder, int limit_ms);

/* The process id of a container's first process in this state root; 0 when it does not run. */
pid_t oci_pid(const char *root, const char *id);

#endif
