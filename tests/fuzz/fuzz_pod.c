/* SPDX-License-Identifier: Apache-2.0 */
/* Two bytes choose the request and which documents there are, the rest is one object that holds them all:
 * {"template", "pod", "workload", "services"…} as tests/golden/pod/CASE/input.json has it. */
#include <string.h>
#include "pkg/kube/clone.h"
#include "tests/fuzz/fuzz.h"

static void fill(struct request *request, uint8_t choice, uint8_t more)
{
	request_init(request);
	request->tty = choice & 1;
	request->stdin_open = choice & 2;
	request->image = choice & 4 ? strdup("other:2") : NULL;
	request->entrypoint_mode = choice & 8 ? ENTRYPOINT_CLEAR : ENTRYPOINT_KEEP;
	if (choice & 16) {
		request->memory_bytes = 1 << 20;
		request->cpu_nano = 1000;
		request->user = strdup("1:2");
	}
	request->kubernetes.sidecars = choice & 32 ? SIDECARS_NONE : SIDECARS_NATIVE;
	request->kubernetes.carrier = choice & 64 ? CARRIER_POD : CARRIER_JOB;
	request->kubernetes.gate = choice & 128 ? GATE_ARGS : GATE_AUTO;
	request->kubernetes.no_init = more & 1;
	request->kubernetes.network_identity = more & 2;
	if ((more & 4 && strv_add(&request->argv, "$(x)") < 0) ||
	    strv_add(&request->env, "PATH") < 0 || strv_add(&request->env, "A=$$") < 0 ||
	    strv_add(&request->labels, "extra=x") < 0)
		abort();
}

/* The pod of the plan: exactly one container, which runs once. */
static void check_spec(const cJSON *spec)
{
	const char *policy = json_string(spec, "restartPolicy");

	if (policy == NULL || strcmp(policy, "Never") != 0 ||
	    cJSON_GetArraySize(json_member(spec, "containers")) != 1 ||
	    json_string(spec, "containers[0].image") == NULL ||
	    json_at(spec, "containers[0].ports") != NULL ||
	    json_at(spec, "containers[0].restartPolicy") != NULL ||
	    json_member(spec, "nodeName") != NULL)
		abort();
}

static void check(const struct plan *plan, bool pod)
{
	struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	cJSON *again = NULL;
	cJSON *json = plan_to_json(plan, false);

	check_spec(json_at(plan->document, pod ? "spec" : "spec.template.spec"));
	check_spec(json_at(plan->extra, "pod.spec"));
	json_print(plan->document, false, &text);
	if (json_parse(strbuf_str(&text), text.length, JSON_MAX_BYTES, &again, &err) < 0 ||
	    !json_equal(again, plan->document))
		abort();
	strbuf_reset(&text);
	plan_print_table(plan, false, true, &text);
	strbuf_release(&text);
	json_free(&again);
	json_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct request request;
	struct plan plan;
	cJSON *source = NULL;

	if (size < 2 ||
	    json_parse((const char *)data + 2, size - 2, JSON_MAX_BYTES, &source, &err) < 0)
		return 0;
	fill(&request, data[0], data[1]);
	plan_init(&plan);

	const struct kube_clone_input input = {
		.pod_template = json_member(source, "template"),
		.pod = json_member(source, "pod"),
		.workload = json_member(source, "workload"),
		.services = json_member(source, "services"),
		.budgets = json_member(source, "budgets"),
		.policies = json_member(source, "policies"),
		.workloads = json_member(source, "workloads"),
		.claims = json_member(source, "claims"),
		.image_config = json_member(source, "image_config"),
		.request = &request,
		.id = "k3v9x2ab",
		.name = "web-oneoff-k3v9x2ab",
		.name_space = "default",
		.source = "deploy/web",
		.user = "jane",
		.architecture = data[1] & 8 ? "amd64" : NULL,
		.gate = !(data[1] & 16),
		.now_unix_seconds = 1795236843,
	};
	if (kube_clone(&input, &plan, &err) == 0)
		check(&plan, data[0] & 64);
	else if (plan.document != NULL || err.kind == ERR_NONE)
		abort();
	plan_release(&plan);
	request_release(&request);
	json_free(&source);
	return 0;
}
