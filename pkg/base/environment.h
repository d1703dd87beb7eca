/* SPDX-License-Identifier: Apache-2.0 */
/* The process's environment, in the form in which functions that read variables take it: tests give another. */
#ifndef ONEOFF_BASE_ENVIRONMENT_H
#define ONEOFF_BASE_ENVIRONMENT_H

/* getenv(3). `context` is ignored. Borrowed; NULL when it is not set. */
const char *environment_get(void *context, const char *name);

#endif
