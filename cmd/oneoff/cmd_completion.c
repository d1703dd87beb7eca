/* SPDX-License-Identifier: Apache-2.0 */
/* `oneoff completion SHELL` prints a script; `oneoff __complete` is what it calls. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include "cmd/oneoff/completion.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/message.h"

#define LIMIT_MICROSECONDS 900000

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;

	if (argc > 1)
		err_set(&err, ERR_USAGE, "completion %s takes no arguments: '%s'", command->name,
		        argv[1]);
	strbuf_adds(&text, completion_script(command->name));
	if (err.kind == ERR_NONE && message_output(&text, &err) == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

#define SHELL(shell, how)                                                                          \
	{                                                                                          \
		.name = shell, .usage = "", .summary = "print the completion script for " shell,   \
		.details = how, .run = run, .parent = "completion",                                \
	}

static const struct command bash =
	SHELL("bash", "Into ~/.bashrc:\n\n  source <(oneoff completion bash)");
static const struct command zsh =
	SHELL("zsh", "Into ~/.zshrc, behind compinit:\n\n  source <(oneoff completion zsh)");
static const struct command fish =
	SHELL("fish", "Into ~/.config/fish/config.fish:\n\n  oneoff completion fish | source");
static const struct command *const shells[] = {&bash, &zsh, &fish, NULL};

const struct command cmd_completion = {
	.name = "completion",
	.usage = "bash|zsh|fish",
	.summary = "print a script that completes oneoff in your shell",
	.details =
		"The script asks oneoff itself, so it need not be printed again after an update.",
	.subcommands = shells,
};

/* What was printed until now counts. */
static void out_of_time(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

static void limit_time(void)
{
	struct itimerval limit = {.it_value = {.tv_usec = LIMIT_MICROSECONDS}};
	struct sigaction action = {.sa_handler = out_of_time};

	if (sigaction(SIGALRM, &action, NULL) == 0)
		setitimer(ITIMER_REAL, &limit, NULL);
}

/* Nobody who presses the tab key wants to read an error. */
static void be_silent(void)
{
	_cleanup_fd_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

static int flush(struct strbuf *text)
{
	struct err err = ERR_INIT;

	if (message_output(text, &err) < 0)
		return -1;
	strbuf_reset(text);
	return 0;
}

static int complete(const struct command *command, int argc, char **argv)
{
	_cleanup_(completion_release) struct completion line = {.word = NULL};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct candidates candidates = {.out = &text};
	struct err err = ERR_INIT;

	(void)command;
	limit_time();
	be_silent();
	if (argc < 2 || completion_read(argc - 1, argv + 1, &line, &err) < 0)
		return 0;
	candidates.kept = line.kept;
	candidates.word = line.word;
	if (!completion_static(&line, &candidates) && flush(&text) == 0)
		completion_live(&line, &candidates);
	return flush(&text) < 0 ? EXIT_CODE_NOT_STARTED : 0;
}

const struct command cmd_complete = {
	.name = "__complete",
	.usage = "WORD...",
	.summary = "answer the completion scripts",
	.hidden = true,
	.run = complete,
};
