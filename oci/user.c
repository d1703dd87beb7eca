/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/user.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "oci/file.h"
#include "pkg/base/number.h"
#include "pkg/base/strbuf.h"

#define FILE_MAX_BYTES ((size_t)4 << 20)
#define LINE_MAX_BYTES ((size_t)64 << 10)
#define FIELD_MAX      8
#define ID_MAX         INT32_MAX /* what Docker takes at most */

/* Walks over the lines of a passwd or group file. */
struct reader {
	const char *name; /* for messages */
	const char *next;
	char line[LINE_MAX_BYTES + 1];
	char *fields[FIELD_MAX]; /* into line */
	size_t count;
};

static int read_file(int root_fd, const char *path, struct strbuf *text, struct err *err)
{
	struct err why = ERR_INIT;

	if (file_read_in_root(root_fd, path, FILE_MAX_BYTES, text, &why) == 0)
		return 0;
	/* Images from scratch have neither file. */
	if (why.kind == ERR_NOT_FOUND)
		return 0;
	*err = why;
	return -1;
}

static void split(struct reader *reader)
{
	char *at = reader->line;

	reader->count = 0;
	while (at && reader->count < FIELD_MAX)
		reader->fields[reader->count++] = strsep(&at, ":");
}

/* 1 with the fields of the next line, 0 at the end, -1 when a line is too long. */
static int next_line(struct reader *reader, struct err *err)
{
	while (*reader->next) {
		const char *start = reader->next;
		size_t length = strcspn(start, "\n");

		reader->next = start + length + (start[length] == '\n');
		if (length > LINE_MAX_BYTES)
			return err_set(err, ERR_NO_MEMORY, "%s has a line of more than %zu bytes",
			               reader->name, LINE_MAX_BYTES);
		while (length > 0 && isspace((unsigned char)*start)) {
			start++;
			length--;
		}
		while (length > 0 && isspace((unsigned char)start[length - 1]))
			length--;
		if (length == 0 || *start == '#')
			continue;
		memcpy(reader->line, start, length);
		reader->line[length] = '\0';
		split(reader);
		return 1;
	}
	return 0;
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* A field of a file; a damaged one is nobody's, least of all root's. */
static bool field_id(const struct reader *reader, size_t field, int64_t *ret)
{
	return field < reader->count && parse_int64(reader->fields[field], 0, ID_MAX, ret) == 0;
}

static int asked_id(const char *text, int64_t *ret, struct err *err)
{
	if (parse_int64(text, 0, ID_MAX, ret) == 0)
		return 0;
	return err_set(err, ERR_USAGE, "the id %s is greater than %d", text, (int)ID_MAX);
}

struct lookup {
	char *user;  /* name or number; "" for root */
	char *group; /* name or number; "" for the user's own */
	struct strbuf passwd;
	struct strbuf groups;
	char *name; /* owned; the name that the user has in the passwd file, or NULL */
};

static void lookup_release(struct lookup *lookup)
{
	free(lookup->user);
	free(lookup->group);
	free(lookup->name);
	strbuf_release(&lookup->passwd);
	strbuf_release(&lookup->groups);
}

static struct reader *reader_new(const struct strbuf *text, const char *name)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (reader) {
		reader->name = name;
		reader->next = strbuf_str(text);
	}
	return reader;
}

/* Takes name, group and home from the line that reader stands at. */
static int take_user(const struct reader *reader, struct lookup *lookup, struct bundle_user *user,
                     struct err *err)
{
	int64_t uid, gid;

	if (!field_id(reader, 2, &uid) || !field_id(reader, 3, &gid))
		return 0;
	lookup->name = strdup(reader->fields[0]);
	if (!lookup->name)
		return err_no_memory(err);
	user->uid = (uid_t)uid;
	user->gid = (gid_t)gid;
	/* A home that does not fit is left to the runtime, which looks again. */
	if (reader->count > 5 && strlen(reader->fields[5]) < sizeof(user->home))
		snprintf(user->home, sizeof(user->home), "%s", reader->fields[5]);
	return 1;
}

/* The first line that fits wins, as getpwnam has it. A number is always an id, never a name. */
static int find_user(struct lookup *lookup, struct bundle_user *user, struct err *err)
{
	_cleanup_free_ struct reader *reader = reader_new(&lookup->passwd, "/etc/passwd");
	bool numeric = !lookup->user[0] || is_number(lookup->user);
	int64_t wanted = 0, uid;
	int result = 0;

	if (!reader)
		return err_no_memory(err);
	if (numeric && lookup->user[0] && asked_id(lookup->user, &wanted, err) < 0)
		return -1;
	while (result == 0) {
		int got = next_line(reader, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		if (numeric ? field_id(reader, 2, &uid) && uid == wanted
		            : !strcmp(reader->fields[0], lookup->user))
			result = take_user(reader, lookup, user, err);
	}
	if (result != 0)
		return result < 0 ? -1 : 0;
	user->uid = (uid_t)wanted;
	if (numeric)
		return 0;
	err_set(err, ERR_NOT_FOUND, "the image has no user '%s'", lookup->user);
	return err_hint(err, "its /etc/passwd does not name it; a number works without an entry");
}

static int add_group(struct bundle_user *user, int64_t gid, struct err *err)
{
	for (size_t i = 0; i < user->additional_count; i++) {
		if (user->additional[i] == (gid_t)gid)
			return 0;
	}
	if (user->additional_count == BUNDLE_MAX_GROUPS)
		return err_set(err, ERR_NO_MEMORY, "the user is in more than %d groups",
		               BUNDLE_MAX_GROUPS);
	user->additional[user->additional_count++] = (gid_t)gid;
	return 0;
}

static bool is_member(char *members, const char *name)
{
	char *member;

	while ((member = strsep(&members, ","))) {
		if (!strcmp(member, name))
			return true;
	}
	return false;
}

/* The groups whose lines name the user. */
static int find_memberships(struct lookup *lookup, struct bundle_user *user, struct err *err)
{
	_cleanup_free_ struct reader *reader = reader_new(&lookup->groups, "/etc/group");
	int64_t gid;
	int got;

	if (!reader)
		return err_no_memory(err);
	while ((got = next_line(reader, err)) > 0) {
		if (reader->count > 3 && field_id(reader, 2, &gid) &&
		    is_member(reader->fields[3], lookup->name) && add_group(user, gid, err) < 0)
			return -1;
	}
	return got;
}

static int find_group(struct lookup *lookup, struct bundle_user *user, struct err *err)
{
	_cleanup_free_ struct reader *reader = reader_new(&lookup->groups, "/etc/group");
	int64_t gid = 0;
	int got;

	if (!reader)
		return err_no_memory(err);
	if (is_number(lookup->group)) {
		if (asked_id(lookup->group, &gid, err) < 0)
			return -1;
		user->gid = (gid_t)gid;
		return 0;
	}
	while ((got = next_line(reader, err)) > 0) {
		if (!strcmp(reader->fields[0], lookup->group) && field_id(reader, 2, &gid)) {
			user->gid = (gid_t)gid;
			return 0;
		}
	}
	if (got < 0)
		return -1;
	err_set(err, ERR_NOT_FOUND, "the image has no group '%s'", lookup->group);
	return err_hint(err, "its /etc/group does not name it; a number works without an entry");
}

static int resolve(struct lookup *lookup, struct bundle_user *user, struct err *err)
{
	if (find_user(lookup, user, err) < 0)
		return -1;
	/* A group that is named stands alone: no others come with it. */
	if (lookup->group[0] && find_group(lookup, user, err) < 0)
		return -1;
	/* Engines list the group itself too, or a process could shed its limits (CVE-2022-36109). */
	if (add_group(user, user->gid, err) < 0)
		return -1;
	if (!lookup->group[0] && lookup->name)
		return find_memberships(lookup, user, err);
	return 0;
}

int user_resolve(int root_fd, const char *text, struct bundle_user *ret, struct err *err)
{
	const char *colon = strchr(text, ':');
	_cleanup_(lookup_release) struct lookup lookup = {
		.user = colon ? strndup(text, (size_t)(colon - text)) : strdup(text),
		.group = strdup(colon ? colon + 1 : ""),
	};
	struct bundle_user user = {.uid = 0};

	if (!lookup.user || !lookup.group)
		return err_no_memory(err);
	if (read_file(root_fd, "/etc/passwd", &lookup.passwd, err) < 0 ||
	    read_file(root_fd, "/etc/group", &lookup.groups, err) < 0)
		return -1;
	if (resolve(&lookup, &user, err) < 0)
		return -1;
	*ret = user;
	return 0;
}
