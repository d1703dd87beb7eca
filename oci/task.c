/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "oci/command.h"
#include "oci/file.h"
#include "oci/leftovers.h"
#include "oci/lock.h"
#include "oci/namespace.h"
#include "oci/oci_internal.h"
#include "oci/remove.h"

static int make_folder(const char *path, bool must_be_new, struct err *err)
{
	/* Root of a user namespace has to pass through; what is secret inside is not readable. */
	if ((mkdir(path, 0711) == 0 && chmod(path, 0711) == 0) || (errno == EEXIST && !must_be_new))
		return 0;
	if (errno != EEXIST)
		return err_errno(err, "cannot make %s", path);
	err_set(err, ERR_CONFLICT, "the name '%s' is taken", strrchr(path, '/') + 1);
	return err_hint(err, "choose another --name, or wait for that task's end");
}

/* A folder that another user made in /tmp is none of ours. */
int oci_check_run_folder(const struct oci *oci, struct err *err)
{
	struct stat info;

	if (lstat(oci->run_folder, &info) < 0)
		return err_errno(err, "cannot read %s", oci->run_folder);
	if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022))
		return err_set(err, ERR_DENIED, "%s is not ours alone", oci->run_folder);
	return 0;
}

/* Names become folders, and arguments of the runtime. */
static bool is_container_name(const char *name)
{
	static const char *const reserved[] = {"state", "locks"};

	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (!strcmp(name, reserved[i]))
			return false;
	return *name && *name != '.' && *name != '-' && strlen(name) <= 200 &&
	       strspn(name, letters) == strlen(name);
}

/* The lock says that the task's monitor lives, in which this runs. */
static int lock_folder(struct oci *oci, struct err *err)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/lock", oci->folder) < 0) {
		path = NULL;
		return err_no_memory(err);
	}
	oci->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (oci->lock_fd < 0)
		return err_errno(err, "cannot open %s", path);
	/* Waits only for those who look whether it is held, which they do for a moment. */
	while (flock(oci->lock_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(err, "cannot lock %s", path);
	return 0;
}

static int write_bundle(struct oci *oci, const cJSON *config, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_fd_ int fd = open(oci->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	json_print(config, false, &text);
	if (text.failed)
		return err_no_memory(err);
	if (fd < 0)
		return err_errno(err, "cannot open %s", oci->folder);
	if (mkdirat(fd, "rootfs", 0755) < 0 || mkdirat(fd, "upper", 0700) < 0)
		return err_errno(err, "cannot make folders in %s", oci->folder);
	/* Who has to delete it, should we not. */
	if (file_write_new(fd, "runtime", oci->runtime.path, strlen(oci->runtime.path), err) < 0)
		return -1;
	return file_write_new(fd, "config.json", strbuf_str(&text), text.length, err);
}

struct bundle_plan {
	struct oci *oci;
	const struct plan *plan;
};

/* Called in the monitor, which outlives us: what it made it removes, whenever we die. */
static int make_bundle(void *context, struct err *err)
{
	const struct bundle_plan *bundle = context;
	struct oci *oci = bundle->oci;
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int run_lock = -1;

	run_lock = run_folder_lock(oci->run_folder, false, err);
	if (run_lock < 0 || make_folder(oci->folder, true, err) < 0)
		return -1;
	if (lock_folder(oci, err) == 0 && write_bundle(oci, bundle->plan->document, err) == 0)
		return 0;
	(void)!bundle_folder_remove(oci->folder, &ignored);
	return -1;
}

static int choose_names(struct oci *oci, const struct identity *identity, struct err *err)
{
	if (!is_container_name(identity->name))
		return err_set(err, ERR_USAGE, "'%s' cannot be a container's name", identity->name);
	free(oci->name);
	free(oci->folder);
	oci->folder = NULL;
	oci->name = strdup(identity->name);
	if (!oci->name || asprintf(&oci->folder, "%s/%s", oci->run_folder, identity->name) < 0) {
		oci->folder = NULL;
		return err_no_memory(err);
	}
	return 0;
}

static int make_run_folder(struct oci *oci, struct err *err)
{
	if (make_folder(oci->run_folder, false, err) < 0 || oci_check_run_folder(oci, err) < 0)
		return -1;
	return make_folder(oci->runtime.state_root, false, err);
}

/* Before anything is made. From here the descriptor goes to the monitor. */
static int take_lock(struct oci *oci, const struct plan *plan, const struct identity *identity,
                     int *ret_fd, struct err *err)
{
	const cJSON *annotations = json_member(plan->document, "annotations");
	const struct lock_holder holder = {
		.task = identity->name,
		.id = identity->id,
		.user = identity->user,
		.command = cJSON_GetStringValue(json_member(annotations, "dev.oneoff.command")),
		.cgroup = oci->cgroup,
		.since = identity->started,
	};

	*ret_fd = -1;
	if (!identity->lock)
		return 0;
	*ret_fd = lock_take(oci->run_folder, identity->lock, &holder, err);
	return *ret_fd < 0 ? -1 : 0;
}

int oci_create(struct backend *backend, const struct plan *plan, const struct identity *identity,
               const struct burial *burial, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	struct bundle_plan bundle = {oci, plan};
	/* A stopped app's mounts, which may hold the command, are not there. */
	bool sees_mounts = oci->state.running || oci->image;
	_cleanup_fd_ int lock_fd = -1;

	if ((sees_mounts && command_check(oci->root_fd, plan->document, err) < 0) ||
	    choose_names(oci, identity, err) < 0 || make_run_folder(oci, err) < 0 ||
	    take_lock(oci, plan, identity, &lock_fd, err) < 0)
		return -1;
	oci->detached = burial->detached;
	oci->tty = json_true(plan->document, "process.terminal");

	const struct monitor_settings settings = {
		.make_bundle = make_bundle,
		.context = &bundle,
		.runtime = &oci->runtime,
		.rootfs = &oci->rootfs,
		.name = oci->name,
		.folder = oci->folder,
		.cgroup = oci->cgroup,
		.tty = oci->tty,
		.user_namespace = oci->needs_user_namespace,
		.source_pid = oci->state.running && namespace_is_other_user(oci->state.pid)
	                              ? oci->state.pid
	                              : 0,
		.stop = burial->stop && !burial->detached,
		.deadline = burial->deadline,
		.grace_ms = oci->grace_ms,
		.detached = burial->detached,
		.keep = oci->keep,
		.snapshot_fd = oci->snapshot.lock_fd,
		.lock_fd = lock_fd,
	};

	if (monitor_start(&settings, &oci->monitor, err) < 0)
		return -1;
	oci->loop->driver = (struct loop_driver){oci_loop_wait, oci};
	return 0;
}

/* Our own descriptor, unless it is a terminal or not open: then a pipe, whose other end *ret_ours is. */
static int choose_descriptor(struct oci *oci, int number, int *ret_ours, struct err *err)
{
	int fds[2], ours = number == STDIN_FILENO ? 1 : 0;

	*ret_ours = -1;
	if (fcntl(number, F_GETFD) >= 0 && !isatty(number)) {
		oci->task_fds[number] = fcntl(number, F_DUPFD_CLOEXEC, 3);
		return oci->task_fds[number] < 0 ? err_errno(err, "dup") : 0;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "pipe");
	oci->task_fds[number] = fds[1 - ours];
	*ret_ours = fds[ours];
	return 0;
}

static void close_task_fds(struct oci *oci)
{
	for (int i = 0; i < 3; i++) {
		if (oci->task_fds[i] >= 0)
			close(oci->task_fds[i]);
		oci->task_fds[i] = -1;
	}
}

static int attach_streams(struct oci *oci, bool stdin_open, int ours[3], struct err *err)
{
	if (stdin_open) {
		if (choose_descriptor(oci, STDIN_FILENO, &ours[0], err) < 0)
			return -1;
	} else {
		oci->task_fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	return choose_descriptor(oci, STDOUT_FILENO, &ours[1], err) < 0 ||
	                       choose_descriptor(oci, STDERR_FILENO, &ours[2], err) < 0
	               ? -1
	               : 0;
}

int oci_attach(struct backend *backend, bool tty, bool stdin_open, const char *detach_keys,
               struct channel **ret, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	int ours[3] = {-1, -1, -1};
	int result = 0;

	if (detach_keys)
		return err_set(err, ERR_USAGE, "--detach-keys: the oci runtime cannot detach");
	if (!tty)
		result = attach_streams(oci, stdin_open, ours, err);
	*ret = NULL;
	if (result == 0 && (tty || ours[0] >= 0 || ours[1] >= 0 || ours[2] >= 0)) {
		*ret = oci->channel = oci_channel_new(ours[0], ours[1], ours[2], tty);
		oci->channel_ended = oci_channel_set_ended;
		if (oci->channel)
			return 0;
		result = err_no_memory(err);
	}
	for (int i = 0; result < 0 && i < 3; i++)
		if (ours[i] >= 0)
			close(ours[i]);
	return result;
}

/* The monitor is the task's parent: its wait is there before the task is. */
int oci_arm(struct backend *backend, struct err *err)
{
	(void)backend;
	(void)err;
	return 0;
}

int oci_start(struct backend *backend, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	struct message message = {.type = MESSAGE_START};
	int fds[MESSAGE_MAX_FDS];

	/* Nobody of us reads what a detached task writes: its monitor does. */
	if (message_send(oci->monitor.fd, &message, oci->task_fds,
	                 oci->tty || oci->detached ? 0 : 3, err) < 0)
		return -1;
	close_task_fds(oci);
	if (oci_wait_message(oci, oci->settings.call_timeout_ms, &message, fds, err) < 0)
		return -1;
	if (message.type == MESSAGE_FAILED) {
		err_set(err, message.kind, "%s", message.text);
		return message.hint[0] ? err_hint(err, "%s", message.hint) : -1;
	}
	if (message.type != MESSAGE_STARTED || (oci->tty && !oci->detached && fds[0] < 0))
		return err_set(err, ERR_INTERNAL, "the monitor answered out of turn");
	oci->pid = message.number;
	oci->pid_start_time = process_start_time(oci->pid);
	if (oci->tty && !oci->detached)
		oci_channel_set_terminal(oci->channel, fds[0]);
	oci->started = true;
	return 0;
}

int oci_signal(struct backend *backend, int signal_number, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	struct message message = {.type = MESSAGE_SIGNAL, .number = signal_number};

	if (oci->ended)
		return 0;
	return oci->lost ? oci_signal_directly(oci, signal_number, err)
	                 : message_send(oci->monitor.fd, &message, NULL, 0, err);
}

int oci_resize(struct backend *backend, int rows, int columns, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
	int master = oci->terminal_fd;

	if (master < 0 && oci->channel && !oci->adopted)
		master = oci_channel_terminal(oci->channel);
	if (master >= 0 && ioctl(master, TIOCSWINSZ, &size) < 0)
		return err_errno(err, "cannot set the terminal's size");
	return 0;
}
