/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "pkg/io/bridge.h"

#define LIMIT_MS 10000

/* Opens a bridge to `sh -c script`, or to the bare program when script is NULL. */
static struct bridge *open_bridge(const char *program, const char *script)
{
	_cleanup_(strv_release) struct strv command = STRV_INIT;
	struct err err = ERR_INIT;
	struct bridge *bridge = NULL;

	cr_assert_eq(strv_add(&command, program), 0);
	if (script) {
		cr_assert_eq(strv_add(&command, "-c"), 0);
		cr_assert_eq(strv_add(&command, script), 0);
	}
	cr_assert_eq(bridge_open(&command, &bridge, &err), 0, "%s", err.message);
	return bridge;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = LIMIT_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_lt(strlen(path), sizeof(address.sun_path));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s: %s", path,
	             strerror(errno));
	return fd;
}

/* Reads until `size` bytes or the end. */
static size_t read_all(int fd, char *bytes, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t count = read(fd, bytes + length, size - length);

		cr_assert_geq(count, 0, "read: %s", strerror(errno));
		if (count == 0)
			break;
		length += (size_t)count;
	}
	return length;
}

static void say(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect(int fd, const char *text)
{
	char answer[256] = "";

	cr_assert_eq(read_all(fd, answer, strlen(text)), strlen(text));
	cr_assert_str_eq(answer, text);
}

static void expect_end(int fd)
{
	char byte;

	cr_assert_eq(read(fd, &byte, 1), 0);
}

/* The process id that a command sent as a line. */
static pid_t read_pid(int fd)
{
	char line[32] = "";
	size_t length = 0;

	while (length < sizeof(line) - 1 && read(fd, line + length, 1) == 1 && line[length] != '\n')
		length++;
	cr_assert_gt(strtol(line, NULL, 10), 1, "'%s' is no process id", line);
	return (pid_t)strtol(line, NULL, 10);
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static void folder_of(const struct bridge *bridge, char folder[256])
{
	snprintf(folder, 256, "%s", bridge_path(bridge));
	*strrchr(folder, '/') = '\0';
}

Test(bridge, carries_bytes_both_ways, .timeout = 20)
{
	struct bridge *bridge = open_bridge("cat", NULL);
	int fd = connect_to(bridge_path(bridge));

	say(fd, "first\n");
	expect(fd, "first\n");
	say(fd, "second\n");
	expect(fd, "second\n");
	close(fd);
	bridge_close(bridge);
}

Test(bridge, keeps_every_byte_of_a_large_stream, .timeout = 20)
{
	enum { SIZE = 3 << 20 };
	struct bridge *bridge = open_bridge("cat", NULL);
	int fd = connect_to(bridge_path(bridge));
	char *sent = malloc(SIZE), *got = malloc(SIZE + 1);
	pid_t writer;

	for (size_t i = 0; i < SIZE; i++)
		sent[i] = (char)(i * 2654435761u >> 13);
	writer = fork();
	if (writer == 0) {
		for (size_t done = 0; done < SIZE;) {
			ssize_t count = write(fd, sent + done, SIZE - done);

			if (count <= 0)
				_exit(1);
			done += (size_t)count;
		}
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	cr_assert_eq(read_all(fd, got, SIZE + 1), SIZE);
	cr_assert_eq(memcmp(sent, got, SIZE), 0);
	waitpid(writer, NULL, 0);
	close(fd);
	bridge_close(bridge);
	free(sent);
	free(got);
}

Test(bridge, hands_on_the_end_of_input, .timeout = 20)
{
	struct bridge *bridge = open_bridge("sh", "cat >/dev/null; echo after the end");
	int fd = connect_to(bridge_path(bridge));

	say(fd, "input");
	shutdown(fd, SHUT_WR);
	expect(fd, "after the end\n");
	expect_end(fd);
	close(fd);
	bridge_close(bridge);
}

Test(bridge, serves_three_connections_at_once, .timeout = 20)
{
	struct bridge *bridge = open_bridge("cat", NULL);
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = connect_to(bridge_path(bridge));
	for (int i = 2; i >= 0; i--) {
		char text[] = {(char)('a' + i), '\n', '\0'};

		say(fds[i], text);
		expect(fds[i], text);
	}
	/* The end of one is not the end of another. */
	shutdown(fds[1], SHUT_WR);
	expect_end(fds[1]);
	say(fds[0], "still\n");
	expect(fds[0], "still\n");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	bridge_close(bridge);
}

Test(bridge, serves_more_connections_than_run_at_once, .timeout = 60)
{
	struct bridge *bridge = open_bridge("cat", NULL);
	int fds[70];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_to(bridge_path(bridge));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		say(fds[i], "x");
		expect(fds[i], "x");
		close(fds[i]);
	}
	bridge_close(bridge);
}

Test(bridge, keeps_the_end_of_what_commands_said, .timeout = 20)
{
	struct bridge *bridge = open_bridge("sh", "seq 1 3000 >&2; echo the last words >&2");
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int fd = connect_to(bridge_path(bridge));

	expect_end(fd);
	close(fd);
	fd = connect_to(bridge_path(bridge));
	expect_end(fd);
	close(fd);
	bridge_stderr(bridge, &text);
	cr_assert_eq(text.length, 4096);
	cr_assert_str_eq(text.data + text.length - 20, "3000\nthe last words\n");
	bridge_close(bridge);
}

/* A command that writes without end must neither stop nor fill the memory. */
Test(bridge, bounds_what_commands_said, .timeout = 60)
{
	struct bridge *bridge =
		open_bridge("sh", "head -c 3000000 /dev/zero >&2 2>/dev/null; echo alive");
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int fd = connect_to(bridge_path(bridge));

	expect(fd, "alive\n");
	close(fd);
	bridge_stderr(bridge, &text);
	cr_assert_eq(text.length, 4096);
	bridge_close(bridge);
}

Test(bridge, says_why_a_command_does_not_run, .timeout = 20)
{
	struct bridge *bridge = open_bridge("/nonexistent/ssh", NULL);
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int fd = connect_to(bridge_path(bridge));

	expect_end(fd);
	close(fd);
	bridge_stderr(bridge, &text);
	cr_assert_str_eq(strbuf_str(&text), "/nonexistent/ssh: No such file or directory\n");
	bridge_close(bridge);
}

Test(bridge, says_nothing_when_nothing_was_said)
{
	struct bridge *bridge = open_bridge("cat", NULL);
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	bridge_stderr(bridge, &text);
	cr_assert_eq(text.length, 0);
	cr_assert(!text.failed);
	bridge_close(bridge);
}

Test(bridge, is_nobody_elses)
{
	struct bridge *bridge = open_bridge("cat", NULL);
	struct stat status;
	char folder[256];

	folder_of(bridge, folder);
	cr_assert_eq(stat(folder, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0700);
	cr_assert_eq(status.st_uid, geteuid());
	bridge_close(bridge);
}

Test(bridge, stands_in_the_runtime_folder)
{
	char runtime[] = "/tmp/test-bridge-XXXXXX";
	char expected[64];
	struct bridge *bridge;

	cr_assert_not_null(mkdtemp(runtime));
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	bridge = open_bridge("cat", NULL);
	snprintf(expected, sizeof(expected), "%s/oneoff-", runtime);
	cr_assert_eq(strncmp(bridge_path(bridge), expected, strlen(expected)), 0);
	bridge_close(bridge);
	/* Only an empty folder can be removed. */
	cr_assert_eq(rmdir(runtime), 0);
}

Test(bridge, falls_back_to_tmp)
{
	static const char *const unusable[] = {
		"/nonexistent",
		"relative",
		"",
		("/tmp/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
	};

	mkdir(unusable[3], 0700);
	for (size_t i = 0; i < ARRAY_SIZE(unusable); i++) {
		struct bridge *bridge;

		setenv("XDG_RUNTIME_DIR", unusable[i], 1);
		bridge = open_bridge("cat", NULL);
		cr_expect_eq(strncmp(bridge_path(bridge), "/tmp/oneoff-", 12), 0);
		bridge_close(bridge);
	}
	rmdir(unusable[3]);
}

Test(bridge, leaves_no_process_and_no_folder, .timeout = 20)
{
	struct bridge *bridge = open_bridge("sh", "echo $$; echo $PPID; exec cat");
	int fd = connect_to(bridge_path(bridge));
	pid_t command = read_pid(fd), acceptor = read_pid(fd);
	char folder[256];

	folder_of(bridge, folder);
	cr_assert(!is_gone(command) && !is_gone(acceptor) && exists(folder));
	bridge_close(bridge);
	cr_assert(is_gone(command));
	cr_assert(is_gone(acceptor));
	cr_assert(!exists(folder));
	expect_end(fd);
	close(fd);
}

/* Ends with KILL what ignores TERM, and what the command itself started. */
Test(bridge, ends_stubborn_commands, .timeout = 20)
{
	struct bridge *bridge;
	int fd, status;
	pid_t command, helper;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	bridge = open_bridge("sh", "trap '' TERM; sh -c 'echo $$; exec sleep 1000' &"
	                           "echo $$ >&2; echo $$; wait; sleep 1000");
	fd = connect_to(bridge_path(bridge));
	command = read_pid(fd);
	helper = read_pid(fd);
	bridge_close(bridge);
	/* They are orphans now: whoever was killed is ours to reap. */
	cr_assert_eq(waitpid(command, &status, 0), command);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cr_assert_eq(waitpid(helper, &status, 0), helper);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fd);
}

/* Our death, by whatever, is as good as closing. */
Test(bridge, ends_with_its_owner, .timeout = 20)
{
	struct pollfd gone;
	int ends[2], fd;
	pid_t owner, command, acceptor;
	char path[128] = "", folder[256];

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	cr_assert_eq(pipe(ends), 0);
	owner = fork();
	if (owner == 0) {
		struct bridge *bridge = open_bridge("sh", "echo $$; echo $PPID; exec cat");

		if (write(ends[1], bridge_path(bridge), strlen(bridge_path(bridge))) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_gt(read(ends[0], path, sizeof(path) - 1), 0);
	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	fd = connect_to(path);
	command = read_pid(fd);
	acceptor = read_pid(fd);
	cr_assert(exists(folder));
	cr_assert_eq(kill(owner, SIGKILL), 0);
	gone = (struct pollfd){.fd = fd, .events = POLLIN};
	cr_assert_eq(poll(&gone, 1, LIMIT_MS), 1);
	expect_end(fd);
	cr_assert_eq(waitpid(owner, NULL, 0), owner);
	cr_assert_eq(waitpid(acceptor, NULL, 0), acceptor);
	cr_assert(is_gone(command));
	cr_assert(!exists(folder));
	close(fd);
}

/* The command has its connection and its stderr, default signals, and no terminal. */
Test(bridge, gives_commands_a_clean_state, .timeout = 20)
{
	struct bridge *bridge;
	char answer[512] = "", *ignored;
	int fd, leak = open("/dev/null", O_RDONLY);
	sigset_t blocked;

	/* What a careless parent may have: an inheritable descriptor, odd signals. */
	cr_assert_geq(dup2(leak, 27), 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	bridge = open_bridge("sh", "i=0; while [ $i -lt 60 ]; do"
	                           "  [ -e /proc/$$/fd/$i ] && echo $i; i=$((i + 1)); done;"
	                           "grep -E '^Sig(Blk|Ign)' /proc/self/status;"
	                           "cut -d ' ' -f 7 /proc/$$/stat");
	fd = connect_to(bridge_path(bridge));
	read_all(fd, answer, sizeof(answer) - 1);
	/* 32 and 33 belong to the C library, which lets nobody reset them. */
	ignored = strstr(answer, "SigIgn:\t");
	cr_assert_not_null(ignored);
	cr_assert_eq(strtoull(ignored + 8, NULL, 16) & ~0x180000000ULL, 0, "%s", answer);
	memcpy(ignored + 8, "0000000000000000", 16);
	cr_assert_str_eq(answer, "0\n1\n2\nSigBlk:\t0000000000000000\n"
	                         "SigIgn:\t0000000000000000\n0\n");
	close(fd);
	bridge_close(bridge);
}

/* Nothing of ours may keep a connection open that its two ends have closed. */
Test(bridge, holds_no_connection_itself, .timeout = 20)
{
	struct bridge *bridge = open_bridge("sh", "exec >&- <&-; sleep 1000");
	int fd = connect_to(bridge_path(bridge));

	expect_end(fd);
	close(fd);
	bridge_close(bridge);
}

Test(bridge, survives_the_death_of_its_child, .timeout = 20)
{
	struct bridge *bridge = open_bridge("sh", "echo $PPID; exec cat");
	int fd = connect_to(bridge_path(bridge));
	pid_t acceptor = read_pid(fd);
	char folder[256];

	folder_of(bridge, folder);
	cr_assert_eq(kill(acceptor, SIGKILL), 0);
	bridge_close(bridge);
	cr_assert(!exists(folder));
	close(fd);
}

Test(bridge, works_without_standard_streams, .timeout = 20)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct bridge *bridge;
		struct pollfd item;
		char bytes[3] = "";
		int fd;

		for (int i = 0; i < 3; i++)
			close(i);
		bridge = open_bridge("cat", NULL);
		fd = connect_to(bridge_path(bridge));
		item = (struct pollfd){.fd = fd, .events = POLLIN};
		if (write(fd, "hi", 2) != 2 || poll(&item, 1, LIMIT_MS) != 1 ||
		    read(fd, bytes, 2) != 2 || strcmp(bytes, "hi") != 0)
			_exit(1);
		bridge_close(bridge);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

Test(bridge, close_takes_nothing)
{
	bridge_close(NULL);
}

Test(bridge, refuses_an_empty_command)
{
	struct strv command = STRV_INIT;
	struct bridge *bridge = NULL;
	struct err err = ERR_INIT;

	cr_assert_lt(bridge_open(&command, &bridge, &err), 0);
	cr_assert_eq(err.kind, ERR_INTERNAL);
	cr_assert_null(bridge);
}
