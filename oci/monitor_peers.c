/* SPDX-License-Identifier: Apache-2.0 */
/* Other clients of the task: those that wait for it, look at it, or end it. None of them is its owner: when one
 * leaves, nothing happens. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "oci/monitor_internal.h"

#define BACKLOG 128

/* The path is relative because socket paths are short. */
int monitor_peers_listen(struct monitor_child *child, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "control"};
	mode_t before = umask(0177); /* nobody else may connect, at no moment */
	int result;

	child->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	result = child->listener < 0
	                 ? -1
	                 : bind(child->listener, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (result < 0 || listen(child->listener, BACKLOG) < 0)
		return err_errno(err, "cannot make the control socket");
	return 0;
}

struct message monitor_started_message(const struct monitor_child *child)
{
	return (struct message){.type = MESSAGE_STARTED, .number = child->file.pid};
}

struct message monitor_exited_message(const struct monitor_child *child)
{
	const struct exit_status *status = &child->file.status;

	return (struct message){
		.type = MESSAGE_EXITED,
		.number = status->code,
		.out_of_memory = status->out_of_memory,
		.timed_out = status->timed_out,
		.output_incomplete = status->output_incomplete,
	};
}

/* A client that lives has the terminal's other end already, and one terminal has one reader. */
static int shared_master(const struct monitor_child *child)
{
	return child->settings->detached ? child->master : -1;
}

static void send_started(const struct monitor_child *child, int peer)
{
	struct message message = monitor_started_message(child);
	int master = shared_master(child);
	struct err ignored = ERR_INIT;

	(void)!message_send(peer, &message, &master, master >= 0, &ignored);
}

/* To one that may have come at any moment. */
static void greet(const struct monitor_child *child, int peer)
{
	struct message message = monitor_exited_message(child);
	struct err ignored = ERR_INIT;

	if (child->file.started)
		send_started(child, peer);
	if (child->file.ended)
		(void)!message_send(peer, &message, NULL, 0, &ignored);
}

static int *free_slot(struct monitor_child *child)
{
	for (size_t i = 0; i < MONITOR_MAX_PEERS; i++)
		if (child->peers[i] < 0)
			return &child->peers[i];
	return NULL;
}

bool monitor_peers_room(struct monitor_child *child)
{
	return free_slot(child) != NULL;
}

void monitor_peers_accept(struct monitor_child *child)
{
	int *slot;

	while (child->listener >= 0 && (slot = free_slot(child))) {
		*slot = accept4(child->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (*slot < 0)
			return;
		greet(child, *slot);
	}
}

static void obey(struct monitor_child *child, const struct message *message)
{
	switch (message->type) {
	case MESSAGE_SIGNAL:
		if (message->number > 0 && message->number < NSIG)
			monitor_task_signal(child, message->number);
		break;
	case MESSAGE_DISCARD:
	case MESSAGE_REMOVE:
		if (message->type == MESSAGE_DISCARD && (child->file.started || child->runtime_pid))
			break;
		child->unwanted = true;
		monitor_end_task(child);
		break;
	default:
		break;
	}
}

void monitor_peers_take(struct monitor_child *child, size_t index)
{
	int fds[MESSAGE_MAX_FDS];
	struct err ignored = ERR_INIT;
	struct message message;
	int result;

	while ((result = message_receive(child->peers[index], false, &message, fds, &ignored)) >
	       0) {
		for (int i = 0; i < MESSAGE_MAX_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		obey(child, &message);
	}
	if (result == 0)
		return;
	close(child->peers[index]);
	child->peers[index] = -1;
}

void monitor_peers_tell(struct monitor_child *child, const struct message *message)
{
	struct err ignored = ERR_INIT;

	if (child->client >= 0)
		(void)!message_send(child->client, message, NULL, 0, &ignored);
	for (size_t i = 0; i < MONITOR_MAX_PEERS; i++) {
		if (child->peers[i] < 0)
			continue;
		if (message->type == MESSAGE_STARTED)
			send_started(child, child->peers[i]);
		else
			(void)!message_send(child->peers[i], message, NULL, 0, &ignored);
	}
}
