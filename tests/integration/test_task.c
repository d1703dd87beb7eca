/* SPDX-License-Identifier: Apache-2.0 */
/* What the task itself sees: arguments, environment, user, files, names (design sections 2 and 5).
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/expect.h"

TestSuite(task, .fini = expect_clean, .timeout = 60);

#define TASK(...) ARGV("run", "-q", "--like", "web", "--", __VA_ARGS__)

/* UTF-8 goes through JSON; so do control bytes. NUL cannot be in an argument. */
Test(task, sees_its_arguments_byte_by_byte)
{
	expect_output((const char *const[]){"run", "--like", "web", "--", "helper", "argv", "a b",
	                                    "", "$HOME", "\"'\\", "*", "-x", "--like", "--",
	                                    "Gr\xc3\xbc\xc3\x9f"
	                                    "e",
	                                    "\t\n\r\x01\x1b\x7f", "</script>", NULL},
	              "612062\n\n24484f4d45\n22275c\n2a\n2d78\n2d2d6c696b65\n2d2d\n"
	              "4772c3bcc39f65\n090a0d011b7f\n3c2f7363726970743e\n");
}

Test(task, needs_no_dashes_before_the_command)
{
	expect_output((const char *const[]){"run", "--like", "web", "helper", "argv", "-e", "-x",
	                                    "--keep", NULL},
	              "2d65\n2d78\n2d2d6b656570\n");
}

/* Bytes that are no UTF-8 cannot be said in JSON: they arrive exact, or nothing is started. */
Test(task, gets_invalid_utf8_exact_or_is_not_started)
{
	struct run run;

	run_all(&run, &(struct run_spec){TASK("helper", "argv",
	                                      "a\xff\xfe"
	                                      "b")});
	cr_assert(run.code == 125 || (run.code == 0 && capture_is(&run.out, "61fffe62\n")),
	          RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(task, gets_a_large_argument)
{
	size_t length = 100000;
	char expected[64], *large = malloc(length + 1);
	struct run run;

	cr_assert(large);
	memset(large, 'x', length);
	large[length] = '\0';
	snprintf(expected, sizeof(expected), "%016" PRIx64 " 1\n",
	         fnv_add(FNV_START, large, length + 1));
	run_all(&run, &(struct run_spec){TASK("helper", "argv-sum", large)});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, expected);
	run_release(&run);
	free(large);
}

Test(task, runs_as_the_source_s_user_in_its_folder)
{
	expect_output((const char *const[]){"run", "--like", "web", "--", "helper", "where", NULL},
	              "uid 1234 gid 1235 cwd /srv/app tty 000\n");
	expect_output((const char *const[]){"run", "-u", "0", "-w", "/tmp", "--like", "web", "--",
	                                    "helper", "where", NULL},
	              "uid 0 gid 0 cwd /tmp tty 000\n");
}

/* One line a variable: NAME=VALUE, newline. */
static bool has_line(const struct capture *capture, const char *line)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	return strncmp(capture->text, wanted + 1, strlen(wanted + 1)) == 0 ||
	       strstr(capture->text, wanted);
}

Test(task, has_the_source_s_environment)
{
	static const char *const lines[] = {
		"QUOTES=it's \"both\"",
		"SPACES=  two  ",
		"EMPTY=",
		"EQUALS=a=b=c",
		"UTF8=Grüße 🚀",
		"LINES=one\ntwo",
		"DOLLAR=$HOME ${X}",
		"FROM_IMAGE=kept as it is",
		"ONEOFF=1",
	};
	struct run run;
	size_t i;

	run_all(&run, &(struct run_spec){TASK("helper", "env")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_assert(has_line(&run.out, lines[i]), "no %s in\n%s", lines[i], run.out.text);
	cr_assert(strstr(run.out.text, "ONEOFF_ID="), RUN_FORMAT, RUN_ARGS(&run));
	/* a proxy learns of it from an engine's events only: without an engine it does no harm */
	if (!engine_traits()->keeps_proxy_variables)
		cr_assert(!strstr(run.out.text, "VIRTUAL_HOST="), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(task, environment_can_be_added_and_overridden)
{
	char path[] = "/tmp/oneoff-env-XXXXXX";
	int fd = mkstemp(path);
	struct run run;

	cr_assert_geq(fd, 0);
	cr_assert_gt(dprintf(fd, "# a comment\n\nFROM_FILE=f=1\nEQUALS=file\n"), 0);
	close(fd);
	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--env-file", path, "-e", "ADDED=x y",
	                                      "-e", "EMPTY=full", "-e", "LOCAL", "--like", "web",
	                                      "--", "helper", "env"),
	                                 .env = (const char *const[]){"LOCAL=from here", NULL}});
	unlink(path);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(has_line(&run.out, "FROM_FILE=f=1"), "%s", run.out.text);
	cr_assert(has_line(&run.out, "EQUALS=file"), "%s", run.out.text);
	cr_assert(has_line(&run.out, "ADDED=x y"), "%s", run.out.text);
	cr_assert(has_line(&run.out, "EMPTY=full"), "%s", run.out.text);
	cr_assert(has_line(&run.out, "LOCAL=from here"), "%s", run.out.text);
	cr_assert(!has_line(&run.out, "EMPTY="), "%s", run.out.text);
	cr_assert(!has_line(&run.out, "EQUALS=a=b=c"), "%s", run.out.text);
	run_release(&run);
}

Test(task, sees_the_source_s_files_and_shares_its_volume)
{
	expect_output((const char *const[]){"run", "-u", "0", "--like", "web", "--", "sh", "-c",
	                                    "cat /bind/file; touch /bind/x 2>/dev/null || echo ro;"
	                                    "touch /scratch/x && echo rw; echo shared >/data/note",
	                                    NULL},
	              "from the host\nro\nrw\n");
	expect_output(
		(const char *const[]){"run", "--like", "web", "--", "cat", "/data/note", NULL},
		"shared\n");
}

Test(task, leaves_the_source_s_own_files_alone)
{
	expect_output((const char *const[]){"run", "-u", "0", "--like", "web", "--", "sh", "-c",
	                                    "echo mine >/tmp/mine; cat /tmp/mine", NULL},
	              "mine\n");
	expect_output((const char *const[]){"run", "--like", "web", "--", "sh", "-c",
	                                    "test -e /tmp/mine || echo gone", NULL},
	              "gone\n");
}

Test(task, knows_the_source_s_extra_hosts)
{
	expect_output((const char *const[]){"run", "--like", "web", "--", "sh", "-c",
	                                    "grep -c '^10.1.2.3.*db.internal' /etc/hosts", NULL},
	              "1\n");
}

/* The service's name must go on to mean the service alone. The answers stand after the first empty
 * line of nslookup; Podman's dnsmasq may not have read a new name yet, and then gives none. */
Test(task, does_not_answer_to_the_source_s_network_alias)
{
	struct run run;

	run_all(&run, &(struct run_spec){TASK("sh", "-c",
	                                      "nslookup web-alias. | sed '1,/^$/d' >/tmp/answers;"
	                                      "grep -c '^Address.*198.18' /tmp/answers; exit 0")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "1\n") ||
	                  (engine_is_podman() && capture_is(&run.out, "0\n")),
	          RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(task, runs_behind_the_source_s_entrypoint)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "entry", "--", "helper",
	                                      "exit", "4", "x")});
	cr_assert_eq(run.code, 4, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.err, "entrypoint 4\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(task, can_do_without_the_entrypoint)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--entrypoint", "clear", "--like",
	                                      "entry", "--", "helper", "exit", "4", "x")});
	cr_assert_eq(run.code, 4, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.err, ""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(task, can_have_another_entrypoint)
{
	expect_output((const char *const[]){"run", "-q", "--entrypoint", "helper", "--like",
	                                    "entry", "--", "argv", "z", NULL},
	              "7a\n");
}
