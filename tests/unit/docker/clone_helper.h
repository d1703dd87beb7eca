/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of docker_clone: reads fixtures, fills a request, makes the plan, looks into it.
 *
 *	struct sample sample;
 *	sample_open(&sample, "docker/inspect-plain.d28.json", NULL);
 *	sample.request.user = strdup("app");
 *	sample_plan(&sample);
 *	cr_expect_str_eq(json_string(sample.plan.document, "User"), "app");
 *	sample_close(&sample);
 */
#ifndef ONEOFF_TESTS_CLONE_HELPER_H
#define ONEOFF_TESTS_CLONE_HELPER_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/docker/clone_calls.h"
#include "tests/unit/spec/golden.h"

#define SAMPLE_NOW INT64_C(1795236843) /* 2026-11-21T04:54:03Z */

struct sample {
	cJSON *container; /* owned */
	cJSON *image;     /* owned, or NULL */
	struct request request;
	struct docker_clone_input input;
	struct plan plan;
	struct err err;
};

/* The engines' command lines print a list of one. Takes the document, returns what is to be released. */
static inline cJSON *only_one(cJSON *document)
{
	if (cJSON_IsArray(document) && cJSON_GetArraySize(document) == 1) {
		cJSON *only = cJSON_DetachItemFromArray(document, 0);

		cJSON_Delete(document);
		return only;
	}
	return document;
}

static inline cJSON *read_json(const char *path)
{
	return only_one(golden_read_json(path));
}

static inline cJSON *read_fixture(const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "tests/fixtures/%s", name);
	return read_json(path);
}

static inline void sample_init(struct sample *sample, cJSON *container, cJSON *image, bool podman)
{
	memset(sample, 0, sizeof(*sample));
	sample->container = container;
	sample->image = image;
	request_init(&sample->request);
	plan_init(&sample->plan);
	sample->input = (struct docker_clone_input){
		.container = container,
		.image = image,
		.request = &sample->request,
		.id = "k3v9x2ab",
		.name = "web-oneoff-k3v9x2ab",
		.source_name = "web",
		.user = "ana@laptop",
		.now_unix_seconds = SAMPLE_NOW,
		.api_major = 1,
		.api_minor = podman ? 41 : 51,
		.podman = podman,
	};
}

/* Opens fixtures (image: NULL for none) with the command "true"; a name with "podman/" means
 * Podman. */
static inline void sample_open(struct sample *sample, const char *container, const char *image)
{
	sample_init(sample, read_fixture(container), image != NULL ? read_fixture(image) : NULL,
	            strncmp(container, "podman/", 7) == 0);
	cr_assert_eq(strv_add(&sample->request.argv, "true"), 0);
}

static inline void sample_plan(struct sample *sample)
{
	cr_assert_eq(docker_clone(&sample->input, &sample->plan, &sample->err), 0, "%s",
	             sample->err.message);
}

static inline void sample_close(struct sample *sample)
{
	plan_release(&sample->plan);
	request_release(&sample->request);
	json_free(&sample->container);
	json_free(&sample->image);
}

/* Replaces a member of the source: sample_set(&sample, "HostConfig", "Devices", "[…]"). */
static inline void sample_set(struct sample *sample, const char *object, const char *key,
                              const char *json)
{
	struct err err = ERR_INIT;
	cJSON *value = NULL;

	cr_assert_eq(json_parse(json, strlen(json), JSON_MAX_BYTES, &value, &err), 0, "%s",
	             err.message);
	cr_assert_eq(json_set_node(json_at(sample->container, object), key, value), 0);
}

static inline void expect_row(const struct plan *plan, enum plan_action action, const char *path)
{
	const struct plan_row *row = golden_row(plan, path);

	cr_expect_not_null(row, "no row for %s", path);
	if (row != NULL)
		cr_expect_eq(row->action, action, "%s is %s", path, plan_action_name(row->action));
}

static inline void expect_no_row(const struct plan *plan, const char *path)
{
	cr_expect_null(golden_row(plan, path), "a row for %s", path);
}

/* What is sent at the path, as compact JSON, is `wanted`; NULL: nothing is sent. */
static inline void expect_sent(const struct plan *plan, const char *path, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;
	const cJSON *node = json_at(plan->document, path);

	if (node != NULL)
		json_print(node, false, &text);
	if (wanted == NULL)
		cr_expect_null(node, "%s: %s", path, strbuf_str(&text));
	else
		cr_expect_str_eq(strbuf_str(&text), wanted, "%s: %s, not %s", path,
		                 strbuf_str(&text), wanted);
	strbuf_release(&text);
}

static inline bool env_has(const struct plan *plan, const char *entry)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, json_member(plan->document, "Env")) {
		if (strcmp(item->valuestring, entry) == 0)
			return true;
	}
	return false;
}

static inline const char *label_of(const struct plan *plan, const char *key)
{
	const cJSON *label = json_member(json_member(plan->document, "Labels"), key);

	return label != NULL ? label->valuestring : NULL;
}

#endif
