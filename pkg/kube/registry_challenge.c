/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/registry_internal.h"

#include <string.h>
#include <strings.h>

#define TOKEN                                                                                      \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"                           \
	"!#$%&'*+-.^_`|~"
#define BLANKS " \t"

void registry_challenge_release(struct registry_challenge *challenge)
{
	free(challenge->realm);
	free(challenge->service);
	free(challenge->scope);
	*challenge = (struct registry_challenge){.basic = false};
}

/* Reads a token or a quoted string to `value` and moves behind it; false when it is neither. */
static bool read_value(const char **at, struct strbuf *value)
{
	const char *text = *at;
	size_t length = strspn(text, TOKEN);

	if (*text != '"') {
		strbuf_add(value, text, length);
		*at = text + length;
		return length > 0;
	}
	for (text++; *text && *text != '"'; text++) {
		if (*text == '\\' && text[1])
			text++;
		strbuf_addc(value, *text);
	}
	*at = text + (*text == '"');
	return *text == '"';
}

static int keep(struct registry_challenge *challenge, const char *name, size_t length,
                const struct strbuf *value, struct err *err)
{
	const struct {
		const char *name;
		char **where;
	} rows[] = {
		{"realm", &challenge->realm},
		{"service", &challenge->service},
		{"scope", &challenge->scope},
	};

	if (value->failed)
		return err_no_memory(err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strlen(rows[i].name) != length || strncasecmp(rows[i].name, name, length) != 0)
			continue;
		if (*rows[i].where)
			return 0;
		*rows[i].where = strdup(strbuf_str(value));
		if (!*rows[i].where)
			return err_no_memory(err);
	}
	return 0;
}

/* Reads `NAME=VALUE, …` as long as it goes on so; a word without "=" is the next scheme. Returns what follows, NULL
 * when it is malformed. Only the first Bearer challenge counts (`wanted`). */
static int read_parameters(struct registry_challenge *challenge, const char **at, bool wanted,
                           struct err *err)
{
	for (;;) {
		_cleanup_(strbuf_release) struct strbuf value = STRBUF_INIT;
		const char *name = *at + strspn(*at, BLANKS ","), *next;
		size_t length = strspn(name, TOKEN);

		next = name + length + strspn(name + length, BLANKS);
		if (!length || *next != '=') {
			*at = name;
			return 0;
		}
		next += 1 + strspn(next + 1, BLANKS);
		if (!read_value(&next, &value)) {
			/* base64 credentials ("Negotiate abc==") end so, too: nothing of ours follows */
			*at = next + strlen(next);
			return value.failed ? err_no_memory(err) : 0;
		}
		if (wanted && keep(challenge, name, length, &value, err) < 0)
			return -1;
		*at = next;
	}
}

int registry_challenge_add(struct registry_challenge *challenge, const char *value, struct err *err)
{
	const char *at = value;

	for (;;) {
		size_t length;
		bool bearer;

		at += strspn(at, BLANKS ",");
		length = strspn(at, TOKEN);
		if (!length)
			return 0;
		bearer = length == 6 && !strncasecmp(at, "Bearer", 6) && !challenge->bearer;
		challenge->bearer |= bearer;
		challenge->basic |= length == 5 && !strncasecmp(at, "Basic", 5);
		at += length;
		if (read_parameters(challenge, &at, bearer, err) < 0)
			return -1;
	}
}

int registry_challenge_read(struct registry_challenge *challenge, const char *head, struct err *err)
{
	static const char name[] = "WWW-Authenticate:";

	while (*head) {
		size_t length = strcspn(head, "\r\n");

		if (!strncasecmp(head, name, sizeof(name) - 1)) {
			_cleanup_free_ char *value =
				strndup(head + sizeof(name) - 1, length - (sizeof(name) - 1));

			if (!value)
				return err_no_memory(err);
			if (registry_challenge_add(challenge, value, err) < 0)
				return -1;
		}
		head += length;
		head += strspn(head, "\r\n");
	}
	return 0;
}
