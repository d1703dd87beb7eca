/* SPDX-License-Identifier: Apache-2.0 */
/* What can be completed without looking at anything. */
#include <stdio.h>
#include <string.h>
#include "cmd/oneoff/completion.h"
#include "pkg/base/escape.h"

struct word {
	const char *value, *meaning;
};

/* What a source may begin with. */
static const struct word source_prefixes[] = {
	{"docker:", "a container of Docker"},
	{"podman:", "a container of Podman"},
	{"compose:", "PROJECT/SERVICE"},
	{"oci:", "a container of crun or runc"},
	{"oci-layout:", "an image on disk"},
	{"deploy/", "Deployment"},
	{"sts/", "StatefulSet"},
	{"ds/", "DaemonSet"},
	{"rs/", "ReplicaSet"},
	{"job/", "Job"},
	{"cronjob/", "CronJob"},
	{"pod/", "Pod"},
	{"svc/", "Service"},
};
static const struct word programs[] = {
	{"crun", NULL},
	{"runc", NULL},
	{"youki", NULL},
};

void candidate_add(struct candidates *candidates, const char *value, const char *meaning)
{
	if (strncmp(value, candidates->word, strlen(candidates->word)))
		return;
	if (!*value || (*value == ':' && !*candidates->kept))
		return;
	for (const char *at = value; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return;
	strbuf_addf(candidates->out, "%s%s", candidates->kept, value);
	if (meaning) {
		strbuf_addc(candidates->out, '\t');
		escape_add(candidates->out, meaning);
	}
	strbuf_addc(candidates->out, '\n');
	candidates->count++;
}

static void add_words(struct candidates *candidates, const struct word *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		candidate_add(candidates, words[i].value, words[i].meaning);
}

static void add_commands(struct candidates *candidates, const struct command *parent)
{
	const struct command *const *list = parent ? parent->subcommands : commands;

	for (size_t i = 0; parent ? list[i] != NULL : i < command_count; i++)
		if (!list[i]->hidden)
			candidate_add(candidates, list[i]->name, list[i]->summary);
	if (*candidates->word != '-')
		return;
	candidate_add(candidates, "--help", "show help");
	if (!parent)
		candidate_add(candidates, "--version", "print the version");
}

/* What can be given once and has been is no longer offered. */
static bool is_used(const struct completion *line, const struct option *row)
{
	size_t length = strlen(row->long_name);

	if (row->kind == OPTION_LIST || row->kind == OPTION_COUNT)
		return false;
	for (size_t i = 0; i < line->given.count; i++)
		if (!strncmp(line->given.items[i], row->long_name, length) &&
		    line->given.items[i][length] == '=')
			return true;
	return false;
}

static void add_options(const struct completion *line, struct candidates *candidates)
{
	const struct command *command = line->command;

	for (size_t i = 0; command->options && i < *command->option_count; i++) {
		const struct option *row = &command->options[i];
		char name[80];

		if (!row->help || is_used(line, row))
			continue;
		snprintf(name, sizeof(name), "--%s", row->long_name);
		candidate_add(candidates, name, row->help);
	}
}

static bool shell_path(const struct completion *line, const char *what, const char *behind,
                       struct candidates *candidates)
{
	strbuf_addf(candidates->out, ":%s\t%s%s\n", what, line->kept, behind);
	return true;
}

static bool add_source(const struct completion *line, struct candidates *candidates)
{
	static const char on_disk[] = "oci-layout:";

	if (!strncmp(line->word, on_disk, strlen(on_disk)))
		return shell_path(line, "files", on_disk, candidates);
	add_words(candidates, source_prefixes, ARRAY_SIZE(source_prefixes));
	return false;
}

static bool add_kind(const struct completion *line, struct candidates *candidates)
{
	const struct command *parent = NULL;

	switch (line->kind) {
	case COMPLETE_FILE:
		return shell_path(line, "files", "", candidates);
	case COMPLETE_FOLDER:
		return shell_path(line, "folders", "", candidates);
	case COMPLETE_SOURCE:
		return add_source(line, candidates);
	case COMPLETE_RUNTIME:
		for (size_t i = 0; i < engine_count; i++)
			candidate_add(candidates, engines[i]->name, NULL);
		return false;
	case COMPLETE_PROGRAM:
		add_words(candidates, programs, ARRAY_SIZE(programs));
		return false;
	case COMPLETE_COMMAND:
		if (line->operand_count == 1)
			parent = command_find(line->operand_words[0]);
		if (line->operand_count == 0 || (parent && parent->subcommands))
			add_commands(candidates, parent);
		return false;
	default:
		return false;
	}
}

bool completion_static(const struct completion *line, struct candidates *candidates)
{
	if (!line->command) {
		add_commands(candidates, line->parent);
		return false;
	}
	if (line->row && line->row->choices) {
		for (size_t i = 0; line->row->choices[i]; i++)
			candidate_add(candidates, line->row->choices[i], NULL);
		return false;
	}
	if ((line->row || line->operands) && add_kind(line, candidates))
		return true;
	/* options are offered for an empty word where nothing better is known */
	if (line->options &&
	    (*line->word || (line->kind == COMPLETE_NOTHING && !candidates->count)))
		add_options(line, candidates);
	if (line->options && *line->word && !line->command->options)
		candidate_add(candidates, "--help", "show this help");
	return false;
}
