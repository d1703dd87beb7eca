/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label selectors, as the API server applies them (API reference, LabelSelector; labels and selectors
 * concept page): pure look-ups in JSON, nothing is parsed ahead and nothing is owned.
 *
 * Two kinds exist. A Service and a ReplicationController have a plain map: every pair must be there, and
 * an empty or missing map selects nothing. Everybody else has {"matchLabels", "matchExpressions"}: all
 * parts must hold, {} selects every pod, a missing selector none.
 *
 *	struct kube_label labels[] = {{"app", "web", false}};
 *	struct kube_selector service = {"Service", "web", json_at(document, "spec.selector"), true};
 *	if (kube_selector_matches(&service, labels, 1)) ...
 */
#ifndef ONEOFF_KUBE_CLONE_SELECTOR_H
#define ONEOFF_KUBE_CLONE_SELECTOR_H

#include "pkg/json/json.h"

/* One label of a pod. Texts are borrowed. */
struct kube_label {
	const char *key;
	const char *value;
	bool gone;  /* counts as not there */
	bool fixed; /* must stay: ours, or asked for; no matter for matching */
};

struct kube_selector {
	const char *kind;    /* "Service", for messages */
	const char *name;    /* of the object, for messages */
	const cJSON *node;   /* the selector; NULL selects nothing */
	bool map;            /* a plain map of labels */
	const cJSON *object; /* where it comes from; borrowed */
};

/* True when a pod with these labels is selected. An operator that does not exist selects nothing. */
bool kube_selector_matches(const struct kube_selector *selector, const struct kube_label *labels,
                           size_t count);

/* True when all parts hold that need a label to be there: only then may the selector match a pod with some
 * of these labels. Taking labels away never makes it true. */
bool kube_selector_may_match(const struct kube_selector *selector, const struct kube_label *labels,
                             size_t count);

/* True when the selector can only match a pod that has the key: taking the label away defeats it.
 * NotIn and DoesNotExist are not of that kind: without the label they hold. */
bool kube_selector_needs(const struct kube_selector *selector, const char *key);

/* True when no missing label can defeat it: {} or nothing but NotIn and DoesNotExist. */
bool kube_selector_needs_nothing(const struct kube_selector *selector);

#endif
