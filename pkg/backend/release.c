/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/backend/backend.h"

#include <string.h>

void release_release(struct release *release)
{
	free(release->id);
	free(release->name);
	free(release->image);
	free(release->digest);
	free(release->status);
	free(release->workdir);
	free(release->console);
	free(release->user);
	json_free(&release->declared);
	json_free(&release->document);
	json_free(&release->image_document);
	*release = (struct release){.id = NULL};
}

void identity_release(struct identity *identity)
{
	free(identity->name);
	free(identity->user);
	free(identity->lock);
	*identity = (struct identity){.name = NULL};
}

int release_declare(struct release *release, const cJSON *labels, const char *prefix,
                    struct err *err)
{
	const cJSON *label;

	cJSON_ArrayForEach (label, labels) {
		if (!label->string || !cJSON_IsString(label) ||
		    strncmp(label->string, prefix, strlen(prefix)) != 0 ||
		    json_member(release->declared, label->string))
			continue;
		if (!release->declared)
			release->declared = cJSON_CreateObject();
		if (!release->declared ||
		    json_set_string(release->declared, label->string, label->valuestring) < 0)
			return err_no_memory(err);
	}
	return 0;
}

bool release_is_declaration(const char *key)
{
	return !strcmp(key, "console") || !strncmp(key, "task.", strlen("task."));
}
