/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Pod document says of one of its containers, in words that a person can use: how far it is, why it does
 * not come further, how it ended (Pod lifecycle; research/kubernetes.md section 13). Pure functions.
 *
 *	struct pod_status status;
 *	pod_status_read(pod, "web", &status);
 *	if (status.stage == POD_ENDED && status.exit.known)
 *		return status.exit.code;
 */
#ifndef ONEOFF_KUBE_POD_STATUS_H
#define ONEOFF_KUBE_POD_STATUS_H

#include "pkg/backend/backend.h"

enum pod_stage {
	POD_PENDING,  /* not on a node yet */
	POD_STARTING, /* on a node: images are pulled, volumes mounted, init containers run */
	POD_RUNNING,  /* the container runs */
	POD_ENDED,    /* the container ended, or never will run: `exit` tells */
};

struct pod_status {
	enum pod_stage stage;
	bool hopeless; /* it will not start by waiting: a bad image name, a missing secret… */
	bool retrying; /* it is tried again by the cluster: an image that cannot be pulled, no node */
	bool stopped;           /* somebody ended it by `oneoff stop`: its deadline was moved up */
	bool deleted;           /* deletionTimestamp is set */
	int64_t deletion_grace; /* seconds that it then has to end; 0 when not told */
	char reason[64];    /* the platform's own word: "ImagePullBackOff", "Unschedulable"; "" */
	char message[512];  /* and sentence, unescaped; "" */
	char image_id[256]; /* status.containerStatuses[].imageID of the container, "" */
	char node[256];     /* spec.nodeName, "" */
	struct exit_status
		exit; /* with POD_ENDED. known false: the platform cannot say (node lost, deleted) */
	bool never_ran; /* with POD_ENDED: the container was not started (StartError, an init container failed,
	                         a pod that was refused) */
	bool command_missing; /* …because its command is not there */
	bool command_denied;  /* …or cannot be executed */
	bool time_limit;      /* the platform ended it at its deadline */
	char disruption
		[300]; /* why the cluster ended the pod against its will: an eviction, a lost node; "" */
	char gate[32];         /* what the gate said of itself: "timeout", "not-found"…, "" */
	char gate_detail[200]; /* …and about what: the command; "" */
};

/* Reads the document; whatever is missing is as if it were not set. */
void pod_status_read(const cJSON *pod, const char *container, struct pod_status *ret);

/* Appends one line for a person who waits: "waiting for a node: 0/3 nodes are available…". */
void pod_status_say(const struct pod_status *status, struct strbuf *ret);

#endif
