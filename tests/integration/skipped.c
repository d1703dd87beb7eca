/* SPDX-License-Identifier: Apache-2.0 */
/* Which cases make no sense with which engine, and why: they are skipped there, and counted as skipped. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <criterion/internal/ordered-set.h>
#include <stdlib.h>
#include <string.h>

struct skipped {
	const char *engine;
	const char *suite, *test; /* test "*": all */
	const char *why;
};

static const struct skipped skipped[] = {
	{"oci", "clone", "*", "compares Docker's inspect documents; oci_clone asks the kernel"},
	{"oci", "cut", "*", "there is no connection that could be cut"},
	{"oci", "faults", "reader_stalls_around_the_end_of_1300000_bytes",
         "the sizes are those of an engine's buffers: one is enough where there is none"},
	{"oci", "faults", "reader_stalls_around_the_end_of_1420000_bytes", "as above"},
	{"oci", "reach", "*", "no API: no ssh, no contexts, no compose"},
	{"oci", "tls", "*", "no API"},
	{"oci", "task", "does_not_answer_to_the_source_s_network_alias",
         "no name server: names in a network are an engine's"},
	{"oci", "task", "runs_behind_the_source_s_entrypoint",
         "config.json does not tell the entrypoint from the command; oci: an_image_s_entrypoint"},
	{"oci", "task", "can_do_without_the_entrypoint", "as above"},
	{"kube", "clone", "*", "compares Docker's inspect documents; kube_clone asks the cluster"},
	{"kube", "cut", "*", "relays a unix socket; kube_lines cuts in the API server"},
	{"kube", "reach", "*",
         "no ssh, no docker contexts, no compose; kube_reach has kubeconfigs"},
	{"kube", "tls", "*", "DOCKER_CERT_PATH and its like"},
	{"kube", "task", "does_not_answer_to_the_source_s_network_alias",
         "what a name leads to are endpoints: kube_labels looks at them"},
	{"kube", "signals", "each_goes_to_the_task_once_and_its_code_comes_back",
         "a cluster has no call for signals, deletion is its TERM: kube_signals"},
	{"kube", "signals", "int_reaches_the_task", "as above"},
	{"kube", "operate", "gc_says_what_it_would_delete",
         "the cluster deletes it itself by then: kube_list has gc"},
	{"kube", "operate", "wait_tells_a_signal_and_the_last_lines",
         "killing from outside is deleting there, the log too"},
	{"no-launcher", "kube_launcher", "*",
         "needs an image of oneoff in the cluster: e2e has how"},
	{"fake", "codes", "out_of_memory_is_137_and_says_so",
         "limits are not enforced there; kube_faults has it by script"},
	{"cluster", "kube_faults", "*", "needs the fake's fault script"},
	{"cluster", "kube_list", "*", "needs the fake's planted objects"},
	{"cluster", "kube_lock", "*", "asks the fake what ran"},
	{"cluster", "kube_lock_many", "*", "asks the fake what ran"},
	{"cluster", "kube_lines", "*", "needs the fake's fault script"},
	{"cluster", "kube_source", "during_a_rollout_either_revision",
         "needs the fake's fault script"},
	{"cluster", "kube_source", "any_kind_with_a_pod_template", "needs Argo Rollouts"},
	{"cluster", "kube_streams", "a_burst_in_an_image_without_a_shell",
         "needs an image without a shell"},
	{"cluster", "kube_clone", "without_a_gate_output_is_complete_or_120",
         "needs an image with an ENTRYPOINT"},
	{"cluster", "kube_clone", "gate_args_stands_behind_the_entrypoint", "as above"},
	{"cluster", "task", "runs_behind_the_source_s_entrypoint", "as above"},
	{"cluster", "task", "can_do_without_the_entrypoint", "as above"},
	{"cluster", "task", "can_have_another_entrypoint", "as above"},
	{"cluster", "task", "sees_the_source_s_files_and_shares_its_volume",
         "needs a volume claim, which not every cluster can give"},
	{"oci", "doctor", "tells_whom_a_socket_refuses_what_to_do", "no API"},
	{"kube", "doctor", "tells_whom_a_socket_refuses_what_to_do",
         "no socket; kube_doctor asks with less rights"},
	{"kube", "named_tasks", "*", "files cannot be read there; kube_tasks has annotations"},
	{"oci", "operate", "attach_to_a_task_that_has_its_client",
         "its output goes straight to that client; oci_operate: nobody_has_a_copy…"},
	{"oci", "options", "a_name_that_is_taken_is_125",
         "one-offs have a state root of their own; oci: a_name_that_another_one_off_has"},
};

/* "fake" and "cluster" are the engine "kube" on the fake API server and on a real one. */
static bool is_engine(const char *name)
{
	const char *engine = getenv("ONEOFF_TEST_ENGINE");

	if (!engine || strcmp(engine, "kube") != 0)
		return engine && strcmp(engine, name) == 0;
	if (strcmp(name, "no-launcher") == 0)
		return !getenv("ONEOFF_TEST_LAUNCHER") || !*getenv("ONEOFF_TEST_LAUNCHER");
	return strcmp(name, "kube") == 0 ||
	       strcmp(name, getenv("ONEOFF_TEST_FAKE") ? "fake" : "cluster") == 0;
}

static const struct skipped *find(const char *suite, const char *test)
{
	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		if (is_engine(skipped[i].engine) && strcmp(skipped[i].suite, suite) == 0 &&
		    (strcmp(skipped[i].test, "*") == 0 || strcmp(skipped[i].test, test) == 0))
			return &skipped[i];
	return NULL;
}

/* Suites named oci… and kube… are about that engine alone. */
static bool is_for_another(const char *suite)
{
	const char *engine = getenv("ONEOFF_TEST_ENGINE");

	return (strncmp(suite, "oci", 3) == 0 && (!engine || strcmp(engine, "oci") != 0)) ||
	       (strncmp(suite, "kube", 4) == 0 && (!engine || strcmp(engine, "kube") != 0));
}

ReportHook(PRE_ALL)(struct criterion_test_set *set)
{
	FOREACH_SET(struct criterion_suite_set * suite, set->suites)
	{
		FOREACH_SET(struct criterion_test * test, suite->tests)
		{
			if (is_for_another(test->category) || find(test->category, test->name))
				test->data->disabled = true;
		}
	}
}
