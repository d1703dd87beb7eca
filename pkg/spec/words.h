/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines that people write into labels and Procfiles, made into argv: blanks separate,
 * quotes and backslashes work as in sh. A line that needs a shell gets one.
 */
#ifndef ONEOFF_SPEC_WORDS_H
#define ONEOFF_SPEC_WORDS_H

#include "pkg/base/err.h"
#include "pkg/base/strv.h"

/* Appends the words of one line to *ret; `sh -c LINE` when it holds what only a shell understands
 * ($ ` | & ; < > ( ) * ? [ ~ # or a leading NAME=). ERR_USAGE: no word at all, or a quote without
 * end. */
int words_to_argv(const char *line, struct strv *ret, struct err *err) _must_check_;

#endif
