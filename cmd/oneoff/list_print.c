/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/list_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cmd/oneoff/message.h"
#include "cmd/oneoff/table.h"
#include "cmd/oneoff/task_options.h"
#include "pkg/backend/command_text.h"
#include "pkg/base/clock.h"
#include "pkg/json/json.h"

#define FLUSH_BYTES ((size_t)32 << 10)
#define MAX_COMMAND 60
#define SHORT_IMAGE (7 + 12) /* "sha256:" and 12 digits */

void list_print_begin(struct list_printer *printer, int format)
{
	*printer = (struct list_printer){.format = format, .now = clock_unix_seconds()};
}

static int flush(struct list_printer *printer, struct err *err)
{
	int result =
		printer->text.failed ? err_no_memory(err) : message_output(&printer->text, err);

	strbuf_reset(&printer->text);
	return result;
}

/* ---- for people ---- */

static void add_column(struct strbuf *out, const char *text, size_t width)
{
	table_add(out, text && *text ? text : "-", width, 1);
}

/* An image's id or digest is told by its beginning, as docker shows it. */
static void add_image(struct strbuf *out, const char *image, size_t width)
{
	char text[SHORT_IMAGE + 1];

	snprintf(text, sizeof(text), "%s", image ? image : "");
	add_column(out, image && !strncmp(image, "sha256:", 7) ? text : image, width);
}

/* "45s", "12m", "3h", "2d": one unit tells enough. */
static void add_span(struct strbuf *out, int64_t seconds, size_t width)
{
	static const struct {
		int64_t from, unit;
		char letter;
	} spans[] = {{172800, 86400, 'd'}, {7200, 3600, 'h'}, {120, 60, 'm'}, {0, 1, 's'}};
	char text[32] = "0s";

	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		if (seconds >= spans[i].from) {
			snprintf(text, sizeof(text), "%" PRId64 "%c", seconds / spans[i].unit,
			         spans[i].letter);
			break;
		}
	}
	add_column(out, text, width);
}

static void add_since(struct strbuf *out, const struct list_printer *printer,
                      const struct task_record *record, size_t width)
{
	int64_t since = record->started ? record->started : record->created;

	if (record->state == TASK_ENDED && record->ended)
		since = record->ended;
	if (since)
		add_span(out, printer->now - since, width);
	else
		add_column(out, NULL, width);
}

static int64_t end_of(const struct task_record *record)
{
	if (record->state != TASK_ENDED)
		return record->deadline;
	return record->keep != KEEP_NEVER && record->keep_for && record->ended
	               ? record->ended + record->keep_for
	               : 0;
}

static void add_left(struct strbuf *out, const struct list_printer *printer,
                     const struct task_record *record, size_t width)
{
	int64_t end = end_of(record);

	if (end)
		add_span(out, end - printer->now, width);
	else
		add_column(out, NULL, width);
}

static void add_state(struct strbuf *out, const struct task_record *record, size_t width)
{
	char text[160];

	if (record->state == TASK_ENDED && record->status.known)
		snprintf(text, sizeof(text), "exit %d%s", record->status.code,
		         record->status.out_of_memory ? " (memory)"
		         : record->status.timed_out   ? " (time)"
		                                      : "");
	else if (record->detail[0])
		snprintf(text, sizeof(text), "%s", record->detail);
	else
		snprintf(text, sizeof(text), "%s", task_state_name(record->state));
	add_column(out, text, width);
}

/* Cut, because it is the last column. */
static void add_command(struct strbuf *out, const struct task_record *record)
{
	_cleanup_(strbuf_release) struct strbuf words = STRBUF_INIT;
	size_t length = MAX_COMMAND;

	command_text_show(record->command, &words);
	if (words.length <= length) {
		strbuf_adds(out, words.length ? strbuf_str(&words) : "-");
		return;
	}
	while (length > 0 && ((unsigned char)words.data[length] & 0xc0) == 0x80)
		length--;
	strbuf_add(out, words.data, length);
	strbuf_adds(out, "…");
}

static void add_row(struct list_printer *printer, const struct task_record *record)
{
	struct strbuf *out = &printer->text;

	add_column(out, record->id, 9);
	add_state(out, record, 10);
	add_since(out, printer, record, 6);
	add_left(out, printer, record, 6);
	add_column(out, record->source, 16);
	add_column(out, record->user, 16);
	add_column(out, record->lock, 10);
	if (printer->format == LIST_WIDE) {
		add_column(out, record->platform, 10);
		add_column(out, record->place, 12);
		add_column(out, record->name, 24);
		add_image(out, record->image, 24);
		add_column(out, record->reason, 24);
	}
	add_command(out, record);
	strbuf_addc(out, '\n');
}

static void add_header(struct list_printer *printer)
{
	static const struct {
		const char *name;
		size_t width;
		bool wide;
	} columns[] = {
		{"ID", 9, false},    {"STATE", 10, false},   {"SINCE", 6, false},
		{"LEFT", 6, false},  {"SOURCE", 16, false},  {"USER", 16, false},
		{"LOCK", 10, false}, {"PLATFORM", 10, true}, {"NAMESPACE", 12, true},
		{"NAME", 24, true},  {"IMAGE", 24, true},    {"REASON", 24, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (!columns[i].wide || printer->format == LIST_WIDE)
			add_column(&printer->text, columns[i].name, columns[i].width);
	strbuf_adds(&printer->text, "COMMAND\n");
}

/* ---- for programs ---- */

static int set_command(cJSON *object, const char *command)
{
	struct err ignored = ERR_INIT;
	cJSON *list = NULL;

	if (!command || json_parse(command, strlen(command), JSON_MAX_BYTES, &list, &ignored) < 0)
		return json_set_known_string(object, "command", command);
	return json_set_node(object, "command", list);
}

static const char *keep_name(enum keep_mode keep)
{
	static const char *const names[] = {"never", "failed", "always"};

	return (unsigned)keep < ARRAY_SIZE(names) ? names[keep] : "never";
}

/* A cluster's image has it behind its name. */
static const char *digest_of(const struct task_record *record)
{
	const char *at = record->image ? strrchr(record->image, '@') : NULL;

	return record->digest || !at ? record->digest : at + 1;
}

static cJSON *make_object(const struct task_record *record)
{
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	const struct exit_status *status = &record->status;
	bool ended = record->state == TASK_ENDED && status->known;
	int failed = !object;

	failed |= json_set_known_string(object, "id", record->id);
	failed |= json_set_known_string(object, "name", record->name);
	failed |= json_set_known_string(object, "runtime", record->platform);
	failed |= json_set_known_string(object, "namespace", record->place);
	failed |= json_set_known_string(object, "source", record->source);
	failed |= json_set_known_string(object, "image", record->image);
	failed |= json_set_known_string(object, "digest", digest_of(record));
	failed |= json_set_known_string(object, "user", record->user);
	failed |= json_set_known_string(object, "reason", record->reason);
	failed |= json_set_known_string(object, "lock", record->lock);
	failed |= set_command(object, record->command);
	failed |= json_set_known_string(object, "state", task_state_name(record->state));
	failed |=
		json_set_known_string(object, "detail", record->detail[0] ? record->detail : NULL);
	failed |= json_set_known_time(object, "created", record->created);
	failed |= json_set_known_time(object, "started", record->started);
	failed |= json_set_known_time(object, "ended", record->ended);
	failed |= json_set_known_time(object, "deadline", record->deadline);
	failed |= json_set_known_string(object, "keep", keep_name(record->keep));
	failed |= json_set_int64(object, "keepForSeconds", record->keep_for);
	failed |= json_set_bool(object, "detached", record->detached);
	failed |= json_set_bool(object, "tty", record->tty);
	failed |= json_set_node(object, "exitCode",
	                        ended ? json_new_int64(status->code) : cJSON_CreateNull());
	failed |= json_set_bool(object, "outOfMemory", ended && status->out_of_memory);
	failed |= json_set_bool(object, "timedOut", ended && status->timed_out);
	return failed ? NULL : TAKE_PTR(object);
}

static int add_object(struct list_printer *printer, const struct task_record *record,
                      struct err *err)
{
	_cleanup_(json_free) cJSON *object = make_object(record);

	if (!object)
		return err_no_memory(err);
	strbuf_adds(&printer->text, printer->count ? ",\n" : "[\n");
	json_print(object, false, &printer->text);
	return 0;
}

int list_print_record(struct list_printer *printer, const struct task_record *record,
                      struct err *err)
{
	if (printer->format == LIST_JSON) {
		if (add_object(printer, record, err) < 0)
			return -1;
	} else {
		if (!printer->count)
			add_header(printer);
		add_row(printer, record);
	}
	printer->count++;
	return printer->text.length < FLUSH_BYTES ? 0 : flush(printer, err);
}

int list_print_end(struct list_printer *printer, struct err *err)
{
	int result;

	if (printer->format == LIST_JSON)
		strbuf_adds(&printer->text, printer->count ? "\n]\n" : "[]\n");
	result = flush(printer, err);
	strbuf_release(&printer->text);
	return result;
}
