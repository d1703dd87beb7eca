/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[ERR_KIND_COUNT] = {
	[ERR_NONE] = "none",
	[ERR_INTERNAL] = "internal",
	[ERR_NO_MEMORY] = "no-memory",
	[ERR_USAGE] = "usage",
	[ERR_SYSTEM] = "system",
	[ERR_UNREACHABLE] = "unreachable",
	[ERR_DENIED] = "denied",
	[ERR_NOT_FOUND] = "not-found",
	[ERR_AMBIGUOUS] = "ambiguous",
	[ERR_CONFLICT] = "conflict",
	[ERR_LOCKED] = "locked",
	[ERR_REFUSED] = "refused",
	[ERR_PROTOCOL] = "protocol",
	[ERR_LOST] = "lost",
	[ERR_CANNOT_EXECUTE] = "cannot-execute",
	[ERR_COMMAND_NOT_FOUND] = "command-not-found",
	[ERR_START_TIMEOUT] = "start-timeout",
	[ERR_INTERRUPTED] = "interrupted",
	[ERR_TIME_LIMIT] = "time-limit",
	[ERR_RESULT_UNKNOWN] = "result-unknown",
	[ERR_OUTPUT_INCOMPLETE] = "output-incomplete",
	[ERR_NOT_REMOVED] = "not-removed",
};

const char *err_kind_name(enum err_kind kind)
{
	return (unsigned)kind < ERR_KIND_COUNT ? kind_names[kind] : "internal";
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;

	memset(err, 0, sizeof(*err));
	err->kind = kind;
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	return -1;
}

int err_errno(struct err *err, const char *format, ...)
{
	int saved = errno;
	va_list args;
	size_t used;

	memset(err, 0, sizeof(*err));
	err->kind = ERR_SYSTEM;
	err->os_errno = saved;
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerror(saved));
	return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
	char inner[sizeof(err->message)];
	va_list args;
	size_t used;

	memcpy(inner, err->message, sizeof(inner));
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s", inner);
	return -1;
}

int err_hint(struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->hint, sizeof(err->hint), format, args);
	va_end(args);
	return -1;
}

int err_no_memory(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "out of memory");
}
