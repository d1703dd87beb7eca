/* SPDX-License-Identifier: Apache-2.0 */
/* What the shells are told; tests/completion drives the shells themselves. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "cmd/oneoff/completion.h"

/* The answer to words, separated by blanks; the last one may be empty. */
static void answer(const char *text, struct strbuf *out)
{
	_cleanup_(completion_release) struct completion line = {.word = NULL};
	_cleanup_free_ char *copy = strdup(text);
	struct candidates candidates = {.out = out};
	struct err err = ERR_INIT;
	char *words[16], *rest = copy;
	int count = 0;

	while (rest && count < 16)
		words[count++] = strsep(&rest, " ");
	if (completion_read(count, words, &line, &err) < 0)
		return;
	candidates.kept = line.kept;
	candidates.word = line.word;
	completion_static(&line, &candidates);
}

static void expect(const char *text, const char *expected)
{
	_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT, values = STRBUF_INIT;
	char *rest, *line;

	answer(text, &out);
	/* meanings are the tables' own */
	rest = out.data;
	while (rest && (line = strsep(&rest, "\n")) && *line) {
		if (*line != ':')
			line[strcspn(line, "\t")] = '\0';
		strbuf_addf(&values, "%s ", line);
	}
	cr_expect_str_eq(strbuf_str(&values), expected, "'%s' gives '%s'", text,
	                 strbuf_str(&values));
}

Test(completion, knows_what_a_word_is)
{
	expect("ru", "run ");
	expect("__comp", "");
	expect("--v", "--version ");
	expect("run --keep", "--keep --keep-for ");
	expect("run --keep ", "never failed always ");
	expect("run --keep=f", "--keep=failed ");
	expect("run --revision o", "old ");
	expect("run --kee", "--keep --keep-for ");
	expect("run --from", "");
	expect("run --env-file ", ":files\t ");
	expect("run --env-file=a/", ":files\t--env-file= ");
	expect("run --store=", ":folders\t--store= ");
	expect("run --like oci-layout:x", ":files\toci-layout: ");
	expect("run --like=oci-layout:x", ":files\t--like=oci-layout: ");
	expect("run --like=sv", "--like=svc/ ");
	expect("run --runtime p", "podman ");
	expect("completion z", "zsh ");
	expect("help completion f", "fish ");
	expect("help run z", "");
	expect("version --h", "--help ");
	expect("nothing a", "");
}

Test(completion, options_end_where_the_parser_ends_them)
{
	expect("run --like web -- --kee", "");
	expect("run --like web cmd --kee", "");
	expect("run -e --kee", "");
	expect("run -e --keep --kee", "--keep --keep-for ");
	expect("run -qu app --kee", "--keep --keep-for ");
	expect("run -uapp --kee", "--keep --keep-for ");
	expect("run -u", "");
	expect("run --like -- --kee", "--keep --keep-for ");
	expect("run --no-log --kee", "--keep --keep-for ");
	expect("run - --kee", "");
	expect("logs x7k2 --foll", "--follow ");
	expect("logs -- x7k2 --foll", "");
	expect("cron suspend nightly --namesp", "--namespace ");
}

Test(completion, what_was_given_is_not_offered_again)
{
	expect("run --keep=never --kee", "--keep-for ");
	expect("run --keep never --kee", "--keep-for ");
	expect("run -e A=1 --env", "--env --env-file ");
	expect("run -v --verb", "--verbose ");
	expect("run -q --qui", "");
}

Test(completion, the_line_beats_the_environment)
{
	_cleanup_(completion_release) struct completion line = {.word = NULL};
	char *words[] = {(char *)"run",
	                 (char *)"--kubeconfig=a",
	                 (char *)"--kubeconfig",
	                 (char *)"b",
	                 (char *)"-nx",
	                 (char *)"--context",
	                 (char *)""};
	struct err err = ERR_INIT;

	cr_assert_eq(completion_read(7, words, &line, &err), 0);
	setenv("ONEOFF_KUBECONFIG", "c", 1);
	setenv("ONEOFF_STORE", "s", 1);
	cr_expect_str_eq(completion_given(&line, "kubeconfig"), "b");
	cr_expect_str_eq(completion_given(&line, "namespace"), "x");
	cr_expect_str_eq(completion_given(&line, "store"), "s");
	cr_expect_null((void *)completion_given(&line, "host"));
	cr_expect_eq(line.kind, COMPLETE_CONTEXT);
}

/* Every option can be completed by its name, and its value if it has choices. */
Test(completion, every_option_of_every_command)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = commands[i];

		for (size_t j = 0; command->options && j < *command->option_count; j++) {
			const struct option *row = &command->options[j];
			_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT;
			char text[128], line[128];

			if (!row->help || command->hidden)
				continue;
			snprintf(text, sizeof(text), "%s --%s", command->name, row->long_name);
			snprintf(line, sizeof(line), "--%s\t", row->long_name);
			answer(text, &out);
			cr_expect(strstr(strbuf_str(&out), line), "%s", text);
			if (!row->choices)
				continue;
			strbuf_reset(&out);
			snprintf(text, sizeof(text), "%s --%s ", command->name, row->long_name);
			answer(text, &out);
			cr_expect(strstr(strbuf_str(&out), row->choices[0]), "%s", text);
		}
	}
}

Test(completion, scripts_exist_for_three_shells)
{
	cr_expect_not_null(strstr(completion_script("bash"), "complete -F"));
	cr_expect_not_null(strstr(completion_script("zsh"), "#compdef oneoff"));
	cr_expect_not_null(strstr(completion_script("fish"), "complete -c oneoff"));
	cr_expect_null((void *)completion_script("tcsh"));
}
