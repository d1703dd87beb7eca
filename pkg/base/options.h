/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of options feeds parsing, --help, the man page, completion, environment and config
 * files. A row writes straight into the command's own struct by offset; there are no globals.
 *
 *	static const struct option options[] = {
 *		{'u', "user", OPTION_STRING, offsetof(struct run_options, user), "USER", NULL, NULL,
 *		 "run as this user"},
 *	};
 *
 * Parsing follows POSIX: options end at "--" or at the first operand, "-abc" bundles flags, "-uX"
 * and "-u X", "--user=X" and "--user X" are the same; long names may be cut to a unique prefix. A
 * flag takes a value only by "=", so that a default can be undone: --no-log=no.
 * Nothing is permuted by that: what follows is passed on byte-exact. Single thread.
 */
#ifndef ONEOFF_BASE_OPTIONS_H
#define ONEOFF_BASE_OPTIONS_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"
#include "pkg/base/strv.h"

enum option_kind {
	OPTION_TRUE,     /* bool: set to true */
	OPTION_FALSE,    /* bool: set to false */
	OPTION_COUNT,    /* int: one more each time (-v -v) */
	OPTION_STRING,   /* char *: a copy; the last one counts; an earlier one is freed */
	OPTION_LIST,     /* struct strv: appended each time */
	OPTION_DURATION, /* int64_t milliseconds: parse_duration */
	OPTION_SIZE,     /* int64_t bytes: parse_size */
	OPTION_CPUS,     /* int64_t billionths: parse_cpus */
	OPTION_CHOICE,   /* int: index into `choices` */
};

/* What an option's value or a command's operand is, for those who complete it. What has `choices`
 * needs no more. */
enum completion_kind {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_FOLDER,
	COMPLETE_SOURCE,    /* what --like takes */
	COMPLETE_RUNTIME,   /* the name of an engine of ours */
	COMPLETE_CONTEXT,   /* of kubeconfig or docker */
	COMPLETE_NAMESPACE, /* of a cluster */
	COMPLETE_PROGRAM,   /* of this machine */
	COMPLETE_COMMAND,   /* a command of oneoff's own */
	COMPLETE_ID,        /* of a one-off, live or ended */
	COMPLETE_TASK,      /* a named task of the app */
	COMPLETE_SCHEDULE,  /* the name of a scheduled one-off */
	COMPLETE_KIND_COUNT
};

struct option {
	char short_name;       /* 0: none */
	const char *long_name; /* without dashes */
	enum option_kind kind;
	size_t offset;              /* of the field in the command's struct */
	const char *argument;       /* its name in help ("USER"); NULL for flags, and for a choice
	                             * that is to show as "a|b|c" */
	const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
	/* The variable that sets a default: ONEOFF_ and the long name in capitals; a row with one may
	 * stand in config files as well. NULL: it makes no sense as a default. */
	const char *environment;
	const char *help; /* one line, lower case, no full stop; NULL hides the row (aliases) */
	/* What follows may be left out of a row. */
	enum completion_kind completion;
	/* A config file that came with somebody's repository may set it, too. Never for what
	 * chooses a program, a host, a path, an identity or the task's own environment. */
	bool project;
};

/* Reads argv[0..argc) (without the program's name) into `target`; *ret_operands is the index of the
 * first operand (== argc when there is none), *ret_dashes says whether "--" ended the options. "-"
 * alone is an operand; a value is taken whatever it looks like. ERR_USAGE names the option, and the
 * nearest one in the hint when it is unknown; rows before the bad one are then in `target` already,
 * whose owner releases it as ever. */
int options_parse(const struct option *options, size_t count, int argc, char *const *argv,
                  void *target, int *ret_operands, bool *ret_dashes, struct err *err) _must_check_;

/* For commands whose operands are names, never somebody's command line: moves options, with their values, in front of the
 * operands, as GNU's getopt does ("logs ID -f"). "--" and all behind it stays where it is, so that such words are still
 * operands. What is no option of the table is moved as a flag would be; options_parse refuses it. */
void options_permute(const struct option *options, size_t count, int argc, char **argv);

/* Sets defaults from the environment for every row that names a variable which is set and not
 * empty. Flags take 1/true/yes/on and 0/false/no/off in either case (an OPTION_FALSE row the other
 * way round: ONEOFF_NO_STDIN=1 sets false), counts a number to 100, a list gets the value as one
 * item. ERR_USAGE names the variable. Call before options_parse. */
int options_from_environment(const struct option *options, size_t count,
                             const char *(*get)(void *context, const char *name), void *context,
                             void *target, struct err *err) _must_check_;

/* Sets one row from text that is not the command line's (a variable, a key of a config file); `shown`
 * is how messages call it. Values as options_from_environment takes them. ERR_USAGE. */
int option_from_text(const struct option *row, const char *shown, const char *text, void *target,
                     struct err *err) _must_check_;

/* The row of that long name, else of the only long name that begins so (two names of one field are
 * one), or NULL. */
const struct option *option_find_long(const struct option *options, size_t count, const char *name);
/* The row of that letter, or NULL. */
const struct option *option_find_short(const struct option *options, size_t count, char letter);
/* False for flags and counts. */
bool option_takes_value(const struct option *row);

/* Appends one help line an option, wrapped to 80 columns, in table order; "[$NAME]" ends the help
 * of a row with an environment variable. */
void options_help(const struct option *options, size_t count, struct strbuf *out);

/* The other way round: appends "--name" and "value" for each row, in table order, whose field differs from the one in
 * `defaults` (lists: all items; hidden rows and those that `wanted`, unless NULL, refuses: never). options_parse makes
 * the same of it. 0, or -1 without memory. */
int options_print(const struct option *options, size_t count, const void *target,
                  const void *defaults, bool (*wanted)(const struct option *option),
                  struct strv *ret) _must_check_;

/* The table's self-check, for a unit test: duplicate or impossible names, missing arguments,
 * arguments of flags, choices without a list, help that is empty or ends in a full stop, variables
 * that are not called after their option, what a project may set without one.
 * ERR_INTERNAL names the row. */
int options_check(const struct option *options, size_t count, struct err *err) _must_check_;

/* The candidate nearest to `word` by edit distance (two neighbours swapped count as one edit), the
 * first of equals, or NULL when none is near (distance ≤ 1 + length/4, and less than the length).
 * NULL candidates are skipped. Also used for container names; borrowed from `candidates`. */
const char *nearest_name(const char *word, const char *const *candidates, size_t count);

#endif
