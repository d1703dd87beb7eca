/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's release: one byte, a window size, or nothing in time. Each case runs for every architecture. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "pkg/base/clock.h"
#include "pkg/kube/gate/gate.h"
#include "test_gate_run.h"

#define COMMAND(...)                                                                               \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define FOR_EACH_ARCHITECTURE(name)                                                                \
	for (const char *const *name = gate_architectures; *name; name++)

/* Ends the run; what it wrote must be exactly this. */
static void expect_end(struct gate_run *run, int code, const char *out)
{
	int got = gate_run_end(run);
	char *text = gate_run_output(run->out, NULL), *words = gate_run_output(run->err, NULL);

	cr_expect_eq(got, code, "ended with %d, not %d", got, code);
	cr_expect_str_eq(text, out);
	cr_expect_str_eq(words, "", "stderr: %s", words);
	free(text);
	free(words);
	gate_run_release(run);
}

Test(gate, is_known_by_the_names_of_go)
{
	cr_expect_not_null(gate_find("amd64"));
	cr_expect_not_null(gate_find("arm64"));
	cr_expect_null(gate_find("x86_64"));
	cr_expect_null(gate_find(""));
	FOR_EACH_ARCHITECTURE(name)
	{
		cr_expect_str_eq(gate_find(*name)->architecture, *name);
		cr_expect_lt(gate_find(*name)->length, 5000);
	}
}

Test(gate, takes_one_byte_and_leaves_the_rest_of_stdin, .timeout = 60)
{
	size_t length = 1 << 20, got;
	char *bytes = malloc(length), *out;

	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 7 + i / 253);
	FOR_EACH_ARCHITECTURE(name)
	{
		struct gate_run run;

		gate_run_start(&run, &(struct gate_start){.architecture = *name,
		                                          .settings = "stdin:20",
		                                          .command = COMMAND("cat")});
		gate_run_send(&run, bytes, length);
		gate_run_close_stdin(&run);
		cr_expect_eq(gate_run_end(&run), 0);
		out = gate_run_output(run.out, &got);
		cr_assert_eq(got, length - 1);
		cr_expect_eq(memcmp(out, bytes + 1, length - 1), 0);
		free(out);
		gate_run_release(&run);
	}
	free(bytes);
}

Test(gate, runs_nothing_before_the_byte, .timeout = 60)
{
	FOR_EACH_ARCHITECTURE(name)
	{
		struct gate_run run;
		char *out;

		gate_run_start(&run, &(struct gate_start){.architecture = *name,
		                                          .settings = "stdin:20",
		                                          .command = COMMAND("echo", "ran")});
		gate_run_is_waiting(&run);
		out = gate_run_output(run.out, NULL);
		cr_expect_str_eq(out, "");
		free(out);
		gate_run_send(&run, "\0", 1);
		expect_end(&run, 0, "ran\n");
	}
}

Test(gate, null_gives_the_task_dev_null, .timeout = 60)
{
	FOR_EACH_ARCHITECTURE(name)
	{
		struct gate_run run;

		gate_run_start(&run, &(struct gate_start){
					     .architecture = *name,
					     .settings = "null:20",
					     .command = COMMAND("sh", "-c",
		                                                "readlink /proc/self/fd/0; cat; "
		                                                "ls /proc/self/fd | wc -l")});
		gate_run_send(&run, "x and more", 10);
		/* 0, 1, 2 and the one that ls reads with: the gate leaves none open */
		expect_end(&run, 0, "/dev/null\n4\n");
	}
}

Test(gate, tty_waits_for_a_size_and_takes_nothing, .timeout = 60)
{
	FOR_EACH_ARCHITECTURE(name)
	{
		struct winsize size = {.ws_row = 31, .ws_col = 99};
		struct gate_run run;
		char echoed[16];

		gate_run_start(&run,
		               &(struct gate_start){.architecture = *name,
		                                    .settings = "tty:20",
		                                    .stdin_kind = GATE_STDIN_TERMINAL,
		                                    .command = COMMAND("sh", "-c",
		                                                       "stty size; read -r line;"
		                                                       "echo \"$line\"")});
		gate_run_is_waiting(&run);
		fcntl(run.in, F_SETFL, O_NONBLOCK);
		cr_expect_eq(read(run.in, echoed, sizeof(echoed)), -1, "it wrote to the terminal");
		gate_run_send(&run, "typed early\n", 12);
		cr_expect_eq(ioctl(run.in, TIOCSWINSZ, &size), 0);
		expect_end(&run, 0, "31 99\ntyped early\n");
	}
}

Test(gate, tty_with_a_size_starts_at_once, .timeout = 60)
{
	FOR_EACH_ARCHITECTURE(name)
	{
		struct winsize size = {.ws_row = 1, .ws_col = 0};
		struct gate_run run;

		gate_run_start(&run, &(struct gate_start){.architecture = *name,
		                                          .settings = "tty:20",
		                                          .stdin_kind = GATE_STDIN_TERMINAL,
		                                          .command = COMMAND("echo", "ran")});
		cr_expect_eq(ioctl(run.in, TIOCSWINSZ, &size), 0);
		expect_end(&run, 0, "ran\n");
	}
}

Test(gate, gives_up_after_its_time_limit, .timeout = 60)
{
	static const struct {
		const char *settings;
		enum gate_stdin kind;
	} rows[] = {
		{"stdin:1", GATE_STDIN_PIPE},
		{"null:1", GATE_STDIN_PIPE},
		{"tty:1", GATE_STDIN_TERMINAL},
	};
	int64_t before = clock_monotonic_ms(), took;
	struct gate_run runs[6];
	size_t count = 0;

	FOR_EACH_ARCHITECTURE(name)
	{
		for (size_t i = 0; i < 3; i++)
			gate_run_start(&runs[count++],
			               &(struct gate_start){.architecture = *name,
			                                    .settings = rows[i].settings,
			                                    .stdin_kind = rows[i].kind,
			                                    .command = COMMAND("echo")});
	}
	for (size_t i = 0; i < count; i++) {
		expect_end(&runs[i], 125, "");
		took = clock_monotonic_ms() - before;
		cr_expect_geq(took, 1000);
		cr_expect_lt(took, 3000);
	}
}

Test(gate, ends_when_stdin_ends_first, .timeout = 60)
{
	static const struct {
		const char *settings;
		enum gate_stdin kind;
	} rows[] = {
		{"stdin:20", GATE_STDIN_PIPE},  {"null:20", GATE_STDIN_PIPE},
		{"tty:20", GATE_STDIN_PIPE},    {"tty:20", GATE_STDIN_TERMINAL},
		{"tty:20", GATE_STDIN_CLOSED},  {"stdin:20", GATE_STDIN_CLOSED},
		{"null:20", GATE_STDIN_CLOSED},
	};

	FOR_EACH_ARCHITECTURE(name)
	{
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			struct gate_run run;

			gate_run_start(&run, &(struct gate_start){.architecture = *name,
			                                          .settings = rows[i].settings,
			                                          .stdin_kind = rows[i].kind,
			                                          .command = COMMAND("echo")});
			gate_run_close_stdin(&run);
			expect_end(&run, 125, "");
		}
	}
}

Test(gate, a_signal_ends_the_wait_as_a_shell_would_say, .timeout = 60)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};

	FOR_EACH_ARCHITECTURE(name)
	{
		for (size_t i = 0; i < 3; i++) {
			struct gate_run run;

			gate_run_start(&run, &(struct gate_start){.architecture = *name,
			                                          .settings = "stdin:20",
			                                          .command = COMMAND("echo")});
			gate_run_is_waiting(&run);
			kill(run.pid, numbers[i]);
			expect_end(&run, 128 + numbers[i], "");
		}
	}
}

Test(gate, another_signal_does_not_disturb_the_wait, .timeout = 60)
{
	FOR_EACH_ARCHITECTURE(name)
	{
		struct gate_run run;

		gate_run_start(&run, &(struct gate_start){.architecture = *name,
		                                          .settings = "stdin:20",
		                                          .command = COMMAND("echo", "ran")});
		gate_run_is_waiting(&run);
		kill(run.pid, SIGSTOP);
		kill(run.pid, SIGCONT);
		gate_run_is_waiting(&run);
		gate_run_send(&run, "x", 1);
		expect_end(&run, 0, "ran\n");
	}
}

static void odd_signals(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

/* The C library's own two, 32 and 33: nobody can set them, so whoever started us may have left them ignored. */
#define LIBRARY_SIGNALS (3UL << 31)

static bool last_digits(const char *text, const char *name, unsigned long wanted)
{
	const char *line = strstr(text, name);

	return line && (strtoul(line + strlen(name), NULL, 16) & ~LIBRARY_SIGNALS) == wanted;
}

Test(gate, the_task_gets_the_signals_as_they_were, .timeout = 60)
{
	unsigned long blocked = 1UL << (SIGUSR2 - 1) | 1UL << (SIGTERM - 1);

	FOR_EACH_ARCHITECTURE(name)
	{
		struct gate_run run;
		char *out;

		gate_run_start(
			&run, &(struct gate_start){.architecture = *name,
		                                   .settings = "stdin:20",
		                                   .prepare = odd_signals,
		                                   .command = COMMAND("cat", "/proc/self/status")});
		gate_run_send(&run, "x", 1);
		cr_expect_eq(gate_run_end(&run), 0);
		out = gate_run_output(run.out, NULL);
		cr_expect(last_digits(out, "SigBlk:\t", blocked), "%s", out);
		cr_expect(last_digits(out, "SigIgn:\t", 1UL << (SIGHUP - 1)), "%s", out);
		cr_expect(last_digits(out, "SigCgt:\t", 0), "%s", out);
		free(out);
		gate_run_release(&run);
	}
}
