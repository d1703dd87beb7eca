/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/resource.h>
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/message.h"

/* A descriptor that is not open would be given to the next socket. The stand-ins make the right
 * thing fail: reading from a closed stdin gives its end, writing to a closed stdout an error. */
static int hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", O_RDONLY | O_NOCTTY) != fd)
			return -1;
	return 0;
}

/* Variables of the app pass through our memory: they do not belong into a core file. A task that inherits
 * our limits must be able to have its own back. */
static void forbid_core_dump(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return;
	limit.rlim_cur = 0;
	if (setrlimit(RLIMIT_CORE, &limit) < 0)
		return; /* there is nothing that we can do */
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	const struct command *command;
	struct err err = ERR_INIT;

	if (hold_standard_descriptors() < 0)
		return EXIT_CODE_NOT_STARTED;
	forbid_core_dump();
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	else if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	/* only the first word: what follows a command with subcommands may be an option */
	if (command_resolve(1, (char *[]){(char *)name}, &command, &err) < 0) {
		message_error(&err);
		return exit_code_of(&err);
	}
	if (argc < 2)
		return command_run(command, 1, argv);
	return command_run(command, argc - 1, argv + 1);
}
