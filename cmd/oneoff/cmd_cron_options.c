/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/cmd_cron.h"

#include <string.h>
#include <time.h>
#include "pkg/base/clock.h"
#include "pkg/base/number.h"

#define NEXT_COUNT 5

void cron_options_release(struct cron_options *options)
{
	char *const owned[] = {
		options->schedule, options->time_zone,     options->retries,
		options->history,  options->oneoff_image,  options->service_account,
		options->program,  options->output_folder,
	};

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	zone_release(&options->zone);
	run_options_release(&options->run);
}

int cron_options_parse(const struct command *command, int argc, char **argv,
                       struct cron_options *ret, struct err *err)
{
	ret->starting_deadline = CRONJOB_UNSET;
	return run_options_parse(command->options, *command->option_count, argc, argv, &ret->run,
	                         err);
}

/* The same values as in an empty command line, for comparing. */
static void set_defaults(struct cron_options *options)
{
	struct request defaults;

	request_init(&defaults);
	*options = (struct cron_options){.starting_deadline = CRONJOB_UNSET};
	options->run.cpu = defaults.cpu_nano;
	options->run.memory = defaults.memory_bytes;
	options->run.timeout = defaults.timeout_ms;
	options->run.start_timeout = defaults.start_timeout_ms;
	options->run.grace = defaults.grace_ms;
}

int cron_options_read(const struct strv *words, struct cron_options *ret, struct err *err)
{
	bool dashes;
	int first;

	set_defaults(ret);
	if (options_parse(cron_generate_option_table, cron_generate_option_count, (int)words->count,
	                  words->items, ret, &first, &dashes, err) < 0)
		return -1;
	ret->run.operands = words->items + first;
	ret->run.operand_count = (int)words->count - first;
	return 0;
}

/* ---- checks ------------------------------------------------------------------------------------ */

static int read_count(const char *option, const char *text, int64_t usual, int64_t *ret,
                      struct err *err)
{
	*ret = usual;
	if (!text || parse_int64(text, 0, INT32_MAX, ret) == 0)
		return 0;
	return err_set(err, ERR_USAGE, "%s: '%s' is no count", option, text);
}

/* "3,1" */
static int read_history(struct cron_options *options, struct err *err)
{
	const char *comma = options->history ? strchr(options->history, ',') : NULL;
	_cleanup_free_ char *succeeded = NULL;

	options->history_succeeded = 3;
	options->history_failed = 1;
	if (!options->history)
		return 0;
	if (!comma) {
		err_set(err, ERR_USAGE, "--history: '%s' is not OK,FAILED", options->history);
		return err_hint(err, "for example: --history 3,1");
	}
	succeeded = strndup(options->history, (size_t)(comma - options->history));
	if (!succeeded)
		return err_no_memory(err);
	if (read_count("--history", succeeded, 0, &options->history_succeeded, err) < 0)
		return -1;
	return read_count("--history", comma + 1, 0, &options->history_failed, err);
}

static int check_presence(const struct cron_options *options, struct err *err)
{
	if (!options->run.name || !*options->run.name) {
		err_set(err, ERR_USAGE,
		        "which name should the schedule have? --name NAME is missing");
		return err_hint(err, "for example: --name nightly");
	}
	if (!options->schedule) {
		err_set(err, ERR_USAGE, "when should it run? --schedule SCHEDULE is missing");
		return err_hint(err, "for example: --schedule '30 3 * * *'");
	}
	if (options->run.operand_count == 0) {
		err_set(err, ERR_USAGE, "which command should run?");
		return err_hint(err, "name it behind --");
	}
	if (options->pin && options->follow)
		return err_set(err, ERR_USAGE, "--pin and --follow exclude each other");
	if (!options->follow && (options->oneoff_image || options->service_account) &&
	    options->service_account)
		return err_set(err, ERR_USAGE,
		               "--service-account is for --follow; else the app's is used");
	return 0;
}

int cron_options_check(struct cron_options *options, struct err *err)
{
	if (check_presence(options, err) < 0)
		return -1;
	if (schedule_parse(options->schedule, &options->parsed, err) < 0)
		return -1;
	if (options->time_zone && zone_open(options->time_zone, &options->zone, err) < 0)
		return err_wrap(err, "--time-zone");
	if (read_count("--retries", options->retries, 0, &options->retry_count, err) < 0)
		return -1;
	return read_history(options, err);
}

/* ---- words ------------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

/* How to reach the source from here; and what changes nothing of what is made. */
static const char *const where_rows[] = {"runtime",   "host",        "context",  "kubeconfig",
                                         "as",        "as-group",    "oci-root", "store",
                                         "namespace", "oci-runtime", NULL};
static const char *const loud_rows[] = {"quiet",         "verbose", "help",    "env-file", "output",
                                        "output-folder", "force",   "program", NULL};

static bool makes_schedule(const struct option *option)
{
	return !is_one_of(option->long_name, where_rows) &&
	       !is_one_of(option->long_name, loud_rows);
}

/* A row of `run`, and nothing that the schedule does itself. */
static bool makes_run(const struct option *option)
{
	return option->offset < sizeof(struct run_options) &&
	       strcmp(option->long_name, "name") != 0 &&
	       strcmp(option->long_name, "timeout") != 0 &&
	       !is_one_of(option->long_name, loud_rows);
}

static bool makes_run_here(const struct option *option)
{
	return makes_run(option) && !is_one_of(option->long_name, where_rows);
}

/* Variables as they were read, since files and our environment may be others the next time. */
static int print_words(const struct cron_options *options, const struct request *request,
                       bool (*wanted)(const struct option *option), struct strv *ret,
                       struct err *err)
{
	struct cron_options resolved = *options, defaults;

	set_defaults(&defaults);
	resolved.run.env = request->env;
	if (options_print(cron_generate_option_table, cron_generate_option_count, &resolved,
	                  &defaults, wanted, ret) < 0)
		return err_no_memory(err);
	return 0;
}

static int add_command(const struct request *request, struct strv *ret, struct err *err)
{
	if (strv_add(ret, "--") < 0)
		return err_no_memory(err);
	for (size_t i = 0; i < request->argv.count; i++)
		if (strv_add(ret, request->argv.items[i]) < 0)
			return err_no_memory(err);
	return 0;
}

int cron_options_words(const struct cron_options *options, const struct request *request,
                       struct strv *ret, struct err *err)
{
	if (print_words(options, request, makes_schedule, ret, err) < 0)
		return -1;
	return add_command(request, ret, err);
}

/* A schedule's name may have dots, which a lock's may not. */
static int add_lock(const char *name, struct strv *words)
{
	_cleanup_free_ char *lock = strdup(name);

	for (char *dot = lock; dot && (dot = strchr(dot, '.'));)
		*dot = '-';
	return !lock || strv_add(words, "--lock") < 0 || strv_add(words, lock) < 0 ? -1 : 0;
}

int cron_run_words(const struct cron_options *options, const struct request *request, bool where,
                   struct strv *ret, struct err *err)
{
	int64_t limit = options->run.timeout;

	if (strv_add(ret, "run") < 0)
		return err_no_memory(err);
	if (print_words(options, request, where ? makes_run : makes_run_here, ret, err) < 0)
		return -1;
	if (strv_add(ret, "--no-stdin") < 0 || strv_add(ret, "--timeout") < 0 ||
	    (limit % 1000 ? strv_addf(ret, "%lldms", (long long)limit)
	                  : strv_addf(ret, "%llds", (long long)(limit / 1000))) < 0)
		return err_no_memory(err);
	if (options->concurrency == CRONJOB_FORBID && add_lock(options->run.name, ret) < 0)
		return err_no_memory(err);
	return add_command(request, ret, err);
}

static bool makes_task(const struct option *option)
{
	return makes_run_here(option) || !strcmp(option->long_name, "timeout");
}

int cron_task_words(const struct cron_options *options, struct strv *ret, struct err *err)
{
	const struct request request = {.env = options->run.env};

	return print_words(options, &request, makes_task, ret, err);
}

/* ---- the next times ---------------------------------------------------------------------------- */

static void say_time(const struct reporter *reporter, const struct zone *zone, int64_t moment)
{
	int64_t offset = zone_offset(zone, moment), east = offset < 0 ? -offset : offset;
	time_t local = moment + offset;
	char text[64];
	struct tm date;

	gmtime_r(&local, &date);
	strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S", &date);
	report(reporter, REPORT_NOTE, "  %s %c%02d:%02d", text, offset < 0 ? '-' : '+',
	       (int)(east / 3600), (int)(east / 60 % 60));
}

void cron_say_next(struct cron_options *options, const struct reporter *reporter, bool cluster)
{
	int64_t moment = clock_unix_seconds();
	struct err ignored = ERR_INIT;
	const char *zone = options->time_zone;

	if (!zone && !cluster && zone_open_local(&options->zone, &ignored) == 0)
		zone = "this machine's time";
	else if (!zone)
		zone = "UTC, as most clusters count without --time-zone";
	for (int i = 0; i < NEXT_COUNT; i++) {
		moment = schedule_next(&options->parsed, options->zone, moment);
		if (moment == SCHEDULE_NEVER && i == 0)
			report(reporter, REPORT_WARNING,
			       "'%s' does not run within the next five years", options->schedule);
		if (moment == SCHEDULE_NEVER)
			return;
		if (i == 0)
			report(reporter, REPORT_NOTE, "next times (%s):", zone);
		say_time(reporter, options->zone, moment);
	}
}
