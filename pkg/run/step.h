/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test of "SIGKILL of the client between any two steps": a build with -DONEOFF_TEST_HOOKS dies
 * at the step whose number ONEOFF_TEST_KILL_AT names. In every other build this is nothing.
 */
#ifndef ONEOFF_RUN_STEP_H
#define ONEOFF_RUN_STEP_H

#ifdef ONEOFF_TEST_HOOKS
#include <signal.h>
#include <stdlib.h>

static inline void step(int number)
{
	const char *wanted = getenv("ONEOFF_TEST_KILL_AT");

	if (wanted && strtol(wanted, NULL, 10) == number)
		raise(SIGKILL);
}
#else
#define step(number) ((void)(number))
#endif

/* In the order of a run. */
enum run_step {
	STEP_BEFORE_CREATE = 1,
	STEP_CREATED,
	STEP_ATTACHED,
	STEP_ARMED,
	STEP_STARTED,
	STEP_PUMPING,
	STEP_ENDED,
	STEP_BEFORE_REMOVE,
	STEP_REMOVED,
};

#endif
