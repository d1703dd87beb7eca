/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one option's value gets into the command's struct: what the command line, the environment and
 * the config files share. Private to options*.c.
 */
#ifndef ONEOFF_BASE_OPTIONS_VALUE_H
#define ONEOFF_BASE_OPTIONS_VALUE_H

#include "pkg/base/options.h"

/* Stores one value (NULL for flags and counts, which then are set, or grow by one). `shown` is how
 * messages call it: "option '--user'" or a variable's name. */
int option_store(const struct option *row, const char *shown, const char *value, void *target,
                 struct err *err) _must_check_;

#endif
