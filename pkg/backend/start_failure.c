/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/backend/start_failure.h"

#include <stdbool.h>
#include <string.h>

static bool has_one_of(const char *words, const char *const *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcasestr(words, parts[i]))
			return true;
	return false;
}

enum err_kind start_failure_kind(const char *words)
{
	/* Not "exec" alone: a hook fails as "fork/exec /hook: no such file or directory". */
	static const char *const executing[] = {
		"exec: \"",
		" exec /",
		"executable file",
		"open executable",
		"exec format error",
		"exec user process",
		"exec container process",
		"execve",
	};
	static const char *const denied[] = {
		"permission denied", "operation not permitted", "is a directory",
		"not a directory",   "exec format error",
	};
	static const char *const missing[] = {"not found", "no such file"};

	if (!has_one_of(words, executing, ARRAY_SIZE(executing)) && strncmp(words, "exec ", 5) != 0)
		return ERR_NONE;
	if (has_one_of(words, missing, ARRAY_SIZE(missing)))
		return ERR_COMMAND_NOT_FOUND;
	return has_one_of(words, denied, ARRAY_SIZE(denied)) ? ERR_CANNOT_EXECUTE : ERR_NONE;
}
