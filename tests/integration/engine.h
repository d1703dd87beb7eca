/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine as a third party sees it, no code of ours in between: Docker and Podman by plain HTTP/1.0 over
 * their socket ($ONEOFF_TEST_SOCKET, engine_api.c), OCI by the runtime's own command line and the kernel's
 * files (engine_oci.c), a cluster by its API (engine_kube.c). It is what a case asks whether the clone is right and whether anything was left.
 *
 *	cJSON *clone = engine_wait_one_off();
 *	…
 *	cJSON_Delete(clone);
 *	expect_clean();
 */
#ifndef ONEOFF_TESTS_ENGINE_H
#define ONEOFF_TESTS_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <cjson/cJSON.h>

bool engine_is_podman(void);
bool engine_is_oci(void);
bool engine_is_kube(void);

/* What a case may expect where engines differ by design. Which cases an engine lacks stands in skipped.c. */
struct engine_traits {
	const char *
		nowhere; /* "K=V": with it the engine cannot be reached; V is a file that is not there */
	const char *plan_shows; /* what `plan` of "web" must name among the differences */
	/* The task has our descriptors 0, 1 and 2 themselves (design section 4, "OCI"). So a full disk and a
	 * reader that left are the task's own business, its code is what it makes of them and we say nothing;
	 * and we cannot know how many bytes went by. */
	bool streams_inherited;
	bool image_known; /* a source has an image, so a digest, and an entrypoint apart from its command */
	long tls_kib;               /* memory that TLS and its handshakes add to the client's */
	bool keeps;                 /* --keep: an ended container can stay; else it is refused */
	bool knows_memory;          /* it can say that a task was out of memory */
	bool keeps_proxy_variables; /* a proxy does not look at containers there: VIRTUAL_HOST may stay */
	const char *source_prefix; /* what stands before "web" on our command line; NULL: nothing */
	int run_ms;   /* how long one run takes, when that is long: cases with many runs do fewer */
	bool one_log; /* what is read back has both streams as one, on stdout */
	uint64_t large; /* bytes of a large stream; 0: a GiB */
};

const struct engine_traits *engine_traits(void);

/* Docker and Podman: sends one request without a body; the status, or -1 when the engine does not answer.
 * *ret_body, if wanted, is owned by the caller. */
int engine_request(const char *method, const char *path, char **ret_body);

/* The same with a body, for a cluster too. */
int engine_send(const char *method, const char *path, const char *type, const char *content,
                char **ret_body);

/* What a person calls that source there: "web", "deploy/web". Static; the harness does it to what stands behind
 * --like. */
const char *source_name(const char *name);

/* GET; the document, or NULL when the answer is not 200 or no JSON. */
cJSON *engine_get(const char *path);

/* The inspect document of a container by name or id, or NULL. All engines: Id, State.Status, State.Pid,
 * State.StartedAt. OCI besides: Bundle, and Config with the whole config.json. */
cJSON *engine_inspect(const char *name);

/* How many one-offs (label dev.oneoff.id; OCI: all in our state root) the engine knows, ended ones
 * included. */
int engine_count_one_offs(void);

/* The inspect document of the one one-off that runs; waits for it up to 10 s; NULL when none came.
 */
cJSON *engine_wait_one_off(void);

/* Kills a container's first process from outside; false when the engine refused. */
bool engine_kill(const char *id);

/* Deletes every one-off: for cases that keep one on purpose. */
void engine_remove_one_offs(void);

/* Waits for what happens without us when a client was killed: the task's end, and what of it only goes later. To be
 * called before expect_clean there. */
void engine_after_client_died(void);

/* Fails the case unless, within 5 s, the engine has no one-off and nothing of one (a volume that nobody uses;
 * OCI: a folder, a mount, a cgroup), and no process of the binary under test runs. */
void expect_clean(void);

/* A member by path: "Config.Env". NULL when it is not there. */
const cJSON *member(const cJSON *object, const char *path);

/* A member's text, or "" when it is not there or no text. */
const char *text_of(const cJSON *object, const char *path);

#endif
