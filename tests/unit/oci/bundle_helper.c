/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "tests/unit/oci/bundle_helper.h"

#define FIXTURES "tests/fixtures/oci/bundle/"

void bundle_sample_init(struct bundle_sample *sample, cJSON *source, cJSON *image, bool from_image)
{
	memset(sample, 0, sizeof(*sample));
	sample->source = source;
	sample->image = image;
	sample->from_image = from_image;
	request_init(&sample->request);
	plan_init(&sample->plan);
	sample->input = (struct bundle_input){
		.request = &sample->request,
		.id = "k3v9x2ab",
		.name = "web-oneoff-k3v9x2ab",
		.source_name = "web",
		.source_id = "c6428f768429",
		.user_name = "ana@laptop",
		.now_unix_seconds = BUNDLE_NOW,
		.source_pid = from_image ? 0 : 4242,
		.network = BUNDLE_NETWORK_SOURCE,
		.network_path = from_image ? NULL : "/proc/4242/ns/net",
		.cgroups_path = "/shop/oneoff-k3v9x2ab",
		.oom_score_adj_floor = -1000,
	};
}

static cJSON *fixture(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), FIXTURES "%s", name);
	return golden_read_json(path);
}

void bundle_sample_open(struct bundle_sample *sample, const char *name, const char *image)
{
	bundle_sample_init(sample, fixture(name), image ? fixture(image) : NULL, false);
	cr_assert_eq(strv_add(&sample->request.argv, "true"), 0);
}

void bundle_sample_open_image(struct bundle_sample *sample, const char *name)
{
	bundle_sample_init(sample, fixture(name), NULL, true);
}

void bundle_sample_close(struct bundle_sample *sample)
{
	plan_release(&sample->plan);
	request_release(&sample->request);
	json_free(&sample->source);
	json_free(&sample->image);
}

void bundle_sample_set(struct bundle_sample *sample, const char *object, const char *key,
                       const char *json)
{
	cJSON *parent = json_at(sample->source, object);

	cr_assert_not_null(parent, "no object %s", object);
	if (!json) {
		cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
		return;
	}
	cr_assert_eq(json_set_node(parent, key, golden_parse(json)), 0);
}

int bundle_sample_try(struct bundle_sample *sample)
{
	plan_release(&sample->plan);
	if (sample->from_image)
		return bundle_from_image(sample->source, &sample->input, &sample->plan,
		                         &sample->err);
	return bundle_from_container(sample->source, sample->image, &sample->input, &sample->plan,
	                             &sample->err);
}

void bundle_sample_plan(struct bundle_sample *sample)
{
	cr_assert_eq(bundle_sample_try(sample), 0, "%s", sample->err.message);
	cr_expect_null(sample->plan.extra);
}

void bundle_sample_fails(struct bundle_sample *sample, enum err_kind kind, const char *part)
{
	cr_assert_eq(bundle_sample_try(sample), -1, "nothing failed; wanted: %s", part);
	cr_expect_eq(sample->err.kind, kind, "%s: %s", err_kind_name(sample->err.kind),
	             sample->err.message);
	cr_expect_not_null(strstr(sample->err.message, part), "'%s' does not hold '%s'",
	                   sample->err.message, part);
	cr_expect_null(sample->plan.document);
}

void bundle_expect_row(const struct bundle_sample *sample, enum plan_action action,
                       const char *path)
{
	const struct plan_row *row = golden_row(&sample->plan, path);

	cr_assert_not_null(row, "no row for %s", path);
	cr_expect_eq(row->action, action, "%s is %s", path, plan_action_name(row->action));
}

void bundle_expect_no_row(const struct bundle_sample *sample, const char *path)
{
	cr_expect_null(golden_row(&sample->plan, path), "a row for %s", path);
}

const char *bundle_reason(const struct bundle_sample *sample, const char *path)
{
	const struct plan_row *row = golden_row(&sample->plan, path);

	cr_assert_not_null(row, "no row for %s", path);
	return row->reason;
}

void bundle_expect_sent(const struct bundle_sample *sample, const char *path, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;
	const cJSON *node = json_at(sample->plan.document, path);

	if (node)
		json_print(node, false, &text);
	if (!wanted)
		cr_expect_null(node, "%s: %s", path, strbuf_str(&text));
	else
		cr_expect_str_eq(strbuf_str(&text), wanted, "%s: %s, not %s", path,
		                 strbuf_str(&text), wanted);
	strbuf_release(&text);
}

bool bundle_env_has(const struct bundle_sample *sample, const char *entry)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, json_at(sample->plan.document, "process.env")) {
		if (!strcmp(item->valuestring, entry))
			return true;
	}
	return false;
}

const char *bundle_annotation(const struct bundle_sample *sample, const char *key)
{
	const cJSON *annotations = json_member(sample->plan.document, "annotations");
	const cJSON *annotation = json_member(annotations, key);

	return annotation ? annotation->valuestring : NULL;
}

const cJSON *bundle_mount(const struct bundle_sample *sample, const char *destination)
{
	const cJSON *mount;

	cJSON_ArrayForEach (mount, json_member(sample->plan.document, "mounts")) {
		if (!strcmp(json_string(mount, "destination"), destination))
			return mount;
	}
	return NULL;
}
