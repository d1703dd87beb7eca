/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user without rights: who he is, where his things are, and what his programs get as environment. Cases that
 * need him skip themselves where the machine has none.
 */
#ifndef ONEOFF_TESTS_ROOTLESS_H
#define ONEOFF_TESTS_ROOTLESS_H

#include <sys/types.h>

struct rootless_environment {
	char home[300], runtime[300], root[300], run[300], store[300];
	const char *entries[8];
};

/* The user's own folder, with a source "app" in its state root "crun", and a copy of the binary, since the
 * user need not be able to read ours. */
const char *rootless(char binary[300]);

/* Fills it; the entries point into it. */
void rootless_environment(struct rootless_environment *ret, const char *home);

/* The parent of a process, or 0. */
pid_t parent_of(pid_t pid);

#endif
