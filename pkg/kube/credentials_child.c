/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/credentials_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include "pkg/io/process.h"

enum {
	FAULT_PLACE = 3, /* closed by exec(3) */
	FIRST_FREE = 10, /* above what dup2 below writes to */
};

static int place_descriptors(const struct credentials_child *child)
{
	int input = child->interactive ? 0 : open("/dev/null", O_RDONLY);
	int output, words, fault;

	/* Moved up first: ours may stand where theirs belong. */
	if (input < 0 || (!child->interactive && (input = fcntl(input, F_DUPFD, FIRST_FREE)) < 0))
		return -1;
	output = fcntl(child->output, F_DUPFD, FIRST_FREE);
	words = fcntl(child->words, F_DUPFD, FIRST_FREE);
	fault = fcntl(child->fault, F_DUPFD, FIRST_FREE);
	if (output < 0 || words < 0 || fault < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 ||
	    dup2(words, 2) < 0 || dup3(fault, FAULT_PLACE, O_CLOEXEC) < 0)
		return -1;
	process_close(FAULT_PLACE + 1, UINT_MAX);
	return 0;
}

static _noreturn_ void leave(int fd)
{
	int fault = errno;
	ssize_t count = write(fd, &fault, sizeof(fault));

	_exit(count < 0 ? 126 : 127);
}

_noreturn_ void credentials_child_run(const struct credentials_child *child)
{
	/* Without a terminal to ask at, it shall not find one by /dev/tty either: a task may have it. In our own
	 * session Ctrl-C ends it and its children. */
	if (!child->interactive)
		setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != child->parent)
		_exit(127);
	if (place_descriptors(child) < 0)
		leave(child->fault);
	process_reset_signals(PROCESS_DIES);
	process_unblock_signals();
	/* Its environment may have another PATH; the program is looked for by ours, as kubectl does. */
	execvpe(child->argv[0], child->argv, child->environment);
	leave(FAULT_PLACE);
}
