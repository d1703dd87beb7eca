/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/strbuf.h"
#include "pkg/net/frames.h"

/* What a feed gave: the two streams, and how it ended. */
struct outcome {
	struct strbuf streams[CHUNK_STREAM_COUNT];
	bool refused, in_frame;
	char daemon_error[256];
};

static void outcome_release(struct outcome *outcome)
{
	strbuf_release(&outcome->streams[CHUNK_STDOUT]);
	strbuf_release(&outcome->streams[CHUNK_STDERR]);
}

static bool feed_piece(struct frames *frames, const char *bytes, size_t length,
                       struct outcome *outcome)
{
	size_t offset = 0;

	while (offset < length) {
		struct chunk piece;
		ssize_t used = frames_next(frames, bytes + offset, length - offset, &piece);

		if (used < 0)
			return false;
		cr_assert_gt(used, 0, "no progress");
		cr_assert_leq(offset + (size_t)used, length);
		strbuf_add(&outcome->streams[piece.stream], piece.bytes, piece.length);
		offset += (size_t)used;
	}
	return true;
}

/* Feeds in two pieces, or in pieces of `step` bytes when step is not 0. */
static void feed(const char *bytes, size_t length, size_t cut, size_t step, struct outcome *outcome)
{
	struct frames frames = FRAMES_INIT;
	bool fine;

	*outcome = (struct outcome){.refused = false};
	if (step) {
		fine = true;
		for (size_t at = 0; fine && at < length; at += step)
			fine = feed_piece(&frames, bytes + at,
			                  length - at < step ? length - at : step, outcome);
	} else {
		fine = feed_piece(&frames, bytes, cut, outcome) &&
		       feed_piece(&frames, bytes + cut, length - cut, outcome);
	}
	outcome->refused = !fine;
	outcome->in_frame = frames_in_frame(&frames);
	snprintf(outcome->daemon_error, sizeof(outcome->daemon_error), "%s", frames.daemon_error);
}

static bool same(const struct strbuf *left, const struct strbuf *right)
{
	return left->length == right->length &&
	       (!left->length || !memcmp(left->data, right->data, left->length));
}

static void expect_same(const struct outcome *left, const struct outcome *right, const char *where,
                        size_t cut)
{
	cr_assert(same(&left->streams[CHUNK_STDOUT], &right->streams[CHUNK_STDOUT]), "%s at %zu",
	          where, cut);
	cr_assert(same(&left->streams[CHUNK_STDERR], &right->streams[CHUNK_STDERR]), "%s at %zu",
	          where, cut);
	cr_assert_eq(left->refused, right->refused);
	cr_assert_eq(left->in_frame, right->in_frame);
	cr_assert_str_eq(left->daemon_error, right->daemon_error);
}

static void check_recording(const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct outcome whole, other;
	FILE *file = fopen(path, "rb");
	char buffer[4096];
	const char *body;
	size_t length, stride;

	cr_assert_not_null(file, "%s", path);
	for (size_t got; (got = fread(buffer, 1, sizeof(buffer), file)) > 0;)
		strbuf_add(&text, buffer, got);
	fclose(file);
	body = memmem(text.data, text.length, "\r\n\r\n", 4);
	cr_assert_not_null(body, "%s has no head", path);
	body += 4;
	length = text.length - (size_t)(body - text.data);
	feed(body, length, 0, 0, &whole);
	cr_expect_not(whole.refused, "%s", path);
	cr_expect_not(whole.in_frame, "%s", path);
	/* Each cut reads the whole again: every byte of the small ones, a prime step in the large.
	 */
	stride = length > 4096 ? 61 : 1;
	for (size_t cut = 0; cut <= length; cut += stride) {
		feed(body, length, cut, 0, &other);
		expect_same(&whole, &other, path, cut);
		outcome_release(&other);
	}
	feed(body, length, 0, 1, &other);
	expect_same(&whole, &other, path, 0);
	outcome_release(&other);
	outcome_release(&whole);
}

/* With a terminal there are no frames; a refusal has no stream. */
static bool is_framed(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	return strncmp(name, "tty", 3) && strncmp(name, "err-", 4) &&
	       !(strstr(path, "podman") &&
	         (!strncmp(name, "enoent", 6) || !strncmp(name, "eacces", 6)));
}

Test(frames, recordings_split_anywhere_give_the_same, .timeout = 60)
{
	glob_t found;
	size_t checked = 0;

	cr_assert_eq(glob("tests/fixtures/*/http-*/*.attach.rsp", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (!is_framed(found.gl_pathv[i]))
			continue;
		check_recording(found.gl_pathv[i]);
		checked++;
	}
	globfree(&found);
	cr_expect_geq(checked, 15);
}

/* Docker 20.10's recording, by its words. */
Test(frames, streams_are_told_apart)
{
	static const char text[] = "\1\0\0\0\0\0\0\5out1\n\2\0\0\0\0\0\0\5err1\n"
				   "\0\0\0\0\0\0\0\3in\n\1\0\0\0\0\0\0\3end";
	struct outcome outcome;

	feed(text, sizeof(text) - 1, 0, 0, &outcome);
	cr_expect_str_eq(strbuf_str(&outcome.streams[CHUNK_STDOUT]), "out1\nin\nend");
	cr_expect_str_eq(strbuf_str(&outcome.streams[CHUNK_STDERR]), "err1\n");
	outcome_release(&outcome);
}

Test(frames, bad_headers_are_refused)
{
	static const char *const bad[] = {"\4\0\0\0\0\0\0\1x", "\xff\0\0\0\0\0\0\1x",
	                                  "\1\1\0\0\0\0\0\1x", "\1\0\1\0\0\0\0\1x",
	                                  "\1\0\0\1\0\0\0\1x", "HTTP/1.1 "};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct outcome outcome;

		feed(bad[i], 9, 0, 0, &outcome);
		cr_expect(outcome.refused, "header %zu", i);
		cr_expect_eq(outcome.streams[CHUNK_STDOUT].length, 0);
		outcome_release(&outcome);
		feed(bad[i], 9, 0, 1, &outcome);
		cr_expect(outcome.refused, "header %zu byte by byte", i);
		outcome_release(&outcome);
	}
}

Test(frames, a_length_of_4_gib_needs_no_memory)
{
	static const char header[] = "\1\0\0\0\xff\xff\xff\xff";
	struct frames frames = FRAMES_INIT;
	static char bytes[1 << 20];
	uint64_t total = 0;
	struct chunk piece;

	cr_assert_eq(frames_next(&frames, header, 8, &piece), 8);
	cr_expect_eq(piece.length, 0);
	while (frames_in_frame(&frames)) {
		cr_assert_gt(frames_next(&frames, bytes, sizeof(bytes), &piece), 0);
		cr_assert_eq((const void *)piece.bytes, (const void *)bytes);
		total += piece.length;
	}
	cr_expect_eq(total, UINT64_C(0xffffffff));
}

Test(frames, empty_frames_yield_nothing)
{
	static const char text[] =
		"\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1x\1\0\0\0\0\0\0\0";
	struct outcome outcome;

	feed(text, sizeof(text) - 1, 0, 0, &outcome);
	cr_expect_str_eq(strbuf_str(&outcome.streams[CHUNK_STDOUT]), "x");
	cr_expect_eq(outcome.streams[CHUNK_STDERR].length, 0);
	cr_expect_not(outcome.in_frame);
	outcome_release(&outcome);
}

Test(frames, an_error_of_the_daemon_is_no_output)
{
	static const char text[] = "\1\0\0\0\0\0\0\2ab\3\0\0\0\0\0\0\4oops\1\0\0\0\0\0\0\1c";
	struct outcome outcome;

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		feed(text, sizeof(text) - 1, cut, 0, &outcome);
		cr_expect_str_eq(strbuf_str(&outcome.streams[CHUNK_STDOUT]), "abc");
		cr_expect_str_eq(outcome.daemon_error, "oops");
		outcome_release(&outcome);
	}
}

Test(frames, a_long_error_of_the_daemon_is_cut)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct outcome outcome;

	strbuf_add(&text, "\3\0\0\0\0\0\2\0", 8);
	for (int i = 0; i < 512; i++)
		strbuf_addc(&text, 'e');
	feed(text.data, text.length, 0, 7, &outcome);
	cr_expect_eq(strlen(outcome.daemon_error), 255);
	cr_expect_not(outcome.in_frame);
	outcome_release(&outcome);
}

Test(frames, the_end_inside_a_frame_shows)
{
	static const char text[] = "\1\0\0\0\0\0\0\2ab";

	for (size_t length = 0; length <= 10; length++) {
		struct outcome outcome;

		feed(text, length, 0, 0, &outcome);
		cr_expect_eq(outcome.in_frame, length > 0 && length < 10, "%zu bytes", length);
		outcome_release(&outcome);
	}
}
