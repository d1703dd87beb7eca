/* SPDX-License-Identifier: Apache-2.0 */
/* The Roles of k8s-manifests, by users who have nothing else: runner, operator and deployer (engine-kube.sh), and the
 * service account oneoff-cron. What a README promises of a Role is done here with it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_kube.h"
#include "tests/integration/harness.h"

static void clean(void)
{
	kube_change("DELETE", "batch/v1/cronjobs/tidy-up?propagationPolicy=Background", NULL);
	kube_change("DELETE", "coordination.k8s.io/v1/leases", NULL);
	engine_remove_one_offs();
	expect_clean();
}

TestSuite(kube_roles, .init = fake_reset, .fini = clean, .timeout = 120);

/* Runs `oneoff WORDS` by a shell, which has $ONEOFF; expects the code, and that stdout and stderr hold `out` and `err`
 * (NULL: anything). */
static void expect(int code, const char *out, const char *err, const char *words)
{
	char line[512];
	struct run run;

	snprintf(line, sizeof(line), "\"$ONEOFF\" %s", words);
	run_all(&run, &(struct run_spec){.program = "/bin/bash", ARGV("-c", line)});
	cr_expect_eq(run.code, code, "%s: " RUN_FORMAT, words, RUN_ARGS(&run));
	if (out)
		cr_expect(strstr(run.out.text, out), "%s: no '%s': " RUN_FORMAT, words, out,
		          RUN_ARGS(&run));
	if (err)
		cr_expect(strstr(run.err.text, err), "%s: no '%s': " RUN_FORMAT, words, err,
		          RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_roles, oneoff_is_enough_to_run_and_to_plan)
{
	expect(7, "hello\n", NULL,
	       "run -q --as runner --like deploy/web -- sh -c 'echo hello; exit 7'");
	expect(0, "bytes", NULL, "run -q --as runner --like deploy/web -- cat <<<bytes");
	expect(0, "kept as they are", NULL, "plan --as runner --like deploy/web -- true");
	expect(0, "x\n", NULL, "run -q --as runner --like cronjob/nightly -- echo x");
	expect(0, "x\n", NULL, "run -q --as runner --like sts/db -- echo x");
}

Test(kube_roles, oneoff_is_not_enough_for_more_and_that_is_told)
{
	expect(125, "", "k8s-manifests/role.yaml", "list --as runner");
	expect(125, "", "k8s-manifests/role.yaml",
	       "run --lock l --as runner --like deploy/web -- true");
	expect(125, "", "k8s-manifests/cron-role.yaml",
	       "cron apply --as runner --like deploy/web --name tidy-up --schedule @daily -- true");
}

Test(kube_roles, operate_is_enough_for_what_runs_already)
{
	char line[512], id[64];

	snprintf(id, sizeof(id), "%s",
	         shell_line("\"$ONEOFF\" run -d --as operator --like deploy/web -- "
	                    "sh -c 'echo begun; exec helper signals'",
	                    NULL));
	snprintf(line, sizeof(line), "list --as operator -o json");
	expect(0, id, NULL, line);
	snprintf(line, sizeof(line),
	         "for i in {1..100}; do \"$ONEOFF\" logs --as operator %s 2>/dev/null | "
	         "grep ready && break; sleep 0.1; done",
	         id);
	cr_expect_str_eq(shell_line(line, NULL), "ready");
	snprintf(line, sizeof(line), "stop --as operator %s", id);
	expect(0, NULL, NULL, line);
	snprintf(line, sizeof(line), "logs --as operator %s", id);
	expect(0, "begun\n", NULL, line);
	expect(0, NULL, NULL, "gc --as operator");
	expect(0, "alone\n", NULL, "run -q --lock l --as operator --like deploy/web -- echo alone");
	snprintf(line, sizeof(line), "stop --force --as operator %s", id);
	expect(0, NULL, NULL, line);
}

Test(kube_roles, schedules_are_kept_by_whoever_has_the_role_for_them)
{
	expect(0, NULL, "cronjob/tidy-up created",
	       "cron apply --as deployer --like deploy/web --name tidy-up --schedule @yearly -- "
	       "sh -c 'echo tidy; exit 3'");
	expect(0, "tidy-up", NULL, "cron list --as deployer");
	expect(0, "as the app is", NULL, "cron check --as deployer");
	expect(0, NULL, "nothing to do", "cron sync --as deployer");
	expect(3, "tidy\n", NULL, "cron run -q --as deployer tidy-up");
	expect(0, NULL, "suspended", "cron suspend --as deployer tidy-up");
	expect(0, NULL, "resumed", "cron resume --as deployer tidy-up");
	expect(0, NULL, "deleted", "cron delete --as deployer tidy-up");
	cr_expect_null(kube_get("batch/v1/cronjobs/tidy-up"));
}
