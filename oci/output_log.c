/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/output_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include "oci/output_log_internal.h"

void output_segment_name(unsigned segment, char name[OUTPUT_NAME_SIZE])
{
	snprintf(name, OUTPUT_NAME_SIZE, "output.%u", segment);
}

static void begin_segment(struct output_log *log, int folder_fd)
{
	char name[OUTPUT_NAME_SIZE];
	int fd;

	output_segment_name(log->segment + 1, name);
	fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return; /* the old one grows on, or it is lost */
	output_log_close(log);
	log->fd = fd;
	log->segment++;
	log->size = 0;
	/* Behind the new one: a reader must find either. */
	if (log->segment > 2) {
		output_segment_name(log->segment - 2, name);
		(void)unlinkat(folder_fd, name, 0);
	}
}

static struct output_frame frame_now(enum chunk_stream stream, size_t length)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct output_frame){
		.time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
		.length = (uint32_t)length,
		.stream = (uint32_t)stream,
	};
}

void output_log_append(struct output_log *log, int folder_fd, enum chunk_stream stream,
                       const void *bytes, size_t length)
{
	struct output_frame frame = frame_now(stream, length);
	struct iovec pieces[] = {{&frame, sizeof(frame)}, {(void *)bytes, length}};
	ssize_t written;

	if (!length)
		return;
	if (log->fd < 0 || log->size + sizeof(frame) + length > log->limit)
		begin_segment(log, folder_fd);
	if (log->fd < 0) {
		log->lost = true;
		return;
	}
	do
		written = writev(log->fd, pieces, 2);
	while (written < 0 && errno == EINTR);
	if (written == (ssize_t)(sizeof(frame) + length)) {
		log->size += (uint64_t)written;
		return;
	}
	/* Half a frame would hide all that follow. */
	log->lost = true;
	if (written > 0 && (ftruncate(log->fd, (off_t)log->size) < 0 ||
	                    lseek(log->fd, (off_t)log->size, SEEK_SET) < 0))
		output_log_close(log);
}

void output_log_close(struct output_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}
