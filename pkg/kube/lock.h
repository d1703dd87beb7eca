/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --lock NAME: one holder at a time in a namespace, for as long as its task lives. Two things hold it:
 *
 *  - the Lease oneoff-lock-NAME says who has it, since when, doing what (coordination.k8s.io/v1). Whoever changes it
 *    names the version that they saw, so one of many wins. It is renewed while the client lives and owned by the Job,
 *    so that it goes with it;
 *  - the Job is made suspended. It has no pod until it is unsuspended, and that is done only after looking at all Jobs
 *    and pods with the label oneoff.dev/lock=NAME: one of another that runs, or may, means no; one of another that is
 *    suspended is deleted first, in the version that was seen, so that a client that slept in the middle cannot begin
 *    it later.
 *
 * The second alone keeps two tasks from running, however clocks, clients and the garbage collector behave: whoever made
 * their Job later finds the earlier one. The first keeps the others from trying, and tells a person whom to ask.
 *
 *	acquire → create the Job, suspended → confirm (the Lease is still ours, nobody else, unsuspend)
 *
 * A bare pod (--carrier pod) has the gate in the place of the suspension: a pod that stands at it counts as alive, and
 * both of two then step back.
 */
#ifndef ONEOFF_KUBE_LOCK_H
#define ONEOFF_KUBE_LOCK_H

#include "pkg/backend/backend.h"

struct kube;
struct http_request;

struct kube_lock {
	char *name;                   /* owned; NULL: none was asked for */
	cJSON *lease;                 /* owned; as the server last answered; NULL: not ours */
	struct http_request *renewal; /* under way, or NULL */
	int64_t renew_at;             /* monotonic ms */
	char seen
		[128]; /* of another's Lease: its holder and renewTime, and since when (monotonic ms) */
	int64_t seen_at; /* they are like that by our own clock */
};

/* Takes the Lease where it is free. ERR_LOCKED says who holds it, since when, doing what. */
int kube_lock_acquire(struct kube *kube, const struct plan *plan, const struct identity *identity,
                      struct err *err) _must_check_;
/* `object` is the Job (suspended) or pod as created. On success it may run. ERR_LOCKED when another was
 * first; the caller removes the object. */
int kube_lock_confirm(struct kube *kube, const cJSON *object, struct err *err) _must_check_;
/* Deletes the Lease if it is still ours as we know it. */
void kube_lock_give_back(struct kube *kube);
/* Now and then, while the client lives. Does not block. */
void kube_lock_tick(struct kube *kube);
void kube_lock_release(struct kube_lock *lock);

#endif
