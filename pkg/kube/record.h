/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cluster's documents say of a one-off, as a record (pkg/backend/task_record.h). A Job knows who, what and
 * until when; how far the task is and how it ended stands in its pod. Pure functions.
 *
 *	if (kube_record_of_job(job, &record, err) <= 0)
 *		return …not one of ours…;
 *	if (kube_record_add_pod(&record, pod, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_KUBE_RECORD_H
#define ONEOFF_KUBE_RECORD_H

#include "pkg/backend/task_record.h"
#include "pkg/json/json.h"

/* 1 with *ret (to be released), 0 when the object bears no id of ours, -1 without memory. Without a pod a Job that
 * failed ended with an unknown code. */
int kube_record_of_job(const cJSON *job, struct task_record *ret, struct err *err) _must_check_;
/* For a pod that stands alone (--carrier pod). */
int kube_record_of_pod(const cJSON *pod, struct task_record *ret, struct err *err) _must_check_;
/* Adds what the Job's pod tells: state, times, how it ended. */
int kube_record_add_pod(struct task_record *record, const cJSON *pod, struct err *err) _must_check_;

/* The task's code as `stop --force` wrote it down before the pod was gone; false when nobody did. */
bool kube_job_code(const cJSON *job, int *ret_code);
#define KUBE_CODE_ANNOTATION "oneoff.dev/exit-code"
/* The end of its log in base64, written down by the same (last_output.c). */
#define KUBE_OUTPUT_ANNOTATION "oneoff.dev/last-output"

/* True when the Job's conditions say that it is over; *ret_ended (or NULL) is when, *ret_reason (or NULL) the failure's
 * reason, borrowed, or NULL for success. */
bool kube_job_is_over(const cJSON *job, int64_t *ret_ended, const char **ret_reason);

#endif
