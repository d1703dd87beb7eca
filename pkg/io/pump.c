/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/io/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "pkg/base/clock.h"

/* Pieces moved in one turn before signals and limits are looked at again. */
#define PIECES_PER_TURN 64

#define END_OF_TRANSMISSION '\x04'

int pump_open(struct pump *pump, struct channel *channel, int input_fd, bool tty, struct err *err)
{
	*pump = (struct pump){.channel = channel, .tty = tty, .input_fd = input_fd};
	pump->spool = (struct spool)SPOOL_INIT;
	pump->input = input_fd < 0 || !channel ? PUMP_INPUT_CLOSED : PUMP_INPUT_OPEN;
	pump->channel_state = channel ? IO_OK : IO_EOF;
	output_open(&pump->outputs[CHUNK_STDOUT], STDOUT_FILENO);
	output_open(&pump->outputs[CHUNK_STDERR], STDERR_FILENO);
	pump->input_bytes = malloc(PUMP_INPUT_SIZE);
	return pump->input_bytes ? 0 : err_no_memory(err);
}

void pump_close(struct pump *pump)
{
	free(pump->input_bytes);
	pump->input_bytes = NULL;
	spool_release(&pump->spool);
	for (int i = 0; i < CHUNK_STREAM_COUNT; i++)
		output_close(&pump->outputs[i]);
}

static bool has_output(const struct pump *pump, struct chunk *ret)
{
	if (spool_front(&pump->spool, ret))
		return true;
	*ret = pump->pending;
	return pump->pending.length > 0;
}

static bool input_waits(const struct pump *pump)
{
	return pump->input_offset < pump->input_used || pump->input == PUMP_INPUT_ENDING;
}

/* The task takes no more input: what is left of it is dropped, as a pipe without reader would. */
static void refuse_input(struct pump *pump)
{
	pump->input = PUMP_INPUT_CLOSED;
	pump->input_used = pump->input_offset = 0;
}

size_t pump_items(const struct pump *pump, struct loop_item *items)
{
	bool open = pump->channel && pump->channel_state == IO_OK;
	struct chunk front;
	bool blocked = has_output(pump, &front);
	unsigned want = 0;
	size_t count = 0;

	if (blocked)
		items[count++] = (struct loop_item){pump->outputs[front.stream].fd, LOOP_WRITE, 0};
	if (!open)
		return count;
	if (!blocked || (pump->task_ended && !pump->spool_full))
		want |= LOOP_READ;
	if (input_waits(pump) && pump->channel->ops->write_fd)
		items[count++] = (struct loop_item){pump->channel->ops->write_fd(pump->channel),
		                                    LOOP_WRITE, 0};
	else if (input_waits(pump))
		want |= LOOP_WRITE;
	items[count++] = (struct loop_item){pump->channel->ops->fd(pump->channel), want, 0};
	if (pump->input == PUMP_INPUT_OPEN && !input_waits(pump))
		items[count++] = (struct loop_item){pump->input_fd, LOOP_READ, 0};
	return count;
}

/* Writes what was read; false while an output is blocked. A failed output swallows its bytes, so
 * that the task can end. */
static bool flush_output(struct pump *pump)
{
	struct chunk front;

	while (has_output(pump, &front)) {
		struct output *output = &pump->outputs[front.stream];
		size_t written = 0;
		enum io_result result;

		result = output_write(output, front.bytes, front.length, &written);
		if (result == IO_AGAIN) {
			if (!pump->blocked_since)
				pump->blocked_since = clock_monotonic_ms();
			return false;
		}
		pump->blocked_since = 0;
		if (result == IO_ERROR)
			written = front.length;
		else
			pump->bytes_out[front.stream] += written;
		if (pump->spool.data.length) {
			spool_consume(&pump->spool, written);
		} else {
			pump->pending.bytes += written;
			pump->pending.length -= written;
		}
		/* A small write succeeded, but only poll can tell whether the next one would block.
		 */
		if (output->limit && result == IO_OK && has_output(pump, &front))
			return false;
	}
	return true;
}

/* The task ended while an output is blocked: what the engine still holds is read now. */
static void spool_rest(struct pump *pump)
{
	if (pump->pending.length) {
		if (spool_add(&pump->spool, &pump->pending) < 0) {
			pump->spool_full = true;
			return;
		}
		pump->pending.length = 0;
	}
	while (pump->channel_state == IO_OK && !pump->spool_full) {
		struct chunk chunk;
		enum io_result result = pump->channel->ops->read(pump->channel, &chunk);

		if (result == IO_AGAIN)
			return;
		if (result != IO_OK) {
			pump->channel_state = result;
			return;
		}
		pump->bytes_read[chunk.stream] += chunk.length;
		if (spool_add(&pump->spool, &chunk) < 0) {
			pump->spool_full = true;
			pump->pending = chunk; /* the task may still run after all: not lost yet */
		}
	}
}

static void read_output(struct pump *pump)
{
	pump->unread = false;
	for (int i = 0; i < PIECES_PER_TURN && pump->channel_state == IO_OK; i++) {
		enum io_result result;

		if (!flush_output(pump)) {
			if (pump->task_ended)
				spool_rest(pump);
			return;
		}
		result = pump->channel->ops->read(pump->channel, &pump->pending);
		if (result == IO_OK) {
			pump->bytes_read[pump->pending.stream] += pump->pending.length;
			continue;
		}
		pump->pending.length = 0;
		if (result == IO_AGAIN)
			return;
		pump->channel_state = result;
	}
	/* Records of TLS and frames lie in buffers of ours, where poll does not see them. */
	pump->unread = flush_output(pump) && pump->channel_state == IO_OK;
}

static void read_input(struct pump *pump)
{
	ssize_t got;

	got = read(pump->input_fd, pump->input_bytes, PUMP_INPUT_SIZE);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	pump->input_offset = 0;
	pump->input_used = got > 0 ? (size_t)got : 0;
	if (got > 0)
		return;
	/* A terminal that went away (EIO) ends the input as well. */
	pump->input = PUMP_INPUT_ENDING;
	if (pump->tty) {
		pump->input_bytes[0] = END_OF_TRANSMISSION;
		pump->input_used = 1;
	}
}

static void write_input(struct pump *pump)
{
	const struct channel_ops *ops = pump->channel->ops;

	while (pump->input_offset < pump->input_used) {
		size_t written = 0;
		enum io_result result;

		result = ops->write(pump->channel, pump->input_bytes + pump->input_offset,
		                    pump->input_used - pump->input_offset, &written);
		if (result == IO_AGAIN)
			return;
		if (result != IO_OK) {
			refuse_input(pump);
			return;
		}
		pump->input_offset += written;
		pump->bytes_in += written;
	}
	if (pump->input == PUMP_INPUT_ENDING &&
	    (pump->tty || ops->half_close(pump->channel) != IO_AGAIN))
		refuse_input(pump);
}

void pump_turn(struct pump *pump, const struct loop_item *items, size_t count)
{
	bool open = pump->channel && pump->channel_state == IO_OK;

	if (open) {
		int fd = pump->channel->ops->fd(pump->channel);

		for (size_t i = 0; i < count; i++) {
			if (items[i].fd == pump->input_fd && (items[i].ready & LOOP_READ) &&
			    pump->input == PUMP_INPUT_OPEN && !input_waits(pump) &&
			    fd != items[i].fd)
				read_input(pump);
		}
		if (input_waits(pump))
			write_input(pump);
		read_output(pump);
	} else {
		flush_output(pump);
	}
	if (pump->channel_state != IO_OK)
		refuse_input(pump);
}

void pump_continue(struct pump *pump, struct channel *channel)
{
	pump->channel = channel;
	pump->channel_state = IO_OK;
	refuse_input(pump);
}

bool pump_is_done(const struct pump *pump)
{
	struct chunk front;

	return pump->channel_state != IO_OK && !has_output(pump, &front);
}

int pump_output_failure(const struct pump *pump)
{
	for (int i = 0; i < CHUNK_STREAM_COUNT; i++)
		if (pump->outputs[i].failure)
			return pump->outputs[i].failure;
	return 0;
}
