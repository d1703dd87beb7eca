/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/mountinfo.h"

#include <string.h>
#include "pkg/base/strbuf.h"

#define MAX_LOWER 500 /* the kernel's own limit */

void root_mount_release(struct root_mount *mount)
{
	strv_release(&mount->lower);
	strv_release(&mount->options);
	*mount = (struct root_mount){.overlay = false};
}

static bool is_octal(char byte)
{
	return byte >= '0' && byte <= '7';
}

/* The kernel writes blanks, tabs, newlines and backslashes as \ooo, overlayfs its own colons and
 * commas as well. */
static char *unescape(const char *text, size_t length)
{
	char *result = malloc(length + 1);
	size_t used = 0;

	if (!result)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\' && length - i > 3 && is_octal(text[i + 1]) &&
		    is_octal(text[i + 2]) && is_octal(text[i + 3])) {
			result[used++] = (char)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
			                        (text[i + 3] - '0'));
			i += 3;
		} else {
			result[used++] = text[i];
		}
	}
	result[used] = '\0';
	return result;
}

/* "a:b::c": a doubled colon stands before data-only folders, which hold no names of their own. A
 * backslash keeps the colon behind it. */
static int add_lower(struct root_mount *mount, const char *list, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf one = STRBUF_INIT;

	for (;; list++) {
		if (*list == '\\' && list[1]) {
			strbuf_addc(&one, *++list);
		} else if (*list && *list != ':') {
			strbuf_addc(&one, *list);
		} else {
			if (one.length && strv_add(&mount->lower, strbuf_str(&one)) < 0)
				return err_no_memory(err);
			if (mount->lower.count > MAX_LOWER)
				return err_set(err, ERR_PROTOCOL,
				               "the root has too many lower folders");
			strbuf_reset(&one);
		}
		if (!*list)
			return one.failed ? err_no_memory(err) : 0;
	}
}

static bool is_wanted_option(const char *option)
{
	static const char *const names[] = {
		"userxattr", "redirect_dir=", "metacopy=", "index=", "xino=", "uuid="};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(option, names[i], strlen(names[i])))
			return true;
	return false;
}

static int add_option(struct root_mount *mount, const char *text, size_t length, struct err *err)
{
	static const char lower[] = "lowerdir=", more[] = "lowerdir+=";
	_cleanup_free_ char *option = unescape(text, length);

	if (!option)
		return err_no_memory(err);
	if (!strncmp(option, lower, strlen(lower)))
		return add_lower(mount, option + strlen(lower), err);
	if (!strncmp(option, more, strlen(more)))
		return strv_add(&mount->lower, option + strlen(more)) < 0 ? err_no_memory(err) : 0;
	if (is_wanted_option(option) && strv_add(&mount->options, option) < 0)
		return err_no_memory(err);
	return 0;
}

/* Options are parted by commas; overlayfs escapes those inside a path. */
static int parse_options(struct root_mount *mount, const char *options, size_t length,
                         struct err *err)
{
	size_t start = 0;

	for (size_t i = 0; i <= length; i++) {
		if (i < length && options[i] == '\\' && i + 1 < length) {
			i++;
			continue;
		}
		if (i < length && options[i] != ',')
			continue;
		if (add_option(mount, options + start, i - start, err) < 0)
			return -1;
		start = i + 1;
	}
	return 0;
}

struct field {
	const char *text;
	size_t length;
};

/* Field `wanted` (from 0) of a line whose fields stand one blank apart. */
static struct field field_at(const char *line, size_t length, size_t wanted)
{
	size_t start = 0, index = 0;

	for (size_t i = 0; i <= length; i++) {
		if (i < length && line[i] != ' ')
			continue;
		if (index++ == wanted)
			return (struct field){line + start, i - start};
		start = i + 1;
	}
	return (struct field){NULL, 0};
}

/* Optional fields end with a lone "-"; behind it stand type, source and super options. */
static const char *behind_dash(const char *line, size_t length)
{
	for (size_t i = 0; i + 3 <= length; i++)
		if (!memcmp(line + i, " - ", 3))
			return line + i + 3;
	return NULL;
}

static int parse_line(struct root_mount *mount, const char *line, size_t length, struct err *err)
{
	const char *rest = behind_dash(line, length);
	size_t rest_length = rest ? length - (size_t)(rest - line) : 0;
	struct field type, options;

	if (!rest)
		return err_set(err, ERR_PROTOCOL, "mountinfo has a line without ' - '");
	type = field_at(rest, rest_length, 0);
	options = field_at(rest, rest_length, 2);
	if (type.length != 7 || memcmp(type.text, "overlay", 7) || !options.text)
		return 0;
	if (parse_options(mount, options.text, options.length, err) < 0)
		return -1;
	/* One that does not tell its layers cannot be made again. */
	mount->overlay = mount->lower.count > 0;
	return 0;
}

int root_mount_parse(const char *mountinfo, struct root_mount *ret, struct err *err)
{
	_cleanup_(root_mount_release) struct root_mount mount = {.overlay = false};
	bool found = false;

	while (*mountinfo) {
		size_t length = strcspn(mountinfo, "\n");
		struct field point = field_at(mountinfo, length, 4);

		if (point.length == 1 && *point.text == '/') {
			root_mount_release(&mount);
			if (parse_line(&mount, mountinfo, length, err) < 0)
				return -1;
			found = true;
		}
		mountinfo += length;
		mountinfo += *mountinfo == '\n';
	}
	if (!found)
		return err_set(err, ERR_PROTOCOL, "mountinfo has no root");
	*ret = mount;
	mount = (struct root_mount){.overlay = false};
	return 0;
}
