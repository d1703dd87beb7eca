/* SPDX-License-Identifier: Apache-2.0 */
/* Private to engine*.c: what each kind of engine answers in its own way (engine.h says what it means). */
#ifndef ONEOFF_TESTS_ENGINE_OPS_H
#define ONEOFF_TESTS_ENGINE_OPS_H

#include <stddef.h>
#include "tests/integration/engine.h"

struct engine_ops {
	struct engine_traits traits;
	int (*count_one_offs)(void);
	cJSON *(*inspect)(const char *name);
	cJSON *(*first_one_off)(void); /* its inspect document, or NULL */
	bool (*kill)(const char *id);
	void (*remove_one_offs)(void);
	/* How much there is of one-offs besides containers, and what, in words; -1: cannot be told. */
	int (*leftovers)(char *text, size_t size);
	void (*after_client_died)(void); /* NULL: nothing to wait for */
};

/* Processes that run our binary, zombies not counted. */
int count_processes(void);

extern const struct engine_ops engine_docker, engine_podman, engine_oci, engine_kube;

#endif
