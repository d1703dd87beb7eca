/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOURCE of --like, parsed but not looked up (design section 2):
 *
 *	web                      a container name, an id prefix, or a compose service
 *	compose:PROJECT/SERVICE  compose:SERVICE
 *	docker:NAME  podman:NAME  oci:ID
 *	oci-layout:PATH[:TAG]  oci-layout:PATH@sha256:HEX    an image on disk
 *	deploy/web  sts/ ds/ rs/ job/ cronjob/ pod/ svc/   KIND.GROUP/NAME     Kubernetes
 *
 * A slash means Kubernetes; an object kind stays as typed. Single thread.
 *
 *	struct source source;
 *	if (source_parse("deploy/web", &source, err) < 0)
 *		return -1;
 *	source_release(&source);
 */
#ifndef ONEOFF_SPEC_SOURCE_H
#define ONEOFF_SPEC_SOURCE_H

#include "pkg/base/err.h"

enum source_kind {
	SOURCE_BARE,       /* name: whatever engine has it */
	SOURCE_COMPOSE,    /* project (NULL: find it) and name = service */
	SOURCE_DOCKER,     /* name */
	SOURCE_PODMAN,     /* name */
	SOURCE_OCI,        /* name = container id */
	SOURCE_OCI_LAYOUT, /* name = path of an image on disk, reference = tag or digest */
	SOURCE_KUBERNETES, /* object_kind and name */
};

struct source {
	enum source_kind kind;
	char *text;        /* owned; as typed */
	char *name;        /* owned; never NULL after source_parse */
	char *project;     /* owned; SOURCE_COMPOSE only, may be NULL */
	char *reference;   /* owned; SOURCE_OCI_LAYOUT only, may be NULL */
	char *object_kind; /* owned; SOURCE_KUBERNETES only */
};

/* Fills *ret (release it with source_release). ERR_USAGE with a hint for empty parts, control
 * bytes, an unknown "word:" prefix or a second slash; *ret is then untouched. */
int source_parse(const char *text, struct source *ret, struct err *err) _must_check_;

/* Frees what is owned and zeroes the struct; a zeroed one is fine. */
void source_release(struct source *source);

#endif
