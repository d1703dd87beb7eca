/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/oci/image_helper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/oci/layer_helper.h"

static struct image_bench bench;
static struct image *image;
static bool privileged;

static void open_image(void)
{
	struct image_blob manifest;

	image_bench_open(&bench);
	image_bench_image(&bench, "amd64", "hello", &manifest);
	image_bench_index(&bench, image_entry(&manifest, "shop"));
	image_bench_write(&bench, true);
	image = image_bench_expect(&bench, NULL);
	privileged = geteuid() == 0;
}

static void close_image(void)
{
	image_free(&image);
	image_bench_close(&bench);
}

TestSuite(store, .init = open_image, .fini = close_image, .timeout = 60);

static void unpack(struct snapshot *ret)
{
	struct err err = ERR_INIT;

	cr_assert_eq(store_unpack(bench.store, image, privileged, &bench.reporter, ret, &err), 0,
	             "%s", err.message);
}

static void expect_complete(const struct snapshot *snapshot)
{
	char path[512], bytes[16] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/data", snapshot->path);
	fd = open(path, O_RDONLY);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(read(fd, bytes, sizeof(bytes)), 5);
	close(fd);
	cr_assert_str_eq(bytes, "hello");
}

static size_t count_reports(const char *words)
{
	const char *at = strbuf_str(&bench.reports);
	size_t count = 0;

	while ((at = strstr(at, words)) != NULL) {
		count++;
		at++;
	}
	return count;
}

static void prune(int64_t unused_seconds, bool dry_run, uint64_t count, uint64_t busy)
{
	struct store_pruned pruned = {.count = 77};
	struct err err = ERR_INIT;

	cr_assert_eq(store_prune(bench.store, unused_seconds, dry_run, &pruned, &err), 0, "%s",
	             err.message);
	cr_assert_eq(pruned.count, count, "%d pruned, not %d", (int)pruned.count, (int)count);
	cr_assert_eq(pruned.busy, busy, "%d busy, not %d", (int)pruned.busy, (int)busy);
	cr_assert(count || !pruned.bytes);
}

/* The names in a folder of the store, sorted. */
static void expect_names(const char *folder, const char *names)
{
	struct layer_bench look;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", bench.store, folder);
	look.root_fd = open(path, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(look.root_fd, 0, "%s", path);
	layer_expect_names(&look, "", names);
	close(look.root_fd);
}

Test(store, unpacks_once_and_finds_it_again)
{
	_cleanup_(snapshot_release) struct snapshot one = SNAPSHOT_INIT;
	_cleanup_(snapshot_release) struct snapshot two = SNAPSHOT_INIT;

	unpack(&one);
	expect_complete(&one);
	cr_assert_eq(count_reports("unpacking shop"), 1, "%s", strbuf_str(&bench.reports));
	unpack(&two);
	cr_assert_str_eq(one.path, two.path);
	cr_assert_eq(count_reports("unpacking shop"), 1);
	cr_assert_eq(one.path[0], '/');
	cr_assert(fcntl(two.lock_fd, F_GETFD) & FD_CLOEXEC);
	expect_names("tmp", "");
}

Test(store, is_named_by_the_chain_of_diff_ids)
{
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_INIT;
	struct image_blob layers[3], config, manifest;
	char diff_ids[256], text[160], chain[DIGEST_SIZE];
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;

	for (int i = 0; i < 3; i++) {
		image_bench_layer(&bench, i == 0 ? "one" : i == 1 ? "two" : "hello", &layers[i]);
		strbuf_addf(&list, "%s%s", i ? "," : "",
		            image_descriptor(OCI_LAYER, &layers[i], NULL));
	}
	snprintf(diff_ids, sizeof(diff_ids), "\"%s\",\"%s\",\"%s\"", layers[0].digest,
	         layers[1].digest, layers[2].digest);
	image_bench_config(&bench, "amd64", diff_ids, &config);
	image_bench_manifest(&bench, &config, strbuf_str(&list), &manifest);
	image_bench_index(&bench, image_entry(&manifest, "shop"));
	image_bench_write(&bench, false);
	image_free(&image);
	image = image_bench_expect(&bench, NULL);
	unpack(&snapshot);
	expect_complete(&snapshot);
	/* image-spec config.md: ChainID(L0|…|Ln) = Digest(ChainID(L0|…|Ln-1) + " " + DiffID(Ln)) */
	snprintf(text, sizeof(text), "%s %s", layers[0].digest, layers[1].digest);
	image_digest_of(text, strlen(text), chain);
	snprintf(text, sizeof(text), "%s %s", chain, layers[2].digest);
	image_digest_of(text, strlen(text), chain);
	expect_names(privileged ? "rootfs/sha256" : "rootfs-user/sha256", digest_hex(chain));
}

Test(store, keeps_those_made_without_privileges_apart)
{
	_cleanup_(snapshot_release) struct snapshot one = SNAPSHOT_INIT;
	_cleanup_(snapshot_release) struct snapshot two = SNAPSHOT_INIT;

	if (!privileged)
		cr_skip_test("takes root");
	unpack(&one);
	privileged = false;
	unpack(&two);
	cr_assert_str_neq(one.path, two.path);
	expect_complete(&two);
	cr_assert_not_null(strstr(two.path, "/rootfs-user/sha256/"));
}

Test(store, nobody_else_may_look_in_but_the_root_is_0755)
{
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_INIT;
	char path[512];
	struct stat info;
	mode_t before = umask(0);

	unpack(&snapshot);
	umask(before);
	cr_assert_eq(stat(snapshot.path, &info), 0);
	cr_assert_eq(info.st_mode & 07777, 0755);
	cr_assert_eq(stat(bench.store, &info), 0);
	cr_assert_eq(info.st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "%.400s/..", snapshot.path);
	cr_assert_eq(stat(path, &info), 0);
	cr_assert_eq(info.st_mode & 07777, 0700);
}

Test(store, a_relative_path_becomes_absolute)
{
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(chdir(bench.base), 0);
	cr_assert_eq(
		store_unpack("deep/er/store", image, privileged, &bench.reporter, &snapshot, &err),
		0, "%s", err.message);
	expect_complete(&snapshot);
	cr_assert_eq(snapshot.path[0], '/');
	cr_assert_eq(chdir("/"), 0);
	expect_complete(&snapshot);
}

static void refuse(const char *store, const char *words)
{
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(store_unpack(store, image, privileged, &bench.reporter, &snapshot, &err), -1,
	             "%s", words);
	cr_assert_null(snapshot.path);
	cr_assert_eq(snapshot.lock_fd, -1);
	cr_assert(strstr(err.message, words), "%s", err.message);
}

Test(store, refuses_a_store_that_others_can_change)
{
	cr_assert_eq(mkdir(bench.store, 0700), 0);
	cr_assert_eq(chmod(bench.store, 0777), 0);
	refuse(bench.store, "others");
	cr_assert_eq(chmod(bench.store, 0700), 0);
	if (geteuid() == 0) {
		cr_assert_eq(chown(bench.store, 65534, 65534), 0);
		refuse(bench.store, "others");
	}
}

Test(store, refuses_links_inside_and_what_is_no_folder)
{
	char path[512], away[512];
	struct store_pruned pruned;
	struct err err = ERR_INIT;
	static const char *const names[] = {"tmp", "lock", "rootfs", "rootfs-user"};

	snprintf(away, sizeof(away), "%s/away", bench.base);
	cr_assert_eq(mkdir(away, 0700), 0);
	cr_assert_eq(mkdir(bench.store, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], privileged ? "rootfs-user" : "rootfs"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", bench.store, names[i]);
		cr_assert_eq(symlink(away, path), 0);
		refuse(bench.store, "cannot open");
		cr_assert_eq(store_prune(bench.store, 0, false, &pruned, &err), -1, "%s", names[i]);
		cr_assert_eq(unlink(path), 0);
	}
	refuse("", "store");
	snprintf(path, sizeof(path), "%s/file", bench.base);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	refuse(path, "file");
	/* Nothing was made where the links led. */
	cr_assert_eq(rmdir(away), 0);
}

Test(store, a_bad_layer_leaves_nothing)
{
	struct image_blob layer;

	image_bench_layer(&bench, "hello", &layer);
	image_bench_find(&bench, image_blob_name(&layer))->bytes.data[600] ^= 1;
	image_bench_write(&bench, false);
	image_free(&image);
	image = image_bench_expect(&bench, NULL);
	refuse(bench.store, "layer 1");
	expect_names("tmp", "");
	prune(0, false, 0, 0);
}

Test(store, says_when_the_disk_is_full)
{
	/* A file-size limit is the nearest that needs no disk of one's own. */
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_INIT;
	struct rlimit limit = {.rlim_cur = 2, .rlim_max = RLIM_INFINITY};
	struct err err = ERR_INIT;
	int result;

	cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	result = store_unpack(bench.store, image, privileged, &bench.reporter, &snapshot, &err);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(result, -1);
	cr_assert_eq(err.kind, ERR_SYSTEM, "%s", err.message);
	expect_names("tmp", "");
	unpack(&snapshot);
	expect_complete(&snapshot);
}

Test(store, finding_it_again_takes_less_than_a_millisecond)
{
	_cleanup_(snapshot_release) struct snapshot first = SNAPSHOT_INIT;
	struct timespec from, to;
	int64_t best = INT64_MAX;

	unpack(&first);
	for (int i = 0; i < 50; i++) {
		_cleanup_(snapshot_release) struct snapshot again = SNAPSHOT_INIT;
		int64_t spent;

		clock_gettime(CLOCK_MONOTONIC, &from);
		unpack(&again);
		clock_gettime(CLOCK_MONOTONIC, &to);
		spent = (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
		best = spent < best ? spent : best;
	}
	cr_log_info("%d ns", (int)best);
	cr_assert_lt(best, 1000000);
}

Test(store, needs_no_layers_once_it_is_unpacked)
{
	_cleanup_(snapshot_release) struct snapshot one = SNAPSHOT_INIT;
	_cleanup_(snapshot_release) struct snapshot two = SNAPSHOT_INIT;

	unpack(&one);
	cr_assert_eq(truncate(bench.path, 0), 0);
	unpack(&two);
	expect_complete(&two);
}

/* ---- default path ---- */

static void expect_default(const char *data, const char *home, const char *expected)
{
	_cleanup_free_ char *path = NULL;
	struct err err = ERR_INIT;

	data ? setenv("XDG_DATA_HOME", data, 1) : unsetenv("XDG_DATA_HOME");
	home ? setenv("HOME", home, 1) : unsetenv("HOME");
	cr_assert_eq(store_default_path(&path, &err), 0, "%s", err.message);
	cr_assert_str_eq(path, expected);
}

Test(store, has_a_default_path)
{
	expect_default("/data", "/home/ana", "/data/oneoff");
	expect_default(NULL, "/home/ana", "/home/ana/.local/share/oneoff");
	expect_default("relative", "/home/ana", "/home/ana/.local/share/oneoff");
	expect_default("", "/home/ana", "/home/ana/.local/share/oneoff");
	if (geteuid() == 0)
		expect_default(NULL, NULL, "/var/lib/oneoff");
}

/* Assertions are of no use in a child: it tells by its code. */
static int use_as_nobody(void)
{
	struct snapshot snapshot = SNAPSHOT_INIT;
	struct store_pruned pruned;
	struct err err = ERR_INIT;
	struct stat info;

	alarm(30);
	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return 1;
	if (image_open(bench.path, NULL, &bench.platform, &image, &err) < 0 ||
	    store_unpack(bench.store, image, false, &bench.reporter, &snapshot, &err) < 0) {
		(void)!write(STDERR_FILENO, err.message, strlen(err.message));
		return 2;
	}
	if (stat(snapshot.path, &info) < 0 || (info.st_mode & 07777) != 0555)
		return 3;
	snapshot_release(&snapshot);
	if (store_prune(bench.store, 0, false, &pruned, &err) < 0) {
		(void)!write(STDERR_FILENO, err.message, strlen(err.message));
		return 4;
	}
	return pruned.count == 1 ? 0 : 5;
}

/* A root folder that its owner may not write to is moved and deleted all the same. */
Test(store, handles_a_root_folder_without_the_right_to_write)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	struct image_blob layer, config, manifest;
	char diff_id[DIGEST_SIZE + 2];
	int status;
	pid_t child;

	TAR(&tar, .name = "./", .type = '5', .mode = 0555);
	TAR(&tar, .name = "data", .type = '0', .content = "hello");
	tar_end(&tar);
	image_bench_blob(&bench, tar.data, tar.length, &layer);
	snprintf(diff_id, sizeof(diff_id), "\"%s\"", layer.digest);
	image_bench_config(&bench, "amd64", diff_id, &config);
	image_bench_manifest(&bench, &config, image_descriptor(OCI_LAYER, &layer, NULL), &manifest);
	image_bench_index(&bench, image_entry(&manifest, NULL));
	image_bench_write(&bench, true);
	image_free(&image);
	cr_assert_eq(chmod(bench.base, 0777), 0);
	child = fork();
	if (child == 0)
		_exit(use_as_nobody());
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0, "%d", status);
	cr_assert_eq(chmod(bench.base, 0700), 0);
}
