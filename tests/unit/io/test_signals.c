/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include "pkg/io/signals.h"

Test(signals, become_readable_events)
{
	static const int sent[] = {SIGINT,  SIGTERM, SIGHUP,   SIGQUIT,
	                           SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
	struct signals signals = SIGNALS_INIT;
	struct err err = ERR_INIT;

	/* Whoever started the tests in the background has them ignored. */
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++)
		signal(sent[i], SIG_DFL);
	cr_assert_eq(signals_open(&signals, &err), 0);
	cr_expect_eq(signals_next(&signals), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
		struct pollfd polled = {.fd = signals.fd, .events = POLLIN};

		raise(sent[i]);
		cr_expect_eq(poll(&polled, 1, 0), 1);
		cr_expect_eq(signals_next(&signals), sent[i]);
		cr_expect_eq(signals_next(&signals), 0);
	}
	signals_close(&signals);
}

Test(signals, ignored_ones_stay_ignored)
{
	struct signals signals = SIGNALS_INIT;
	struct err err = ERR_INIT;

	signal(SIGHUP, SIG_IGN); /* nohup */
	cr_assert_eq(signals_open(&signals, &err), 0);
	raise(SIGHUP);
	cr_expect_eq(signals_next(&signals), 0);
	signals_close(&signals);
}

Test(signals, the_mask_is_given_back)
{
	struct signals signals = SIGNALS_INIT;
	struct err err = ERR_INIT;
	sigset_t now;

	cr_assert_eq(signals_open(&signals, &err), 0);
	sigprocmask(SIG_BLOCK, NULL, &now);
	cr_expect(sigismember(&now, SIGTERM));
	cr_expect_not(sigismember(&now, SIGTSTP), "Ctrl-Z keeps its effect on us");
	signals_close(&signals);
	sigprocmask(SIG_BLOCK, NULL, &now);
	cr_expect_not(sigismember(&now, SIGTERM));
	cr_expect_eq(signals.fd, -1);
	cr_expect_eq(signals_next(&signals), 0);
	signals_close(&signals);
}

Test(signals, pending_ones_take_their_effect_at_the_end, .signal = SIGUSR1)
{
	struct signals signals = SIGNALS_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(signals_open(&signals, &err), 0);
	raise(SIGUSR1);
	signals_close(&signals);
	cr_assert_fail("SIGUSR1 was swallowed");
}

Test(signals, a_broken_pipe_does_not_kill)
{
	struct signals signals = SIGNALS_INIT;
	struct err err = ERR_INIT;
	int fds[2];

	cr_assert_eq(signals_open(&signals, &err), 0);
	cr_assert_eq(pipe(fds), 0);
	close(fds[0]);
	cr_expect_eq(write(fds[1], "x", 1), -1);
	signals_close(&signals);
	close(fds[1]);
}
