/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/run_options.h"
#include "pkg/base/escape.h"
#include "pkg/kube/role.h"
#include "pkg/run/doctor.h"

#define EXIT_CODE_TO_FIX 1

/* Findings as they come: a line each at once, or a list for the end. */
struct doctor {
	cJSON *list;         /* owned; NULL: for people */
	struct strbuf first; /* the first thing to fix, for stderr; empty: none */
};

static const char *mark_of(enum finding_level level)
{
	static const char *const marks[] = {"ok", "note", "FIX"};

	return (unsigned)level < ARRAY_SIZE(marks) ? marks[level] : "note";
}

static const char *level_name(enum finding_level level)
{
	static const char *const names[] = {"good", "note", "bad"};

	return (unsigned)level < ARRAY_SIZE(names) ? names[level] : "note";
}

static void remember(struct doctor *doctor, const char *platform, const struct finding *finding)
{
	struct strbuf *first = &doctor->first;

	if (finding->level != FINDING_BAD || first->length)
		return;
	strbuf_addf(first, "fix this first: %s%s%s: %s", platform, *platform ? ": " : "",
	            finding->subject, finding->text);
	if (finding->fix)
		strbuf_addf(first, " (%s)", finding->fix);
}

/* "ok    docker      engine: Docker 20.10.24" */
static int print_line(const char *platform, const struct finding *finding, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "%-5s %-11s ", mark_of(finding->level), *platform ? platform : "-");
	escape_add(&line, finding->subject);
	strbuf_adds(&line, ": ");
	escape_add(&line, finding->text);
	if (finding->fix) {
		strbuf_adds(&line, " (");
		escape_add(&line, finding->fix);
		strbuf_addc(&line, ')');
	}
	strbuf_addc(&line, '\n');
	return line.failed ? err_no_memory(err) : message_output(&line, err);
}

static int add_object(cJSON *list, const char *platform, const struct finding *finding,
                      struct err *err)
{
	cJSON *object = cJSON_CreateObject();
	int failed = !object;

	failed |= json_set_known_string(object, "level", level_name(finding->level));
	failed |= json_set_known_string(object, "runtime", *platform ? platform : NULL);
	failed |= json_set_known_string(object, "subject", finding->subject);
	failed |= json_set_known_string(object, "text", finding->text);
	failed |= json_set_known_string(object, "fix", finding->fix);
	if (failed) {
		json_free(&object);
		return err_no_memory(err);
	}
	return json_add_node(list, object) < 0 ? err_no_memory(err) : 0;
}

static int take(void *context, const char *platform, const struct finding *finding, struct err *err)
{
	struct doctor *doctor = context;

	remember(doctor, platform, finding);
	return doctor->list ? add_object(doctor->list, platform, finding, err)
	                    : print_line(platform, finding, err);
}

static int print_list(const cJSON *list, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	json_print(list, true, &text);
	strbuf_addc(&text, '\n');
	return text.failed ? err_no_memory(err) : message_output(&text, err);
}

/* Sets the platform that was named, and the source where there is one. */
static int examine(struct run_options *options, struct doctor *doctor, struct err *err)
{
	_cleanup_(source_release) struct source source = {.text = NULL};
	struct backend_settings backend_settings;
	struct doctor_settings settings = {
		.engines = {engines, engine_count, options->runtime},
		.backend_settings = &backend_settings,
	};

	run_options_settings(options, &backend_settings);
	if (options->like && *options->like) {
		if (run_options_source(options, &source, &settings.engines.runtime, err) < 0)
			return -1;
		settings.source = &source;
	}
	return doctor_examine(&settings, take, doctor, err);
}

/* The exit code, or -1. */
static int diagnose(struct run_options *options, struct err *err)
{
	struct doctor doctor = {.first = STRBUF_INIT};
	int result = 0;

	if (options->format == FORMAT_JSON && !(doctor.list = cJSON_CreateArray()))
		return err_no_memory(err);
	result = examine(options, &doctor, err);
	if (result == 0 && doctor.list)
		result = print_list(doctor.list, err);
	if (result == 0 && doctor.first.length) {
		message("%s", strbuf_str(&doctor.first));
		result = EXIT_CODE_TO_FIX;
	}
	json_free(&doctor.list);
	strbuf_release(&doctor.first);
	return result;
}

static int print_role(struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, kube_role_text);
	return text.failed ? err_no_memory(err) : message_output(&text, err);
}

static int perform(const struct command *command, struct run_options *options, struct err *err)
{
	if (options->help)
		return command_print_help(command, err);
	if (options->operand_count)
		return err_set(err, ERR_USAGE, "doctor takes no arguments: '%s'",
		               options->operands[0]);
	return options->role ? print_role(err) : diagnose(options, err);
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(run_options_release) struct run_options options = {.any_source = true};
	struct err err = ERR_INIT;
	int result = run_options_parse(command->options, *command->option_count, argc, argv,
	                               &options, &err);

	if (result == 0)
		result = perform(command, &options, &err);
	if (result >= 0)
		return result;
	message_error(&err);
	return exit_code_of(&err);
}

static const struct command_example examples[] = {
	{"oneoff doctor --like deploy/web", "what would stop a run next to it"},
	{"oneoff doctor --role | kubectl -n shop apply -f -", "give a namespace the least Role"},
	{NULL, NULL},
};

const struct command cmd_doctor = {
	.name = "doctor",
	.usage = "[--like SOURCE] [-o table|json] | --role",
	.summary = "tell what can be reached, with which rights, and what would stop a run",
	.details =
		"Without a source every platform is asked; one that is not there is no fault unless it\n"
		"is named (--runtime, -H) or nothing else answers. With a source, only where it is.\n"
		"Nothing is created. The code is 1 when there is something to fix; the last line on\n"
		"stderr is the first thing to fix. `oneoff doctor --role | kubectl -n NAMESPACE apply\n"
		"-f -` gives a namespace the least Role.",
	.options = doctor_option_table,
	.option_count = &doctor_option_count,
	.run = run,
	.group = COMMAND_MORE,
	.examples = examples,
};
