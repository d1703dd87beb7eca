/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys mean: checked against all commands, then set for one. */
#include <string.h>
#include "pkg/config/config.h"

#define IMAGE_ON_DISK "oci-layout:"

/* Where a key stands, for messages: "FILE: run.timeout". */
static int show(const struct config_file *file, const char *section, const char *key,
                struct strbuf *shown, struct err *err)
{
	strbuf_addf(shown, "%s: %s%s%.200s", file->path, section ? section : "", section ? "." : "",
	            key);
	return shown->failed ? err_no_memory(err) : 0;
}

/* By its exact name: what a prefix means today may be ambiguous tomorrow. */
static const struct option *find_exact(const struct option *options, size_t count, const char *name)
{
	const struct option *row = options ? option_find_long(options, count, name) : NULL;

	return row && !strcmp(row->long_name, name) ? row : NULL;
}

/* One row of one command for a key that stands for it. */
static int check_row(const struct config_file *file, const struct option *row, const char *shown,
                     struct err *err)
{
	if (!row->environment)
		return err_set(err, ERR_USAGE, "%s: the option has no default to set", shown);
	if (file->project && !row->project) {
		err_set(err, ERR_USAGE, "%s: a file that comes with a repository may not set this",
		        shown);
		return err_hint(err,
		                "put it into ~/.config/oneoff/config.yaml or into %s, or give "
		                "it on the command line",
		                row->environment);
	}
	return 0;
}

static int refuse_unknown(const char *key, const char *section, const char *shown,
                          const struct config_command *commands, size_t count, struct err *err)
{
	_cleanup_free_ const char **names = NULL;
	size_t most = 0, used = 0;
	const char *near;

	for (size_t i = 0; i < count; i++)
		most += commands[i].count + 1;
	names = calloc(most + 1, sizeof(*names));
	if (!names)
		return err_no_memory(err);
	for (size_t i = 0; i < count; i++) {
		if (section && strcmp(commands[i].name, section))
			continue;
		if (!section)
			names[used++] = commands[i].name;
		for (size_t j = 0; j < commands[i].count; j++)
			if (commands[i].options[j].environment)
				names[used++] = commands[i].options[j].long_name;
	}
	near = nearest_name(key, names, used);
	err_set(err, ERR_USAGE, "%s: %s", shown,
	        section ? "the command has no such option"
	                : "no option and no command is called so");
	return near ? err_hint(err, "did you mean '%s'?", near) : -1;
}

/* Checks one key of the section `section`, or of the top level (NULL). Several commands may have it, of the top
 * level all, of a section its subcommands: all rows of that name must allow it. */
static int check_key(const struct config_file *file, const char *section, const char *key,
                     const struct config_command *commands, size_t count, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf shown = STRBUF_INIT;
	bool found = false;

	if (show(file, section, key, &shown, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct option *row = find_exact(commands[i].options, commands[i].count, key);

		if (!row || (section && strcmp(commands[i].name, section)))
			continue;
		if (check_row(file, row, strbuf_str(&shown), err) < 0)
			return -1;
		found = true;
	}
	if (found)
		return 0;
	return refuse_unknown(key, section, strbuf_str(&shown), commands, count, err);
}

static bool is_command(const char *name, const struct config_command *commands, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(commands[i].name, name))
			return true;
	return false;
}

static int check_member(const struct config_file *file, const cJSON *item,
                        const struct config_command *commands, size_t count, struct err *err)
{
	const cJSON *inner;

	if (!strcmp(item->string, CONFIG_TASKS))
		return 0;
	if (!cJSON_IsObject(item) || !is_command(item->string, commands, count))
		return check_key(file, NULL, item->string, commands, count, err);
	cJSON_ArrayForEach (inner, item) {
		if (check_key(file, item->string, inner->string, commands, count, err) < 0)
			return -1;
	}
	return 0;
}

int config_check(const struct config *config, const struct config_command *commands, size_t count,
                 struct err *err)
{
	for (size_t i = 0; i < config->count; i++) {
		const cJSON *item;

		cJSON_ArrayForEach (item, config->files[i].document) {
			if (check_member(&config->files[i], item, commands, count, err) < 0)
				return -1;
		}
	}
	return 0;
}

/* A scalar as it would stand on a command line. */
static int text_of(const cJSON *value, const struct option *row, const char *shown,
                   struct strbuf *text, struct err *err)
{
	bool flag = row->kind == OPTION_TRUE || row->kind == OPTION_FALSE;

	if (cJSON_IsString(value)) {
		strbuf_adds(text, value->valuestring);
	} else if (cJSON_IsBool(value) && flag) {
		strbuf_adds(text, cJSON_IsTrue(value) ? "true" : "false");
	} else if (cJSON_IsBool(value)) {
		err_set(err, ERR_USAGE, "%s: true or false is no value for it", shown);
		return err_hint(err, "put the word in quotes: unquoted yes, no, on and off are "
		                     "true and false in YAML");
	} else if (cJSON_IsNumber(value) || cJSON_IsRaw(value)) {
		json_print(value, false, text);
	} else {
		return err_set(err, ERR_USAGE, "%s: %s", shown,
		               cJSON_IsNull(value) ? "it has no value" : "it takes one value");
	}
	return text->failed ? err_no_memory(err) : 0;
}

/* An image on disk may lie in the repository itself: then a stranger's program would run where the person
 * expects the app. */
static int check_source(const struct config_file *file, const struct option *row, const char *text,
                        const char *shown, struct err *err)
{
	if (!file->project || row->completion != COMPLETE_SOURCE ||
	    strncmp(text, IMAGE_ON_DISK, strlen(IMAGE_ON_DISK)))
		return 0;
	return err_set(err, ERR_USAGE,
	               "%s: a file that comes with a repository may not name an image on disk",
	               shown);
}

static int set_one(const struct config_file *file, const struct option *row, const cJSON *value,
                   const char *prefix, const char *shown, void *target, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (prefix)
		strbuf_addf(&text, "%s=", prefix);
	if (text_of(value, row, shown, &text, err) < 0 ||
	    check_source(file, row, strbuf_str(&text), shown, err) < 0)
		return -1;
	return option_from_text(row, shown, strbuf_str(&text), target, err);
}

static int set_value(const struct config_file *file, const char *section, const struct option *row,
                     const cJSON *value, void *target, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf shown = STRBUF_INIT;
	bool several = cJSON_IsObject(value) || cJSON_IsArray(value);
	const cJSON *item;

	if (show(file, section, row->long_name, &shown, err) < 0)
		return -1;
	if (row->kind != OPTION_LIST || !several)
		return set_one(file, row, value, NULL, strbuf_str(&shown), target, err);
	cJSON_ArrayForEach (item, value) {
		if (set_one(file, row, item, cJSON_IsObject(value) ? item->string : NULL,
		            strbuf_str(&shown), target, err) < 0)
			return -1;
	}
	return 0;
}

static int set_all(const struct config_file *file, const char *section, const cJSON *mapping,
                   const struct option *options, size_t count, void *target, struct err *err)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, mapping) {
		const struct option *row = find_exact(options, count, item->string);

		if (!row || !row->environment || (file->project && !row->project))
			continue; /* another command's, a section, or refused by config_check */
		if (set_value(file, section, row, item, target, err) < 0)
			return -1;
	}
	return 0;
}

int config_apply(const struct config *config, const char *name, const struct option *options,
                 size_t count, void *target, struct err *err)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct config_file *file = &config->files[i];
		const cJSON *section = json_member(file->document, name);

		if (set_all(file, NULL, file->document, options, count, target, err) < 0)
			return -1;
		if (strcmp(name, CONFIG_TASKS) && cJSON_IsObject(section) &&
		    set_all(file, name, section, options, count, target, err) < 0)
			return -1;
	}
	return 0;
}
