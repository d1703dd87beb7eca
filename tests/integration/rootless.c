/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/rootless.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/integration/harness.h"

const char *rootless(char binary[300])
{
	const char *home = getenv("ONEOFF_TEST_ROOTLESS");
	char script[1200];
	struct run run;

	if (!home)
		cr_skip_test("no user without rights on this machine");
	snprintf(binary, 300, "%s/oneoff", home);
	if (access(binary, X_OK) == 0)
		return home;
	snprintf(script, sizeof(script), "cp '%s' '%s' && chmod 755 '%s'", oneoff_path(), binary,
	         binary);
	run_all(&run, &(struct run_spec){.program = "/bin/sh", ARGV("-c", script)});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	return home;
}

void rootless_environment(struct rootless_environment *ret, const char *home)
{
	snprintf(ret->home, sizeof(ret->home), "HOME=%s", home);
	snprintf(ret->runtime, sizeof(ret->runtime), "XDG_RUNTIME_DIR=%s/runtime", home);
	snprintf(ret->root, sizeof(ret->root), "ONEOFF_OCI_ROOT=%s/crun", home);
	snprintf(ret->run, sizeof(ret->run), "ONEOFF_OCI_RUN=%s/run", home);
	snprintf(ret->store, sizeof(ret->store), "ONEOFF_STORE=%s/store", home);
	ret->entries[0] = ret->home;
	ret->entries[1] = ret->runtime;
	ret->entries[2] = ret->root;
	ret->entries[3] = ret->run;
	ret->entries[4] = ret->store;
	ret->entries[5] = NULL;
}

pid_t parent_of(pid_t pid)
{
	char path[64];
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	fclose(file);
	return parent;
}
