/* SPDX-License-Identifier: Apache-2.0 */
/* Small readers: files, base64, what may stand in a header. */
#include "pkg/kube/kubeconfig_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int kubeconfig_read_file(const char *path, size_t cap, struct strbuf *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(cap);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char block[4096];
	ssize_t count;

	if (fd < 0)
		return err_errno(err, "%s", path);
	while ((count = read(fd, block, sizeof(block))) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_errno(err, "%s", path);
		strbuf_add(&text, block, (size_t)count);
		if (text.failed)
			return err_set(err, ERR_NO_MEMORY, "%s: larger than %zu bytes", path, cap);
	}
	strbuf_release(ret);
	*ret = text;
	text = (struct strbuf)STRBUF_INIT;
	return 0;
}

void kubeconfig_base64_encode(const void *bytes, size_t length, struct strbuf *ret)
{
	const unsigned char *from = bytes;

	for (size_t i = 0; i < length; i += 3) {
		size_t rest = length - i;
		unsigned group = (unsigned)from[i] << 16;

		group |= rest > 1 ? (unsigned)from[i + 1] << 8 : 0;
		group |= rest > 2 ? (unsigned)from[i + 2] : 0;
		strbuf_addc(ret, alphabet[group >> 18]);
		strbuf_addc(ret, alphabet[group >> 12 & 63]);
		strbuf_addc(ret, rest > 1 ? alphabet[group >> 6 & 63] : '=');
		strbuf_addc(ret, rest > 2 ? alphabet[group & 63] : '=');
	}
}

/* The next character that is no line break; '\0' at the end. */
static char next_character(const char **text)
{
	*text += strspn(*text, "\r\n");
	return **text ? *(*text)++ : '\0';
}

/* Four characters into up to three bytes. 1 for a group, 0 at the end, -1 when it is none; *ret_last when it is
 * padded. */
static int decode_group(const char **text, struct strbuf *ret, bool *ret_last)
{
	size_t padding = 0;
	unsigned group = 0;

	for (size_t i = 0; i < 4; i++) {
		char character = next_character(text);
		const char *at = character ? strchr(alphabet, character) : NULL;

		if (!character)
			return i == 0 ? 0 : -1;
		if (!at && (character != '=' || i < 2))
			return -1;
		if (at && padding)
			return -1;
		padding += !at;
		group = group << 6 | (at ? (unsigned)(at - alphabet) : 0);
	}
	for (size_t i = 0; i < 3 - padding; i++)
		strbuf_addc(ret, (char)(group >> (16 - 8 * i) & 0xff));
	*ret_last = padding > 0;
	return 1;
}

int kubeconfig_base64_decode(const char *text, struct strbuf *ret)
{
	bool last = false;
	int result;

	do
		result = decode_group(&text, ret, &last);
	while (result > 0 && !last);
	return result < 0 || next_character(&text) ? -1 : 0;
}

bool kubeconfig_is_header_value(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}
