/* SPDX-License-Identifier: Apache-2.0 */
/* The options of run, console and plan: one row each, from which parser and help are made. */
#include "cmd/oneoff/cmd_cron.h"
#include "cmd/oneoff/run_options.h"
#include "cmd/oneoff/shared_options.h"

/* clang-format off */
/* After the help, what may be left out: .completion = …, .project = true. */
#define ROW(letter, name, kind, field, argument, choices, variable, ...) \
	{letter, name, kind, offsetof(struct run_options, field), argument, choices, variable, __VA_ARGS__}

static const char *const keep_choices[] = {"never", "failed", "always", NULL};
static const char *const network_choices[] = {"source", "none", "host", NULL};
static const char *const disconnect_choices[] = {"default", "continue", "stop", NULL};
static const char *const revision_choices[] = {"current", "old", "new", NULL};
static const char *const sidecar_choices[] = {"native", "none", NULL};
static const char *const carrier_choices[] = {"job", "pod", NULL};
static const char *const gate_choices[] = {"auto", "args", "none", NULL};
static const char *const short_format_choices[] = {"table", "json", NULL};
static const char *const format_choices[] = {"table", "json", "yaml", NULL};

/* Where the source is, how to reach it, how much to say. */
#define SOURCE_OPTIONS \
	ROW(0, "like", OPTION_STRING, like, "SOURCE", NULL, "ONEOFF_LIKE", \
	    "the running app to clone: NAME, compose:PROJECT/SERVICE, docker:NAME, podman:NAME, " \
	    "oci:ID, oci-layout:PATH[:TAG], deploy/NAME, sts/, ds/, job/, cronjob/, pod/, svc/, " \
	    "KIND.GROUP/NAME", \
	    .completion = COMPLETE_SOURCE, .project = true), \
	ROW(0, "from", OPTION_STRING, like, "SOURCE", NULL, NULL, NULL, \
	    .completion = COMPLETE_SOURCE), \
	ENGINE_OPTIONS, \
	CLUSTER_OPTIONS, \
	ROW('c', "container", OPTION_STRING, container, "NAME", NULL, "ONEOFF_CONTAINER", \
	    "kubernetes: which container of the pod (default: the pod's own, else the first)", \
	    .project = true), \
	ROW(0, "revision", OPTION_CHOICE, revision, "WHICH", revision_choices, "ONEOFF_REVISION", \
	    "kubernetes: during a rollout, the old or the new one (default current: the newest " \
	    "that is ready)", \
	    .project = true), \
	ROW(0, "oci-runtime", OPTION_STRING, oci_runtime, "PROGRAM", NULL, "ONEOFF_OCI_RUNTIME", \
	    "oci: the runtime to start the task with (default: the app's own, else crun or runc)", \
	    .completion = COMPLETE_PROGRAM), \
	ROW(0, "oci-root", OPTION_STRING, oci_root, "DIR", NULL, "ONEOFF_OCI_ROOT", \
	    "oci: where the app's runtime keeps its state (its --root)", \
	    .completion = COMPLETE_FOLDER), \
	STORE_OPTION, \
	VERBOSITY_OPTIONS

/* What differs from the app. */
#define CHANGE_OPTIONS \
	ROW('e', "env", OPTION_LIST, env, "KEY[=VALUE]", NULL, "ONEOFF_ENV", \
	    "add or override a variable; without = the local value is taken"), \
	ROW(0, "env-file", OPTION_LIST, env_files, "FILE", NULL, "ONEOFF_ENV_FILE", \
	    "read variables from a file", \
	    .completion = COMPLETE_FILE), \
	ROW('u', "user", OPTION_STRING, user, "USER[:GROUP]", NULL, "ONEOFF_USER", \
	    "run as another user than the app"), \
	ROW('w', "workdir", OPTION_STRING, workdir, "DIR", NULL, "ONEOFF_WORKDIR", \
	    "run in another folder than the app", \
	    .project = true), \
	ROW(0, "entrypoint", OPTION_STRING, entrypoint, "keep|clear|COMMAND", NULL, \
	    "ONEOFF_ENTRYPOINT", "keep the app's entrypoint (default), drop it, or replace it"), \
	ROW(0, "image", OPTION_STRING, image, "IMAGE", NULL, "ONEOFF_IMAGE", \
	    "the same configuration on another image"), \
	ROW(0, "cpu", OPTION_CPUS, cpu, "N", NULL, "ONEOFF_CPU", \
	    "another limit of processors: 2, 0.5, 500m", \
	    .project = true), \
	ROW(0, "memory", OPTION_SIZE, memory, "SIZE", NULL, "ONEOFF_MEMORY", \
	    "another limit of memory: 512m, 2g", \
	    .project = true), \
	ROW('l', "label", OPTION_LIST, labels, "KEY=VALUE", NULL, "ONEOFF_LABEL", \
	    "add a label")

#define TASK_OPTIONS \
	ROW(0, "name", OPTION_STRING, name, "NAME", NULL, NULL, \
	    "a name of your own for the container")

#define PLATFORM_OPTIONS \
	ROW(0, "network", OPTION_CHOICE, network, "WHAT", network_choices, "ONEOFF_NETWORK", \
	    "oci: the app's network (source, default), none or the machine's (host)"), \
	ROW(0, "sidecars", OPTION_CHOICE, sidecars, "HOW", sidecar_choices, "ONEOFF_SIDECARS", \
	    "kubernetes: the pod's other containers serve the task and end with it (native, " \
	    "default), or none", \
	    .project = true), \
	ROW(0, "no-init", OPTION_TRUE, no_init, NULL, NULL, "ONEOFF_NO_INIT", \
	    "kubernetes: without the pod's init containers", \
	    .project = true), \
	ROW(0, "network-identity", OPTION_TRUE, network_identity, NULL, NULL, \
	    "ONEOFF_NETWORK_IDENTITY", "kubernetes: keep the labels that network policies need, never ready", \
	    .project = true), \
	ROW(0, "carrier", OPTION_CHOICE, carrier, "WHAT", carrier_choices, "ONEOFF_CARRIER", \
	    "kubernetes: a job (default), or a bare pod where jobs are not allowed", \
	    .project = true), \
	ROW(0, "gate", OPTION_CHOICE, gate, "HOW", gate_choices, "ONEOFF_GATE", \
	    "kubernetes: what holds the task back until we are attached: auto, behind the " \
	    "entrypoint (args), none", \
	    .project = true), \
	ROW(0, "no-log", OPTION_TRUE, no_log, NULL, NULL, "ONEOFF_NO_LOG", \
	    "keep the output out of the engine's log (faster exports)", \
	    .project = true), \
	ROW(0, "fresh-volumes", OPTION_TRUE, fresh_volumes, NULL, NULL, "ONEOFF_FRESH_VOLUMES", \
	    "do not share the app's anonymous volumes", \
	    .project = true), \
	ROW(0, "reason", OPTION_STRING, reason, "TEXT", NULL, "ONEOFF_REASON", \
	    "recorded with the task", \
	    .project = true)

#define STREAM_OPTIONS \
	ROW('t', "tty", OPTION_TRUE, tty, NULL, NULL, NULL, \
	    "give the task a terminal (default: if stdin and stdout are terminals)"), \
	ROW('T', "no-tty", OPTION_TRUE, no_tty, NULL, NULL, NULL, \
	    "give it none"), \
	ROW('I', "no-stdin", OPTION_TRUE, no_stdin, NULL, NULL, "ONEOFF_NO_STDIN", \
	    "do not forward stdin; the task reads /dev/null", \
	    .project = true)

#define LIMIT_OPTIONS \
	ROW(0, "timeout", OPTION_DURATION, timeout, "TIME", NULL, "ONEOFF_TIMEOUT", \
	    "end the task after this long, with code 124 (default 24h; 0: never)", \
	    .project = true), \
	ROW(0, "start-timeout", OPTION_DURATION, start_timeout, "TIME", NULL, \
	    "ONEOFF_START_TIMEOUT", "how long one step of the start may take (default 5m)", \
	    .project = true), \
	ROW(0, "grace", OPTION_DURATION, grace, "TIME", NULL, "ONEOFF_GRACE", \
	    "between TERM and KILL (default: the app's own)", \
	    .project = true), \
	ROW(0, "keep", OPTION_CHOICE, keep, "WHEN", keep_choices, "ONEOFF_KEEP", \
	    "keep the ended container: never (default), failed or always", \
	    .project = true), \
	ROW(0, "keep-for", OPTION_DURATION, keep_for, "TIME", NULL, "ONEOFF_KEEP_FOR", \
	    "for how long after its end (default: for good; 24h with -d)", \
	    .project = true)

#define CLONE_OPTIONS \
	CHANGE_OPTIONS, TASK_OPTIONS, PLATFORM_OPTIONS, STREAM_OPTIONS, LIMIT_OPTIONS

const struct option run_option_table[] = {
	SOURCE_OPTIONS,
	CLONE_OPTIONS,
	ROW('d', "detach", OPTION_TRUE, detach, NULL, NULL, NULL,
	    "start it, print its id and return; then: oneoff logs, attach, wait, stop"),
	ROW(0, "lock", OPTION_STRING, lock, "NAME", NULL, "ONEOFF_LOCK",
	    "run only while no other task holds this lock; it is held until the task ends"),
	ROW(0, "lock-wait", OPTION_DURATION, lock_wait, "TIME", NULL, "ONEOFF_LOCK_WAIT",
	    "how long to wait for the lock (default 0: not at all)"),
	ROW(0, "on-disconnect", OPTION_CHOICE, on_disconnect, "WHAT", disconnect_choices,
	    "ONEOFF_ON_DISCONNECT",
	    "if we die: continue (default without a terminal) or stop (with one)",
	    .project = true),
	DETACH_KEYS_OPTION,
	ROW(0, "result", OPTION_STRING, result, "FILE", NULL, "ONEOFF_RESULT",
	    "write a JSON record of the run to this file",
	    .completion = COMPLETE_FILE),
};
const size_t run_option_count = ARRAY_SIZE(run_option_table);

const struct option plan_option_table[] = {
	SOURCE_OPTIONS,
	CLONE_OPTIONS,
	ROW('o', "output", OPTION_CHOICE, format, "FORMAT", format_choices, NULL,
	    "table (default), json or yaml"),
	ROW('a', "all", OPTION_TRUE, all, NULL, NULL, NULL, "list what is kept as well"),
	ROW(0, "show-secrets", OPTION_TRUE, show_secrets, NULL, NULL, NULL,
	    "show the values of variables"),
};
const size_t plan_option_count = ARRAY_SIZE(plan_option_table);

const struct option tasks_option_table[] = {
	SOURCE_OPTIONS,
	ROW('o', "output", OPTION_CHOICE, format, "FORMAT", short_format_choices, NULL,
	    "table (default) or json"),
};
const size_t tasks_option_count = ARRAY_SIZE(tasks_option_table);

const struct option doctor_option_table[] = {
	SOURCE_OPTIONS,
	ROW('o', "output", OPTION_CHOICE, format, "FORMAT", short_format_choices, NULL,
	    "table (default) or json"),
	ROW(0, "role", OPTION_TRUE, role, NULL, NULL, NULL,
	    "kubernetes: print the least Role that a person needs, for kubectl apply"),
};
const size_t doctor_option_count = ARRAY_SIZE(doctor_option_table);
/* The schedule's own rows stand in cmd_cron.h: no others know struct cron_options. */
const struct option cron_generate_option_table[] = {
	CRON_OPTIONS, CRON_OUTPUT_OPTIONS, SOURCE_OPTIONS, CHANGE_OPTIONS, PLATFORM_OPTIONS, LIMIT_OPTIONS,
};
const size_t cron_generate_option_count = ARRAY_SIZE(cron_generate_option_table);
const struct option cron_apply_option_table[] = {
	CRON_OPTIONS, CRON_APPLY_OPTIONS, SOURCE_OPTIONS, CHANGE_OPTIONS, PLATFORM_OPTIONS, LIMIT_OPTIONS,
};
const size_t cron_apply_option_count = ARRAY_SIZE(cron_apply_option_table);
/* clang-format on */
