/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of pkg/kube/clone.h: reads fixtures, fills the input, makes the plan, looks into it.
 *
 *	struct clone_sample sample;
 *	clone_open(&sample, "{\"template\": \"deployment-web.json:spec.template\"}", NULL);
 *	sample.request.workdir = strdup("/srv");
 *	clone_plan(&sample);
 *	clone_expect_sent(&sample, "spec.template.spec.containers[0].workingDir", "\"/srv\"");
 *	clone_close(&sample);
 *
 * A description of the source is an object with template, pod, workload, services, budgets, policies,
 * workloads, claims, image_config; each is the document itself, or "FILE" or "FILE:PATH" in
 * tests/fixtures/kube; in a list an item may be such a text. What is left out is NULL.
 */
#ifndef ONEOFF_TESTS_KUBE_CLONE_HELPER_H
#define ONEOFF_TESTS_KUBE_CLONE_HELPER_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/kube/clone_calls.h"
#include "tests/unit/spec/golden.h"

#define CLONE_NOW INT64_C(1795236843) /* 2026-11-21T04:54:03Z */

struct clone_sample {
	cJSON *source;      /* owned: the description, with documents in place of names */
	cJSON *description; /* owned: the request as JSON, or NULL */
	struct request request;
	struct kube_clone_input input;
	struct plan plan;
	struct err err;
};

/* "FILE:PATH" of the fixtures, owned. */
static inline cJSON *clone_fixture(const char *name)
{
	const char *colon = strchr(name, ':');
	char path[512];
	cJSON *document, *part;

	snprintf(path, sizeof(path), "tests/fixtures/kube/%.*s", (int)strcspn(name, ":"), name);
	document = golden_read_json(path);
	if (colon == NULL)
		return document;
	part = cJSON_Duplicate(json_at(document, colon + 1), true);
	cr_assert_not_null(part, "%s", name);
	json_free(&document);
	return part;
}

/* Puts documents in place of names, one level into lists. */
static inline void clone_resolve(cJSON *source)
{
	cJSON *member, *item;

	for (member = source->child; member != NULL;) {
		cJSON *next = member->next;

		if (cJSON_IsArray(member)) {
			for (item = member->child; item != NULL;) {
				cJSON *after = item->next;

				if (cJSON_IsString(item))
					cJSON_ReplaceItemViaPointer(
						member, item, clone_fixture(item->valuestring));
				item = after;
			}
		} else if (cJSON_IsString(member) && strstr(member->valuestring, ".json") != NULL) {
			cJSON *document = clone_fixture(member->valuestring);

			cr_assert_eq(json_set_node(source, member->string, document), 0);
		}
		member = next;
	}
}

/* Takes the description. */
static inline void clone_init(struct clone_sample *sample, cJSON *source)
{
	memset(sample, 0, sizeof(*sample));
	clone_resolve(source);
	sample->source = source;
	request_init(&sample->request);
	plan_init(&sample->plan);
	sample->request.stdin_open = true;
	sample->input = (struct kube_clone_input){
		.pod_template = json_member(source, "template"),
		.pod = json_member(source, "pod"),
		.workload = json_member(source, "workload"),
		.services = json_member(source, "services"),
		.budgets = json_member(source, "budgets"),
		.policies = json_member(source, "policies"),
		.workloads = json_member(source, "workloads"),
		.claims = json_member(source, "claims"),
		.image_config = json_member(source, "image_config"),
		.request = &sample->request,
		.id = "k3v9x2ab",
		.name = "web-oneoff-k3v9x2ab",
		.name_space = "default",
		.source = "deploy/web",
		.user = "jane",
		.architecture = "amd64",
		.gate = true,
		.now_unix_seconds = CLONE_NOW,
	};
}

/* With the command "true"; `command` NULL: none. */
static inline void clone_open(struct clone_sample *sample, const char *source, const char *command)
{
	clone_init(sample, golden_parse(source));
	if (command != NULL)
		cr_assert_eq(strv_add(&sample->request.argv, command), 0);
}

static inline void clone_close(struct clone_sample *sample)
{
	plan_release(&sample->plan);
	request_release(&sample->request);
	json_free(&sample->source);
	json_free(&sample->description);
}

static inline void clone_plan(struct clone_sample *sample)
{
	cr_assert_eq(kube_clone(&sample->input, &sample->plan, &sample->err), 0, "%s",
	             sample->err.message);
}

static inline void clone_fails(struct clone_sample *sample, enum err_kind kind, const char *part)
{
	cr_assert_eq(kube_clone(&sample->input, &sample->plan, &sample->err), -1,
	             "nothing failed; wanted: %s", part);
	cr_expect_eq(sample->err.kind, kind, "%s: %s", err_kind_name(sample->err.kind),
	             sample->err.message);
	cr_expect_not_null(strstr(sample->err.message, part), "'%s' does not hold '%s'",
	                   sample->err.message, part);
	cr_expect_null(sample->plan.document);
}

static inline void clone_expect_row(const struct clone_sample *sample, enum plan_action action,
                                    const char *path, const char *reason)
{
	const struct plan_row *row = golden_row(&sample->plan, path);

	cr_assert_not_null(row, "no row for %s", path);
	cr_expect_eq(row->action, action, "%s is %s", path, plan_action_name(row->action));
	cr_expect_not_null(strstr(row->reason, reason), "%s: %s", path, row->reason);
}

/* What `document` has at the path, as compact JSON, is `wanted`; NULL: nothing. */
static inline void clone_expect(const cJSON *document, const char *path, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;
	const cJSON *node = json_at(document, path);

	if (node != NULL)
		json_print(node, false, &text);
	if (wanted == NULL)
		cr_expect_null(node, "%s: %s", path, strbuf_str(&text));
	else
		cr_expect_str_eq(strbuf_str(&text), wanted, "%s: %s, not %s", path,
		                 strbuf_str(&text), wanted);
	strbuf_release(&text);
}

static inline void clone_expect_sent(const struct clone_sample *sample, const char *path,
                                     const char *wanted)
{
	clone_expect(sample->plan.document, path, wanted);
}

/* A label of the clone's pod, or NULL. */
static inline const char *clone_label(const struct clone_sample *sample, const char *key)
{
	const cJSON *labels = json_at(sample->plan.document, "spec.template.metadata.labels");
	const cJSON *label = json_member(labels, key);

	return label != NULL ? label->valuestring : NULL;
}

#endif
