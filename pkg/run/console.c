/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/console.h"

#include <stdio.h>
#include <string.h>
#include "pkg/run/app_file.h"
#include "pkg/spec/procfile.h"
#include "pkg/spec/words.h"

#define CONSOLE_LABEL "dev.oneoff.console"

/* What a file in the working folder tells; the first that is there counts. */
static const struct {
	const char *file;
	const char *argv[5];
	const char *why;
} frameworks[] = {
	{"bin/rails", {"bin/rails", "console"}, "bin/rails is there"},
	{"config/application.rb",
         {"bundle", "exec", "rails", "console"},
         "config/application.rb is there"},
	{"manage.py", {"python", "manage.py", "shell"}, "manage.py is there"},
	{"artisan", {"php", "artisan", "tinker"}, "artisan is there"},
	{"mix.exs", {"iex", "-S", "mix"}, "mix.exs is there"},
};

static const char *const npm[] = {"npm", "run", "console", NULL};

/* From the most to the least comfortable. */
static const char *const shells[] = {"/bin/bash", "/usr/bin/bash", "/bin/zsh", "/bin/ash",
                                     "/bin/sh"};

/* What the ways below share. */
struct chooser {
	struct backend *backend;       /* borrowed */
	const struct release *release; /* borrowed */
	struct console console;        /* being filled; owned */
};

void console_release(struct console *console)
{
	strv_release(&console->argv);
	free(console->why);
	*console = (struct console)CONSOLE_INIT;
}

static int explain(struct console *console, const char *command, const char *why, struct err *err)
{
	if (asprintf(&console->why, "console: %s (%s)", command, why) < 0) {
		console->why = NULL;
		return err_no_memory(err);
	}
	return 1;
}

/* Our own words. 1, or -1. */
static int choose_argv(struct chooser *chooser, const char *const *argv, const char *why,
                       struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;

	for (; *argv; argv++) {
		if (command.length)
			strbuf_addc(&command, ' ');
		strbuf_adds(&command, *argv);
		if (strv_add(&chooser->console.argv, *argv) < 0)
			return err_no_memory(err);
	}
	if (command.failed)
		return err_no_memory(err);
	return explain(&chooser->console, strbuf_str(&command), why, err);
}

/* The app's words. 1, or -1. */
static int choose_line(struct chooser *chooser, const char *line, const char *why, struct err *err)
{
	if (words_command(line, &chooser->console.argv, err) < 0)
		return err_wrap(err, "%s", why);
	return explain(&chooser->console, line, why, err);
}

/* 1 when it is there (and *ret holds it, if cap > 0), 0 when not, or when it is larger than we read. */
static int look(const struct chooser *chooser, const char *path, size_t cap, struct strbuf *ret,
                struct err *err)
{
	struct err failure = ERR_INIT;
	int found = app_file_read(chooser->backend, chooser->release, path, cap, ret, &failure);

	if (found >= 0 || failure.kind == ERR_NO_MEMORY)
		return found > 0;
	*err = failure;
	if (!*err->hint)
		err_hint(err, "name the command yourself: oneoff console ... -- COMMAND");
	return -1;
}

/* Borrowed; NULL when there is none, or an empty one: the way to take an image's label back. */
static const char *label_of(const cJSON *document, const char *name)
{
	const cJSON *value = json_member(json_at(document, "Config.Labels"), name);
	const char *text = cJSON_IsString(value) ? value->valuestring : "";

	return *text ? text : NULL;
}

static int from_labels(struct chooser *chooser, struct err *err)
{
	const char *line = label_of(chooser->release->document, CONSOLE_LABEL);

	if (chooser->release->console)
		return choose_line(chooser, chooser->release->console, "from the app's annotation",
		                   err);
	if (!line)
		line = label_of(chooser->release->image_document, CONSOLE_LABEL);
	return line ? choose_line(chooser, line, "from the label " CONSOLE_LABEL, err) : 0;
}

static int from_procfile(struct chooser *chooser, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int found = look(chooser, "Procfile", CONSOLE_MAX_PROCFILE, &text, err);

	if (found <= 0)
		return found;
	found = procfile_find(strbuf_str(&text), text.length, "console", &command);
	if (found < 0)
		return err_no_memory(err);
	return found ? choose_line(chooser, strbuf_str(&command), "from the Procfile", err) : 0;
}

static int from_framework(struct chooser *chooser, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(frameworks); i++) {
		int found = look(chooser, frameworks[i].file, 0, NULL, err);

		if (found < 0)
			return -1;
		if (found)
			return choose_argv(chooser, frameworks[i].argv, frameworks[i].why, err);
	}
	return 0;
}

static int from_package_json(struct chooser *chooser, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	struct err ignored = ERR_INIT;
	const char *script;
	int found = look(chooser, "package.json", CONSOLE_MAX_PACKAGE, &text, err);

	if (found <= 0)
		return found;
	/* A broken one is for npm to complain about, not for us; its size is known to be right. */
	if (json_parse(strbuf_str(&text), text.length, CONSOLE_MAX_PACKAGE, &document, &ignored) <
	    0)
		return ignored.kind == ERR_NO_MEMORY ? err_no_memory(err) : 0;
	script = json_string(document, "scripts.console");
	return script && *script ? choose_argv(chooser, npm, "package.json has this script", err)
	                         : 0;
}

static int from_shells(struct chooser *chooser, struct err *err)
{
	const char *argv[] = {"sh", NULL};

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		int found = look(chooser, shells[i], 0, NULL, err);

		if (found < 0)
			return -1;
		if (found) {
			argv[0] = shells[i];
			break;
		}
	}
	return choose_argv(chooser, argv, "the app names no console", err);
}

int console_choose(struct backend *backend, const struct release *release, struct console *ret,
                   struct err *err)
{
	static int (*const ways[])(struct chooser *, struct err *) = {
		from_labels, from_procfile, from_framework, from_package_json, from_shells};
	struct chooser chooser = {.backend = backend, .release = release, .console = CONSOLE_INIT};
	int found = 0;

	for (size_t i = 0; !found && i < ARRAY_SIZE(ways); i++)
		found = ways[i](&chooser, err);
	if (found < 0) {
		console_release(&chooser.console);
		return -1;
	}
	*ret = chooser.console;
	return 0;
}
