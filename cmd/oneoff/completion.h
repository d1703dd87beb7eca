/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion of the command line, the same for all shells: their scripts (completion_scripts.c) only call the
 * hidden `oneoff __complete WORD...`, whose last word is the one that is being written, and print what it answers.
 *
 * The answer has a line for each candidate, the whole word as it would stand, then a tab and what it means:
 *
 *	--like=web	docker, running
 *
 * or one line that lets the shell complete a path behind the part of the word that stays: ":files" or ":folders",
 * then a tab and that part. Nothing is ever said on stderr, and after a second what was found until then counts.
 *
 * Three steps: completion_read tells what the word is, completion_static knows what can be known without looking,
 * completion_live asks the world. To complete another kind live, add a function to the table in completion_live.c.
 */
#ifndef ONEOFF_CMD_COMPLETION_H
#define ONEOFF_CMD_COMPLETION_H

#include "cmd/oneoff/command.h"

/* What stands on the line, and what is being written. Release with completion_release. */
struct completion {
	const struct command *command; /* NULL: its name is being written */
	const struct command *parent;  /* a subcommand's name is being written: of this command */
	const struct option *row;      /* whose value is being written, or NULL */
	bool options;                  /* an option's name is being written, or could be */
	bool operands;                 /* an operand is being written, or could be */
	enum completion_kind kind;     /* of the value or the operand */
	char *kept;                    /* owned; "--like=" in "--like=we", else "" */
	const char *word;              /* what is there of it: "we"; borrowed from the words */
	struct strv given;             /* "LONG-NAME=VALUE" for each option before the word */
	int operand_count;             /* operands before the word */
	char *const *operand_words;    /* from the first of them on; borrowed */
};

/* Where candidates go: only those that begin with `word` are kept. */
struct candidates {
	struct strbuf *out;
	const char *kept, *word; /* borrowed */
	size_t count;            /* how many were added */
};

/* Adds one. `meaning` may be NULL. What no shell could show or take (control bytes, a colon in front) is left out. */
void candidate_add(struct candidates *candidates, const char *value, const char *meaning);

/* words[0..count) are those behind "oneoff", count ≥ 1. */
int completion_read(int count, char *const *words, struct completion *ret,
                    struct err *err) _must_check_;
void completion_release(struct completion *line);

/* What an option has on the line, else in its variable, else NULL. Borrowed. */
const char *completion_given(const struct completion *line, const char *long_name);

/* Names of commands, options, choices, kinds of sources; true when the answer is a path of the shell's. */
bool completion_static(const struct completion *line, struct candidates *candidates);
/* Containers, contexts, namespaces, ids, tasks: as far as they can be had. Errors are swallowed. */
void completion_live(const struct completion *line, struct candidates *candidates);

/* completion_engines.c: what the engines that answer know. */
void completion_sources(const struct completion *line, struct candidates *candidates);
void completion_ids(const struct completion *line, struct candidates *candidates);
void completion_schedules(const struct completion *line, struct candidates *candidates);
/* Needs --like on the line. */
void completion_tasks(const struct completion *line, struct candidates *candidates);

/* The script for that shell ("bash", "zsh", "fish"), or NULL. */
const char *completion_script(const char *shell);

#endif
