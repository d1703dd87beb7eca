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
#include "pkg/docker/podman_service.h"

#define LIMIT_MS 10000

/* A podman that tells each connection how it was started. */
static const char fake_podman[] =
	"#!/usr/bin/perl\n"
	"open(my $listener, '+<&=', 3) or die \"no descriptor 3: $!\\n\";\n"
	"open(my $stat, '<', \"/proc/$$/stat\"); my $session = (split ' ', <$stat>)[5];\n"
	"my $pid_fits = $ENV{LISTEN_PID} == $$ ? 'yes' : 'no';\n"
	"my $names = exists $ENV{LISTEN_FDNAMES} || exists $ENV{NOTIFY_SOCKET} ? 'yes' : 'no';\n"
	"my $input = readlink '/proc/self/fd/0';\n"
	"print STDERR \"a warning\\n\";\n"
	"while (accept(my $client, $listener)) {\n"
	"	my $line = \"@ARGV|$ENV{LISTEN_FDS}|$pid_fits|$names|$input|$$|$session\\n\";\n"
	"	syswrite $client, $line;\n"
	"	close $client;\n"
	"}\n";

/* One that has started something, and tells its process id. */
static const char busy_podman[] = "#!/usr/bin/perl\n"
				  "open(my $listener, '+<&=', 3);\n"
				  "my $pid = fork; if (!$pid) { sleep 1000; exit }\n"
				  "accept(my $client, $listener); syswrite $client, \"$pid\\n\";\n"
				  "close $client; sleep 1000;\n";

static char folder[] = "/tmp/test-podman-XXXXXX";
static char program[64];

static void make_program(const char *script, mode_t mode)
{
	int fd;

	snprintf(program, sizeof(program), "%s/podman", folder);
	fd = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, script, strlen(script)), (ssize_t)strlen(script));
	close(fd);
	setenv("ONEOFF_PODMAN", program, 1);
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(folder));
	setenv("XDG_RUNTIME_DIR", folder, 1);
}

/* Removing the folder shows, too, that nothing was left in it. */
static void tear_down(void)
{
	if (*program)
		unlink(program);
	cr_assert_eq(rmdir(folder), 0, "%s: %s", folder, strerror(errno));
}

TestSuite(podman_service, .init = set_up, .fini = tear_down, .timeout = 20);

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = LIMIT_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void read_answer(const char *path, char answer[512])
{
	int fd = connect_to(path);
	size_t length = 0;
	ssize_t count;

	cr_assert_geq(fd, 0);
	while ((count = read(fd, answer + length, 511 - length)) > 0)
		length += (size_t)count;
	cr_assert_eq(count, 0, "no end of the answer: %s", strerror(errno));
	answer[length] = '\0';
	close(fd);
}

static struct podman_service *start(void)
{
	struct podman_service *service = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(podman_service_start(&service, &err), 0, "%s", err.message);
	return service;
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

Test(podman_service, hands_the_listener_over)
{
	struct podman_service *service;
	char answer[512], *tail;
	int pid, session;

	make_program(fake_podman, 0700);
	setenv("LISTEN_FDNAMES", "another", 1);
	setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
	service = start();
	read_answer(podman_service_path(service), answer);
	tail = strstr(answer, "|/dev/null|");
	cr_assert_not_null(tail, "%s", answer);
	cr_assert_eq(sscanf(tail, "|/dev/null|%d|%d", &pid, &session), 2);
	*tail = '\0';
	cr_assert_str_eq(answer, "system service --time=30|1|yes|no");
	cr_assert_neq(session, getsid(0));
	read_answer(podman_service_path(service), answer);
	cr_assert_not_null(strstr(answer, "|yes|"));
	podman_service_stop(service);
	cr_assert(is_gone(pid));
}

Test(podman_service, keeps_what_podman_said)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct podman_service *service;
	char answer[512];

	make_program(fake_podman, 0700);
	service = start();
	read_answer(podman_service_path(service), answer);
	podman_service_stderr(service, &text);
	cr_assert_str_eq(strbuf_str(&text), "a warning\n");
	podman_service_stop(service);
}

/* Containers are not podman's to lose: what it started goes on. */
Test(podman_service, ends_podman_only)
{
	struct podman_service *service;
	char answer[512];
	int status;
	pid_t left;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	make_program(busy_podman, 0700);
	service = start();
	read_answer(podman_service_path(service), answer);
	left = (pid_t)strtol(answer, NULL, 10);
	cr_assert_gt(left, 1);
	podman_service_stop(service);
	cr_assert_eq(waitpid(left, &status, WNOHANG), 0, "it was ended, too");
	cr_assert_eq(kill(left, SIGKILL), 0);
	cr_assert_eq(waitpid(left, &status, 0), left);
}

Test(podman_service, refuses_connections_once_podman_left)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct podman_service *service;
	struct pollfd gone;
	char byte;

	make_program("#!/bin/sh\necho 'Error: no storage' >&2\nexit 125\n", 0700);
	service = start();
	gone = (struct pollfd){.fd = connect_to(podman_service_path(service)), .events = POLLIN};
	/* Queued and dropped, or refused: never left hanging. */
	if (gone.fd >= 0) {
		cr_assert_eq(poll(&gone, 1, LIMIT_MS), 1);
		cr_assert_leq(read(gone.fd, &byte, 1), 0);
		close(gone.fd);
	}
	podman_service_stderr(service, &text);
	cr_assert_str_eq(strbuf_str(&text), "Error: no storage\n");
	podman_service_stop(service);
}

Test(podman_service, says_that_podman_is_missing)
{
	static const char *const missing[] = {"/nonexistent/podman", "no-such-program-as-this"};

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		struct podman_service *service = NULL;
		struct err err = ERR_INIT;

		setenv("ONEOFF_PODMAN", missing[i], 1);
		cr_assert_lt(podman_service_start(&service, &err), 0);
		cr_assert_eq(err.kind, ERR_UNREACHABLE);
		cr_assert_not_null(strstr(err.message, missing[i]));
		cr_assert_not_null(strstr(err.hint, "ONEOFF_PODMAN"));
		cr_assert_null(service);
	}
}

Test(podman_service, looks_for_podman_in_the_path)
{
	struct podman_service *service = NULL;
	struct err err = ERR_INIT;
	char answer[512];

	setenv("PATH", "/nonexistent", 1);
	cr_assert_lt(podman_service_start(&service, &err), 0);
	cr_assert_eq(err.kind, ERR_UNREACHABLE);
	make_program(fake_podman, 0700);
	setenv("PATH", folder, 1);
	setenv("ONEOFF_PODMAN", "", 1);
	service = start();
	read_answer(podman_service_path(service), answer);
	cr_assert_eq(strncmp(answer, "system service ", 15), 0);
	podman_service_stop(service);
}

Test(podman_service, says_that_podman_cannot_be_run)
{
	struct podman_service *service = NULL;
	struct err err = ERR_INIT;

	make_program(fake_podman, 0600);
	cr_assert_lt(podman_service_start(&service, &err), 0);
	cr_assert_eq(err.kind, ERR_UNREACHABLE);
	cr_assert_eq(err.os_errno, EACCES);
}

Test(podman_service, ends_with_its_owner)
{
	char path[128] = "", answer[512], *tail;
	int ends[2], pid = 0;
	pid_t owner, child;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	make_program(fake_podman, 0700);
	cr_assert_eq(pipe(ends), 0);
	owner = fork();
	if (owner == 0) {
		struct podman_service *service = start();
		const char *text = podman_service_path(service);

		if (write(ends[1], text, strlen(text)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_gt(read(ends[0], path, sizeof(path) - 1), 0);
	read_answer(path, answer);
	tail = strstr(answer, "|/dev/null|");
	cr_assert_not_null(tail);
	cr_assert_eq(sscanf(tail, "|/dev/null|%d|", &pid), 1);
	cr_assert_eq(kill(owner, SIGKILL), 0);
	cr_assert_eq(waitpid(owner, NULL, 0), owner);
	/* The process between us and podman has become ours; it ends once all is cleared away. */
	child = waitpid(-1, NULL, 0);
	cr_assert_gt(child, 0);
	cr_assert(is_gone(pid));
	cr_assert_lt(connect_to(path), 0);
}

Test(podman_service, stop_takes_nothing)
{
	podman_service_stop(NULL);
}
