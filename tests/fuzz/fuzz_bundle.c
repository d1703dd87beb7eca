/* SPDX-License-Identifier: Apache-2.0 */
/* Two bytes choose the request and the machine, the rest is the source: a config.json or an image's
 * config. What comes out is a document that parses again, with a root of ours and something to run. */
#include <string.h>
#include "oci/bundle.h"
#include "tests/fuzz/fuzz.h"

static const struct bundle_user user = {
	.uid = 7, .gid = 8, .additional = {8, 9}, .additional_count = 2, .home = "/home/app"};
static const struct bundle_rlimit rlimits[] = {{"RLIMIT_NOFILE", 1024}, {"RLIMIT_CORE", 0}};

static void fill_request(struct request *request, uint8_t choice)
{
	request_init(request);
	request->tty = choice & 1;
	request->tty_rows = request->tty_columns = 50;
	request->user = choice & 2 ? strdup("app") : NULL;
	request->entrypoint_mode = choice & 4 ? ENTRYPOINT_CLEAR : ENTRYPOINT_KEEP;
	if (choice & 8) {
		request->memory_bytes = 1 << 20;
		request->cpu_nano = 1000000000;
	}
	if ((choice & 16 && strv_add(&request->argv, "true") < 0) ||
	    strv_add(&request->env, "PATH") < 0 || strv_add(&request->env, "A=b") < 0 ||
	    strv_add(&request->labels, "team=ops") < 0)
		abort();
}

static void fill_input(struct bundle_input *input, const struct request *request, uint8_t choice)
{
	*input = (struct bundle_input){
		.request = request,
		.id = "k3v9x2ab",
		.name = "web-oneoff-k3v9x2ab",
		.source_name = "web",
		.source_id = "0123",
		.user_name = "ana@laptop",
		.now_unix_seconds = 1795236843,
		.source_pid = choice & 1 ? 4242 : 0,
		.user = request->user ? &user : NULL,
		.network = (enum bundle_network)((choice >> 1) % 3),
		.user_namespace = choice & 8,
		.rootless = choice & 16,
		.cgroups_path = choice & 32 ? "/a/oneoff" : NULL,
		.rlimits = rlimits,
		.rlimit_count = choice & 64 ? 2 : 0,
		.oom_score_adj_floor = choice & 64 ? 0 : -1000,
		.cgroup2 = choice & 128,
	};
}

static void check(const struct plan *plan)
{
	struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	cJSON *again = NULL, *json = plan_to_json(plan, false);
	const char *root = json_string(plan->document, "root.path");

	CHECK(root && !strcmp(root, "rootfs"));
	CHECK(json_string(plan->document, "process.args[0]"));
	CHECK(json_string(plan->document, "process.cwd"));
	CHECK(json_string(plan->document, "ociVersion"));
	CHECK(json_at(plan->document, "process.user.uid") ||
	      json_at(plan->document, "process.user"));
	json_print(plan->document, true, &text);
	CHECK(!text.failed);
	CHECK(json_parse(strbuf_str(&text), text.length, JSON_MAX_BYTES, &again, &err) == 0);
	CHECK(json_equal(again, plan->document));
	strbuf_reset(&text);
	plan_print_table(plan, false, true, &text);
	CHECK(json && !text.failed);
	strbuf_release(&text);
	json_free(&again);
	json_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct request request;
	struct bundle_input input;
	struct plan plan;
	cJSON *source = NULL;
	int result;

	if (size < 2 ||
	    json_parse((const char *)data + 2, size - 2, JSON_MAX_BYTES, &source, &err) < 0)
		return 0;
	fill_request(&request, data[0]);
	fill_input(&input, &request, data[1]);
	plan_init(&plan);
	if (data[0] & 128)
		result = bundle_from_image(source, &input, &plan, &err);
	else
		/* A document that is a config.json and an image's config serves as both. */
		result = bundle_from_container(source, data[0] & 64 ? source : NULL, &input, &plan,
		                               &err);
	if (result == 0)
		check(&plan);
	else
		CHECK(!plan.document && err.kind != ERR_NONE && err.kind != ERR_INTERNAL);
	plan_release(&plan);
	request_release(&request);
	json_free(&source);
	return 0;
}
