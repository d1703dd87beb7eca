/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/defaults.h"

#include <string.h>
#include "cmd/oneoff/command.h"
#include "pkg/base/environment.h"
#include "pkg/config/config.h"

static int find(struct config *config, struct err *err)
{
	_cleanup_free_ char *folder = getcwd(NULL, 0);
	struct config_settings settings = {
		.get = environment_get,
		.folder = folder,
		.user = geteuid(),
	};

	return config_find(&settings, config, err);
}

static void add_section(const struct command *command, struct config_command *sections,
                        size_t *used)
{
	sections[(*used)++] = (struct config_command){
		.name = command->parent ? command->parent : command->name,
		.options = command->options,
		.count = command->options ? *command->option_count : 0,
	};
}

/* Every command has its section, which it shares with its subcommands. */
static int check(const struct config *config, struct err *err)
{
	_cleanup_free_ struct config_command *sections = NULL;
	size_t most = 0, used = 0;

	for (size_t i = 0; i < command_count; i++) {
		most++;
		for (size_t j = 0; commands[i]->subcommands && commands[i]->subcommands[j]; j++)
			most++;
	}
	sections = calloc(most, sizeof(*sections));
	if (!sections)
		return err_no_memory(err);
	for (size_t i = 0; i < command_count; i++) {
		add_section(commands[i], sections, &used);
		for (size_t j = 0; commands[i]->subcommands && commands[i]->subcommands[j]; j++)
			add_section(commands[i]->subcommands[j], sections, &used);
	}
	return config_check(config, sections, used, err);
}

int defaults_parse(const struct option *options, size_t count, int argc, char **argv, void *target,
                   struct verbosity *verbosity, int *ret_first, struct err *err)
{
	_cleanup_(config_release) struct config config = {.count = 0};
	struct reporter reporter = message_reporter(verbosity);
	bool dashes, asks_help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
	int first;

	/* a broken file must not keep anybody from reading how to write one */
	if (asks_help) {
		*ret_first = argc;
		return options_parse(options, count, 1, argv + 1, target, &first, &dashes, err);
	}
	if (find(&config, err) < 0 || check(&config, err) < 0 ||
	    config_apply(&config, argv[0], options, count, target, err) < 0 ||
	    options_from_environment(options, count, environment_get, NULL, target, err) < 0 ||
	    options_parse(options, count, argc - 1, argv + 1, target, &first, &dashes, err) < 0)
		return -1;
	for (size_t i = 0; i < config.count; i++)
		report(&reporter, REPORT_DETAIL, "defaults from %s", config.files[i].path);
	*ret_first = first + 1;
	return 0;
}
