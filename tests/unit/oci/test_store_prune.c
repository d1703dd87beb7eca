/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting unpacked images, and several processes at once. */
#include "tests/unit/oci/image_helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/oci/layer_helper.h"

static struct image_bench bench;
static struct image *image;
static bool privileged;
static const char *kind;

static void open_image(void)
{
	struct image_blob manifest;

	image_bench_open(&bench);
	image_bench_image(&bench, "amd64", "hello", &manifest);
	image_bench_index(&bench, image_entry(&manifest, "shop"));
	image_bench_write(&bench, true);
	image = image_bench_expect(&bench, NULL);
	privileged = geteuid() == 0;
	kind = privileged ? "rootfs" : "rootfs-user";
}

static void close_image(void)
{
	image_free(&image);
	image_bench_close(&bench);
}

TestSuite(store_prune, .init = open_image, .fini = close_image, .timeout = 20);

static void unpack(struct snapshot *ret)
{
	struct err err = ERR_INIT;

	cr_assert_eq(store_unpack(bench.store, image, privileged, &bench.reporter, ret, &err), 0,
	             "%s", err.message);
}

static void unpack_and_release(void)
{
	struct snapshot snapshot = SNAPSHOT_INIT;

	unpack(&snapshot);
	snapshot_release(&snapshot);
	cr_assert_null(snapshot.path);
	cr_assert_eq(snapshot.lock_fd, -1);
}

static struct store_pruned prune(int64_t unused_seconds, bool dry_run)
{
	struct store_pruned pruned = {.count = 77};
	struct err err = ERR_INIT;

	cr_assert_eq(store_prune(bench.store, unused_seconds, dry_run, &pruned, &err), 0, "%s",
	             err.message);
	return pruned;
}

static void expect_pruned(int64_t unused_seconds, bool dry_run, int count, int busy)
{
	struct store_pruned pruned = prune(unused_seconds, dry_run);

	cr_assert_eq((int)pruned.count, count, "%d pruned, not %d", (int)pruned.count, count);
	cr_assert_eq((int)pruned.busy, busy, "%d busy, not %d", (int)pruned.busy, busy);
}

static int count_entries(const char *folder)
{
	char path[512];
	const struct dirent *entry;
	int count = 0;
	DIR *open_folder;

	snprintf(path, sizeof(path), "%s/%s", bench.store, folder);
	open_folder = opendir(path);
	if (!open_folder)
		return 0;
	while ((entry = readdir(open_folder)))
		count += entry->d_name[0] != '.';
	closedir(open_folder);
	return count;
}

static int count_roots(void)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "%s/sha256", kind);
	return count_entries(folder);
}

Test(store_prune, a_store_that_is_not_there_is_empty)
{
	struct stat info;

	expect_pruned(0, false, 0, 0);
	cr_assert_eq(stat(bench.store, &info), -1);
}

Test(store_prune, deletes_what_nobody_holds)
{
	struct store_pruned pruned;

	unpack_and_release();
	cr_assert_eq(count_roots(), 1);
	pruned = prune(0, true);
	cr_assert_eq(pruned.count, 1);
	cr_assert_geq(pruned.bytes, 5);
	cr_assert_eq(count_roots(), 1);
	pruned = prune(0, false);
	cr_assert_eq(pruned.count, 1);
	cr_assert_geq(pruned.bytes, 5);
	cr_assert_eq(count_roots(), 0);
	cr_assert_eq(count_entries("tmp"), 0);
	expect_pruned(0, false, 0, 0);
	unpack_and_release();
	cr_assert_eq(count_roots(), 1);
}

Test(store_prune, leaves_what_is_held)
{
	struct snapshot snapshot = SNAPSHOT_INIT;

	unpack(&snapshot);
	expect_pruned(0, false, 0, 1);
	cr_assert_eq(count_roots(), 1);
	snapshot_release(&snapshot);
	expect_pruned(0, false, 1, 0);
}

Test(store_prune, leaves_what_a_child_holds)
{
	struct snapshot snapshot = SNAPSHOT_INIT;
	int pipe_fds[2];
	pid_t child;

	unpack(&snapshot);
	cr_assert_eq(pipe(pipe_fds), 0);
	child = fork();
	if (child == 0) {
		char byte;

		alarm(30);
		close(pipe_fds[1]);
		_exit((int)read(pipe_fds[0], &byte, 1));
	}
	close(pipe_fds[0]);
	snapshot_release(&snapshot);
	expect_pruned(0, false, 0, 1);
	close(pipe_fds[1]);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	expect_pruned(0, false, 1, 0);
}

/* The time of last use, as if it were longer ago. */
static void set_age(time_t seconds)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - seconds},
	                            {.tv_sec = time(NULL) - seconds}};
	char path[512];
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/lock", bench.store);
	folder = opendir(path);
	cr_assert_not_null(folder);
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			cr_assert_eq(utimensat(dirfd(folder), entry->d_name, times, 0), 0);
	closedir(folder);
}

Test(store_prune, goes_by_the_time_of_the_last_use)
{
	unpack_and_release();
	expect_pruned(3600, false, 0, 0);
	set_age(4000);
	expect_pruned(5000, false, 0, 0);
	expect_pruned(3600, true, 1, 0);
	/* Used again. */
	unpack_and_release();
	expect_pruned(3600, false, 0, 0);
	set_age(4000);
	expect_pruned(3600, false, 1, 0);
}

Test(store_prune, the_end_of_a_use_counts_too)
{
	struct snapshot snapshot = SNAPSHOT_INIT;

	unpack(&snapshot);
	set_age(4000);
	snapshot_release(&snapshot);
	expect_pruned(3600, false, 0, 0);
}

Test(store_prune, a_dry_run_changes_nothing)
{
	char path[512];

	unpack_and_release();
	snprintf(path, sizeof(path), "%s/lock", bench.store);
	cr_assert_eq(tree_remove(AT_FDCWD, path, &(struct err)ERR_INIT), 0);
	expect_pruned(0, true, 1, 0);
	cr_assert_eq(count_entries("lock"), 0);
	cr_assert_eq(count_roots(), 1);
}

Test(store_prune, does_not_need_the_folder_of_unfinished_ones)
{
	char path[512];

	unpack_and_release();
	snprintf(path, sizeof(path), "%s/tmp", bench.store);
	cr_assert_eq(rmdir(path), 0);
	expect_pruned(0, true, 1, 0);
	expect_pruned(0, false, 1, 0);
	cr_assert_eq(count_roots(), 0);
}

Test(store_prune, counts_a_file_with_several_names_once)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT, content = STRBUF_INIT;
	struct image_blob layer, config, manifest;
	char diff_id[DIGEST_SIZE + 2], name[32];
	struct store_pruned pruned;

	for (int i = 0; i < 100000; i++)
		strbuf_addc(&content, 'x');
	TAR(&tar, .name = "f", .type = '0', .content = content.data);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		TAR(&tar, .name = name, .type = '1', .link = "f");
	}
	tar_end(&tar);
	image_bench_blob(&bench, tar.data, tar.length, &layer);
	snprintf(diff_id, sizeof(diff_id), "\"%s\"", layer.digest);
	image_bench_config(&bench, "amd64", diff_id, &config);
	image_bench_manifest(&bench, &config, image_descriptor(OCI_LAYER, &layer, NULL), &manifest);
	image_bench_index(&bench, image_entry(&manifest, NULL));
	image_bench_write(&bench, true);
	image_free(&image);
	image = image_bench_expect(&bench, NULL);
	unpack_and_release();
	pruned = prune(0, false);
	cr_assert_geq(pruned.bytes, 100000);
	cr_assert_leq(pruned.bytes, 200000, "%d bytes", (int)pruned.bytes);
}

/* ---- several processes ---- */

static void count_unpacks(void *context, enum report_level level, const char *line)
{
	(void)level;
	if (strstr(line, "unpacking"))
		(void)!write(*(int *)context, "u", 1);
}

/* What a process of the crowd does: 0 when it got a complete root folder. */
static int work(int report_fd)
{
	struct snapshot snapshot = SNAPSHOT_INIT;
	struct err err = ERR_INIT;
	struct reporter reporter = {.say = count_unpacks, .context = &report_fd};
	char path[512];
	struct stat info;

	if (store_unpack(bench.store, image, privileged, &reporter, &snapshot, &err) < 0) {
		(void)!write(STDERR_FILENO, err.message, strlen(err.message));
		return 1;
	}
	snprintf(path, sizeof(path), "%s/data", snapshot.path);
	if (stat(path, &info) < 0 || info.st_size != 5)
		return 2;
	snapshot_release(&snapshot);
	return 0;
}

Test(store_prune, of_8_processes_one_unpacks_and_all_get_it)
{
	pid_t children[8];
	int pipe_fds[2], status;
	char byte;

	cr_assert_eq(pipe(pipe_fds), 0);
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			alarm(30);
			_exit(work(pipe_fds[1]));
		}
	}
	close(pipe_fds[1]);
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_assert_eq(status, 0, "%d", status);
	}
	cr_assert_eq(read(pipe_fds[0], &byte, 1), 1);
	cr_assert_eq(read(pipe_fds[0], &byte, 1), 0, "it was unpacked more than once");
	cr_assert_eq(count_roots(), 1);
	cr_assert_eq(count_entries("tmp"), 0);
}

static int prune_quietly(void)
{
	struct store_pruned pruned;
	struct err err = ERR_INIT;

	if (store_prune(bench.store, 0, false, &pruned, &err) == 0)
		return 0;
	(void)!write(STDERR_FILENO, err.message, strlen(err.message));
	return 3;
}

Test(store_prune, unpacking_and_pruning_at_once_never_shows_half_of_one)
{
	pid_t children[6];
	int status, null = open("/dev/null", O_WRONLY);

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			int result = 0;

			alarm(30);
			for (int k = 0; k < 15 && !result; k++)
				result = i % 2 ? work(null) : prune_quietly();
			_exit(result);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_assert_eq(status, 0, "%d", status);
	}
	close(null);
	(void)prune(0, false);
	cr_assert_eq(count_roots(), 0);
	cr_assert_eq(count_entries("tmp"), 0);
}

/* Stops in the middle of an unpack: layers are verified as they are read, and the second one never comes. */
static void stop_in_the_middle(void *context, enum report_level level, const char *line)
{
	(void)context;
	(void)level;
	if (strstr(line, "unpacking"))
		raise(SIGSTOP);
}

static pid_t start_and_stop(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct snapshot snapshot = SNAPSHOT_INIT;
		struct err err = ERR_INIT;
		struct reporter reporter = {.say = stop_in_the_middle};

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(30);
		_exit(store_unpack(bench.store, image, privileged, &reporter, &snapshot, &err) < 0);
	}
	cr_assert_eq(waitpid(child, &status, WUNTRACED), child);
	cr_assert(WIFSTOPPED(status));
	return child;
}

static void kill_child(pid_t child)
{
	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitpid(child, NULL, 0), child);
}

/* What a killed unpack leaves, made by hand because it is over too soon to be hit: the name is the one that
 * store.c gives. */
static void leave_unfinished(void)
{
	struct snapshot snapshot = SNAPSHOT_INIT;
	char from[512], to[512];

	unpack(&snapshot);
	snprintf(from, sizeof(from), "%.500s", snapshot.path);
	snprintf(to, sizeof(to), "%s/tmp/%s-%s", bench.store, kind, strrchr(from, '/') + 1);
	snapshot_release(&snapshot);
	cr_assert_eq(mkdir(to, 0700), 0);
	strncat(to, "/rootfs", sizeof(to) - strlen(to) - 1);
	cr_assert_eq(rename(from, to), 0);
	cr_assert_eq(count_entries("tmp"), 1);
}

Test(store_prune, the_next_unpack_works_after_one_was_killed)
{
	struct snapshot snapshot = SNAPSHOT_INIT;

	kill_child(start_and_stop());
	unpack(&snapshot);
	snapshot_release(&snapshot);
	cr_assert_eq(count_entries("tmp"), 0);
	expect_pruned(0, false, 1, 0);
	leave_unfinished();
	unpack(&snapshot);
	cr_assert_eq(count_entries("tmp"), 0);
	cr_assert_eq(count_roots(), 1);
	snapshot_release(&snapshot);
}

Test(store_prune, deletes_what_a_killed_unpack_left)
{
	struct store_pruned pruned;

	leave_unfinished();
	expect_pruned(100000, true, 1, 0);
	cr_assert_eq(count_entries("tmp"), 1);
	pruned = prune(100000, false);
	cr_assert_eq(pruned.count, 1);
	cr_assert_geq(pruned.bytes, 5);
	cr_assert_eq(count_entries("tmp"), 0);
}

Test(store_prune, leaves_alone_what_is_being_unpacked)
{
	pid_t child = start_and_stop();
	int status;

	expect_pruned(0, false, 0, 0);
	cr_assert_eq(kill(child, SIGCONT), 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	expect_pruned(0, false, 1, 0);
}

static void go_on(void *context, enum report_level level, const char *line)
{
	(void)level;
	if (strstr(line, "waiting"))
		cr_assert_eq(kill(*(pid_t *)context, SIGCONT), 0);
}

Test(store_prune, says_that_it_waits)
{
	pid_t child = start_and_stop();
	struct reporter reporter = {.say = go_on, .context = &child};
	struct snapshot snapshot = SNAPSHOT_INIT;
	struct err err = ERR_INIT;
	int status;

	/* It goes on only when we say that we wait for it. */
	cr_assert_eq(store_unpack(bench.store, image, privileged, &reporter, &snapshot, &err), 0,
	             "%s", err.message);
	snapshot_release(&snapshot);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}
