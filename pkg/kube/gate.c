/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/gate/gate.h"

#include <string.h>
#include "pkg/kube/gate/table.h"

const struct gate *gate_find(const char *architecture)
{
	for (const struct gate *gate = gate_table; gate->architecture; gate++)
		if (!strcmp(gate->architecture, architecture))
			return gate;
	return NULL;
}
