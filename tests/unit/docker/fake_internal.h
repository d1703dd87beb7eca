/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the fake engine share: fake_engine.c speaks HTTP, fake_container.c acts.
 */
#ifndef ONEOFF_TESTS_FAKE_INTERNAL_H
#define ONEOFF_TESTS_FAKE_INTERNAL_H

#include <pthread.h>
#include "fake_engine.h"
#include "pkg/json/json.h"

#define FAKE_MAX_CONTAINERS  16
#define FAKE_MAX_CONNECTIONS 256
#define FAKE_MAX_RULES       8
#define FAKE_MAX_LOG         2048

enum fake_state {
	FAKE_CREATED,
	FAKE_RUNNING,
	FAKE_EXITED,
	FAKE_REMOVING,
	FAKE_GONE,
};

struct fake_container {
	char id[65];
	char *name;
	char *config;     /* the create body: Labels, HostConfig… */
	char *state_json; /* of one that was added by the test; else NULL */
	enum fake_state state;
	bool auto_remove, by_request;
	int code, looks;
};

struct fake_request {
	char method[16];
	char path[2048]; /* without the version */
	struct strbuf body;
};

struct fake_reply {
	int status;
	struct strbuf body;
};

/* Its memory hangs on the engine, not on the thread's stack: a process that the run forks has a
 * copy of it but no such thread, and is to have no leak. */
struct fake_connection {
	struct fake_engine *engine;
	pthread_t thread;
	int fd;
	struct strbuf early; /* read, not yet used */
	struct strbuf text;  /* to send */
	struct fake_request request;
	struct fake_reply reply;
};

struct fake_engine {
	const struct fake_task *task;
	struct fake_rule rules[FAKE_MAX_RULES];
	int fired[FAKE_MAX_RULES];
	size_t rule_count;
	char folder[64], path[96];
	int listener;
	pthread_t acceptor;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool stopping;
	struct fake_connection connections[FAKE_MAX_CONNECTIONS];
	size_t connection_count;
	struct fake_container containers[FAKE_MAX_CONTAINERS];
	size_t container_count;
	char *log[FAKE_MAX_LOG];
	size_t log_count;
	char *create_body;
	cJSON *listed; /* while a list is made; here for the same reason as fake_connection */
	char *source, *image;
};

/* Does what an ordinary request asks and fills the reply. Takes the lock. */
void fake_act(struct fake_engine *engine, const struct fake_request *request,
              struct fake_reply *reply);
/* The container that "/containers/NAME/…" names, or NULL. Call with the lock. */
struct fake_container *fake_find(struct fake_engine *engine, const char *path);
struct fake_container *fake_new(struct fake_engine *engine, const char *name, const char *config);
/* Plays the task on an attached connection, from its start to its end. */
void fake_play(struct fake_engine *engine, struct fake_container *container, int fd);
/* Waits until the container was started, or removed. */
void fake_wait_start(struct fake_engine *engine, struct fake_container *container);
/* Waits until the container ended (and is removed, if it removes itself); false: the engine stops.
 */
bool fake_wait(struct fake_engine *engine, struct fake_container *container, int *ret_code);
/* Waits for that long, less when the engine stops. Call with the lock. */
void fake_pause(struct fake_engine *engine, int milliseconds);
bool fake_send(int fd, const char *bytes, size_t length, bool bytewise);

#endif
