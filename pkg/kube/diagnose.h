/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would stop a run in this namespace, for `oneoff doctor`: the server, who we are to it, each right that a run
 * needs (SelfSubjectAccessReview, which needs none itself), the namespace's policies, and what the source asks for
 * against what is left of the quotas. Nothing is made, not even by a dry run.
 *
 * Each check is one function here; kube_diagnose (kube.h) calls them in order. A check that may not look says nothing.
 */
#ifndef ONEOFF_KUBE_DIAGNOSE_H
#define ONEOFF_KUBE_DIAGNOSE_H

#include "pkg/backend/backend.h"

struct kube;

struct diagnosis {
	struct kube *kube;
	const struct release *release; /* or NULL: nothing is said about a source */
	finding_visitor *visit;
	void *context;
};

/* Hands one line on. `fix` or NULL. */
int kube_finding(const struct diagnosis *diagnosis, enum finding_level level, const char *subject,
                 const char *fix, struct err *err, const char *format, ...) _printf_(6, 7);

/* diagnose_rights.c: one review for each verb. */
int kube_diagnose_rights(const struct diagnosis *diagnosis, struct err *err) _must_check_;
/* Before a task is created that would run without us: 0 when we may attach, or nobody can say; ERR_DENIED when we surely
 * may not. One or two requests. */
int kube_check_attach(struct kube *kube, struct err *err) _must_check_;
/* 36 of /version's document; 1000 when it does not tell. Pure. */
int64_t kube_minor_of(const cJSON *version);
/* diagnose_quota.c: the source's requests and limits against every ResourceQuota of the namespace. */
int kube_diagnose_quota(const struct diagnosis *diagnosis, struct err *err) _must_check_;

/* A quantity ("500m", "1Gi", "3") in thousandths of its unit. Pure. 0, or -1 when it is none. */
int kube_quantity(const char *text, int64_t *ret_milli) _must_check_;

#endif
