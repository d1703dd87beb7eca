/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/command.h"

#include <string.h>
#include "cmd/oneoff/message.h"
#include "oci/oci.h"
#include "pkg/docker/docker.h"
#include "pkg/kube/kube.h"

const struct command *const commands[] = {&cmd_run, &cmd_console, &cmd_plan, &cmd_cron,
                                          &cmd_gc,  &cmd_version, &cmd_help};
const size_t command_count = ARRAY_SIZE(commands);

/* The order in which a bare name is looked for. */
const struct backend_ops *const engines[] = {&docker_backend, &podman_backend, &oci_backend,
                                             &kubernetes_backend};
const size_t engine_count = ARRAY_SIZE(engines);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

void command_help(const struct command *command, struct strbuf *out)
{
	strbuf_addf(out, "usage: oneoff %s %s\n\n%s\n", command->name, command->usage,
	            command->summary);
	if (command->details)
		strbuf_addf(out, "\n%s\n", command->details);
	if (command->options) {
		strbuf_adds(out, "\noptions:\n");
		options_help(command->options, *command->option_count, out);
	}
}

int command_print_help(const struct command *command, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	command_help(command, &text);
	if (text.failed)
		return err_no_memory(err);
	return message_output(&text, err);
}
