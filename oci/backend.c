/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "oci/file.h"
#include "oci/leftovers.h"
#include "oci/oci_internal.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void oci_close(struct backend *backend)
{
	struct oci *oci = (struct oci *)backend;

	if (oci->channel)
		oci->channel->ops->close(oci->channel);
	for (int i = 0; i < 3; i++)
		close_fd(&oci->task_fds[i]);
	monitor_release(&oci->monitor);
	oci->loop->driver = (struct loop_driver){NULL, NULL};
	close_fd(&oci->lock_fd);
	close_fd(&oci->folder_fd);
	close_fd(&oci->terminal_fd);
	close_fd(&oci->root_fd);
	rootfs_release(&oci->rootfs);
	snapshot_release(&oci->snapshot);
	image_free(&oci->image);
	container_state_release(&oci->state);
	runtime_release(&oci->runtime);
	free(oci->run_folder);
	free(oci->cgroup);
	free(oci->name);
	free(oci->id);
	free(oci->folder);
	free(oci);
}

/* Root of a user namespace (a container, `podman unshare`) has not the rights of the machine's root. */
static bool is_machine_root(void)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err ignored = ERR_INIT;
	unsigned inside = 1, outside = 1, count = 0;

	if (geteuid() != 0 || file_read(AT_FDCWD, "/proc/self/uid_map", 4096, &text, &ignored) < 0)
		return false;
	return sscanf(strbuf_str(&text), "%u %u %u", &inside, &outside, &count) == 3 && !inside &&
	       !outside && count == UINT32_MAX;
}

static int fill(struct oci *oci, struct err *err)
{
	oci->needs_user_namespace = geteuid() != 0;
	oci->rootless = !is_machine_root();
	oci->run_folder = run_folder_path();
	if (!oci->run_folder ||
	    asprintf(&oci->runtime.state_root, "%s/state", oci->run_folder) < 0) {
		oci->runtime.state_root = NULL;
		return err_no_memory(err);
	}
	return 0;
}

static int oci_open(const struct backend_settings *settings, struct loop *loop,
                    struct backend **ret, struct err *err)
{
	const struct oci initial = {
		.base.ops = &oci_backend,
		.loop = loop,
		.reporter = settings->reporter,
		.settings = *settings,
		.snapshot = SNAPSHOT_INIT,
		.root_fd = -1,
		.lock_fd = -1,
		.folder_fd = -1,
		.terminal_fd = -1,
		.monitor = MONITOR_INIT,
		.task_fds = {-1, -1, -1},
	};
	struct oci *oci = malloc(sizeof(*oci));

	if (!oci)
		return err_no_memory(err);
	memcpy(oci, &initial, sizeof(*oci));
	/* An address of an engine cannot mean this one. */
	if (settings->host) {
		err_set(err, ERR_UNREACHABLE, "the oci runtime has no address (-H)");
	} else if (fill(oci, err) == 0) {
		*ret = &oci->base;
		return 0;
	}
	oci_close(&oci->base);
	return -1;
}

/* The monitor saw our death before the guardian did. */
static int oci_bury(struct backend *backend, const struct burial *burial, struct err *err)
{
	(void)backend;
	(void)burial;
	(void)err;
	return 0;
}

static void oci_command(const struct backend *backend, enum backend_command command,
                        const char *name, struct strbuf *ret)
{
	const struct oci *oci = (const struct oci *)backend;

	strbuf_addf(ret, "%s --root %s ", oci->runtime.path, oci->runtime.state_root);
	if (command == BACKEND_COMMAND_LIST)
		strbuf_adds(ret, "list");
	else
		strbuf_addf(ret, "delete --force %s", name);
}

const struct backend_ops oci_backend = {
	.name = "oci",
	.capabilities = BACKEND_SEPARATE_STREAMS | BACKEND_HALF_CLOSE | BACKEND_REMOVES_ITSELF |
                        BACKEND_READS_FILES | BACKEND_GUARDS_ITSELF | BACKEND_NETWORK_CHOICE |
                        BACKEND_DETACHES,
	.open = oci_open,
	.find = oci_find,
	.plan = oci_plan,
	.create = oci_create,
	.attach = oci_attach,
	.arm = oci_arm,
	.start = oci_start,
	.exited = oci_exited,
	.recover = oci_recover,
	.reattach = oci_reattach,
	.may_have_ended = oci_may_have_ended,
	.signal = oci_signal,
	.resize = oci_resize,
	.remove = oci_remove,
	.sweep = oci_sweep,
	.read_file = oci_read_file,
	.bury = oci_bury,
	.command = oci_command,
	.list = oci_list,
	.adopt = oci_adopt,
	.output = oci_output,
	.discard = oci_discard,
	.sources = oci_sources,
	.diagnose = oci_diagnose,
	.close = oci_close,
};
