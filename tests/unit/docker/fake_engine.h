/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted Docker engine in threads of the test's own process, on a unix socket in a folder of
 * its own. It keeps containers, so that "created ⊆ deleted" can be asked at the end, and it
 * misbehaves as told:
 *
 *	const struct fake_rule rules[] = {{"POST", "/create", FAKE_DROP_AFTER}};
 *	struct fake_engine *engine = fake_engine_start(&task, rules, 1);
 *	...
 *	cr_expect_eq(fake_engine_left(engine), 0);
 *	fake_engine_stop(engine);
 *
 * The source is "web", as Docker 20.10 describes it (tests/fixtures).
 */
#ifndef ONEOFF_TESTS_FAKE_ENGINE_H
#define ONEOFF_TESTS_FAKE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

enum fake_action {
	FAKE_REPLY,       /* `status` and `body`; nothing happens */
	FAKE_REPLY_AFTER, /* it takes effect, then `status` and `body`; of a wait: the body only */
	FAKE_DROP,        /* the connection ends without an answer; nothing happens */
	FAKE_DROP_AFTER,  /* the same, but it took effect; of a wait: once the task runs */
	FAKE_CUT,         /* it takes effect; the answer ends after `number` bytes */
	FAKE_BYTEWISE,    /* it takes effect; one byte of the answer at a time */
	FAKE_FREEZE,      /* no answer at all */
	FAKE_FLOOD_HEAD,  /* headers without end */
	FAKE_FLOOD_BODY,  /* a body without end */
};

struct fake_rule {
	const char *method;
	const char *path; /* a part of it; one that begins with ^ is its beginning */
	enum fake_action action;
	int status;
	const char *body;
	size_t number;
	int times; /* 0: always */
};

/* What the task does once it is started. */
struct fake_task {
	const char *stream; /* what the attached connection gives, frames and all */
	size_t stream_length;
	int code;
	int end_after_ms;   /* it runs so much longer than its output */
	int removal_looks;  /* removal is "in progress" for so many questions; -1: for ever */
	bool podman;        /* says that it is Podman */
	bool echo;          /* gives its input back until that ends */
	bool for_ever;      /* until it is killed */
	bool ignores_term;  /* only 9 kills it */
	bool bytewise;      /* one byte of output at a time */
	bool verdict_first; /* the wait is answered before the output comes */
	bool stream_stays;  /* the connection is not closed when the task ends */
	bool stream_ends;   /* the connection is closed although the task runs */
};

struct fake_engine;

/* Listens and points DOCKER_HOST to itself; task and rules are borrowed. */
struct fake_engine *fake_engine_start(const struct fake_task *task, const struct fake_rule *rules,
                                      size_t rule_count);
/* Ends every connection and thread, removes the folder. */
void fake_engine_stop(struct fake_engine *engine);

/* A container that is there from the beginning; `labels` and `state` are JSON. Returns its id. */
const char *fake_engine_add(struct fake_engine *engine, const char *name, const char *labels,
                            const char *state);
/* How many requests it saw whose method is this and whose path holds `part`. */
size_t fake_engine_count(struct fake_engine *engine, const char *method, const char *part);
/* How many containers were created by requests; how many of these are still there. */
size_t fake_engine_created(struct fake_engine *engine);
size_t fake_engine_left(struct fake_engine *engine);
/* True when the container of that name is there. */
bool fake_engine_has(struct fake_engine *engine, const char *name);
/* The body of the last create. Borrowed until the stop. */
const char *fake_engine_create_body(struct fake_engine *engine);

/* Appends a frame to `bytes` (with room for it); returns the new length. */
size_t fake_frame(char *bytes, size_t length, int stream, const char *text);

#endif
