/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real run_task through the real backend against the fake engine, with files for our
 * descriptors:
 *
 *	struct fake_run run;
 *	fake_run_init(&run, "some input");
 *	fake_run_go(&run);
 *	cr_expect_eq(run.exit_code, 7, "%s", fake_run_said(&run));
 *	fake_run_release(&run);
 */
#ifndef ONEOFF_TESTS_FAKE_RUN_H
#define ONEOFF_TESTS_FAKE_RUN_H

#include "pkg/run/run.h"

struct fake_run {
	struct request request;  /* changed by the test before it goes */
	const char *input;       /* NULL: no stdin */
	int output_fd;           /* stdout of the run; -1: a file, read into `out` */
	int64_t call_timeout_ms; /* 0: five minutes, as --start-timeout has it */
	bool stop_on_disconnect;
	bool podman;

	bool ran; /* false: it failed before run_task */
	struct run_outcome outcome;
	struct identity identity;
	int exit_code;
	const char *reason;
	struct strbuf out, err; /* what arrived */
	struct strbuf said;     /* lines of the reporter */
	int64_t took_ms;
};

void fake_run_init(struct fake_run *run, const char *input);
void fake_run_go(struct fake_run *run);
/* For messages of assertions: why, and what was reported. */
const char *fake_run_said(struct fake_run *run);
void fake_run_release(struct fake_run *run);

#endif
