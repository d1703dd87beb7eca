/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a plugin: what it gets, what it may do, and that it always ends. */
#include "tests/unit/kube/test_credentials_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "pkg/base/clock.h"

#define LIMIT_MS 20000

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

/* The process id that a script left in a file. */
static pid_t read_pid(const struct plugin_bench *plugin, const char *name)
{
	_cleanup_free_ char *text = plugin_file(plugin, name);

	cr_assert_gt(strtol(text, NULL, 10), 1, "%s: '%s'", name, text);
	return (pid_t)strtol(text, NULL, 10);
}

/* A killed process whose parent is not us goes when init has reaped it. */
static void expect_gone(pid_t pid)
{
	int64_t end = clock_monotonic_ms() + 5000;

	while (!is_gone(pid)) {
		char path[64], state = 0;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		file = fopen(path, "r");
		if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		if (file)
			fclose(file);
		if (state == 'Z')
			return;
		cr_assert_lt(clock_monotonic_ms(), end, "process %d lives in state %c", pid, state);
		sched_yield();
	}
}

static void run_well(struct plugin_bench *plugin, struct strbuf *ret)
{
	cr_assert_eq(plugin_run(plugin, LIMIT_MS, ret), 0, "%s", plugin->bench.err.message);
}

/* A script's stdout as a whole. */
static void expect_output(const char *script, const char *output)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;

	plugin_open(&plugin, script);
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&text), output);
	plugin_close(&plugin);
}

Test(credentials_plugin, gets_the_info_that_the_protocol_says, .timeout = 30)
{
	expect_output("printf %s \"$KUBERNETES_EXEC_INFO\"",
	              "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API_V1
	              "\",\"spec\":{\"interactive\":false}}");
}

Test(credentials_plugin, gets_the_cluster_where_it_wants_to, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;

	plugin_open(&plugin, "printf %s \"$KUBERNETES_EXEC_INFO\"");
	plugin.bench.config.exec.cluster = cJSON_CreateObject();
	cr_assert_eq(json_set_string(plugin.bench.config.exec.cluster, "server", "https://h"), 0);
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&text), "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API_V1
	                                    "\",\"spec\":{\"cluster\":{\"server\":\"https://h\"},"
	                                    "\"interactive\":false}}");
	plugin_close(&plugin);
}

Test(credentials_plugin, gets_arguments_and_variables, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;
	struct kubeconfig_exec *exec = &plugin.bench.config.exec;

	plugin_open(&plugin, "printf '%s|' \"$#\" \"$@\" \"$ONE\" \"$TWO\" \"$INHERITED\"\n"
	                     "case $KUBERNETES_EXEC_INFO in *ExecCredential*) printf info;; esac");
	setenv("ONE", "ours", 1);
	setenv("INHERITED", "yes", 1);
	setenv("KUBERNETES_EXEC_INFO", "ours", 1);
	cr_assert_eq(strv_add(&exec->args, "a b") + strv_add(&exec->args, ""), 0);
	cr_assert_eq(strv_add(&exec->env, "ONE=first") + strv_add(&exec->env, "ONE=last") +
	                     strv_add(&exec->env, "TWO=a=b") +
	                     strv_add(&exec->env, "KUBERNETES_EXEC_INFO=theirs"),
	             0);
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&text), "2|a b||last|a=b|yes|info");
	plugin_close(&plugin);
}

Test(credentials_plugin, is_looked_for_in_our_path, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;
	struct kubeconfig_exec *exec = &plugin.bench.config.exec;

	plugin_open(&plugin, "printf found");
	free(exec->command);
	exec->command = strdup("login");
	setenv("PATH", plugin.bench.folder, 1);
	cr_assert_eq(strv_add(&exec->env, "PATH=/nowhere"), 0);
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&text), "found");
	plugin_close(&plugin);
}

Test(credentials_plugin, never_gets_what_is_piped_to_us, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;
	char left[16] = "";
	int ends[2];

	plugin_open(&plugin, "cat; printf done");
	plugin.bench.config.exec.interactive = KUBECONFIG_INTERACTIVE_IF_AVAILABLE;
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], "task input", 10), 10);
	cr_assert_eq(dup2(ends[0], 0), 0);
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&text), "done");
	cr_assert_eq(read(0, left, sizeof(left)), 10);
	plugin_close(&plugin);
}

Test(credentials_plugin, that_always_asks_needs_a_terminal, .timeout = 30)
{
	struct plugin_bench plugin;
	int null = open("/dev/null", O_RDONLY);

	plugin_open(&plugin, COUNT);
	plugin.bench.config.exec.interactive = KUBECONFIG_INTERACTIVE_ALWAYS;
	cr_assert_eq(dup2(null, 0), 0);
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED, "stdin is no terminal");
	cr_assert_eq(plugin_runs(&plugin), 0);
	plugin_close(&plugin);
}

Test(credentials_plugin, inherits_no_descriptors_and_no_signal_settings, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	static const char expected[] = "SigBlk:0000000000000000SigIgn:";
	struct plugin_bench plugin;
	sigset_t all, before;
	char *rest;

	plugin_open(&plugin, "grep -E '^Sig(Blk|Ign)' /proc/$$/status | tr -d '\\t\\n'\n"
	                     "echo\nexec ls /proc/self/fd");
	/* Without O_CLOEXEC, low and high. */
	cr_assert_geq(fcntl(0, F_DUPFD, 3), 3);
	cr_assert_geq(fcntl(0, F_DUPFD, 200), 200);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	run_well(&plugin, &text);
	sigprocmask(SIG_SETMASK, &before, NULL);
	cr_assert_eq(strncmp(strbuf_str(&text), expected, strlen(expected)), 0, "%s",
	             strbuf_str(&text));
	/* The C library's own signals, 32 and 33, nobody can set. */
	cr_assert_eq(strtoul(strbuf_str(&text) + strlen(expected), &rest, 16) & ~(3UL << 31), 0,
	             "%s", strbuf_str(&text));
	/* 3 is where ls reads the folder. */
	cr_assert_str_eq(rest, "\n0\n1\n2\n3\n", "%s", rest);
	plugin_close(&plugin);
}

Test(credentials_plugin, has_no_terminal_to_find_where_it_cannot_ask, .timeout = 30)
{
	expect_output("if (: </dev/tty) 2>/dev/null; then printf tty; else printf none; fi",
	              "none");
}

Test(credentials_plugin, is_reaped_and_leaves_no_descriptors, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;
	int before = dup(0), after;

	close(before);
	plugin_open(&plugin, "exit 0");
	run_well(&plugin, &text);
	plugin_write(&plugin, "exit 1");
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED, "failed with exit code 1");
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
	after = dup(0);
	cr_assert_eq(before, after);
	close(after);
	plugin_close(&plugin);
}

Test(credentials_plugin, works_where_children_vanish, .timeout = 30)
{
	signal(SIGCHLD, SIG_IGN);
	expect_output("printf well", "well");
}

Test(credentials_plugin, that_fails_is_quoted, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, "echo SECRET; echo 'no session' >&2; echo 'log in first' >&2; exit 7");
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED,
	              "/login': it failed with exit code 7: no session; log in first");
	cr_assert(!strstr(plugin.bench.err.message, "SECRET"));
	plugin_close(&plugin);
}

Test(credentials_plugin, that_dies_of_a_signal_says_so, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, "kill -KILL $$");
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED, "ended by signal 9");
	plugin_write(&plugin, "kill -INT $$");
	plugin_refuse(&plugin, LIMIT_MS, ERR_INTERRUPTED, "ended by signal 2");
	plugin_close(&plugin);
}

Test(credentials_plugin, that_is_missing_gives_its_hint, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, "");
	remove(bench_path(&plugin.bench, "login"));
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED, "cannot run it: No such file");
	cr_assert_str_empty(plugin.bench.err.hint);
	plugin.bench.config.exec.install_hint = strdup("Get it\n\n  from there.");
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED, "cannot run it: No such file");
	cr_assert_str_eq(plugin.bench.err.hint, "Get it from there.");
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
	plugin_close(&plugin);
}

Test(credentials_plugin, that_may_not_be_run_is_told, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, "");
	cr_assert_eq(chmod(bench_path(&plugin.bench, "login"), 0600), 0);
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED, "cannot run it: Permission denied");
	plugin_close(&plugin);
}

Test(credentials_plugin, that_never_ends_is_ended_with_its_children, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, "cd \"$(dirname \"$0\")\"\necho $$ >self\n"
	                     "sleep 1000 & echo $! >child\necho waiting >&2\nwait");
	plugin_refuse(&plugin, 1000, ERR_START_TIMEOUT, "took too long and was ended: waiting");
	cr_assert(is_gone(read_pid(&plugin, "self")));
	expect_gone(read_pid(&plugin, "child"));
	plugin_close(&plugin);
}

Test(credentials_plugin, that_ignores_sigterm_is_killed, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, "trap '' TERM\necho $$ >\"$(dirname \"$0\")/self\"\n"
	                     "while :; do sleep 1000; done");
	plugin_refuse(&plugin, 500, ERR_START_TIMEOUT, "took too long");
	cr_assert(is_gone(read_pid(&plugin, "self")));
	plugin_close(&plugin);
}

Test(credentials_plugin, that_floods_its_stdout_is_ended, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, "echo $$ >\"$(dirname \"$0\")/self\"\nexec yes");
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED, "wrote more than 1048576 bytes");
	cr_assert(is_gone(read_pid(&plugin, "self")));
	plugin_close(&plugin);
}

Test(credentials_plugin, may_write_a_whole_mebibyte, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;

	plugin_open(&plugin, "head -c 1048576 /dev/zero");
	run_well(&plugin, &text);
	cr_assert_eq(text.length, CREDENTIALS_MAX_BYTES);
	plugin_close(&plugin);
}

Test(credentials_plugin, that_floods_its_stderr_is_heard_to_the_end, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;
	size_t lines = 0;

	plugin_open(&plugin, "yes complaint | head -n 200000 >&2; echo last >&2; printf well");
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&text), "well");
	for (const char *at = strbuf_str(&plugin.said); (at = strchr(at, '\n')); at++)
		lines++;
	cr_assert_leq(lines, 50);
	plugin_write(&plugin, "yes complaint | head -n 200000 >&2; echo last >&2; exit 1");
	plugin_refuse(&plugin, LIMIT_MS, ERR_DENIED, "complaint; last");
	plugin_close(&plugin);
}

Test(credentials_plugin, that_closes_its_stdout_and_stays_is_waited_for, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, "printf part\nexec >&- 2>&-\nexec sleep 1000");
	plugin_refuse(&plugin, 500, ERR_START_TIMEOUT, "took too long");
	plugin_close(&plugin);
}

Test(credentials_plugin, that_leaves_a_child_with_its_stdout_is_not_waited_for, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;
	int64_t begin = clock_monotonic_ms();

	plugin_open(&plugin, "sleep 1000 & echo $! >\"$(dirname \"$0\")/child\"\nprintf well");
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&text), "well");
	cr_assert_lt(clock_monotonic_ms() - begin, LIMIT_MS / 2);
	/* An agent that it started is its own affair. */
	cr_assert_eq(kill(read_pid(&plugin, "child"), SIGKILL), 0);
	plugin_close(&plugin);
}

Test(credentials_plugin, words_of_one_that_succeeds_are_notes, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;

	plugin_open(&plugin, "echo 'old version' >&2; echo >&2; printf 'upgrade\\r' >&2; printf x");
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&plugin.said), "login: old version\nlogin: upgrade\n");
	plugin_close(&plugin);
}

static void answer_question(void *context, enum report_level level, const char *line)
{
	struct plugin_bench *plugin = context;

	if (level == REPORT_NOTE && strstr(line, "open this page"))
		bench_write(&plugin->bench, "answered", "");
}

Test(credentials_plugin, a_question_is_shown_while_it_waits, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct plugin_bench plugin;

	plugin_open(&plugin, "cd \"$(dirname \"$0\")\"\nprintf 'open this page' >&2\n"
	                     "until test -e answered; do sleep 0.02; done\nprintf well");
	plugin.reporter.say = answer_question;
	run_well(&plugin, &text);
	cr_assert_str_eq(strbuf_str(&text), "well");
	plugin_close(&plugin);
}

static void interrupt_us(void *context, enum report_level level, const char *line)
{
	(void)context;
	(void)level;
	if (strstr(line, "waiting"))
		kill(getpid(), SIGTERM);
}

Test(credentials_plugin, a_signal_that_we_blocked_ends_it_and_stays, .timeout = 30)
{
	struct plugin_bench plugin;
	sigset_t term, pending;

	plugin_open(&plugin, "echo $$ >\"$(dirname \"$0\")/self\"\necho waiting >&2\nsleep 1000");
	plugin.reporter.say = interrupt_us;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	plugin_refuse(&plugin, LIMIT_MS, ERR_INTERRUPTED, "interrupted");
	cr_assert(is_gone(read_pid(&plugin, "self")));
	sigpending(&pending);
	cr_assert(sigismember(&pending, SIGTERM));
	plugin_close(&plugin);
}

Test(credentials_plugin, dies_with_us, .timeout = 30)
{
	struct plugin_bench plugin;
	int64_t end;
	pid_t us;

	plugin_open(&plugin,
	            "cd \"$(dirname \"$0\")\"\necho $$ >new; mv new self\nexec sleep 1000");
	us = fork();
	if (us == 0) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

		_exit(plugin_run(&plugin, LIMIT_MS, &text) < 0);
	}
	end = clock_monotonic_ms() + 10000;
	while (access(bench_path(&plugin.bench, "self"), F_OK) < 0 && clock_monotonic_ms() < end)
		sched_yield();
	kill(us, SIGKILL);
	waitpid(us, NULL, 0);
	expect_gone(read_pid(&plugin, "self"));
	plugin_close(&plugin);
}

/* In a child: a session with the terminal `name` as stdin, in which the plugin asks. 0 when all is well. */
static int ask_at_terminal(struct plugin_bench *plugin, const char *name, bool raw)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct termios mode;
	int fd;

	setsid();
	fd = open(name, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0 || dup2(fd, 0) < 0)
		return 2;
	if (raw &&
	    (tcgetattr(0, &mode) < 0 || (cfmakeraw(&mode), tcsetattr(0, TCSANOW, &mode) < 0)))
		return 3;
	if (plugin_run(plugin, LIMIT_MS, &text) < 0)
		return 4;
	return strcmp(strbuf_str(&text), raw ? "false:" : "true:answer") == 0 ? 0 : 5;
}

static void expect_at_terminal(bool raw, int code)
{
	struct plugin_bench plugin;
	int status, master = posix_openpt(O_RDWR | O_NOCTTY);
	pid_t child;

	plugin_open(&plugin,
	            "case $KUBERNETES_EXEC_INFO in *'\"interactive\":true'*) printf true:;; "
	            "*) printf false:;; esac\nread -r line; printf %s \"$line\"");
	plugin.bench.config.exec.interactive = KUBECONFIG_INTERACTIVE_IF_AVAILABLE;
	cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	cr_assert_eq(write(master, "answer\n", 7), 7);
	child = fork();
	if (child == 0)
		_exit(ask_at_terminal(&plugin, ptsname(master), raw));
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), code, "%d", WEXITSTATUS(status));
	close(master);
	plugin_close(&plugin);
}

Test(credentials_plugin, may_ask_at_a_terminal, .timeout = 30)
{
	expect_at_terminal(false, 0);
}

Test(credentials_plugin, does_not_ask_where_a_task_has_the_terminal, .timeout = 30)
{
	expect_at_terminal(true, 0);
}
