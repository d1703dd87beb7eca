/* SPDX-License-Identifier: Apache-2.0 */
/* Every name that --like takes in this namespace, for completion and near names. */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include "pkg/kube/pages.h"

struct naming {
	const char *prefix;
	source_visitor *visit;
	void *context;
};

static int take(void *context, const cJSON *item, struct err *err)
{
	const struct naming *naming = context;
	const char *name = json_string(item, "metadata.name");
	char text[300];

	if (!name)
		return 0;
	snprintf(text, sizeof(text), "%s/%s", naming->prefix, name);
	return naming->visit(naming->context, text, err);
}

int kube_sources(struct backend *backend, source_visitor *visit, void *context, struct err *err)
{
	static const char *const kinds[][3] = {
		{"deploy", "apps/v1", "deployments"},
		{"sts", "apps/v1", "statefulsets"},
		{"ds", "apps/v1", "daemonsets"},
		{"cronjob", "batch/v1", "cronjobs"},
	};
	struct kube *kube = (struct kube *)backend;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct naming naming = {kinds[i][0], visit, context};
		const struct kube_pages pages = {.item = take, .context = &naming};
		_cleanup_free_ char *path =
			kube_path(kinds[i][1], kube->config.name_space, kinds[i][2], NULL, NULL);

		if (!path)
			return err_no_memory(err);
		/* A role that lacks one kind still names the others. */
		if (kube_each(kube, path, &pages, err) < 0 && err->http_status != 403)
			return -1;
	}
	*err = (struct err)ERR_INIT;
	return 0;
}
