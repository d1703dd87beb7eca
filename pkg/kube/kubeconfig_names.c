/* SPDX-License-Identifier: Apache-2.0 */
/* Which contexts there are, for completion. */
#include <string.h>
#include "pkg/kube/kubeconfig_internal.h"

static bool has(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], text))
			return true;
	return false;
}

static int add_once(struct strv *list, const char *text)
{
	return !text || !*text || has(list, text) ? 0 : strv_add(list, text);
}

int kubeconfig_names(const struct kubeconfig_settings *settings, struct strv *ret_contexts,
                     struct strv *ret_namespaces, struct err *err)
{
	_cleanup_(kubeconfig_files_release) struct kubeconfig_files files = {.count = 0};

	if (kubeconfig_files_read(settings, &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++) {
		const cJSON *item;

		cJSON_ArrayForEach (item, json_member(files.items[i].document, "contexts")) {
			if (add_once(ret_contexts, json_string(item, "name")) < 0 ||
			    add_once(ret_namespaces, json_string(item, "context.namespace")) < 0)
				return err_no_memory(err);
		}
	}
	return 0;
}
