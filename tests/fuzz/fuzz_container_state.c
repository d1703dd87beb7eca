/* SPDX-License-Identifier: Apache-2.0 */
/* What an OCI runtime and the kernel say of a container: a state file, or /proc/PID/mountinfo. The first byte
 * says which. */
#include <string.h>
#include "oci/mountinfo.h"
#include "oci/state.h"
#include "tests/fuzz/fuzz.h"

static void check_state(const char *text, size_t length)
{
	struct container_state state = {.id = NULL};
	struct err err = ERR_INIT;

	if (state_parse(text, length, &state, &err) == 0)
		CHECK(state.bundle && state.bundle[0] == '/' && state.pid >= 0 && state.runtime);
	else
		CHECK(!state.bundle && err.kind != ERR_NONE && err.kind != ERR_INTERNAL);
	container_state_release(&state);
}

static void check_mountinfo(const char *text)
{
	struct root_mount mount = {.overlay = false};
	struct err err = ERR_INIT;

	if (root_mount_parse(text, &mount, &err) == 0)
		CHECK(mount.overlay == (mount.lower.count > 0));
	else
		CHECK(!mount.lower.count && err.kind != ERR_NONE && err.kind != ERR_INTERNAL);
	root_mount_release(&mount);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	CHECK(text);
	if (data[0] & 1)
		check_state((const char *)data + 1, size - 1);
	else
		check_mountinfo(text);
	free(text);
	return 0;
}
