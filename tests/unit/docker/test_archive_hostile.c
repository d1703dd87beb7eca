/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/docker/archive_helper.h"

/* A cut before the content's end is told; after it, there may only be the whole content. */
static void cut_everywhere(const struct strbuf *tar, size_t content_end, const char *content)
{
	for (size_t length = 0; length <= tar->length; length++) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
		struct err err;
		int result = read_exact(tar, length, 4096, &text, &err);

		cr_assert(result == -1 || length >= content_end, "cut to %zu passes", length);
		if (result == 0)
			cr_assert_str_eq(strbuf_str(&text), content, "cut to %zu", length);
		else
			cr_assert_eq(err.kind, ERR_PROTOCOL, "cut to %zu: %s", length, err.message);
		cr_assert(result == 0 || text.length == 0, "cut to %zu", length);
	}
	expect_file(tar, 4096, content, strlen(content));
}

Test(archive_hostile, notices_a_cut_at_every_byte)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	char content[700];

	memset(content, 'c', sizeof(content));
	content[sizeof(content) - 1] = '\0';
	ADD(&tar, .name = "f", .type = '0', .content = content);
	end(&tar);
	cut_everywhere(&tar, BLOCK + strlen(content), content);
}

Test(archive_hostile, notices_a_cut_at_every_byte_behind_a_pax_header)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	char name[600];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	add_pax(&tar, "path", name);
	ADD(&tar, .name = "cut", .type = '0', .content = "content");
	end(&tar);
	cut_everywhere(&tar, (size_t)4 * BLOCK + strlen("content"), "content");
}

Test(archive_hostile, refuses_what_is_no_tar)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf broken = STRBUF_INIT;

	for (size_t i = 0; i < 200; i++)
		strbuf_adds(&text, "{\"message\": \"no\"}\n");
	expect_failure(&text, text.length, 4096, ERR_PROTOCOL, "cannot be read");
	ADD(&broken, .name = "f", .type = '0', .content = "x", .breaks_checksum = true);
	end(&broken);
	expect_failure(&broken, broken.length, 4096, ERR_PROTOCOL, "cannot be read");
}

/* gzip of a tar with one file: filters must stay off, a packed reply could grow without bound. */
Test(archive_hostile, unpacks_no_filter)
{
	static const uint8_t packed[] = {
		0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x63, 0xa0,
		0x3d, 0x30, 0x00, 0x02, 0x33, 0x13, 0x13, 0x30, 0x0d, 0x04, 0xe8, 0x34, 0x10,
		0x18, 0x22, 0xb1, 0x41, 0xe2, 0x66, 0x86, 0x06, 0x26, 0x0c, 0x0a, 0x06, 0x74,
		0x70, 0x1b, 0x43, 0x69, 0x71, 0x49, 0x62, 0x11, 0xd0, 0x4a, 0x86, 0x91, 0x09,
		0x2a, 0x18, 0x46, 0xc1, 0x28, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x8c, 0x44, 0x00,
		0x00, 0x58, 0x4f, 0xa4, 0x82, 0x00, 0x08, 0x00, 0x00,
	};
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	strbuf_add(&tar, packed, sizeof(packed));
	expect_failure(&tar, tar.length, 4096, ERR_PROTOCOL, "cannot be read");
}

/* Another format that libarchive knows, but must not be asked about. */
Test(archive_hostile, reads_no_other_format)
{
	static const char mtree[] = "#mtree\n./f type=file contents=/etc/passwd\n";
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	strbuf_adds(&tar, mtree);
	expect_failure(&tar, tar.length, 4096, ERR_PROTOCOL, "cannot be read");
}

Test(archive_hostile, is_not_moved_by_a_huge_size)
{
	static const char *const sizes[] = {
		"77777777777\0",                              /* 8 GiB */
		"\x80\0\0\0\0\0\0\x10\0\0\0\0",               /* 64 GiB, base 256 */
		"\x80\0\0\0\x00\xff\xff\xff\xff\xff\xff\xff", /* 2^56 - 1 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

		ADD(&tar, .name = "f", .type = '0', .content = "little", .size = sizes[i]);
		end(&tar);
		expect_failure(&tar, tar.length, 65536, ERR_NO_MEMORY, "larger than");
		/* Nor when the caller would take it: the bytes are not there. */
		expect_failure(&tar, tar.length, SIZE_MAX, ERR_PROTOCOL, "cannot be read");
	}
}

Test(archive_hostile, refuses_a_size_that_overflows)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	ADD(&tar, .name = "f", .type = '0', .content = "little",
	    .size = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
	end(&tar);
	expect_failure(&tar, tar.length, 65536, ERR_PROTOCOL, "cannot be read");
}

Test(archive_hostile, refuses_a_negative_size)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	ADD(&tar, .name = "f", .type = '0', .content = "little",
	    .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0");
	end(&tar);
	expect_failure(&tar, tar.length, 65536, ERR_PROTOCOL, "archive");
}

Test(archive_hostile, does_not_reserve_a_special_headers_huge_size)
{
	static const char types[] = {'x', 'L', 'K', 'g', 'V'};

	for (size_t i = 0; i < sizeof(types); i++) {
		_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

		ADD(&tar, .name = "special", .type = types[i], .content = "x",
		    .size = "77777777777\0");
		ADD(&tar, .name = "f", .type = '0', .content = "little");
		end(&tar);
		expect_failure(&tar, tar.length, 65536, ERR_PROTOCOL, "cannot be read");
	}
}

/* Old GNU: real size 8 GiB, one block of data. A file of holes is larger than its archive. */
Test(archive_hostile, measures_a_sparse_file_by_what_it_becomes)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	struct member member = {.name = "f", .type = 'S', .content = "data", .magic = "ustar  "};

	/* offset and length of the one piece, three unused, not extended, the real size */
	memcpy(member.sparse,
	       "77777777770\0"
	       "00000000004",
	       24);
	memcpy(member.sparse + 97, "77777777774\0", 12);
	add(&tar, member);
	end(&tar);
	expect_failure(&tar, tar.length, 65536, ERR_NO_MEMORY, "larger than");
}

/* "12345678" as a PAX sparse file of that size, with that map of one piece. */
static void add_sparse(struct strbuf *tar, const char *size, const char *map)
{
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;

	add_pax_record(&records, "GNU.sparse.size", size);
	add_pax_record(&records, "GNU.sparse.numblocks", "1");
	add_pax_record(&records, "GNU.sparse.map", map);
	ADD(tar, .name = "PaxHeaders.0/x", .type = 'x', .content = strbuf_str(&records));
	ADD(tar, .name = "f", .type = '0', .content = "12345678");
	end(tar);
}

Test(archive_hostile, measures_a_pax_sparse_file_by_what_it_becomes)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	add_sparse(&tar, "1099511627776", "1099511627768,8");
	expect_failure(&tar, tar.length, 65536, ERR_NO_MEMORY, "larger than");
}

/* Within the cap its holes are zeros. */
Test(archive_hostile, fills_the_holes_of_a_small_sparse_file)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	add_sparse(&tar, "16", "8,8");
	expect_file(&tar, 16,
	            "\0\0\0\0\0\0\0\0"
	            "12345678",
	            16);
	expect_failure(&tar, tar.length, 15, ERR_NO_MEMORY, "larger than");
}

/* A hole at the end: zeros or a refusal, never something shorter. */
Test(archive_hostile, a_hole_at_the_end_makes_no_shorter_file)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err;

	add_sparse(&tar, "12", "0,8");
	if (read_exact(&tar, tar.length, 64, &text, &err) < 0)
		cr_assert_eq(err.kind, ERR_PROTOCOL);
	else
		cr_assert(text.length == 12 && !memcmp(text.data, "12345678\0\0\0\0", 12));
}

/* A map that names more bytes than the size does: the size is only a claim. */
Test(archive_hostile, believes_no_size_that_the_map_belies)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	add_sparse(&tar, "4", "0,8");
	expect_failure(&tar, tar.length, 64, ERR_PROTOCOL, "archive");
	expect_failure(&tar, tar.length, 6, ERR_NO_MEMORY, "larger than 6 bytes");
}
