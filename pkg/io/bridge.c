/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/io/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "pkg/io/bridge_internal.h"
#include "pkg/io/process.h"

#define FOLDER_NAME  "/oneoff-XXXXXX"
#define SOCKET_NAME  "/s"
#define LOG_BYTES    ((off_t)1 << 20)
#define SHOWN_BYTES  4096
#define CLOSE_MAX_MS 3000

struct bridge {
	pid_t pid;
	bool service;
	int control; /* end-of-file for the child when closed, for us when it is gone */
	int log;
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct sockaddr_un address;
};

/* $XDG_RUNTIME_DIR if it is ours and short enough. */
static const char *choose_parent(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof(FOLDER_NAME) -
	              sizeof(SOCKET_NAME);
	struct stat status;

	if (!runtime || *runtime != '/' || strlen(runtime) > most)
		return "/tmp";
	if (stat(runtime, &status) < 0 || status.st_uid != geteuid() || access(runtime, W_OK) < 0)
		return "/tmp";
	return runtime;
}

static int make_folder(struct bridge *bridge, struct err *err)
{
	int length = snprintf(bridge->folder, sizeof(bridge->folder), "%s%s", choose_parent(),
	                      FOLDER_NAME);

	if (!mkdtemp(bridge->folder)) {
		err_errno(err, "make a folder '%s'", bridge->folder);
		bridge->folder[0] = '\0';
		return -1;
	}
	bridge->address.sun_family = AF_UNIX;
	memcpy(bridge->address.sun_path, bridge->folder, (size_t)length);
	memcpy(bridge->address.sun_path + length, SOCKET_NAME, sizeof(SOCKET_NAME));
	return 0;
}

static int make_listener(struct bridge *bridge, struct err *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&bridge->address, sizeof(bridge->address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return err_errno(err, "listen on '%s'", bridge->address.sun_path);
	return TAKE_FD(fd);
}

/* A file of fixed size without a name: writers never wait for us and cannot fill the memory, and
 * what they wrote is there even after they died. */
static int make_log(struct err *err)
{
	_cleanup_fd_ int fd = memfd_create("oneoff-stderr", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, LOG_BYTES) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0)
		return err_errno(err, "make a file in memory");
	return TAKE_FD(fd);
}

static int start_child(struct bridge *bridge, const struct strv *command, int status,
                       struct err *err)
{
	_cleanup_fd_ int listener = make_listener(bridge, err);
	_cleanup_fd_ int far_end = -1;
	struct bridge_child child = {
		.command = command,
		.service = bridge->service,
		.folder = bridge->folder,
		.path = bridge->address.sun_path,
		.listener = listener,
		.status = status,
	};
	int pair[2];

	if (listener < 0)
		return -1;
	child.log = bridge->log = make_log(err);
	if (bridge->log < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, "make a socket pair");
	bridge->control = pair[0];
	child.control = far_end = pair[1];
	child.parent = getpid();
	bridge->pid = process_fork();
	if (bridge->pid == 0)
		bridge_child_run(&child);
	return bridge->pid < 0 ? err_errno(err, "start a process") : 0;
}

static int open_any(const struct strv *command, bool service, int status, struct bridge **ret,
                    struct err *err)
{
	struct bridge *bridge;

	if (!command->count)
		return err_set(err, ERR_INTERNAL, "bridge without a command");
	bridge = calloc(1, sizeof(*bridge));
	if (!bridge)
		return err_no_memory(err);
	bridge->pid = bridge->control = bridge->log = -1;
	bridge->service = service;
	if (make_folder(bridge, err) < 0 || start_child(bridge, command, status, err) < 0) {
		bridge_close(bridge);
		return -1;
	}
	*ret = bridge;
	return 0;
}

int bridge_open(const struct strv *command, struct bridge **ret, struct err *err)
{
	return open_any(command, false, -1, ret, err);
}

int bridge_open_service(const struct strv *command, struct bridge **ret, struct err *err)
{
	_cleanup_fd_ int status = -1;
	struct bridge *bridge;
	int fault, ends[2];
	ssize_t count;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	status = ends[0];
	if (open_any(command, true, ends[1], &bridge, err) < 0) {
		close(ends[1]);
		return -1;
	}
	close(ends[1]);
	do
		count = read(status, &fault, sizeof(fault));
	while (count < 0 && errno == EINTR);
	if (count == (ssize_t)sizeof(fault)) {
		bridge_close(bridge);
		err_set(err, ERR_UNREACHABLE, "cannot run '%s': %s", command->items[0],
		        strerror(fault));
		err->os_errno = fault;
		return -1;
	}
	*ret = bridge;
	return 0;
}

const char *bridge_path(const struct bridge *bridge)
{
	return bridge->address.sun_path;
}

void bridge_stderr(const struct bridge *bridge, struct strbuf *text)
{
	char shown[SHOWN_BYTES];
	/* The commands write through the same open file, so its position is the end of what is
	 * there. */
	off_t end = lseek(bridge->log, 0, SEEK_CUR);
	off_t begin = end > SHOWN_BYTES ? end - SHOWN_BYTES : 0;
	ssize_t count = end > begin ? pread(bridge->log, shown, (size_t)(end - begin), begin) : 0;

	if (count > 0)
		strbuf_add(text, shown, (size_t)count);
}

/* Tells the child to end and waits until it has. */
static void end_child(const struct bridge *bridge)
{
	struct pollfd gone = {.fd = bridge->control, .events = POLLIN};
	int result;

	shutdown(bridge->control, SHUT_WR);
	do
		result = poll(&gone, 1, CLOSE_MAX_MS);
	while (result < 0 && errno == EINTR);
	if (result == 0)
		kill(bridge->service ? bridge->pid : -bridge->pid, SIGKILL);
	while (waitpid(bridge->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void bridge_close(struct bridge *bridge)
{
	if (!bridge)
		return;
	if (bridge->pid > 0)
		end_child(bridge);
	if (bridge->folder[0]) {
		/* The child does it, too; but it may have been killed. */
		unlink(bridge->address.sun_path);
		rmdir(bridge->folder);
	}
	if (bridge->control >= 0)
		close(bridge->control);
	if (bridge->log >= 0)
		close(bridge->log);
	free(bridge);
}
