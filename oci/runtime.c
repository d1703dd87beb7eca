/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include "pkg/backend/start_failure.h"
#include "pkg/io/process.h"
#include "pkg/json/json.h"

void runtime_release(struct runtime *runtime)
{
	free(runtime->path);
	free(runtime->state_root);
	*runtime = (struct runtime){.path = NULL};
}

/* As execvp would look it up, and in the folders that a user's PATH often lacks. NULL: not there. */
static char *look_up(const char *name)
{
	static const char more[] = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
	const char *paths[] = {getenv("PATH"), more};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		for (const char *next = paths[i]; next && *next; next += *next == ':') {
			size_t length = strcspn(next, ":");
			char *path = NULL;

			if (length && *next == '/' &&
			    asprintf(&path, "%.*s/%s", (int)length, next, name) >= 0 &&
			    access(path, X_OK) == 0)
				return path;
			free(path);
			next += length;
		}
	}
	return NULL;
}

int runtime_find(const char *option, const char *preferred, char **ret_path, struct err *err)
{
	const char *names[] = {preferred, "crun", "runc", "youki"};

	if (option && strchr(option, '/')) {
		char *path = access(option, X_OK) == 0 ? realpath(option, NULL) : NULL;

		if (!path)
			return err_errno(err, "cannot run '%s'", option);
		*ret_path = path;
		return 0;
	}
	if (option) {
		*ret_path = look_up(option);
		if (*ret_path)
			return 0;
		err_set(err, ERR_UNREACHABLE, "there is no OCI runtime '%s'", option);
		return err_hint(err, "--oci-runtime takes a name in PATH or a path");
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		*ret_path = names[i] ? look_up(names[i]) : NULL;
		if (*ret_path)
			return 0;
	}
	err_set(err, ERR_UNREACHABLE, "no OCI runtime is installed");
	return err_hint(err, "install one (Debian: apt-get install crun)");
}

static bool is_crun(const struct runtime *runtime)
{
	const char *slash = strrchr(runtime->path, '/');

	return !strcmp(slash ? slash + 1 : runtime->path, "crun");
}

int runtime_argv(const struct runtime *runtime, const char *log, struct strv *argv, struct err *err)
{
	if (strv_add(argv, runtime->path) < 0 || strv_add(argv, "--root") < 0 ||
	    strv_add(argv, runtime->state_root) < 0 || strv_add(argv, "--log") < 0 ||
	    strv_add(argv, log) < 0 || strv_add(argv, "--log-format") < 0 ||
	    strv_add(argv, "json") < 0 ||
	    (runtime->systemd_cgroup && strv_add(argv, "--systemd-cgroup") < 0) ||
	    (runtime->no_cgroup && is_crun(runtime) &&
	     strv_add(argv, "--cgroup-manager=disabled") < 0))
		return err_no_memory(err);
	return 0;
}

static _noreturn_ void become(const struct strv *argv, const char *folder, const int fds[3],
                              pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int moved[3];

	/* Without its parent it would go on making what nobody removes. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	/* Moved up first, so that no dup2 covers one that is still needed. */
	for (int i = 0; i < 3; i++)
		moved[i] = fcntl(fds[i] >= 0 ? fds[i] : null, F_DUPFD_CLOEXEC, 10);
	for (int i = 0; i < 3; i++)
		if (dup2(moved[i], i) < 0)
			_exit(126);
	process_reset_signals(PROCESS_DIES);
	process_unblock_signals();
	if (chdir(folder) < 0)
		_exit(126);
	execv(argv->items[0], argv->items);
	_exit(127);
}

pid_t runtime_spawn(const struct strv *argv, const char *folder, const int fds[3], struct err *err)
{
	pid_t self = getpid(), pid = fork();

	if (pid == 0)
		become(argv, folder, fds, self);
	if (pid < 0)
		return err_errno(err, "fork");
	return pid;
}

/* The message of the last line that is an error. Lines are JSON objects with level and msg. */
static bool last_error(const char *log_text, struct strbuf *ret)
{
	bool found = false;

	while (*log_text) {
		size_t length = strcspn(log_text, "\n");
		_cleanup_(json_free) cJSON *line = NULL;
		struct err ignored = ERR_INIT;

		if (json_parse(log_text, length, 1 << 20, &line, &ignored) == 0) {
			const char *level = json_string(line, "level");
			const char *words = json_string(line, "msg");

			if (words && (!level || strcmp(level, "warning")) &&
			    (!level || strcmp(level, "debug")) &&
			    (!level || strcmp(level, "info"))) {
				strbuf_reset(ret);
				strbuf_adds(ret, words);
				found = true;
			}
		}
		log_text += length;
		log_text += *log_text == '\n';
	}
	return found;
}

int runtime_failure(const char *runtime_path, const char *log_text, int code, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf words = STRBUF_INIT;
	const char *slash = strrchr(runtime_path, '/');
	const char *name = slash ? slash + 1 : runtime_path;
	enum err_kind kind;

	if (!last_error(log_text, &words))
		return err_set(err, ERR_REFUSED, "%s ended with code %d and said nothing", name,
		               code);
	kind = start_failure_kind(strbuf_str(&words));
	return err_set(err, kind == ERR_NONE ? ERR_REFUSED : kind, "%s: %s", name,
	               strbuf_str(&words));
}
