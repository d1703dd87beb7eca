/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks that ship with the app: where they come from, which one counts, and that they are run only when they are
 * meant. tests/integration/engines makes .oneoff.yaml, label and Procfile. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

TestSuite(named_tasks, .fini = expect_clean, .timeout = 60);
TestSuite(kube_tasks, .fini = expect_clean, .timeout = 60);

/* The task of that name in the list of `tasks -o json`, or NULL. */
static const cJSON *task_of(const cJSON *list, const char *name)
{
	const cJSON *task;

	cJSON_ArrayForEach (task, list)
		if (!strcmp(text_of(task, "name"), name))
			return task;
	return NULL;
}

static cJSON *list_tasks(const char *source)
{
	struct run run;
	cJSON *list;

	run_all(&run, &(struct run_spec){ARGV("tasks", "--like", source, "-o", "json")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	list = cJSON_Parse(run.out.text);
	cr_assert(cJSON_IsArray(list), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	return list;
}

static void expect_task(const cJSON *list, const char *name, const char *from, const char *command)
{
	const cJSON *task = task_of(list, name);

	cr_assert(task, "no task '%s'", name);
	cr_assert_str_eq(text_of(task, "from"), from);
	cr_assert_str_eq(text_of(task, "command"), command);
}

Test(named_tasks, come_from_file_label_and_procfile_in_this_order)
{
	cJSON *list = list_tasks("web");

	expect_task(list, "greet", ".oneoff.yaml", "helper exit 0 'a b'");
	expect_task(list, "migrate", ".oneoff.yaml", "helper exit 6");
	expect_task(list, "labelled", "label", "helper exit 0 labelled");
	expect_task(list, "web", "Procfile", "helper signals");
	cr_assert_eq(cJSON_GetArraySize(member(task_of(list, "greet"), "argv")), 4);
	cr_assert_eq(cJSON_GetNumberValue(member(task_of(list, "short"), "timeoutMs")), 1000);
	cr_assert_eq(cJSON_GetArraySize(list), 7);
	cJSON_Delete(list);
}

Test(named_tasks, are_listed_for_people)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("tasks", "--like", "web")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strncmp(run.out.text, "NAME ", 5), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "says a b\n"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "helper exit 6"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.err, ""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

static void expect_run(const char *const *argv, int code, const char *out, const char *note)
{
	struct run run;

	run_all(&run, &(struct run_spec){.argv = argv});
	cr_assert_eq(run.code, code, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!out || capture_is(&run.out, out), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!note || strstr(run.err.text, note), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

#define RUN(code, out, note, ...)                                                                  \
	expect_run((const char *const[]){__VA_ARGS__, NULL}, code, out, note)

Test(named_tasks, run_by_their_name)
{
	RUN(0, "a b", "oneoff: task 'greet' (.oneoff.yaml): helper exit 0 'a b'\n", "run", "--like",
	    "web", "greet");
	RUN(0, "0\n", "task 'piped' (.oneoff.yaml): printf", "run", "--like", "web", "piped");
	RUN(0, "labelled", "oneoff: task 'labelled' (label): helper exit 0 labelled\n", "run",
	    "--like", "web", "labelled");
	/* the Procfile has another one of that name */
	RUN(6, "", "task 'migrate' (.oneoff.yaml)", "run", "--like", "web", "migrate");
}

Test(named_tasks, are_a_program_behind_dashes_or_with_arguments)
{
	RUN(127, "", NULL, "run", "--like", "web", "--", "migrate");
	RUN(127, "", NULL, "run", "--like", "web", "migrate", "now");
	RUN(0, NULL, NULL, "run", "--like", "web", "env");
}

/* The task says 1 s and 1 h. */
Test(named_tasks, limit_themselves_unless_the_command_line_does)
{
	RUN(124, NULL, NULL, "run", "--like", "web", "short");
	RUN(124, NULL, NULL, "run", "--timeout", "1s", "--like", "web", "long");
}

Test(named_tasks, are_planned_as_they_are_run)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("plan", "-o", "json", "--like", "web", "greet")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "\"a b\""), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.out.text, "\"greet\""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(named_tasks, a_broken_file_is_told_and_stops_no_program)
{
	RUN(125, "", "oneoff: .oneoff.yaml: tasks: migrate: no such key 'comand'", "tasks",
	    "--like", "broken");
	RUN(125, "", "if 'migrate' is meant as a program: -- migrate", "run", "--like", "broken",
	    "migrate");
	RUN(3, "", NULL, "run", "--like", "broken", "--", "helper", "exit", "3");
	RUN(3, "", NULL, "run", "--like", "broken", "helper", "exit", "3");
}

Test(kube_tasks, are_annotations)
{
	cJSON *list = list_tasks("web");

	expect_task(list, "labelled", "annotation", "helper exit 0 labelled");
	cr_assert_eq(cJSON_GetArraySize(list), 1);
	cJSON_Delete(list);
	RUN(0, "labelled", "oneoff: task 'labelled' (annotation): helper exit 0 labelled\n", "run",
	    "--like", "web", "labelled");
	RUN(0, NULL, "its annotations count", "tasks", "-v", "--like", "web");
}
