/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/request.h"

#define MINUTE_MS INT64_C(60000)

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
