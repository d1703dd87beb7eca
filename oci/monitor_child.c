/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/monitor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "oci/cgroup.h"
#include "oci/namespace.h"
#include "pkg/base/clock.h"
#include "pkg/io/process.h"

/* Ours stand from here on; everything else that the client has open is closed: a copy of its stdout would
 * keep its reader waiting. */
#define FIRST_KEPT 3

/* A start that is no longer wanted is waited for this long. */
#define RUNTIME_LIMIT_MS INT64_C(5000)

void monitor_tell(struct monitor_child *child, enum message_type type, int number,
                  const struct err *err)
{
	struct message message = {.type = type, .number = number, .kind = err->kind};
	struct err ignored = ERR_INIT;

	memcpy(message.text, err->message, sizeof(message.text));
	memcpy(message.hint, err->hint, sizeof(message.hint));
	/* A client that is gone shows at the next poll. */
	if (child->client >= 0)
		(void)!message_send(child->client, &message, NULL, 0, &ignored);
}

static void close_others(const struct monitor_child *child)
{
	const int kept[] = {child->client, child->settings->snapshot_fd, child->settings->lock_fd};

	process_keep_descriptors(kept, ARRAY_SIZE(kept));
}

/* Neither a signal to the client's group nor its terminal may reach us. */
static int detach(struct monitor_child *child, struct err *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t wanted;

	setsid();
	prctl(PR_SET_NAME, "oneoff-monitor");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_errno(err, "cannot become the task's parent");
	process_reset_signals(PROCESS_OUTLIVES);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_SETMASK, &wanted, NULL);
	if (child->client < FIRST_KEPT || null < 0)
		return err_set(err, ERR_SYSTEM, "no descriptors are free");
	for (int fd = 0; fd < FIRST_KEPT; fd++)
		dup2(null, fd);
	close_others(child);
	child->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	return child->signals < 0 ? err_errno(err, "signalfd") : 0;
}

/* The runtime sends the terminal's other end to this socket. The path is relative because socket paths are
 * short. */
static int listen_console(struct monitor_child *child, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "console"};

	if (!child->settings->tty)
		return 0;
	child->console = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (child->console < 0 ||
	    bind(child->console, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(child->console, 1) < 0)
		return err_errno(err, "cannot make the console socket");
	return 0;
}

static int prepare(struct monitor_child *child, struct err *err)
{
	const struct monitor_settings *settings = child->settings;
	bool copied;

	if (chdir(settings->folder) < 0)
		return err_errno(err, "cannot enter %s", settings->folder);
	child->folder_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (child->folder_fd < 0 || monitor_peers_listen(child, err) < 0)
		return err->kind ? -1 : err_errno(err, "cannot open %s", settings->folder);
	if (settings->user_namespace && namespace_enter_user(settings->source_pid, err) < 0)
		return -1;
	if (namespace_enter_mount(err) < 0 || listen_console(child, err) < 0)
		return -1;
	cgroup_hide_hybrid();
	return rootfs_mount(settings->rootfs, settings->folder, &copied, err);
}

/* Some may have come while we were removing: the socket's name was still there. */
static _noreturn_ void leave(struct monitor_child *child)
{
	struct message message = {.type = MESSAGE_REMOVED};
	struct err err = ERR_INIT;

	(void)!monitor_remove(child, &err);
	monitor_peers_accept(child);
	message.kind = err.kind;
	memcpy(message.text, err.message, sizeof(message.text));
	memcpy(message.hint, err.hint, sizeof(message.hint));
	monitor_peers_tell(child, &message);
	_exit(0);
}

static void take_start(struct monitor_child *child, int fds[MESSAGE_MAX_FDS])
{
	if (!child->runtime_pid && !child->task_pid && !child->ended)
		monitor_task_start(child, fds);
	for (int i = 0; i < MESSAGE_MAX_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* A runtime at work is killed only when it hangs: it would leave halves of a container. */
void monitor_end_task(struct monitor_child *child)
{
	if (!child->doomed)
		child->doomed_at = clock_monotonic_ms();
	child->doomed = true;
	if (child->task_pid)
		monitor_task_signal(child, SIGKILL);
	else if (!child->runtime_pid)
		leave(child);
	else if (clock_monotonic_ms() - child->doomed_at >= RUNTIME_LIMIT_MS)
		(void)kill(child->runtime_pid, SIGKILL);
}

static void client_gone(struct monitor_child *child)
{
	close(child->client);
	child->client = -1;
	if (child->settings->stop || (!child->task_pid && !child->runtime_pid))
		monitor_end_task(child);
}

static void take_messages(struct monitor_child *child)
{
	int fds[MESSAGE_MAX_FDS];
	struct err err = ERR_INIT;
	struct message message;
	int result;

	while ((result = message_receive(child->client, false, &message, fds, &err)) > 0) {
		if (message.type == MESSAGE_START)
			take_start(child, fds);
		else if (message.type == MESSAGE_SIGNAL)
			monitor_task_signal(child, message.number);
		else if (message.type == MESSAGE_REMOVE) {
			child->unwanted = true;
			monitor_end_task(child);
		}
	}
	if (result < 0)
		client_gone(child);
}

/* TERM, the grace, KILL. What has no process yet ends at once. */
static int enforce_deadline(struct monitor_child *child)
{
	int64_t now = clock_monotonic_ms();

	if (!child->task_pid) {
		monitor_end_task(child);
		return 500;
	}
	if (!child->kill_at) {
		child->kill_at = now + child->settings->grace_ms;
		monitor_task_signal(child, SIGTERM);
		monitor_task_signal(child, SIGCONT); /* one that is stopped would not see it */
	}
	if (now >= child->kill_at) {
		monitor_end_task(child);
		return 1000;
	}
	return child->kill_at - now > 60000 ? 60000 : (int)(child->kill_at - now) + 1;
}

/* Milliseconds until the deadline counts; an attached client that lives sees to it itself. */
static int time_to_wait(struct monitor_child *child)
{
	const struct monitor_settings *settings = child->settings;
	int64_t left;

	if (child->doomed) {
		monitor_end_task(child);
		return 500;
	}
	if ((child->client >= 0 && !settings->detached) || !settings->deadline)
		return -1;
	left = settings->deadline - clock_unix_seconds();
	if (left <= 0)
		return enforce_deadline(child);
	return left > 60 ? 60000 : (int)left * 1000;
}

/* Where in the list of what is waited for. */
enum { ITEM_CLIENT, ITEM_SIGNALS, ITEM_LISTENER, ITEM_OUTPUTS, ITEM_PEERS = ITEM_OUTPUTS + 2 };

static void wait_for_work(struct monitor_child *child, struct pollfd *items)
{
	items[ITEM_CLIENT].fd = child->client;
	items[ITEM_SIGNALS].fd = child->signals;
	items[ITEM_LISTENER].fd = monitor_peers_room(child) ? child->listener : -1;
	for (int i = 0; i < CHUNK_STREAM_COUNT; i++)
		items[ITEM_OUTPUTS + i].fd = monitor_output_fd(child, (enum chunk_stream)i);
	for (size_t i = 0; i < MONITOR_MAX_PEERS; i++)
		items[ITEM_PEERS + i].fd = child->peers[i];
	for (size_t i = 0; i < ITEM_PEERS + MONITOR_MAX_PEERS; i++) {
		items[i].events = POLLIN;
		items[i].revents = 0;
	}
	if (poll(items, ITEM_PEERS + MONITOR_MAX_PEERS, time_to_wait(child)) < 0 && errno != EINTR)
		leave(child);
}

static void take_signals(struct monitor_child *child)
{
	struct signalfd_siginfo info;

	while (read(child->signals, &info, sizeof(info)) > 0)
		;
	monitor_task_reap(child);
}

static void turn(struct monitor_child *child)
{
	struct pollfd items[ITEM_PEERS + MONITOR_MAX_PEERS];

	wait_for_work(child, items);
	for (int i = 0; i < CHUNK_STREAM_COUNT; i++)
		if (items[ITEM_OUTPUTS + i].revents)
			(void)monitor_output_take(child, (enum chunk_stream)i);
	if (items[ITEM_SIGNALS].revents)
		take_signals(child);
	/* A failed start waits for the client's word; its death is one. */
	if (child->ended && (!child->failed || child->doomed))
		leave(child);
	if (items[ITEM_CLIENT].revents && child->client >= 0)
		take_messages(child);
	for (size_t i = 0; i < MONITOR_MAX_PEERS; i++)
		if (items[ITEM_PEERS + i].revents && child->peers[i] >= 0)
			monitor_peers_take(child, i);
	if (items[ITEM_LISTENER].revents)
		monitor_peers_accept(child);
}

static _noreturn_ void give_up(struct monitor_child *child, const struct err *err)
{
	monitor_tell(child, MESSAGE_FAILED, 0, err);
	_exit(1);
}

void monitor_child_run(const struct monitor_settings *settings, int client)
{
	struct monitor_child child = {.settings = settings,
	                              .client = client,
	                              .console = -1,
	                              .listener = -1,
	                              .lock_fd = settings->lock_fd,
	                              .folder_fd = -1,
	                              .master = -1,
	                              .outputs = {-1, -1},
	                              .log = OUTPUT_LOG_INIT,
	                              .null_fds = {-1, -1, -1}};
	struct err err = ERR_INIT, ignored = ERR_INIT;

	for (size_t i = 0; i < MONITOR_MAX_PEERS; i++)
		child.peers[i] = -1;
	if (detach(&child, &err) < 0 || settings->make_bundle(settings->context, &err) < 0)
		give_up(&child, &err);
	if (prepare(&child, &err) < 0) {
		(void)!monitor_remove(&child, &ignored);
		give_up(&child, &err);
	}
	monitor_tell(&child, MESSAGE_READY, 0, &err);
	for (;;)
		turn(&child);
}
