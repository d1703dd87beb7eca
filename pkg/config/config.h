/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Config files: defaults for options, below the environment and the command line (design section 2).
 *
 *	timeout: 1h            # for every command that has --timeout
 *	env: {LOG_LEVEL: info} # a list takes one value, a sequence, or KEY: VALUE
 *	console:               # for one command
 *	  user: app
 *
 * Two files count, the later one wins, lists add up:
 *  1. $XDG_CONFIG_HOME/oneoff/config.yaml (~/.config/oneoff/config.yaml), the person's own;
 *  2. the nearest .oneoff.yaml in the working folder or above it, on the same file system.
 * $ONEOFF_CONFIG names one file that counts instead of both, or "none".
 *
 * The second one comes with a repository, written by whoever wrote that. So it may set only rows that are marked
 * `project`: a program, a host, a path, an identity, the task's variables or its image are refused, not skipped,
 * because a task that runs elsewhere than the file says would be worse than none. A file that belongs to another
 * user, or that everybody may write, is refused as well.
 *
 *	_cleanup_(config_release) struct config config = {.count = 0};
 *	if (config_find(&settings, &config, err) < 0 || config_check(&config, commands, count, err) < 0 ||
 *	    config_apply(&config, "run", options, option_count, target, err) < 0)
 *		return -1;
 *
 * All errors are ERR_USAGE (ERR_SYSTEM for a file that cannot be read) and name file and key. Single thread.
 */
#ifndef ONEOFF_CONFIG_CONFIG_H
#define ONEOFF_CONFIG_CONFIG_H

#include <sys/types.h>
#include "pkg/base/options.h"
#include "pkg/json/json.h"

#define CONFIG_MAX_BYTES    ((size_t)256 << 10)
#define CONFIG_PROJECT_NAME ".oneoff.yaml"
/* The key that is not ours: named tasks. It is left alone in either file. */
#define CONFIG_TASKS "tasks"

struct config_file {
	char *path;      /* owned; absolute, or as $ONEOFF_CONFIG has it */
	bool project;    /* it came with a repository */
	cJSON *document; /* owned; an object, or null for a file without content */
};

struct config {
	struct config_file files[2]; /* in the order in which they are applied */
	size_t count;
};

struct config_settings {
	/* getenv(3) for the process, a table for tests: ONEOFF_CONFIG, XDG_CONFIG_HOME, HOME, SUDO_UID. */
	const char *(*get)(void *context, const char *name);
	void *get_context;
	const char
		*folder; /* the working folder, absolute; NULL: not known, no project's file then */
	uid_t user;      /* whose project files count, besides root's; for root also SUDO_UID's */
};

/* What a section may be called, and what may stand in it. Several may have one name (subcommands). Borrowed. */
struct config_command {
	const char *name;
	const struct option *options; /* NULL: none */
	size_t count;
};

/* Looks for the files and reads those that are there. */
int config_find(const struct config_settings *settings, struct config *ret,
                struct err *err) _must_check_;
void config_release(struct config *config);

/* One file's text; for config_find, and for tests. *ret owns a copy of `path`. */
int config_parse(const char *text, size_t length, const char *path, bool project,
                 struct config_file *ret, struct err *err) _must_check_;
void config_file_release(struct config_file *file);

/* Checks every key of every file against all commands: unknown ones (with the nearest in the hint), options that
 * are no defaults, and what a project may not set. Values are looked at when they are applied. */
int config_check(const struct config *config, const struct config_command *commands, size_t count,
                 struct err *err) _must_check_;

/* Sets what the files say for one command into its struct: of each file the top level, then the section `name`. */
int config_apply(const struct config *config, const char *name, const struct option *options,
                 size_t count, void *target, struct err *err) _must_check_;

#endif
