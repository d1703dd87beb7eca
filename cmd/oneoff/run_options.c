/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/run_options.h"

#include <string.h>
#include <sys/stat.h>
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/defaults.h"
#include "cmd/oneoff/result.h"
#include "pkg/io/terminal.h"
#include "pkg/spec/env_file.h"

/* How long a detached task's end can be read when nothing else is said. */
#define DETACHED_KEEP_MS (INT64_C(24) * 3600 * 1000)

void run_options_release(struct run_options *options)
{
	char *const owned[] = {
		options->like,        options->runtime,  options->host,        options->context,
		options->user,        options->workdir,  options->entrypoint,  options->image,
		options->name,        options->reason,   options->detach_keys, options->result,
		options->oci_runtime, options->oci_root, options->store,       options->kubeconfig,
		options->name_space,  options->as,       options->container,   options->lock,
	};

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	strv_release(&options->env);
	strv_release(&options->env_files);
	strv_release(&options->labels);
	strv_release(&options->as_groups);
}

static int check_lock(const struct run_options *options, struct err *err)
{
	const char *lock = options->lock;

	/* One word may name a task, which may have a lock: asked for then. */
	if (options->lock_wait && !lock && options->operand_count != 1)
		return err_set(err, ERR_USAGE, "--lock-wait: which lock? --lock NAME is missing");
	if (lock && !request_lock_is_valid(lock))
		return err_set(err, ERR_USAGE, "--lock: " REQUEST_LOCK_RULE ": '%s'", lock);
	return 0;
}

/* What hands used to docker and kubectl type. */
static int explain_habit(struct err *err)
{
	static const struct {
		const char *option, *hint;
	} habits[] = {
		{"'--rm'", "leave it out: the clone is removed when it has ended"},
		{"'-i'", "leave it out: stdin is passed on, and a terminal is found by itself"},
		{"'--interactive'", "leave it out: stdin is passed on; -I does without"},
		{"'-p'", "a one-off takes no traffic: it has no ports"},
		{"'--publish'", "a one-off takes no traffic: it has no ports"},
		{"'--volume'", "the task has the app's own volumes"},
		{"'--mount'", "the task has the app's own volumes"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(habits); i++)
		if (strstr(err->message, "unknown option ") &&
		    strstr(err->message, habits[i].option))
			return err_hint(err, "%s", habits[i].hint);
	return -1;
}

/* One that cannot be written is not tried a second time for the record of that. */
static int check_result(struct run_options *options, struct err *err)
{
	if (!options->result || result_check(options->result, err) == 0)
		return 0;
	free(TAKE_PTR(options->result));
	return -1;
}

int run_options_parse(const struct option *table, size_t count, int argc, char **argv,
                      struct run_options *ret, struct err *err)
{
	struct request defaults;
	int first;

	request_init(&defaults);
	ret->cpu = defaults.cpu_nano;
	ret->memory = defaults.memory_bytes;
	ret->timeout = defaults.timeout_ms;
	ret->start_timeout = defaults.start_timeout_ms;
	ret->grace = defaults.grace_ms;
	if (defaults_parse(table, count, argc, argv, ret, &ret->verbosity, &first, err) < 0)
		return err->kind == ERR_USAGE ? explain_habit(err) : -1;
	ret->operands = argv + first;
	ret->operand_count = argc - first;
	if (ret->help)
		return 0;
	if (!ret->any_source && (!ret->like || !*ret->like)) {
		err_set(err, ERR_USAGE, "which app? --like SOURCE is missing");
		return err_hint(err, "for example: oneoff %s --like web", argv[0]);
	}
	if (ret->tty && ret->no_tty)
		return err_set(err, ERR_USAGE, "-t and -T exclude each other");
	return check_lock(ret, err) < 0 ? -1 : check_result(ret, err);
}

static int copy(char **to, const char *from, struct err *err)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : err_no_memory(err);
}

static int copy_entrypoint(const struct run_options *options, struct request *request,
                           struct err *err)
{
	const char *entrypoint = options->entrypoint;

	if (!entrypoint || !strcmp(entrypoint, "keep"))
		return 0;
	if (!*entrypoint || !strcmp(entrypoint, "clear")) {
		request->entrypoint_mode = ENTRYPOINT_CLEAR;
		return 0;
	}
	request->entrypoint_mode = ENTRYPOINT_REPLACE;
	return copy(&request->entrypoint, entrypoint, err);
}

static int copy_labels(const struct run_options *options, struct request *request, struct err *err)
{
	for (size_t i = 0; i < options->labels.count; i++) {
		const char *label = options->labels.items[i];

		if (*label == '=' || !*label)
			return err_set(err, ERR_USAGE, "-l: a label needs a name: '%s'", label);
		if (!strncmp(label, "dev.oneoff.", 11))
			return err_set(err, ERR_USAGE, "-l: names under dev.oneoff. are ours: '%s'",
			               label);
		if (strv_add(&request->labels, label) < 0)
			return err_no_memory(err);
	}
	return 0;
}

int run_options_terminal(const struct run_options *options, bool tty, struct request *request,
                         struct err *err)
{
	bool have = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

	request->tty = tty;
	request->stdin_open = !options->no_stdin && (!options->detach || tty);
	request->tty_rows = request->tty_columns = 0;
	free(TAKE_PTR(request->term));
	if (!tty)
		return 0;
	terminal_size(have ? STDIN_FILENO : STDOUT_FILENO, &request->tty_rows,
	              &request->tty_columns);
	return copy(&request->term, getenv("TERM"), err);
}

/* A terminal if stdin and stdout are both terminals, unless said otherwise. */
static int choose_terminal(const struct run_options *options, bool console, struct request *request,
                           struct err *err)
{
	bool have = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct stat info;

	if (run_options_terminal(options,
	                         options->tty || (have && !options->no_tty && !options->detach),
	                         request, err) < 0)
		return -1;
	if (console && (!have || options->no_tty)) {
		err_set(err, ERR_USAGE, "a console needs a terminal");
		return err_hint(err,
		                "to feed a script, use: oneoff run --like %s -- COMMAND < FILE",
		                options->like);
	}
	if (request->stdin_open && fstat(STDIN_FILENO, &info) == 0 && S_ISDIR(info.st_mode)) {
		err_set(err, ERR_USAGE, "stdin is a directory");
		return err_hint(err, "use -I to give the task no input");
	}
	return 0;
}

int run_options_request(const struct run_options *options, bool console, struct request *ret,
                        struct err *err)
{
	for (int i = 0; i < options->operand_count; i++)
		if (strv_add(&ret->argv, options->operands[i]) < 0)
			return err_no_memory(err);
	for (size_t i = 0; i < options->env_files.count; i++)
		if (env_file_read(options->env_files.items[i], &ret->env, err) < 0)
			return -1;
	for (size_t i = 0; i < options->env.count; i++)
		if (env_option_add(options->env.items[i], &ret->env, err) < 0)
			return -1;
	if (copy_labels(options, ret, err) < 0 || copy_entrypoint(options, ret, err) < 0 ||
	    copy(&ret->image, options->image, err) < 0 ||
	    copy(&ret->user, options->user, err) < 0 ||
	    copy(&ret->workdir, options->workdir, err) < 0 ||
	    copy(&ret->name, options->name, err) < 0 ||
	    copy(&ret->reason, options->reason, err) < 0 ||
	    copy(&ret->lock, options->lock, err) < 0 ||
	    copy(&ret->kubernetes.container, options->container, err) < 0)
		return -1;
	ret->kubernetes.sidecars = (enum sidecar_mode)options->sidecars;
	ret->kubernetes.carrier = (enum carrier_mode)options->carrier;
	ret->kubernetes.gate = (enum gate_mode)options->gate;
	ret->kubernetes.no_init = options->no_init;
	ret->kubernetes.network_identity = options->network_identity;
	ret->cpu_nano = options->cpu;
	ret->memory_bytes = options->memory;
	ret->network = (enum network_mode)options->network;
	ret->no_log = options->no_log;
	ret->fresh_volumes = options->fresh_volumes;
	ret->timeout_ms = options->timeout;
	ret->start_timeout_ms = options->start_timeout;
	ret->grace_ms = options->grace;
	ret->keep = (enum keep_mode)options->keep;
	ret->keep_for_ms = options->keep_for;
	ret->detach = options->detach;
	ret->lock_wait_ms = options->lock_wait;
	/* Nobody waits for it: without its object the end could not be read. */
	if (ret->detach && ret->keep == KEEP_NEVER) {
		ret->keep = KEEP_ALWAYS;
		ret->keep_for_ms = options->keep_for ? options->keep_for : DETACHED_KEEP_MS;
	}
	return choose_terminal(options, console, ret, err);
}

/* The runtime that the source's prefix names, or NULL. */
static const char *runtime_of(const struct source *source)
{
	switch (source->kind) {
	case SOURCE_DOCKER:
		return "docker";
	case SOURCE_PODMAN:
		return "podman";
	case SOURCE_OCI:
	case SOURCE_OCI_LAYOUT:
		return "oci";
	case SOURCE_KUBERNETES:
		return "kubernetes";
	default:
		return NULL;
	}
}

/* What not every platform has. */
static int check_capabilities(const struct run_options *options, const struct backend_ops *ops,
                              struct err *err)
{
	if (options->detach && !(ops->capabilities & BACKEND_DETACHES))
		return err_set(err, ERR_USAGE, "-d is not for the runtime '%s'", ops->name);
	if (options->keep != KEEP_NEVER && !options->detach &&
	    !(ops->capabilities & BACKEND_KEEPS)) {
		err_set(err, ERR_USAGE, "--keep: the runtime '%s' keeps nothing", ops->name);
		return err_hint(err, "without --keep the task and all it wrote outside of volumes "
		                     "are deleted");
	}
	if (options->network != NETWORK_AS_SOURCE && !(ops->capabilities & BACKEND_NETWORK_CHOICE))
		return err_set(err, ERR_USAGE, "--network is not for the runtime '%s'", ops->name);
	return 0;
}

void run_options_settings(struct run_options *options, struct backend_settings *ret)
{
	*ret = (struct backend_settings){
		.host = options->host,
		.context = options->context,
		.call_timeout_ms = options->start_timeout,
		.may_spawn = true,
		.oci_runtime = options->oci_runtime,
		.oci_root = options->oci_root,
		.store = options->store,
		.kubeconfig = options->kubeconfig,
		.name_space = options->name_space,
		.as = options->as,
		.as_groups = &options->as_groups,
		.container = options->container,
		.revision = options->revision,
		.reporter = message_reporter(&options->verbosity),
	};
}

int run_options_source(const struct run_options *options, struct source *ret,
                       const char **ret_runtime, struct err *err)
{
	_cleanup_(source_release) struct source source = {.text = NULL};
	const char *by_prefix;

	if (source_parse(options->like, &source, err) < 0)
		return -1;
	by_prefix = runtime_of(&source);
	if (by_prefix && options->runtime && strcmp(by_prefix, options->runtime))
		return err_set(err, ERR_USAGE, "'%s' is no source of runtime '%s'", options->like,
		               options->runtime);
	*ret_runtime = by_prefix ? by_prefix : options->runtime;
	*ret = source;
	source = (struct source){.text = NULL};
	return 0;
}

int run_options_choose(struct run_options *options, struct backend_settings *ret_settings,
                       struct chosen *ret, struct err *err)
{
	_cleanup_(source_release) struct source source = {.text = NULL};
	const char *runtime;

	run_options_settings(options, ret_settings);
	if (run_options_source(options, &source, &runtime, err) < 0)
		return -1;
	if (choose(engines, engine_count, runtime, &source, ret_settings, ret, err) < 0)
		return -1;
	if (check_capabilities(options, ret->backend->ops, err) < 0)
		return -1;
	report(&ret_settings->reporter, REPORT_DETAIL, "source: %s %s, image %s (%s)",
	       ret->backend->ops->name, ret->release.name,
	       ret->release.image ? ret->release.image : "unknown",
	       ret->release.digest ? ret->release.digest : "no digest");
	/* A schedule never is: it is a template. */
	if (!ret->release.running && strncmp(options->like, "cronjob/", strlen("cronjob/")) != 0)
		report(&ret_settings->reporter, REPORT_NOTE,
		       "'%s' is not running (%s); the task gets its configuration all the same",
		       ret->release.name, ret->release.status);
	return 0;
}
