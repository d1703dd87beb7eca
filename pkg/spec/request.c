/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/request.h"

#include <string.h>

#define MINUTE_MS     INT64_C(60000)
#define MAX_LOCK_NAME 52 /* as REQUEST_LOCK_RULE says */

bool request_lock_is_valid(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= MAX_LOCK_NAME && name[0] != '-' &&
	       name[length - 1] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

void request_init(struct request *request)
{
	*request = (struct request){
		.entrypoint_mode = ENTRYPOINT_KEEP,
		.cpu_nano = REQUEST_AS_SOURCE,
		.memory_bytes = REQUEST_AS_SOURCE,
		.stdin_open = true,
		.timeout_ms = 24 * 60 * MINUTE_MS,
		.start_timeout_ms = 5 * MINUTE_MS,
		.grace_ms = REQUEST_AS_SOURCE,
		.keep = KEEP_NEVER,
	};
}

void request_release(struct request *request)
{
	strv_release(&request->argv);
	strv_release(&request->env);
	strv_release(&request->labels);
	free(request->kubernetes.container);
	free(request->image);
	free(request->user);
	free(request->workdir);
	free(request->entrypoint);
	free(request->term);
	free(request->lock);
	free(request->name);
	free(request->reason);
	request_init(request);
}
