/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of commands and engines, and how a name becomes a command that runs. */
#include "cmd/oneoff/command.h"

#include <string.h>
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/message.h"
#include "oci/oci.h"
#include "pkg/docker/docker.h"
#include "pkg/kube/kube.h"

const struct command *const commands[] = {
	&cmd_run,     &cmd_console, &cmd_plan,       &cmd_tasks,   &cmd_cron, &cmd_list,
	&cmd_logs,    &cmd_attach,  &cmd_wait,       &cmd_stop,    &cmd_gc,   &cmd_doctor,
	&cmd_version, &cmd_help,    &cmd_completion, &cmd_complete};
const size_t command_count = ARRAY_SIZE(commands);

/* The order in which a bare name is looked for. */
const struct backend_ops *const engines[] = {&docker_backend, &podman_backend, &oci_backend,
                                             &kubernetes_backend};
const size_t engine_count = ARRAY_SIZE(engines);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

const struct command *command_find_sub(const struct command *command, const char *name)
{
	for (size_t i = 0; command->subcommands && command->subcommands[i]; i++)
		if (!strcmp(command->subcommands[i]->name, name))
			return command->subcommands[i];
	return NULL;
}

/* With the nearest name in the hint. `parent` is NULL for a command of the first level. */
static int refuse_unknown(const struct command *parent, const char *name, struct err *err)
{
	const struct command *const *list = parent ? parent->subcommands : commands;
	size_t count = parent ? 0 : command_count;
	_cleanup_free_ const char **names = NULL;
	const char *prefix = parent ? parent->name : "", *space = parent ? " " : "", *near;

	while (parent && list[count])
		count++;
	names = calloc(count + 1, sizeof(*names));
	if (!names)
		return err_no_memory(err);
	for (size_t i = 0; i < count; i++)
		names[i] = list[i]->hidden ? NULL : list[i]->name;
	near = nearest_name(name, names, count);
	if (*name == '-')
		err_set(err, ERR_USAGE, "unknown option '%s'", name);
	else
		err_set(err, ERR_USAGE, "no command '%s%s%s'", prefix, space, name);
	if (near)
		return err_hint(err, "did you mean 'oneoff %s%s%s'?", prefix, space, near);
	if (*name == '-' && !parent)
		return err_hint(err, "options follow the command: oneoff run %s", name);
	return err_hint(err, "see what there is with: oneoff help%s%s", space, prefix);
}

int command_resolve(int count, char *const *words, const struct command **ret, struct err *err)
{
	const struct command *command = command_find(words[0]), *inner;

	if (!command)
		return refuse_unknown(NULL, words[0], err);
	if (count > 1 && command->subcommands) {
		inner = command_find_sub(command, words[1]);
		if (!inner)
			return refuse_unknown(command, words[1], err);
		command = inner;
	}
	*ret = command;
	return 0;
}

static bool asks_help(int argc, char **argv)
{
	return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

static int fail(const struct err *err)
{
	message_error(err);
	return exit_code_of(err);
}

int command_run(const struct command *command, int argc, char **argv)
{
	const struct command *inner = argc > 1 ? command_find_sub(command, argv[1]) : NULL;
	struct err err = ERR_INIT;

	if (inner) {
		argv[1] = argv[0];
		return command_run(inner, argc - 1, argv + 1);
	}
	/* a command with options has --help among them; a hidden one gets what others typed */
	if ((!command->options && !command->hidden && asks_help(argc, argv)) ||
	    (!command->run && argc < 2))
		return command_print_help(command, &err) < 0 ? fail(&err) : 0;
	if (command->options_anywhere)
		options_permute(command->options, *command->option_count, argc - 1, argv + 1);
	if (command->run)
		return command->run(command, argc, argv);
	if (refuse_unknown(command, argv[1], &err) < 0)
		return fail(&err);
	return 0;
}
