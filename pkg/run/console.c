/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/console.h"

#include <stdio.h>
#include <string.h>
#include "pkg/spec/procfile.h"
#include "pkg/spec/words.h"

#define MAX_FILE ((size_t)256 << 10)

/* What a file in the working folder tells. */
static const struct {
	const char *file, *command;
} frameworks[] = {
	{"bin/rails", "bin/rails console"},
	{"manage.py", "python manage.py shell"},
	{"artisan", "php artisan tinker"},
	{"mix.exs", "iex -S mix"},
};

/* From the most to the least comfortable. */
static const char *const shells[] = {"/bin/bash", "/usr/bin/bash", "/bin/zsh", "/bin/ash",
                                     "/bin/sh"};

void console_release(struct console *console)
{
	strv_release(&console->argv);
	free(console->why);
	*console = (struct console){.why = NULL};
}

static int set(struct console *console, const char *command, const char *why, struct err *err)
{
	if (words_to_argv(command, &console->argv, err) < 0)
		return err_wrap(err, "%s", why);
	if (asprintf(&console->why, "console: %s (%s)", command, why) < 0) {
		console->why = NULL;
		return err_no_memory(err);
	}
	return 1;
}

static const char *label(const cJSON *document)
{
	const cJSON *value = json_member(json_at(document, "Config.Labels"), "dev.oneoff.console");

	return cJSON_IsString(value) && *value->valuestring ? value->valuestring : NULL;
}

/* The path of a file in the app's working folder. */
static int path_of(const struct release *release, const char *file, struct strbuf *path,
                   struct err *err)
{
	const char *folder = json_string(release->document, "Config.WorkingDir");

	strbuf_adds(path, folder && *folder ? folder : "/");
	if (path->data && path->data[path->length - 1] != '/')
		strbuf_addc(path, '/');
	strbuf_adds(path, file);
	return path->failed ? err_no_memory(err) : 0;
}

/* 1 when it is there (and *ret holds it, if cap > 0), 0 when not or when it cannot be used. */
static int look(struct backend *backend, const struct release *release, const char *path,
                size_t cap, struct strbuf *ret, struct err *err)
{
	if (backend->ops->read_file(backend, release, path, cap, ret, err) == 0)
		return 1;
	if (err->kind == ERR_UNREACHABLE || err->kind == ERR_LOST || err->kind == ERR_INTERRUPTED)
		return -1;
	return 0;
}

static int from_procfile(struct backend *backend, const struct release *release,
                         struct console *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	int found;

	if (path_of(release, "Procfile", &path, err) < 0)
		return -1;
	found = look(backend, release, strbuf_str(&path), MAX_FILE, &text, err);
	if (found <= 0 || !procfile_find(strbuf_str(&text), text.length, "console", &command))
		return found < 0 ? -1 : 0;
	return set(ret, strbuf_str(&command), "from the Procfile", err);
}

static int from_framework(struct backend *backend, const struct release *release,
                          struct console *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(frameworks); i++) {
		_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
		char why[64];
		int found;

		if (path_of(release, frameworks[i].file, &path, err) < 0)
			return -1;
		found = look(backend, release, strbuf_str(&path), 0, NULL, err);
		if (found < 0)
			return -1;
		snprintf(why, sizeof(why), "%s is there", frameworks[i].file);
		if (found)
			return set(ret, frameworks[i].command, why, err);
	}
	return 0;
}

static int from_package_json(struct backend *backend, const struct release *release,
                             struct console *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	struct err ignored = ERR_INIT;
	int found;

	if (path_of(release, "package.json", &path, err) < 0)
		return -1;
	found = look(backend, release, strbuf_str(&path), MAX_FILE, &text, err);
	if (found <= 0)
		return found;
	if (json_parse(strbuf_str(&text), text.length, MAX_FILE, &document, &ignored) < 0 ||
	    !json_string(document, "scripts.console"))
		return 0;
	return set(ret, "npm run console", "package.json has the script", err);
}

static int from_shells(struct backend *backend, const struct release *release, struct console *ret,
                       struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		int found = look(backend, release, shells[i], 0, NULL, err);

		if (found < 0)
			return -1;
		if (found)
			return set(ret, shells[i], "the app names no console", err);
	}
	return set(ret, "sh", "the app names no console", err);
}

int console_choose(struct backend *backend, const struct release *release, struct console *ret,
                   struct err *err)
{
	static int (*const ways[])(struct backend *, const struct release *, struct console *,
	                           struct err *) = {from_procfile, from_framework,
	                                            from_package_json, from_shells};
	const char *own = label(release->document);
	int found = 0;

	if (!own)
		own = label(release->image_document);
	if (own)
		return set(ret, own, "label dev.oneoff.console", err) < 0 ? -1 : 0;
	for (size_t i = 0; !found && i < ARRAY_SIZE(ways); i++)
		found = ways[i](backend, release, ret, err);
	return found < 0 ? -1 : 0;
}
