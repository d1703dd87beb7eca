/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/credentials_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include "pkg/base/clock.h"
#include "pkg/io/process.h"

#define INFO "KUBERNETES_EXEC_INFO"
/* No more than that can wait in a pipe (pipe(7), pipe-max-size). */
#define PIPE_MAX ((size_t)1 << 20)

enum {
	GRACE_MS = 1000, /* between SIGTERM and SIGKILL */
	TICK_MS = 50,    /* how often we look whether it ended where the kernel cannot tell */
	QUIET_MS = 250,  /* words that wait this long may be a question, so they are shown */
};

/* A terminal that somebody sits at, whom the plugin may ask: not one that a task has raw, nor one that would stop us
 * for reading in the background. */
static bool can_ask(void)
{
	struct termios mode;

	return tcgetattr(STDIN_FILENO, &mode) == 0 && (mode.c_lflag & ICANON) &&
	       tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static char *make_info(const struct kubeconfig_exec *exec, bool interactive)
{
	_cleanup_(json_free) cJSON *info = cJSON_CreateObject();
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	cJSON *spec;

	if (!info || json_set_string(info, "kind", "ExecCredential") < 0 ||
	    json_set_string(info, "apiVersion", exec->api_version) < 0)
		return NULL;
	spec = json_object_for(info, "spec");
	if (!spec ||
	    (exec->cluster &&
	     json_set_node(spec, "cluster", cJSON_Duplicate(exec->cluster, true)) < 0) ||
	    json_set_bool(spec, "interactive", interactive) < 0)
		return NULL;
	strbuf_adds(&text, INFO "=");
	json_print(info, false, &text);
	return text.failed ? NULL : strbuf_take(&text);
}

/* True when the list sets the variable of "NAME=VALUE". */
static bool is_set_by(const struct strv *list, const char *item)
{
	size_t length = strcspn(item, "=");

	for (size_t i = 0; i < list->count; i++) {
		if (strncmp(list->items[i], item, length) == 0 && list->items[i][length] == '=')
			return true;
	}
	return false;
}

/* Ours, the kubeconfig's, and what the protocol says; the later wins. */
static int make_environment(const struct kubeconfig_exec *exec, bool interactive, struct strv *ret)
{
	char *info = make_info(exec, interactive);

	if (!info || strv_take(ret, info) < 0)
		return -1;
	for (size_t i = exec->env.count; i-- > 0;) {
		if (!is_set_by(ret, exec->env.items[i]) && strv_add(ret, exec->env.items[i]) < 0)
			return -1;
	}
	for (char **item = environ; item && *item; item++) {
		if (!is_set_by(ret, *item) && strv_add(ret, *item) < 0)
			return -1;
	}
	return 0;
}

static int make_argv(const struct kubeconfig_exec *exec, struct strv *ret)
{
	if (strv_add(ret, exec->command) < 0)
		return -1;
	for (size_t i = 0; i < exec->args.count; i++) {
		if (strv_add(ret, exec->args.items[i]) < 0)
			return -1;
	}
	return 0;
}

static int open_signals(void)
{
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGQUIT);
	return signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Starts the process; *ret_fault is where its errno comes from. */
static int fork_plugin(struct credentials_plugin *plugin, struct credentials_child *child,
                       int *ret_fault, struct err *err)
{
	int output[2] = {-1, -1}, words[2] = {-1, -1}, fault[2] = {-1, -1};
	int result = pipe2(output, O_CLOEXEC) < 0 || pipe2(words, O_CLOEXEC) < 0 ||
	                             pipe2(fault, O_CLOEXEC) < 0 ||
	                             fcntl(output[0], F_SETFL, O_NONBLOCK) < 0 ||
	                             fcntl(words[0], F_SETFL, O_NONBLOCK) < 0
	                     ? err_errno(err, "make a pipe")
	                     : 0;

	plugin->output = output[0];
	plugin->words = words[0];
	*ret_fault = fault[0];
	child->output = output[1];
	child->words = words[1];
	child->fault = fault[1];
	if (result == 0) {
		child->parent = getpid();
		plugin->pid = process_fork();
		if (plugin->pid == 0)
			credentials_child_run(child);
		if (plugin->pid < 0)
			result = err_errno(err, "start a process");
	}
	for (size_t i = 0; i < 3; i++) {
		const int ours = i == 0 ? output[1] : i == 1 ? words[1] : fault[1];

		if (ours >= 0)
			close(ours);
	}
	return result;
}

/* The program is not there, or cannot be run. */
static int refuse_start(const struct kubeconfig_exec *exec, int fault, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf hint = STRBUF_INIT_CAP(sizeof(err->hint) - 1);

	err_set(err, ERR_DENIED, "cannot run it: %s", strerror(fault));
	err->os_errno = fault;
	if (fault != ENOENT)
		return -1;
	for (const char *at = exec->install_hint; at && *at; at++) {
		bool is_blank = strchr(" \t\r\n", *at);

		if (!is_blank)
			strbuf_addc(&hint, *at);
		else if (hint.length && hint.data[hint.length - 1] != ' ')
			strbuf_addc(&hint, ' ');
	}
	return hint.length ? err_hint(err, "%s", hint.data) : -1;
}

static int start_plugin(struct credentials_plugin *plugin, struct err *err)
{
	_cleanup_(strv_release) struct strv argv = STRV_INIT, environment = STRV_INIT;
	_cleanup_fd_ int fault_end = -1;
	struct credentials_child child = {.interactive = plugin->interactive};
	ssize_t count;
	int fault;

	if (make_argv(plugin->exec, &argv) < 0 ||
	    make_environment(plugin->exec, plugin->interactive, &environment) < 0)
		return err_no_memory(err);
	child.argv = argv.items;
	child.environment = environment.items;
	if (fork_plugin(plugin, &child, &fault_end, err) < 0)
		return -1;
	do
		count = read(fault_end, &fault, sizeof(fault));
	while (count < 0 && errno == EINTR);
	if (count == (ssize_t)sizeof(fault))
		return refuse_start(plugin->exec, fault, err);
	plugin->process = (int)syscall(SYS_pidfd_open, plugin->pid, 0);
	plugin->signals = open_signals();
	return 0;
}

/* True once it ended; it is not reaped, so its number stays its own. */
static bool has_ended(const struct credentials_plugin *plugin)
{
	siginfo_t info = {.si_pid = 0};

	/* ECHILD: whoever started us has SIGCHLD ignored, so children vanish. */
	if (waitid(P_PID, (id_t)plugin->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return errno == ECHILD;
	return info.si_pid == plugin->pid;
}

static void reap(struct credentials_plugin *plugin)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(plugin->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	plugin->status = pid > 0 ? status : 0;
	plugin->pid = 0;
}

/* Its process group where that is not ours. */
static void signal_plugin(const struct credentials_plugin *plugin, int number)
{
	kill(plugin->pid, number);
	if (!plugin->interactive)
		kill(-plugin->pid, number);
}

/* Ends it, and takes back the terminal as it was. */
static void stop_plugin(struct credentials_plugin *plugin, const struct termios *before)
{
	int64_t end = clock_monotonic_ms() + GRACE_MS;

	if (plugin->pid <= 0)
		return;
	signal_plugin(plugin, SIGTERM);
	while (!has_ended(plugin) && clock_monotonic_ms() < end) {
		struct pollfd item = {.fd = plugin->process, .events = POLLIN};

		poll(&item, 1, plugin->process < 0 ? TICK_MS : (int)(end - clock_monotonic_ms()));
	}
	signal_plugin(plugin, SIGKILL);
	reap(plugin);
	if (plugin->interactive)
		tcsetattr(STDIN_FILENO, TCSANOW, before);
}

static int wait_time(const struct credentials_plugin *plugin)
{
	int64_t rest = plugin->deadline_ms - clock_monotonic_ms();

	if (rest < 0)
		rest = 0;
	if (plugin->process < 0 && rest > TICK_MS)
		rest = TICK_MS;
	if (plugin->unreported.length && rest > QUIET_MS)
		rest = QUIET_MS;
	return (int)rest;
}

/* One step. 1: it ended, 0: it goes on, -1: it has to be stopped. */
static int watch_plugin(struct credentials_plugin *plugin, struct err *err)
{
	struct pollfd items[] = {
		{.fd = plugin->output, .events = POLLIN},
		{.fd = plugin->words, .events = POLLIN},
		{.fd = plugin->process, .events = POLLIN},
		{.fd = plugin->signals, .events = POLLIN},
	};
	int count = poll(items, ARRAY_SIZE(items), wait_time(plugin));
	/* Before the reading: what it wrote before it ended is then there. */
	bool ended = has_ended(plugin);

	if (items[3].revents & POLLIN)
		return err_set(err, ERR_INTERRUPTED, "interrupted while it ran");
	credentials_read_words(plugin);
	if (credentials_read_output(plugin, err) < 0)
		return -1;
	if (ended)
		return 1;
	if (count == 0)
		credentials_report_words(plugin);
	if (clock_monotonic_ms() >= plugin->deadline_ms)
		return err_set(err, ERR_START_TIMEOUT, "it took too long and was ended");
	return 0;
}

/* What a pipe still holds of a process that ended: no more than fits in there. */
static int drain_plugin(struct credentials_plugin *plugin, struct err *err)
{
	for (size_t before = SIZE_MAX; plugin->output >= 0 && before != plugin->text.length;) {
		before = plugin->text.length;
		if (credentials_read_output(plugin, err) < 0)
			return -1;
	}
	/* A child that it left behind may go on for ever. */
	for (size_t all = 0, count = 1; count && all < PIPE_MAX; all += count)
		count = credentials_read_words(plugin);
	return 0;
}

static int judge_end(struct credentials_plugin *plugin, struct err *err)
{
	if (WIFSIGNALED(plugin->status)) {
		int number = WTERMSIG(plugin->status);

		return err_set(err, number == SIGINT ? ERR_INTERRUPTED : ERR_DENIED,
		               "it was ended by signal %d (%s)", number, strsignal(number));
	}
	if (WEXITSTATUS(plugin->status) != 0)
		return err_set(err, ERR_DENIED, "it failed with exit code %d",
		               WEXITSTATUS(plugin->status));
	credentials_report_words(plugin);
	return 0;
}

static int run_started(struct credentials_plugin *plugin, struct err *err)
{
	int result;

	do
		result = watch_plugin(plugin, err);
	while (result == 0);
	if (result < 0 || drain_plugin(plugin, err) < 0)
		return -1;
	reap(plugin);
	return judge_end(plugin, err);
}

static void add_words(const struct credentials_plugin *plugin, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf words = STRBUF_INIT;
	struct err bare = *err;

	credentials_last_words(plugin, &words);
	if (!words.length)
		return;
	err_set(err, bare.kind, "%.300s: %s", bare.message, strbuf_str(&words));
	err->os_errno = bare.os_errno;
	if (*bare.hint)
		err_hint(err, "%s", bare.hint);
}

static void release_plugin(struct credentials_plugin *plugin)
{
	const int ours[] = {plugin->output, plugin->words, plugin->process, plugin->signals};

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (ours[i] >= 0)
			close(ours[i]);
	}
	if (plugin->text.data)
		explicit_bzero(plugin->text.data, plugin->text.length);
	strbuf_release(&plugin->text);
	strbuf_release(&plugin->unreported);
}

static int64_t limit_of(bool interactive, int64_t timeout_ms)
{
	if (timeout_ms)
		return timeout_ms;
	return interactive ? 10 * CREDENTIALS_PLUGIN_TIMEOUT_MS : CREDENTIALS_PLUGIN_TIMEOUT_MS;
}

int credentials_run_plugin(const struct kubeconfig_exec *exec, const struct reporter *reporter,
                           int64_t timeout_ms, struct strbuf *ret, struct err *err)
{
	_cleanup_(release_plugin) struct credentials_plugin plugin = {
		.exec = exec,
		.reporter = reporter,
		.interactive = exec->interactive != KUBECONFIG_INTERACTIVE_NEVER && can_ask(),
		.output = -1,
		.words = -1,
		.process = -1,
		.signals = -1,
		.text = STRBUF_INIT_CAP(CREDENTIALS_MAX_BYTES),
	};
	struct termios before = {.c_lflag = 0};

	if (exec->interactive == KUBECONFIG_INTERACTIVE_ALWAYS && !plugin.interactive) {
		err_set(err, ERR_DENIED,
		        "the credential plugin '%.200s': it has to ask, but stdin is no terminal "
		        "for it",
		        exec->command);
		return err_hint(err, "run it once from a terminal, with nothing piped in");
	}
	plugin.deadline_ms = clock_monotonic_ms() + limit_of(plugin.interactive, timeout_ms);
	if (plugin.interactive)
		tcgetattr(STDIN_FILENO, &before);
	if (start_plugin(&plugin, err) < 0 || run_started(&plugin, err) < 0) {
		stop_plugin(&plugin, &before);
		add_words(&plugin, err);
		return err_wrap(err, "the credential plugin '%.200s'", exec->command);
	}
	*ret = plugin.text;
	plugin.text = (struct strbuf)STRBUF_INIT;
	return 0;
}
