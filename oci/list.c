/* SPDX-License-Identifier: Apache-2.0 */
/* What there is: the one-offs of this user's run folder, and the containers that could be cloned. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "oci/one_off.h"
#include "oci/oci_internal.h"

static bool is_wanted(const struct one_off *one_off, const struct list_query *query)
{
	if (query->id && strcmp(one_off->record.id, query->id) != 0)
		return false;
	return query->all || one_off->record.state != TASK_ENDED;
}

static int visit_one(const char *run_folder, const char *name, const struct list_query *query,
                     list_visitor *visit, void *context, struct err *err)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
	int result = one_off_read(run_folder, name, &one_off, err);

	if (result <= 0 || !is_wanted(&one_off, query))
		return result < 0 ? -1 : 0;
	return visit(context, &one_off.record, err);
}

int oci_list(struct backend *backend, const struct list_query *query, list_visitor *visit,
             void *context, struct err *err)
{
	const struct oci *oci = (const struct oci *)backend;
	DIR *folder = opendir(oci->run_folder);
	const struct dirent *entry;
	int result = 0;

	if (!folder && errno == ENOENT)
		return 0;
	if (!folder)
		return err_errno(err, "cannot read %s", oci->run_folder);
	errno = 0;
	while (result >= 0 && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "state") != 0 &&
		    strcmp(entry->d_name, "locks") != 0)
			result = visit_one(oci->run_folder, entry->d_name, query, visit, context,
			                   err);
		errno = 0;
	}
	if (result >= 0 && errno)
		result = err_errno(err, "cannot read %s", oci->run_folder);
	closedir(folder);
	return result < 0 ? -1 : 0;
}

struct source_visit {
	source_visitor *visit;
	void *context;
};

/* Another engine's cannot be cloned here: it is that engine's to name. */
static int visit_source(void *context, const struct container_state *state, struct err *err)
{
	const struct source_visit *sources = context;
	_cleanup_free_ char *name = NULL;

	if (state_owner(state->bundle))
		return 0;
	if (asprintf(&name, "oci:%s", state->id) < 0) {
		name = NULL;
		return err_no_memory(err);
	}
	return sources->visit(sources->context, name, err);
}

int oci_sources(struct backend *backend, source_visitor *visit, void *context, struct err *err)
{
	const struct oci *oci = (const struct oci *)backend;
	_cleanup_(strv_release) struct strv roots = STRV_INIT;
	struct source_visit sources = {visit, context};

	if (state_roots(oci->settings.oci_root, &roots, err) < 0)
		return -1;
	return state_each(&roots, visit_source, &sources, err);
}
