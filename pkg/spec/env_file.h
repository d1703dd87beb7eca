/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment that the person asks for: -e and --env-file, by docker's rules. Every entry they
 * make is "KEY=VALUE"; a later entry of a key replaces the earlier one, at its place. A bare key
 * that has no local value makes none in a file, and with -e a bare entry, which takes the variable
 * out of the clone: both as docker has it. On failure `env` is untouched. Messages
 * name keys, never values, which are often secrets. Single thread.
 *
 *	if (env_file_read("prod.env", &request->env, err) < 0 ||
 *	    env_option_add("DEBUG=1", &request->env, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_SPEC_ENV_FILE_H
#define ONEOFF_SPEC_ENV_FILE_H

#include "pkg/base/err.h"
#include "pkg/base/strv.h"

#define ENV_FILE_MAX ((size_t)4 << 20) /* bytes of one file */

/* Adds -e's "KEY=VALUE", or a bare "KEY" with its local value. ERR_USAGE when there is no key. */
int env_option_add(const char *text, struct strv *env, struct err *err) _must_check_;

/* Adds the lines of the file at `path`, which may be a pipe; "-" is a file of that name. */
int env_file_read(const char *path, struct strv *env, struct err *err) _must_check_;

/* The same from memory; `name` is what messages call it. A line is "KEY=VALUE", the value verbatim
 * to the end of the line (\n or \r\n), or a bare "KEY" with its local value. White space before a
 * key goes; then empty lines and those that begin with '#' are skipped. No quotes, no escapes, no
 * "export". A byte order mark at the start is skipped. ERR_USAGE names file and line for white
 * space in a key, a missing key, a NUL byte or invalid UTF-8. */
int env_file_parse(const char *text, size_t length, const char *name, struct strv *env,
                   struct err *err) _must_check_;

#endif
