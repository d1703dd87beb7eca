/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a detached task: written by one, read by many at the same time. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "oci/output_log.h"
#include "pkg/base/strbuf.h"

static char folder[64];
static int folder_fd;
static struct output_log log_file;
static struct output_reader reader;
static struct strbuf streams[CHUNK_STREAM_COUNT], merged;

static void open_log(void)
{
	snprintf(folder, sizeof(folder), "/tmp/oneoff-log-XXXXXX");
	cr_assert(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(folder_fd >= 0);
	log_file = (struct output_log)OUTPUT_LOG_INIT;
	reader = (struct output_reader)OUTPUT_READER_INIT;
}

static void close_log(void)
{
	output_log_close(&log_file);
	output_reader_close(&reader);
	strbuf_release(&streams[0]);
	strbuf_release(&streams[1]);
	strbuf_release(&merged);
	for (int i = 1; i < 40; i++) {
		char name[32];

		snprintf(name, sizeof(name), "output.%d", i);
		(void)unlinkat(folder_fd, name, 0);
	}
	close(folder_fd);
	(void)rmdir(folder);
}

TestSuite(output_log, .init = open_log, .fini = close_log, .timeout = 20);

static void add(enum chunk_stream stream, const char *text)
{
	output_log_append(&log_file, folder_fd, stream, text, strlen(text));
}

static void start(int64_t tail, bool timestamps)
{
	const struct output_options options = {tail, timestamps};

	output_reader_start(&reader, folder_fd, &options);
}

static void read_all(void)
{
	struct chunk chunk;

	while (output_reader_next(&reader, &chunk) == 1) {
		cr_assert_gt(chunk.length, 0);
		strbuf_add(&streams[chunk.stream], chunk.bytes, chunk.length);
		strbuf_add(&merged, chunk.bytes, chunk.length);
	}
}

Test(output_log, keeps_the_streams_apart_and_their_order)
{
	add(CHUNK_STDOUT, "one\n");
	add(CHUNK_STDERR, "two\n");
	add(CHUNK_STDOUT, "three");
	start(-1, false);
	read_all();
	cr_assert_str_eq(strbuf_str(&merged), "one\ntwo\nthree");
	cr_assert_str_eq(strbuf_str(&streams[CHUNK_STDOUT]), "one\nthree");
	cr_assert_str_eq(strbuf_str(&streams[CHUNK_STDERR]), "two\n");
	cr_assert_not(reader.incomplete);
	cr_assert_not(log_file.lost);
}

Test(output_log, what_is_added_later_is_read_later)
{
	start(-1, false);
	read_all();
	cr_assert_eq(merged.length, 0);
	add(CHUNK_STDOUT, "a");
	read_all();
	read_all();
	add(CHUNK_STDOUT, "b");
	read_all();
	cr_assert_str_eq(strbuf_str(&merged), "ab");
}

Test(output_log, every_byte_and_any_length)
{
	static char bytes[OUTPUT_FRAME_MAX];
	const size_t lengths[] = {1, 255, 4096, OUTPUT_FRAME_MAX - 1, OUTPUT_FRAME_MAX};
	size_t total = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		output_log_append(&log_file, folder_fd, CHUNK_STDOUT, bytes, lengths[i]);
		total += lengths[i];
	}
	start(-1, false);
	read_all();
	cr_assert_eq(merged.length, total);
	for (size_t i = 0, at = 0; i < ARRAY_SIZE(lengths); at += lengths[i++])
		cr_assert_arr_eq(merged.data + at, bytes, lengths[i]);
}

Test(output_log, a_tail_counts_the_lines_of_both_streams)
{
	add(CHUNK_STDOUT, "1\n2\n");
	add(CHUNK_STDERR, "3\n");
	add(CHUNK_STDOUT, "4\nunfinished");
	start(3, false);
	read_all();
	cr_assert_str_eq(strbuf_str(&merged), "3\n4\nunfinished");
	strbuf_reset(&merged);
	start(0, false);
	read_all();
	cr_assert_eq(merged.length, 0);
	start(100, false);
	read_all();
	cr_assert_str_eq(strbuf_str(&merged), "1\n2\n3\n4\nunfinished");
}

Test(output_log, after_a_tail_of_nothing_only_what_is_new)
{
	add(CHUNK_STDOUT, "old\n");
	start(0, false);
	read_all();
	add(CHUNK_STDOUT, "new\n");
	read_all();
	cr_assert_str_eq(strbuf_str(&merged), "new\n");
}

Test(output_log, each_line_has_its_time_once)
{
	static const char form[] = "0000-00-00T00:00:00.000000000Z ";
	const char *text;

	add(CHUNK_STDOUT, "be");
	add(CHUNK_STDERR, "other\n");
	add(CHUNK_STDOUT, "gun\nnext\n");
	start(-1, true);
	read_all();
	text = strbuf_str(&streams[CHUNK_STDOUT]);
	cr_assert_eq(streams[CHUNK_STDOUT].length, 2 * strlen(form) + strlen("begun\nnext\n"), "%s",
	             text);
	cr_assert(!strncmp(text + strlen(form), "begun\n", 6), "%s", text);
	cr_assert_eq(text[strlen(form) - 2], 'Z');
	cr_assert_eq(text[10], 'T');
	cr_assert_str_eq(strbuf_str(&streams[CHUNK_STDERR]) + strlen(form), "other\n");
}

static void write_numbers(int count)
{
	char line[16];

	for (int i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "%05d\n", i);
		add(CHUNK_STDOUT, line);
	}
}

static int count_files(void)
{
	int count = 0;

	for (int i = 1; i < 40; i++) {
		char name[32];

		snprintf(name, sizeof(name), "output.%d", i);
		count += faccessat(folder_fd, name, F_OK, 0) == 0;
	}
	return count;
}

Test(output_log, two_files_at_most_and_who_comes_late_is_told)
{
	struct stat info;

	log_file.limit = 220; /* ten frames of 22 bytes */
	write_numbers(35);
	cr_assert_eq(count_files(), 2);
	cr_assert_eq(fstatat(folder_fd, "output.3", &info, 0), 0);
	cr_assert_eq(info.st_size, 220);
	start(-1, false);
	cr_assert(reader.incomplete);
	read_all();
	cr_assert(!strncmp(strbuf_str(&merged), "00020\n", 6), "%s", strbuf_str(&merged));
	cr_assert_eq(merged.length, 15 * 6);
	start(3, false);
	cr_assert_not(reader.incomplete, "the last lines are all there");
}

Test(output_log, a_reader_follows_into_the_next_files)
{
	char line[16];

	log_file.limit = 220;
	start(-1, false);
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "%05d\n", i);
		add(CHUNK_STDOUT, line);
		if (i % 7 == 0)
			read_all();
	}
	read_all();
	cr_assert_eq(merged.length, 100 * 6);
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "%05d\n", i);
		cr_assert(!strncmp(merged.data + i * 6, line, 6), "line %d", i);
	}
	cr_assert_not(reader.incomplete);
}

Test(output_log, a_reader_that_is_too_slow_is_told)
{
	log_file.limit = 220;
	write_numbers(5);
	start(-1, false);
	read_all();
	write_numbers(60);
	read_all();
	cr_assert(reader.incomplete);
}

Test(output_log, half_a_frame_is_waited_for)
{
	int fd;

	add(CHUNK_STDOUT, "whole");
	start(-1, false);
	fd = openat(folder_fd, "output.1", O_WRONLY | O_APPEND);
	cr_assert_eq(write(fd, "\1\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0ab", 18), 18);
	read_all();
	cr_assert_str_eq(strbuf_str(&merged), "whole");
	cr_assert_eq(write(fd, "cde", 3), 3);
	close(fd);
	read_all();
	cr_assert_str_eq(strbuf_str(&merged), "wholeabcde");
}

Test(output_log, a_damaged_file_is_not_read_for_ever)
{
	int fd = openat(folder_fd, "output.1", O_WRONLY | O_CREAT, 0600);
	char zeros[64] = {0};

	cr_assert_eq(write(fd, zeros, sizeof(zeros)), (ssize_t)sizeof(zeros));
	close(fd);
	start(-1, false);
	read_all();
	cr_assert(reader.corrupt);
	cr_assert_eq(merged.length, 0);
}
