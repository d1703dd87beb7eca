/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/cmd_cron.h"

#include <string.h>
#include "cmd/oneoff/exit_code.h"

static const struct command *const verbs[] = {
	&cmd_cron_generate, &cmd_cron_apply,   &cmd_cron_list,   &cmd_cron_check,  &cmd_cron_sync,
	&cmd_cron_run,      &cmd_cron_suspend, &cmd_cron_resume, &cmd_cron_delete,
};

/* A verb's full name is "cron VERB". */
static const char *verb_of(const struct command *command)
{
	return strchr(command->name, ' ') + 1;
}

static int print_overview(const struct command *command, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	command_help(command, &text);
	strbuf_adds(&text, "\nverbs:\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		strbuf_addf(&text, "  %-9s %s\n", verb_of(verbs[i]), verbs[i]->summary);
	strbuf_adds(&text, "\n`oneoff cron VERB --help` tells more about one.\n");
	return text.failed ? err_no_memory(err) : message_output(&text, err);
}

static int unknown_verb(const char *name, struct err *err)
{
	const char *names[ARRAY_SIZE(verbs)], *near;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = verb_of(verbs[i]);
	near = nearest_name(name, names, ARRAY_SIZE(verbs));
	err_set(err, ERR_USAGE, "cron has no verb '%s'", name);
	return err_hint(err, near ? "did you mean 'oneoff cron %s'?" : "see: oneoff cron --help",
	                near);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct err err = ERR_INIT;
	int result;

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verb_of(verbs[i])))
			return verbs[i]->run(verbs[i], argc - 1, argv + 1);
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help"))
		result = print_overview(command, &err);
	else
		result = unknown_verb(argv[1], &err);
	if (result == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

const struct command cmd_cron = {
	.name = "cron",
	.usage = "generate|apply|list|check|sync|run|suspend|resume|delete ...",
	.summary = "one-offs by a schedule: CronJobs, systemd timers, crontab lines",
	.details =
		"`cron generate` prints a CronJob that runs the command in a clone of the app, for\n"
		"kubectl apply; `cron apply` sends it. With --pin it stays at the release of now:\n"
		"`cron check` tells when the app has moved on, `cron sync` brings it up. With\n"
		"--follow each run clones what is live then. For Docker, Podman and OCI runtimes\n"
		"generate prints systemd units or a crontab line.",
	.run = run,
};
