/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A one-off as the platform tells of it: what `list` prints, what an id is completed from, what
 * `gc` judges. Nothing of it is stored on a client (design section 1): all stands in labels and
 * annotations of the object, and in the platform's own state. The keys, behind the platform's
 * prefix ("dev.oneoff." on containers, "oneoff.dev/" in a cluster):
 *
 *	id          8 of [a-z0-9]; marks the object as ours
 *	source      the app's name as the person would type it ("web", "deploy/web")
 *	source-id   the platform's id of what was cloned
 *	image       the image by the name that a person knows it by
 *	user        who started it
 *	command     argv as a JSON list, cut at 4 KiB
 *	reason      --reason
 *	started     RFC 3339, when the client made the object
 *	deadline    RFC 3339, when the task is to be killed; none: no --timeout
 *	keep        "failed" or "always"; none: the object is deleted when it ends
 *	keep-for    seconds after its end for which it is kept; none: for good
 *	detached    "true": started with -d, no client waits for it
 *	lock        --lock
 */
#ifndef ONEOFF_BACKEND_TASK_RECORD_H
#define ONEOFF_BACKEND_TASK_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/err.h"
#include "pkg/spec/request.h"

/* How the task ended, read from the platform. */
struct exit_status {
	bool known;             /* false: the platform cannot say (any more) */
	bool may_run;           /* …and the task may run on, on a node that does not answer */
	int code;               /* 0-255 */
	bool out_of_memory;     /* the kernel killed it for memory */
	bool timed_out;         /* the platform ended it at its deadline */
	bool output_incomplete; /* not all of its output came as it was written */
	char message[256];      /* the platform's own words, unescaped, or "" */
};

enum task_state {
	TASK_CREATED, /* made, not started (yet) */
	TASK_RUNNING,
	TASK_ENDED,
	TASK_UNKNOWN, /* the platform cannot say: a lost node, a state of a newer version */
};

/* Strings are owned and may be NULL when the platform does not tell. Release with
 * task_record_release. */
struct task_record {
	char *id;     /* never NULL */
	char *name;   /* of the container or Job; never NULL */
	char *handle; /* what the platform finds it by: container id, "jobs/NAME"; never NULL */
	const char *platform; /* static; "docker" */
	char *place;          /* the namespace in a cluster, or NULL */
	char *source, *user, *command, *reason, *image, *lock;
	char *digest; /* what identifies the image; NULL also where it stands in `image` behind an @ */
	enum task_state state;
	char detail[128]; /* the platform's words for it: "ImagePullBackOff", "paused"; or "" */
	int64_t created;  /* unix seconds; here and below 0: not known, or none */
	int64_t started;  /* of the task itself */
	int64_t ended;
	int64_t deadline;
	enum keep_mode keep;
	int64_t keep_for; /* seconds after the end */
	bool detached, tty;
	int64_t grace_ms; /* the platform itself kills that long after its TERM, with time to do so; 0: it does not */
	struct exit_status status; /* with TASK_ENDED */
};

#define TASK_RECORD_INIT                                                                           \
	{                                                                                          \
		.id = NULL                                                                         \
	}

void task_record_release(struct task_record *record);

/* Fills what stands in labels: `get` returns the value of a key from the list above, or NULL. 0, or
 * -1 when memory ran out. Wrong values count as missing ones: labels are anybody's to write. */
int task_record_read(struct task_record *record,
                     const char *(*get)(const void *context, const char *key), const void *context,
                     struct err *err) _must_check_;

/* True when nobody can want it any more, so that anybody may delete it: `gc` and every backend's sweep
 * judge by this alone. `now`: unix seconds. Left over is only what bears an id of ours and
 *
 *	was created and not started for more than 5 minutes;
 *	ended more than 5 minutes ago and is not kept (a client may still read its output until then);
 *	ended longer ago than it is kept for;
 *	or runs more than 60 s past its deadline (then it takes force).
 *
 * A task that succeeded under "keep failed" counts as unkept, one whose code is not known as kept.
 * What the platform does not tell (a time, the state) is never taken for old. */
bool task_record_is_leftover(const struct task_record *record, int64_t now);

/* The same of a record that tells nothing of the end: false when it is none whenever it ended and however, because what
 * is too young to have ended long ago is no leftover either. */
bool task_record_may_be_leftover(const struct task_record *record, int64_t now);

/* "created", "running", "ended", "unknown". */
const char *task_state_name(enum task_state state);

#endif
