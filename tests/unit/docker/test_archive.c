/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/docker/archive_helper.h"

#define RECORDED "tests/fixtures/docker/archive-1.41/"

static void load_recorded(const char *name, struct strbuf *tar)
{
	char bytes[BLOCK];
	char path[256];
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), RECORDED "%s", name);
	file = fopen(path, "rbe");
	cr_assert_not_null(file, "%s", path);
	while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
		strbuf_add(tar, bytes, got);
	fclose(file);
	cr_assert(tar->length >= (size_t)3 * BLOCK && !tar->failed, "%s", path);
}

/* What the header of a recorded file says, read without libarchive. */
static size_t recorded_size(const struct strbuf *tar, size_t header)
{
	return (size_t)strtoull(tar->data + header + 124, NULL, 8);
}

Test(archive, reads_what_docker_sends)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	const char *wanted = "web: sleep 1\r\nconsole: echo \"from the Procfile\"\r\n";

	load_recorded("file.tar", &tar);
	cr_assert_eq(recorded_size(&tar, 0), strlen(wanted));
	expect_file(&tar, 65536, wanted, strlen(wanted));
}

Test(archive, reads_what_docker_sends_for_an_empty_file)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	load_recorded("empty.tar", &tar);
	expect_file(&tar, 65536, "", 0);
}

/* Docker puts a PAX header first when the name is long or not ASCII. */
Test(archive, reads_a_recorded_file_behind_a_pax_header)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	load_recorded("long-name.tar", &tar);
	cr_assert_eq(tar.data[156], 'x');
	expect_file(&tar, 65536, "deep\n", 5);
}

Test(archive, finds_no_file_in_recorded_folder_link_and_pipe)
{
	static const char *const names[] = {"folder.tar", "link.tar", "fifo.tar"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

		load_recorded(names[i], &tar);
		expect_failure(&tar, tar.length, 65536, ERR_NOT_FOUND, "no regular file");
	}
}

Test(archive, keeps_every_byte)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	char content[3 * 16384 + 7];

	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (char)(i * 7 + i / 256);
	ADD(&tar, .name = "f", .type = '0', .content = content, .length = sizeof(content));
	end(&tar);
	expect_file(&tar, sizeof(content), content, sizeof(content));
	expect_file(&tar, SIZE_MAX, content, sizeof(content));
}

Test(archive, takes_only_the_first_entry)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	ADD(&tar, .name = "first", .type = '0', .content = "one");
	ADD(&tar, .name = "second", .type = '0', .content = "two");
	end(&tar);
	expect_file(&tar, 3, "one", 3);
}

Test(archive, does_not_look_behind_the_first_entry)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	ADD(&tar, .name = "first", .type = '0', .content = "one");
	ADD(&tar, .name = "second", .type = '0', .content = "two", .breaks_checksum = true);
	expect_file(&tar, 3, "one", 3);
}

Test(archive, holds_the_cap_to_the_byte)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	ADD(&tar, .name = "f", .type = '0', .content = "0123456789");
	end(&tar);
	expect_file(&tar, 10, "0123456789", 10);
	expect_failure(&tar, tar.length, 9, ERR_NO_MEMORY, "larger than 9 bytes");
	expect_failure(&tar, tar.length, 0, ERR_NO_MEMORY, "larger than 0 bytes");
}

Test(archive, respects_the_cap_of_the_callers_buffer)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(4);
	struct err err;

	ADD(&tar, .name = "f", .type = '0', .content = "0123456789");
	end(&tar);
	strbuf_adds(&text, "abc");
	cr_assert_eq(read_exact(&tar, tar.length, 64, &text, &err), -1);
	cr_assert_eq(err.kind, ERR_NO_MEMORY);
	cr_assert_str_eq(strbuf_str(&text), "abc");
}

Test(archive, only_regular_files_count)
{
	static const struct member members[] = {
		{.name = "hard", .type = '1', .link = "target"},
		{.name = "symbolic", .type = '2', .link = "target"},
		{.name = "character", .type = '3'},
		{.name = "block", .type = '4'},
		{.name = "folder/", .type = '5'},
		{.name = "old-folder/", .type = '0', .magic = "\0\0\0\0\0\0\0\0"},
		{.name = "pipe", .type = '6'},
	};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

		add(&tar, members[i]);
		ADD(&tar, .name = "target", .type = '0', .content = "no");
		end(&tar);
		expect_failure(&tar, tar.length, 64, ERR_NOT_FOUND, "no regular file");
	}
}

Test(archive, reads_a_file_with_a_long_pax_name)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	char name[2000];

	memset(name, 'n', sizeof(name));
	memcpy(name, "folder/\xc3\xa4-", 10);
	name[sizeof(name) - 1] = '\0';
	add_pax(&tar, "path", name);
	ADD(&tar, .name = "cut", .type = '0', .content = "long");
	end(&tar);
	expect_file(&tar, 64, "long", 4);
}

/* The PAX size is the one that counts, as Go writes it for what octal cannot hold. */
Test(archive, believes_the_pax_size)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	add_pax(&tar, "size", "4");
	ADD(&tar, .name = "f", .type = '0', .content = "four and more", .size = "00000000000");
	end(&tar);
	expect_file(&tar, 64, "four", 4);
}

Test(archive, is_empty_without_an_entry)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	end(&tar);
	expect_failure(&tar, tar.length, 64, ERR_NOT_FOUND, "empty");
	expect_failure(&tar, 0, 64, ERR_PROTOCOL, "no bytes");
}

Test(archive, needs_no_pointer_for_no_bytes)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(archive_read_file(NULL, 0, 64, &text, &err), -1);
	cr_assert_eq(err.kind, ERR_PROTOCOL);
}

Test(archive, notices_a_cut_of_what_docker_sends)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	load_recorded("file.tar", &tar);
	for (size_t length = 0; length < BLOCK + recorded_size(&tar, 0); length++)
		expect_failure(&tar, length, 4096, ERR_PROTOCOL, "archive");
}
