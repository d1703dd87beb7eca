/* SPDX-License-Identifier: Apache-2.0 */
/* The options of run, console and plan: one row each, from which parser and help are made. */
#include "cmd/oneoff/cmd_cron.h"
#include "cmd/oneoff/run_options.h"

/* clang-format off */
#define ROW(letter, name, kind, field, argument, choices, variable, help) \
	{letter, name, kind, offsetof(struct run_options, field), argument, choices, variable, help}

static const char *const keep_choices[] = {"never", "failed", "always", NULL};
static const char *const network_choices[] = {"source", "none", "host", NULL};
static const char *const disconnect_choices[] = {"default", "continue", "stop", NULL};
static const char *const revision_choices[] = {"current", "old", "new", NULL};
static const char *const sidecar_choices[] = {"native", "none", NULL};
static const char *const carrier_choices[] = {"job", "pod", NULL};
static const char *const gate_choices[] = {"auto", "args", "none", NULL};
static const char *const format_choices[] = {"table", "json", "yaml", NULL};

/* Where the source is, how to reach it, how much to say. */
#define SOURCE_OPTIONS \
	ROW(0, "like", OPTION_STRING, like, "SOURCE", NULL, "ONEOFF_LIKE", \
	    "the running app to clone: NAME, compose:PROJECT/SERVICE, docker:NAME, podman:NAME, " \
	    "oci:ID, oci-layout:PATH[:TAG], deploy/NAME, sts/, ds/, job/, cronjob/, pod/, svc/, " \
	    "KIND.GROUP/NAME"), \
	ROW(0, "from", OPTION_STRING, like, "SOURCE", NULL, NULL, NULL), \
	ROW(0, "runtime", OPTION_STRING, runtime, "NAME", NULL, "ONEOFF_RUNTIME", \
	    "look in this runtime only: docker, podman, oci or kubernetes"), \
	ROW('H', "host", OPTION_STRING, host, "URL", NULL, "ONEOFF_HOST", \
	    "the engine's address, as docker takes it"), \
	ROW(0, "context", OPTION_STRING, context, "NAME", NULL, "ONEOFF_CONTEXT", \
	    "the docker context, or the kubeconfig's, to use"), \
	ROW('n', "namespace", OPTION_STRING, name_space, "NAME", NULL, "ONEOFF_NAMESPACE", \
	    "kubernetes: the namespace (default: the context's)"), \
	ROW(0, "kubeconfig", OPTION_STRING, kubeconfig, "FILE", NULL, NULL, \
	    "kubernetes: this file alone (default: KUBECONFIG, else ~/.kube/config)"), \
	ROW(0, "as", OPTION_STRING, as, "USER", NULL, NULL, \
	    "kubernetes: act as this user"), \
	ROW(0, "as-group", OPTION_LIST, as_groups, "GROUP", NULL, NULL, \
	    "kubernetes: act as a member of this group"), \
	ROW('c', "container", OPTION_STRING, container, "NAME", NULL, "ONEOFF_CONTAINER", \
	    "kubernetes: which container of the pod (default: the pod's own, else the first)"), \
	ROW(0, "revision", OPTION_CHOICE, revision, "WHICH", revision_choices, NULL, \
	    "kubernetes: during a rollout, the old or the new one (default current: the newest " \
	    "that is ready)"), \
	ROW(0, "oci-runtime", OPTION_STRING, oci_runtime, "PROGRAM", NULL, "ONEOFF_OCI_RUNTIME", \
	    "oci: the runtime to start the task with (default: the app's own, else crun or runc)"), \
	ROW(0, "oci-root", OPTION_STRING, oci_root, "DIR", NULL, "ONEOFF_OCI_ROOT", \
	    "oci: where the app's runtime keeps its state (its --root)"), \
	ROW(0, "store", OPTION_STRING, store, "DIR", NULL, "ONEOFF_STORE", \
	    "oci: where images are unpacked (default ~/.local/share/oneoff)"), \
	ROW('q', "quiet", OPTION_TRUE, verbosity.quiet, NULL, NULL, "ONEOFF_QUIET", \
	    "say nothing but warnings and errors"), \
	ROW('v', "verbose", OPTION_COUNT, verbosity.verbose, NULL, NULL, NULL, \
	    "say what was chosen, and why"), \
	ROW('h', "help", OPTION_TRUE, help, NULL, NULL, NULL, \
	    "show this help")

/* What differs from the app. */
#define CHANGE_OPTIONS \
	ROW('e', "env", OPTION_LIST, env, "KEY[=VALUE]", NULL, NULL, \
	    "add or override a variable; without = the local value is taken"), \
	ROW(0, "env-file", OPTION_LIST, env_files, "FILE", NULL, NULL, \
	    "read variables from a file"), \
	ROW('u', "user", OPTION_STRING, user, "USER[:GROUP]", NULL, NULL, \
	    "run as another user than the app"), \
	ROW('w', "workdir", OPTION_STRING, workdir, "DIR", NULL, NULL, \
	    "run in another folder than the app"), \
	ROW(0, "entrypoint", OPTION_STRING, entrypoint, "keep|clear|COMMAND", NULL, \
	    "ONEOFF_ENTRYPOINT", "keep the app's entrypoint (default), drop it, or replace it"), \
	ROW(0, "image", OPTION_STRING, image, "IMAGE", NULL, NULL, \
	    "the same configuration on another image"), \
	ROW(0, "cpu", OPTION_CPUS, cpu, "N", NULL, NULL, \
	    "another limit of processors: 2, 0.5, 500m"), \
	ROW(0, "memory", OPTION_SIZE, memory, "SIZE", NULL, NULL, \
	    "another limit of memory: 512m, 2g"), \
	ROW('l', "label", OPTION_LIST, labels, "KEY=VALUE", NULL, NULL, \
	    "add a label")

#define TASK_OPTIONS \
	ROW(0, "name", OPTION_STRING, name, "NAME", NULL, NULL, \
	    "a name of your own for the container")

#define PLATFORM_OPTIONS \
	ROW(0, "network", OPTION_CHOICE, network, "WHAT", network_choices, NULL, \
	    "oci: the app's network (source, default), none or the machine's (host)"), \
	ROW(0, "sidecars", OPTION_CHOICE, sidecars, "HOW", sidecar_choices, NULL, \
	    "kubernetes: the pod's other containers serve the task and end with it (native, " \
	    "default), or none"), \
	ROW(0, "no-init", OPTION_TRUE, no_init, NULL, NULL, NULL, \
	    "kubernetes: without the pod's init containers"), \
	ROW(0, "network-identity", OPTION_TRUE, network_identity, NULL, NULL, NULL, \
	    "kubernetes: keep the labels that network policies need, never ready"), \
	ROW(0, "carrier", OPTION_CHOICE, carrier, "WHAT", carrier_choices, NULL, \
	    "kubernetes: a job (default), or a bare pod where jobs are not allowed"), \
	ROW(0, "gate", OPTION_CHOICE, gate, "HOW", gate_choices, NULL, \
	    "kubernetes: what holds the task back until we are attached: auto, behind the " \
	    "entrypoint (args), none"), \
	ROW(0, "no-log", OPTION_TRUE, no_log, NULL, NULL, "ONEOFF_NO_LOG", \
	    "keep the output out of the engine's log (faster exports)"), \
	ROW(0, "fresh-volumes", OPTION_TRUE, fresh_volumes, NULL, NULL, NULL, \
	    "do not share the app's anonymous volumes"), \
	ROW(0, "reason", OPTION_STRING, reason, "TEXT", NULL, "ONEOFF_REASON", \
	    "recorded with the task")

#define STREAM_OPTIONS \
	ROW('t', "tty", OPTION_TRUE, tty, NULL, NULL, NULL, \
	    "give the task a terminal (default: if stdin and stdout are terminals)"), \
	ROW('T', "no-tty", OPTION_TRUE, no_tty, NULL, NULL, NULL, \
	    "give it none"), \
	ROW('I', "no-stdin", OPTION_TRUE, no_stdin, NULL, NULL, NULL, \
	    "do not forward stdin; the task reads /dev/null")

#define LIMIT_OPTIONS \
	ROW(0, "timeout", OPTION_DURATION, timeout, "TIME", NULL, "ONEOFF_TIMEOUT", \
	    "end the task after this long, with code 124 (default 24h; 0: never)"), \
	ROW(0, "start-timeout", OPTION_DURATION, start_timeout, "TIME", NULL, \
	    "ONEOFF_START_TIMEOUT", "how long one step of the start may take (default 5m)"), \
	ROW(0, "grace", OPTION_DURATION, grace, "TIME", NULL, "ONEOFF_GRACE", \
	    "between TERM and KILL (default: the app's own)"), \
	ROW(0, "keep", OPTION_CHOICE, keep, "WHEN", keep_choices, "ONEOFF_KEEP", \
	    "keep the ended container: never (default), failed or always"), \
	ROW(0, "keep-for", OPTION_DURATION, keep_for, "TIME", NULL, "ONEOFF_KEEP_FOR", \
	    "for how long; a later run removes it (default: for good)")

#define CLONE_OPTIONS \
	CHANGE_OPTIONS, TASK_OPTIONS, PLATFORM_OPTIONS, STREAM_OPTIONS, LIMIT_OPTIONS

const struct option run_option_table[] = {
	SOURCE_OPTIONS,
	CLONE_OPTIONS,
	ROW(0, "on-disconnect", OPTION_CHOICE, on_disconnect, "WHAT", disconnect_choices,
	    "ONEOFF_ON_DISCONNECT",
	    "if we die: continue (default without a terminal) or stop (with one)"),
	ROW(0, "detach-keys", OPTION_STRING, detach_keys, "KEYS", NULL, "ONEOFF_DETACH_KEYS",
	    "keys that leave the task running, such as ctrl-p,ctrl-q (default: none)"),
	ROW(0, "result", OPTION_STRING, result, "FILE", NULL, "ONEOFF_RESULT",
	    "write a JSON record of the run to this file"),
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
