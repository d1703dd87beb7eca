/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/schedule/zone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "pkg/base/options.h"
#include "pkg/base/strbuf.h"
#include "pkg/schedule/zone_rule.h"

#define MAX_FILE_BYTES (1 << 20)
#define HEADER_BYTES   44
#define MAX_RULE_BYTES 128
#define MAX_PART_BYTES 14
#define MAX_NAME_BYTES 255
#define MAX_NEIGHBOURS 512

struct zone {
	int64_t *times;   /* owned; when `offsets[i]` begins */
	int64_t *offsets; /* owned */
	size_t count;
	int64_t first; /* before times[0] */
	bool has_rule; /* from the last change on */
	struct zone_rule rule;
};

void zone_release(struct zone **zone)
{
	if (!*zone)
		return;
	free((*zone)->times);
	free((*zone)->offsets);
	free(*zone);
	*zone = NULL;
}

int64_t zone_offset(const struct zone *zone, int64_t unix_seconds)
{
	size_t low = 0, high;

	if (!zone)
		return 0;
	high = zone->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->times[middle] <= unix_seconds)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->count && zone->has_rule)
		return zone_rule_offset(&zone->rule, unix_seconds);
	return low == 0 ? zone->first : zone->offsets[low - 1];
}

/* ---- the file ---------------------------------------------------------------------------------- */

/* One of the two blocks of a file: its counts and where it begins. */
struct block {
	size_t leaps, times, types, letters, standards, universals;
	size_t time_bytes; /* 4 in the first, 8 in the second block */
	size_t begin, length;
};

static uint64_t read_big(const unsigned char *bytes, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static int64_t read_signed(const unsigned char *bytes, size_t count)
{
	uint64_t value = read_big(bytes, count);

	return count == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

static int wrong_file(const char *what, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "not a time zone file: %s", what);
}

/* The header at `begin`; the block behind it lies within the file. */
static int read_header(const unsigned char *bytes, size_t length, size_t begin, size_t time_bytes,
                       struct block *ret, struct err *err)
{
	const unsigned char *at = bytes + begin;

	if (length < HEADER_BYTES || begin > length - HEADER_BYTES || memcmp(at, "TZif", 4) != 0)
		return wrong_file("it does not begin with TZif", err);
	*ret = (struct block){
		.universals = read_big(at + 20, 4),
		.standards = read_big(at + 24, 4),
		.leaps = read_big(at + 28, 4),
		.times = read_big(at + 32, 4),
		.types = read_big(at + 36, 4),
		.letters = read_big(at + 40, 4),
		.time_bytes = time_bytes,
		.begin = begin + HEADER_BYTES,
	};
	/* Each is below 2^32, so the sum cannot overflow. */
	ret->length = ret->times * (time_bytes + 1) + ret->types * 6 + ret->letters +
	              ret->leaps * (time_bytes + 4) + ret->standards + ret->universals;
	if (ret->length > length - ret->begin)
		return wrong_file("it is cut off", err);
	if (ret->types == 0 || ret->types > 256)
		return wrong_file("it has no types", err);
	return 0;
}

static int read_changes(const unsigned char *bytes, const struct block *block, struct zone *zone,
                        struct err *err)
{
	const unsigned char *times = bytes + block->begin;
	const unsigned char *indices = times + block->times * block->time_bytes;
	const unsigned char *types = indices + block->times;

	zone->times = calloc(block->times + 1, sizeof(*zone->times));
	zone->offsets = calloc(block->times + 1, sizeof(*zone->offsets));
	if (!zone->times || !zone->offsets)
		return err_no_memory(err);
	for (size_t i = 0; i < block->types; i++) {
		int64_t offset = read_signed(types + i * 6, 4);

		if (offset <= -26 * 3600 || offset >= 26 * 3600)
			return wrong_file("an offset is out of range", err);
	}
	zone->first = read_signed(types, 4);
	for (size_t i = 0; i < block->times; i++) {
		if (indices[i] >= block->types)
			return wrong_file("a change has no type", err);
		zone->times[i] = read_signed(times + i * block->time_bytes, block->time_bytes);
		zone->offsets[i] = read_signed(types + (size_t)indices[i] * 6, 4);
		if (i > 0 && zone->times[i] <= zone->times[i - 1])
			return wrong_file("the changes are in no order", err);
	}
	zone->count = block->times;
	return 0;
}

/* "\nRULE\n" behind the second block; empty: the last change holds for ever. */
static int read_rule(const unsigned char *bytes, size_t length, size_t begin, struct zone *zone,
                     struct err *err)
{
	const unsigned char *end;
	char text[MAX_RULE_BYTES];
	size_t count;

	if (begin >= length || bytes[begin] != '\n')
		return wrong_file("its rule is missing", err);
	end = memchr(bytes + begin + 1, '\n', length - begin - 1);
	if (!end)
		return wrong_file("its rule does not end", err);
	count = (size_t)(end - bytes) - begin - 1;
	if (count == 0)
		return 0;
	if (count >= sizeof(text))
		return wrong_file("its rule is too long", err);
	memcpy(text, bytes + begin + 1, count);
	text[count] = '\0';
	if (strlen(text) != count || zone_rule_parse(text, &zone->rule) < 0)
		return wrong_file("its rule cannot be read", err);
	zone->has_rule = true;
	return 0;
}

int zone_parse(const void *bytes, size_t length, struct zone **ret, struct err *err)
{
	_cleanup_(zone_release) struct zone *zone = calloc(1, sizeof(*zone));
	const unsigned char *data = bytes;
	struct block block;

	if (!zone)
		return err_no_memory(err);
	if (read_header(data, length, 0, 4, &block, err) < 0)
		return -1;
	if (data[4] >= '2') {
		if (read_header(data, length, block.begin + block.length, 8, &block, err) < 0 ||
		    read_rule(data, length, block.begin + block.length, zone, err) < 0)
			return -1;
	}
	if (read_changes(data, &block, zone, err) < 0)
		return -1;
	*ret = TAKE_PTR(zone);
	return 0;
}

static int read_file(int fd, struct strbuf *text, struct err *err)
{
	char bytes[4096];

	for (;;) {
		ssize_t got = read(fd, bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "read");
		if (got == 0)
			return text->failed ? wrong_file("it is too large", err) : 0;
		strbuf_add(text, bytes, (size_t)got);
	}
}

static int open_path(const char *path, struct zone **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(MAX_FILE_BYTES);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;

	if (fd < 0)
		return err_errno(err, "%s", path);
	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
		return wrong_file("it is no file", err);
	if (read_file(fd, &text, err) < 0)
		return -1;
	return zone_parse(strbuf_str(&text), text.length, ret, err);
}

/* ---- names ------------------------------------------------------------------------------------- */

static bool is_part(const char *part, size_t length)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789.-_+";

	if (length == 0 || length > MAX_PART_BYTES || part[0] == '-' ||
	    strspn(part, allowed) < length)
		return false;
	return !(length == 1 && part[0] == '.') && !(length == 2 && !strncmp(part, "..", 2));
}

int zone_check_name(const char *name, struct err *err)
{
	const char *part = name;

	if (!strcasecmp(name, "Local")) {
		err_set(err, ERR_USAGE, "time zone '%s': which one that is depends on the machine",
		        name);
		return err_hint(err, "name it, for example Europe/Berlin or UTC");
	}
	for (;;) {
		size_t length = strcspn(part, "/");

		if (!is_part(part, length) || strlen(name) > MAX_NAME_BYTES) {
			err_set(err, ERR_USAGE, "'%s' is no name of a time zone", name);
			return err_hint(err, "for example: Europe/Berlin, America/New_York, UTC");
		}
		if (!part[length])
			return 0;
		part += length + 1;
	}
}

static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"};

static const char *database(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (access(folders[i], X_OK) == 0)
			return folders[i];
	return NULL;
}

/* Puts the nearest name beside the wrong one into the hint. */
static void hint_near(const char *folder, const char *name, struct err *err)
{
	const char *slash = strrchr(name, '/'), *near = NULL;
	int prefix = slash ? (int)(slash - name) + 1 : 0, count;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	const char *names[MAX_NEIGHBOURS];
	struct dirent **entries;

	strbuf_addf(&path, "%s/%.*s", folder, prefix, name);
	count = scandir(strbuf_str(&path), &entries, NULL, alphasort);
	for (int i = 0; i < count && i < MAX_NEIGHBOURS; i++) {
		names[i] = entries[i]->d_name;
		if (!strcasecmp(names[i], name + prefix))
			near = names[i];
	}
	if (!near && count > 0)
		near = nearest_name(name + prefix, names,
		                    (size_t)(count < MAX_NEIGHBOURS ? count : MAX_NEIGHBOURS));
	if (near)
		err_hint(err, "did you mean '%.*s%s'?", prefix, name, near);
	else
		err_hint(err, "see what there is with: ls -R %s", folder);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	if (count >= 0)
		free(entries);
}

int zone_open(const char *name, struct zone **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	const char *folder = database();
	struct err why = ERR_INIT;

	if (zone_check_name(name, err) < 0)
		return -1;
	if (!strcmp(name, "UTC")) {
		*ret = NULL;
		return 0;
	}
	if (!folder) {
		err_set(err, ERR_NOT_FOUND, "this machine has no list of time zones (%s)",
		        folders[0]);
		return err_hint(err, "install it: apt-get install tzdata");
	}
	strbuf_addf(&path, "%s/%s", folder, name);
	if (path.failed)
		return err_no_memory(err);
	if (open_path(strbuf_str(&path), ret, &why) == 0)
		return 0;
	if (why.kind == ERR_NO_MEMORY) {
		*err = why;
		return -1;
	}
	err_set(err, ERR_USAGE, "there is no time zone '%s'", name);
	hint_near(folder, name, err);
	return -1;
}

int zone_open_local(struct zone **ret, struct err *err)
{
	if (access("/etc/localtime", F_OK) < 0) {
		*ret = NULL;
		return 0;
	}
	if (open_path("/etc/localtime", ret, err) < 0)
		return err_wrap(err, "/etc/localtime");
	return 0;
}
