/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/kube.h"

int kube_diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                  void *context, struct err *err)
{
	(void)release;
	(void)visit;
	(void)context;
	return err_set(err, ERR_INTERNAL, "not for the runtime '%s' yet", backend->ops->name);
}
