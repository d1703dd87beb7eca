/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/endpoint_internal.h"

#include <arpa/inet.h>
#include <string.h>
#include "pkg/base/escape.h"
#include "pkg/base/number.h"
#include "pkg/base/strbuf.h"

void authority_release(struct authority *authority)
{
	free(authority->user);
	free(authority->host);
	memset(authority, 0, sizeof(*authority));
}

bool endpoint_is_printable(const char *text)
{
	_cleanup_(strbuf_release) struct strbuf escaped = STRBUF_INIT;

	escape_add(&escaped, text);
	return !escaped.failed && strcmp(strbuf_str(&escaped), text) == 0;
}

static int hex_digit(char byte)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = byte ? strchr(digits, byte | 0x20) : NULL;

	return found ? (int)(found - digits) : -1;
}

int authority_decode(const char *text, size_t length, char **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf plain = STRBUF_INIT;

	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (text[i] != '%') {
			strbuf_addc(&plain, text[i]);
			continue;
		}
		high = length - i > 2 ? hex_digit(text[i + 1]) : -1;
		low = length - i > 2 ? hex_digit(text[i + 2]) : -1;
		if (high < 0 || low < 0)
			return err_set(err, ERR_USAGE, "'%%' is not followed by two hex digits");
		if (!high && !low)
			return err_set(err, ERR_USAGE, "%%00 cannot be part of an address");
		strbuf_addc(&plain, (char)(high << 4 | low));
		i += 2;
	}
	if (plain.failed)
		return err_no_memory(err);
	if (!endpoint_is_printable(strbuf_str(&plain)))
		return err_set(err, ERR_USAGE, "it holds characters that cannot be printed");
	*ret = strbuf_take(&plain);
	return *ret ? 0 : err_no_memory(err);
}

static int parse_user(const char *text, size_t length, char **ret, struct err *err)
{
	if (memchr(text, ':', length)) {
		err_set(err, ERR_USAGE, "a password cannot be part of the address");
		return err_hint(err, "use a key and ssh-agent, or ~/.ssh/config");
	}
	if (authority_decode(text, length, ret, err) < 0)
		return -1;
	if (**ret && **ret != '-')
		return 0;
	return err_set(err, ERR_USAGE, "the user name is empty or begins with '-'");
}

static int check_host(const struct authority *authority, struct err *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"._-";
	struct in6_addr address;

	if (authority->v6) {
		if (inet_pton(AF_INET6, authority->host, &address) == 1)
			return 0;
		return err_set(err, ERR_USAGE, "'[%s]' is no IPv6 address", authority->host);
	}
	if (authority->host[0] != '-' && !authority->host[strspn(authority->host, allowed)])
		return 0;
	return err_set(err, ERR_USAGE, "'%s' is no host name", authority->host);
}

static int parse_host(const char *text, size_t length, struct authority *authority, struct err *err)
{
	_cleanup_free_ char *copy = strndup(text, length);
	char *host = copy, *end, *port = NULL;
	int64_t number = 0;

	if (!copy)
		return err_no_memory(err);
	if (*host == '[') {
		authority->v6 = true;
		end = strchr(++host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return err_set(err, ERR_USAGE, "'%s' is no host and port", copy);
		port = end[1] ? end + 2 : NULL;
		*end = '\0';
	} else if ((end = strchr(host, ':'))) {
		port = end + 1;
		if (strchr(port, ':')) {
			err_set(err, ERR_USAGE, "'%s' is no host and port", copy);
			return err_hint(err, "write an IPv6 address in brackets: [::1]:2375");
		}
		*end = '\0';
	}
	if (port && *port && parse_int64(port, 1, 65535, &number) < 0)
		return err_set(err, ERR_USAGE, "'%s' is no port", port);
	authority->port = (int)number;
	authority->host = strdup(host);
	if (!authority->host)
		return err_no_memory(err);
	return check_host(authority, err);
}

int authority_parse(const char *text, struct authority *ret, const char **ret_path, struct err *err)
{
	size_t length = strcspn(text, "/");
	const char *at = memrchr(text, '@', length);

	if (at && parse_user(text, (size_t)(at - text), &ret->user, err) < 0)
		return -1;
	*ret_path = text + length;
	if (at) {
		length -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	return parse_host(text, length, ret, err);
}
