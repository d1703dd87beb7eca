/* SPDX-License-Identifier: Apache-2.0 */
/* What a server sends over an attached WebSocket. The first byte says in how many writes. No more comes out than
 * went in, and the end is only called good when a verdict said so. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "pkg/kube/channel.h"
#include "pkg/net/upgrade.h"
#include "tests/fuzz/fuzz.h"

/* Reads what is there; the last result. */
static enum io_result drain(struct channel *channel, size_t *total)
{
	enum io_result result;
	struct chunk chunk;

	while ((result = channel->ops->read(channel, &chunk)) == IO_OK) {
		CHECK(chunk.length && chunk.stream < CHUNK_STREAM_COUNT);
		*total += chunk.length;
	}
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct websocket *websocket = NULL;
	struct upgrade *upgrade = NULL;
	struct channel *channel = NULL;
	struct err err = ERR_INIT;
	enum io_result result = IO_AGAIN;
	size_t step, total = 0;
	int fds[2];

	if (size < 2 || size > 60000)
		return 0;
	step = (size_t)(data[0] % 16) + 1;
	step = (size + step - 1) / step;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	CHECK(upgrade_adopt(fds[0], &upgrade, &err) == 0);
	CHECK(websocket_adopt(upgrade, &websocket, &err) == 0);
	CHECK(kube_channel_open(websocket, true, &channel, &err) == 0);
	for (size_t at = 1; at < size && result == IO_AGAIN; at += step) {
		size_t length = size - at < step ? size - at : step;

		CHECK(write(fds[1], data + at, length) == (ssize_t)length);
		result = drain(channel, &total);
	}
	CHECK(shutdown(fds[1], SHUT_WR) == 0);
	if (result == IO_AGAIN)
		result = drain(channel, &total);
	CHECK(total < size);
	CHECK(result == IO_EOF || result == IO_ERROR);
	if (result == IO_EOF)
		CHECK(memmem(data, size, "Success", 7) || memchr(data, '\\', size) || size > 126);
	else
		CHECK(*channel->ops->error(channel));
	channel->ops->close(channel);
	close(fds[1]);
	return 0;
}
