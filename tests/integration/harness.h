/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives one program from outside: its streams through pipes or a terminal of its own, at the pace
 * the case wants, and afterwards says everything that can be seen of it. Deadlines are a safety net
 * (a case that meets one has failed), never a way to wait.
 *
 *	struct run run;
 *
 *	run_start(&run, &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "sum"),
 *					   .stdin_mode = STDIN_PATTERN, .input_length = 65536});
 *	run_finish(&run);
 *	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
 *	run_release(&run);
 *
 * Between the harness and the program stands a session leader of its own, as a shell would, so that
 * the death of the program does not hang up its terminal.
 */
#ifndef ONEOFF_TESTS_HARNESS_H
#define ONEOFF_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>
#include "tests/integration/pattern.h"

/* Arguments after the program's name. */
#define ARGV(...)                                                                                  \
	.argv = (const char *const[])                                                              \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

enum stdin_mode {
	STDIN_NULL,    /* /dev/null */
	STDIN_TEXT,    /* .input, then the end */
	STDIN_PATTERN, /* .input_length bytes of the pattern with .seed, then the end */
	STDIN_ENDLESS, /* the pattern for ever */
	STDIN_SILENT,  /* open, and nothing comes */
	STDIN_CLOSED,  /* descriptor 0 is not open */
};

enum reader_mode {
	READER_FAST,
	READER_SLOW,   /* one piece of 64 KiB each .stall_ms */
	READER_STALL,  /* after .after bytes reads nothing for .stall_ms, then fast */
	READER_LEAVES, /* after .after bytes closes its end */
	READER_STOPS,  /* after .after bytes never reads again, but keeps its end open */
	READER_CLOSED, /* descriptor 1 is not open */
	READER_FULL,   /* descriptor 1 is /dev/full */
};

struct run_spec {
	const char *const *argv;
	const char *program;    /* NULL: $ONEOFF */
	const char *const *env; /* "K=V" to set, "K" to unset; NULL-terminated, or NULL */
	enum stdin_mode stdin_mode;
	const char *input; /* STDIN_TEXT, ended by NUL */
	uint64_t input_length;
	uint64_t seed; /* of STDIN_PATTERN and STDIN_ENDLESS */
	enum reader_mode reader;
	uint64_t after;
	int stall_ms;
	bool stderr_closed; /* descriptor 2 is not open */
	bool pty;           /* 0, 1 and 2 are a terminal; stdin_mode and reader do not count */
	int rows, columns;  /* of the terminal; 24 × 80 when 0 */
	int deadline_ms;    /* 60000 when 0 */
};

#define CAPTURE_TEXT 65536

/* One output stream: hash and count of all of it, and its first bytes. */
struct capture {
	uint64_t hash;
	uint64_t count;
	char *text; /* CAPTURE_TEXT + 1 bytes, ended by NUL; NUL bytes in the stream end it early */
	size_t text_length;
};

struct run {
	struct run_spec spec;
	struct capture out, err; /* with a terminal everything is in out */

	/* After run_finish. */
	int code;         /* exit code, or -1 when a signal killed it */
	int signal;       /* that signal, or 0 */
	bool timed_out;   /* the safety net: it was killed by us */
	bool held_open;   /* somebody kept its stdout or stderr open for 5 s after its end */
	long peak_kib;    /* peak memory; includes up to about 5 MiB of ours before exec */
	int64_t took_ms;  /* from start to exit */
	uint64_t written; /* bytes of stdin that it took */

	/* Working state. */
	pid_t pid;    /* of the program: for kill() */
	pid_t leader; /* its parent */
	int report_fd, hold_fd;
	int in, out_fd, err_fd; /* our ends, -1 when closed */
	int slave; /* the terminal's other end, so that it can be asked after the end */
	struct termios before;
	struct pattern pattern;
	char pending[65536]; /* stdin produced but not taken yet */
	size_t pending_start, pending_end;
	int64_t started, resume_at;
	bool exited;
};

#define RUN_FORMAT "code %d signal %d%s%s after %lld ms\nstdout: %.300s\nstderr: %.1000s"
#define RUN_ARGS(run)                                                                              \
	(run)->code, (run)->signal, (run)->timed_out ? " (deadline!)" : "",                        \
		(run)->held_open ? " (output held open)" : "", (long long)(run)->took_ms,          \
		(run)->out.text, (run)->err.text

int64_t now_ms(void);
void pause_ms(int ms);

/* A failure to start the program is a failure of the test program: it aborts with a message. */
void run_start(struct run *run, const struct run_spec *spec);

/* Moves bytes until `text` stands in what was captured from stdout (or stderr) at or after byte
 * `from`, or until the program ended. True when it was found. */
bool run_until(struct run *run, struct capture *capture, size_t from, const char *text);

/* Moves bytes for that long, or until the program ended. */
void run_pump(struct run *run, int ms);

/* Writes to the program's stdin or terminal. */
void run_send(struct run *run, const char *text);

/* Changes the terminal's size, which sends it a WINCH. */
void run_resize(struct run *run, int rows, int columns);

/* Moves bytes until the program ended and its output did. At the deadline it is killed. */
void run_finish(struct run *run);

/* Whether the terminal is as it was before the start; waits a moment for it (the program's own
 * guardian may have to restore it). */
bool run_terminal_restored(struct run *run);

void run_release(struct run *run);

/* start, finish. */
void run_all(struct run *run, const struct run_spec *spec);

/* The hash of `length` bytes of the pattern. */
uint64_t pattern_hash(uint64_t seed, uint64_t length);

/* A capture's whole text equals this. */
bool capture_is(const struct capture *capture, const char *text);

/* Every line of stderr begins with "oneoff: ": what our own chatter must look like. */
bool chatter_only(const struct capture *capture);

/* The binary under test. */
const char *oneoff_path(void);

#endif
