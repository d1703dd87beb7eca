/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate executes: PATH, arguments, environment; in a root with nothing in it; and its file format. */
#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "pkg/base/strbuf.h"
#include "pkg/kube/gate/gate.h"
#include "test_gate_run.h"

#define COMMAND(...)                                                                               \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define FOR_EACH_ARCHITECTURE(name)                                                                \
	for (const char *const *name = gate_architectures; *name; name++)

/* Runs it released; returns its code and what it wrote. */
static int run_it(const struct gate_start *start, char **ret_out, size_t *ret_length)
{
	struct gate_run run;
	char *words;
	int code;

	gate_run_start(&run, start);
	gate_run_send(&run, "x", 1);
	code = gate_run_end(&run);
	*ret_out = gate_run_output(run.out, ret_length);
	words = gate_run_output(run.err, NULL);
	cr_expect_str_eq(words, "", "stderr: %s", words);
	free(words);
	gate_run_release(&run);
	return code;
}

struct path_row {
	const char *path; /* NULL: not set */
	const char *command;
	int code;
	const char *out;
};

/* In a folder with good/tool, noexec/tool (not executable), plain/tool (a script without "#!"), a file "file" and a
 * tool of its own. */
static const struct path_row path_rows[] = {
	{"PATH=good", "tool", 0, "good\n"},
	{"PATH=missing:good", "tool", 0, "good\n"},
	{"PATH=noexec:good", "tool", 0, "good\n"},
	{"PATH=file:good", "tool", 0, "good\n"},
	{"PATH=plain:good", "tool", 0, "plain\n"},
	{"PATH=:good", "tool", 0, "here\n"},
	{"PATH=missing:", "tool", 0, "here\n"},
	{"PATH=missing::good", "tool", 0, "here\n"},
	{"PATH=", "tool", 0, "here\n"},
	{"PATH=missing", "tool", 127, ""},
	{"PATH=noexec:missing", "tool", 126, ""},
	{"PATH=good", "./noexec/tool", 126, ""},
	{"PATH=good", "noexec/tool", 126, ""},
	{"PATH=good", "plain/tool", 0, "plain\n"},
	{"PATH=good", "./missing", 127, ""},
	{"PATH=good", "file/tool", 127, ""},
	{"PATH=good", "./good", 126, ""},
	{"PATH=good", "", 127, ""},
	{"PATHS=good", "tool", 127, ""},
	{NULL, "true", 0, ""},
	{NULL, "tool", 127, ""},
};

static void make_tools(char *folder)
{
	static const char *const folders[] = {"good", "noexec", "plain"};
	char path[256];

	gate_new_folder(folder);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, folders[i]);
		cr_assert_eq(mkdir(path, 0755), 0);
	}
	gate_write_file(folder, "good/tool", "#!/bin/sh\necho good\n", 0755);
	gate_write_file(folder, "noexec/tool", "#!/bin/sh\necho noexec\n", 0644);
	gate_write_file(folder, "plain/tool", "echo plain\n", 0755);
	gate_write_file(folder, "tool", "#!/bin/sh\necho here\n", 0755);
	gate_write_file(folder, "file", "", 0644);
}

Test(gate_execute, looks_for_the_command_as_execvp_does, .timeout = 120)
{
	char folder[64];

	make_tools(folder);
	FOR_EACH_ARCHITECTURE(name)
	{
		for (size_t i = 0; i < sizeof(path_rows) / sizeof(*path_rows); i++) {
			const struct path_row *row = &path_rows[i];
			char *out;
			int code = run_it(
				&(struct gate_start){
					.architecture = *name,
					.settings = "stdin:20",
					.folder = folder,
					.command = COMMAND(row->command),
					.environment = (const char *const[]){row->path, NULL}},
				&out, NULL);

			cr_expect_eq(code, row->code, "%s, %s, '%s': %d", *name,
			             row->path ? row->path : "-", row->command, code);
			cr_expect_str_eq(out, row->out);
			free(out);
		}
	}
	gate_remove_folder(folder);
}

Test(gate_execute, a_script_without_a_shell_line_gets_its_arguments, .timeout = 60)
{
	char folder[64];

	gate_new_folder(folder);
	gate_write_file(folder, "tool", "echo \"$0\" $# \"$@\"\n", 0755);
	FOR_EACH_ARCHITECTURE(name)
	{
		char *out;

		cr_expect_eq(run_it(&(struct gate_start){.architecture = *name,
		                                         .settings = "stdin:20",
		                                         .folder = folder,
		                                         .command = COMMAND("./tool", "", "a b")},
		                    &out, NULL),
		             0);
		cr_expect_str_eq(out, "./tool 2  a b\n");
		free(out);
	}
	gate_remove_folder(folder);
}

Test(gate_execute, a_folder_that_is_too_long_is_passed_over, .timeout = 60)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_adds(&path, "PATH=/");
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&path, 'd');
	strbuf_adds(&path, ":/bin");
	FOR_EACH_ARCHITECTURE(name)
	{
		char *out;
		int code = run_it(
			&(struct gate_start){
				.architecture = *name,
				.settings = "stdin:20",
				.command = COMMAND("echo", "found"),
				.environment = (const char *const[]){strbuf_str(&path), NULL}},
			&out, NULL);

		cr_expect_eq(code, 0);
		cr_expect_str_eq(out, "found\n");
		free(out);
	}
	strbuf_release(&path);
}

Test(gate_execute, arguments_are_byte_exact, .timeout = 60)
{
	static char longest[100001];
	const char *command[4100] = {
		"sh", "-c", "cat /proc/$$/cmdline; exit 7", "", "a\nb", "\xff\x01 '\"\\", longest};
	size_t count = 7, got;

	memset(longest, 'l', sizeof(longest) - 1);
	for (; count < 4000; count++)
		command[count] = count % 3 ? "argument" : "";
	FOR_EACH_ARCHITECTURE(name)
	{
		size_t at = 0;
		char *out;

		cr_expect_eq(run_it(&(struct gate_start){.architecture = *name,
		                                         .settings = "null:20",
		                                         .command = command},
		                    &out, &got),
		             7);
		for (size_t i = 0; i < count; i++) {
			cr_assert_lt(at, got);
			cr_assert_str_eq(out + at, command[i]);
			at += strlen(command[i]) + 1;
		}
		cr_expect_eq(at, got);
		free(out);
	}
}

/* Whether the item is one of the strings that stand side by side in `text`. */
static bool holds(const char *text, size_t length, const char *item)
{
	for (size_t at = 0; at < length; at += strlen(text + at) + 1)
		if (!strcmp(text + at, item))
			return true;
	return false;
}

/* qemu orders the environment anew and knows no name twice, before the gate sees it. */
Test(gate_execute, the_environment_is_byte_exact, .timeout = 60)
{
	static const char *const odd[] = {"A=1",      "PATH=/bin",  "A=2",           "EMPTY=",
	                                  "noequals", "B=a\nb\xff", "PATH=/nowhere", NULL};
	static const char *const plain[] = {"A=1", "PATH=/bin", "EMPTY=", "B=a\nb\xff", NULL};

	FOR_EACH_ARCHITECTURE(name)
	{
		bool native = gate_is_native(*name);
		const char *const *environment = native ? odd : plain;
		size_t at = 0, got;
		char *out;

		cr_expect_eq(run_it(&(struct gate_start){.architecture = *name,
		                                         .settings = "stdin:20",
		                                         .environment = environment,
		                                         .command = COMMAND("/bin/cat",
		                                                            "/proc/self/environ")},
		                    &out, &got),
		             0);
		for (size_t i = 0; environment[i]; i++) {
			cr_assert_lt(at, got, "%s", *name);
			cr_expect(native ? !strcmp(out + at, environment[i])
			                 : holds(out, got, environment[i]));
			at += strlen(environment[i]) + 1;
		}
		cr_expect_eq(at, got);
		free(out);
	}
}

struct log_row {
	const char *settings;
	const char *const *command;
	int code;
	const char *log;
};

/* In a root with nothing but the gate, dev/termination-log, a file that others may not read, and two scripts. The gate itself is the only program, so
 * it is the task, too. */
static const struct log_row log_rows[] = {
	{"stdin:20", COMMAND("missing"), 127, "oneoff-gate: not-found: missing: error 2"},
	{"null:20", COMMAND("/missing"), 127, "oneoff-gate: not-found: /missing: error 2"},
	{"stdin:20", COMMAND("/secret"), 126, "oneoff-gate: cannot-execute: /secret: error 13"},
	{"stdin:20", COMMAND("/script"), 126, "oneoff-gate: cannot-execute: /script: error 8"},
	{"stdin:20", COMMAND("script"), 126, "oneoff-gate: cannot-execute: script: error 8"},
	{"tty:20", COMMAND("/gate"), 125, "oneoff-gate: usage: stdin is no terminal"},
	{"stdin:0", COMMAND("/gate"), 125, "oneoff-gate: timeout: "},
	{"stdin:", COMMAND("/gate"), 125, "oneoff-gate: usage: "},
	{"stdin:1x", COMMAND("/gate"), 125, "oneoff-gate: usage: "},
	{"stdin:9999999999", COMMAND("/gate"), 125, "oneoff-gate: usage: "},
	{"file:1", COMMAND("/gate"), 125, "oneoff-gate: usage: "},
	{"stdin:20", NULL, 125, "oneoff-gate: usage: "},
	{NULL, NULL, 125, "oneoff-gate: usage: "},
};

static void read_log(const char *folder, char *text, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/dev/termination-log", folder);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void make_root(char *folder)
{
	char path[128];

	gate_new_folder(folder);
	snprintf(path, sizeof(path), "%s/dev", folder);
	cr_assert_eq(mkdir(path, 0755), 0);
	gate_write_file(folder, "secret", "", 0600);
	snprintf(path, sizeof(path), "%s/bin", folder);
	cr_assert_eq(mkdir(path, 0755), 0);
	gate_write_file(folder, "script", "exit 0\n", 0755);
	gate_write_file(folder, "bin/script", "exit 0\n", 0755);
}

Test(gate_execute, its_own_failures_stand_in_the_termination_log, .timeout = 120)
{
	char old_words[301];

	for (size_t i = 0; i < sizeof(old_words); i++)
		old_words[i] = i < sizeof(old_words) - 1 ? "old"[i % 3] : '\0';
	FOR_EACH_ARCHITECTURE(name)
	{
		char folder[64], log[4096], *out;

		make_root(folder);
		for (size_t i = 0; i < sizeof(log_rows) / sizeof(*log_rows); i++) {
			const struct log_row *row = &log_rows[i];
			struct gate_start start = {.architecture = *name,
			                           .settings = row->settings,
			                           .command = row->command,
			                           .folder = folder,
			                           .alone = true};
			int code;

			gate_write_file(folder, "dev/termination-log", old_words, 0666);
			code = run_it(&start, &out, NULL);
			read_log(folder, log, sizeof(log));
			cr_expect_eq(code, row->code, "row %zu of %s: %d", i, *name, code);
			cr_expect_str_eq(out, "");
			cr_expect_null(strstr(log, "old"));
			cr_expect_eq(strncmp(log, row->log, strlen(row->log)), 0, "%s", log);
			free(out);
		}
		gate_remove_folder(folder);
	}
}

Test(gate_execute, works_alone_in_its_root_for_a_plain_user, .timeout = 60)
{
	FOR_EACH_ARCHITECTURE(name)
	{
		const char *const *command = COMMAND("/gate", "null:20", "/missing");
		struct gate_start start = {.architecture = *name,
		                           .settings = "stdin:20",
		                           .command = command,
		                           .alone = true};
		char folder[64];
		struct gate_run run;
		int code;

		/* the second gate is the first one's task; another processor's is not for every kernel */
		gate_new_folder(folder);
		start.folder = folder;
		gate_run_start(&run, &start);
		gate_run_send(&run, "xy", 2);
		code = gate_run_end(&run);
		cr_expect(code == 127 || (code == 126 && !gate_is_native(*name)), "%s: %d", *name,
		          code);
		gate_run_release(&run);
		gate_remove_folder(folder);
	}
}

Test(gate_execute, a_long_command_leaves_the_log_readable, .timeout = 60)
{
	static char longest[100001];
	char folder[64], log[4096], *out;

	memset(longest, 'l', sizeof(longest) - 1);
	make_root(folder);
	gate_write_file(folder, "dev/termination-log", "", 0666);
	cr_expect_eq(run_it(&(struct gate_start){.architecture = gate_architectures[0],
	                                         .settings = "stdin:20",
	                                         .command = COMMAND(longest),
	                                         .folder = folder,
	                                         .alone = true},
	                    &out, NULL),
	             127);
	read_log(folder, log, sizeof(log));
	cr_expect_lt(strlen(log), 1100);
	cr_expect_eq(strncmp(log, "oneoff-gate: not-found: lll", 26), 0);
	free(out);
	gate_remove_folder(folder);
}

Test(gate_execute, is_a_static_program_without_writable_code)
{
	static const Elf64_Half machines[] = {EM_X86_64, EM_AARCH64};

	for (size_t i = 0; gate_architectures[i]; i++) {
		const struct gate *gate = gate_find(gate_architectures[i]);
		Elf64_Ehdr head;
		bool stack = false;

		cr_assert_geq(gate->length, sizeof(head));
		memcpy(&head, gate->bytes, sizeof(head));
		cr_expect_eq(memcmp(head.e_ident, ELFMAG, SELFMAG), 0);
		cr_expect_eq(head.e_machine, machines[i]);
		cr_expect_eq(head.e_type, ET_EXEC);
		for (size_t k = 0; k < head.e_phnum; k++) {
			Elf64_Phdr part;

			cr_assert_leq(head.e_phoff + (k + 1) * sizeof(part), gate->length);
			memcpy(&part, gate->bytes + head.e_phoff + k * sizeof(part), sizeof(part));
			cr_expect_neq(part.p_type, PT_INTERP);
			cr_expect_neq(part.p_type, PT_DYNAMIC);
			cr_expect_neq(part.p_flags & (PF_W | PF_X), PF_W | PF_X);
			stack |= part.p_type == PT_GNU_STACK;
		}
		cr_expect(stack, "the stack would be executable");
	}
}
