/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a one-off's folder: task.json, or a piece of its output log. The first byte says which. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "oci/output_log.h"
#include "oci/task_file.h"
#include "tests/fuzz/fuzz.h"

static void check_task_file(const char *text, size_t length)
{
	struct task_file file = {.started = 0};
	struct err err = ERR_INIT;

	if (task_file_parse(text, length, &file, &err) < 0) {
		CHECK(err.kind != ERR_NONE && err.kind != ERR_INTERNAL && !file.started);
		return;
	}
	CHECK(file.started > 0 && file.ended >= 0 && file.pid >= 0);
	CHECK(file.status.code >= 0 && file.status.code <= 255);
	CHECK(strlen(file.status.message) < sizeof(file.status.message));
}

/* The bytes arrive in two pieces; never more comes out than went in. */
static void check_log(const uint8_t *data, size_t size, bool timestamps)
{
	char name[] = "/tmp/oneoff-fuzz-XXXXXX";
	const struct output_options options = {size % 4 ? -1 : 2, timestamps};
	struct output_reader *reader = malloc(sizeof(*reader));
	struct chunk chunk;
	size_t read = 0, pieces = 0;
	int folder, fd;

	CHECK(reader && mkdtemp(name));
	*reader = (struct output_reader)OUTPUT_READER_INIT;
	folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(folder, "output.1", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(folder >= 0 && fd >= 0);
	for (int half = 0; half < 2; half++) {
		size_t length = half ? size - size / 2 : size / 2;

		CHECK(write(fd, half ? data + size / 2 : data, length) == (ssize_t)length);
		if (!half)
			output_reader_start(reader, folder, &options);
		while (output_reader_next(reader, &chunk) == 1) {
			CHECK(chunk.length > 0 && chunk.stream < CHUNK_STREAM_COUNT);
			read += timestamps ? 0 : chunk.length;
			CHECK(++pieces <= 2 * size);
		}
	}
	CHECK(read <= size);
	output_reader_close(reader);
	free(reader);
	close(fd);
	CHECK(unlinkat(folder, "output.1", 0) == 0 && rmdir(name) == 0);
	close(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & 1)
		check_task_file((const char *)data + 1, size - 1);
	else
		check_log(data + 1, size - 1, data[0] & 2);
	return 0;
}
