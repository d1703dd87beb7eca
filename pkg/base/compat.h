/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiler attributes and the scope-bound clean-up macros that every file uses.
 *
 * Ownership is visible where a variable is declared:
 *
 *	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
 *	_cleanup_free_ char *name = NULL;
 *	_cleanup_fd_ int fd = -1;
 *	...
 *	*ret_name = TAKE_PTR(name);
 */
#ifndef ONEOFF_BASE_COMPAT_H
#define ONEOFF_BASE_COMPAT_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function)  __attribute__((cleanup(function)))
#define _cleanup_free_       _cleanup_(cleanup_free)
#define _cleanup_fd_         _cleanup_(cleanup_fd)
#define _must_check_         __attribute__((warn_unused_result))
#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))
#define _noreturn_           __attribute__((noreturn))
#define _unused_             __attribute__((unused))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Hands a pointer over: the variable is NULL afterwards, so its clean-up does nothing. */
#define TAKE_PTR(pointer)                                                                          \
	({                                                                                         \
		__typeof__(pointer) *_where = &(pointer);                                          \
		__typeof__(pointer) _taken = *_where;                                              \
		*_where = NULL;                                                                    \
		_taken;                                                                            \
	})

/* The same for a file descriptor: the variable is -1 afterwards. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int *_where = &(fd);                                                               \
		int _taken = *_where;                                                              \
		*_where = -1;                                                                      \
		_taken;                                                                            \
	})

static inline void cleanup_free(void *where)
{
	free(*(void **)where);
}

static inline void cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif
