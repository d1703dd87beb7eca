/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded gates, a table in a source file that the build writes (gate.mk, embed). Private to gate_find, which
 * everybody else calls.
 */
#ifndef ONEOFF_KUBE_GATE_TABLE_H
#define ONEOFF_KUBE_GATE_TABLE_H

#include "pkg/kube/gate/gate.h"

/* One for each architecture; the last has no name. */
extern const struct gate gate_table[];

#endif
