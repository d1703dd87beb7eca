/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/cmd_cron.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "cmd/oneoff/version.h"
#include "pkg/base/escape.h"
#include "pkg/schedule/calendar.h"

/* On top of the task's own limits: for looking up, creating and removing. */
#define SPARE_SECONDS 600
/* What cron takes of a line. */
#define CRONTAB_MAX_COMMAND 998

/* What the two texts are made of. */
struct host {
	const struct cron_options *options;
	struct strv words; /* the program and its arguments */
	struct strv head;  /* lines of comment */
};

static void host_release(struct host *host)
{
	strv_release(&host->words);
	strv_release(&host->head);
}

/* ---- checks ------------------------------------------------------------------------------------ */

static int refuse(const char *option, const char *why, struct err *err)
{
	return err_set(err, ERR_USAGE, "%s is for clusters: %s", option, why);
}

static int check(const struct cron_options *options, bool crontab, struct err *err)
{
	const struct cronjob_settings settings = {.name = options->run.name,
	                                          .starting_deadline = CRONJOB_UNSET};

	if (cronjob_check(&settings, err) < 0)
		return -1;
	if (options->retry_count > 0)
		return refuse("--retries", "a timer and cron start a task once", err);
	if (options->history)
		return refuse("--history", "the journal or cron's mail keeps what a run said", err);
	if (options->follow || options->pin)
		return refuse("--pin and --follow",
		              "here each run clones the container that is there then", err);
	if (options->suspend)
		return refuse("--suspend", "leave the timer disabled, or the line out", err);
	if (options->concurrency == CRONJOB_REPLACE ||
	    (options->concurrency == CRONJOB_ALLOW && !crontab))
		return refuse("--concurrency replace",
		              "a timer waits for its last run, cron starts another one beside it",
		              err);
	if (options->starting_deadline != CRONJOB_UNSET && options->starting_deadline != 0 &&
	    crontab)
		return refuse("--starting-deadline", "cron never makes up for a missed run", err);
	return 0;
}

/* ---- the command line -------------------------------------------------------------------------- */

/* --program, or this one. NULL with err. */
static char *program_path(const struct cron_options *options, struct err *err)
{
	char path[PATH_MAX];
	ssize_t length;
	char *copy;

	if (options->program && options->program[0] != '/') {
		err_set(err, ERR_USAGE, "--program: '%s' is no path from the root",
		        options->program);
		return NULL;
	}
	if (options->program) {
		copy = strdup(options->program);
	} else {
		length = readlink("/proc/self/exe", path, sizeof(path) - 1);
		if (length < 0) {
			err_errno(err, "/proc/self/exe");
			err_hint(err, "say where oneoff is with --program");
			return NULL;
		}
		copy = strndup(path, (size_t)length);
	}
	if (!copy)
		err_no_memory(err);
	return copy;
}

static int add_head(struct host *host, const struct cron_made *made, struct err *err)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;

	if (cron_options_words(host->options, &made->request, &words, err) < 0)
		return -1;
	strbuf_adds(&line, "    oneoff cron generate");
	for (size_t i = 0; i < words.count; i++) {
		strbuf_addc(&line, ' ');
		escape_add_shell(&line, words.items[i]);
	}
	if (line.failed || strv_add(&host->head, "Made by oneoff " ONEOFF_VERSION ":") < 0 ||
	    strv_take(&host->head, strbuf_take(&line)) < 0 ||
	    strv_addf(&host->head, "Each run clones '%s' as it is then.", host->options->run.like) <
	            0)
		return err_no_memory(err);
	return 0;
}

/* An image's path is one from here; systemd and cron start elsewhere. */
static int make_absolute(struct strv *words, struct err *err)
{
	static const char image[] = "oci-layout:";
	_cleanup_free_ char *folder = NULL;

	for (size_t i = 1; i < words->count && strcmp(words->items[i], "--"); i++) {
		const char *path = words->items[i] + strlen(image);
		char *absolute;

		if (strcmp(words->items[i - 1], "--like") != 0 ||
		    strncmp(words->items[i], image, strlen(image)) != 0 || *path == '/')
			continue;
		folder = getcwd(NULL, 0);
		if (!folder)
			return err_errno(err, "the working folder");
		path += strncmp(path, "./", 2) ? 0 : 2;
		if (asprintf(&absolute, "%s%s/%s", image, folder, path) < 0)
			return err_no_memory(err);
		free(words->items[i]);
		words->items[i] = absolute;
		return 0;
	}
	return 0;
}

static int fill(struct host *host, const struct cron_made *made, struct err *err)
{
	char *path = program_path(host->options, err);

	if (!path)
		return -1;
	if (strv_take(&host->words, path) < 0)
		return err_no_memory(err);
	if (cron_run_words(host->options, &made->request, true, &host->words, err) < 0 ||
	    make_absolute(&host->words, err) < 0)
		return -1;
	return add_head(host, made, err);
}

static void print_head(const struct host *host, struct strbuf *text)
{
	for (size_t i = 0; i < host->head.count; i++) {
		strbuf_adds(text, "# ");
		escape_add(text, host->head.items[i]);
		strbuf_addc(text, '\n');
	}
}

/* ---- systemd ----------------------------------------------------------------------------------- */

/* Text of one line in which systemd would expand %-specifiers. */
static void add_description(struct strbuf *text, const char *words)
{
	_cleanup_(strbuf_release) struct strbuf escaped = STRBUF_INIT;

	escape_add(&escaped, words);
	for (const char *at = strbuf_str(&escaped); *at; at++) {
		if (*at == '%')
			strbuf_addc(text, '%');
		/* A backslash at the end would join the next line. */
		strbuf_addc(text, *at == '\\' ? '/' : *at);
	}
}

static void print_service(const struct host *host, struct strbuf *text)
{
	const struct run_options *run = &host->options->run;

	print_head(host, text);
	strbuf_adds(text, "[Unit]\nDescription=One-off ");
	add_description(text, run->name);
	strbuf_adds(text, " in a clone of ");
	add_description(text, run->like);
	strbuf_adds(text, "\n\n[Service]\nType=oneshot\nExecStart=");
	for (size_t i = 0; i < host->words.count; i++) {
		strbuf_adds(text, i > 0 ? " " : "");
		calendar_systemd_word(host->words.items[i], text);
	}
	/* oneoff ends the task itself; this is for when it cannot. */
	if (run->timeout > 0 && run->start_timeout > 0)
		strbuf_addf(text, "\nTimeoutStartSec=%" PRId64 "\n",
		            (run->timeout + run->start_timeout + 999) / 1000 + SPARE_SECONDS);
	else
		strbuf_adds(text, "\nTimeoutStartSec=infinity\n");
}

static int print_timer(const struct host *host, struct strbuf *text, struct err *err)
{
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	const struct cron_options *options = host->options;
	int64_t every = options->parsed.every_seconds;

	if (every == 0 && calendar_systemd(&options->parsed, options->time_zone, &lines, err) < 0)
		return -1;
	print_head(host, text);
	strbuf_adds(text, "[Unit]\nDescription=When ");
	add_description(text, options->run.name);
	strbuf_adds(text, " runs: ");
	add_description(text, options->schedule);
	strbuf_adds(text, "\n\n[Timer]\n");
	if (every > 0)
		strbuf_addf(text, "OnActiveSec=%" PRId64 "\nOnUnitActiveSec=%" PRId64 "\n", every,
		            every);
	for (size_t i = 0; i < lines.count; i++)
		strbuf_addf(text, "OnCalendar=%s\n", lines.items[i]);
	strbuf_adds(text, "AccuracySec=1s\n");
	/* A run that was missed while the machine was off is made up, as a cluster does. */
	if (every == 0)
		strbuf_addf(text, "Persistent=%s\n",
		            options->starting_deadline == CRONJOB_UNSET ? "true" : "false");
	strbuf_adds(text, "\n[Install]\nWantedBy=timers.target\n");
	return 0;
}

static int write_file(const char *folder, const char *name, const char *suffix,
                      const struct strbuf *text, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	_cleanup_fd_ int fd = -1;
	size_t done = 0;

	strbuf_addf(&path, "%s/oneoff-%s.%s", folder, name, suffix);
	if (path.failed)
		return err_no_memory(err);
	fd = open(strbuf_str(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, "%s", strbuf_str(&path));
	while (done < text->length) {
		ssize_t written = write(fd, text->data + done, text->length - done);

		if (written < 0 && errno != EINTR)
			return err_errno(err, "%s", strbuf_str(&path));
		done += written > 0 ? (size_t)written : 0;
	}
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);

	return length >= wanted && !strcmp(text + length - wanted, end);
}

/* systemd looks only into folders of its own, and again only when it is told. */
static void say_how_to_start(const struct host *host, const struct reporter *reporter)
{
	_cleanup_free_ char *real = realpath(host->options->output_folder, NULL);
	bool of_user = real && ends_with(real, "/systemd/user");
	bool there = of_user || (real && ends_with(real, "/systemd/system"));
	const char *systemctl =
		of_user || (!there && geteuid() != 0) ? "systemctl --user" : "systemctl";
	const char *copy = there            ? ""
	                   : geteuid() != 0 ? "copy both files to ~/.config/systemd/user, then: "
	                                    : "copy both files to /etc/systemd/system, then: ";

	report(reporter, REPORT_NOTE, "%s%s daemon-reload && %s enable --now oneoff-%s.timer",
	       there ? "start it with: " : copy, systemctl, systemctl, host->options->run.name);
}

static int give_units(const struct host *host, const struct strbuf *service,
                      const struct strbuf *timer, const struct reporter *reporter, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf both = STRBUF_INIT;
	const char *folder = host->options->output_folder, *name = host->options->run.name;

	if (service->failed || timer->failed)
		return err_no_memory(err);
	if (folder) {
		if (write_file(folder, name, "service", service, err) < 0 ||
		    write_file(folder, name, "timer", timer, err) < 0)
			return -1;
		say_how_to_start(host, reporter);
		return 0;
	}
	strbuf_addf(&both, "# ---- oneoff-%s.service ----\n%s\n# ---- oneoff-%s.timer ----\n%s",
	            name, strbuf_str(service), name, strbuf_str(timer));
	return both.failed ? err_no_memory(err) : message_output(&both, err);
}

static int print_units(const struct host *host, const struct reporter *reporter, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf service = STRBUF_INIT, timer = STRBUF_INIT;

	print_service(host, &service);
	if (print_timer(host, &timer, err) < 0)
		return -1;
	return give_units(host, &service, &timer, reporter, err);
}

/* ---- crontab ----------------------------------------------------------------------------------- */

static int print_crontab(const struct host *host, const struct reporter *reporter, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT, command = STRBUF_INIT;
	const char *zone = host->options->time_zone;

	print_head(host, &text);
	if (zone) {
		strbuf_addf(&text, "CRON_TZ=%s\n", zone);
		report(reporter, REPORT_WARNING,
		       "CRON_TZ is for cronie; Debian's cron keeps the machine's time, where -o "
		       "systemd is right");
	}
	for (size_t i = 0; i < host->words.count; i++) {
		strbuf_adds(&command, i > 0 ? " " : "");
		if (calendar_crontab_word(host->words.items[i], &command, err) < 0)
			return -1;
	}
	if (command.length > CRONTAB_MAX_COMMAND) {
		err_set(err, ERR_USAGE, "the command has %zu bytes; cron takes %d", command.length,
		        CRONTAB_MAX_COMMAND);
		return err_hint(err, "put it into a script, or use -o systemd");
	}
	if (calendar_crontab(&host->options->parsed, &text, err) < 0)
		return -1;
	strbuf_addf(&text, " %s\n", strbuf_str(&command));
	return text.failed || command.failed ? err_no_memory(err) : message_output(&text, err);
}

/* What decided here and cannot there: neither systemd nor cron passes on a shell's variables. */
static void warn_of_variables(const struct cron_options *options, const struct reporter *reporter)
{
	static const char *const variables[] = {"DOCKER_HOST",    "DOCKER_CONTEXT",
	                                        "DOCKER_CONFIG",  "DOCKER_CERT_PATH",
	                                        "CONTAINER_HOST", "ONEOFF_OCI_RUN"};
	_cleanup_(strbuf_release) struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			strbuf_addf(&names, "%s%s", names.length ? ", " : "", variables[i]);
	}
	if (names.length && !options->run.host && !options->run.context)
		report(reporter, REPORT_WARNING,
		       "set here, and not where the schedule runs: %s; -H or --context put an "
		       "address into the line",
		       strbuf_str(&names));
}

int cron_print_host(const struct cron_options *options, const struct cron_made *made,
                    const struct reporter *reporter, struct err *err)
{
	_cleanup_(host_release) struct host host = {.options = options};
	bool crontab = options->output == CRON_OUTPUT_CRONTAB;

	if (crontab && options->output_folder)
		return err_set(err, ERR_USAGE, "--output-folder is for -o systemd");
	if (check(options, crontab, err) < 0 || fill(&host, made, err) < 0)
		return -1;
	warn_of_variables(options, reporter);
	if (options->run.env_files.count > 0)
		report(reporter, REPORT_WARNING,
		       "the values of --env-file stand in what is printed, for all who may read it");
	return crontab ? print_crontab(&host, reporter, err) : print_units(&host, reporter, err);
}
