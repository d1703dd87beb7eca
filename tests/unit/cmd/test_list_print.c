/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cmd/oneoff/list_print.h"
#include "cmd/oneoff/task_options.h"
#include "pkg/base/clock.h"
#include "pkg/json/json.h"

/* A row as list has it, printed into a file in stdout's place. */
static void print(int format, const struct task_record *records, size_t count, struct strbuf *ret)
{
	int fd = memfd_create("stdout", MFD_CLOEXEC), before = dup(STDOUT_FILENO);
	struct list_printer printer;
	struct err err = ERR_INIT;
	char bytes[4096];
	ssize_t got;

	cr_assert(fd >= 0 && before >= 0 && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	list_print_begin(&printer, format);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(list_print_record(&printer, &records[i], &err), 0);
	cr_expect_eq(list_print_end(&printer, &err), 0, "%s", err.message);
	dup2(before, STDOUT_FILENO);
	close(before);
	lseek(fd, 0, SEEK_SET);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		strbuf_add(ret, bytes, (size_t)got);
	close(fd);
}

static struct task_record record(void)
{
	int64_t now = clock_unix_seconds();

	return (struct task_record){
		.id = (char *)"abcdefgh",
		.name = (char *)"web-oneoff-abcdefgh",
		.platform = "docker",
		.source = (char *)"web",
		.user = (char *)"ana@laptop",
		.command = (char *)"[\"sh\",\"-c\",\"sleep 1; date\"]",
		.state = TASK_RUNNING,
		.created = now - 605,
		.started = now - 600,
		.deadline = now + 7205,
	};
}

Test(list_print, a_line_says_who_runs_what_since_when_and_for_how_long)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct task_record running = record();

	print(LIST_TABLE, &running, 1, &text);
	cr_expect_str_eq(strbuf_str(&text),
	                 "ID        STATE      SINCE  LEFT   SOURCE           USER             "
	                 "LOCK       COMMAND\n"
	                 "abcdefgh  running    10m    2h     web              ana@laptop       "
	                 "-          sh -c 'sleep 1; date'\n",
	                 "%s", strbuf_str(&text));
}

Test(list_print, what_a_server_says_cannot_move_the_cursor_or_begin_a_line)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct task_record running = record();

	running.source = (char *)"\033[2J";
	running.user = (char *)"a\nb";
	running.command = (char *)"[\"\\u001b[31m\",\"\\n\"]";
	print(LIST_TABLE, &running, 1, &text);
	cr_expect_null(strchr(strbuf_str(&text), '\033'));
	cr_expect_eq(strchr(strchr(strbuf_str(&text), '\n') + 1, '\n')[1], '\0');
}

Test(list_print, an_ended_one_shows_its_code_and_how_long_it_is_kept)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct task_record ended = record();

	ended.state = TASK_ENDED;
	ended.status = (struct exit_status){.known = true, .code = 137, .out_of_memory = true};
	ended.ended = clock_unix_seconds() - 30;
	ended.keep = KEEP_ALWAYS;
	ended.keep_for = 3630;
	print(LIST_TABLE, &ended, 1, &text);
	cr_expect_not_null(strstr(strbuf_str(&text), "abcdefgh  exit 137 (memory) 30s    60m"),
	                   "%s", strbuf_str(&text));
}

Test(list_print, a_cut_command_is_shown_as_it_is_and_a_long_one_is_cut_between_characters)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct task_record running[2] = {record(), record()};

	running[0].command = (char *)"[\"sh\",\"-c\",\"aaa…";
	running[1].command = (char *)"[\"äääääääääääääääääääääääääääääääääääääääääääää\"]";
	print(LIST_TABLE, running, 2, &text);
	cr_expect_not_null(strstr(strbuf_str(&text), "aaa…\n"));
	cr_expect_not_null(strstr(strbuf_str(&text), "ää…\n"), "%s", strbuf_str(&text));
}

Test(list_print, json_is_one_array_whatever_the_count)
{
	for (size_t count = 0; count < 3; count++) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
		_cleanup_(json_free) cJSON *list = NULL;
		const struct task_record running[2] = {record(), record()};
		struct err err = ERR_INIT;

		print(LIST_JSON, running, count, &text);
		cr_assert_eq(
			json_parse(strbuf_str(&text), text.length, JSON_MAX_BYTES, &list, &err), 0,
			"%s: %s", err.message, strbuf_str(&text));
		cr_expect_eq((size_t)cJSON_GetArraySize(list), count);
	}
}

Test(list_print, json_tells_all_and_null_for_what_is_not_known)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *list = NULL;
	struct task_record running = record();
	struct err err = ERR_INIT;
	const cJSON *object;

	running.reason = (char *)"ticket 7";
	print(LIST_JSON, &running, 1, &text);
	cr_assert_eq(json_parse(strbuf_str(&text), text.length, JSON_MAX_BYTES, &list, &err), 0);
	object = cJSON_GetArrayItem(list, 0);
	cr_expect_str_eq(json_string(object, "state"), "running");
	cr_expect_str_eq(json_string(object, "reason"), "ticket 7");
	cr_expect_eq(cJSON_GetArraySize(json_member(object, "command")), 3);
	cr_expect(cJSON_IsNull(json_member(object, "exitCode")));
	cr_expect(cJSON_IsNull(json_member(object, "ended")));
	cr_expect(cJSON_IsNull(json_member(object, "lock")));
}
