/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of env files: whatever the bytes, the list holds "KEY=VALUE" with each key once, or is
 * as it was. */
#include <string.h>

#include "pkg/base/utf8.h"
#include "pkg/spec/env_file.h"
#include "tests/fuzz/fuzz.h"

static void check_entry(const struct strv *env, size_t index)
{
	const char *text = env->items[index];
	size_t key = strcspn(text, "=");

	CHECK(key > 0 && text[key] == '=');
	CHECK(utf8_valid(text, strlen(text)));
	CHECK(!strchr(text, '\n') && !memchr(text, ' ', key) && text[0] != '#');
	for (size_t other = 0; other < index; other++)
		CHECK(strncmp(text, env->items[other], key + 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err = ERR_INIT;
	char *text = malloc(size ? size : 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	/* What a bare key finds must not depend on who runs this. */
	clearenv();
	setenv("HOME", "/root", 1);
	if (env_option_add("KEPT=1", &env, &err) < 0)
		abort();
	if (env_file_parse(text, size, "fuzz", &env, &err) < 0) {
		CHECK(env.count == 1 && !strcmp(env.items[0], "KEPT=1"));
		CHECK(err.kind == ERR_USAGE && strstr(err.message, "line "));
	}
	CHECK(env.count >= 1 && !env.items[env.count]);
	CHECK(!strncmp(env.items[0], "KEPT=", 5));
	for (size_t i = 0; i < env.count; i++)
		check_entry(&env, i);
	free(text);
	return 0;
}
