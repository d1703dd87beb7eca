/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The third line of removal (design section 6), for what neither the client nor the platform could
 * delete: only what bears our labels and is left over by task_record_is_leftover. Two may run at once: a
 * deletion names one object, and takes force only past its deadline.
 */
#ifndef ONEOFF_RUN_GC_H
#define ONEOFF_RUN_GC_H

#include "pkg/run/engines.h"

struct gc_count {
	size_t deleted; /* with dry_run: would be */
	size_t failed;  /* reported one by one as warnings */
};

/* Every object that is deleted is reported as a note. 0 even when single deletions failed; -1 when an engine
 * could not be asked, with what was counted until then. */
int gc_engines(const struct engines *engines, const struct backend_settings *settings,
               bool all_namespaces, bool dry_run, struct gc_count *ret,
               struct err *err) _must_check_;

#endif
