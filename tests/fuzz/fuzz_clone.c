/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte chooses the request, the rest is the inspect document; the image is the same one.
 */
#include <string.h>
#include "pkg/docker/clone.h"
#include "tests/fuzz/fuzz.h"

static void fill(struct request *request, uint8_t choice)
{
	request_init(request);
	request->tty = choice & 1;
	request->fresh_volumes = choice & 2;
	request->no_log = choice & 4;
	request->image = choice & 8 ? strdup("other:2") : NULL;
	request->entrypoint_mode = choice & 16 ? ENTRYPOINT_CLEAR : ENTRYPOINT_KEEP;
	if (choice & 32) {
		request->memory_bytes = 1 << 20;
		request->cpu_nano = 1000;
	}
	if (strv_add(&request->argv, "true") < 0 || strv_add(&request->env, "PATH") < 0 ||
	    strv_add(&request->labels, "caddy=x") < 0)
		abort();
}

static void check(const struct plan *plan)
{
	struct strbuf text = STRBUF_INIT;
	cJSON *json = plan_to_json(plan, false);

	plan_print_table(plan, false, true, &text);
	if (json_string(plan->document, "Image") == NULL ||
	    !json_true(plan->document, "HostConfig.AutoRemove") ||
	    json_member(plan->document, "ExposedPorts") != NULL)
		abort();
	strbuf_release(&text);
	json_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct request request;
	struct plan plan;
	cJSON *container = NULL;

	if (size < 1 ||
	    json_parse((const char *)data + 1, size - 1, JSON_MAX_BYTES, &container, &err) < 0)
		return 0;
	fill(&request, data[0]);
	plan_init(&plan);

	const struct docker_clone_input input = {
		.container = container,
		.image = data[0] & 64 ? container : NULL,
		.request = &request,
		.id = "k3v9x2ab",
		.name = "web-oneoff-k3v9x2ab",
		.source_name = "web",
		.user = "ana@laptop",
		.now_unix_seconds = 1795236843,
		.api_major = 1,
		.api_minor = data[0] & 1 ? 41 : 51,
		.podman = data[0] & 128,
	};
	if (docker_clone(&input, &plan, &err) == 0)
		check(&plan);
	else if (plan.document != NULL || err.kind == ERR_NONE)
		abort();
	plan_release(&plan);
	request_release(&request);
	json_free(&container);
	return 0;
}
