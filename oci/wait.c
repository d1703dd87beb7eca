/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>
#include "oci/cgroup.h"
#include "oci/oci_internal.h"
#include "oci/remove.h"
#include "pkg/base/clock.h"

#define REMOVE_LIMIT_MS INT64_C(10000)
/* The task may run before we hear of it: a signal that comes meanwhile is for it. */
#define UNINTERRUPTED_MS INT64_C(2000)

static void set_ended(struct oci *oci, const struct exit_status *status)
{
	oci->ended = true;
	oci->status = *status;
	if (oci->channel)
		oci->channel_ended(oci->channel);
}

static void take_end(struct oci *oci, const struct message *message)
{
	if (message->type == MESSAGE_EXITED) {
		struct exit_status status = {
			.known = true,
			.code = message->number,
			.out_of_memory = message->out_of_memory,
			.timed_out = message->timed_out,
			.output_incomplete = message->output_incomplete,
		};

		set_ended(oci, &status);
	} else {
		oci->removed = true;
		if (message->kind != ERR_NONE) {
			err_set(&oci->remove_failure, message->kind, "%s", message->text);
			err_hint(&oci->remove_failure, "%s", message->hint);
		}
	}
}

/* Of an adopted task: it may not run yet when it is adopted. */
static void take_start(struct oci *oci, const struct message *message, const int fds[])
{
	oci->pid = message->number;
	oci->pid_start_time = process_start_time(oci->pid);
	if (oci->terminal_fd < 0)
		oci->terminal_fd = fds[0];
	else if (fds[0] >= 0)
		close(fds[0]);
}

static bool is_of_the_end(const struct message *message)
{
	return message->type == MESSAGE_EXITED || message->type == MESSAGE_REMOVED;
}

int oci_take_messages(struct oci *oci, struct err *err)
{
	struct message message;
	int fds[MESSAGE_MAX_FDS], result;

	if (oci->lost)
		return err_set(err, ERR_LOST, "the task's monitor is gone");
	while (!oci->removed &&
	       (result = message_receive(oci->monitor.fd, false, &message, fds, err)) != 0) {
		if (result < 0) {
			oci->lost = true;
			return -1;
		}
		if (is_of_the_end(&message))
			take_end(oci, &message);
		else if (message.type == MESSAGE_STARTED)
			take_start(oci, &message, fds);
	}
	return 0;
}

int oci_loop_wait(void *context, struct loop_item *items, size_t count, int timeout_ms,
                  struct err *err)
{
	struct oci *oci = context;
	struct loop_item all[LOOP_MAX_ITEMS + 1];
	struct err ignored = ERR_INIT;

	if (count > LOOP_MAX_ITEMS)
		return err_set(err, ERR_INTERNAL, "too many descriptors to wait for");
	memcpy(all, items, count * sizeof(*items));
	all[count] = (struct loop_item){oci->monitor.fd, LOOP_READ, 0};
	if (!oci->started || oci->ended || oci->lost)
		all[count].want = 0;
	if (loop_poll(all, count + 1, timeout_ms, err) < 0)
		return -1;
	memcpy(items, all, count * sizeof(*items));
	/* Taken here, so that the streams know of the end in the same turn. */
	if (all[count].ready)
		(void)!oci_take_messages(oci, &ignored);
	return 0;
}

/* One turn of waiting for the monitor's word or, with `interruptible`, a signal. */
static int wait_turn(struct oci *oci, int64_t left, bool interruptible, struct err *err)
{
	struct loop *loop = oci->loop;
	bool asks = interruptible && loop->interrupted;
	struct loop_item items[2] = {{oci->monitor.fd, LOOP_READ, 0},
	                             {asks ? loop->interrupt_fd : -1, LOOP_READ, 0}};

	if (loop_poll(items, 2, left > 500 ? 500 : (int)left, err) < 0)
		return -1;
	if (asks && loop->interrupted(loop->interrupt_context))
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	return 0;
}

int oci_wait_message(struct oci *oci, int64_t timeout_ms, struct message *ret,
                     int ret_fds[MESSAGE_MAX_FDS], struct err *err)
{
	int64_t begun = clock_monotonic_ms();
	int64_t due = begun + (timeout_ms ? timeout_ms : INT32_MAX);

	for (;;) {
		int64_t now = clock_monotonic_ms(), left = due - now;
		int result = message_receive(oci->monitor.fd, false, ret, ret_fds, err);

		if (result < 0) {
			oci->lost = true;
			return -1;
		}
		if (result > 0 && !is_of_the_end(ret))
			return 0;
		if (result > 0)
			take_end(oci, ret);
		else if (left <= 0)
			return err_set(err, ERR_START_TIMEOUT,
			               "the runtime did not start the task");
		else if (wait_turn(oci, left, now - begun > UNINTERRUPTED_MS, err) < 0)
			return -1;
	}
}

int oci_exited(struct backend *backend, struct exit_status *ret, struct err *err)
{
	struct oci *oci = (struct oci *)backend;

	if (!oci->ended && oci_take_messages(oci, err) < 0)
		return -1;
	if (oci->ended)
		*ret = oci->status;
	return oci->ended;
}

/* Only the task's parent can read its status: without the monitor nobody ever will. While the task lives
 * there is something to wait for, all the same. */
int oci_recover(struct backend *backend, struct exit_status *ret, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	struct exit_status unknown = {.known = false};

	if (oci_read_end(oci)) {
		*ret = oci->status;
		return 1;
	}
	if (process_start_time(oci->pid) == oci->pid_start_time && oci->pid_start_time)
		return err_set(err, ERR_LOST, "the task's monitor is gone; the task runs on");
	set_ended(oci, &unknown);
	*ret = unknown;
	return 1;
}

/* Pipes and terminals do not break. */
int oci_reattach(struct backend *backend, const uint64_t received[CHUNK_STREAM_COUNT],
                 struct channel **ret, struct err *err)
{
	(void)backend;
	(void)received;
	(void)ret;
	return err_set(err, ERR_OUTPUT_INCOMPLETE, "a pipe cannot be taken up again");
}

/* Nothing has to be read in a hurry: what is in a pipe or terminal stays there. */
bool oci_may_have_ended(struct backend *backend)
{
	(void)backend;
	return false;
}

static int remove_ourselves(struct oci *oci, struct err *err)
{
	if (container_delete(&oci->runtime, oci->name, oci->folder, oci->cgroup, false, err) < 0)
		return -1;
	cgroup_destroy(oci->cgroup);
	return bundle_folder_remove(oci->folder, err);
}

static int wait_removed(struct oci *oci, struct err *err)
{
	int64_t due = clock_monotonic_ms() + REMOVE_LIMIT_MS;

	while (!oci->removed) {
		struct loop_item item = {oci->monitor.fd, LOOP_READ, 0};
		int64_t left = due - clock_monotonic_ms();

		if (left <= 0) {
			err_set(err, ERR_NOT_REMOVED, "'%s' is still being removed", oci->name);
			return err_hint(err, "see: %s --root %s list", oci->runtime.path,
			                oci->runtime.state_root);
		}
		if (loop_poll(&item, 1, (int)left, err) < 0)
			return -1;
		if (item.ready && oci_take_messages(oci, err) < 0)
			return remove_ourselves(oci, err);
	}
	return 0;
}

int oci_remove(struct backend *backend, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	struct message message = {.type = MESSAGE_REMOVE};
	struct err ignored = ERR_INIT;

	if (oci->adopted)
		return oci_remove_adopted(oci, err);
	if (oci->monitor.fd < 0)
		return 0; /* nothing was made */
	if (oci->lost)
		return remove_ourselves(oci, err);
	/* Once the status was told, it removes without being asked. */
	if (!oci->ended)
		(void)!message_send(oci->monitor.fd, &message, NULL, 0, &ignored);
	if (wait_removed(oci, err) < 0)
		return -1;
	monitor_wait(&oci->monitor);
	if (oci->remove_failure.kind == ERR_NONE)
		return 0;
	*err = oci->remove_failure;
	return -1;
}
