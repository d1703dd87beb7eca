/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin says: stdout is secret and goes to the parser alone, stderr is for people. */
#include "pkg/kube/credentials_internal.h"

#include <errno.h>
#include <string.h>

/* More than this is kept from the person's screen; the tail still goes into an error. */
#define LINES_REPORTED 50
/* A program that never ends a line is reported in pieces of this size. */
#define UNREPORTED_MAX 1024
/* Bytes of its words in an error, which has a message of its own. */
#define LAST_WORDS 600
/* Reads in a row, so that a chatterbox cannot keep us from looking at the clock. */
#define READS_MAX 16

/* The bytes read; 0 when there are none now; -1 at the end, with *fd closed. */
static ssize_t read_some(int *fd, char *block, size_t size)
{
	ssize_t count;

	if (*fd < 0)
		return 0;
	do
		count = read(*fd, block, size);
	while (count < 0 && errno == EINTR);
	if (count > 0)
		return count;
	if (count < 0 && errno == EAGAIN)
		return 0;
	close(*fd);
	*fd = -1;
	return -1;
}

int credentials_read_output(struct credentials_plugin *plugin, struct err *err)
{
	char block[4096];

	for (size_t i = 0; i < READS_MAX; i++) {
		ssize_t count = read_some(&plugin->output, block, sizeof(block));

		if (count <= 0)
			break;
		strbuf_add(&plugin->text, block, (size_t)count);
		explicit_bzero(block, (size_t)count);
		if (plugin->text.failed)
			return err_set(err, ERR_DENIED,
			               "it wrote more than %zu bytes to its stdout",
			               CREDENTIALS_MAX_BYTES);
	}
	return 0;
}

/* Keeps the last bytes. */
static void keep_tail(struct credentials_plugin *plugin, const char *bytes, size_t length)
{
	size_t room = sizeof(plugin->tail) - plugin->tail_length;

	if (length > sizeof(plugin->tail)) {
		bytes += length - sizeof(plugin->tail);
		length = sizeof(plugin->tail);
	}
	if (length > room) {
		size_t gone = length - room;

		plugin->tail_length -= gone;
		memmove(plugin->tail, plugin->tail + gone, plugin->tail_length);
	}
	memcpy(plugin->tail + plugin->tail_length, bytes, length);
	plugin->tail_length += length;
}

static void report_line(struct credentials_plugin *plugin, const char *line, size_t length)
{
	const char *slash = strrchr(plugin->exec->command, '/');

	while (length && strchr(" \t\r", line[length - 1]) && line[length - 1])
		length--;
	if (!length || plugin->reported_lines >= LINES_REPORTED)
		return;
	plugin->reported_lines++;
	report(plugin->reporter, REPORT_NOTE, "%s: %.*s", slash ? slash + 1 : plugin->exec->command,
	       (int)length, line);
}

void credentials_report_words(struct credentials_plugin *plugin)
{
	const char *text = strbuf_str(&plugin->unreported);
	const char *end = text + plugin->unreported.length;

	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));

		line_end = line_end ? line_end : end;
		report_line(plugin, text, (size_t)(line_end - text));
		text = line_end + 1;
	}
	strbuf_reset(&plugin->unreported);
}

size_t credentials_read_words(struct credentials_plugin *plugin)
{
	size_t total = 0;
	char block[512];

	for (size_t i = 0; i < READS_MAX; i++) {
		ssize_t count = read_some(&plugin->words, block, sizeof(block));

		if (count <= 0)
			break;
		total += (size_t)count;
		keep_tail(plugin, block, (size_t)count);
		if (plugin->reported_lines >= LINES_REPORTED)
			continue;
		if (plugin->unreported.length + (size_t)count > UNREPORTED_MAX)
			credentials_report_words(plugin);
		strbuf_add(&plugin->unreported, block, (size_t)count);
	}
	return total;
}

void credentials_last_words(const struct credentials_plugin *plugin, struct strbuf *ret)
{
	size_t length = plugin->tail_length;
	size_t begin = length > LAST_WORDS ? length - LAST_WORDS : 0;
	bool gap = false;

	for (size_t i = begin; i < length; i++) {
		char byte = plugin->tail[i];

		if (strchr("\r\n", byte)) {
			gap = ret->length > 0;
			continue;
		}
		if (gap)
			strbuf_adds(ret, "; ");
		gap = false;
		strbuf_addc(ret, byte);
	}
}
