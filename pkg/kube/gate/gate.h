/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: a tiny static program that stands in front of the task's command in a pod and executes it only when we
 * are attached, so that no output is lost (research/kubernetes.md section 3).
 *
 *	/.oneoff/gate MODE:SECONDS COMMAND [ARG...]
 *
 * MODE "stdin": reads one byte from stdin, then executes; the rest of stdin is the task's. "null": reads one byte,
 * then the task gets /dev/null. "tty": waits until the terminal on stdin has a size that is not 0 rows; reads
 * nothing. COMMAND is looked for in PATH as execvp does.
 *
 * Its own failures: exit 127 (not found), 126 (cannot be executed), 125 (not released within SECONDS, or stdin ended
 * before the byte came); /dev/termination-log then begins with "oneoff-gate: " and one of not-found, cannot-execute,
 * timeout, closed, usage. Otherwise nothing is written anywhere.
 *
 * The program is built per architecture without a C library by the Makefile and embedded; this header is what the
 * rest of oneoff sees of it.
 */
#ifndef ONEOFF_KUBE_GATE_H
#define ONEOFF_KUBE_GATE_H

#include <stddef.h>

struct gate {
	const char *architecture;   /* as Go and Kubernetes name it: "amd64", "arm64" */
	const unsigned char *bytes; /* an ELF file */
	size_t length;
};

/* The gate for an architecture, or NULL. Lives for ever. */
const struct gate *gate_find(const char *architecture);

#endif
