/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of oci/bundle.h: reads fixtures, fills the input, makes the plan, looks into it.
 *
 *	struct bundle_sample sample;
 *	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
 *	sample.request.workdir = strdup("/srv");
 *	bundle_sample_plan(&sample);
 *	bundle_expect_sent(&sample, "process.cwd", "\"/srv\"");
 *	bundle_sample_close(&sample);
 */
#ifndef ONEOFF_TESTS_BUNDLE_HELPER_H
#define ONEOFF_TESTS_BUNDLE_HELPER_H

#include <criterion/criterion.h>
#include "oci/bundle_calls.h"
#include "tests/unit/spec/golden.h"

#define BUNDLE_NOW INT64_C(1795236843) /* 2026-11-21T04:54:03Z */

struct bundle_sample {
	cJSON *source; /* owned: a config.json, or an image's config */
	cJSON *image;  /* owned: the image's config beside a config.json, or NULL */
	bool from_image;
	struct request request;
	struct bundle_user user; /* input.user points here when it is used */
	struct bundle_rlimit rlimits[8];
	struct bundle_input input;
	struct plan plan;
	struct err err;
};

/* Takes both documents. The input is that of root on a machine with version 1 of control groups. */
void bundle_sample_init(struct bundle_sample *sample, cJSON *source, cJSON *image, bool from_image);

/* A config.json of tests/fixtures/oci/bundle with the command "true", and maybe its image's config. */
void bundle_sample_open(struct bundle_sample *sample, const char *name, const char *image);

/* An image's config from there, with no command. */
void bundle_sample_open_image(struct bundle_sample *sample, const char *name);
void bundle_sample_close(struct bundle_sample *sample);

/* Replaces a member of the source: bundle_sample_set(&sample, "process", "cwd", "\"/\""). An object
 * of "" is the document; json NULL removes the member. */
void bundle_sample_set(struct bundle_sample *sample, const char *object, const char *key,
                       const char *json);

/* Makes the plan: the bare call, expecting success, or expecting a failure of this kind whose message
 * holds `part`. */
int bundle_sample_try(struct bundle_sample *sample);
void bundle_sample_plan(struct bundle_sample *sample);
void bundle_sample_fails(struct bundle_sample *sample, enum err_kind kind, const char *part);

void bundle_expect_row(const struct bundle_sample *sample, enum plan_action action,
                       const char *path);
void bundle_expect_no_row(const struct bundle_sample *sample, const char *path);
const char *bundle_reason(const struct bundle_sample *sample, const char *path);

/* What the document has at the path, as compact JSON, is `wanted`; NULL: nothing. */
void bundle_expect_sent(const struct bundle_sample *sample, const char *path, const char *wanted);
bool bundle_env_has(const struct bundle_sample *sample, const char *entry);
const char *bundle_annotation(const struct bundle_sample *sample, const char *key);

/* The mount on this folder, or NULL. */
const cJSON *bundle_mount(const struct bundle_sample *sample, const char *destination);

#endif
