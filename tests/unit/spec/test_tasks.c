/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "pkg/spec/tasks.h"

static void add_yaml(struct named_tasks *tasks, const char *text)
{
	struct err err = ERR_INIT;

	cr_assert_eq(named_tasks_add_yaml(tasks, text, strlen(text), ".oneoff.yaml", &err), 0, "%s",
	             err.message);
}

/* argv as "a|b|c". */
static void expect_argv(const struct named_task *task, const char *wanted)
{
	char text[256] = "";
	size_t used = 0;

	cr_assert_not_null(task);
	for (size_t i = 0; i < task->argv.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "|" : "",
		                         task->argv.items[i]);
	cr_assert_str_eq(text, wanted);
}

Test(tasks, a_task_states_all_that_it_may)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	const struct named_task *task;

	add_yaml(&tasks, "like: web\ntasks:\n  reindex:\n    command: [bin/reindex, --all, 'a b']\n"
	                 "    description: rebuilds it\n    timeout: 2h\n    lock: re-index\n"
	                 "    tty: yes\n");
	cr_assert_eq(tasks.count, 1);
	task = named_tasks_find(&tasks, "reindex");
	expect_argv(task, "bin/reindex|--all|a b");
	cr_assert_str_eq(task->line, "bin/reindex --all 'a b'");
	cr_assert_str_eq(task->description, "rebuilds it");
	cr_assert_str_eq(task->where, ".oneoff.yaml");
	cr_assert_eq(task->timeout_ms, 7200000);
	cr_assert_str_eq(task->lock, "re-index");
	cr_assert_eq(task->tty, TASK_TTY_YES);
}

Test(tasks, what_is_not_stated_is_not_set)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	const struct named_task *task;

	add_yaml(&tasks, "tasks: {db:migrate: bin/rails db:migrate, silent: {command: x, tty: off, "
	                 "timeout: 0}, num: {command: x, timeout: 90}}");
	task = named_tasks_find(&tasks, "db:migrate");
	expect_argv(task, "bin/rails|db:migrate");
	cr_assert_eq(task->timeout_ms, -1);
	cr_assert_eq(task->tty, TASK_TTY_UNSAID);
	cr_assert(!task->lock && !task->description);
	task = named_tasks_find(&tasks, "silent");
	cr_assert_eq(task->timeout_ms, 0);
	cr_assert_eq(task->tty, TASK_TTY_NO);
	cr_assert_eq(named_tasks_find(&tasks, "num")->timeout_ms, 90000);
	cr_assert_null((void *)named_tasks_find(&tasks, "none"));
}

Test(tasks, a_line_that_needs_a_shell_gets_one)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;

	add_yaml(
		&tasks,
		"tasks:\n  a: dump | gzip\n  b: |\n    one\n    two\n  c: {command: [a, '|', b]}\n");
	expect_argv(named_tasks_find(&tasks, "a"), "sh|-c|dump | gzip");
	cr_assert_str_eq(named_tasks_find(&tasks, "a")->line, "dump | gzip");
	expect_argv(named_tasks_find(&tasks, "b"), "sh|-c|one\ntwo\n");
	expect_argv(named_tasks_find(&tasks, "c"), "a|||b");
}

Test(tasks, a_file_without_tasks_has_none)
{
	static const char *const texts[] = {"", "# nothing\n", "like: web\n", "tasks:\n",
	                                    "tasks: {}\n"};
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		add_yaml(&tasks, texts[i]);
	cr_assert_eq(tasks.count, 0);
}

Test(tasks, what_is_wrong_names_file_and_key)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"tasks: {a: {comand: x}}", ".oneoff.yaml: tasks: a: no such key 'comand'"},
		{"tasks: {a: {description: x}}", ".oneoff.yaml: tasks: a: command is missing"},
		{"tasks: {a: {command: 1}}", "a: command: a line or a list of strings"},
		{"tasks: {a: {command: [sleep, 5]}}", "a: command: a list of strings (put"},
		{"tasks: {a: {command: []}}", "a: command: the command is empty"},
		{"tasks: {a: {command: ['', x]}}", "a: command: the command is empty"},
		{"tasks: {a: \"'' x\"}", "a: the command is empty"},
		{"tasks: {a: ' '}", "a: the command is empty"},
		{"tasks: {a: \"it's\"}", "a: a quote has no end in: it's"},
		{"tasks: {a: null}", "a: a command line or an object"},
		{"tasks: {a: [x]}", "a: a command line or an object"},
		{"tasks: {a: {command: x, description: 3}}", "a: description: a text"},
		{"tasks: {a: {command: x, timeout: soon}}", "a: timeout: a duration"},
		{"tasks: {a: {command: x, timeout: -1}}", "a: timeout: a duration"},
		{"tasks: {a: {command: x, timeout: 1.5}}", "a: timeout: a duration"},
		{"tasks: {a: {command: x, timeout: [1]}}", "a: timeout: a duration"},
		{"tasks: {a: {command: x, lock: Big}}", "a: lock: a name of at most 52"},
		{"tasks: {a: {command: x, lock: -a}}", "a: lock: a name"},
		{"tasks: {a: {command: x, lock: 5}}", "a: lock: a name"},
		{"tasks: {a: {command: x, tty: 1}}", "a: tty: true or false"},
		{"tasks: {'a b': x}", ".oneoff.yaml: tasks: 'a b' is no name"},
		{"tasks: {-a: x}", "'-a' is no name"},
		{"tasks: {a/b: x}", "'a/b' is no name"},
		{"tasks: [a]", ".oneoff.yaml: tasks: an object of names"},
		{"tasks: x", ".oneoff.yaml: tasks: an object of names"},
		{"[tasks]", ".oneoff.yaml: an object is wanted"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
		struct err err = ERR_INIT;

		cr_assert_eq(named_tasks_add_yaml(&tasks, cases[i].text, strlen(cases[i].text),
		                                  ".oneoff.yaml", &err),
		             -1, "%s", cases[i].text);
		cr_expect_eq(err.kind, ERR_USAGE, "%s", err.message);
		cr_expect(strstr(err.message, cases[i].words), "%s: %s", cases[i].text,
		          err.message);
	}
}

Test(tasks, a_name_or_a_key_that_stands_twice_is_told)
{
	static const char *const texts[] = {"tasks: {twice: x, b: y, twice: z}",
	                                    "tasks: {a: {command: x, twice: 1, twice: 2}}",
	                                    "tasks: {unended: "};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
		struct err err = ERR_INIT;

		cr_assert_eq(named_tasks_add_yaml(&tasks, texts[i], strlen(texts[i]),
		                                  ".oneoff.yaml", &err),
		             -1);
		cr_expect(!strncmp(err.message, ".oneoff.yaml: ", 14), "%s", err.message);
		cr_expect(i == 2 || strstr(err.message, "twice"), "%s", err.message);
	}
}

static int add_procfile(struct named_tasks *tasks, const char *text, struct err *err)
{
	return named_tasks_add_procfile(tasks, text, strlen(text), "Procfile", err);
}

Test(tasks, each_line_of_a_procfile_is_one)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(
		add_procfile(&tasks, "# x: y\nweb: a b\nrelease: cd x && y\nno name: z\n", &err),
		0);
	cr_assert_eq(tasks.count, 2);
	expect_argv(named_tasks_find(&tasks, "web"), "a|b");
	expect_argv(named_tasks_find(&tasks, "release"), "sh|-c|cd x && y");
	cr_assert_eq(add_procfile(&tasks, "x: it's", &err), -1);
	cr_assert_str_eq(err.message, "Procfile: x: a quote has no end in: it's");
	cr_assert_eq(add_procfile(&tasks, "x: a\nx: b", &err), -1);
	cr_assert_str_eq(err.message, "Procfile: 'x' stands there twice");
}

Test(tasks, the_source_that_was_first_counts)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	struct err err = ERR_INIT;

	add_yaml(&tasks, "tasks: {a: first}");
	cr_assert_eq(named_tasks_add_label(&tasks, "a", "second", "label", "key.a", &err), 0);
	cr_assert_eq(named_tasks_add_label(&tasks, "b", "second", "label", "key.b", &err), 0);
	cr_assert_eq(add_procfile(&tasks, "a: third\na: again\nb: third\nc: third", &err), 0, "%s",
	             err.message);
	cr_assert_eq(tasks.count, 3);
	expect_argv(named_tasks_find(&tasks, "a"), "first");
	expect_argv(named_tasks_find(&tasks, "b"), "second");
	expect_argv(named_tasks_find(&tasks, "c"), "third");
}

Test(tasks, a_label_is_a_line_or_json)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	struct err err = ERR_INIT;
	static const struct {
		const char *name, *value, *words;
	} wrong[] = {
		{"x", "{\"command\": \"a\"", "label dev.oneoff.task.x: "},
		{"x", "{\"command\": \"a\", \"tty\": 1}", "label dev.oneoff.task.x: tty: true"},
		{"x", "{\"command\": \"a\", \"command\": \"b\"}", "command"},
		{"x", "{}", "label dev.oneoff.task.x: command is missing"},
		{"x", "", "the command is empty"},
		{"", "y", "'' is no name"},
		{"a b", "y", "'a b' is no name"},
	};

	cr_assert_eq(named_tasks_add_label(&tasks, "a", "x 'y z'", "label", "k", &err), 0);
	expect_argv(named_tasks_find(&tasks, "a"), "x|y z");
	cr_assert_eq(named_tasks_add_label(&tasks, "b",
	                                   "{\"command\": [\"x\"], \"timeout\": \"1m\"}", "label",
	                                   "k", &err),
	             0);
	cr_assert_eq(named_tasks_find(&tasks, "b")->timeout_ms, 60000);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_assert_eq(named_tasks_add_label(&tasks, wrong[i].name, wrong[i].value, "label",
		                                   "dev.oneoff.task.x", &err),
		             -1);
		cr_expect(strstr(err.message, wrong[i].words), "%s", err.message);
	}
	cr_assert_eq(tasks.count, 2);
}

Test(tasks, there_is_a_limit)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	struct err err = ERR_INIT;
	char name[16];

	for (int i = 0; i < NAMED_TASKS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		cr_assert_eq(named_tasks_add_label(&tasks, name, "x", "label", "k", &err), 0);
	}
	cr_assert_eq(named_tasks_add_label(&tasks, "more", "x", "label", "k", &err), -1);
	cr_assert_eq(err.kind, ERR_USAGE);
	cr_assert_eq(tasks.count, NAMED_TASKS_MAX);
}
