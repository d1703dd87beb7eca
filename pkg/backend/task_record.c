/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/backend/task_record.h"

#include <stdlib.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/base/number.h"

/* A client may still be on its way to the start, or read the last output. */
#define RECENT_SECONDS INT64_C(300)
/* The platform, the client and the guardian enforce the deadline: they go first. */
#define DEADLINE_SLACK_SECONDS INT64_C(60)

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
	free(record->digest);
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

/* What identity_make gives: anybody may write labels, and "" or "true" is not one of ours. */
static bool is_our_id(const char *id)
{
	return id && strlen(id) == 8 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789") == 8;
}

/* A time that is not known, or lies ahead of this machine's clock, is no age. */
static bool is_older(int64_t time, int64_t seconds, int64_t now)
{
	return time > 0 && now > time && now - time > seconds;
}

static bool is_kept(const struct task_record *record)
{
	if (record->keep == KEEP_FAILED)
		return !record->status.known || record->status.code != 0;
	return record->keep == KEEP_ALWAYS;
}

bool task_record_is_leftover(const struct task_record *record, int64_t now)
{
	if (!is_our_id(record->id))
		return false;
	switch (record->state) {
	case TASK_CREATED:
		return is_older(record->created, RECENT_SECONDS, now);
	case TASK_RUNNING:
		return is_older(record->deadline, DEADLINE_SLACK_SECONDS, now);
	case TASK_ENDED:
		if (!is_kept(record))
			return is_older(record->ended, RECENT_SECONDS, now);
		return record->keep_for > 0 && is_older(record->ended, record->keep_for, now);
	case TASK_UNKNOWN:
		break;
	}
	return false;
}

bool task_record_may_be_leftover(const struct task_record *record, int64_t now)
{
	int64_t kept = record->keep_for;

	if (record->state == TASK_UNKNOWN)
		return is_our_id(record->id);
	if (record->state != TASK_ENDED)
		return task_record_is_leftover(record, now);
	if (!is_our_id(record->id) || (record->keep == KEEP_ALWAYS && !record->keep_for))
		return false;
	/* Whether it failed, and is kept, is not known here. */
	if (record->keep == KEEP_NEVER ||
	    (record->keep == KEEP_FAILED && (!kept || kept > RECENT_SECONDS)))
		kept = RECENT_SECONDS;
	return !record->created || is_older(record->created, kept, now);
}

const char *task_state_name(enum task_state state)
{
	static const char *const names[] = {"created", "running", "ended", "unknown"};

	return (unsigned)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}
