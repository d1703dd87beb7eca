/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as .oneoff.yaml, Procfile and label: every task that comes out can be run and shown, no name is there
 * twice, and a fault is a message that names its place. */
#include <string.h>

#include "pkg/spec/request.h"
#include "pkg/spec/tasks.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct named_tasks *tasks)
{
	CHECK(tasks->count <= NAMED_TASKS_MAX);
	for (size_t i = 0; i < tasks->count; i++) {
		const struct named_task *task = &tasks->items[i];

		CHECK(named_task_name_is_valid(task->name));
		CHECK(named_tasks_find(tasks, task->name) == task);
		CHECK(task->argv.count > 0 && *task->argv.items[0] && *task->line);
		CHECK(!task->argv.items[task->argv.count]);
		CHECK(!task->lock || request_lock_is_valid(task->lock));
		CHECK(task->timeout_ms >= -1);
		CHECK(task->where);
	}
}

static void check_fault(int result, const struct err *err, const char *where)
{
	CHECK(result == 0 || (err->kind != ERR_NONE && err->kind != ERR_INTERNAL));
	CHECK(result == 0 || strstr(err->message, where) ||
	      !strncmp(err->message, "more than", 9) || err->kind == ERR_NO_MEMORY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct err err = ERR_INIT;

	CHECK(text);
	check_fault(named_tasks_add_yaml(&tasks, (const char *)data, size, "FILE", &err), &err,
	            "FILE");
	check(&tasks);
	err = (struct err)ERR_INIT;
	check_fault(named_tasks_add_label(&tasks, "label", text, "label", "KEY", &err), &err,
	            "KEY");
	check(&tasks);
	err = (struct err)ERR_INIT;
	check_fault(named_tasks_add_procfile(&tasks, (const char *)data, size, "FILE", &err), &err,
	            "FILE");
	check(&tasks);
	return 0;
}
