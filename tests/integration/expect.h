/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole cases in one call, for what many files ask in the same words. Each fails the case itself, with what the
 * program said.
 *
 *	expect_output(WORDS("run", "-q", "--like", "web", "--", "helper", "where"), "/srv\n");
 *	expect_steps_clean(WORDS("run", "--like", "web", "--", "helper", "exit", "3"), expect_clean);
 */
#ifndef ONEOFF_TESTS_EXPECT_H
#define ONEOFF_TESTS_EXPECT_H

#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

/* Arguments after the program's name, on their own. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* It ends with this code, and this is all of stdout; within 20 s. */
void expect_result(const char *const *argv, int code, const char *expected);
/* With 0. */
void expect_output(const char *const *argv, const char *expected);

/* Nothing was started: 125, nothing on stdout, and both words in what we say (NULL: none). Within 20 s. */
void expect_refused(const char *const *argv, const char *word, const char *other);

/* A build with -DONEOFF_TEST_HOOKS ($ONEOFF_HOOKS) kills itself at its n-th step; n grows until the run, whose task
 * ends with 3, gets to its end. After each `clean` is called. Skipped without such a build, but not in CI. */
void expect_steps_clean(const char *const *argv, void (*clean)(void));

/* docker's own program, which has to succeed. */
#define DOCKER   "/usr/bin/docker"
#define CLI(...) docker_cli((const char *const[]){__VA_ARGS__, NULL})
void docker_cli(const char *const *argv);

#endif
