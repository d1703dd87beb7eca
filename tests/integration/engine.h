/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine as a third party sees it: plain HTTP/1.0 over its socket ($ONEOFF_TEST_SOCKET), no
 * code of ours in between. It is what a case asks whether the clone is right and whether anything
 * was left.
 *
 *	cJSON *clone = engine_wait_one_off();
 *	…
 *	cJSON_Delete(clone);
 *	expect_clean();
 */
#ifndef ONEOFF_TESTS_ENGINE_H
#define ONEOFF_TESTS_ENGINE_H

#include <stdbool.h>
#include <cjson/cJSON.h>

bool engine_is_podman(void);

/* Sends one request without a body; the status, or -1 when the engine does not answer. *ret_body,
 * if wanted, is owned by the caller. */
int engine_request(const char *method, const char *path, char **ret_body);

/* GET; the document, or NULL when the answer is not 200 or no JSON. */
cJSON *engine_get(const char *path);

/* The inspect document of a container by name or id, or NULL. */
cJSON *engine_inspect(const char *name);

/* How many one-offs (label dev.oneoff.id) the engine knows, ended ones included. */
int engine_count_one_offs(void);

/* The inspect document of the one one-off that runs; waits for it up to 10 s; NULL when none came.
 */
cJSON *engine_wait_one_off(void);

/* Deletes every one-off: for cases that keep one on purpose. */
void engine_remove_one_offs(void);

/* Fails the case unless, within 5 s, the engine has no one-off, no volume that nobody uses, and no
 * process of the binary under test runs. */
void expect_clean(void);

/* A member by path: "Config.Env". NULL when it is not there. */
const cJSON *member(const cJSON *object, const char *path);

/* A member's text, or "" when it is not there or no text. */
const char *text_of(const cJSON *object, const char *path);

#endif
