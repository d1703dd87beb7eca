/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/cmd_cron.h"
#include "cmd/oneoff/exit_code.h"

static int print_document(const struct cron_options *options, const struct cron_made *made,
                          struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (options->output == CRON_OUTPUT_JSON) {
		json_print(made->document, true, &text);
		strbuf_addc(&text, '\n');
	} else if (cronjob_print(made->document, &made->head, &text, err) < 0) {
		return -1;
	}
	return text.failed ? err_no_memory(err) : message_output(&text, err);
}

/* A format for the platform that the source is on. */
static int check_format(const struct cron_options *options, bool cluster, struct err *err)
{
	bool for_host =
		options->output == CRON_OUTPUT_SYSTEMD || options->output == CRON_OUTPUT_CRONTAB;

	if (cluster && for_host) {
		err_set(err, ERR_USAGE, "-o systemd and -o crontab are for container hosts");
		return err_hint(err, "'%s' is in a cluster, which has CronJobs: -o yaml",
		                options->run.like);
	}
	if (!cluster && !for_host && options->output != CRON_OUTPUT_AUTO) {
		err_set(err, ERR_USAGE, "-o yaml and -o json are for clusters");
		return err_hint(err, "'%s' is on a container host: -o systemd or -o crontab",
		                options->run.like);
	}
	if (cluster && (options->output_folder || options->program))
		return err_set(err, ERR_USAGE, "--output-folder and --program are for -o systemd");
	return 0;
}

static int generate(struct cron_options *options, struct err *err)
{
	_cleanup_(cron_made_release) struct cron_made made;
	struct reporter reporter;
	int result;

	cron_made_init(&made);
	if (cron_make(options, &made, &reporter, err) < 0 ||
	    check_format(options, made.document != NULL, err) < 0)
		return -1;
	result = made.document ? print_document(options, &made, err)
	                       : cron_print_host(options, &made, &reporter, err);
	if (result == 0)
		cron_say_next(options, &reporter, made.document != NULL);
	return result;
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(cron_options_release) struct cron_options options = {.schedule = NULL};
	struct err err = ERR_INIT;
	int result = cron_options_parse(command, argc, argv, &options, &err);

	if (result == 0 && options.run.help)
		result = command_print_help(command, &err);
	else if (result == 0)
		result = generate(&options, &err);
	if (result == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

const struct command cmd_cron_generate = {
	.name = "generate",
	.parent = "cron",
	.usage = "--like SOURCE --name NAME --schedule SCHEDULE [options] -- COMMAND [ARG...]",
	.summary = "print a CronJob, systemd units or a crontab line",
	.details =
		"The same command line and the same release give the same bytes. The next five\n"
		"times are shown on stderr. For kubectl:\n\n"
		"  oneoff cron generate --like deploy/web --name nightly --schedule '30 3 * * *' \\\n"
		"      --time-zone Europe/Berlin -- python manage.py cleanup | kubectl apply -f -",
	.options = cron_generate_option_table,
	.option_count = &cron_generate_option_count,
	.run = run,
};
