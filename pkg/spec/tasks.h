/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named tasks that ship with an app, as its authors wrote them down: `oneoff run --like web migrate`. Three forms are
 * read here, all of them bytes of others; where they come from is pkg/run/tasks.h's matter. Pure; single thread.
 *
 *	# .oneoff.yaml; other sections than `tasks` are not looked at
 *	tasks:
 *	  migrate: bin/rails db:migrate
 *	  reindex:
 *	    command: [bin/reindex, --all]       # or one line; the only key that must be there
 *	    description: rebuilds the search index
 *	    timeout: 2h
 *	    lock: reindex
 *	    tty: false
 *
 * A label's value is one line, as in a Procfile, or a JSON object with the same keys. A command that is one line means
 * what words_command makes of it; a list is argv itself.
 *
 *	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
 *
 *	if (named_tasks_add_yaml(&tasks, text, length, ".oneoff.yaml", err) < 0)
 *		return -1;
 *	task = named_tasks_find(&tasks, "migrate");
 */
#ifndef ONEOFF_SPEC_TASKS_H
#define ONEOFF_SPEC_TASKS_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/err.h"
#include "pkg/base/strv.h"

#define NAMED_TASKS_MAX_BYTES ((size_t)64 << 10) /* of one source */
#define NAMED_TASKS_MAX       1000               /* of all sources */
#define NAMED_TASK_MAX_NAME   63

enum named_task_tty {
	TASK_TTY_UNSAID,
	TASK_TTY_YES,
	TASK_TTY_NO,
};

/* Everything owned. */
struct named_task {
	char *name;
	char *where;        /* for people: ".oneoff.yaml", "label", "Procfile" */
	struct strv argv;   /* at least one, the first not empty */
	char *line;         /* the command for people: as written, or argv quoted for a shell */
	char *description;  /* or NULL */
	int64_t timeout_ms; /* 0: no limit; -1: the task does not say */
	char *lock;         /* or NULL; fit for --lock */
	enum named_task_tty tty;
};

struct named_tasks {
	struct named_task *items;
	size_t count, allocated;
};

#define NAMED_TASKS_INIT                                                                           \
	{                                                                                          \
		.items = NULL                                                                      \
	}

void named_tasks_release(struct named_tasks *tasks);

/* Borrowed until the next change, or NULL. */
const struct named_task *named_tasks_find(const struct named_tasks *tasks, const char *name);

/* Letters and digits, then also . _ : and -; at most NAMED_TASK_MAX_NAME. */
bool named_task_name_is_valid(const char *name);

/* Each adds the tasks of one source; a name that is there already stays as it is, so the source that counts most is
 * added first. What is wrong is ERR_USAGE, in one line that names `where` and the key: no such key, another type than
 * it has, no command, a quote without an end, a name twice in one source. What was added before the fault stays.
 *
 * A whole .oneoff.yaml; ERR_PROTOCOL when it is no YAML. */
int named_tasks_add_yaml(struct named_tasks *tasks, const char *text, size_t length,
                         const char *where, struct err *err) _must_check_;
/* A Procfile: each line whose name can be one of a task. */
int named_tasks_add_procfile(struct named_tasks *tasks, const char *text, size_t length,
                             const char *where, struct err *err) _must_check_;
/* One label: its value, and its whole key for messages ("dev.oneoff.task.migrate"). */
int named_tasks_add_label(struct named_tasks *tasks, const char *name, const char *value,
                          const char *where, const char *key, struct err *err) _must_check_;

#endif
