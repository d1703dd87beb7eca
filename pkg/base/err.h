/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error idiom. Every function that can fail takes `struct err *err` last, returns 0 or a
 * negative number, and on failure has filled *err; outputs named ret_x are then untouched.
 *
 *	if (http_call(client, &request, &reply, err) < 0)
 *		return err_wrap(err, "create container '%s'", name);
 *
 * The struct lives on the caller's stack, owns nothing and needs no release. err is never NULL; a
 * caller that does not care passes a scratch one. Messages may quote what a server said: they are
 * escaped at the one place that prints them (cmd/oneoff), never here. Single thread.
 */
#ifndef ONEOFF_BASE_ERR_H
#define ONEOFF_BASE_ERR_H

#include "pkg/base/compat.h"

/* What went wrong, as far as a caller or the exit code cares. cmd/oneoff/exit_code.c maps it. */
enum err_kind {
	ERR_NONE = 0,
	ERR_INTERNAL,          /* a bug of ours */
	ERR_NO_MEMORY,         /* an allocation failed or a size cap was reached */
	ERR_USAGE,             /* what the person typed cannot be meant */
	ERR_SYSTEM,            /* a system call failed; see os_errno */
	ERR_UNREACHABLE,       /* no engine or server answers */
	ERR_DENIED,            /* it answers, but we may not */
	ERR_NOT_FOUND,         /* the named thing does not exist */
	ERR_AMBIGUOUS,         /* the name means more than one thing */
	ERR_CONFLICT,          /* the name is taken */
	ERR_LOCKED,            /* another task holds the lock */
	ERR_REFUSED,           /* the server refused the request for a reason of its own */
	ERR_PROTOCOL,          /* the other side said something that cannot be right */
	ERR_LOST,              /* the connection broke in the middle */
	ERR_CANNOT_EXECUTE,    /* the task's command exists but is not executable */
	ERR_COMMAND_NOT_FOUND, /* the task's command does not exist */
	ERR_START_TIMEOUT,     /* no answer, or no started task, in time */
	ERR_INTERRUPTED,       /* a signal told us to stop before the task ran */
	ERR_TIME_LIMIT,        /* the task was ended by --timeout */
	ERR_RESULT_UNKNOWN,    /* the task may still run, or ended without telling us how */
	ERR_OUTPUT_INCOMPLETE, /* the task ended, but bytes may be missing */
	ERR_NOT_REMOVED,       /* the task ended, but something of ours is left */
	ERR_KIND_COUNT
};

struct err {
	enum err_kind kind;
	int os_errno;       /* 0 when no system call is to blame */
	int http_status;    /* 0 when no HTTP reply is to blame */
	char message[1024]; /* "outer: inner: cause", NUL-terminated, cut at the size */
	char hint[512];     /* what to do next; empty when there is nothing to say */
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		.kind = ERR_NONE                                                                   \
	}

/* Sets kind and message, forgets everything before. Returns -1, so that one line leaves. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...) _printf_(3, 4);

/* As err_set with ERR_SYSTEM, os_errno = errno, and ": strerror" appended. Returns -1. */
int err_errno(struct err *err, const char *format, ...) _printf_(2, 3);

/* Puts "context: " before the message that is there. Kind and hint stay. Returns -1. */
int err_wrap(struct err *err, const char *format, ...) _printf_(2, 3);

/* Sets the hint (what the person can do next). Returns -1. */
int err_hint(struct err *err, const char *format, ...) _printf_(2, 3);

/* The prepared answer to a failed allocation. Returns -1. */
int err_no_memory(struct err *err);

/* The kind's name for machine output ("not-found"); never NULL. */
const char *err_kind_name(enum err_kind kind);

#endif
