/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/manual.h"

#include <ctype.h>
#include <string.h>
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/roff.h"
#include "cmd/oneoff/version.h"

static void add_title(struct strbuf *page, const char *command)
{
	strbuf_adds(page, ".\\\" made by oneoff help --man\n.TH ONEOFF");
	if (command)
		strbuf_adds(page, "\\-");
	for (; command && *command; command++)
		strbuf_addc(page, (char)toupper((unsigned char)*command));
	strbuf_adds(page, " 1 " ONEOFF_DATE " \"oneoff " ONEOFF_VERSION "\" \"oneoff manual\"\n"
	                  ".nh\n.ad l\n"); /* names are copied: no word is cut */
	roff_section(page, "NAME");
}

/* "oneoff cron generate" in bold, then what follows it. */
static void add_usage(struct strbuf *page, const struct command *command)
{
	strbuf_adds(page, "\\fBoneoff ");
	if (command->parent)
		strbuf_addf(page, "%s ", command->parent);
	strbuf_addf(page, "%s\\fR%s", command->name, *command->usage ? " " : "");
	roff_literal(page, command->usage);
	roff_line(page);
}

static void add_option(struct strbuf *page, const struct option *row)
{
	char letter[] = {'-', row->short_name, '\0'};

	roff_item(page);
	if (row->short_name) {
		roff_bold(page, letter);
		strbuf_adds(page, ", ");
	}
	strbuf_adds(page, "\\fB\\-\\-");
	roff_literal(page, row->long_name);
	strbuf_adds(page, "\\fR");
	if (row->argument) {
		strbuf_addc(page, ' ');
		roff_italic(page, row->argument);
	}
	for (size_t i = 0; !row->argument && row->choices && row->choices[i]; i++) {
		strbuf_addc(page, i ? '|' : ' ');
		roff_bold(page, row->choices[i]);
	}
	roff_line(page);
	roff_text(page, row->help);
	if (row->environment) {
		strbuf_adds(page, "(\\fB$");
		roff_literal(page, row->environment);
		strbuf_adds(page, "\\fR)\n");
	}
}

static void add_options(struct strbuf *page, const struct command *command)
{
	for (size_t i = 0; command->options && i < *command->option_count; i++)
		if (command->options[i].help)
			add_option(page, &command->options[i]);
}

static void add_examples(struct strbuf *page, const struct command_example *example)
{
	for (; example->line; example++) {
		if (example->meaning)
			roff_text(page, example->meaning);
		roff_code_begin(page);
		roff_code(page, example->line);
		roff_code_end(page);
		if (example[1].line)
			strbuf_adds(page, ".PP\n");
	}
}

static void add_exit_status(struct strbuf *page)
{
	const char *meaning;
	int code;

	roff_section(page, "EXIT STATUS");
	roff_text(
		page,
		"The task's own code, 0 to 255, always. These are ours; since a task may use them too, "
		"lines on stderr that begin with oneoff: and the record of --result say whose it was.");
	for (size_t i = 0; (meaning = exit_code_meaning(i, &code)); i++) {
		roff_item(page);
		strbuf_addf(page, "\\fB%d\\fR\n", code);
		roff_text(page, meaning);
	}
}

/* Of a command that runs no task of its own. */
static void add_short_exit_status(struct strbuf *page, const struct command *command)
{
	roff_section(page, "EXIT STATUS");
	if (command->group == COMMAND_LIVE)
		roff_text(page, "The code of the task where the command waits for its end.");
	roff_text(
		page,
		"0 when all went well, else a code of ours, as oneoff(1) lists them, and a line on "
		"stderr that says why.");
}

static void add_rows(struct strbuf *page, const char *title, const struct manual_row *rows,
                     size_t count)
{
	roff_section(page, title);
	for (size_t i = 0; i < count; i++) {
		roff_item(page);
		roff_bold(page, rows[i].name);
		roff_line(page);
		roff_text(page, rows[i].meaning);
	}
}

static void add_configuration(struct strbuf *page)
{
	roff_section(page, "CONFIGURATION");
	roff_paragraphs(
		page,
		"Defaults for options come from config files, then from variables; the command line counts "
		"most. Keys are the long names of options; at the top level they are for every command that "
		"has the option, in a section for that command alone. A list takes one value, a sequence, or "
		"a mapping of names and values, and lists of several places add up.\n\n"
		"  like: compose:shop/web\n"
		"  timeout: 1h\n"
		"  env:\n"
		"    LOG_LEVEL: info\n"
		"  console:\n"
		"    timeout: 8h\n\n"
		"A flag that a file sets is undone by --no-log=no.\n\n"
		"A .oneoff.yaml comes with a repository, so it may not set what chooses a program, a host, a "
		"context, a path on this machine, an identity, the image or the variables of the task, and may not name an "
		"image on disk. These may stand in it:");
	strbuf_adds(page, ".PP\n");
	for (size_t i = 0, shown = 0; i < *cmd_run.option_count; i++) {
		if (!cmd_run.options[i].project)
			continue;
		strbuf_adds(page, shown++ ? ",\n" : "");
		roff_bold(page, cmd_run.options[i].long_name);
	}
	strbuf_adds(page, ".\n.PP\n");
	roff_text(
		page,
		"With -v the files that count are named. The section tasks: is for the tasks that the "
		"project names.");
}

static void add_see_also(struct strbuf *page, const struct command *but)
{
	bool begun = but != NULL;

	roff_section(page, "SEE ALSO");
	if (but)
		strbuf_adds(page, "\\fBoneoff\\fR(1)");
	for (size_t i = 0; i < command_count; i++) {
		if (commands[i]->hidden || commands[i] == but)
			continue;
		strbuf_adds(page, begun ? ",\n" : "");
		strbuf_addf(page, "\\fBoneoff\\-%s\\fR(1)", commands[i]->name);
		begun = true;
	}
	roff_line(page);
}

void manual_overview(struct strbuf *page)
{
	add_title(page, NULL);
	strbuf_adds(page, "oneoff \\- run admin tasks in a throwaway clone of a running app\n");
	roff_section(page, "SYNOPSIS");
	strbuf_adds(page, "\\fBoneoff\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n");
	roff_section(page, "DESCRIPTION");
	roff_paragraphs(
		page,
		"oneoff runs an admin task in a throwaway clone of a running container: a migration, a "
		"console, an export, a repair. The clone has the app's exact image, environment, volumes, "
		"networks, user and limits, but no ports, aliases or probes, so no traffic finds it. Streams "
		"and exit code are passed on unchanged, and when the task ends the clone is deleted, even if "
		"oneoff itself was killed.\n\n"
		"It works on Kubernetes, Docker, Podman, or without a daemon on containers of crun and runc and "
		"on images on disk.\n\n"
		"Options end at -- or at the first word that is none; what follows is passed on byte by byte, "
		"never through a shell. A long name may be cut to a unique prefix.");
	roff_section(page, "COMMANDS");
	for (size_t i = 0; i < command_count; i++) {
		if (commands[i]->hidden)
			continue;
		roff_item(page);
		strbuf_addf(page, "\\fBoneoff\\-%s\\fR(1)\n", commands[i]->name);
		roff_text(page, commands[i]->summary);
	}
	add_configuration(page);
	add_exit_status(page);
	add_rows(page, "ENVIRONMENT", manual_variables, manual_variable_count);
	add_rows(page, "FILES", manual_files, manual_file_count);
	roff_section(page, "EXAMPLES");
	add_examples(page, cmd_run.examples);
	add_see_also(page, NULL);
}

static void add_subcommands(struct strbuf *page, const struct command *command)
{
	roff_section(page, "COMMANDS");
	for (size_t i = 0; command->subcommands[i]; i++) {
		const struct command *inner = command->subcommands[i];

		roff_subsection(page, inner->name);
		roff_text(page, inner->summary);
		if (inner->details) {
			strbuf_adds(page, ".PP\n");
			roff_paragraphs(page, inner->details);
		}
		add_options(page, inner);
		if (inner->examples) {
			strbuf_adds(page, ".PP\n");
			add_examples(page, inner->examples);
		}
	}
}

static void add_synopsis(struct strbuf *page, const struct command *command)
{
	roff_section(page, "SYNOPSIS");
	if (command->run || !command->subcommands)
		add_usage(page, command);
	for (size_t i = 0; command->subcommands && command->subcommands[i]; i++) {
		strbuf_adds(page, i || command->run ? ".br\n" : "");
		add_usage(page, command->subcommands[i]);
	}
}

void manual_command(const struct command *command, struct strbuf *page)
{
	add_title(page, command->name);
	strbuf_addf(page, "oneoff\\-%s \\-\n", command->name);
	roff_text(page, command->summary);
	add_synopsis(page, command);
	if (command->details) {
		roff_section(page, "DESCRIPTION");
		roff_paragraphs(page, command->details);
	}
	if (command->subcommands)
		add_subcommands(page, command);
	if (command->options) {
		roff_section(page, "OPTIONS");
		add_options(page, command);
	}
	if (command->group == COMMAND_TASKS)
		add_exit_status(page);
	else
		add_short_exit_status(page, command);
	roff_section(page, "ENVIRONMENT");
	roff_text(
		page,
		"A variable in brackets is the default of its option. For config files, other variables and "
		"files see oneoff(1).");
	if (command->examples) {
		roff_section(page, "EXAMPLES");
		add_examples(page, command->examples);
	}
	add_see_also(page, command);
}
