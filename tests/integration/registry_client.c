/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of tests/integration/registry, which builds it with -DONEOFF_REGISTRY_DRIVER:
 *
 *	registry_client REFERENCE SECRETS ARCHITECTURE CA MILLISECONDS
 *
 * prints an image's config. SECRETS is a file with an array of pull secrets, or "-"; so is CA. What was asked and what
 * went wrong ("KIND: …") is said on stderr. It is no part of the Criterion suite beside which it lies, hence the
 * guard. */
#ifdef ONEOFF_REGISTRY_DRIVER
#include <stdio.h>
#include <string.h>

#include "pkg/base/number.h"
#include "pkg/kube/registry.h"

static void say(void *context, enum report_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)fprintf(stderr, "%s\n", line);
}

static int read_secrets(const char *path, cJSON **ret, struct err *err)
{
	static char text[1 << 16];
	FILE *file = fopen(path, "r");
	size_t length;

	if (!file)
		return err_errno(err, "%s", path);
	length = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	return json_parse(text, length, sizeof(text), ret, err);
}

static int show(char **arguments, struct err *err)
{
	_cleanup_(json_free) cJSON *secrets = NULL, *config = NULL;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct registry_settings settings = {.architecture = arguments[2],
	                                     .reporter = {.say = say}};

	if (strcmp(arguments[1], "-") != 0 && read_secrets(arguments[1], &secrets, err) < 0)
		return -1;
	if (strcmp(arguments[3], "-") != 0)
		settings.ca_file = arguments[3];
	if (parse_int64(arguments[4], 0, 60000, &settings.timeout_ms) < 0)
		return err_set(err, ERR_USAGE, "'%s' is no time", arguments[4]);
	settings.pull_secrets = secrets;
	if (registry_image_config(&settings, arguments[0], &config, err) < 0)
		return -1;
	json_print(config, false, &text);
	(void)puts(strbuf_str(&text));
	return 0;
}

int main(int count, char **arguments)
{
	struct err err = ERR_INIT;

	if (count != 6) {
		(void)fprintf(stderr, "usage: registry_client REFERENCE SECRETS ARCHITECTURE CA "
		                      "MILLISECONDS\n");
		return 2;
	}
	if (show(arguments + 1, &err) == 0)
		return 0;
	(void)fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.message);
	return 1;
}
#endif
