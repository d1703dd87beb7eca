/* SPDX-License-Identifier: Apache-2.0 */
/* One-offs that exist already: list, adopt, output, discard; and what --like takes here. */
#include "oci/oci_internal.h"

int oci_list(struct backend *backend, const struct list_query *query, list_visitor *visit,
             void *context, struct err *err)
{
	(void)query;
	(void)visit;
	(void)context;
	return err_set(err, ERR_INTERNAL, "list: not for the runtime '%s' yet", backend->ops->name);
}

int oci_adopt(struct backend *backend, const struct task_record *record, struct err *err)
{
	(void)record;
	return err_set(err, ERR_INTERNAL, "not for the runtime '%s' yet", backend->ops->name);
}

int oci_output(struct backend *backend, const struct output_request *request, struct channel **ret,
               struct err *err)
{
	(void)request;
	(void)ret;
	return err_set(err, ERR_INTERNAL, "not for the runtime '%s' yet", backend->ops->name);
}

int oci_discard(struct backend *backend, const struct task_record *record, bool force,
                struct err *err)
{
	(void)record;
	(void)force;
	return err_set(err, ERR_INTERNAL, "not for the runtime '%s' yet", backend->ops->name);
}

int oci_sources(struct backend *backend, source_visitor *visit, void *context, struct err *err)
{
	(void)visit;
	(void)context;
	return err_set(err, ERR_INTERNAL, "not for the runtime '%s' yet", backend->ops->name);
}

int oci_diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                 void *context, struct err *err)
{
	(void)release;
	(void)visit;
	(void)context;
	return err_set(err, ERR_INTERNAL, "not for the runtime '%s' yet", backend->ops->name);
}
