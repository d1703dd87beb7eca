/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/environment.h"

#include <stdlib.h>

const char *environment_get(void *context, const char *name)
{
	(void)context;
	return getenv(name);
}
