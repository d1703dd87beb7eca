/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clone equals its source, as the kernel sees both: /proc/PID of the source's first process and of the
 * task's, and their cgroups (design section 5). What may differ is said here with the reason.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_oci.h"
#include "tests/integration/harness.h"

TestSuite(oci_clone, .fini = expect_clean, .timeout = 60);

#define MAX_TEXT 65536

/* A clone that runs, and its source. */
struct pair {
	struct run run;
	const char *source_name;
	cJSON *clone; /* its inspect document */
	pid_t source, task;
};

static void pair_start(struct pair *pair, const char *source)
{
	*pair = (struct pair){.source_name = source};
	run_start(&pair->run,
	          &(struct run_spec){ARGV("run", "-q", "--like", source, "--", "helper", "signals"),
	                             .deadline_ms = 30000});
	cr_assert(run_until(&pair->run, &pair->run.out, 0, "ready"), RUN_FORMAT,
	          RUN_ARGS(&pair->run));
	pair->clone = engine_wait_one_off();
	cr_assert(pair->clone);
	pair->task = (pid_t)cJSON_GetNumberValue(member(pair->clone, "State.Pid"));
	pair->source = oci_pid(getenv("ONEOFF_OCI_ROOT"), source);
	cr_assert(pair->source > 1 && pair->task > 1 && pair->source != pair->task);
}

static void pair_end(struct pair *pair)
{
	kill(pair->run.pid, SIGTERM);
	run_finish(&pair->run);
	cr_assert_eq(pair->run.code, 0, RUN_FORMAT, RUN_ARGS(&pair->run));
	cJSON_Delete(pair->clone);
	run_release(&pair->run);
}

static char *read_text(const char *path)
{
	char *text = calloc(1, MAX_TEXT);
	FILE *file = fopen(path, "re");

	cr_assert(text);
	if (file) {
		text[fread(text, 1, MAX_TEXT - 1, file)] = '\0';
		fclose(file);
	}
	return text;
}

static char *read_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return read_text(path);
}

/* The first line of `text` that begins so, without its newline; "" when there is none. */
static const char *line_of(const char *text, const char *start, char line[512])
{
	const char *at = text;

	while (at && strncmp(at, start, strlen(start)) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	snprintf(line, 512, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
	return line;
}

static void expect_same_lines(const struct pair *pair, const char *file, const char *const *starts)
{
	char *was = read_of(pair->source, file), *is = read_of(pair->task, file);
	char was_line[512], is_line[512];

	for (; *starts; starts++) {
		cr_assert_str_not_empty(line_of(was, *starts, was_line), "no %s", *starts);
		cr_expect_str_eq(line_of(is, *starts, is_line), was_line, "%s of %s: was %s, is %s",
		                 file, pair->source_name, was_line, is_line);
	}
	free(was);
	free(is);
}

static void expect_same_file(const struct pair *pair, const char *file)
{
	char *was = read_of(pair->source, file), *is = read_of(pair->task, file);

	cr_expect_str_eq(is, was, "%s of %s: was %s, is %s", file, pair->source_name, was, is);
	free(was);
	free(is);
}

/* Who it is and what it may: ids, capabilities, seccomp, limits, the OOM killer's score. */
static void expect_same_process(const struct pair *pair)
{
	static const char *const status[] = {
		"Umask:",  "Uid:",    "Gid:",    "Groups:",     "CapInh:",  "CapPrm:",
		"CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:", NULL};
	static const char *const limits[] = {
		"Max open files",     "Max processes", "Max stack size",    "Max locked memory",
		"Max core file size", "Max file size", "Max address space", NULL};

	expect_same_lines(pair, "status", status);
	expect_same_lines(pair, "limits", limits);
	expect_same_file(pair, "oom_score_adj");
	expect_same_file(pair, "uid_map");
	expect_same_file(pair, "gid_map");
}

static void namespace_of(pid_t pid, const char *type, char name[64])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, type);
	n = readlink(path, name, 63);
	cr_assert_gt(n, 0);
	name[n] = '\0';
}

/* The source's network and, where it has one, user namespace; everything else is the task's own. */
static void expect_namespaces(const struct pair *pair)
{
	static const char *const types[] = {"net", "user", "pid", "ipc", "uts", "mnt"};
	char was[64], is[64];
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		namespace_of(pair->source, types[i], was);
		namespace_of(pair->task, types[i], is);
		if (i < 2)
			cr_expect_str_eq(is, was, "%s: another %s namespace", pair->source_name,
			                 types[i]);
		else
			cr_expect_str_neq(is, was, "%s: the source's own %s namespace",
			                  pair->source_name, types[i]);
	}
}

struct mount {
	char root[512], point[512], options[512], type[64], super[1024];
};

/* The next line of a mountinfo; false at the end. */
static bool next_mount(const char **text, struct mount *ret)
{
	const char *dash;

	if (!**text)
		return false;
	cr_assert_eq(
		sscanf(*text, "%*d %*d %*s %511s %511s %511s", ret->root, ret->point, ret->options),
		3);
	dash = strstr(*text, " - ");
	cr_assert(dash && sscanf(dash, " - %63s %*s %1023s", ret->type, ret->super) == 2);
	*text += strcspn(*text, "\n");
	*text += **text == '\n';
	return true;
}

static bool has_mount(const char *mountinfo, const struct mount *wanted)
{
	struct mount mount;

	while (next_mount(&mountinfo, &mount)) {
		if (strcmp(mount.point, wanted->point) != 0)
			continue;
		/* the root is a throwaway of our own; it stays ro or rw */
		if (strcmp(mount.point, "/") == 0)
			return strncmp(mount.options, wanted->options, 2) == 0;
		return strcmp(mount.type, wanted->type) == 0 &&
		       strcmp(mount.options, wanted->options) == 0 &&
		       (strcmp(mount.type, "tmpfs") != 0 ||
		        strcmp(mount.super, wanted->super) == 0) &&
		       (strcmp(mount.type, "ext4") != 0 || strcmp(mount.root, wanted->root) == 0);
	}
	return false;
}

static void expect_mounts_of(const char *has, const char *lacks, const char *what)
{
	struct mount mount;

	while (next_mount(&has, &mount))
		cr_expect(has_mount(lacks, &mount), "%s: %s %s %s (%s)", what, mount.point,
		          mount.type, mount.options, mount.super);
}

static void expect_same_mounts(const struct pair *pair)
{
	char *was = read_of(pair->source, "mountinfo"), *is = read_of(pair->task, "mountinfo");

	expect_mounts_of(was, is, "only the source has, or otherwise");
	expect_mounts_of(is, was, "only the clone has, or otherwise");
	free(was);
	free(is);
}

/* "/black-box/web", from a line like "4:memory:/black-box/web". */
static void cgroup_of(pid_t pid, const char *controller, char path[512])
{
	char *text = read_of(pid, "cgroup"), *line, *save = NULL, *at;

	path[0] = '\0';
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		at = strchr(line, ':');
		if (at && strncmp(at + 1, controller, strlen(controller)) == 0 &&
		    at[1 + strlen(controller)] == ':')
			snprintf(path, 512, "%s", at + 2 + strlen(controller));
	}
	free(text);
}

static void expect_siblings(const char *was, const char *is)
{
	const char *parent = getenv("ONEOFF_TEST_CGROUP");
	size_t length = strlen(parent);

	cr_assert_eq(strncmp(was, parent, length), 0, "the source is in %s", was);
	cr_expect(strncmp(is, parent, length) == 0 && is[length] == '/' &&
	                  !strchr(is + length + 1, '/') && strcmp(was, is) != 0,
	          "the source is in %s, the task in %s", was, is);
}

static void expect_same_limit(const struct pair *pair, const char *controller, const char *file)
{
	char was[512], is[512], path[1200], *was_text, *is_text;
	bool unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;

	cgroup_of(pair->source, unified ? "" : controller, was);
	cgroup_of(pair->task, unified ? "" : controller, is);
	expect_siblings(was, is);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/%s", unified ? "" : controller, was,
	         file);
	was_text = read_text(path);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/%s", unified ? "" : controller, is, file);
	is_text = read_text(path);
	cr_assert_str_not_empty(was_text, "%s", path);
	cr_expect_str_eq(is_text, was_text, "%s: was %s, is %s", file, was_text, is_text);
	free(was_text);
	free(is_text);
}

Test(oci_clone, of_web_is_what_the_source_is)
{
	struct pair pair;

	pair_start(&pair, "web");
	expect_same_process(&pair);
	expect_namespaces(&pair);
	expect_same_mounts(&pair);
	pair_end(&pair);
}

Test(oci_clone, of_a_plain_folder_is_what_the_source_is)
{
	struct pair pair;

	pair_start(&pair, "bulk");
	expect_same_process(&pair);
	expect_namespaces(&pair);
	expect_same_mounts(&pair);
	pair_end(&pair);
}

/* Root there is nobody here, and must not become root by the clone. */
Test(oci_clone, of_a_source_in_a_user_namespace_is_in_the_same)
{
	struct pair pair;

	pair_start(&pair, "mapped");
	expect_same_process(&pair);
	expect_namespaces(&pair);
	pair_end(&pair);
}

Test(oci_clone, is_limited_as_its_source_and_beside_it)
{
	struct pair pair;

	pair_start(&pair, "web");
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
		expect_same_limit(&pair, "memory", "memory.max");
		expect_same_limit(&pair, "memory", "memory.swap.max");
		expect_same_limit(&pair, "cpu", "cpu.weight");
		expect_same_limit(&pair, "pids", "pids.max");
	} else {
		expect_same_limit(&pair, "memory", "memory.limit_in_bytes");
		expect_same_limit(&pair, "memory", "memory.memsw.limit_in_bytes");
		expect_same_limit(&pair, "cpu", "cpu.shares");
		expect_same_limit(&pair, "pids", "pids.max");
		expect_same_limit(&pair, "devices", "devices.list");
	}
	pair_end(&pair);
}

static int count_lines(const char *path)
{
	char *text = read_text(path), *at;
	int count = 0;

	for (at = text; *at; at++)
		count += *at == '\n';
	free(text);
	return count;
}

/* A hook re-keys the source's network, publishes it, or counts it: it is the source's own. */
Test(oci_clone, runs_none_of_the_source_s_hooks)
{
	char path[512];
	struct pair pair;

	snprintf(path, sizeof(path), "%s/hooks", getenv("ONEOFF_TEST_DIR"));
	cr_assert_eq(count_lines(path), 1);
	pair_start(&pair, "web");
	cr_assert_eq(cJSON_GetArraySize(member(pair.clone, "Config.hooks")), 0);
	pair_end(&pair);
	cr_assert_eq(count_lines(path), 1);
}

/* Names with dots, which member() would follow. */
static const char *annotation_of(const struct pair *pair, const char *name)
{
	const char *text = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(member(pair->clone, "Config.annotations"), name));

	return text ? text : "";
}

Test(oci_clone, says_in_its_annotations_whose_it_is)
{
	struct pair pair;

	pair_start(&pair, "web");
	cr_assert_eq(strlen(annotation_of(&pair, "dev.oneoff.id")), 8);
	cr_assert_str_not_empty(annotation_of(&pair, "dev.oneoff.source"));
	cr_assert_str_empty(annotation_of(&pair, "org.example.team"));
	pair_end(&pair);
}

/* Its own host name: a replica's identity is not the task's. */
Test(oci_clone, has_a_device_that_its_source_has)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "web", "--", "sh", "-c",
	                                      "ls -l /dev/extra | cut -c 1-10; exit 3")});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "crw-rw-rw-\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
