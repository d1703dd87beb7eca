/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only cases about the engine "kube" ask: the cluster through `kubectl proxy` ($ONEOFF_TEST_SOCKET), kubectl,
 * and the fake API server's switches ($ONEOFF_TEST_FAKE, its folder; not set on a real cluster).
 *
 *	fake_faults("[{\"pod\": \"web-oneoff\", \"reason\": \"OOMKilled\", \"ms\": 300}]");
 *	…
 *	fake_reset();
 */
#ifndef ONEOFF_TESTS_ENGINE_KUBE_H
#define ONEOFF_TESTS_ENGINE_KUBE_H

#include <stdbool.h>
#include <stddef.h>
#include <cjson/cJSON.h>
#include "tests/integration/harness.h"

/* The namespace of the cases. */
const char *kube_namespace(void);

/* GET of a path in that namespace, with its query: "pods", "batch/v1/jobs/x". The document, or NULL. */
cJSON *kube_get(const char *path);

/* The one pod or Job of the one one-off, or NULL. */
cJSON *kube_one_off(const char *path);

/* Any method with a body (or NULL); the status, or -1. */
int kube_request(const char *method, const char *path, const char *body);

/* The same below the namespace, as kube_get has it. */
int kube_change(const char *method, const char *path, const char *body);

/* Runs kubectl with these words and this stdin (or NULL), after --namespace; released by the caller. */
void kubectl(struct run *run, const char *input, const char *const *argv);

/* Runs a line by bash; its stdout without what follows the first newline, in a static buffer. With `ret_code` NULL it has
 * to end with 0. */
const char *shell_line(const char *line, int *ret_code);

/* Lets the next minute of all schedules come: at once on the fake, by its hasty CronJob controller; a cluster takes its
 * time. */
void kube_next_minute(void);

/* The Job of a CronJob that has ended and was made by the controller, other than `before` ("" or the name of one); waits
 * for it up to 100 s. Its name, in a static buffer; its document in *ret_job unless that is NULL. */
const char *kube_await_fired(const char *cronjob, const char *before, cJSON **ret_job);

/* EndpointSlices, ReplicaSets and PodDisruptionBudgets as one text, owned by the caller. */
char *kube_surroundings(void);

/* Waits until every one-off's Job has ended and is bound to go by its TTL within a minute, and then does what the
 * cluster would: removes it. False when one is left that would stay. */
bool kube_await_ttl(int limit_ms);

/* Whether the cluster is the fake. */
bool kube_is_fake(void);

/* A file or folder of the fake, or "". */
const char *kube_fake_file(const char *name);

/* The fake's fault script (a JSON list; "[]": none) and settings (an object). */
void fake_faults(const char *rules);
void fake_set(const char *settings);

/* Neither faults nor changed settings nor changed rights. */
void fake_reset(void);

/* What the restricted user may do: the documented verbs, in them each `from` replaced by `to` (NULL: as they are). */
void fake_role(const char *from, const char *to);

#endif
