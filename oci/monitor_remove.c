/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/monitor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include "oci/cgroup.h"
#include "oci/layer.h"
#include "oci/remove.h"

bool monitor_keeps(const struct monitor_child *child)
{
	const struct exit_status *status = &child->file.status;

	if (!child->settings->detached || !child->file.ended || child->unwanted)
		return false;
	return child->settings->keep == KEEP_ALWAYS ||
	       (child->settings->keep == KEEP_FAILED && (!status->known || status->code != 0));
}

int monitor_remove(struct monitor_child *child, struct err *err)
{
	const struct monitor_settings *settings = child->settings;
	struct err first = ERR_INIT;

	if (child->console >= 0)
		close(child->console);
	(void)!container_delete(settings->runtime, settings->name, settings->folder,
	                        settings->cgroup, child->ended && !child->failed, &first);
	rootfs_unmount(settings->folder);
	cgroup_destroy(settings->cgroup);
	if ((monitor_keeps(child) ? bundle_folder_strip(child->folder_fd, err)
	                          : bundle_folder_remove(settings->folder, err)) < 0)
		return -1;
	if (first.kind != ERR_NONE) {
		*err = first;
		err->kind = ERR_NOT_REMOVED;
		return -1;
	}
	return 0;
}
