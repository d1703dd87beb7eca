/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cases of test_operate*.c share: one-offs that go on without their client, seen only through the
 * program's own commands. They are kept when they end, so each case deletes its own:
 *
 *	char id[ID_SIZE];
 *
 *	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "exit", "3"));
 *	expect_code(3, ARGUMENTS("wait", id));
 *	engine_remove_one_offs();
 */
#ifndef ONEOFF_TESTS_OPERATE_H
#define ONEOFF_TESTS_OPERATE_H

#include <cjson/cJSON.h>
#include "tests/integration/harness.h"

#define ID_SIZE 16

/* A NULL-terminated list of arguments, for functions. */
#define ARGUMENTS(...)                                                                             \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

/* Runs `run -d …` and fails the case unless stdout is 8 of [a-z0-9] and a line break alone, code 0. */
void start_detached(char id[ID_SIZE], const char *const *arguments);

/* Runs it and fails the case unless it exits with that code. */
void expect_code(int code, const char *const *arguments);

/* The same; *run is left for more questions, the caller releases it. */
void run_with_code(struct run *run, int code, const char *const *arguments);

/* The one-off's object in `list -o json` (`all`: with --all), owned by the caller; NULL: it is not listed. */
cJSON *listed(const char *id, bool all);

/* Waits up to 10 s until `list` shows a one-off in that state ("running"); false when it never does. */
bool wait_listed(const char *id, const char *state);

/* Waits up to 10 s until its log has the words, and fails the case when they never come: before that, a process 1
 * without its handlers would not even see a signal. */
void wait_logged(const char *id, const char *words);

#endif
