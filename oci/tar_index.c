/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/tar_index.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "pkg/base/number.h"
#include "pkg/base/strbuf.h"

#define BLOCK     512
#define MAX_EXTRA ((uint64_t)1 << 20) /* of one pax header or long name */
#define MAX_LINKS 8

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100],
		magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};

/* What headers before a member say about it. */
struct extra {
	char *name, *link; /* owned */
	uint64_t size;
	bool has_size;
};

static void extra_release(struct extra *extra)
{
	free(extra->name);
	free(extra->link);
	*extra = (struct extra){.name = NULL};
}

void tar_index_release(struct tar_index *index)
{
	for (size_t i = 0; i < index->count; i++) {
		free(index->members[i].name);
		free(index->members[i].link);
	}
	free(index->members);
	*index = (struct tar_index){.members = NULL};
}

static int read_at(int fd, void *bytes, size_t length, uint64_t offset, struct err *err)
{
	char *next = bytes;

	while (length > 0) {
		ssize_t got = pread(fd, next, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "cannot read the tar");
		if (got == 0)
			return err_set(err, ERR_PROTOCOL, "the tar ends too early");
		next += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

/* Octal with blanks or NUL around it, or GNU's base 256. */
static int read_number(const char *field, size_t length, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	if ((unsigned char)field[0] == 0x80) {
		for (i = 1; i < length; i++) {
			if (value >> 55)
				return -1;
			value = value << 8 | (unsigned char)field[i];
		}
		*ret = value;
		return 0;
	}
	while (i < length && field[i] == ' ')
		i++;
	for (; i < length && field[i] >= '0' && field[i] <= '7'; i++) {
		if (value >> 60)
			return -1;
		value = value << 3 | (uint64_t)(field[i] - '0');
	}
	if (i < length && field[i] != ' ' && field[i] != '\0')
		return -1;
	*ret = value;
	return 0;
}

static bool checksum_holds(const struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	size_t first = offsetof(struct header, checksum);
	uint64_t wanted, sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= first && i < first + sizeof(header->checksum) ? ' ' : bytes[i];
	return read_number(header->checksum, sizeof(header->checksum), &wanted) == 0 &&
	       wanted == sum;
}

static bool is_end(const struct header *header)
{
	static const char zeros[BLOCK];

	return !memcmp(header, zeros, BLOCK);
}

/* One "LENGTH KEY=VALUE\n" of a pax header; returns its length, or 0 when it is none. */
static size_t read_record(const char *text, size_t length, struct extra *extra, struct err *err)
{
	size_t blank = 0, record = 0;
	const char *equals;
	char *value;

	while (blank < length && blank < 8 && text[blank] >= '0' && text[blank] <= '9')
		record = record * 10 + (size_t)(text[blank++] - '0');
	if (blank >= length || text[blank] != ' ' || record > length || record < blank + 3 ||
	    text[record - 1] != '\n')
		return 0;
	equals = memchr(text + blank, '=', record - blank);
	if (!equals)
		return 0;
	value = strndup(equals + 1, record - (size_t)(equals + 1 - text) - 1);
	if (!value) {
		err_no_memory(err);
		return 0;
	}
	if (!strncmp(text + blank, " path=", 6)) {
		free(extra->name);
		extra->name = TAKE_PTR(value);
	} else if (!strncmp(text + blank, " linkpath=", 10)) {
		free(extra->link);
		extra->link = TAKE_PTR(value);
	} else if (!strncmp(text + blank, " size=", 6)) {
		int64_t size;

		extra->has_size = parse_int64(value, 0, INT64_MAX, &size) == 0;
		extra->size = extra->has_size ? (uint64_t)size : 0;
		record = extra->has_size ? record : 0;
	}
	free(value);
	return record;
}

static int read_extra(int fd, uint64_t offset, uint64_t size, char type, struct extra *extra,
                      struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (size > MAX_EXTRA)
		return err_set(err, ERR_REFUSED, "the tar has a header of %" PRIu64 " bytes", size);
	text = calloc(1, size + 1);
	if (!text)
		return err_no_memory(err);
	if (read_at(fd, text, size, offset, err) < 0)
		return -1;
	if (type == 'L' || type == 'K') {
		char **where = type == 'L' ? &extra->name : &extra->link;

		free(*where);
		*where = TAKE_PTR(text);
		return 0;
	}
	for (size_t used = 0; used < size;) {
		size_t record = read_record(text + used, size - used, extra, err);

		if (!record)
			return err->kind
			               ? -1
			               : err_set(err, ERR_PROTOCOL, "the tar has a bad pax header");
		used += record;
	}
	return 0;
}

static char *member_name(const struct header *header, const struct extra *extra)
{
	const char *given = extra->name;
	char joined[sizeof(header->prefix) + sizeof(header->name) + 2];
	size_t used = 0;

	if (!given) {
		size_t prefix = strnlen(header->prefix, sizeof(header->prefix));

		if (!memcmp(header->magic, "ustar\0", 6) && prefix) {
			memcpy(joined, header->prefix, prefix);
			used = prefix;
			joined[used++] = '/';
		}
		prefix = strnlen(header->name, sizeof(header->name));
		memcpy(joined + used, header->name, prefix);
		joined[used + prefix] = '\0';
		given = joined;
	}
	while (!strncmp(given, "./", 2))
		given += 2;
	return strdup(given);
}

static int add_member(struct tar_index *index, const struct header *header,
                      const struct extra *extra, uint64_t offset, uint64_t size, struct err *err)
{
	struct tar_member *member;

	if (index->count == TAR_MAX_MEMBERS)
		return err_set(err, ERR_REFUSED, "the tar has more than %d members",
		               TAR_MAX_MEMBERS);
	if (index->count == index->allocated) {
		size_t room = index->allocated ? index->allocated * 2 : 64;
		struct tar_member *grown = reallocarray(index->members, room, sizeof(*grown));

		if (!grown)
			return err_no_memory(err);
		index->members = grown;
		index->allocated = room;
	}
	member = &index->members[index->count++];
	*member = (struct tar_member){.offset = offset, .size = size};
	member->name = member_name(header, extra);
	if (header->type == '1' || header->type == '2')
		member->link = extra->link ? strdup(extra->link)
		                           : strndup(header->link, sizeof(header->link));
	if (!member->name || ((header->type == '1' || header->type == '2') && !member->link))
		return err_no_memory(err);
	return 0;
}

/* Folders, devices, and what old GNU tars do with sparse files are no members that could be read. */
static bool is_wanted(const struct header *header)
{
	return header->type == '0' || header->type == '\0' || header->type == '7' ||
	       header->type == '1' || header->type == '2';
}

static int no_tar(int fd, uint64_t length, struct err *err)
{
	unsigned char first[4] = {0};

	if (length >= 4 && read_at(fd, first, 4, 0, err) == 0 &&
	    ((first[0] == 0x1f && first[1] == 0x8b) || !memcmp(first, "\x28\xb5\x2f\xfd", 4))) {
		err_set(err, ERR_PROTOCOL, "the tar is packed; it is read in place");
		return err_hint(err, "unpack it first: gunzip FILE, or zstd -d FILE");
	}
	return err_set(err, ERR_PROTOCOL, "this is no tar");
}

static int read_members(int fd, uint64_t length, struct tar_index *index, struct extra *extra,
                        struct err *err)
{
	uint64_t offset = 0;

	while (length - offset >= BLOCK) {
		struct header header;
		uint64_t size;

		if (read_at(fd, &header, BLOCK, offset, err) < 0)
			return -1;
		if (is_end(&header))
			return index->count ? 0 : no_tar(fd, length, err);
		if (!checksum_holds(&header))
			return offset ? err_set(err, ERR_PROTOCOL, "the tar has a bad header")
			              : no_tar(fd, length, err);
		if (read_number(header.size, sizeof(header.size), &size) < 0)
			return err_set(err, ERR_PROTOCOL, "the tar has a member of no size");
		if (extra->has_size && strchr("LKxg", header.type) == NULL)
			size = extra->size;
		if (header.type == '1' || header.type == '2' || header.type == '5')
			size = 0;
		offset += BLOCK;
		if (size > length - offset)
			return err_set(err, ERR_PROTOCOL, "the tar ends too early");
		if (header.type && strchr("LKx", header.type)) {
			if (read_extra(fd, offset, size, header.type, extra, err) < 0)
				return -1;
		} else if (header.type != 'g') {
			if (is_wanted(&header) &&
			    add_member(index, &header, extra, offset, size, err) < 0)
				return -1;
			extra_release(extra);
		}
		size = (size + BLOCK - 1) / BLOCK * BLOCK;
		if (size > length - offset)
			break; /* the last one may lack its padding */
		offset += size;
	}
	return index->count ? 0 : no_tar(fd, length, err);
}

int tar_index_read(int fd, uint64_t length, struct tar_index *ret, struct err *err)
{
	_cleanup_(tar_index_release) struct tar_index index = {.members = NULL};
	_cleanup_(extra_release) struct extra extra = {.name = NULL};

	if (length > INT64_MAX)
		return err_set(err, ERR_REFUSED, "the tar is too large");
	if (read_members(fd, length, &index, &extra, err) < 0)
		return -1;
	*ret = index;
	index = (struct tar_index){.members = NULL};
	return 0;
}

static const struct tar_member *find_member(const struct tar_index *index, const char *name)
{
	for (size_t i = index->count; i > 0; i--)
		if (!strcmp(index->members[i - 1].name, name))
			return &index->members[i - 1];
	return NULL;
}

/* A symbolic link's target is relative to its folder, a hard link's to the tar's root. ".." only goes up
 * inside. */
static char *resolve(const char *name, const char *link)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT_CAP(8192);
	const char *slash = strrchr(name, '/');

	if (link[0] != '/' && slash)
		strbuf_add(&path, name, (size_t)(slash - name));
	while (*link && !path.failed) {
		size_t length = strcspn(link, "/");

		if (length == 2 && !memcmp(link, "..", 2)) {
			const char *cut = strrchr(strbuf_str(&path), '/');
			size_t keep = cut ? (size_t)(cut - path.data) : 0;

			if (path.data)
				path.data[path.length = keep] = '\0';
		} else if (length && !(length == 1 && *link == '.')) {
			if (path.length)
				strbuf_addc(&path, '/');
			strbuf_add(&path, link, length);
		}
		link += length;
		link += *link == '/';
	}
	return path.failed ? NULL : strbuf_take(&path);
}

const struct tar_member *tar_index_find(const struct tar_index *index, const char *name)
{
	_cleanup_free_ char *current = strdup(name);

	for (int i = 0; current && i < MAX_LINKS; i++) {
		const struct tar_member *member = find_member(index, current);
		char *next;

		if (!member || !member->link)
			return member;
		next = resolve(current, member->link);
		free(current);
		current = next;
	}
	return NULL;
}
