/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the embedded gate of an architecture as a child: directly, or by qemu's user mode when this machine has
 * another processor. Its stdin is a pipe or a terminal, its output goes to files, so that nobody has to read while
 * it runs.
 */
#ifndef ONEOFF_TESTS_UNIT_KUBE_TEST_GATE_RUN_H
#define ONEOFF_TESTS_UNIT_KUBE_TEST_GATE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum gate_stdin { GATE_STDIN_PIPE, GATE_STDIN_TERMINAL, GATE_STDIN_CLOSED };

struct gate_start {
	const char *architecture;       /* "amd64" */
	const char *settings;           /* "stdin:10"; NULL: no arguments at all */
	const char *const *command;     /* NULL-terminated, or NULL */
	const char *const *environment; /* NULL: only PATH=/usr/bin:/bin */
	enum gate_stdin stdin_kind;
	const char *folder;    /* where it runs, or NULL */
	bool alone;            /* the folder becomes its root, it becomes uid 65534 for good */
	void (*prepare)(void); /* in the child, last; or NULL */
};

struct gate_run {
	pid_t pid;
	int in;          /* pipe's end or terminal's master; -1: none */
	int out, err;    /* files */
	char folder[64]; /* of this run, with the gate in it */
};

/* Begins one; asserts that it could. */
void gate_run_start(struct gate_run *run, const struct gate_start *start);
/* Waits until it sleeps in its wait for the release. */
void gate_run_is_waiting(const struct gate_run *run);
void gate_run_send(const struct gate_run *run, const void *bytes, size_t length);
void gate_run_close_stdin(struct gate_run *run);
/* Waits for its end. The exit code, or minus the signal. */
int gate_run_end(struct gate_run *run);
/* What it wrote (owned, NUL-terminated); *ret_length may be NULL. Then the run is forgotten. */
char *gate_run_output(int fd, size_t *ret_length);
void gate_run_release(struct gate_run *run);

/* Puts the gate, and what this machine needs to run it, into a folder. */
void gate_install(const char *architecture, const char *folder);
/* A new empty folder that all may enter. `folder` has 64 bytes. */
void gate_new_folder(char *folder);
void gate_remove_folder(const char *folder);
/* A file with text in it. */
void gate_write_file(const char *folder, const char *name, const char *text, mode_t mode);

/* Whether this machine's processor runs it. */
bool gate_is_native(const char *architecture);

/* The architectures, NULL-terminated. */
extern const char *const gate_architectures[];

#endif
