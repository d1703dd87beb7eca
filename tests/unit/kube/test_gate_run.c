/* SPDX-License-Identifier: Apache-2.0 */
#include "test_gate_run.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include "pkg/base/clock.h"
#include "pkg/base/strbuf.h"
#include "pkg/kube/gate/gate.h"

#define LIMIT_MS 30000

const char *const gate_architectures[] = {"amd64", "arm64", NULL};

static const char *const machines[][3] = {
	{"amd64", "x86_64", "qemu-x86_64-static"},
	{"arm64", "aarch64", "qemu-aarch64-static"},
};

/* The program that runs an architecture's code here, or NULL when the kernel does. */
static const char *emulator(const char *architecture)
{
	struct utsname here;

	cr_assert_eq(uname(&here), 0);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strcmp(machines[i][0], architecture))
			return strcmp(machines[i][1], here.machine) ? machines[i][2] : NULL;
	cr_assert_fail("unknown architecture %s", architecture);
	return NULL;
}

bool gate_is_native(const char *architecture)
{
	return !emulator(architecture);
}

static void write_bytes(const char *path, const void *bytes, size_t length, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

void gate_write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	write_bytes(path, text, strlen(text), mode);
}

void gate_new_folder(char *folder)
{
	snprintf(folder, 64, "/tmp/oneoff-gate-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chmod(folder, 0755), 0);
}

void gate_remove_folder(const char *folder)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", "--", folder, NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static void copy_program(const char *name, const char *folder)
{
	char from[256], to[256];
	pid_t pid;
	int status;

	snprintf(from, sizeof(from), "/usr/bin/%s", name);
	snprintf(to, sizeof(to), "%s/%s", folder, name);
	cr_assert_eq(access(from, X_OK), 0, "%s is missing (Debian: qemu-user-static)", from);
	pid = fork();
	if (pid == 0) {
		execl("/bin/cp", "cp", "--", from, to, NULL);
		_exit(1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

void gate_install(const char *architecture, const char *folder)
{
	const struct gate *gate = gate_find(architecture);
	const char *program = emulator(architecture);
	char path[256];

	cr_assert_not_null(gate);
	snprintf(path, sizeof(path), "%s/gate", folder);
	write_bytes(path, gate->bytes, gate->length, 0755);
	if (program)
		copy_program(program, folder);
}

static int temporary_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	return fd;
}

/* Becomes uid 65534 below the folder with no way back; without root, in a user namespace of its own. */
static void stand_alone(const char *folder)
{
	bool root = geteuid() == 0;
	char map[64];
	int fd, length = snprintf(map, sizeof(map), "65534 %u 1", (unsigned)geteuid());

	if (!root) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(90);
		fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, map, (size_t)length) != length)
			_exit(91);
	}
	if (chroot(folder) < 0 || chdir("/") < 0)
		_exit(92);
	if (root && (setgid(65534) < 0 || setuid(65534) < 0))
		_exit(93);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(94);
}

_noreturn_ static void child(const struct gate_start *start, const struct gate_run *run, int in)
{
	static const char *const plain[] = {"PATH=/usr/bin:/bin", NULL};
	const char *program = emulator(start->architecture), *argv[4200];
	const char *folder = start->alone ? "" : run->folder;
	char gate[128], emulation[128];
	size_t count = 0;

	snprintf(gate, sizeof(gate), "%s/gate", folder);
	snprintf(emulation, sizeof(emulation), "%s/%s", folder, program ? program : "");
	if (program)
		argv[count++] = emulation;
	argv[count++] = gate;
	if (start->settings)
		argv[count++] = start->settings;
	for (size_t i = 0; start->command && start->command[i]; i++)
		argv[count++] = start->command[i];
	argv[count] = NULL;
	if (start->stdin_kind == GATE_STDIN_CLOSED)
		close(0);
	else if (dup2(in, 0) < 0)
		_exit(95);
	dup2(run->out, 1);
	dup2(run->err, 2);
	/* the test runner's own descriptors are not all closed on execution */
	close_range(3, ~0U, 0);
	if (start->alone)
		stand_alone(start->folder);
	else if (start->folder && chdir(start->folder) < 0)
		_exit(96);
	if (start->prepare)
		start->prepare();
	execve(argv[0], (char *const *)argv,
	       (char *const *)(start->environment ? start->environment : plain));
	_exit(97);
}

void gate_run_start(struct gate_run *run, const struct gate_start *start)
{
	int fds[2] = {-1, -1};

	*run = (struct gate_run){.out = temporary_file(), .err = temporary_file()};
	if (start->alone) {
		gate_install(start->architecture, start->folder);
	} else {
		gate_new_folder(run->folder);
		gate_install(start->architecture, run->folder);
	}
	if (start->stdin_kind == GATE_STDIN_PIPE)
		cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	else if (start->stdin_kind == GATE_STDIN_TERMINAL)
		cr_assert_eq(openpty(&fds[1], &fds[0], NULL, NULL, NULL), 0);
	if (fds[1] >= 0)
		fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	run->in = fds[1];
	run->pid = fork();
	cr_assert_geq(run->pid, 0);
	if (run->pid == 0)
		child(start, run, fds[0]);
	if (fds[0] >= 0)
		close(fds[0]);
}

/* Asks the kernel in which call it sleeps: there is nothing else that it would show. */
void gate_run_is_waiting(const struct gate_run *run)
{
	int64_t limit = clock_monotonic_ms() + LIMIT_MS;
	char path[64], text[128], wanted[16];

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)run->pid);
	snprintf(wanted, sizeof(wanted), "%d ", SYS_ppoll);
	while (clock_monotonic_ms() < limit) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

		if (fd >= 0)
			close(fd);
		text[got > 0 ? got : 0] = '\0';
		if (!strncmp(text, wanted, strlen(wanted)))
			return;
		sched_yield();
	}
	cr_assert_fail("the gate does not wait: %s", text);
}

void gate_run_send(const struct gate_run *run, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t done = write(run->in, at, length);

		cr_assert_gt(done, 0, "%s", strerror(errno));
		at += done;
		length -= (size_t)done;
	}
}

void gate_run_close_stdin(struct gate_run *run)
{
	if (run->in >= 0)
		close(run->in);
	run->in = -1;
}

int gate_run_end(struct gate_run *run)
{
	int status;

	while (waitpid(run->pid, &status, 0) < 0)
		cr_assert_eq(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

char *gate_run_output(int fd, size_t *ret_length)
{
	struct strbuf text = STRBUF_INIT;
	char block[65536];
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, block, sizeof(block), at)) > 0) {
		strbuf_add(&text, block, (size_t)got);
		at += got;
	}
	cr_assert_eq(got, 0);
	if (ret_length)
		*ret_length = text.length;
	return strbuf_take(&text);
}

void gate_run_release(struct gate_run *run)
{
	gate_run_close_stdin(run);
	close(run->out);
	close(run->err);
	if (*run->folder)
		gate_remove_folder(run->folder);
}
