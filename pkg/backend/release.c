/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/backend/backend.h"

void release_release(struct release *release)
{
	free(release->id);
	free(release->name);
	free(release->image);
	free(release->digest);
	free(release->status);
	free(release->workdir);
	free(release->console);
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
