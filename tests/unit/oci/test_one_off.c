/* SPDX-License-Identifier: Apache-2.0 */
/* One-offs as their folders tell of them, the lock, and what is left over. */
#include "oci/one_off.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "oci/leftovers.h"
#include "oci/lock.h"
#include "pkg/base/clock.h"

static char run_folder[64];

static void open_run(void)
{
	char path[128];

	snprintf(run_folder, sizeof(run_folder), "/tmp/oneoff-run-XXXXXX");
	cr_assert(mkdtemp(run_folder));
	snprintf(path, sizeof(path), "%s/state", run_folder);
	cr_assert_eq(mkdir(path, 0700), 0);
}

static void close_run(void)
{
	pid_t child = fork();

	if (child == 0) {
		execl("/bin/rm", "rm", "-rf", run_folder, (char *)NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

TestSuite(one_off, .init = open_run, .fini = close_run, .timeout = 20);

static void put(const char *name, const char *file, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", run_folder, name);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", run_folder, name, file);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* A folder as a monitor leaves it; `more` are further annotations. */
static void put_one_off(const char *name, const char *id, const char *more)
{
	char text[1024];

	snprintf(
		text, sizeof(text),
		"{\"process\":{\"terminal\":true},\"annotations\":{\"dev.oneoff.id\":\"%s\","
		"\"dev.oneoff.source\":\"web\",\"dev.oneoff.started\":\"2026-01-01T00:00:00Z\"%s}}",
		id, more);
	put(name, "config.json", text);
	put(name, "lock", "");
	put(name, "runtime", "/bin/false");
}

static int lock_of(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/lock", run_folder, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	cr_assert(fd >= 0);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

static bool is_there(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", run_folder, name);
	return access(path, F_OK) == 0;
}

static int read_one(const char *name, struct one_off *ret)
{
	struct err err = ERR_INIT;

	return one_off_read(run_folder, name, ret, &err);
}

Test(one_off, its_lock_tells_whether_it_lives)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
	_cleanup_(one_off_release) struct one_off again = ONE_OFF_INIT;
	int lock;

	put_one_off("web-1", "abcdefgh", ",\"dev.oneoff.lock\":\"migrate\"");
	put("web-1", "task.json", "{\"started\":1767225601,\"pid\":1,\"pid-start-time\":1}");
	lock = lock_of("web-1");
	cr_assert_eq(read_one("web-1", &one_off), 1);
	cr_assert_eq(one_off.record.state, TASK_RUNNING);
	cr_assert(one_off.guarded && one_off.record.tty);
	cr_assert_str_eq(one_off.record.id, "abcdefgh");
	cr_assert_str_eq(one_off.record.lock, "migrate");
	cr_assert_str_eq(one_off.record.handle, "web-1");
	cr_assert_eq(one_off.record.created, 1767225600);
	close(lock);
	/* process 1 lives, and is another's */
	cr_assert_eq(read_one("web-1", &again), 1);
	cr_assert_eq(again.record.state, TASK_ENDED);
	cr_assert_not(again.record.status.known);
}

Test(one_off, before_the_start_it_is_created)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;

	put_one_off("web-1", "abcdefgh", "");
	cr_assert_eq(read_one("web-1", &one_off), 1);
	cr_assert_eq(one_off.record.state, TASK_CREATED);
}

Test(one_off, its_end_is_what_its_monitor_wrote)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;

	put_one_off("web-1", "abcdefgh", "");
	put("web-1", "task.json", "{\"started\":5,\"ended\":9,\"known\":true,\"code\":3}");
	cr_assert_eq(read_one("web-1", &one_off), 1);
	cr_assert_eq(one_off.record.state, TASK_ENDED);
	cr_assert(one_off.record.status.known);
	cr_assert_eq(one_off.record.status.code, 3);
	cr_assert_eq(one_off.record.ended, 9);
}

Test(one_off, half_made_and_foreign_folders_are_none)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;

	cr_assert_eq(read_one("missing", &one_off), 0);
	put("empty", "other", "");
	cr_assert_eq(read_one("empty", &one_off), 0);
	put("half", "lock", "");
	put("half", "config.json", "{\"annotations\":{\"dev.oneoff.id\":\"abcd");
	cr_assert_eq(read_one("half", &one_off), 0);
	put_one_off("foreign", "true", "");
	cr_assert_eq(read_one("foreign", &one_off), 0);
	put("list", "lock", "");
	put("list", "config.json", "[1]");
	cr_assert_eq(read_one("list", &one_off), 0);
}

/* ---- left over ---- */

static size_t sweep(void)
{
	struct err err = ERR_INIT;
	size_t count = 0;

	cr_assert_eq(leftovers_remove(run_folder, false, &count, &err), 0, "%s", err.message);
	return count;
}

static void put_ended(const char *name, int64_t ago, const char *more)
{
	char text[256];

	put_one_off(name, "abcdefgh", more);
	snprintf(text, sizeof(text), "{\"started\":5,\"ended\":%lld,\"known\":true,\"code\":3}",
	         (long long)(clock_unix_seconds() - ago));
	put(name, "task.json", text);
}

Test(one_off, a_record_is_kept_for_its_time_and_no_longer)
{
	static const char hour[] =
		",\"dev.oneoff.keep\":\"always\",\"dev.oneoff.keep-for\":\"3600\"";

	put_ended("young", 3000, hour);
	put_ended("old", 4000, hour);
	put_ended("for-good", 40000000, ",\"dev.oneoff.keep\":\"failed\"");
	put("half", "config.json", "{");
	cr_assert_eq(sweep(), 2);
	cr_assert(is_there("young") && is_there("for-good"));
	cr_assert_not(is_there("old") || is_there("half"));
}

Test(one_off, the_folders_of_locks_and_state_are_no_leftovers)
{
	put("locks", "migrate", "");
	cr_assert_eq(sweep(), 0);
	cr_assert(is_there("locks") && is_there("state"));
}

Test(one_off, a_task_whose_monitor_was_killed_leaves_a_record_without_a_code)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;

	put_one_off("web-1", "abcdefgh", ",\"dev.oneoff.keep\":\"always\"");
	put("web-1", "task.json", "{\"started\":5}");
	put("web-1", "output.1", "");
	put("web-1", "pid", "1");
	cr_assert_eq(sweep(), 0);
	cr_assert_eq(read_one("web-1", &one_off), 1);
	cr_assert_eq(one_off.record.state, TASK_ENDED);
	cr_assert(one_off.file.ended && !one_off.record.status.known);
	cr_assert(is_there("web-1/output.1") && !is_there("web-1/pid"));
}

static int discard(const char *name, const char *id, bool force)
{
	struct err err = ERR_INIT;

	return leftovers_discard(run_folder, name, id, force, &err);
}

Test(one_off, is_discarded_once_by_its_id_and_never_while_it_lives)
{
	int lock;

	put_ended("web-1", 10, "");
	lock = lock_of("web-1");
	cr_assert_eq(discard("web-1", "abcdefgh", true), 0);
	close(lock);
	cr_assert_eq(discard("web-1", "another2", true), 0);
	cr_assert(is_there("web-1"));
	cr_assert_eq(discard("web-1", "abcdefgh", false), 1);
	cr_assert_eq(discard("web-1", "abcdefgh", false), 0);
	cr_assert_not(is_there("web-1"));
}

/* ---- the lock ---- */

static int take(const char *name, const char *task, struct err *err)
{
	const struct lock_holder holder = {.task = task,
	                                   .id = "abcdefgh",
	                                   .user = "ana@laptop",
	                                   .command = "[\"true\"]",
	                                   .since = 1767225600};

	return lock_take(run_folder, name, &holder, err);
}

Test(one_off, a_lock_has_one_holder_and_names_it)
{
	struct err err = ERR_INIT;
	int first = take("migrate", "web-1", &err), other;

	cr_assert(first >= 0, "%s", err.message);
	cr_assert_eq(take("migrate", "web-2", &err), -1);
	cr_assert_eq(err.kind, ERR_LOCKED);
	cr_assert(strstr(err.message, "ana@laptop") && strstr(err.hint, "abcdefgh") &&
	                  strstr(err.message, "2026-01-01T00:00:00Z"),
	          "%s", err.message);
	other = take("another", "web-2", &err);
	cr_assert(other >= 0);
	close(first);
	first = take("migrate", "web-2", &err);
	cr_assert(first >= 0, "%s", err.message);
	close(first);
	close(other);
}

Test(one_off, a_lock_is_held_while_its_task_runs_though_nobody_has_the_file)
{
	char text[512], stat[1024] = "";
	unsigned long long start = 0;
	struct err err = ERR_INIT;
	int fd = take("migrate", "web-1", &err), n;
	FILE *file = fopen("/proc/self/stat", "re");

	cr_assert(fd >= 0 && file);
	cr_assert(fgets(stat, sizeof(stat), file));
	fclose(file);
	cr_assert_eq(sscanf(strrchr(stat, ')') + 1,
	                    " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
	                    "%*s %*s %llu",
	                    &start),
	             1);
	close(fd);
	snprintf(text, sizeof(text),
	         "{\"pid\":%d,\"process-start-time\":%llu,\"bundle\":\"/b\",\"rootfs\":\"/r\"}",
	         (int)getpid(), start);
	put("state/web-1", "status", text);
	cr_assert_eq(take("migrate", "web-2", &err), -1);
	cr_assert_eq(err.kind, ERR_LOCKED);
	/* the same number, another process */
	snprintf(text, sizeof(text),
	         "{\"pid\":%d,\"process-start-time\":%llu,\"bundle\":\"/b\",\"rootfs\":\"/r\"}",
	         (int)getpid(), start + 1);
	put("state/web-1", "status", text);
	n = take("migrate", "web-2", &err);
	cr_assert(n >= 0, "%s", err.message);
	close(n);
}
