/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/env_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include "pkg/base/strbuf.h"
#include "pkg/base/utf8.h"

#define KEY_SHOWN 64 /* bytes of a bad key in a message: it may be a value that lost its key */

/* An entry with its place, so that sorting brings those of one key together in their order. */
struct entry {
	char *text; /* owned by the list it came from until all is settled */
	size_t index;
};

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	size_t a_length = strcspn(a->text, "=");
	size_t b_length = strcspn(b->text, "=");
	size_t shorter = a_length < b_length ? a_length : b_length;
	int order = memcmp(a->text, b->text, shorter);

	if (order)
		return order;
	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return 0;
}

static int compare_with_place(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_entries(left, right);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Puts each key's last text at the place of its first one and frees the texts between. */
static void settle(struct entry *entries, size_t count, char **items)
{
	for (size_t first = 0, next; first < count; first = next) {
		for (next = first + 1; next < count; next++) {
			if (compare_entries(&entries[next - 1], &entries[next]))
				break;
			free(entries[next - 1].text);
		}
		items[entries[first].index] = entries[next - 1].text;
	}
}

/* Moves the entries of `added`, of which there is one at least, to `env`. By sorting, because a
 * file may hold very many. All memory is taken before anything changes. */
static int merge(struct strv *env, struct strv *added, struct err *err)
{
	size_t count = env->count + added->count, kept = 0;
	_cleanup_free_ struct entry *entries = calloc(count + 1, sizeof(*entries));
	char **items = calloc(count + 1, sizeof(*items));

	if (!entries || !items) {
		free(items);
		return err_no_memory(err);
	}
	for (size_t i = 0; i < count; i++) {
		bool old = i < env->count;

		entries[i].text = old ? env->items[i] : added->items[i - env->count];
		entries[i].index = i;
	}
	qsort(entries, count, sizeof(*entries), compare_with_place);
	settle(entries, count, items);
	for (size_t i = 0; i < count; i++) {
		if (items[i])
			items[kept++] = items[i];
	}
	items[kept] = NULL;
	free(env->items);
	free(added->items);
	*added = (struct strv)STRV_INIT;
	*env = (struct strv){.items = items, .count = kept, .allocated = count + 1};
	return 0;
}

/* Appends "KEY=VALUE", or a bare key that has a local value. Without one a file skips it, and -e
 * takes the variable away, both as docker has it. */
static int add_entry(struct strv *list, const char *text, bool bare_removes, struct err *err)
{
	const char *local = NULL;
	int status;

	if (strchr(text, '=')) {
		status = strv_add(list, text);
	} else {
		local = getenv(text);
		if (local)
			status = strv_addf(list, "%s=%s", text, local);
		else
			status = bare_removes ? strv_add(list, text) : 0;
	}
	return status < 0 ? err_no_memory(err) : 0;
}

int env_option_add(const char *text, struct strv *env, struct err *err)
{
	_cleanup_(strv_release) struct strv added = STRV_INIT;

	if (!*text || *text == '=') {
		err_set(err, ERR_USAGE, "an environment entry has no key");
		return err_hint(err, "write -e KEY=VALUE, or -e KEY for the local value");
	}
	if (add_entry(&added, text, true, err) < 0)
		return -1;
	return added.count ? merge(env, &added, err) : 0;
}

static bool is_space(uint32_t code)
{
	return (code >= '\t' && code <= '\r') || code == ' ' || code == 0x85 || code == 0xa0 ||
	       code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
	       code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

/* docker trims by Unicode: a no-break space from a web page must not become part of a name. */
static const char *skip_space(const char *text)
{
	size_t size, length = strlen(text);
	uint32_t code;

	while ((size = utf8_decode(text, length, &code)) && is_space(code)) {
		text += size;
		length -= size;
	}
	return text;
}

static bool has_space(const char *text, size_t length)
{
	uint32_t code;

	while (length) {
		size_t size = utf8_decode(text, length, &code);

		if (!size || is_space(code))
			return true;
		text += size;
		length -= size;
	}
	return false;
}

/* One line without its end; the text is checked for NUL and UTF-8 and ends with a NUL of its own.
 */
static int parse_line(const char *line, struct strv *list, struct err *err)
{
	const char *text = skip_space(line);
	size_t key_length = strcspn(text, "=");

	if (!*text || *text == '#')
		return 0;
	if (!key_length)
		return err_set(err, ERR_USAGE, "no key before the '='");
	if (has_space(text, key_length)) {
		int shown = key_length < KEY_SHOWN ? (int)key_length : KEY_SHOWN;

		err_set(err, ERR_USAGE, "white space in the key '%.*s'", shown, text);
		return err_hint(err, "a line is KEY=VALUE, without \"export\" and without "
		                     "spaces before the '='");
	}
	return add_entry(list, text, false, err);
}

/* The line at *text up to \n, \r\n or the end; *text moves behind it. */
static char *take_line(const char **text, const char *end)
{
	size_t rest = (size_t)(end - *text);
	const char *newline = memchr(*text, '\n', rest);
	size_t length = newline ? (size_t)(newline - *text) : rest;
	char *line;

	if (length && (*text)[length - 1] == '\r')
		line = strndup(*text, length - 1);
	else
		line = strndup(*text, length);
	*text = newline ? newline + 1 : end;
	return line;
}

int env_file_parse(const char *text, size_t length, const char *name, struct strv *env,
                   struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	_cleanup_(strv_release) struct strv added = STRV_INIT;
	const char *end = text + length;

	if (length >= strlen(mark) && !memcmp(text, mark, strlen(mark)))
		text += strlen(mark);
	for (size_t number = 1; text < end; number++) {
		const char *start = text;
		_cleanup_free_ char *line = take_line(&text, end);
		size_t size = (size_t)(text - start);
		int status;

		if (!line)
			return err_no_memory(err);
		if (memchr(start, '\0', size))
			status = err_set(err, ERR_USAGE, "a NUL byte");
		else if (!utf8_valid(start, size))
			status = err_set(err, ERR_USAGE, "invalid UTF-8");
		else
			status = parse_line(line, &added, err);
		if (status < 0 && err->kind != ERR_NO_MEMORY)
			err_wrap(err, "env file '%s', line %zu", name, number);
		if (status < 0)
			return -1;
	}
	return added.count ? merge(env, &added, err) : 0;
}

static int read_all(int fd, const char *path, struct strbuf *text, struct err *err)
{
	char chunk[16384];
	ssize_t got;

	do {
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno != EINTR)
			return err_errno(err, "read env file '%s'", path);
		if (got > 0)
			strbuf_add(text, chunk, (size_t)got);
		if (text->failed && text->length + (size_t)got > ENV_FILE_MAX)
			return err_set(err, ERR_USAGE, "env file '%s' is larger than %zu MiB", path,
			               ENV_FILE_MAX >> 20);
		if (text->failed)
			return err_no_memory(err);
	} while (got);
	return 0;
}

int env_file_read(const char *path, struct strv *env, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(ENV_FILE_MAX);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, "open env file '%s'", path);
	if (read_all(fd, path, &text, err) < 0)
		return -1;
	return env_file_parse(strbuf_str(&text), text.length, path, env, err);
}
