/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>
#include "oci/leftovers.h"
#include "oci/oci_internal.h"
#include "pkg/io/process.h"

static _noreturn_ void sweep_in_child(const char *run_folder)
{
	struct err ignored = ERR_INIT;
	size_t count;

	setsid();
	/* Our copies would hide the client's death from its monitor, and its end from a reader. */
	process_close(0, UINT_MAX);
	for (int fd = 0; fd <= 2; fd++)
		(void)!open("/dev/null", O_RDWR);
	(void)!leftovers_remove(run_folder, false, &count, &ignored);
	_exit(0);
}

void oci_sweep(struct backend *backend)
{
	struct oci *oci = (struct oci *)backend;
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	struct err ignored = ERR_INIT;
	pid_t child;

	if (leftovers_list(oci->run_folder, &names, &ignored) < 0 || !names.count)
		return;
	report(&oci->reporter, REPORT_DETAIL, "removing %zu leftovers of killed runs", names.count);
	/* The child's child is nobody's zombie. */
	child = fork();
	if (child == 0) {
		if (fork() == 0)
			sweep_in_child(oci->run_folder);
		_exit(0);
	}
	if (child > 0)
		(void)waitpid(child, NULL, 0);
}
