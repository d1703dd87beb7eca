/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "oci": what the runtime's command line and the kernel say. One-offs live in a state root of their
 * own, $ONEOFF_OCI_RUN/state; the sources in $ONEOFF_OCI_ROOT. */
#include "tests/integration/engine_oci.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fts.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/engine_ops.h"
#include "tests/integration/harness.h"

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "/nonexistent";
}

static const char *state_root(void)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/state", setting("ONEOFF_OCI_RUN"));
	return path;
}

static bool exists(const char *folder, const char *id, const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s/%s", folder, id, name);
	return access(path, F_OK) == 0;
}

/* Each runtime reads its own state only; the file's name tells them apart. */
static const char *runtime_of(const char *root, const char *id)
{
	return exists(root, id, "state.json") ? "runc" : "crun";
}

/* Runs `RUNTIME --root ROOT VERB [OPTION] ID`; its stdout as JSON into *ret, if wanted. False when it
 * failed. */
static bool runtime(const char *root, const char *verb, const char *option, const char *id,
                    cJSON **ret)
{
	const char *argv[8] = {runtime_of(root, id), "--root", root, verb};
	size_t count = 4;
	struct run run;
	bool done;

	if (option)
		argv[count++] = option;
	argv[count] = id;
	run_all(&run, &(struct run_spec){.program = "/usr/bin/env", .argv = argv});
	done = run.code == 0;
	if (ret)
		*ret = done ? cJSON_Parse(run.out.text) : NULL;
	run_release(&run);
	return done && (!ret || *ret);
}

static cJSON *read_json(const char *folder, const char *name)
{
	static char text[262144];
	char path[1024];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return cJSON_Parse(text);
}

cJSON *oci_inspect(const char *root, const char *id)
{
	cJSON *state = NULL, *document, *inner;

	if (!exists(root, id, ".") || !runtime(root, "state", NULL, id, &state))
		return NULL;
	document = cJSON_CreateObject();
	cJSON_AddStringToObject(document, "Id", text_of(state, "id"));
	cJSON_AddStringToObject(document, "Bundle", text_of(state, "bundle"));
	inner = cJSON_AddObjectToObject(document, "State");
	cJSON_AddStringToObject(inner, "Status", text_of(state, "status"));
	cJSON_AddNumberToObject(inner, "Pid", cJSON_GetNumberValue(member(state, "pid")));
	cJSON_AddStringToObject(inner, "StartedAt", text_of(state, "created"));
	cJSON_AddItemToObject(document, "Config",
	                      read_json(text_of(state, "bundle"), "config.json"));
	cJSON_Delete(state);
	return document;
}

pid_t oci_pid(const char *root, const char *id)
{
	cJSON *document = oci_inspect(root, id);
	pid_t pid = 0;

	if (document && strcmp(text_of(document, "State.Status"), "running") == 0)
		pid = (pid_t)cJSON_GetNumberValue(member(document, "State.Pid"));
	cJSON_Delete(document);
	return pid;
}

/* A one-off first, then a source: their roots are different. */
static cJSON *inspect(const char *name)
{
	cJSON *document = oci_inspect(state_root(), name);

	return document ? document : oci_inspect(setting("ONEOFF_OCI_ROOT"), name);
}

/* Folders below `folder` but for `except` and what is no one-off's; the name of one of them goes to `name`. */
static int count_folders(const char *folder, const char *except, char name[256])
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	int count = 0;

	while (stream && (entry = readdir(stream))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 || strcmp(entry->d_name, except) == 0 ||
		    strcmp(entry->d_name, "locks") == 0)
			continue;
		snprintf(name, 256, "%s", entry->d_name);
		count++;
	}
	if (stream)
		closedir(stream);
	return count;
}

int oci_count(const char *run_folder)
{
	char path[512], name[256];

	snprintf(path, sizeof(path), "%s/state", run_folder);
	return count_folders(path, "", name);
}

static int count_one_offs(void)
{
	return oci_count(setting("ONEOFF_OCI_RUN"));
}

static cJSON *first_one_off(void)
{
	char name[256];

	return count_folders(state_root(), "", name) ? oci_inspect(state_root(), name) : NULL;
}

static bool kill_container(const char *id)
{
	pid_t pid = oci_pid(state_root(), id);

	return pid > 1 && kill(pid, SIGKILL) == 0;
}

/* A one-off's, in whatever hierarchy: below our sources' parent, or anywhere when the machine is ours alone. */
static bool is_one_off_cgroup(const FTSENT *entry, bool ours_only)
{
	const char *parent = getenv("ONEOFF_TEST_CGROUP");

	if (entry->fts_info != FTS_D || !strstr(entry->fts_name, "oneoff"))
		return false;
	return (parent && strstr(entry->fts_path, parent)) ||
	       (!ours_only && !getenv("ONEOFF_TEST_SHARED"));
}

static void empty_cgroup(const char *folder)
{
	char path[2048];
	FILE *file;
	int pid;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &pid) == 1)
		if (pid > 1)
			kill(pid, SIGKILL);
	if (file)
		fclose(file);
	for (int tries = 0; tries < 20 && rmdir(folder) < 0; tries++)
		pause_ms(10);
}

/* Calls `visit`, if any, for each; how many there were. */
static int each_cgroup(bool ours_only, void (*visit)(const char *folder))
{
	char root[] = "/sys/fs/cgroup", *const roots[] = {root, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int count = 0;

	while (tree && (entry = fts_read(tree))) {
		if (!is_one_off_cgroup(entry, ours_only))
			continue;
		count++;
		if (visit)
			visit(entry->fts_path);
	}
	if (tree)
		fts_close(tree);
	return count;
}

/* What one case left must not fail all that follow. */
static void remove_one_offs(void)
{
	char name[256], path[1024];
	struct run run;

	for (int i = 0; i < 20 && count_folders(state_root(), "", name); i++)
		if (!runtime(state_root(), "delete", "--force", name, NULL))
			break;
	each_cgroup(true, empty_cgroup);
	for (int i = 0; i < 20 && count_folders(setting("ONEOFF_OCI_RUN"), "state", name); i++) {
		snprintf(path, sizeof(path), "%s/%s", setting("ONEOFF_OCI_RUN"), name);
		run_all(&run, &(struct run_spec){.program = "/bin/rm", ARGV("-rf", path)});
		run_release(&run);
	}
}

static int count_mounts(const char *folder)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	size_t length = strlen(folder);
	char line[4096], path[2048];
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*d %*d %*s %*s %2047s", path) == 1 &&
		    strncmp(path, folder, length) == 0)
			count++;
	if (file)
		fclose(file);
	return count;
}

int oci_leftovers(const char *run_folder, char *text, size_t size)
{
	char name[256] = "";
	int folders = count_folders(run_folder, "state", name);
	int mounts = count_mounts(run_folder), cgroups = each_cgroup(false, NULL);

	snprintf(text, size, "%d run folders%s%s, %d mounts, %d cgroups", folders,
	         folders ? " with " : "", name, mounts, cgroups);
	return folders + mounts + cgroups;
}

static int leftovers(char *text, size_t size)
{
	return oci_leftovers(setting("ONEOFF_OCI_RUN"), text, size);
}

void oci_expect_clean(const char *run_folder, int limit_ms)
{
	int64_t until = now_ms() + limit_ms;
	int containers, left, processes;
	char what[1024];

	for (;;) {
		containers = oci_count(run_folder);
		left = oci_leftovers(run_folder, what, sizeof(what));
		processes = count_processes();
		if ((containers == 0 && left == 0 && processes == 0) || now_ms() >= until)
			break;
		pause_ms(20);
	}
	cr_assert(containers == 0 && left == 0 && processes == 0,
	          "left after %d ms: %d containers, %s, %d processes of ours", limit_ms, containers,
	          what, processes);
}

const struct engine_ops engine_oci = {
	.traits = {.nowhere = "ONEOFF_OCI_RUNTIME=/nonexistent/a.sock",
                   .plan_shows = "hooks",
                   .streams_inherited = true,
                   .keeps_proxy_variables = true,
                   .knows_memory = true},
	.count_one_offs = count_one_offs,
	.inspect = inspect,
	.first_one_off = first_one_off,
	.kill = kill_container,
	.remove_one_offs = remove_one_offs,
	.leftovers = leftovers,
};
