/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules on a container host: systemd units and crontab lines, judged by systemd-analyze and by a shell. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

TestSuite(cron, .fini = expect_clean, .timeout = 60);

#define AWKWARD "a b", "it's 100%", "$HOME", "back\\slash", "\"x\""
#define GENERATE(...)                                                                              \
	"cron", "generate", "--like", "web", "--name", "tidy", "--schedule", "30 3 1 * mon",       \
		"--time-zone", "Europe/Berlin", "--timeout", "30m", __VA_ARGS__

static bool in_cluster(void)
{
	return !strcmp(source_name("web"), "deploy/web");
}

static void generate(struct run *run, const char *const *argv, int code)
{
	run_all(run, &(struct run_spec){.argv = argv});
	cr_assert_eq(run->code, code, RUN_FORMAT, RUN_ARGS(run));
	cr_assert(chatter_only(&run->err), RUN_FORMAT, RUN_ARGS(run));
}

Test(cron, systemd_takes_the_units_without_a_word)
{
	char folder[] = "/tmp/oneoff-cron.XXXXXX", service[PATH_MAX], timer[PATH_MAX];
	struct run run;

	cr_assert_not_null(mkdtemp(folder));
	if (in_cluster()) {
		generate(&run, (const char *const[]){GENERATE("-o", "systemd", "--", "true"), NULL},
		         125);
		run_release(&run);
		rmdir(folder);
		return;
	}
	generate(&run,
	         (const char *const[]){GENERATE("--output-folder", folder, "--", "echo", AWKWARD),
	                               NULL},
	         0);
	/* Neither is in a folder of systemd's, nor has what a shell exports. */
	cr_expect(strstr(run.err.text, "copy both files to "), RUN_FORMAT, RUN_ARGS(&run));
	cr_expect(strstr(run.err.text, "systemctl daemon-reload && systemctl enable --now "),
	          RUN_FORMAT, RUN_ARGS(&run));
	cr_expect(strstr(run.err.text, "not where the schedule runs: "), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
	snprintf(service, sizeof(service), "%s/oneoff-tidy.service", folder);
	snprintf(timer, sizeof(timer), "%s/oneoff-tidy.timer", folder);
	run_all(&run,
	        &(struct run_spec){.program = "/usr/bin/env",
	                           ARGV("systemd-analyze", "--man=no", "verify", service, timer)});
	cr_expect_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_expect(capture_is(&run.out, "") && capture_is(&run.err, ""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	cr_expect_eq(unlink(service) + unlink(timer) + rmdir(folder), 0);
}

Test(cron, either_kind_of_days_has_its_line_in_the_timer)
{
	struct run run;

	if (in_cluster())
		return;
	generate(&run, (const char *const[]){GENERATE("--", "true"), NULL}, 0);
	cr_expect(strstr(run.out.text, "\nOnCalendar=*-*-01 03:30:00 Europe/Berlin\n"
	                               "OnCalendar=Mon *-*-* 03:30:00 Europe/Berlin\n"),
	          RUN_FORMAT, RUN_ARGS(&run));
	cr_expect(strstr(run.out.text, "--lock tidy"), RUN_FORMAT, RUN_ARGS(&run));
	cr_expect(strstr(run.out.text, "--timeout 1800s"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* What cron hands to the shell: without the backslash before each %. */
static void as_cron_does(char *line)
{
	char *to = line;

	for (; *line; line++) {
		cr_assert(*line != '%' || line[-1] == '\\', "a bare %%");
		if (line[0] != '\\' || line[1] != '%')
			*to++ = *line;
	}
	*to = '\0';
}

Test(cron, a_shell_reads_the_crontab_line_as_it_was_meant)
{
	static const char wanted[] = "--\necho\na b\nit's 100%\n$HOME\nback\\slash\n\"x\"\n";
	struct run run, shell;
	char *line;

	if (in_cluster())
		return;
	generate(&run,
	         (const char *const[]){GENERATE("-o", "crontab", "--program", "/usr/bin/printf",
	                                        "--", "echo", AWKWARD),
	                               NULL},
	         0);
	cr_assert(strstr(run.out.text, "\nCRON_TZ=Europe/Berlin\n"), RUN_FORMAT, RUN_ARGS(&run));
	line = strstr(run.out.text, "\n30 3 1 * 1 /usr/bin/printf run ");
	cr_assert(line, RUN_FORMAT, RUN_ARGS(&run));
	line += strlen("\n30 3 1 * 1 /usr/bin/printf run ") - strlen("set -- ");
	line[strcspn(line, "\n")] = '\0';
	memcpy(line, "set -- ", strlen("set -- "));
	as_cron_does(line);
	run_all(&shell, &(struct run_spec){.program = "/usr/bin/env",
	                                   ARGV("sh", "-c", "eval \"$1\"; printf '%s\\n' \"$@\"",
	                                        "sh", line)});
	cr_expect(strstr(shell.out.text, wanted), RUN_FORMAT, RUN_ARGS(&shell));
	run_release(&shell);
	run_release(&run);
}

static void refused(const char *option, const char *value)
{
	struct run run;

	generate(&run, (const char *const[]){GENERATE(option, value, "--", "true"), NULL}, 125);
	cr_expect(strstr(run.err.text, "for clusters"), "%s: " RUN_FORMAT, option, RUN_ARGS(&run));
	cr_expect(capture_is(&run.out, ""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(cron, what_a_host_cannot_do_is_refused_with_the_reason)
{
	if (in_cluster())
		return;
	refused("--retries", "2");
	refused("--history", "1,1");
	refused("--concurrency", "replace");
	refused("-o", "yaml");
}

/* cron starts in the home folder, systemd at the root. */
Test(cron, a_path_from_here_is_one_from_the_root_in_the_line)
{
	const char *home = getenv("ONEOFF_TEST_DIR");
	struct run run;

	if (strcmp(getenv("ONEOFF_TEST_ENGINE"), "oci") != 0)
		return;
	cr_assert_eq(chdir(home), 0);
	run_all(&run, &(struct run_spec){ARGV("cron", "generate", "--like", "oci-layout:./image:1",
	                                      "--name", "tidy", "--schedule", "@daily", "-o",
	                                      "crontab", "--", "true")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_expect(strstr(run.out.text, " --like oci-layout:/"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
