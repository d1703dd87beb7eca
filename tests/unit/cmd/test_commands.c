/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "cmd/oneoff/command.h"

Test(commands, each_is_found_by_its_name_and_has_help)
{
	for (size_t i = 0; i < command_count; i++) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

		cr_expect_eq(command_find(commands[i]->name), commands[i]);
		cr_expect_not_null(commands[i]->usage);
		cr_assert_not_null(commands[i]->summary);
		cr_expect(commands[i]->summary[strlen(commands[i]->summary) - 1] != '.');
		command_help(commands[i], &text);
		cr_expect_not(text.failed);
		cr_expect_eq(strncmp(text.data, "usage: oneoff ", 14), 0);
		cr_expect_not_null(strstr(text.data, commands[i]->summary));
	}
	cr_expect_null((void *)command_find("rnu"));
	cr_expect_null((void *)command_find(""));
}

Test(commands, engines_have_every_slot)
{
	for (size_t i = 0; i < engine_count; i++) {
		const struct backend_ops *ops = engines[i];

		cr_expect(ops->name && ops->open && ops->find && ops->plan && ops->create &&
		                  ops->attach && ops->arm && ops->start && ops->exited &&
		                  ops->recover && ops->reattach && ops->may_have_ended &&
		                  ops->signal && ops->resize && ops->remove && ops->sweep &&
		                  ops->read_file && ops->bury && ops->close,
		          "%s", ops->name);
	}
}
