/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "oci/output_log_internal.h"
#include "pkg/base/number.h"

_Static_assert(sizeof(struct output_frame) == OUTPUT_FRAME_HEADER, "the header of a frame");

static int open_segment(const struct output_reader *reader, unsigned segment)
{
	char name[OUTPUT_NAME_SIZE];

	output_segment_name(segment, name);
	return openat(reader->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* The lowest number above `above`; 0: there is none. */
static unsigned next_segment(const struct output_reader *reader, unsigned above)
{
	static const char prefix[] = "output.";
	int fd = openat(reader->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int64_t found = 0, number;

	if (fd >= 0 && !folder)
		close(fd);
	while (folder && (entry = readdir(folder)))
		if (!strncmp(entry->d_name, prefix, sizeof(prefix) - 1) &&
		    parse_int64(entry->d_name + sizeof(prefix) - 1, 1, INT32_MAX, &number) == 0 &&
		    number > above && (!found || number < found))
			found = number;
	if (folder)
		closedir(folder);
	return (unsigned)found;
}

static void take_segment(struct output_reader *reader, int fd, unsigned segment)
{
	output_reader_close(reader);
	reader->fd = fd;
	reader->segment = segment;
	reader->offset = 0;
	reader->used = reader->position = 0;
}

/* Reads on behind what was taken. */
static void fill(struct output_reader *reader)
{
	ssize_t got;

	if (reader->fd < 0)
		return;
	reader->offset += reader->position;
	reader->position = reader->used = 0;
	do
		got = pread(reader->fd, reader->buffer, sizeof(reader->buffer),
		            (off_t)reader->offset);
	while (got < 0 && errno == EINTR);
	reader->used = got > 0 ? (size_t)got : 0;
}

/* True when a whole frame lies in the buffer: its header is taken. */
static bool take_header(struct output_reader *reader)
{
	struct output_frame frame;

	if (reader->used - reader->position < sizeof(frame))
		return false;
	memcpy(&frame, reader->buffer + reader->position, sizeof(frame));
	if (!frame.length || frame.length > OUTPUT_FRAME_MAX ||
	    frame.stream >= CHUNK_STREAM_COUNT) {
		reader->corrupt = true;
		return false;
	}
	if (reader->used - reader->position - sizeof(frame) < frame.length)
		return false;
	reader->position += sizeof(frame);
	reader->left = frame.length;
	reader->stream = (enum chunk_stream)frame.stream;
	reader->frame_time = frame.time;
	return true;
}

static bool find_header(struct output_reader *reader)
{
	if (take_header(reader))
		return true;
	if (reader->corrupt)
		return false;
	fill(reader);
	return take_header(reader);
}

/* Goes on to the file behind this one, once that is there. Nothing is added to this one then: what is in it
 * must be read first, so it is looked at once more. */
static bool next_file(struct output_reader *reader)
{
	unsigned wanted = reader->segment + 1;
	int fd = open_segment(reader, wanted);
	struct stat info;

	/* Deleted, so at least two newer ones were begun. */
	if (fd < 0 && (reader->fd < 0 || (fstat(reader->fd, &info) == 0 && info.st_nlink == 0))) {
		wanted = next_segment(reader, reader->segment);
		fd = wanted ? open_segment(reader, wanted) : -1;
	}
	if (fd < 0)
		return false;
	if (find_header(reader)) {
		close(fd);
		return true;
	}
	reader->incomplete |= wanted != reader->segment + 1 || reader->used > reader->position;
	take_segment(reader, fd, wanted);
	return find_header(reader);
}

static bool next_frame(struct output_reader *reader)
{
	while (!reader->corrupt) {
		unsigned before = reader->segment;

		if (find_header(reader) || next_file(reader))
			return true;
		if (reader->segment == before)
			return false;
	}
	return false;
}

/* Passes over lines; true when something of the frame is left. */
static bool skip_lines(struct output_reader *reader)
{
	while (reader->skip > 0 && reader->left > 0) {
		const char *start = reader->buffer + reader->position;
		const char *newline = memchr(start, '\n', reader->left);
		size_t length = newline ? (size_t)(newline - start) + 1 : reader->left;

		reader->skip -= newline != NULL;
		reader->position += length;
		reader->left -= length;
	}
	return reader->left > 0;
}

static void stamp(struct output_reader *reader, struct chunk *ret)
{
	time_t seconds = (time_t)(reader->frame_time / 1000000000);
	struct tm parts;
	size_t length;

	gmtime_r(&seconds, &parts);
	length = strftime(reader->stamp, sizeof(reader->stamp), "%Y-%m-%dT%H:%M:%S", &parts);
	length += (size_t)snprintf(reader->stamp + length, sizeof(reader->stamp) - length,
	                           ".%09uZ ", (unsigned)(reader->frame_time % 1000000000));
	*ret = (struct chunk){reader->stream, reader->stamp, length};
	reader->inside_line[reader->stream] = true;
}

int output_reader_next(struct output_reader *reader, struct chunk *ret)
{
	const char *start, *newline = NULL;
	size_t length;

	while (!skip_lines(reader))
		if (!next_frame(reader))
			return 0;
	if (reader->timestamps && !reader->inside_line[reader->stream]) {
		stamp(reader, ret);
		return 1;
	}
	start = reader->buffer + reader->position;
	length = reader->left;
	if (reader->timestamps)
		newline = memchr(start, '\n', length);
	if (newline) {
		length = (size_t)(newline - start) + 1;
		reader->inside_line[reader->stream] = false;
	}
	reader->position += length;
	reader->left -= length;
	*ret = (struct chunk){reader->stream, start, length};
	return 1;
}

/* An unfinished last line is one, too. */
static int64_t count_lines(struct output_reader *reader)
{
	int64_t lines = 0;
	struct chunk chunk;
	char last = '\n';

	while (output_reader_next(reader, &chunk) == 1) {
		for (size_t i = 0; i < chunk.length; i++)
			lines += chunk.bytes[i] == '\n';
		last = chunk.bytes[chunk.length - 1];
	}
	return lines + (last != '\n');
}

static void rewind_reader(struct output_reader *reader, int folder_fd)
{
	unsigned first;

	take_segment(reader, -1, 0);
	reader->folder_fd = folder_fd;
	reader->left = 0;
	reader->skip = 0;
	reader->incomplete = reader->corrupt = reader->timestamps = false;
	first = next_segment(reader, 0);
	if (!first)
		return;
	reader->incomplete = first > 1;
	reader->segment = first - 1; /* the next one is what it begins with */
}

void output_reader_start(struct output_reader *reader, int folder_fd,
                         const struct output_options *options)
{
	int64_t lines;

	rewind_reader(reader, folder_fd);
	if (options->tail >= 0) {
		lines = count_lines(reader);
		rewind_reader(reader, folder_fd);
		if (lines > options->tail) {
			reader->skip = lines - options->tail;
			reader->incomplete = false;
		}
	}
	memset(reader->inside_line, 0, sizeof(reader->inside_line));
	reader->timestamps = options->timestamps;
}

void output_reader_close(struct output_reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = -1;
}
