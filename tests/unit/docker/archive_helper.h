/* SPDX-License-Identifier: Apache-2.0 */
/* Tars made in memory, block by block, and what archive_read_file is expected to make of them. */
#ifndef ONEOFF_TESTS_ARCHIVE_HELPER_H
#define ONEOFF_TESTS_ARCHIVE_HELPER_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "pkg/docker/archive.h"

#define BLOCK 512

/* What a header block says: the fields of ustar that matter here. */
struct member {
	const char *name;
	char type;           /* '0' file, '2' symbolic link, '5' folder, 'x' PAX… */
	const char *link;    /* NULL: none */
	const char *size;    /* the field as text, when it is not to be the content's length */
	const char *content; /* NULL: none */
	size_t length;       /* of the content; 0: strlen */
	const char *magic;   /* NULL: ustar */
	uint8_t sparse[109]; /* old GNU: what stands at offset 386, when sparse[0] is set */
	bool breaks_checksum;
};

static inline void put_octal(char *field, size_t width, uint64_t value)
{
	for (size_t i = width - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static inline void add_header(struct strbuf *tar, const struct member *member, size_t length)
{
	char block[BLOCK] = "";
	unsigned sum = 0;

	memcpy(block, member->name, strnlen(member->name, 100));
	put_octal(block + 100, 8, 0644);
	put_octal(block + 108, 8, 0);
	put_octal(block + 116, 8, 0);
	put_octal(block + 124, 12, length);
	if (member->size)
		memcpy(block + 124, member->size, 12);
	put_octal(block + 136, 12, 1700000000);
	memset(block + 148, ' ', 8);
	block[156] = member->type;
	if (member->link)
		memcpy(block + 157, member->link, strnlen(member->link, 100));
	memcpy(block + 257, member->magic ? member->magic : "ustar\00000", 8);
	if (member->sparse[0])
		memcpy(block + 386, member->sparse, sizeof(member->sparse));
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	put_octal(block + 148, 7, sum + member->breaks_checksum);
	block[155] = ' ';
	strbuf_add(tar, block, BLOCK);
}

static inline void add_zeros(struct strbuf *tar, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strbuf_addc(tar, '\0');
}

static inline void add(struct strbuf *tar, struct member member)
{
	size_t length = member.content && !member.length ? strlen(member.content) : member.length;

	add_header(tar, &member, length);
	strbuf_add(tar, member.content, length);
	add_zeros(tar, (BLOCK - length % BLOCK) % BLOCK);
}

#define ADD(tar, ...) add(tar, (struct member){__VA_ARGS__})

static inline void end(struct strbuf *tar)
{
	add_zeros(tar, (size_t)2 * BLOCK);
	cr_assert_not(tar->failed);
}

/* One "LENGTH key=value\n" of a PAX header, whose length counts itself. */
static inline void add_pax_record(struct strbuf *records, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + strlen(" =\n");
	size_t length = rest + 1;

	while ((size_t)snprintf(NULL, 0, "%zu", length) + rest != length)
		length++;
	strbuf_addf(records, "%zu %s=%s\n", length, key, value);
}

static inline void add_pax(struct strbuf *tar, const char *key, const char *value)
{
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;

	add_pax_record(&records, key, value);
	ADD(tar, .name = "PaxHeaders.0/x", .type = 'x', .content = strbuf_str(&records));
}

/* Reads from a block of exactly that size, so that a step over its end is seen. */
static inline int read_exact(const struct strbuf *tar, size_t length, size_t cap,
                             struct strbuf *ret, struct err *err)
{
	char *copy = malloc(length ? length : 1);
	int result;

	cr_assert_not_null(copy);
	memcpy(copy, strbuf_str(tar), length);
	*err = (struct err)ERR_INIT;
	result = archive_read_file(copy, length, cap, ret, err);
	free(copy);
	return result;
}

static inline void expect_file(const struct strbuf *tar, size_t cap, const void *content,
                               size_t length)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err;

	strbuf_adds(&text, "before:");
	cr_assert_eq(read_exact(tar, tar->length, cap, &text, &err), 0, "%s", err.message);
	cr_assert_eq(text.length, strlen("before:") + length);
	cr_assert_eq(memcmp(text.data, "before:", strlen("before:")), 0);
	cr_assert_eq(memcmp(text.data + strlen("before:"), content, length), 0);
}

static inline void expect_failure(const struct strbuf *tar, size_t length, size_t cap,
                                  enum err_kind kind, const char *words)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err;

	strbuf_adds(&text, "before");
	cr_assert_eq(read_exact(tar, length, cap, &text, &err), -1, "%zu bytes", length);
	cr_assert_eq(err.kind, kind, "%zu bytes: %s", length, err.message);
	cr_assert_not_null(strstr(err.message, words), "%zu bytes: %s", length, err.message);
	cr_assert_str_eq(strbuf_str(&text), "before");
	cr_assert_eq(text.length, strlen("before"));
	cr_assert_not(text.failed);
}

#endif
