/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the lock: the Jobs and pods that bear its label (lock.h says what they decide). */
#ifndef ONEOFF_KUBE_LOCK_HOLDERS_H
#define ONEOFF_KUBE_LOCK_HOLDERS_H

#include <stdbool.h>
#include "pkg/base/err.h"

#define KUBE_LOCK_LABEL "oneoff.dev/lock"

struct kube;

/* What there is of others, ourselves left out. */
struct kube_holders {
	bool running;      /* a Job that is not suspended and not over */
	bool alive;        /* a pod whose task has not ended, with or without a Job */
	bool holder_ended; /* the holder's own Job or pod was seen, and is over */
	char words[300];   /* about the first of `running` and `alive` */
};

/* `holder`: the Lease's holderIdentity, "ID USER", or "". */
int kube_holders_look(struct kube *kube, const char *holder, struct kube_holders *ret,
                      struct err *err) _must_check_;

/* Deletes the suspended Jobs of others, each as it was seen: after that none of them can begin. ERR_LOCKED when one of
 * them began meanwhile. */
int kube_holders_fence(struct kube *kube, struct err *err) _must_check_;

#endif
