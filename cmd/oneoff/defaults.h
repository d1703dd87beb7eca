/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a command reads its options: config files, then environment, then command line, all by its one
 * table (design section 2). Whoever adds a command calls this and gets all three.
 */
#ifndef ONEOFF_CMD_DEFAULTS_H
#define ONEOFF_CMD_DEFAULTS_H

#include "cmd/oneoff/message.h"
#include "pkg/base/options.h"

/* Reads argv (argv[0] is the command's own name, which also names its section of a config file; a
 * subcommand gets that of the command it belongs to) into `target`. *ret_first is the index of the
 * first operand in argv, == argc when there is none. `verbosity` lies in target: with -v the files
 * that count are named. ERR_USAGE says which file, variable or option is wrong. */
int defaults_parse(const struct option *options, size_t count, int argc, char **argv, void *target,
                   struct verbosity *verbosity, int *ret_first, struct err *err) _must_check_;

#endif
