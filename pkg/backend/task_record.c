/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/backend/task_record.h"

#include <stdlib.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/base/number.h"

void task_record_release(struct task_record *record)
{
	free(record->id);
	free(record->name);
	free(record->handle);
	free(record->place);
	free(record->source);
	free(record->user);
	free(record->command);
	free(record->reason);
	free(record->image);
	free(record->lock);
	*record = (struct task_record)TASK_RECORD_INIT;
}

struct labels {
	const char *(*get)(const void *context, const char *key);
	const void *context;
	bool failed;
};

static void copy(struct labels *labels, const char *key, char **to)
{
	const char *value = labels->get(labels->context, key);

	if (!value || *to)
		return;
	*to = strdup(value);
	labels->failed |= !*to;
}

static int64_t time_of(const struct labels *labels, const char *key)
{
	const char *value = labels->get(labels->context, key);
	int64_t seconds;

	return value && clock_parse_rfc3339(value, &seconds) == 0 && seconds > 0 ? seconds : 0;
}

static enum keep_mode keep_of(const char *value)
{
	if (value && !strcmp(value, "always"))
		return KEEP_ALWAYS;
	return value && !strcmp(value, "failed") ? KEEP_FAILED : KEEP_NEVER;
}

int task_record_read(struct task_record *record,
                     const char *(*get)(const void *context, const char *key), const void *context,
                     struct err *err)
{
	struct labels labels = {get, context, false};
	const char *keep_for = get(context, "keep-for");
	const char *detached = get(context, "detached");

	copy(&labels, "id", &record->id);
	copy(&labels, "source", &record->source);
	copy(&labels, "user", &record->user);
	copy(&labels, "command", &record->command);
	copy(&labels, "reason", &record->reason);
	copy(&labels, "lock", &record->lock);
	record->created = time_of(&labels, "started");
	record->deadline = time_of(&labels, "deadline");
	record->keep = keep_of(get(context, "keep"));
	if (!keep_for || parse_int64(keep_for, 0, INT64_MAX / 2000, &record->keep_for) < 0)
		record->keep_for = 0;
	record->detached = detached && !strcmp(detached, "true");
	return labels.failed ? err_no_memory(err) : 0;
}

const char *task_state_name(enum task_state state)
{
	static const char *const names[] = {"created", "running", "ended", "unknown"};

	return (unsigned)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}
