/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/cmd_cron.h"

static const struct command *const verbs[] = {
	&cmd_cron_generate, &cmd_cron_apply,   &cmd_cron_list,   &cmd_cron_check,  &cmd_cron_sync,
	&cmd_cron_run,      &cmd_cron_suspend, &cmd_cron_resume, &cmd_cron_delete, NULL,
};

static const struct command_example examples[] = {
	{"oneoff cron apply --like deploy/web --name report --schedule '0 3 * * *' -- rake report",
         "every night, as the app is now"},
	{"oneoff cron check", "has an app moved on since?"},
	{"oneoff cron generate --like web --name report --schedule @daily -o systemd -- rake report",
         "a timer, on a machine with containers"},
	{NULL, NULL},
};

const struct command cmd_cron = {
	.name = "cron",
	.usage = "VERB ...",
	.summary = "one-offs by a schedule: CronJobs, systemd timers, crontab lines",
	.details =
		"`cron generate` prints a CronJob that runs the command in a clone of the app, for\n"
		"kubectl apply; `cron apply` sends it. With --pin it stays at the release of now:\n"
		"`cron check` tells when the app has moved on, `cron sync` brings it up. With\n"
		"--follow each run clones what is live then. For Docker, Podman and OCI runtimes\n"
		"generate prints systemd units or a crontab line.",
	.subcommands = verbs,
	.group = COMMAND_SCHEDULES,
	.examples = examples,
};
