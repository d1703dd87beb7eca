/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of an unpacker feed it what is made to reach the host. Should it be broken one day, as root the
 * host would be damaged: so the process gets a mount namespace of its own in which everything is
 * read-only but the folder that it works in and the current one (coverage data, corpus).
 */
#ifndef ONEOFF_TESTS_LAYER_GUARD_H
#define ONEOFF_TESTS_LAYER_GUARD_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static inline bool layer_guard_writable(const char *path)
{
	struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};

	return mount_setattr(AT_FDCWD, path, 0, &attributes, sizeof(attributes)) == 0;
}

static inline bool layer_guard_bind(const char *path)
{
	return mount(path, path, NULL, MS_BIND, NULL) == 0;
}

/* True when the host is read-only from now on, but for `writable`. False without the right to that:
 * then the process has no more than the rights of its user, or is in a container. */
static inline bool layer_guard(const char *writable)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
	char *here = realpath(".", NULL);
	size_t length = strlen(writable);
	bool inside, guarded;

	/* The outer one first: a bind mount covers what was mounted below it. */
	inside = here && !strncmp(here, writable, length) && (!here[length] || here[length] == '/');
	guarded =
		here && unshare(CLONE_NEWNS) == 0 &&
		mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		layer_guard_bind(inside ? writable : here) &&
		layer_guard_bind(inside ? here : writable) &&
		mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) == 0 &&
		layer_guard_writable(here) && layer_guard_writable(writable) &&
		access("/etc", W_OK) < 0;
	free(here);
	return guarded;
}

#endif
