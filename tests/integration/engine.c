/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/engine_ops.h"
#include "tests/integration/harness.h"

static bool engine_is(const char *name)
{
	const char *engine = getenv("ONEOFF_TEST_ENGINE");

	return engine && strcmp(engine, name) == 0;
}

bool engine_is_podman(void)
{
	return engine_is("podman");
}

bool engine_is_oci(void)
{
	return engine_is("oci");
}

bool engine_is_kube(void)
{
	return engine_is("kube");
}

static const struct engine_ops *ops(void)
{
	if (engine_is_kube())
		return &engine_kube;
	if (engine_is_oci())
		return &engine_oci;
	return engine_is_podman() ? &engine_podman : &engine_docker;
}

const struct engine_traits *engine_traits(void)
{
	return &ops()->traits;
}

const char *source_name(const char *name)
{
	static char text[512];
	const char *prefix = ops()->traits.source_prefix;

	if (!prefix || !*name || strpbrk(name, "/:") || *name == '-')
		return name;
	snprintf(text, sizeof(text), "%s%s", prefix, name);
	return text;
}

cJSON *engine_inspect(const char *name)
{
	return ops()->inspect(name);
}

int engine_count_one_offs(void)
{
	return ops()->count_one_offs();
}

bool engine_kill(const char *id)
{
	return ops()->kill(id);
}

void engine_remove_one_offs(void)
{
	ops()->remove_one_offs();
}

void engine_after_client_died(void)
{
	if (ops()->after_client_died)
		ops()->after_client_died();
}

cJSON *engine_wait_one_off(void)
{
	int64_t until = now_ms() + 10000;
	cJSON *clone;

	while (now_ms() < until) {
		clone = ops()->first_one_off();
		if (clone && strcmp(text_of(clone, "State.Status"), "running") == 0)
			return clone;
		cJSON_Delete(clone);
		pause_ms(20);
	}
	return NULL;
}

static bool is_program(const char *exe, const char *path)
{
	char *wanted = path ? realpath(path, NULL) : NULL;
	bool same = wanted && strcmp(exe, wanted) == 0;

	free(wanted);
	return same;
}

/* Processes that run our binary, zombies not counted. */
int count_processes(void)
{
	char link[300], exe[4096];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;
	ssize_t n;

	while (proc && (entry = readdir(proc))) {
		snprintf(link, sizeof(link), "/proc/%s/exe", entry->d_name);
		n = readlink(link, exe, sizeof(exe) - 1);
		if (n <= 0)
			continue;
		exe[n] = '\0';
		count += is_program(exe, oneoff_path()) || is_program(exe, getenv("ONEOFF_HOOKS"));
	}
	if (proc)
		closedir(proc);
	return count;
}

void expect_clean(void)
{
	int64_t until = now_ms() + 5000;
	int containers, leftovers, processes;
	char what[1024];

	for (;;) {
		containers = engine_count_one_offs();
		leftovers = ops()->leftovers(what, sizeof(what));
		processes = count_processes();
		if ((containers == 0 && leftovers == 0 && processes == 0) || now_ms() >= until)
			break;
		pause_ms(50);
	}
	if (containers > 0 || leftovers > 0)
		engine_remove_one_offs();
	cr_assert(containers == 0 && leftovers == 0 && processes == 0,
	          "left after 5 s: %d containers, %s, %d processes of ours", containers, what,
	          processes);
}

const cJSON *member(const cJSON *object, const char *path)
{
	char key[256];
	size_t length;

	while (object && *path) {
		length = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		object = cJSON_GetObjectItemCaseSensitive(object, key);
		path += length;
		path += *path == '.';
	}
	return object;
}

const char *text_of(const cJSON *object, const char *path)
{
	const char *text = cJSON_GetStringValue(member(object, path));

	return text ? text : "";
}
