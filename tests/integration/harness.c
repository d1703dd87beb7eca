/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/integration/harness.h"
#include "tests/integration/spawn.h"

void die(const char *what)
{
	fprintf(stderr, "harness: %s: %s\n", what, strerror(errno));
	abort();
}

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

const char *oneoff_path(void)
{
	const char *path = getenv("ONEOFF");

	return path ? path : "build/release/oneoff";
}

static void capture_init(struct capture *capture)
{
	*capture = (struct capture){.hash = FNV_START, .text = calloc(1, CAPTURE_TEXT + 1)};
	if (!capture->text)
		die("calloc");
}

void run_start(struct run *run, const struct run_spec *spec)
{
	struct child_ends ends = {{-1, -1, -1}};
	int report, hold, i;

	*run = (struct run){.spec = *spec, .in = -1, .out_fd = -1, .err_fd = -1, .slave = -1};
	run->code = -1;
	run->pattern.state = spec->seed;
	if (run->spec.deadline_ms == 0)
		run->spec.deadline_ms = 60000;
	capture_init(&run->out);
	capture_init(&run->err);
	if (spec->pty)
		open_terminal(run, &ends);
	else
		open_pipes(run, &ends);
	make_pipe(&run->report_fd, &report, false);
	make_pipe(&run->hold_fd, &hold, true);
	fcntl(run->report_fd, F_SETFL, 0);
	signal(SIGPIPE, SIG_IGN);
	run->started = now_ms();
	run->leader = fork();
	if (run->leader < 0)
		die("fork");
	if (run->leader == 0)
		lead(run, &ends, report, hold);
	for (i = 0; i < 3 && !spec->pty; i++)
		if (ends.fd[i] >= 0)
			close(ends.fd[i]);
	close(report);
	close(hold);
	if (read(run->report_fd, &run->pid, sizeof(run->pid)) != sizeof(run->pid))
		die("the session leader did not start");
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void capture_add(struct capture *capture, const char *bytes, size_t length)
{
	size_t room = CAPTURE_TEXT - capture->text_length;

	capture->hash = fnv_add(capture->hash, bytes, length);
	capture->count += length;
	if (length < room)
		room = length;
	memcpy(capture->text + capture->text_length, bytes, room);
	capture->text_length += room;
}

/* Whether to read stdout now; *ret_wake is lowered to when that may change. */
static bool reader_wants(struct run *run, int64_t *ret_wake)
{
	const struct run_spec *spec = &run->spec;

	if (run->out_fd < 0)
		return false;
	if (spec->pty || spec->reader == READER_FAST || run->out.count < spec->after)
		return true;
	if (spec->reader == READER_STOPS)
		return run->exited;
	if (spec->reader == READER_STALL && run->resume_at == 0)
		run->resume_at = now_ms() + spec->stall_ms;
	if (now_ms() >= run->resume_at)
		return true;
	if (run->resume_at < *ret_wake)
		*ret_wake = run->resume_at;
	return false;
}

static void read_output(struct run *run, int *fd, struct capture *capture)
{
	static char buffer[65536];
	ssize_t n = read(*fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (!run->spec.pty)
			close_fd(fd);
		return;
	}
	capture_add(capture, buffer, (size_t)n);
	if (capture != &run->out)
		return;
	if (run->spec.reader == READER_SLOW)
		run->resume_at = now_ms() + run->spec.stall_ms;
	if (run->spec.reader == READER_LEAVES && capture->count >= run->spec.after)
		close_fd(fd);
}

/* Makes the next piece of stdin; false when there is none any more. */
static bool produce_input(struct run *run)
{
	const struct run_spec *spec = &run->spec;
	uint64_t left = spec->input_length - run->written;

	if (spec->stdin_mode == STDIN_TEXT)
		left = strlen(spec->input) - run->written;
	if (spec->stdin_mode == STDIN_ENDLESS)
		left = sizeof(run->pending);
	if (left > sizeof(run->pending))
		left = sizeof(run->pending);
	if (spec->stdin_mode == STDIN_TEXT)
		memcpy(run->pending, spec->input + run->written, left);
	else
		pattern_fill(&run->pattern, run->pending, left);
	run->pending_start = 0;
	run->pending_end = left;
	return left > 0;
}

static bool writer_wants(const struct run *run)
{
	return run->in >= 0 && !run->spec.pty && run->spec.stdin_mode != STDIN_SILENT;
}

static void write_input(struct run *run)
{
	ssize_t n;

	if (run->pending_start == run->pending_end && !produce_input(run)) {
		close_fd(&run->in);
		return;
	}
	n = write(run->in, run->pending + run->pending_start,
	          run->pending_end - run->pending_start);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		close_fd(&run->in);
		return;
	}
	run->pending_start += (size_t)n;
	run->written += (uint64_t)n;
}

static void read_report(struct run *run)
{
	struct report end;

	if (read(run->report_fd, &end, sizeof(end)) != sizeof(end))
		die("no report from the session leader");
	run->exited = true;
	run->took_ms = now_ms() - run->started;
	run->code = WIFEXITED(end.status) ? WEXITSTATUS(end.status) : -1;
	run->signal = WIFSIGNALED(end.status) ? WTERMSIG(end.status) : 0;
	run->peak_kib = end.usage.ru_maxrss;
	if (!run->spec.pty)
		close_fd(&run->in);
}

/* One turn of the pump, at most until `until`. False when nothing was ready. */
static bool turn(struct run *run, int64_t until)
{
	struct pollfd polls[4];
	bool reading;
	int n;

	reading = reader_wants(run, &until);
	until -= now_ms();
	polls[0] = (struct pollfd){.fd = reading ? run->out_fd : -1, .events = POLLIN};
	polls[1] = (struct pollfd){.fd = run->err_fd, .events = POLLIN};
	polls[2] = (struct pollfd){.fd = writer_wants(run) ? run->in : -1, .events = POLLOUT};
	polls[3] = (struct pollfd){.fd = run->exited ? -1 : run->report_fd, .events = POLLIN};
	n = poll(polls, 4, until < 0 ? 0 : (int)until);
	if (n < 0 && errno != EINTR)
		die("poll");
	if (n <= 0)
		return false;
	if (polls[0].revents)
		read_output(run, &run->out_fd, &run->out);
	if (polls[1].revents)
		read_output(run, &run->err_fd, &run->err);
	if (polls[2].revents)
		write_input(run);
	if (polls[3].revents)
		read_report(run);
	return true;
}

static int64_t deadline_of(const struct run *run)
{
	return run->started + run->spec.deadline_ms;
}

static bool has_text(const struct capture *capture, size_t from, const char *text)
{
	if (from > capture->text_length)
		return false;
	return memmem(capture->text + from, capture->text_length - from, text, strlen(text));
}

bool run_until(struct run *run, struct capture *capture, size_t from, const char *text)
{
	int64_t settle = 0;

	while (!has_text(capture, from, text)) {
		if (run->exited && settle == 0)
			settle = now_ms() + 200;
		if (now_ms() >= deadline_of(run) || (settle && now_ms() >= settle))
			return false;
		turn(run, settle ? settle : deadline_of(run));
	}
	return true;
}

void run_pump(struct run *run, int ms)
{
	int64_t until = now_ms() + ms;

	while (!run->exited && now_ms() < until)
		turn(run, until);
}

void run_send(struct run *run, const char *text)
{
	size_t length = strlen(text);
	ssize_t n;

	while (length > 0) {
		n = write(run->in, text, length);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			die("write to the program");
		if (n < 0) {
			turn(run, now_ms() + 10);
			continue;
		}
		text += n;
		length -= (size_t)n;
	}
}

void run_resize(struct run *run, int rows, int columns)
{
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};

	if (ioctl(run->out_fd, TIOCSWINSZ, &size) < 0)
		die("TIOCSWINSZ");
}

static void drain(struct run *run)
{
	int64_t until = now_ms() + 5000;

	if (run->spec.pty) {
		while (turn(run, now_ms() + 50))
			;
		return;
	}
	while (run->out_fd >= 0 || run->err_fd >= 0) {
		if (run->resume_at > now_ms())
			until = run->resume_at + 5000;
		if (now_ms() >= until) {
			run->held_open = true;
			return;
		}
		turn(run, until);
	}
}

void run_finish(struct run *run)
{
	while (!run->exited && now_ms() < deadline_of(run))
		turn(run, deadline_of(run));
	if (!run->exited) {
		run->timed_out = true;
		kill(run->pid, SIGKILL);
		while (!run->exited)
			turn(run, now_ms() + 1000);
	}
	drain(run);
}

static bool same_terminal(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

bool run_terminal_restored(struct run *run)
{
	int64_t until = now_ms() + 3000;
	struct termios after;

	for (;;) {
		if (tcgetattr(run->slave, &after) < 0)
			return false;
		if (same_terminal(&run->before, &after))
			return true;
		if (now_ms() >= until)
			return false;
		pause_ms(20);
	}
}

void run_release(struct run *run)
{
	if (run->spec.pty)
		run->in = -1;
	close_fd(&run->hold_fd);
	while (waitpid(run->leader, NULL, 0) < 0 && errno == EINTR)
		;
	close_fd(&run->report_fd);
	close_fd(&run->in);
	close_fd(&run->out_fd);
	close_fd(&run->err_fd);
	close_fd(&run->slave);
	free(run->out.text);
	free(run->err.text);
	run->out.text = run->err.text = NULL;
}

void run_all(struct run *run, const struct run_spec *spec)
{
	run_start(run, spec);
	run_finish(run);
}

uint64_t pattern_hash(uint64_t seed, uint64_t length)
{
	static unsigned char buffer[65536];
	struct pattern pattern = {.state = seed};
	uint64_t hash = FNV_START;
	size_t n;

	for (; length > 0; length -= n) {
		n = length < sizeof(buffer) ? (size_t)length : sizeof(buffer);
		pattern_fill(&pattern, buffer, n);
		hash = fnv_add(hash, buffer, n);
	}
	return hash;
}

bool capture_is(const struct capture *capture, const char *text)
{
	return capture->count == strlen(text) && memcmp(capture->text, text, strlen(text)) == 0;
}

bool chatter_only(const struct capture *capture)
{
	const char *line = capture->text;

	while (*line) {
		if (strncmp(line, "oneoff: ", 8) != 0)
			return false;
		line = strchr(line, '\n');
		if (!line)
			return false;
		line++;
	}
	return true;
}
